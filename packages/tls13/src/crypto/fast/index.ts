import {
  hostRandom,
  rsaPkcs1Sha256,
  rsaPkcs1Sha384,
  rsaPkcs1Sha512,
  rsaPssSha256,
  rsaPssSha384,
  rsaPssSha512,
  secp521r1,
} from "../noble/index.ts"
import { pooledRandom } from "../pooled-random.ts"
import type { ImmediateCryptoProvider, RandomSource } from "../provider.ts"
import { cipherSuite } from "../suites.ts"
import { ed25519Over } from "./curve25519/ed25519.ts"
import { x25519Over } from "./curve25519/kernel.ts"
import { p256Over } from "./p256/algorithms.ts"
import { secp384r1Over } from "./p384/algorithms.ts"
import { aesGcmKernel, aesGcmOver, type GhashChoice } from "./webassembly/aes-gcm.ts"
import { chacha20Poly1305Kernel, chacha20Poly1305Over } from "./webassembly/chacha20-poly1305.ts"
import { curve25519Kernel } from "./webassembly/curve25519.ts"
import type { KernelModule, WebAssemblyChoice } from "./webassembly/engine.ts"
import { hashesOver } from "./webassembly/hashes.ts"
import { p256Kernel } from "./webassembly/p256.ts"
import { p384Kernel } from "./webassembly/p384.ts"
import { sha2Kernel } from "./webassembly/sha2.ts"

export { createPlainAesGcm } from "./aes/aes-gcm.ts"
export { createPlainChaCha20Poly1305 } from "./chacha20-poly1305/chacha20-poly1305.ts"
export { createPlainEd25519, createPlainX25519 } from "./curve25519/plain.ts"
export type { P256Algorithms } from "./p256/algorithms.ts"
export { createPlainP256Algorithms } from "./p256/plain.ts"
export { createPlainSha256 } from "./sha256.ts"
export { createAesGcm, type GhashChoice } from "./webassembly/aes-gcm.ts"
export { createChaCha20Poly1305 } from "./webassembly/chacha20-poly1305.ts"
export { createEd25519, createX25519 } from "./webassembly/curve25519.ts"
export type { CompiledModules, KernelModule, WebAssemblyChoice } from "./webassembly/engine.ts"
export { createP256Algorithms } from "./webassembly/p256.ts"
export { createSecp384r1 } from "./webassembly/p384.ts"
export { createSha256 } from "./webassembly/sha2.ts"

export interface FastProviderOptions {
  /** Where random bytes come from; default: `crypto.getRandomValues`. */
  readonly random?: RandomSource
  /** Which kernels are in WebAssembly; default `auto`: those that are faster so, where the engine has it. */
  readonly webAssembly?: WebAssemblyChoice
  /**
   * How AES-GCM computes the tags of records of 4 KiB or more; default `constant-time`. With `tables` it reads 16 KiB of memory
   * at addresses that depend on a secret, which takes about a sixth off a record of 16 KiB. Whoever shares the processor's caches
   * (another process, container, or guest on the machine) may learn H from it, and with H forges records of that
   * connection; the key of AES and the plaintext do not show. For machines that run nothing of anybody else.
   * Without WebAssembly it changes nothing.
   */
  readonly ghash?: GhashChoice
}

export interface FastProvider extends ImmediateCryptoProvider {
  /** What each family of algorithms is computed by, here and now. */
  kernels(): { readonly [Name in KernelModule]?: "WebAssembly" | "TypeScript" }
}

/**
 * The provider with kernels of our own for what a TLS stack does most: AEAD keys that stay expanded from record to
 * record, SHA-256 and HMAC with states that are cheap to copy, X25519, Ed25519, P-256 and P-384 for key exchange and ECDSA. No kernel
 * reads memory or branches by a secret, but for `ghash: "tables"`. The rest is the noble provider's.
 */
export function createFastProvider(options: FastProviderOptions = {}): FastProvider {
  const webAssembly = options.webAssembly ?? "auto"
  const ghash = options.ghash ?? "constant-time"
  const aesGcm = aesGcmKernel(webAssembly)
  const chacha20Poly1305 = chacha20Poly1305Kernel(webAssembly)
  const sha2 = sha2Kernel(webAssembly)
  const hashes = hashesOver(sha2)
  const curve25519 = curve25519Kernel(webAssembly)
  const p256 = p256Kernel(webAssembly)
  const p384 = p384Kernel(webAssembly)
  const { secp256r1, ecdsaSha256, ecdsaSha384, ecdsaSha512 } = p256Over(p256, hashes, p384)
  return {
    name: "fast",
    cipherSuites: [
      cipherSuite("TLS_CHACHA20_POLY1305_SHA256", chacha20Poly1305Over(chacha20Poly1305), hashes.sha256),
      cipherSuite("TLS_AES_128_GCM_SHA256", aesGcmOver(128, aesGcm, ghash), hashes.sha256),
      cipherSuite("TLS_AES_256_GCM_SHA384", aesGcmOver(256, aesGcm, ghash), hashes.sha384),
    ],
    keyExchanges: [x25519Over(curve25519), secp256r1, secp384r1Over(p384), secp521r1],
    signatures: [
      ecdsaSha256,
      ed25519Over(curve25519, hashes.sha512),
      ecdsaSha384,
      ecdsaSha512,
      rsaPssSha256,
      rsaPssSha384,
      rsaPssSha512,
      rsaPkcs1Sha256,
      rsaPkcs1Sha384,
      rsaPkcs1Sha512,
    ],
    random: options.random ?? pooledRandom(hostRandom),
    kernels: () => ({
      "aes-gcm": language(aesGcm()),
      "chacha20-poly1305": language(chacha20Poly1305()),
      sha2: language(sha2("sha256")),
      curve25519: curve25519().language,
      p256: p256().language,
      p384: language(p384()),
    }),
  }
}

function language(kernel: object | undefined): "WebAssembly" | "TypeScript" {
  return kernel === undefined ? "TypeScript" : "WebAssembly"
}

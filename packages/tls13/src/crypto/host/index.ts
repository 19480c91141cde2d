import { createECDH, getCiphers, randomBytes } from "node:crypto"
import { pooledRandom } from "../pooled-random.ts"
import type { ImmediateCryptoProvider, RandomSource } from "../provider.ts"
import { cipherSuite } from "../suites.ts"
import { aes128Gcm, aes256Gcm, chacha20Poly1305 } from "./aead.ts"
import { sha256, sha384 } from "./hash.ts"
import { secp256r1, secp384r1, secp521r1, x25519 } from "./key-exchange.ts"
import {
  ecdsaSha256,
  ecdsaSha384,
  ecdsaSha512,
  ed25519,
  hasMlDsa,
  mlDsaSignatures,
  rsaPkcs1Sha256,
  rsaPkcs1Sha384,
  rsaPkcs1Sha512,
  rsaPssSha256,
  rsaPssSha384,
  rsaPssSha512,
} from "./signatures.ts"

export { decryptPrivateKey, isEncryptedKey } from "./encrypted-key.ts"
export { type HostRecordsFrom, withHostRecords } from "./long-records.ts"

export interface HostProviderOptions {
  /** Where random bytes come from; default: `crypto.randomBytes` of the host. */
  readonly random?: RandomSource
}

/**
 * The provider of runtimes that have `node:crypto` (Node, Bun, Deno): the host's constant-time code and its AES
 * instructions, which is why AES-GCM comes first. What the host lacks is left out: Bun 1.4 has no ChaCha20-Poly1305
 * here, Deno 2.9 no P-521, and Node before 24.7 no ML-DSA.
 */
export function createHostProvider(options: HostProviderOptions = {}): ImmediateCryptoProvider {
  const ciphers = getCiphers()
  const suites = [
    ["aes-128-gcm", cipherSuite("TLS_AES_128_GCM_SHA256", aes128Gcm, sha256)],
    ["aes-256-gcm", cipherSuite("TLS_AES_256_GCM_SHA384", aes256Gcm, sha384)],
    ["chacha20-poly1305", cipherSuite("TLS_CHACHA20_POLY1305_SHA256", chacha20Poly1305, sha256)],
  ] as const
  return {
    name: "host",
    cipherSuites: suites.filter(([cipher]) => ciphers.includes(cipher)).map(([, suite]) => suite),
    keyExchanges: hasP521() ? [x25519, secp256r1, secp384r1, secp521r1] : [x25519, secp256r1, secp384r1],
    signatures: [
      ecdsaSha256,
      ed25519,
      ecdsaSha384,
      ecdsaSha512,
      ...(hasMlDsa() ? mlDsaSignatures : []),
      rsaPssSha256,
      rsaPssSha384,
      rsaPssSha512,
      rsaPkcs1Sha256,
      rsaPkcs1Sha384,
      rsaPkcs1Sha512,
    ],
    random: options.random ?? pooledRandom(randomBytes),
  }
}

function hasP521(): boolean {
  try {
    createECDH("secp521r1")
    return true
  } catch {
    return false
  }
}

import { randomBytes } from "@noble/hashes/utils.js"
import { pooledRandom } from "../pooled-random.ts"
import type { CipherSuiteAlgorithms, ImmediateCryptoProvider, RandomSource } from "../provider.ts"
import { cipherSuite } from "../suites.ts"
import { aes128Gcm, aes256Gcm, chacha20Poly1305 } from "./aead.ts"
import { ecdsaSha256, ecdsaSha384, ecdsaSha512 } from "./ecdsa.ts"
import { ed25519 } from "./ed25519.ts"
import { sha256, sha384 } from "./hash.ts"
import { secp256r1, secp384r1, secp521r1 } from "./nist.ts"
import { rsaPkcs1Sha256, rsaPkcs1Sha384, rsaPkcs1Sha512, rsaPssSha256, rsaPssSha384, rsaPssSha512 } from "./rsa.ts"
import { x25519 } from "./x25519.ts"

// Everything by its own name, so that a device builds a smaller provider: `{ name, cipherSuites: [...], ... }`.
export { aes128Gcm, aes256Gcm, chacha20Poly1305 } from "./aead.ts"
export { TLS_AES_128_CCM_8_SHA256, TLS_AES_128_CCM_SHA256 } from "./ccm.ts"
export { ecdsaP256Sha256, ecdsaSha256, ecdsaSha384, ecdsaSha512 } from "./ecdsa.ts"
export { ed25519 } from "./ed25519.ts"
export { sha256, sha384, sha512 } from "./hash.ts"
export { generateEcKey, generateEd25519Key, publicKeyOf } from "./key-pairs.ts"
export { secp256r1, secp384r1, secp521r1 } from "./nist.ts"
export {
  rsaPkcs1Sha256,
  rsaPkcs1Sha384,
  rsaPkcs1Sha512,
  rsaPssSha256,
  rsaPssSha384,
  rsaPssSha512,
} from "./rsa.ts"
export { x25519 } from "./x25519.ts"

export const TLS_CHACHA20_POLY1305_SHA256: CipherSuiteAlgorithms = /* @__PURE__ */ cipherSuite(
  "TLS_CHACHA20_POLY1305_SHA256",
  chacha20Poly1305,
  sha256,
)
export const TLS_AES_128_GCM_SHA256: CipherSuiteAlgorithms = /* @__PURE__ */ cipherSuite(
  "TLS_AES_128_GCM_SHA256",
  aes128Gcm,
  sha256,
)
export const TLS_AES_256_GCM_SHA384: CipherSuiteAlgorithms = /* @__PURE__ */ cipherSuite(
  "TLS_AES_256_GCM_SHA384",
  aes256Gcm,
  sha384,
)

/** Random bytes of the runtime's WebCrypto (`crypto.getRandomValues`). @throws when the runtime has none: then pass `random` */
export const hostRandom: RandomSource = (length) => randomBytes(length)

export interface NobleProviderOptions {
  /** Where random bytes come from; default: `crypto.getRandomValues`. */
  readonly random?: RandomSource
}

/**
 * The default provider: the audited @noble packages, and RSA of our own because noble has none.
 * ChaCha20-Poly1305 comes first: without AES instructions it is the faster suite and the one without secret table reads.
 */
export function createNobleProvider(options: NobleProviderOptions = {}): ImmediateCryptoProvider {
  return {
    name: "noble",
    cipherSuites: [TLS_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384],
    keyExchanges: [x25519, secp256r1, secp384r1, secp521r1],
    signatures: [
      ecdsaSha256,
      ed25519,
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
  }
}

import { copyOf } from "../bytes/copy.ts"
import { equalBytes } from "../bytes/equal.ts"

/** The curves of ECDSA keys, by their NIST names. */
export type EcCurve = "P-256" | "P-384" | "P-521"

/** A public key as plain data: what SubjectPublicKeyInfo says, decoded once, and not yet checked to be on its curve. */
export type PublicKey =
  | {
      readonly type: "ec"
      readonly curve: EcCurve /** SEC 1 uncompressed, 0x04 first: 65, 97 or 133 bytes */
      readonly point: Uint8Array
    }
  | { readonly type: "ed25519" /** 32 bytes */; readonly bytes: Uint8Array }
  | RsaPublicKey

/** `rsa` is rsaEncryption, `rsa-pss` is id-RSASSA-PSS (RFC 9846 section 4.3.3 keeps the two apart). Big-endian, no leading zeros. */
export interface RsaPublicKey {
  readonly type: "rsa" | "rsa-pss"
  readonly modulus: Uint8Array
  readonly exponent: Uint8Array
  /** The parameters of an id-RSASSA-PSS key that restricts itself (RFC 4055 section 1.2); undefined: no restriction. */
  readonly pss?: { readonly hash: "sha256" | "sha384" | "sha512"; readonly minimumSaltLength: number }
}

/** A private key as plain data: what PKCS#8 (or SEC 1, PKCS#1) says. */
export type PrivateKey =
  | { readonly type: "ec"; readonly curve: EcCurve /** big-endian, 32, 48 or 66 bytes */; readonly secret: Uint8Array }
  | { readonly type: "ed25519" /** 32 bytes */; readonly seed: Uint8Array }
  | RsaPrivateKey

/** All big-endian without leading zeros; the CRT values of RFC 8017 section 3.2. */
export interface RsaPrivateKey {
  readonly type: "rsa" | "rsa-pss"
  readonly modulus: Uint8Array
  readonly exponent: Uint8Array
  readonly privateExponent: Uint8Array
  readonly prime1: Uint8Array
  readonly prime2: Uint8Array
  readonly exponent1: Uint8Array
  readonly exponent2: Uint8Array
  readonly coefficient: Uint8Array
}

/** The same key in memory of our own. */
export function copyOfPublicKey(key: PublicKey): PublicKey {
  if (key.type === "ec") return { ...key, point: copyOf(key.point) }
  if (key.type === "ed25519") return { ...key, bytes: copyOf(key.bytes) }
  return { ...key, modulus: copyOf(key.modulus), exponent: copyOf(key.exponent) }
}

/** The same key in memory of our own. */
export function copyOfPrivateKey(key: PrivateKey): PrivateKey {
  if (key.type === "ec") return { ...key, secret: copyOf(key.secret) }
  if (key.type === "ed25519") return { ...key, seed: copyOf(key.seed) }
  return {
    ...key,
    modulus: copyOf(key.modulus),
    exponent: copyOf(key.exponent),
    privateExponent: copyOf(key.privateExponent),
    prime1: copyOf(key.prime1),
    prime2: copyOf(key.prime2),
    exponent1: copyOf(key.exponent1),
    exponent2: copyOf(key.exponent2),
    coefficient: copyOf(key.coefficient),
  }
}

/** Whether two public keys are one: restrictions of an id-RSASSA-PSS key included. */
export function samePublicKey(a: PublicKey, b: PublicKey): boolean {
  if (a.type === "ec") return b.type === "ec" && a.curve === b.curve && equalBytes(a.point, b.point)
  if (a.type === "ed25519") return b.type === "ed25519" && equalBytes(a.bytes, b.bytes)
  if (b.type !== a.type) return false
  return (
    equalBytes(a.modulus, b.modulus) &&
    equalBytes(a.exponent, b.exponent) &&
    a.pss?.hash === b.pss?.hash &&
    a.pss?.minimumSaltLength === b.pss?.minimumSaltLength
  )
}

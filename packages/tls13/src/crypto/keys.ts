import { copyOf } from "../bytes/copy.ts"
import { equalBytes } from "../bytes/equal.ts"

/** Curves of ECDSA keys that the providers have, by their NIST names. */
export type NistCurve = "P-256" | "P-384" | "P-521"
/** Curves of RFC 5639, which `crypto/more` has. */
export type BrainpoolCurve = "brainpoolP256r1" | "brainpoolP384r1" | "brainpoolP512r1"
/** The curves of ECDSA keys. */
export type EcCurve = NistCurve | BrainpoolCurve

/** The parameter sets of ML-DSA (FIPS 204 section 4). */
export type MlDsaName = "ml-dsa-44" | "ml-dsa-65" | "ml-dsa-87"

/** A public key as plain data: what SubjectPublicKeyInfo says, decoded once, and not yet checked to be on its curve. */
export type PublicKey =
  | {
      readonly type: "ec"
      readonly curve: EcCurve /** SEC 1 uncompressed, 0x04 first: 65, 97, 129 or 133 bytes */
      readonly point: Uint8Array
    }
  | { readonly type: "ed25519" /** 32 bytes */; readonly bytes: Uint8Array }
  | { readonly type: "ed448" /** 57 bytes */; readonly bytes: Uint8Array }
  | { readonly type: MlDsaName /** 1312, 1952 or 2592 bytes */; readonly bytes: Uint8Array }
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
  | {
      readonly type: "ec"
      readonly curve: EcCurve /** big-endian, 32, 48, 64 or 66 bytes */
      readonly secret: Uint8Array
    }
  | { readonly type: "ed25519" /** 32 bytes */; readonly seed: Uint8Array }
  | { readonly type: "ed448" /** 57 bytes */; readonly seed: Uint8Array }
  | MlDsaPrivateKey
  | RsaPrivateKey

/** One of the two at least (RFC 9881 section 6); who has both signs only when the one gives the other. */
export interface MlDsaPrivateKey {
  readonly type: MlDsaName
  /** What ML-DSA.KeyGen_internal makes the key of, 32 bytes. */
  readonly seed?: Uint8Array
  /** The private key of FIPS 204 algorithm 24: 2560, 4032 or 4896 bytes. */
  readonly expanded?: Uint8Array
}

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
  if ("bytes" in key) return { ...key, bytes: copyOf(key.bytes) }
  return { ...key, modulus: copyOf(key.modulus), exponent: copyOf(key.exponent) }
}

/** The same key in memory of our own. */
export function copyOfPrivateKey(key: PrivateKey): PrivateKey {
  if (key.type === "ec") return { ...key, secret: copyOf(key.secret) }
  if (key.type === "ed25519" || key.type === "ed448") return { ...key, seed: copyOf(key.seed) }
  if (!("modulus" in key)) {
    const { type, seed, expanded } = key
    return { type, ...(seed && { seed: copyOf(seed) }), ...(expanded && { expanded: copyOf(expanded) }) }
  }
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
  if ("bytes" in a) return "bytes" in b && a.type === b.type && equalBytes(a.bytes, b.bytes)
  if (!("modulus" in b) || b.type !== a.type) return false
  return (
    equalBytes(a.modulus, b.modulus) &&
    equalBytes(a.exponent, b.exponent) &&
    a.pss?.hash === b.pss?.hash &&
    a.pss?.minimumSaltLength === b.pss?.minimumSaltLength
  )
}

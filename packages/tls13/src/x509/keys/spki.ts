// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) to and from a PublicKey: RSA (RFC 3279, RFC 4055), EC on P-256, P-384 and
// P-521 by name (RFC 5480), Ed25519 (RFC 8410). Explicit curve parameters and compressed points are refused.

import { copyOf } from "../../bytes/copy.ts"
import type { EcCurve, PublicKey } from "../../crypto/keys.ts"
import { type Der, readWhole, Tag } from "../der/der.ts"
import { derBitString, derInteger, derNull, derOid, derSequence, derSmall, derValue } from "../der/der-writer.ts"
import { Oid } from "../der/oids.ts"
import { malformed, X509Error } from "../errors.ts"
import { pssHash } from "./algorithm.ts"

const curves: Readonly<Record<string, EcCurve>> = {
  [Oid.prime256v1]: "P-256",
  [Oid.secp384r1]: "P-384",
  [Oid.secp521r1]: "P-521",
}
const curveOids: Readonly<Record<EcCurve, string>> = {
  "P-256": Oid.prime256v1,
  "P-384": Oid.secp384r1,
  "P-521": Oid.secp521r1,
}
/** Bytes of a field element, and of a private value. */
export const curveBytes: Readonly<Record<EcCurve, number>> = { "P-256": 32, "P-384": 48, "P-521": 66 }

const hashOids = { sha256: Oid.sha256, sha384: Oid.sha384, sha512: Oid.sha512 } as const

/** The curve that an object identifier names. */
export function curveOf(oid: string): EcCurve {
  const curve = curves[oid]
  if (curve === undefined) throw new X509Error("unsupported_key", `the curve ${oid} is not P-256, P-384 or P-521`)
  return curve
}

/**
 * The key of a DER SubjectPublicKeyInfo.
 * @throws X509Error `malformed`, or `unsupported_key` for another algorithm or curve
 */
export function parseSpki(bytes: Uint8Array): PublicKey {
  return readSpki(copyOf(bytes))
}

/** The same for bytes of our own: point and modulus are views of them. */
export function readSpki(bytes: Uint8Array): PublicKey {
  return readWhole(bytes, "the public key", (der) => {
    const spki = der.sequence("the public key")
    const algorithm = spki.sequence("the public key's algorithm")
    const key = spki.bitString("the public key's bits")
    spki.expectEnd("the public key")
    return readKey(algorithm, key)
  })
}

function readKey(algorithm: Der, key: Uint8Array): PublicKey {
  const oid = algorithm.oid("the public key's algorithm")
  switch (oid) {
    case Oid.ecPublicKey: {
      // RFC 5480 2.1.1: namedCurve only; specifiedCurve MUST NOT be used.
      if (algorithm.peek() !== Tag.oid)
        throw new X509Error("unsupported_key", "the key spells its curve out instead of naming it")
      const curve = curveOf(algorithm.oid("the key's curve"))
      algorithm.expectEnd("the public key's algorithm")
      return { type: "ec", curve, point: checkPoint(curve, key) }
    }
    case Oid.ed25519:
      // RFC 8410 3: the parameters MUST be absent.
      algorithm.expectEnd("the Ed25519 key's algorithm")
      if (key.length !== 32) throw malformed(`an Ed25519 public key has ${key.length} bytes; it must have 32`)
      return { type: "ed25519", bytes: key }
    case Oid.rsaEncryption:
      // RFC 3279 2.3.1: the parameters MUST be NULL.
      algorithm.null("the RSA key's algorithm parameters")
      algorithm.expectEnd("the public key's algorithm")
      return { type: "rsa", ...rsaNumbers(key) }
    case Oid.rsassaPss: {
      if (algorithm.done) return { type: "rsa-pss", ...rsaNumbers(key) }
      const { hash, saltLength } = pssHash(algorithm)
      algorithm.expectEnd("the public key's algorithm")
      return { type: "rsa-pss", ...rsaNumbers(key), pss: { hash, minimumSaltLength: saltLength } }
    }
    default:
      throw new X509Error("unsupported_key", `the key's algorithm ${oid} is not RSA, ECDSA or Ed25519`)
  }
}

/** An uncompressed SEC 1 point of the curve's length; whether it is on the curve is the provider's check. */
export function checkPoint(curve: EcCurve, point: Uint8Array): Uint8Array {
  if (point[0] === 2 || point[0] === 3)
    throw new X509Error("unsupported_key", "the key is a compressed point; use the uncompressed form")
  if (point[0] !== 4 || point.length !== 1 + 2 * curveBytes[curve])
    throw malformed(`the key is not a point of ${curve}`)
  return point
}

function rsaNumbers(key: Uint8Array): { modulus: Uint8Array; exponent: Uint8Array } {
  return readWhole(key, "the RSA key", (der) => {
    const sequence = der.sequence("the RSA key")
    const modulus = sequence.unsigned("the RSA modulus")
    const exponent = sequence.unsigned("the RSA exponent")
    sequence.expectEnd("the RSA key")
    if ((modulus[modulus.length - 1]! & 1) === 0 || modulus.length < 2)
      throw malformed("the RSA modulus is even or zero")
    return { modulus, exponent }
  })
}

/** The DER SubjectPublicKeyInfo of a key. */
export function encodeSpki(key: PublicKey): Uint8Array {
  switch (key.type) {
    case "ec":
      return derSequence(derSequence(derOid(Oid.ecPublicKey), derOid(curveOids[key.curve])), derBitString(key.point))
    case "ed25519":
      return derSequence(derSequence(derOid(Oid.ed25519)), derBitString(key.bytes))
    case "rsa":
    case "rsa-pss": {
      const algorithm =
        key.type === "rsa"
          ? derSequence(derOid(Oid.rsaEncryption), derNull())
          : derSequence(
              derOid(Oid.rsassaPss),
              ...(key.pss ? [pssParameters(key.pss.hash, key.pss.minimumSaltLength)] : []),
            )
      return derSequence(algorithm, derBitString(derSequence(derInteger(key.modulus), derInteger(key.exponent))))
    }
  }
}

/** RSASSA-PSS-params (RFC 4055 section 3.1) with MGF1 over the same hash. */
export function pssParameters(hash: "sha256" | "sha384" | "sha512", saltLength: number): Uint8Array {
  const hashAlgorithm = derSequence(derOid(hashOids[hash]), derNull())
  return derSequence(
    derValue(0xa0, hashAlgorithm),
    derValue(0xa1, derSequence(derOid(Oid.mgf1), hashAlgorithm)),
    derValue(0xa2, derSmall(saltLength)),
  )
}

/** Bits of a key: of the modulus, or of the curve. */
export function keyBits(key: PublicKey): number {
  switch (key.type) {
    case "ec":
      return key.curve === "P-256" ? 256 : key.curve === "P-384" ? 384 : 521
    case "ed25519":
      return 256
    default:
      return 8 * key.modulus.length - Math.clz32(key.modulus[0] ?? 0) + 24
  }
}

/** Whether two keys are one and the same. */
export function sameKey(a: PublicKey, b: PublicKey): boolean {
  const x = encodeSpki(a)
  const y = encodeSpki(b)
  return x.length === y.length && x.every((byte, i) => byte === y[i])
}

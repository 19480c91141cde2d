// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) to and from a PublicKey: RSA (RFC 3279, RFC 4055), EC on P-256, P-384 and
// P-521 (RFC 5480) and on three curves of RFC 5639 by name, Ed25519 and Ed448 (RFC 8410), ML-DSA (RFC 9881). Explicit curve
// parameters and compressed points are refused.

import { copyOf } from "../../bytes/copy.ts"
import type { EcCurve, PublicKey } from "../../crypto/keys.ts"
import { type Der, readWhole } from "../der/der.ts"
import { derBitString, derInteger, derNull, derOid, derSequence, derSmall, derValue } from "../der/der-writer.ts"
import * as Oid from "../der/oids.ts"
import * as Tag from "../der/tags.ts"
import { malformed, X509Error } from "../errors.ts"
import { pssHash } from "./algorithm.ts"
import { octetKey, ofLength } from "./octet-keys.ts"

export const curveOids: Readonly<Record<EcCurve, string>> = {
  "P-256": Oid.prime256v1,
  "P-384": Oid.secp384r1,
  "P-521": Oid.secp521r1,
  // RFC 5639 section 4.1.
  brainpoolP256r1: "1.3.36.3.3.2.8.1.1.7",
  brainpoolP384r1: "1.3.36.3.3.2.8.1.1.11",
  brainpoolP512r1: "1.3.36.3.3.2.8.1.1.13",
}
const curves = Object.keys(curveOids) as readonly EcCurve[]

/** Bits of a field element: every curve is named after them. */
function curveBits(curve: EcCurve): number {
  return Number(/\d{3}/.exec(curve))
}

/** Bytes of a field element, and of a private value. */
export function curveBytes(curve: EcCurve): number {
  return Math.ceil(curveBits(curve) / 8)
}

const hashOids = { sha256: Oid.sha256, sha384: Oid.sha384, sha512: Oid.sha512 } as const

/** The curve that an object identifier names. */
export function curveOf(oid: string): EcCurve {
  const curve = curves.find((name) => curveOids[name] === oid)
  if (curve === undefined) throw new X509Error("unsupported_key", `the curve ${oid} is not one of ${curves.join(", ")}`)
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
    default: {
      const octets = octetKey(oid)
      if (octets === undefined)
        throw new X509Error("unsupported_key", `the key's algorithm ${oid} is not RSA, ECDSA, EdDSA or ML-DSA`)
      const { type, label, length } = octets
      // RFC 8410 3, RFC 9881 2: the parameters MUST be absent.
      algorithm.expectEnd(`the ${label} key's algorithm`)
      return { type, bytes: ofLength(key, length, `${label} public key`) }
    }
  }
}

/** An uncompressed SEC 1 point of the curve's length; whether it is on the curve is the provider's check. */
export function checkPoint(curve: EcCurve, point: Uint8Array): Uint8Array {
  if (point[0] === 2 || point[0] === 3)
    throw new X509Error("unsupported_key", "the key is a compressed point; use the uncompressed form")
  if (point[0] !== 4 || point.length !== 1 + 2 * curveBytes(curve))
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
    default:
      return derSequence(derSequence(derOid(octetKey(key.type)!.oid)), derBitString(key.bytes))
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

/** Bits of a key: of the modulus, or of the curve; of ML-DSA, as OpenSSL counts, those of the public key. */
export function keyBits(key: PublicKey): number {
  if (key.type === "ec") return curveBits(key.curve)
  if ("bytes" in key) return 8 * key.bytes.length
  return 8 * key.modulus.length - Math.clz32(key.modulus[0] ?? 0) + 24
}

/** Whether two keys are one and the same. */
export function sameKey(a: PublicKey, b: PublicKey): boolean {
  const x = encodeSpki(a)
  const y = encodeSpki(b)
  return x.length === y.length && x.every((byte, i) => byte === y[i])
}

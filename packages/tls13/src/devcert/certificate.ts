// Issues X.509 certificates (RFC 5280 section 4.1). It writes what it is told, rules of the RFC kept or not, so that tests can
// make the certificates that a verifier must refuse; `authority.ts` has the usual kinds.

import { asciiToBytes } from "../bytes/text.ts"
import { draw } from "../crypto/draw.ts"
import type { EcCurve, PrivateKey, PublicKey } from "../crypto/keys.ts"
import type { CryptoProvider, SignatureAlgorithmName } from "../crypto/provider.ts"
import { contextConstructed } from "../x509/der/der.ts"
import { derBitString, derInteger, derNull, derOid, derSequence, derSmall, derValue } from "../x509/der/der-writer.ts"
import * as Oid from "../x509/der/oids.ts"
import * as Tag from "../x509/der/tags.ts"
import { octetKey, octetKeys } from "../x509/keys/octet-keys.ts"
import { encodeSpki, pssParameters } from "../x509/keys/spki.ts"
import { type Extension, encodeExtension } from "./extensions.ts"
import { encodeName, type NameAttributes } from "./names.ts"

export interface CertificateContents {
  readonly subject: NameAttributes
  readonly publicKey: PublicKey
  readonly issuer: NameAttributes
  /** The issuer's key, which signs. */
  readonly issuerKey: PrivateKey
  /** Milliseconds since 1970-01-01T00:00:00Z, written in whole seconds. */
  readonly notBefore: number
  /** Milliseconds since 1970-01-01T00:00:00Z, written in whole seconds; the last one is still valid. */
  readonly notAfter: number
  /** Exactly these, in this order. */
  readonly extensions: readonly Extension[]
  readonly provider: CryptoProvider
  /** Big-endian; default: 16 random bytes, positive. */
  readonly serialNumber?: Uint8Array
  /** Default: the usual one for the issuer's key. */
  readonly signatureAlgorithm?: SignatureAlgorithmName
}

/** @returns the DER certificate. @throws RangeError when the provider lacks the algorithm or it does not fit the key */
export function issueCertificate(contents: CertificateContents): Uint8Array {
  const { provider, issuerKey, signatureAlgorithm } = contents
  return signedStructure(issuerKey, provider, signatureAlgorithm, (algorithm) =>
    derSequence(
      derValue(contextConstructed(0), derSmall(2)), // v3
      derInteger(contents.serialNumber ?? randomSerialNumber(provider)),
      algorithm,
      encodeName(contents.issuer),
      derSequence(encodeTime(contents.notBefore), encodeTime(contents.notAfter)),
      encodeName(contents.subject),
      encodeSpki(contents.publicKey),
      ...(contents.extensions.length === 0
        ? []
        : [derValue(contextConstructed(3), derSequence(...contents.extensions.map(encodeExtension)))]),
    ),
  )
}

/**
 * What certificates and revocation lists are: a part to be signed, the algorithm, the signature (RFC 5280 section 4.1.1).
 * @param name default: the usual algorithm for the key
 * @param toBeSigned gets the AlgorithmIdentifier, which it repeats
 * @throws RangeError when the provider lacks the algorithm or it does not fit the key
 */
export function signedStructure(
  key: PrivateKey,
  provider: CryptoProvider,
  name: SignatureAlgorithmName | undefined,
  toBeSigned: (algorithm: Uint8Array) => Uint8Array,
): Uint8Array {
  const chosen = name ?? usualSignature(key)
  const signature = provider.signatures.find((each) => each.name === chosen)
  if (signature === undefined) throw new RangeError(`the provider ${provider.name} has no ${chosen}`)
  const algorithm = signatureIdentifier(chosen)
  const signed = toBeSigned(algorithm)
  return derSequence(signed, algorithm, derBitString(signature.sign(key, signed, provider.random)))
}

/** RFC 5280 section 4.1.2.2: positive, at most 20 octets; random so that nobody can foresee what is signed. */
function randomSerialNumber(provider: CryptoProvider): Uint8Array {
  const serial = draw(provider.random, 16)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  return serial
}

/** RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on; whole seconds, in GMT. */
export function encodeTime(milliseconds: number): Uint8Array {
  const date = new Date(milliseconds)
  const year = date.getUTCFullYear()
  if (Number.isNaN(year) || year < 1950 || year > 9999)
    throw new RangeError(`${milliseconds} is not a time from 1950 to 9999`)
  // 2026-11-24T06:45:00.000Z to 20261124064500Z
  const text = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`
  if (year < 2050) return derValue(Tag.utcTime, asciiToBytes(text.slice(2)))
  return derValue(Tag.generalizedTime, asciiToBytes(text))
}

function usualSignature(key: PrivateKey): SignatureAlgorithmName {
  switch (key.type) {
    case "ec":
      return usualEcdsa[key.curve]
    case "rsa":
      return "rsa_pkcs1_sha256"
    case "rsa-pss":
      return "rsa_pss_sha256"
    default:
      return octetKey(key.type)!.algorithm
  }
}

/** The hash of the curve's security (RFC 5480 section 4, RFC 8734 section 2). */
const usualEcdsa: Readonly<Record<EcCurve, SignatureAlgorithmName>> = {
  "P-256": "ecdsa_sha256",
  "P-384": "ecdsa_sha384",
  "P-521": "ecdsa_sha512",
  brainpoolP256r1: "ecdsa_brainpool_sha256",
  brainpoolP384r1: "ecdsa_brainpool_sha384",
  brainpoolP512r1: "ecdsa_brainpool_sha512",
}

/** The AlgorithmIdentifier of a signature: RFC 5758, RFC 8410, RFC 4055, RFC 9881. */
function signatureIdentifier(name: SignatureAlgorithmName): Uint8Array {
  switch (name) {
    case "ecdsa_sha256":
    case "ecdsa_brainpool_sha256":
      return derSequence(derOid("1.2.840.10045.4.3.2"))
    case "ecdsa_sha384":
    case "ecdsa_brainpool_sha384":
      return derSequence(derOid("1.2.840.10045.4.3.3"))
    case "ecdsa_sha512":
    case "ecdsa_brainpool_sha512":
      return derSequence(derOid("1.2.840.10045.4.3.4"))
    case "rsa_pkcs1_sha256":
      return derSequence(derOid("1.2.840.113549.1.1.11"), derNull())
    case "rsa_pkcs1_sha384":
      return derSequence(derOid("1.2.840.113549.1.1.12"), derNull())
    case "rsa_pkcs1_sha512":
      return derSequence(derOid("1.2.840.113549.1.1.13"), derNull())
    case "rsa_pss_sha256":
      return derSequence(derOid(Oid.rsassaPss), pssParameters("sha256", 32))
    case "rsa_pss_sha384":
      return derSequence(derOid(Oid.rsassaPss), pssParameters("sha384", 48))
    case "rsa_pss_sha512":
      return derSequence(derOid(Oid.rsassaPss), pssParameters("sha512", 64))
    default:
      return derSequence(derOid(octetKeys.find(({ algorithm }) => algorithm === name)!.oid))
  }
}

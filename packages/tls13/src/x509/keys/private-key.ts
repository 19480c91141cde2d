// Private keys: PKCS#8 (RFC 5958, RFC 9881), SEC 1 ECPrivateKey (RFC 5915), PKCS#1 RSAPrivateKey (RFC 8017 appendix A.1.2), as DER or PEM.
// Encrypted keys are refused here: what decrypts them needs a password and algorithms that nothing else has a use for, so it
// is the host's crypto (crypto/host/encrypted-key.ts), ahead of this.

import { copyOf } from "../../bytes/copy.ts"
import type { EcCurve, PrivateKey, PublicKey, RsaPrivateKey } from "../../crypto/keys.ts"
import { contextConstructed, contextPrimitive, Der, readWhole } from "../der/der.ts"
import { foreignKind } from "../der/file-kind.ts"
import * as Oid from "../der/oids.ts"
import { isPem, type PemBlock, parsePem } from "../der/pem.ts"
import * as Tag from "../der/tags.ts"
import { malformed, type Reason, X509Error } from "../errors.ts"
import { readMlDsaPrivateKey } from "./ml-dsa.ts"
import { octetKey, ofLength } from "./octet-keys.ts"
import { checkPoint, curveBytes, curveOf } from "./spki.ts"

export interface LoadedPrivateKey {
  readonly privateKey: PrivateKey
  /** When the file carries it: always for RSA, usually for EC, seldom for Ed25519 and Ed448. */
  readonly publicKey: PublicKey | undefined
}

const labels = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"]

/**
 * The private key of a PEM text or of DER bytes. In a PEM text with several blocks the first private key counts.
 * @throws X509Error when there is none, when it is encrypted, or when it is malformed
 */
export function parsePrivateKey(source: string | Uint8Array): LoadedPrivateKey {
  if (typeof source !== "string" && !isPem(source)) {
    const kind = foreignKind(source, "private key")
    if (kind !== undefined) throw noKey(kind)
    return fromDer(source)
  }
  const blocks = parsePem(source)
  if (blocks.length === 0)
    throw noKey(foreignKind(source, "private key") ?? "the file is neither PEM (no BEGIN line) nor DER")
  const block = blocks.find((candidate) => labels.includes(candidate.label))
  const encrypted = blocks.find(({ label }) => label === "ENCRYPTED PRIVATE KEY")
  if (block?.encrypted || (block === undefined && encrypted)) {
    throw noKey(foreignKind("-", "private key", ["ENCRYPTED PRIVATE KEY"])!, "unsupported_key")
  }
  if (block === undefined) {
    const found = blocks.map((other) => other.label)
    const kind = foreignKind(source, "private key", found)
    throw noKey(kind ?? `the PEM text holds ${found.join(", ")}; a block PRIVATE KEY is wanted`)
  }
  return fromBlock(block)
}

function noKey(what: string, reason: Reason = "malformed"): X509Error {
  return new X509Error(reason, `no private key: ${what}`)
}

function fromBlock(block: PemBlock): LoadedPrivateKey {
  switch (block.label) {
    case "EC PRIVATE KEY":
      return readWhole(block.der, "the EC private key", (der) => sec1(der, undefined))
    case "RSA PRIVATE KEY":
      return readWhole(block.der, "the RSA private key", (der) => pkcs1(der, "rsa"))
    default:
      return readWhole(block.der, "the private key", pkcs8)
  }
}

/** Tells the three structures apart by their version and second field. */
function fromDer(bytes: Uint8Array): LoadedPrivateKey {
  const look = new Der(bytes).sequence("the private key")
  look.small("the private key's version")
  const next = look.peek()
  return readWhole(bytes, "the private key", (der) => {
    if (next === Tag.octetString) return sec1(der, undefined)
    return next === Tag.integer ? pkcs1(der, "rsa") : pkcs8(der)
  })
}

/** OneAsymmetricKey (RFC 5958 section 2). */
function pkcs8(der: Der): LoadedPrivateKey {
  const sequence = der.sequence("the private key")
  if (sequence.small("the private key's version") > 1) throw malformed("the private key's version is neither 0 nor 1")
  const algorithm = sequence.sequence("the private key's algorithm")
  const oid = algorithm.oid("the private key's algorithm")
  const content = sequence.octetString("the private key")
  sequence.optional(contextConstructed(0), "the private key's attributes")
  const publicBits = sequence.optional(contextPrimitive(1), "the private key's public key")?.rest().subarray(1)
  sequence.expectEnd("the private key")
  switch (oid) {
    case Oid.ecPublicKey: {
      const curve = curveOf(algorithm.oid("the private key's curve"))
      return readWhole(content, "the EC private key", (inner) => sec1(inner, curve))
    }
    case Oid.rsaEncryption:
      return readWhole(content, "the RSA private key", (inner) => pkcs1(inner, "rsa"))
    case Oid.rsassaPss:
      return readWhole(content, "the RSA private key", (inner) => pkcs1(inner, "rsa-pss"))
    default: {
      const octets = octetKey(oid)
      if (octets === undefined)
        throw new X509Error("unsupported_key", `the private key's algorithm ${oid} is not RSA, ECDSA, EdDSA or ML-DSA`)
      const { type, label, length } = octets
      const what = `the ${label} key`
      if (type === "ed25519" || type === "ed448") {
        // RFC 8032 sections 5.1.5 and 5.2.5: a private key has as many bytes as a public one.
        const seed = ofLength(
          readWhole(content, what, (inner) => inner.octetString(what)),
          length,
          `${label} key`,
        )
        const publicKey: PublicKey | undefined =
          publicBits?.length === length ? { type, bytes: copyOf(publicBits) } : undefined
        return { privateKey: { type, seed: copyOf(seed) }, publicKey }
      }
      algorithm.expectEnd(`${what}'s algorithm`)
      const privateKey = readWhole(content, what, (inner) => readMlDsaPrivateKey(type, label, inner))
      return { privateKey, publicKey: undefined }
    }
  }
}

/** ECPrivateKey (RFC 5915 section 3). */
function sec1(der: Der, named: EcCurve | undefined): LoadedPrivateKey {
  const sequence = der.sequence("the EC private key")
  if (sequence.small("the EC private key's version") !== 1) throw malformed("the EC private key's version is not 1")
  const secret = sequence.octetString("the EC private key")
  const parameters = sequence.optional(contextConstructed(0), "the EC private key's curve")
  if (parameters && parameters.peek() !== Tag.oid) {
    throw new X509Error("unsupported_key", "the EC private key spells its curve out instead of naming it")
  }
  const curve = parameters ? curveOf(parameters.oid("the EC private key's curve")) : named
  const publicField = sequence.optional(contextConstructed(1), "the EC private key's public key")
  sequence.expectEnd("the EC private key")
  if (curve === undefined) throw malformed("the EC private key does not name its curve")
  if (named !== undefined && curve !== named) throw malformed(`the private key names both ${named} and ${curve}`)
  const length = curveBytes(curve)
  const leading = Math.max(0, secret.length - length)
  // RFC 5915 3: the octet string has the length of the order; old tools leave zeros out or put one in front.
  if (secret.subarray(0, leading).some((byte) => byte !== 0))
    throw malformed(`the EC private key has ${secret.length} bytes; ${curve} has ${length}`)
  const padded = new Uint8Array(length)
  padded.set(secret.subarray(leading), length - (secret.length - leading))
  const point = publicField?.bitString("the EC private key's public key")
  return {
    privateKey: { type: "ec", curve, secret: padded },
    publicKey:
      point === undefined || point[0] !== 4
        ? undefined
        : { type: "ec", curve, point: copyOf(checkPoint(curve, point)) },
  }
}

/** RSAPrivateKey (RFC 8017 appendix A.1.2), two primes. */
function pkcs1(der: Der, type: "rsa" | "rsa-pss"): LoadedPrivateKey {
  const sequence = der.sequence("the RSA private key")
  if (sequence.small("the RSA private key's version") !== 0) {
    throw new X509Error("unsupported_key", "the RSA private key has more than two primes; make one with two")
  }
  const next = (field: string): Uint8Array => copyOf(sequence.unsigned(`the RSA private key's ${field}`))
  const privateKey: RsaPrivateKey = {
    type,
    modulus: next("modulus"),
    exponent: next("exponent"),
    privateExponent: next("private exponent"),
    prime1: next("first prime"),
    prime2: next("second prime"),
    exponent1: next("first exponent"),
    exponent2: next("second exponent"),
    coefficient: next("coefficient"),
  }
  sequence.expectEnd("the RSA private key")
  return { privateKey, publicKey: { type, modulus: privateKey.modulus, exponent: privateKey.exponent } }
}

// AlgorithmIdentifier of a signature (RFC 5280 section 4.1.1.2): RSA PKCS#1 and PSS (RFC 4055), ECDSA (RFC 5758), Ed25519
// and Ed448 (RFC 8410), ML-DSA (RFC 9881). MD5 and SHA-1 are known by name so that the refusal can say it.

import type { SignatureAlgorithmName } from "../../crypto/provider.ts"
import { contextConstructed, type Der } from "../der/der.ts"
import * as Oid from "../der/oids.ts"
import * as Tag from "../der/tags.ts"
import { attempt, malformed, X509Error } from "../errors.ts"
import { octetKey } from "./octet-keys.ts"

/** How something was signed; `algorithm` is undefined when this stack does not accept it, and `problem` says why. */
export interface SignatureIdentifier {
  readonly oid: string
  /** For people: `ecdsa-with-SHA256`. */
  readonly label: string
  readonly algorithm: SignatureAlgorithmName | undefined
  readonly problem: "weak_signature" | "unsupported_signature" | undefined
}

interface Row {
  readonly label: string
  readonly algorithm?: SignatureAlgorithmName
  /** What may follow the object identifier; undefined: nothing. */
  readonly parameters?: "null" | "pss"
}

const rows: Readonly<Record<string, Row>> = {
  "1.2.840.10045.4.3.2": { label: "ecdsa-with-SHA256", algorithm: "ecdsa_sha256" },
  "1.2.840.10045.4.3.3": { label: "ecdsa-with-SHA384", algorithm: "ecdsa_sha384" },
  "1.2.840.10045.4.3.4": { label: "ecdsa-with-SHA512", algorithm: "ecdsa_sha512" },
  "1.2.840.113549.1.1.11": { label: "sha256WithRSAEncryption", algorithm: "rsa_pkcs1_sha256", parameters: "null" },
  "1.2.840.113549.1.1.12": { label: "sha384WithRSAEncryption", algorithm: "rsa_pkcs1_sha384", parameters: "null" },
  "1.2.840.113549.1.1.13": { label: "sha512WithRSAEncryption", algorithm: "rsa_pkcs1_sha512", parameters: "null" },
  [Oid.rsassaPss]: { label: "RSASSA-PSS", parameters: "pss" },
}

const weak: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.2": "md2WithRSAEncryption",
  "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
  "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
  "1.3.14.3.2.29": "sha1WithRSASignature",
  "1.2.840.10045.4.1": "ecdsa-with-SHA1",
  "1.2.840.10040.4.3": "dsa-with-SHA1",
}

/** Reads one AlgorithmIdentifier. A form that is right but not accepted is returned with its problem; wrong forms throw. */
export function readSignatureIdentifier(der: Der, what: string): SignatureIdentifier {
  const sequence = der.sequence(what)
  const oid = sequence.oid(what)
  const row: Row | undefined = rows[oid] ?? octetKey(oid)
  if (row === undefined) {
    const label = weak[oid]
    return {
      oid,
      label: label ?? oid,
      algorithm: undefined,
      problem: label ? "weak_signature" : "unsupported_signature",
    }
  }
  if (row.parameters === "pss") return pssIdentifier(oid, sequence, what)
  // RFC 4055 5: NULL, or absent; RFC 5758 3.2, RFC 8410 3 and RFC 9881 2: absent.
  if (row.parameters === "null" && !sequence.done) sequence.null(what)
  sequence.expectEnd(what)
  return { oid, label: row.label, algorithm: row.algorithm, problem: undefined }
}

function pssIdentifier(oid: string, sequence: Der, what: string): SignatureIdentifier {
  const parameters = attempt(() => pssHash(sequence))
  if (parameters instanceof X509Error) {
    if (parameters.reason === "malformed") throw parameters
    return { oid, label: `RSASSA-PSS (${parameters.message})`, algorithm: undefined, problem: "weak_signature" }
  }
  const { hash, saltLength } = parameters
  sequence.expectEnd(what)
  const expected = hash === "sha256" ? 32 : hash === "sha384" ? 48 : 64
  const label = `RSASSA-PSS with ${hash.toUpperCase().replace("SHA", "SHA-")}`
  if (saltLength !== expected) return { oid, label, algorithm: undefined, problem: "unsupported_signature" }
  return { oid, label, algorithm: `rsa_pss_${hash}`, problem: undefined }
}

/**
 * RSASSA-PSS-params (RFC 4055 section 3.1): MGF1 must use the same hash. The defaults are SHA-1, which is refused.
 * @throws X509Error `unsupported_key` for SHA-1, another hash or another mask generation function
 */
export function pssHash(der: Der): { hash: "sha256" | "sha384" | "sha512"; saltLength: number } {
  const what = "the RSASSA-PSS parameters"
  const sequence = der.sequence(what)
  const hashField = sequence.optional(contextConstructed(0), what)
  const hash = hashField === undefined ? undefined : hashName(hashField, what)
  hashField?.expectEnd(what)
  const maskField = sequence.optional(contextConstructed(1), what)
  let maskHash: string | undefined
  if (maskField !== undefined) {
    const mask = maskField.sequence(what)
    maskField.expectEnd(what)
    if (mask.oid(what) !== Oid.mgf1) throw new X509Error("unsupported_key", "its mask generation function is not MGF1")
    maskHash = hashName(mask, what)
    mask.expectEnd(what)
  }
  const saltField = sequence.optional(contextConstructed(2), what)
  const saltLength = saltField === undefined ? 20 : saltField.small(what)
  saltField?.expectEnd(what)
  const trailer = sequence.optional(contextConstructed(3), what)
  if (trailer !== undefined && (trailer.small(what) !== 1 || !trailer.done))
    throw malformed(`${what}: trailerField is not 1`)
  sequence.expectEnd(what)
  if (hash === undefined || maskHash === undefined) throw new X509Error("unsupported_key", "its hash is SHA-1")
  if (hash !== maskHash) throw new X509Error("unsupported_key", "its hash and the hash of its MGF1 differ")
  return { hash, saltLength }
}

function hashName(der: Der, what: string): "sha256" | "sha384" | "sha512" {
  const sequence = der.sequence(what)
  const oid = sequence.oid(what)
  if (sequence.peek() === Tag.null) sequence.null(what)
  sequence.expectEnd(what)
  if (oid === Oid.sha256) return "sha256"
  if (oid === Oid.sha384) return "sha384"
  if (oid === Oid.sha512) return "sha512"
  throw new X509Error(
    "unsupported_key",
    `its hash ${oid === Oid.sha1 ? "is SHA-1" : `${oid} is not SHA-256, SHA-384 or SHA-512`}`,
  )
}

// Signed certificate timestamps (RFC 6962 section 3.2): read, and checked against the key of a log.

import { concatBytes } from "../../bytes/concat.ts"
import { atOnce } from "../../bytes/pause.ts"
import { Reader } from "../../bytes/reader.ts"
import { Writer } from "../../bytes/writer.ts"
import type { PublicKey } from "../../crypto/keys.ts"
import type { CryptoProvider, SignatureAlgorithmName } from "../../crypto/provider.ts"
import type { Certificate } from "../certificate/certificate.ts"
import { contextConstructed, Der } from "../der/der.ts"
import { derSequence, derValue } from "../der/der-writer.ts"
import * as Oid from "../der/oids.ts"
import { spkiHash } from "../keys/pins.ts"

/** Of version v1: others are for later, and mean nothing here. */
export interface CertificateTimestamp {
  /** SHA-256 of the log's SubjectPublicKeyInfo: 32 bytes. */
  readonly logId: Uint8Array
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly extensions: Uint8Array
  /** HashAlgorithm and SignatureAlgorithm of RFC 5246 section 7.4.1.4.1. */
  readonly hash: number
  readonly signatureAlgorithm: number
  readonly signature: Uint8Array
}

const v1 = 0

/**
 * Those of version v1 in a SignedCertificateTimestampList (section 3.3).
 * @throws InvalidMessage decode_error
 */
export function decodeTimestampList(bytes: Uint8Array): CertificateTimestamp[] {
  const structure = new Reader(bytes, "SignedCertificateTimestampList")
  const list = new Reader(structure.vector16("sct_list", 1), "sct_list")
  structure.expectEnd()
  const found: CertificateTimestamp[] = []
  while (list.remaining > 0) {
    const timestamp = decodeTimestamp(list.vector16("SerializedSCT", 1))
    if (timestamp !== undefined) found.push(timestamp)
  }
  return found
}

/** undefined: of another version. @throws InvalidMessage decode_error */
function decodeTimestamp(bytes: Uint8Array): CertificateTimestamp | undefined {
  const reader = new Reader(bytes, "SignedCertificateTimestamp")
  if (reader.uint8() !== v1) return undefined
  const logId = reader.bytes(32)
  const timestamp = reader.uint32() * 2 ** 32 + reader.uint32()
  const extensions = reader.vector16("extensions")
  const [hash, signatureAlgorithm] = [reader.uint8(), reader.uint8()]
  const signature = reader.vector16("signature")
  reader.expectEnd()
  return { logId, timestamp, extensions, hash, signatureAlgorithm, signature }
}

/** What a log has signed: the certificate, or what was to become it. */
export interface LogEntry {
  /** LogEntryType: x509_entry or precert_entry. */
  readonly type: 0 | 1
  /** signed_entry, with its lengths. */
  readonly entry: Uint8Array
}

/** A certificate as it is: for timestamps that come beside it. */
export function certificateEntry({ der }: Certificate): LogEntry {
  return { type: 0, entry: new Writer(der.length + 3).vector24(der).finish() }
}

/**
 * What a log saw of a certificate with timestamps in it, when they could not be there yet: PreCert of section 3.2.
 * @param issuerSpki the DER SubjectPublicKeyInfo of the issuer
 * @returns undefined when the provider has no SHA-256
 */
export function precertificateEntry(
  certificate: Certificate,
  issuerSpki: Uint8Array,
  provider: CryptoProvider,
): LogEntry | undefined {
  const hash = spkiHash(issuerSpki, provider)
  return hash && { type: 1, entry: new Writer().bytes(hash).vector24(withoutTimestamps(certificate.tbs)).finish() }
}

/** The TBSCertificate without its extension of timestamps: what else is in it stays as it is, byte for byte. */
function withoutTimestamps(tbs: Uint8Array): Uint8Array {
  const fields = new Der(tbs).sequence("tbsCertificate")
  const kept: Uint8Array[] = []
  while (!fields.done) {
    const isExtensions = fields.peek() === contextConstructed(3)
    const field = fields.element("tbsCertificate")
    if (!isExtensions) kept.push(field)
    else {
      const others = otherExtensions(field)
      if (others.length > 0) kept.push(derValue(contextConstructed(3), derSequence(...others)))
    }
  }
  return derSequence(...kept)
}

function otherExtensions(field: Uint8Array): Uint8Array[] {
  const list = new Der(field).enter(contextConstructed(3), "extensions").sequence("the extensions")
  const others: Uint8Array[] = []
  while (!list.done) {
    const extension = list.element("an extension")
    if (new Der(extension).sequence("an extension").oid("an extension") !== Oid.signedCertificateTimestamps)
      others.push(extension)
  }
  return others
}

const sha256 = 4
/** Section 2.1.4: ECDSA on P-256 or RSASSA-PKCS1-v1_5, with SHA-256. */
const algorithms: Readonly<Record<number, { readonly name: SignatureAlgorithmName; readonly key: PublicKey["type"] }>> =
  {
    1: { name: "rsa_pkcs1_sha256", key: "rsa" },
    3: { name: "ecdsa_sha256", key: "ec" },
  }

/** Whether the log of the key has signed the timestamp for this entry. */
export function isSignedBy(
  { timestamp, extensions, hash, signatureAlgorithm, signature }: CertificateTimestamp,
  { type, entry }: LogEntry,
  key: PublicKey,
  provider: CryptoProvider,
): boolean {
  const wanted = algorithms[signatureAlgorithm]
  const algorithm = provider.signatures.find(({ name }) => name === wanted?.name)
  if (hash !== sha256 || algorithm === undefined || wanted?.key !== key.type) return false
  const head = new Writer().uint8(v1).uint8(0) // certificate_timestamp
  head
    .uint32(Math.floor(timestamp / 2 ** 32))
    .uint32(timestamp % 2 ** 32)
    .uint16(type)
  const signed = concatBytes(head.finish(), entry, new Writer().vector16(extensions).finish())
  return atOnce("verify of the crypto provider", algorithm.verify(key, signed, signature))
}

// Certificates (RFC 5280 section 4.1), parsed once into an immutable value whose arrays are views of one copy of its bytes.
// Refused here, whatever the profile: BER, trailing bytes, duplicated extensions, negative serial numbers and such of more
// than 20 octets, times in other forms, the two signature algorithms differing, extensions in versions that have none.

import { copyOf } from "../../bytes/copy.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { toHex } from "../../bytes/hex.ts"
import type { PublicKey } from "../../crypto/keys.ts"
import { contextConstructed, contextPrimitive, Der } from "../der/der.ts"
import { foreignKind } from "../der/file-kind.ts"
import * as Oid from "../der/oids.ts"
import { isPem, parsePem } from "../der/pem.ts"
import { readTime } from "../der/time.ts"
import { attempt, located, malformed, X509Error } from "../errors.ts"
import { readSignatureIdentifier, type SignatureIdentifier } from "../keys/algorithm.ts"
import { readSpki } from "../keys/spki.ts"
import {
  type Attribute,
  attributeText,
  attributeValues,
  type DistinguishedName,
  nameText,
  rdnsOf,
  readName,
  shownText,
} from "../names/distinguished-name.ts"
import { isHostName } from "../names/dns-name.ts"
import { generalNameText } from "../names/general-name.ts"
import { type Extensions, noExtensions, readExtensions } from "./extensions.ts"

export interface Certificate {
  /** The whole certificate. */
  readonly der: Uint8Array
  /** What is signed. */
  readonly tbs: Uint8Array
  readonly version: 1 | 2 | 3
  /** Content octets: big-endian, perhaps with a leading zero. */
  readonly serialNumber: Uint8Array
  readonly signatureAlgorithm: SignatureIdentifier
  readonly signature: Uint8Array
  readonly issuer: DistinguishedName
  readonly subject: DistinguishedName
  /** Inclusive, milliseconds since 1970-01-01T00:00:00Z. */
  readonly notBefore: number
  readonly notAfter: number
  /** The DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  /** Undefined when this stack cannot use the key; `keyProblem` says why. */
  readonly publicKey: PublicKey | undefined
  readonly keyProblem: X509Error | undefined
  readonly extensions: Extensions
  /** Both times have the form that RFC 5280 section 4.1.2.5 wants for their year. */
  readonly timesInRightForm: boolean
  readonly hasUniqueIdentifiers: boolean
}

/** Certificates of more than this are not parsed unless the caller says so: 64 KiB. */
export const maximumCertificateBytes = 65536

/**
 * Parses one DER certificate.
 * @param limit bytes that a certificate may have
 * @throws X509Error `malformed`, `duplicate_extension` or `certificate_too_large`
 */
export function parseCertificate(bytes: Uint8Array, limit: number = maximumCertificateBytes): Certificate {
  if (bytes.length > limit) {
    throw new X509Error(
      "certificate_too_large",
      `the certificate has ${bytes.length} bytes; at most ${limit} are accepted`,
    )
  }
  const der = copyOf(bytes)
  const whole = new Der(der)
  const certificate = whole.sequence("the certificate")
  whole.expectEnd("the certificate")
  const tbsFrom = certificate.at
  const tbs = certificate.sequence("tbsCertificate")
  const tbsTo = certificate.at
  const outerFrom = certificate.at
  const signatureAlgorithm = readSignatureIdentifier(certificate, "signatureAlgorithm")
  const outer = der.subarray(outerFrom, certificate.at)
  const signature = certificate.bitString("signatureValue")
  certificate.expectEnd("the certificate")

  const version = readVersion(tbs)
  const serialNumber = readSerialNumber(tbs)
  const inner = tbs.element("tbsCertificate.signature")
  // RFC 5280 4.1.1.2: MUST contain the same algorithm identifier as the signature field in tbsCertificate.
  if (!equalBytes(inner, outer)) throw malformed("the signature algorithms inside and outside the signed part differ")
  const issuer = readName(tbs, "issuer")
  const validity = tbs.sequence("validity")
  const notBefore = readTime(validity, "notBefore")
  const notAfter = readTime(validity, "notAfter")
  validity.expectEnd("validity")
  const subject = readName(tbs, "subject")
  const spki = tbs.element("subjectPublicKeyInfo")
  const { publicKey, keyProblem } = readKey(spki)
  const hasUniqueIdentifiers = skipUniqueIdentifiers(tbs, version)
  const extensions = readExtensionsField(tbs, version)
  tbs.expectEnd("tbsCertificate")
  return {
    der,
    tbs: der.subarray(tbsFrom, tbsTo),
    version,
    serialNumber,
    signatureAlgorithm,
    signature,
    issuer,
    subject,
    notBefore: notBefore.at,
    notAfter: notAfter.at,
    spki,
    publicKey,
    keyProblem,
    extensions,
    timesInRightForm: notBefore.rightForm && notAfter.rightForm,
    hasUniqueIdentifiers,
  }
}

function readVersion(tbs: Der): 1 | 2 | 3 {
  const field = tbs.optional(contextConstructed(0), "version")
  if (field === undefined) return 1
  const version = field.small("version")
  field.expectEnd("version")
  // v1 is the default, which DER leaves out.
  if (version === 1) return 2
  if (version === 2) return 3
  throw new X509Error(
    "unsupported_version",
    `the certificate's version is ${version + 1}; 1 to 3 exist, and 1 is left out in DER`,
  )
}

function readSerialNumber(tbs: Der): Uint8Array {
  const serial = tbs.integer("serialNumber")
  // RFC 5280 4.1.2.2: positive, and not longer than 20 octets (21 with the zero that keeps it positive).
  if (serial[0]! & 0x80) throw malformed("the serial number is negative")
  if (serial.length > 21 || (serial.length === 21 && serial[0] !== 0)) {
    throw malformed(`the serial number has ${serial.length} octets; at most 20 are allowed`)
  }
  return serial
}

/** A key that this stack does not know must not stop the parsing: the certificate may be one that no path uses. */
function readKey(spki: Uint8Array): { publicKey: PublicKey | undefined; keyProblem: X509Error | undefined } {
  const key = attempt(() => readSpki(spki))
  return key instanceof X509Error
    ? { publicKey: undefined, keyProblem: key }
    : { publicKey: key, keyProblem: undefined }
}

function skipUniqueIdentifiers(tbs: Der, version: number): boolean {
  const issuer = tbs.optional(contextPrimitive(1), "issuerUniqueID")
  const subject = tbs.optional(contextPrimitive(2), "subjectUniqueID")
  const present = issuer !== undefined || subject !== undefined
  // RFC 5280 4.1.2.8: MUST NOT appear if the version is 1.
  if (present && version === 1) throw malformed("a version 1 certificate has unique identifiers")
  return present
}

function readExtensionsField(tbs: Der, version: number): Extensions {
  const field = tbs.optional(contextConstructed(3), "extensions")
  if (field === undefined) return noExtensions()
  // RFC 5280 4.1.2.9: MUST only appear if the version is 3.
  if (version !== 3) throw malformed(`a version ${version} certificate has extensions`)
  const extensions = readExtensions(field)
  field.expectEnd("extensions")
  return extensions
}

/** Certificates of a PEM bundle, or the one of DER bytes, in order. @throws X509Error when one is malformed or there is none */
export function parseCertificates(source: string | Uint8Array, limit?: number): Certificate[] {
  const blocks = certificateBlocks(source)
  return blocks.map((block, index) => {
    const place = blocks.length > 1 ? `${placeText(block, index)}: ` : ""
    return located(
      () => parseCertificate(block.der, limit),
      (message) => `${place}${message}`,
    )
  })
}

/** One certificate of a file, not yet parsed. */
export interface CertificateBlock {
  readonly der: Uint8Array
  /** Of its BEGIN line, from 1 on; undefined in DER. */
  readonly line: number | undefined
}

/** Which certificate of a file: `certificate 2 (line 21)`. @param index from 0 on */
export function placeText({ line }: CertificateBlock, index: number): string {
  return `certificate ${index + 1}${line === undefined ? "" : ` (line ${line})`}`
}

/** DER of the certificates in a PEM bundle (or of DER bytes), in order. @throws X509Error when there is none */
export function certificateBytes(source: string | Uint8Array): Uint8Array[] {
  return certificateBlocks(source).map(({ der }) => der)
}

/** The same, with where each one stands. @throws X509Error when there is none */
export function certificateBlocks(source: string | Uint8Array): CertificateBlock[] {
  if (typeof source !== "string" && !isPem(source)) {
    const kind = foreignKind(source, "certificate")
    if (kind !== undefined) throw malformed(`no certificate: ${kind}`)
    return [{ der: copyOf(source), line: undefined }]
  }
  const blocks = parsePem(source)
  const found = blocks.filter(
    (block) =>
      block.label === "CERTIFICATE" || block.label === "X509 CERTIFICATE" || block.label === "TRUSTED CERTIFICATE",
  )
  if (found.length === 0) {
    const others = blocks.map((block) => block.label)
    const kind = foreignKind(source, "certificate", others)
    const what =
      others.length === 0
        ? "the file is neither PEM (no BEGIN CERTIFICATE line) nor DER"
        : `the PEM text holds ${others.join(", ")}`
    throw malformed(`no certificate: ${kind ?? what}`)
  }
  const trusted = found.find((block) => block.label === "TRUSTED CERTIFICATE")
  if (trusted)
    throw malformed("TRUSTED CERTIFICATE is OpenSSL's own form; convert it with `openssl x509 -in FILE -out FILE.pem`")
  return found
}

/** Issuer and subject are the same name (RFC 5280 section 3.2). */
export function isSelfIssued(certificate: Certificate): boolean {
  return equalBytes(certificate.issuer.der, certificate.subject.der)
}

/**
 * Whose certificate it is, for messages and logs; never empty. Its subject; beside one without a common name, and in the place
 * of one that is empty, its first alternative name or else its serial number. Cut when it is long.
 */
export function subjectText(certificate: Certificate): string {
  return subjectTextWithin(certificate, 200)
}

/** The same, where it counts in whole. */
export function wholeSubjectText(certificate: Certificate): string {
  return subjectTextWithin(certificate, Number.POSITIVE_INFINITY)
}

function subjectTextWithin(certificate: Certificate, limit: number): string {
  const { subject, issuer, extensions, serialNumber } = certificate
  const text = rdnsOf(subject).flat().every(isBlank) ? "" : shownText(nameText(subject), limit)
  if (attributeValues(subject, Oid.commonName).some((name) => name.trim() !== "")) return text
  const [name] = extensions.subjectAltName ?? []
  const serial = `serial number ${toHex(serialNumber)}`
  if (text !== "") return `${text} (${name === undefined ? serial : generalNameText(name)})`
  if (name !== undefined)
    return name.kind === "dns" && isHostName(name.value, true) ? name.value : generalNameText(name)
  return issuer.isEmpty ? serial : `${serial} of ${shownText(nameText(issuer), limit)}`
}

/** Says nothing; a value that is no text says something. */
function isBlank(attribute: Attribute): boolean {
  return attributeText(attribute)?.trim() === ""
}

// Stapled OCSP responses (RFC 6960, RFC 6066 section 8): parsed, and checked for one certificate. The responder is the issuer
// itself or a certificate that the issuer made for OCSP signing (section 4.2.2.2); no other chain is followed.

import { copyOf } from "../../bytes/copy.ts"
import { equalBytes } from "../../bytes/equal.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import { type Certificate, parseCertificate } from "../certificate/certificate.ts"
import * as KeyUsage from "../certificate/key-usage.ts"
import { contextConstructed, contextPrimitive, Der, readWhole } from "../der/der.ts"
import * as Oid from "../der/oids.ts"
import * as Tag from "../der/tags.ts"
import { readTime, timeText } from "../der/time.ts"
import { attempt, malformed, X509Error } from "../errors.ts"
import { readSignatureIdentifier, type SignatureIdentifier } from "../keys/algorithm.ts"
import { keyProblem, signatureProblem, verifySignature } from "../keys/key-policy.ts"
import { sha1Digest } from "../keys/sha1.ts"
import { hasPassed, isToCome, type Moment, moved } from "../moment.ts"
import { type DistinguishedName, readName, sameName } from "../names/distinguished-name.ts"

export type OcspCertificateStatus =
  | { readonly kind: "good" }
  | { readonly kind: "revoked"; readonly revokedAt: number; readonly reason: number }
  | { readonly kind: "unknown" }

export interface OcspSingleResponse {
  /** Object identifier of the hash. */
  readonly hash: string
  readonly issuerNameHash: Uint8Array
  readonly issuerKeyHash: Uint8Array
  readonly serialNumber: Uint8Array
  readonly status: OcspCertificateStatus
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
}

export interface OcspResponse {
  readonly tbs: Uint8Array
  readonly signatureAlgorithm: SignatureIdentifier
  readonly signature: Uint8Array
  readonly responder: { readonly name: DistinguishedName } | { readonly keyHash: Uint8Array }
  readonly producedAt: number
  readonly responses: readonly OcspSingleResponse[]
  /** DER, as sent along. */
  readonly certificates: readonly Uint8Array[]
}

/** Clocks of responders and clients differ: five minutes. */
const skew = 300_000
/** Certificates sent along of which a responder's is looked for. */
const mostCertificates = 4

/** Parses a DER OCSPResponse. @throws X509Error `bad_ocsp_response` when it is malformed or is an error of the responder */
export function parseOcspResponse(der: Uint8Array): OcspResponse {
  const response = attempt(() => readWhole(copyOf(der), "the OCSP response", readResponse))
  if (response instanceof X509Error)
    throw new X509Error("bad_ocsp_response", `the stapled OCSP response is malformed: ${response.message}`)
  return response
}

function readResponse(outer: Der): OcspResponse {
  const what = "the OCSP response"
  const response = outer.sequence(what)
  const status = response.small("responseStatus", Tag.enumerated)
  // RFC 6960 4.2.1: 0 is successful; an error is not signed and says nothing of the certificate.
  if (status !== 0) throw malformed(`the responder answered with the error ${status}`)
  const bytes = response.enter(contextConstructed(0), "responseBytes")
  response.expectEnd(what)
  const typed = bytes.sequence("responseBytes")
  bytes.expectEnd("responseBytes")
  if (typed.oid("responseType") !== Oid.ocspBasic) throw malformed("it is not a basic response")
  const content = typed.octetString("response")
  typed.expectEnd("responseBytes")
  return readWhole(content, "BasicOCSPResponse", readBasic)
}

function readBasic(outer: Der): OcspResponse {
  const basic = outer.sequence("BasicOCSPResponse")
  const from = basic.at
  const data = basic.sequence("tbsResponseData")
  const tbs = basic.bytes.subarray(from, basic.at)
  const signatureAlgorithm = readSignatureIdentifier(basic, "the response's signatureAlgorithm")
  const signature = basic.bitString("the response's signature")
  const certificates: Uint8Array[] = []
  const sent = basic.optional(contextConstructed(0), "certs")
  if (sent) {
    const list = sent.sequence("certs")
    while (!list.done) certificates.push(list.element("a certificate"))
    sent.expectEnd("certs")
  }
  basic.expectEnd("BasicOCSPResponse")
  const version = data.optional(contextConstructed(0), "version")
  if (version) throw malformed("its version is not 1, which DER leaves out")
  const responder = readResponder(data)
  const producedAt = readTime(data, "producedAt").at
  const list = data.sequence("responses")
  const responses: OcspSingleResponse[] = []
  while (!list.done) responses.push(readSingle(list))
  const extensions = data.optional(contextConstructed(1), "responseExtensions")
  if (extensions) refuseCritical(extensions, "responseExtensions")
  data.expectEnd("tbsResponseData")
  return { tbs, signatureAlgorithm, signature, responder, producedAt, responses, certificates }
}

function readResponder(data: Der): OcspResponse["responder"] {
  const byName = data.optional(contextConstructed(1), "responderID")
  if (byName) {
    const name = readName(byName, "responderID")
    byName.expectEnd("responderID")
    return { name }
  }
  const byKey = data.enter(contextConstructed(2), "responderID")
  const keyHash = byKey.octetString("responderID")
  byKey.expectEnd("responderID")
  return { keyHash }
}

function readSingle(list: Der): OcspSingleResponse {
  const single = list.sequence("SingleResponse")
  const id = single.sequence("certID")
  const algorithm = id.sequence("certID.hashAlgorithm")
  const hash = algorithm.oid("certID.hashAlgorithm")
  if (!algorithm.done) algorithm.null("certID.hashAlgorithm")
  algorithm.expectEnd("certID.hashAlgorithm")
  const issuerNameHash = id.octetString("certID.issuerNameHash")
  const issuerKeyHash = id.octetString("certID.issuerKeyHash")
  const serialNumber = id.integer("certID.serialNumber")
  id.expectEnd("certID")
  const status = readStatus(single)
  const thisUpdate = readTime(single, "thisUpdate").at
  const next = single.optional(contextConstructed(0), "nextUpdate")
  const nextUpdate = next && readTime(next, "nextUpdate").at
  next?.expectEnd("nextUpdate")
  const extensions = single.optional(contextConstructed(1), "singleExtensions")
  if (extensions) refuseCritical(extensions, "singleExtensions")
  single.expectEnd("SingleResponse")
  return { hash, issuerNameHash, issuerKeyHash, serialNumber, status, thisUpdate, nextUpdate }
}

function readStatus(single: Der): OcspCertificateStatus {
  const tag = single.peek()
  if (tag === contextPrimitive(0) || tag === contextPrimitive(2)) {
    if (single.content(tag, "certStatus").length > 0) throw malformed("certStatus is not empty")
    return { kind: tag === contextPrimitive(0) ? "good" : "unknown" }
  }
  const revoked = single.enter(contextConstructed(1), "certStatus")
  const revokedAt = readTime(revoked, "revocationTime").at
  const field = revoked.optional(contextConstructed(0), "revocationReason")
  const reason = field ? field.small("revocationReason", Tag.enumerated) : 0
  revoked.expectEnd("certStatus")
  return { kind: "revoked", revokedAt, reason }
}

function refuseCritical(der: Der, what: string): void {
  const list = der.sequence(what)
  while (!list.done) {
    const extension = list.sequence(what)
    const oid = extension.oid(what)
    if (extension.defaultFalse(what)) throw malformed(`it has the critical extension ${oid}`)
    extension.octetString(what)
    extension.expectEnd(what)
  }
}

/**
 * What a response proves of a certificate at a moment.
 * @returns its status, or an X509Error `bad_ocsp_response` when the response proves nothing of it
 */
export function ocspStatus(
  response: OcspResponse,
  certificate: Certificate,
  issuer: Certificate,
  now: Moment,
  provider: CryptoProvider,
): OcspCertificateStatus | X509Error {
  const bad = (why: string): X509Error =>
    new X509Error("bad_ocsp_response", `the stapled OCSP response cannot be used: ${why}`)
  const single = response.responses.find((each) => isAbout(each, certificate, issuer, provider))
  if (single === undefined) return bad("it is about another certificate")
  if (isToCome(single.thisUpdate, moved(now, skew))) return bad(`it is valid only from ${timeText(single.thisUpdate)}`)
  // RFC 6960 4.2.2.1: without nextUpdate newer information is always to be had, which a staple is not.
  if (single.nextUpdate === undefined) return bad("it has no nextUpdate")
  if (hasPassed(single.nextUpdate, moved(now, -skew)))
    return bad(`it was to be renewed by ${timeText(single.nextUpdate)}`)
  const responder = responderOf(response, issuer, now, provider)
  if (responder instanceof X509Error) return bad(responder.message)
  const key = responder.publicKey
  const problem =
    key === undefined
      ? responder.keyProblem
      : (keyProblem(key) ?? signatureProblem(response.signatureAlgorithm, key, provider))
  if (key === undefined || problem) return bad(problem?.message ?? "the responder's key cannot be used")
  if (!verifySignature(response.signatureAlgorithm, key, response.tbs, response.signature, provider))
    return bad("its signature is wrong")
  return single.status
}

function isAbout(
  single: OcspSingleResponse,
  certificate: Certificate,
  issuer: Certificate,
  provider: CryptoProvider,
): boolean {
  if (!equalBytes(single.serialNumber, certificate.serialNumber)) return false
  const digest = hashBy(single.hash, provider)
  return (
    digest !== undefined &&
    equalBytes(single.issuerNameHash, digest(certificate.issuer.der)) &&
    equalBytes(single.issuerKeyHash, digest(keyBits(issuer)))
  )
}

function hashBy(oid: string, provider: CryptoProvider): ((bytes: Uint8Array) => Uint8Array) | undefined {
  if (oid === Oid.sha1) return sha1Digest
  const name = oid === Oid.sha256 ? "sha256" : oid === Oid.sha384 ? "sha384" : undefined
  const hash = provider.cipherSuites.find((suite) => suite.hash.name === name)?.hash
  return hash && ((bytes) => hash.digest(bytes))
}

/** The content of subjectPublicKey without its unused-bits octet: what key hashes are made of (RFC 6960 4.1.1). */
function keyBits(certificate: Certificate): Uint8Array {
  const spki = new Der(certificate.spki).sequence("the public key")
  spki.skip("the public key's algorithm")
  return spki.content(Tag.bitString, "the public key's bits").subarray(1)
}

/** The certificate that must have signed the response. */
function responderOf(
  response: OcspResponse,
  issuer: Certificate,
  now: Moment,
  provider: CryptoProvider,
): Certificate | X509Error {
  if (isResponder(response, issuer)) return issuer
  for (const der of response.certificates.slice(0, mostCertificates)) {
    const delegate = attempt(() => parseCertificate(der))
    if (delegate instanceof X509Error || !isResponder(response, delegate)) continue
    return delegateProblem(delegate, issuer, now, provider) ?? delegate
  }
  return malformed("neither the issuer nor a responder that it appointed signed it")
}

function isResponder(response: OcspResponse, certificate: Certificate): boolean {
  const { responder } = response
  return "name" in responder
    ? sameName(responder.name, certificate.subject)
    : equalBytes(responder.keyHash, sha1Digest(keyBits(certificate)))
}

/** RFC 6960 4.2.2.2: issued by the certificate's own issuer, with id-kp-OCSPSigning, and valid. */
function delegateProblem(
  delegate: Certificate,
  issuer: Certificate,
  now: Moment,
  provider: CryptoProvider,
): X509Error | undefined {
  const { extKeyUsage, keyUsage, unknownCritical } = delegate.extensions
  if (!extKeyUsage?.includes(Oid.ocspSigning)) return malformed("its responder's certificate is not for OCSP signing")
  if (keyUsage !== undefined && (keyUsage & KeyUsage.digitalSignature) === 0)
    return malformed("its responder's key is not for signing")
  if (unknownCritical.length > 0)
    return malformed("its responder's certificate has a critical extension that is not understood")
  if (isToCome(delegate.notBefore, now) || hasPassed(delegate.notAfter, now))
    return malformed("its responder's certificate is not valid now")
  const key = issuer.publicKey
  if (key === undefined || !sameName(delegate.issuer, issuer.subject))
    return malformed("its responder's certificate has another issuer")
  const problem = signatureProblem(delegate.signatureAlgorithm, key, provider)
  if (problem) return problem
  if (!verifySignature(delegate.signatureAlgorithm, key, delegate.tbs, delegate.signature, provider)) {
    return malformed("its responder's certificate was not signed by the issuer")
  }
  return undefined
}

// Certificate revocation lists (RFC 5280 section 5), given by the application. Read once into a table of serial numbers.
// Complete lists are used, also those that an issuingDistributionPoint limits to user or CA certificates, or to one
// distribution point. Not used, with a reason: delta lists, indirect lists, lists of some reasons only.

import { copyOf } from "../../bytes/copy.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { bytesToLatin1 } from "../../bytes/text.ts"
import type { PublicKey } from "../../crypto/keys.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import type { Certificate } from "../certificate/certificate.ts"
import { distributionPointUris } from "../certificate/extensions.ts"
import * as KeyUsage from "../certificate/key-usage.ts"
import { contextConstructed, contextPrimitive, Der, readWhole } from "../der/der.ts"
import { foreignKind } from "../der/file-kind.ts"
import * as Oid from "../der/oids.ts"
import { isPem, parsePem } from "../der/pem.ts"
import * as Tag from "../der/tags.ts"
import { readTime, timeText } from "../der/time.ts"
import { located, malformed, X509Error } from "../errors.ts"
import { readSignatureIdentifier, type SignatureIdentifier } from "../keys/algorithm.ts"
import { keyProblem, signatureProblem, verifySignature } from "../keys/key-policy.ts"
import { hasPassed, isToCome, type Moment } from "../moment.ts"
import { type DistinguishedName, nameText, readName, sameName } from "../names/distinguished-name.ts"

/** CRLReason (RFC 5280 section 5.3.1) by number. */
export const revocationReasons: readonly string[] = [
  "unspecified",
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "certificateHold",
  "(7)",
  "removeFromCRL",
  "privilegeWithdrawn",
  "aACompromise",
]

export interface RevokedEntry {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly revokedAt: number
  readonly reason: number
}

export interface Crl {
  readonly tbs: Uint8Array
  readonly signatureAlgorithm: SignatureIdentifier
  readonly signature: Uint8Array
  readonly issuer: DistinguishedName
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  readonly authorityKeyIdentifier: Uint8Array | undefined
  readonly crlNumber: Uint8Array | undefined
  readonly scope: CrlScope
  /** Why this list cannot be used at all. */
  readonly unusable: string | undefined
  /** By the serial number's octets, each as a character. */
  readonly revoked: ReadonlyMap<string, RevokedEntry>
}

/** issuingDistributionPoint (RFC 5280 section 5.2.5). */
export interface CrlScope {
  readonly onlyUserCertificates: boolean
  readonly onlyCaCertificates: boolean
  /** URIs of the distribution point; empty: not limited to one. */
  readonly distributionPoint: readonly string[]
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** The lists of a PEM bundle (X509 CRL), or the one of DER bytes. @throws X509Error when one is malformed or there is none */
export function parseCrls(source: string | Uint8Array): Crl[] {
  if (typeof source !== "string" && !isPem(source)) {
    const kind = foreignKind(source, "revocation list")
    if (kind !== undefined) throw malformed(`no revocation list: ${kind}`)
    return [parseCrl(source)]
  }
  const all = parsePem(source)
  const blocks = all.filter((block) => block.label === "X509 CRL" || block.label === "CRL")
  if (blocks.length === 0) {
    const kind = foreignKind(
      source,
      "revocation list",
      all.map((block) => block.label),
    )
    throw malformed(
      `no revocation list: ${kind ?? (all.length === 0 ? "the file is neither PEM (no BEGIN X509 CRL line) nor DER" : "the text has no X509 CRL block")}`,
    )
  }
  return blocks.map((block, index) => {
    const place = blocks.length > 1 ? `list ${index + 1} (line ${block.line}): ` : ""
    return located(
      () => parseCrl(block.der),
      (message) => `${place}${message}`,
    )
  })
}

/** Parses one DER CertificateList. @throws X509Error of reason `malformed` */
export function parseCrl(bytes: Uint8Array): Crl {
  const der = copyOf(bytes)
  const what = "the revocation list"
  const whole = new Der(der)
  const list = whole.sequence(what)
  whole.expectEnd(what)
  const tbsFrom = list.at
  const tbs = list.sequence(what)
  const tbsTo = list.at
  const outerFrom = list.at
  const signatureAlgorithm = readSignatureIdentifier(list, "the list's signatureAlgorithm")
  const outer = der.subarray(outerFrom, list.at)
  const signature = list.bitString("the list's signatureValue")
  list.expectEnd(what)

  // RFC 5280 5.1.2.1: version 2 when extensions are used, which conforming lists always have.
  const version = tbs.peek() === Tag.integer ? tbs.small("the list's version") + 1 : 1
  if (version !== 1 && version !== 2) throw malformed(`the list's version is ${version}`)
  if (!equalBytes(tbs.element("the list's signature"), outer)) {
    throw malformed("the list's signature algorithms inside and outside the signed part differ")
  }
  const issuer = readName(tbs, "the list's issuer")
  const thisUpdate = readTime(tbs, "thisUpdate").at
  const timeNext = tbs.peek() === Tag.utcTime || tbs.peek() === Tag.generalizedTime
  const nextUpdate = timeNext ? readTime(tbs, "nextUpdate").at : undefined
  const found: Pick<Writable<Crl>, "unusable" | "scope" | "authorityKeyIdentifier" | "crlNumber"> = {
    unusable: version === 1 ? "it is a version 1 list" : undefined,
    scope: { onlyUserCertificates: false, onlyCaCertificates: false, distributionPoint: [] },
    authorityKeyIdentifier: undefined,
    crlNumber: undefined,
  }
  const entries = tbs.optional(Tag.sequence, "revokedCertificates")
  const revoked = entries === undefined ? new Map<string, RevokedEntry>() : readEntries(entries, version, found)
  const extensions = tbs.optional(contextConstructed(0), "crlExtensions")
  if (extensions) readListExtensions(extensions, version, found)
  tbs.expectEnd(what)
  // RFC 5280 5.2.3: conforming issuers MUST include cRLNumber in all lists.
  if (found.crlNumber === undefined) found.unusable ??= "it has no cRLNumber (RFC 5280 5.2.3)"
  return {
    tbs: der.subarray(tbsFrom, tbsTo),
    signatureAlgorithm,
    signature,
    issuer,
    thisUpdate,
    nextUpdate,
    revoked,
    ...found,
  }
}

type Found = Pick<Writable<Crl>, "unusable" | "scope" | "authorityKeyIdentifier" | "crlNumber">

function readEntries(entries: Der, version: number, found: Found): Map<string, RevokedEntry> {
  const revoked = new Map<string, RevokedEntry>()
  while (!entries.done) {
    const entry = entries.sequence("a revoked certificate")
    const serial = entry.integer("a revoked certificate's serial number")
    const revokedAt = readTime(entry, "revocationDate").at
    let reason = 0
    if (!entry.done) {
      if (version === 1) throw malformed("a version 1 list has entry extensions")
      eachExtension(entry, (oid, critical, value) => {
        if (oid === Oid.reasonCode)
          reason = readWhole(value, "reasonCode", (der) => der.small("reasonCode", Tag.enumerated))
        // RFC 5280 5.3: with a critical entry extension that is not understood, the list MUST NOT be used.
        else if (critical) found.unusable ??= `an entry has the critical extension ${oid}, which is not understood here`
      })
    }
    entry.expectEnd("a revoked certificate")
    revoked.set(bytesToLatin1(serial), { revokedAt, reason })
  }
  return revoked
}

function readListExtensions(der: Der, version: number, found: Found): void {
  if (version === 1) throw malformed("a version 1 list has extensions")
  eachExtension(der, (oid, critical, value) => {
    switch (oid) {
      case Oid.cRLNumber: {
        found.crlNumber = readWhole(value, "cRLNumber", (inner) => inner.unsigned("cRLNumber"))
        // RFC 5280 5.2.3: a non-critical extension of at most 20 octets.
        if (critical) found.unusable ??= "its cRLNumber is critical (RFC 5280 5.2.3)"
        if (found.crlNumber.length > 20) found.unusable ??= "its cRLNumber has more than 20 octets (RFC 5280 5.2.3)"
        return
      }
      case Oid.authorityKeyIdentifier: {
        const sequence = new Der(value).sequence("authorityKeyIdentifier")
        found.authorityKeyIdentifier = sequence.optional(contextPrimitive(0), "keyIdentifier")?.rest()
        return
      }
      case Oid.issuingDistributionPoint:
        readIssuingDistributionPoint(value, found)
        return
      case Oid.deltaCRLIndicator:
        found.unusable ??= "it is a delta list; give the complete one"
        return
      default:
        // RFC 5280 5.2: with a critical extension that is not understood, the list MUST NOT be used.
        if (critical) found.unusable ??= `it has the critical extension ${oid}, which is not understood here`
    }
  })
  der.expectEnd("crlExtensions")
}

function readIssuingDistributionPoint(value: Uint8Array, found: Found): void {
  readWhole(value, "issuingDistributionPoint", (outer) => {
    const der = outer.sequence("issuingDistributionPoint")
    const flag = (number: number): boolean => {
      const content = der.optional(contextPrimitive(number), "issuingDistributionPoint")?.rest()
      if (content === undefined) return false
      if (content.length !== 1 || content[0] !== 0xff)
        throw malformed("issuingDistributionPoint has a boolean that is not DER")
      return true
    }
    const name = der.optional(contextConstructed(0), "issuingDistributionPoint")
    const distributionPoint = name ? distributionPointUris(name) : []
    const onlyUserCertificates = flag(1)
    const onlyCaCertificates = flag(2)
    if (der.optional(contextPrimitive(3), "onlySomeReasons")) found.unusable ??= "it covers some reasons only"
    if (flag(4)) found.unusable ??= "it is an indirect list"
    if (flag(5)) found.unusable ??= "it is about attribute certificates"
    der.expectEnd("issuingDistributionPoint")
    if (name && distributionPoint.length === 0) found.unusable ??= "its distribution point has no URI"
    found.scope = { onlyUserCertificates, onlyCaCertificates, distributionPoint }
  })
}

function eachExtension(der: Der, visit: (oid: string, critical: boolean, value: Uint8Array) => void): void {
  const list = der.sequence("extensions")
  if (list.done) throw malformed("an empty list of extensions")
  const seen = new Set<string>()
  while (!list.done) {
    const extension = list.sequence("an extension")
    const oid = extension.oid("an extension")
    const critical = extension.defaultFalse("an extension's criticality")
    const value = extension.octetString("an extension's value")
    extension.expectEnd("an extension")
    if (seen.has(oid)) throw new X509Error("duplicate_extension", `the extension ${oid} appears twice`)
    seen.add(oid)
    visit(oid, critical, value)
  }
}

/** What revocation lists say of one certificate. */
export type RevocationStatus =
  | { readonly kind: "good" }
  | { readonly kind: "revoked"; readonly entry: RevokedEntry }
  /** No list is about it. */
  | { readonly kind: "none" }
  /** A list is about it and cannot be used. */
  | { readonly kind: "unusable"; readonly why: string }

/** Revocation lists, with the signatures that were found right. Immutable but for that: to renew lists, make a new store. */
export class CrlStore {
  readonly crls: readonly Crl[]
  readonly #verified = new Map<Crl, Uint8Array>()

  constructor(crls: readonly Crl[]) {
    this.crls = crls
  }

  /** RFC 5280 section 6.3.3 for complete lists. @param now milliseconds since 1970 */
  status(certificate: Certificate, issuer: Certificate, now: Moment, provider: CryptoProvider): RevocationStatus {
    let outcome: RevocationStatus = { kind: "none" }
    for (const crl of this.crls) {
      if (!concerns(crl, certificate, issuer)) continue
      const why = crl.unusable ?? staleness(crl, now) ?? this.#signatureProblem(crl, issuer, provider)
      if (why !== undefined) {
        if (outcome.kind === "none")
          outcome = { kind: "unusable", why: `the revocation list of ${nameText(crl.issuer)} cannot be used: ${why}` }
        continue
      }
      const entry = crl.revoked.get(bytesToLatin1(certificate.serialNumber))
      // RFC 5280 5.3.1: removeFromCRL is for delta lists only.
      if (entry) return { kind: "revoked", entry }
      outcome = { kind: "good" }
    }
    return outcome
  }

  #signatureProblem(crl: Crl, issuer: Certificate, provider: CryptoProvider): string | undefined {
    const known = this.#verified.get(crl)
    if (known && equalBytes(known, issuer.spki)) return undefined
    const problem = signatureOf(crl, issuer, provider)
    // Only that it is right is remembered: a provider may not know yet, and say no until it does (workers/verify.ts of the Node adapter).
    if (problem === undefined) this.#verified.set(crl, issuer.spki)
    return problem
  }
}

/** Whether a list is the one to ask about a certificate (RFC 5280 6.3.3 (b)). */
function concerns(crl: Crl, certificate: Certificate, issuer: Certificate): boolean {
  if (!sameName(crl.issuer, certificate.issuer)) return false
  const own = issuer.extensions.subjectKeyIdentifier
  // Another key of an authority of the same name signed it: RFC 5280 5.2.1.
  if (own && crl.authorityKeyIdentifier && !equalBytes(own, crl.authorityKeyIdentifier)) return false
  const { scope } = crl
  const ca = certificate.extensions.basicConstraints?.ca === true
  if ((scope.onlyUserCertificates && ca) || (scope.onlyCaCertificates && !ca)) return false
  if (scope.distributionPoint.length === 0) return true
  const points = certificate.extensions.crlDistributionPoints ?? []
  return points.some((point) => scope.distributionPoint.includes(point))
}

function staleness(crl: Crl, now: Moment): string | undefined {
  if (isToCome(crl.thisUpdate, now)) return `it is valid only from ${timeText(crl.thisUpdate)}`
  // RFC 5280 5.1.2.5: conforming issuers MUST include nextUpdate.
  if (crl.nextUpdate === undefined) return "it has no nextUpdate (RFC 5280 5.1.2.5)"
  return !hasPassed(crl.nextUpdate, now)
    ? undefined
    : `it was to be renewed by ${timeText(crl.nextUpdate)}; fetch the new one`
}

function signatureOf(crl: Crl, issuer: Certificate, provider: CryptoProvider): string | undefined {
  const key: PublicKey | undefined = issuer.publicKey
  if (key === undefined) return "its issuer's key cannot be used"
  // RFC 5280 6.3.3 (f): if a keyUsage is present, verify that the cRLSign bit is set.
  const { keyUsage } = issuer.extensions
  if (keyUsage !== undefined && (keyUsage & KeyUsage.cRLSign) === 0) return "its issuer's keyUsage has no cRLSign"
  const problem = keyProblem(key) ?? signatureProblem(crl.signatureAlgorithm, key, provider)
  if (problem) return problem.message
  return verifySignature(crl.signatureAlgorithm, key, crl.tbs, crl.signature, provider)
    ? undefined
    : "its signature is wrong"
}

// What a chain says, as plain data: names, validity with the days left, key, uses, constraints, and what is wrong.
// `describe-text.ts` makes the text of it that people read.

import { toHex } from "../../bytes/hex.ts"
import type { PublicKey } from "../../crypto/keys.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import { type Certificate, isSelfIssued, parseCertificate, subjectText } from "../certificate/certificate.ts"
import { hasDelegationUsage } from "../certificate/other-extensions.ts"
import { claimedNames } from "../certificate/unreadable.ts"
import { usageNames } from "../der/oid-names.ts"
import * as Oid from "../der/oids.ts"
import { toBase64 } from "../der/pem.ts"
import { timeText } from "../der/time.ts"
import { attempt, X509Error } from "../errors.ts"
import type { CertificateVerdict } from "../interfaces.ts"
import { keyProblem } from "../keys/key-policy.ts"
import { octetKey } from "../keys/octet-keys.ts"
import { spkiHash } from "../keys/pins.ts"
import { keyBits } from "../keys/spki.ts"
import { KeyUsage } from "../named-constants.ts"
import { nameText, shownText } from "../names/distinguished-name.ts"
import { generalNameText } from "../names/general-name.ts"
import type { PathVerdict } from "../path/path.ts"
import type { PathProblem } from "../path/path-problem.ts"
import { rfc5280Problem } from "../path/rfc5280-profile.ts"

export interface CertificateDescription {
  /** What messages call it, as `subjectText` does. Never empty. */
  readonly name: string
  readonly subject: string
  readonly issuer: string
  readonly selfIssued: boolean
  readonly version: number
  /** Hexadecimal, two digits an octet. */
  readonly serialNumber: string
  /** `2026-11-22 19:30:26 UTC` */
  readonly notBefore: string
  readonly notAfter: string
  /** Whole days until it expires; negative when it did: -1 in the first day after. */
  readonly daysLeft: number
  /** The same in words: `396 days left`, `5 hours left`, `expired 3 days ago`, `not valid for 2 days yet`. */
  readonly remaining: string
  readonly names: readonly string[]
  /** `EC P-256`, `RSA 2048`, `Ed25519`, or why it cannot be used. */
  readonly key: string
  readonly signature: string
  readonly keyUsage: readonly string[]
  readonly extendedKeyUsage: readonly string[]
  readonly authority: boolean
  readonly pathLength?: number
  readonly permitted?: readonly string[]
  readonly excluded?: readonly string[]
  readonly policies?: readonly string[]
  readonly ocsp?: readonly string[]
  readonly crl?: readonly string[]
  readonly mustStaple?: boolean
  /** Its key may sign delegated credentials. */
  readonly delegationUsage?: boolean
  /** `sha256/...` of the public key, when a provider was given. */
  readonly pin?: string
  /** SHA-256 of the certificate in hexadecimal, when a provider was given. */
  readonly fingerprint?: string
  /** What keeps this certificate from being accepted anywhere. */
  readonly problems: readonly string[]
  /** What only strict profiles mind. */
  readonly notes: readonly string[]
}

export interface DescribeOptions {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly now: number
  /** What a verifier, or `validatePath`, said of the chain. */
  readonly verdict?: CertificateVerdict | PathVerdict
  /** For pins and fingerprints. */
  readonly provider?: CryptoProvider
  /** What the verdict is about, for people: `as a server, for example.com`. */
  readonly purpose?: string
  /** Sentences about the chain as a whole. */
  readonly remarks?: readonly string[]
  /** Terminal colours; default none. */
  readonly colour?: boolean
  /** Columns of a line; default 100. */
  readonly width?: number
  /** Where each certificate of the chain stands, such as `certificate 2 (line 21)`: told of those that cannot be read. */
  readonly places?: readonly string[]
}

/** A certificate that breaks a rule of its encoding, with the names that it gives when those can be read. */
export interface UnreadableDescription {
  readonly error: string
  readonly place?: string
  readonly subject?: string
  readonly issuer?: string
}

export interface ChainDescription {
  /** As presented, leaf first. */
  readonly chain: readonly (CertificateDescription | UnreadableDescription)[]
  readonly verdict?:
    | {
        readonly accepted: true
        /** Subjects, leaf first; `remaining` as in a description. */
        readonly path: readonly { readonly subject: string; readonly remaining: string }[]
      }
    | {
        readonly accepted: false
        readonly reason: string
        readonly alert: string
        readonly message: string
        /** Which certificate of the chain is at fault, when it is one of them. */
        readonly index?: number
      }
  readonly purpose?: string
  readonly remarks?: readonly string[]
}

const day = 86_400_000
const hour = 3_600_000

/** What one certificate says. */
export function describeCertificate(
  certificate: Certificate,
  now: number,
  provider?: CryptoProvider,
): CertificateDescription {
  const { extensions, signatureAlgorithm } = certificate
  const { nameConstraints, basicConstraints } = extensions
  const delegationUsage = attempt(() => hasDelegationUsage(extensions))
  const hash = provider && spkiHash(certificate.spki, provider)
  const fingerprint = provider?.cipherSuites.find((suite) => suite.hash.name === "sha256")?.hash.digest(certificate.der)
  const ocsp = extensions.authorityInfoAccess
    ?.filter((each) => each.method === Oid.ocsp)
    .map((each) => generalNameText(each.location))
  return {
    name: subjectText(certificate),
    subject: nameText(certificate.subject),
    issuer: nameText(certificate.issuer),
    selfIssued: isSelfIssued(certificate),
    version: certificate.version,
    serialNumber: toHex(certificate.serialNumber),
    notBefore: timeText(certificate.notBefore),
    notAfter: timeText(certificate.notAfter),
    daysLeft: Math.floor((certificate.notAfter - now) / day),
    remaining: remainingText(certificate, now),
    names: (extensions.subjectAltName ?? []).map(generalNameText),
    key: certificate.publicKey ? keyText(certificate.publicKey) : `unusable: ${certificate.keyProblem?.message}`,
    signature: signatureAlgorithm.label,
    keyUsage: Object.entries(KeyUsage).flatMap(([name, bit]) => ((extensions.keyUsage ?? 0) & bit ? [name] : [])),
    extendedKeyUsage: (extensions.extKeyUsage ?? []).map((oid) => usageNames[oid] ?? oid),
    authority: basicConstraints?.ca ?? false,
    ...(basicConstraints?.pathLength === undefined ? {} : { pathLength: basicConstraints.pathLength }),
    ...(nameConstraints && { permitted: nameConstraints.permitted.map(generalNameText) }),
    ...(nameConstraints && { excluded: nameConstraints.excluded.map(generalNameText) }),
    ...(extensions.certificatePolicies && { policies: extensions.certificatePolicies }),
    ...(ocsp?.length && { ocsp }),
    ...(extensions.crlDistributionPoints && { crl: extensions.crlDistributionPoints.map((uri) => shownText(uri)) }),
    ...(extensions.mustStaple && { mustStaple: true }),
    ...(delegationUsage === true && { delegationUsage }),
    ...(hash && { pin: `sha256/${toBase64(hash)}` }),
    ...(fingerprint && { fingerprint: toHex(fingerprint) }),
    problems: problemsOf(certificate, now),
    notes: notesOf(certificate),
  }
}

/** How long a certificate is still valid, in words. */
export function remainingText({ notBefore, notAfter }: Certificate, now: number): string {
  if (now < notBefore) return `not valid for ${durationText(notBefore - now)} yet`
  return now > notAfter ? `expired ${durationText(now - notAfter)} ago` : `${durationText(notAfter - now)} left`
}

function durationText(milliseconds: number): string {
  const count = (number: number, unit: string): string => `${number} ${unit}${number === 1 ? "" : "s"}`
  if (milliseconds >= 2 * day) return count(Math.floor(milliseconds / day), "day")
  if (milliseconds >= 2 * hour) return count(Math.floor(milliseconds / hour), "hour")
  return count(Math.floor(milliseconds / 60_000), "minute")
}

export function keyText(key: PublicKey): string {
  switch (key.type) {
    case "ec":
      return `EC ${key.curve}`
    case "rsa":
      return `RSA ${keyBits(key)}`
    case "rsa-pss":
      return `RSASSA-PSS ${keyBits(key)}`
    default:
      return octetKey(key.type)!.label
  }
}

function problemsOf(certificate: Certificate, now: number): string[] {
  const problems: string[] = []
  if (now < certificate.notBefore) problems.push(`not valid before ${timeText(certificate.notBefore)}`)
  if (now > certificate.notAfter) problems.push(`expired on ${timeText(certificate.notAfter)}`)
  if (certificate.keyProblem) problems.push(certificate.keyProblem.message)
  const weak = certificate.publicKey && keyProblem(certificate.publicKey)
  if (weak) problems.push(weak.message)
  // A root's own signature is never looked at.
  if (certificate.signatureAlgorithm.problem && !isSelfIssued(certificate)) {
    problems.push(`signed with ${certificate.signatureAlgorithm.label}, which is not accepted`)
  }
  const usage = attempt(() => hasDelegationUsage(certificate.extensions))
  if (usage instanceof X509Error) problems.push(usage.message)
  for (const oid of certificate.extensions.unknownCritical) problems.push(`critical extension ${oid} is not understood`)
  return problems
}

function notesOf(certificate: Certificate): string[] {
  const position = certificate.extensions.basicConstraints?.ca
    ? isSelfIssued(certificate)
      ? "anchor"
      : "intermediate"
    : "leaf"
  const note = rfc5280Problem(certificate, position, true, () => isSelfIssued(certificate))
  return note === undefined ? [] : [note]
}

/** A chain as data: `JSON.stringify` of it is what `--json` prints. */
export function describeChainAsData(
  chain: readonly (Certificate | Uint8Array)[],
  options: DescribeOptions,
): ChainDescription {
  const described = chain.map((each, index) => describeOne(each, options, options.places?.[index]))
  const { verdict, purpose, remarks = [] } = options
  return {
    chain: described,
    ...(verdict && { verdict: verdictData(verdict, described, options.now) }),
    ...(purpose !== undefined && { purpose }),
    ...(remarks.length > 0 && { remarks }),
  }
}

function describeOne(
  source: Certificate | Uint8Array,
  { now, provider }: DescribeOptions,
  place: string | undefined,
): CertificateDescription | UnreadableDescription {
  if (!(source instanceof Uint8Array)) return describeCertificate(source, now, provider)
  const certificate = attempt(() => parseCertificate(source))
  if (certificate instanceof X509Error) return describeUnreadable(source, certificate, place)
  return describeCertificate(certificate, now, provider)
}

/** What can be shown of it. */
export function describeUnreadable(
  der: Uint8Array,
  error: X509Error,
  place: string | undefined,
): UnreadableDescription {
  const names = claimedNames(der)
  return {
    error: error.message,
    ...(place !== undefined && { place }),
    ...(names && { subject: shownText(nameText(names.subject)), issuer: shownText(nameText(names.issuer)) }),
  }
}

function verdictData(
  verdict: CertificateVerdict | PathVerdict,
  chain: ChainDescription["chain"],
  now: number,
): NonNullable<ChainDescription["verdict"]> {
  if (verdict.accepted) {
    const path = "path" in verdict ? verdict.path : verdict.identity.path.map((der) => parseCertificate(der))
    return {
      accepted: true,
      path: path.map((each) => ({ subject: subjectText(each), remaining: remainingText(each, now) })),
    }
  }
  const { reason, alert, message } = "problem" in verdict ? verdict.problem : verdict
  const index = "problem" in verdict ? placeOf(verdict.problem, chain) : undefined
  return { accepted: false, reason, alert, message, ...(index !== undefined && { index }) }
}

/** The problem's place in the chain as presented, whose order need not be that of the path. */
function placeOf({ index, subject }: PathProblem, chain: ChainDescription["chain"]): number | undefined {
  const is = (at: number): boolean => {
    const each = chain[at]
    if (each === undefined) return false
    if ("error" in each) return at === index && subject === ""
    return each.name === subject
  }
  if (index === 0) return 0
  const found = is(index) ? index : chain.findIndex((_, at) => at > 0 && is(at))
  return found < 0 ? undefined : found
}

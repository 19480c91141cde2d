// A chain the way a person reads it: names, validity with the days left, key, uses, constraints, and what is wrong. First as
// plain data, from which the text and the JSON are made.

import { toHex } from "../bytes/hex.ts"
import type { PublicKey } from "../crypto/keys.ts"
import type { CryptoProvider } from "../crypto/provider.ts"
import { type Certificate, isSelfIssued, parseCertificate } from "./certificate.ts"
import { nameText, shownText } from "./distinguished-name.ts"
import { X509Error } from "./errors.ts"
import { KeyUsage } from "./extensions.ts"
import { generalNameText } from "./general-name.ts"
import type { CertificateVerdict } from "./interfaces.ts"
import { keyProblem } from "./key-policy.ts"
import { Oid, usageNames } from "./oids.ts"
import type { PathVerdict } from "./path.ts"
import { toBase64 } from "./pem.ts"
import { spkiHash } from "./pins.ts"
import { rfc5280Problem } from "./rfc5280-profile.ts"
import { keyBits } from "./spki.ts"
import { timeText } from "./time.ts"

export interface CertificateDescription {
  readonly subject: string
  readonly issuer: string
  readonly selfIssued: boolean
  readonly version: number
  /** Hexadecimal, two digits an octet. */
  readonly serialNumber: string
  /** `2026-11-22 19:30:26 UTC` */
  readonly notBefore: string
  readonly notAfter: string
  /** Whole days until it expires; negative when it did. */
  readonly daysLeft: number
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
  /** `sha256/...` of the public key, when a provider was given. */
  readonly pin?: string
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
  /** For the pins. */
  readonly provider?: CryptoProvider
  /** Terminal colours; default none. */
  readonly colour?: boolean
}

export interface ChainDescription {
  /** As presented, leaf first; a certificate that cannot be read has only its error. */
  readonly chain: readonly (CertificateDescription | { readonly error: string })[]
  readonly verdict?:
    | { readonly accepted: true /** Subjects, leaf first. */; readonly path: readonly string[] }
    | { readonly accepted: false; readonly reason: string; readonly alert: string; readonly message: string }
}

const day = 86_400_000

/** What one certificate says. */
export function describeCertificate(
  certificate: Certificate,
  now: number,
  provider?: CryptoProvider,
): CertificateDescription {
  const { extensions, signatureAlgorithm } = certificate
  const { nameConstraints, basicConstraints } = extensions
  const hash = provider && spkiHash(certificate.spki, provider)
  const ocsp = extensions.authorityInfoAccess
    ?.filter((each) => each.method === Oid.ocsp)
    .map((each) => generalNameText(each.location))
  return {
    subject: nameText(certificate.subject),
    issuer: nameText(certificate.issuer),
    selfIssued: isSelfIssued(certificate),
    version: certificate.version,
    serialNumber: toHex(certificate.serialNumber),
    notBefore: timeText(certificate.notBefore),
    notAfter: timeText(certificate.notAfter),
    daysLeft: Math.floor((certificate.notAfter - now) / day),
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
    ...(hash && { pin: `sha256/${toBase64(hash)}` }),
    problems: problemsOf(certificate, now),
    notes: notesOf(certificate),
  }
}

export function keyText(key: PublicKey): string {
  switch (key.type) {
    case "ec":
      return `EC ${key.curve}`
    case "ed25519":
      return "Ed25519"
    case "rsa":
      return `RSA ${keyBits(key)}`
    default:
      return `RSASSA-PSS ${keyBits(key)}`
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
  const described = chain.map((each) => describeOne(each, options))
  const verdict = options.verdict && verdictData(options.verdict)
  return verdict === undefined ? { chain: described } : { chain: described, verdict }
}

function describeOne(
  source: Certificate | Uint8Array,
  { now, provider }: DescribeOptions,
): CertificateDescription | { readonly error: string } {
  try {
    return describeCertificate(source instanceof Uint8Array ? parseCertificate(source) : source, now, provider)
  } catch (error) {
    if (error instanceof X509Error) return { error: error.message }
    throw error
  }
}

function verdictData(verdict: CertificateVerdict | PathVerdict): NonNullable<ChainDescription["verdict"]> {
  if (verdict.accepted) {
    const path = "path" in verdict ? verdict.path : verdict.identity.path.map((der) => parseCertificate(der))
    return { accepted: true, path: path.map((each) => nameText(each.subject)) }
  }
  const { reason, alert, message } = "problem" in verdict ? verdict.problem : verdict
  return { accepted: false, reason, alert, message }
}

type Paint = (style: "bold" | "dim" | "red" | "green" | "yellow", text: string) => string

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const

/** A chain as text for a terminal. */
export function describeChain(chain: readonly (Certificate | Uint8Array)[], options: DescribeOptions): string {
  const data = describeChainAsData(chain, options)
  const paint: Paint = options.colour ? (style, text) => `\x1b[${codes[style]}m${text}\x1b[0m` : (_, text) => text
  const lines = data.chain.flatMap((each, i) => certificateLines(each, i, paint))
  if (data.verdict) lines.push(...verdictLines(data.verdict, paint))
  return `${lines.join("\n")}\n`
}

function certificateLines(
  described: CertificateDescription | { readonly error: string },
  index: number,
  paint: Paint,
): string[] {
  if ("error" in described) return [`${index}  ${paint("red", `cannot be read: ${described.error}`)}`, ""]
  const rows: [string, string | undefined][] = [
    ["issued by", described.selfIssued ? "itself" : described.issuer],
    ["valid", validityText(described, paint)],
    ["names", listText(described.names)],
    ["key", described.key],
    ["signed with", described.signature],
    ["uses", listText([...described.keyUsage, ...described.extendedKeyUsage])],
    ["authority", authorityText(described)],
    ["permitted", listText(described.permitted ?? [])],
    ["excluded", listText(described.excluded ?? [])],
    ["policies", listText(described.policies ?? [])],
    [
      "revocation",
      listText([
        ...(described.ocsp ?? []).map((uri) => `OCSP ${uri}`),
        ...(described.crl ?? []).map((uri) => `CRL ${uri}`),
      ]),
    ],
    ["stapling", described.mustStaple ? "required (must-staple)" : undefined],
    ["serial", described.serialNumber],
    ["pin", described.pin],
    ...described.problems.map((problem): [string, string] => ["wrong", paint("red", problem)]),
    ...described.notes.map((note): [string, string] => ["note", paint("yellow", note)]),
  ]
  const title = `${index}  ${paint("bold", described.subject || described.names[0] || "(no subject)")}`
  const body = rows.flatMap(([label, value]) => (value ? [`   ${paint("dim", label.padEnd(12))}${value}`] : []))
  return [title, ...body, ""]
}

function validityText({ notBefore, notAfter, daysLeft }: CertificateDescription, paint: Paint): string {
  const days = Math.abs(daysLeft) === 1 ? "day" : "days"
  const left =
    daysLeft < 0
      ? paint("red", `expired ${-daysLeft} ${days} ago`)
      : paint(daysLeft < 15 ? "yellow" : "green", daysLeft === 0 ? "less than a day left" : `${daysLeft} ${days} left`)
  return `${notBefore.slice(0, 10)} to ${notAfter.slice(0, 10)}, ${left}`
}

function authorityText({ authority, pathLength }: CertificateDescription): string | undefined {
  if (!authority) return undefined
  if (pathLength === undefined) return "yes, any number of intermediates below"
  return pathLength === 0 ? "yes, no intermediates below" : `yes, at most ${pathLength} intermediates below`
}

/** The first of a long list, and how many more. */
function listText(values: readonly string[]): string | undefined {
  if (values.length === 0) return undefined
  const shown = values.slice(0, 20).join(", ")
  return values.length > 20 ? `${shown} and ${values.length - 20} more` : shown
}

function verdictLines(verdict: NonNullable<ChainDescription["verdict"]>, paint: Paint): string[] {
  if (verdict.accepted) return [`${paint("green", "trusted")}: ${verdict.path.join(" < ") || "by its key"}`]
  return [`${paint("red", "not trusted")} (${verdict.reason}, alert ${verdict.alert}): ${verdict.message}`]
}

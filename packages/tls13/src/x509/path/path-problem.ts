// What stood in the way of a path, and how much work may be spent on finding one.

import type { AlertName } from "../../bytes/alerts.ts"
import { type Certificate, subjectText } from "../certificate/certificate.ts"
import { type Reason, reasonAlerts, type X509Error } from "../errors.ts"
import { nameText, shownText } from "../names/distinguished-name.ts"

export interface PathProblem {
  readonly reason: Reason
  /** What a TLS endpoint sends for it (RFC 9846 section 6.2). */
  readonly alert: AlertName
  /** The certificate at fault: its place in the path, 0 for the leaf. */
  readonly index: number
  readonly subject: string
  /** One sentence with certificate, rule and remedy. */
  readonly message: string
}

/** Work that one validation may cost, so that a hostile chain costs no more than this. */
export interface PathBudget {
  /** Signature checks, in P-256 checks: P-384 and RSA over 4096 bits count 3, P-521 counts 6. Default 60: eight P-521 intermediates fit. */
  readonly signatures: number
  /** Of these the ones that may fail, counted the same: an issuer whose signature fits is rarely the fourth of its name. Default 18. */
  readonly failedSignatures: number
  /** Certificates looked at as issuers. Default 500. */
  readonly candidates: number
  /** Names compared with constraints. Default 250,000. */
  readonly comparisons: number
}

export function startBudget(budget: Partial<PathBudget> | undefined): { -readonly [Key in keyof PathBudget]: number } {
  return { signatures: 60, failedSignatures: 18, candidates: 500, comparisons: 250_000, ...budget }
}

export function problemOf(error: X509Error, certificate: Certificate, index: number): PathProblem {
  const subject = subjectText(certificate)
  const where =
    index === 0
      ? `the certificate of ${subject}`
      : `the issuing certificate ${subject} (number ${index} of the path, issued by ${shownText(nameText(certificate.issuer))})`
  return {
    reason: error.reason,
    alert: reasonAlerts[error.reason],
    index,
    subject,
    message: `${where} is refused: ${error.message}`,
  }
}

/** Of two problems the one that tells more: that an issuer is unknown is said only when nothing else is wrong. */
export function worse(a: PathProblem, b: PathProblem): PathProblem {
  if (onlyNamesake(a, b)) return b
  return rank(b) > rank(a) && !onlyNamesake(b, a) ? b : a
}

/** A signature that does not fit is no problem of its own where another path came as far: that issuer only had the name. */
function onlyNamesake(a: PathProblem, b: PathProblem): boolean {
  return a.reason === "bad_signature" && b.reason === "unknown_issuer" && b.index >= a.index
}

function rank(problem: PathProblem): number {
  if (problem.reason === "limit_exceeded") return 3
  if (problem.reason === "unknown_issuer") return 0
  return problem.reason === "bad_signature" ? 1 : 2
}

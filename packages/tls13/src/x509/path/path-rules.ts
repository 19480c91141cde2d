// The rules that each certificate of a path keeps (RFC 5280 section 6.1.3 to 6.1.5), one after another, cheap ones first.

import type { CryptoProvider } from "../../crypto/provider.ts"
import { type Certificate, isSelfIssued } from "../certificate/certificate.ts"
import * as KeyUsage from "../certificate/key-usage.ts"
import { usageNames } from "../der/oid-names.ts"
import * as Oid from "../der/oids.ts"
import { timeText } from "../der/time.ts"
import { X509Error } from "../errors.ts"
import { keyProblem, signatureCost, signatureProblem, verifySignature } from "../keys/key-policy.ts"
import { hasPassed, isToCome, type Moment, momentText } from "../moment.ts"
import { attributeValues } from "../names/distinguished-name.ts"
import type { GeneralName } from "../names/general-name.ts"
import { type NameConstraints, namesProblem } from "../names/name-constraints.ts"
import type { PathBudget } from "./path-problem.ts"
import { type Position, rfc5280Problem } from "./rfc5280-profile.ts"
import type { TrustStore } from "./trust.ts"
import { webpkiProblem, webpkiSignatureProblem } from "./webpki-profile.ts"

/**
 * How strict: `path` is the path validation of RFC 5280 section 6, which private authorities pass as well; `rfc5280` adds the
 * duties of its section 4; `webpki` adds the CA/Browser Forum's requirements for public servers.
 */
export type Profile = "path" | "rfc5280" | "webpki"

/**
 * How strict paths are judged where nobody says it: by all the rules of public authorities below the host's anchors (the
 * CA/Browser Forum's are for servers), by path validation alone below anchors of one's own.
 * @param usage object identifier
 */
export function usualProfile(origin: TrustStore["origin"], usage: string | undefined): Profile {
  if (origin === "own") return "path"
  return usage === Oid.serverAuth ? "webpki" : "rfc5280"
}

/** What all rules need to know. */
export interface Checked {
  readonly profile: Profile
  /** That of the anchors' own certificates. */
  readonly anchorProfile: Profile
  readonly usage: string | undefined
  readonly now: Moment
  readonly provider: CryptoProvider
  readonly budget: { -readonly [Key in keyof PathBudget]: number }
  /** Names that constraints apply to, by certificate. */
  readonly names: Map<Certificate, readonly GeneralName[]>
}

/** What makes a leaf unfit before any issuer is looked for. */
export function leafProblem(leaf: Certificate, keyUsage: number, checked: Checked): X509Error | undefined {
  return (
    everyProblem(leaf, "leaf", checked) ??
    usageProblem(leaf, checked.usage) ??
    // RFC 9846 4.5.1.2: the certificate MUST allow the key to be used for signing when it has a keyUsage.
    (leaf.extensions.keyUsage !== undefined && (leaf.extensions.keyUsage & keyUsage) !== keyUsage
      ? new X509Error(
          "key_usage",
          "its keyUsage does not allow this use (digitalSignature is needed for TLS 1.3); issue it with the right keyUsage",
        )
      : undefined)
  )
}

/** What makes a certificate unfit to have issued another. @param below intermediates that stand below it and are not self-issued */
export function issuerProblem(
  certificate: Certificate,
  position: "intermediate" | "anchor",
  below: number,
  checked: Checked,
): X509Error | undefined {
  return (
    authorityProblem(certificate, position, below, profileAt(position, checked)) ??
    everyProblem(certificate, position, checked) ??
    usageProblem(certificate, checked.usage)
  )
}

function authorityProblem(
  certificate: Certificate,
  position: Position,
  below: number,
  profile: Profile,
): X509Error | undefined {
  const { basicConstraints, keyUsage } = certificate.extensions
  // RFC 5280 6.1.4 (k): version 3 with cA; an anchor of version 1 is one by the application's word.
  const trusted = position === "anchor" && profile === "path" && certificate.version === 1
  if (!basicConstraints?.ca && !trusted) {
    const what =
      basicConstraints === undefined ? "it has no basicConstraints" : "its basicConstraints say that it is no CA"
    return new X509Error("not_a_ca", `it issued a certificate but ${what}; issue it again with CA:TRUE`)
  }
  // RFC 5280 6.1.4 (n).
  if (keyUsage !== undefined && (keyUsage & KeyUsage.keyCertSign) === 0) {
    return new X509Error("not_a_ca", "it issued a certificate but its keyUsage has no keyCertSign")
  }
  // RFC 5280 6.1.4 (l), (m) and 4.2.1.9.
  const most = basicConstraints?.pathLength
  if (most !== undefined && below > most) {
    return new X509Error(
      "path_too_long",
      `its pathLenConstraint allows ${most} intermediates below it and there are ${below}`,
    )
  }
  // RFC 5280 4.1.2.6: a CA's subject MUST be a non-empty name.
  if (certificate.subject.isEmpty)
    return new X509Error("profile_violation", "it is a CA with an empty subject (RFC 5280 4.1.2.6)")
  return undefined
}

/** Rules for every certificate, whatever its place. */
function everyProblem(certificate: Certificate, position: Position, checked: Checked): X509Error | undefined {
  const unknown = certificate.extensions.unknownCritical[0]
  // RFC 5280 4.2: a system MUST reject a certificate with a critical extension that it does not recognize.
  if (unknown !== undefined) {
    return new X509Error(
      "unknown_critical_extension",
      `it has the critical extension ${unknown}, which is not understood here`,
    )
  }
  // RFC 5280 4.1.2.5 and 6.1.3 (a) (2), written so that a time that is no number is refused.
  if (isToCome(certificate.notBefore, checked.now)) {
    return new X509Error(
      "not_yet_valid",
      `it is valid only from ${timeText(certificate.notBefore)}; ${momentText(checked.now)}: check the clock, or wait`,
    )
  }
  if (hasPassed(certificate.notAfter, checked.now)) {
    return new X509Error(
      "expired",
      `it expired on ${timeText(certificate.notAfter)}; ${momentText(checked.now)}: renew it`,
    )
  }
  if (certificate.publicKey === undefined) return certificate.keyProblem
  const weak = keyProblem(certificate.publicKey)
  if (weak) return weak
  // RFC 5280 4.1.2.4: the issuer MUST be a non-empty name.
  if (certificate.issuer.isEmpty) return new X509Error("profile_violation", "its issuer is empty (RFC 5280 4.1.2.4)")
  const profile = profileAt(position, checked)
  if (profile === "path") return undefined
  const webpki = profile === "webpki"
  const isSelfSigned = (): boolean => signedBy(certificate, certificate, checked) === undefined
  const broken =
    rfc5280Problem(certificate, position, webpki, isSelfSigned) ??
    (webpki ? webpkiProblem(certificate, position) : undefined)
  if (broken === undefined) return undefined
  return new X509Error("profile_violation", `${broken}; the profile ${profile} forbids that, \`path\` does not`)
}

function profileAt(position: Position, { profile, anchorProfile }: Checked): Profile {
  return position === "anchor" ? anchorProfile : profile
}

/** RFC 5280 4.2.1.12; intermediates that name uses limit what is below them to these (CA/B Forum 7.1.2.10.6). */
function usageProblem(certificate: Certificate, usage: string | undefined): X509Error | undefined {
  const usages = certificate.extensions.extKeyUsage
  if (usage === undefined || usages === undefined || usages.includes(usage) || usages.includes(Oid.anyExtendedKeyUsage))
    return undefined
  const has = usages.map((each) => usageNames[each] ?? each).join(", ")
  return new X509Error(
    "extended_key_usage",
    `it is for ${has}, not for ${usageNames[usage] ?? usage}; issue it with that extKeyUsage`,
  )
}

/** Checks that all names of the path so far lie within an issuer's constraints (RFC 5280 6.1.3 (b), (c)). */
export function constraintProblem(
  path: readonly Certificate[],
  constraints: NameConstraints | undefined,
  checked: Checked,
): X509Error | undefined {
  if (constraints === undefined) return undefined
  for (let i = 0; i < path.length; i++) {
    const certificate = path[i]!
    // RFC 5280 4.2.1.10: not applied to self-issued certificates, unless it is the last of the path.
    if (i > 0 && isSelfIssued(certificate)) continue
    const problem = namesProblem(constrainedNames(certificate, checked), constraints, checked.budget)
    if (problem?.limit)
      return new X509Error(
        "limit_exceeded",
        "its name constraints and the names below it take more comparisons than are spent on one chain",
      )
    if (problem)
      return new X509Error("name_constraints", `its name constraints do not allow what is below it: ${problem.message}`)
  }
  return undefined
}

function constrainedNames(certificate: Certificate, checked: Checked): readonly GeneralName[] {
  let names = checked.names.get(certificate)
  if (names === undefined) {
    names = namesOf(certificate)
    checked.names.set(certificate, names)
  }
  return names
}

function namesOf(certificate: Certificate): GeneralName[] {
  const { subjectAltName } = certificate.extensions
  const names: GeneralName[] = [...(subjectAltName ?? [])]
  if (certificate.subject.isEmpty) return names
  names.push({ kind: "directory", name: certificate.subject })
  // RFC 5280 4.2.1.10: without a subjectAltName, e-mail constraints apply to emailAddress attributes of the subject.
  if (subjectAltName === undefined) {
    for (const value of attributeValues(certificate.subject, Oid.emailAddress)) names.push({ kind: "email", value })
  }
  return names
}

/** Checks a certificate's signature by its issuer's key (RFC 5280 6.1.3 (a) (1)). */
export function signedBy(certificate: Certificate, issuer: Certificate, checked: Checked): X509Error | undefined {
  const key = issuer.publicKey
  if (key === undefined) return issuer.keyProblem
  const problem = signatureProblem(certificate.signatureAlgorithm, key, checked.provider)
  if (problem) return new X509Error(problem.reason, `of the certificate below it: ${problem.message}`)
  const pairing = checked.profile === "webpki" ? webpkiSignatureProblem(key, certificate.signatureAlgorithm) : undefined
  if (pairing)
    return new X509Error("profile_violation", `${pairing}; the profile webpki forbids that, \`path\` does not`)
  const cost = signatureCost(key)
  checked.budget.signatures -= cost
  if (checked.budget.signatures < 0)
    return new X509Error("limit_exceeded", "the chain takes more signature checks than are spent on one")
  if (verifySignature(certificate.signatureAlgorithm, key, certificate.tbs, certificate.signature, checked.provider))
    return undefined
  checked.budget.failedSignatures -= cost
  if (checked.budget.failedSignatures < 0)
    return new X509Error("limit_exceeded", "more of the chain's signatures are wrong than are looked at in one")
  return new X509Error(
    "bad_signature",
    "it has the name of the issuer, but the signature of the certificate below it was not made by its key; if the authority was made anew, use its new certificate",
  )
}

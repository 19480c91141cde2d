// The duties that RFC 5280 section 4 lays on a conforming CA and that path validation (section 6) does not ask about. Both
// strict profiles check them; the profile `path` does not, because private authorities often leave them out.

import { type Certificate, isSelfIssued } from "../certificate/certificate.ts"
import type { Extensions } from "../certificate/extensions.ts"
import * as KeyUsage from "../certificate/key-usage.ts"
import * as Oid from "../der/oids.ts"
import { isHostName, isWildcard } from "../names/dns-name.ts"
import { type GeneralName, generalNameText } from "../names/general-name.ts"

export type Position = "leaf" | "intermediate" | "anchor"

/**
 * The first duty that a certificate breaks, as a sentence with its section; undefined when it keeps them all.
 * @param isSelfSigned checks the certificate's signature by its own key; asked only where it matters
 */
export function rfc5280Problem(
  certificate: Certificate,
  position: Position,
  webpki: boolean,
  isSelfSigned: () => boolean,
): string | undefined {
  const { extensions } = certificate
  return (
    fieldProblem(certificate, position) ??
    criticalityProblem(extensions, webpki) ??
    keyIdentifierProblem(certificate, position, isSelfSigned) ??
    authorityProblem(extensions) ??
    alternativeNameProblem(certificate)
  )
}

function fieldProblem(certificate: Certificate, position: Position): string | undefined {
  if (!certificate.timesInRightForm)
    return "its times are not UTCTime through 2049 and GeneralizedTime later (RFC 5280 4.1.2.5)"
  if (certificate.hasUniqueIdentifiers) return "it has unique identifiers (RFC 5280 4.1.2.8)"
  const { serialNumber } = certificate
  // Some public roots, from before the rule, have the number 0.
  if (position !== "anchor" && serialNumber.length === 1 && serialNumber[0] === 0)
    return "its serial number is 0 (RFC 5280 4.1.2.2)"
  return undefined
}

function criticalityProblem(extensions: Extensions, webpki: boolean): string | undefined {
  const critical = (oid: string): boolean => extensions.critical.includes(oid)
  if (critical(Oid.authorityKeyIdentifier)) return "its authorityKeyIdentifier is critical (RFC 5280 4.2.1.1)"
  if (critical(Oid.subjectKeyIdentifier)) return "its subjectKeyIdentifier is critical (RFC 5280 4.2.1.2)"
  if (critical(Oid.authorityInfoAccess)) return "its authorityInfoAccess is critical (RFC 5280 4.2.2.1)"
  // CA/B Forum 7.1.2.5.2 allows it, as an explicit exception.
  if (extensions.nameConstraints && !critical(Oid.nameConstraints) && !webpki) {
    return "its nameConstraints is not critical (RFC 5280 4.2.1.10)"
  }
  if (extensions.policyConstraints && !critical(Oid.policyConstraints))
    return "its policyConstraints is not critical (RFC 5280 4.2.1.11)"
  if (extensions.inhibitAnyPolicy !== undefined && !critical(Oid.inhibitAnyPolicy)) {
    return "its inhibitAnyPolicy is not critical (RFC 5280 4.2.1.14)"
  }
  if (extensions.basicConstraints?.ca && !critical(Oid.basicConstraints))
    return "its basicConstraints is not critical (RFC 5280 4.2.1.9)"
  return undefined
}

function keyIdentifierProblem(
  certificate: Certificate,
  position: Position,
  isSelfSigned: () => boolean,
): string | undefined {
  const { authorityKeyIdentifier, subjectKeyIdentifier, basicConstraints } = certificate.extensions
  // The one exception of RFC 5280 4.2.1.1 is a CA's self-signed certificate; some roots have another issuer's name on it.
  const exempt = (): boolean =>
    authorityKeyIdentifier === undefined && (isSelfIssued(certificate) || (position === "anchor" && isSelfSigned()))
  if (authorityKeyIdentifier?.keyIdentifier === undefined && !exempt()) {
    return "it has no authorityKeyIdentifier with a keyIdentifier (RFC 5280 4.2.1.1)"
  }
  if (basicConstraints?.ca && subjectKeyIdentifier === undefined)
    return "it is a CA and has no subjectKeyIdentifier (RFC 5280 4.2.1.2)"
  return undefined
}

function authorityProblem(extensions: Extensions): string | undefined {
  const { basicConstraints, keyUsage = 0 } = extensions
  const signs = (keyUsage & KeyUsage.keyCertSign) !== 0
  if (!basicConstraints?.ca) {
    if (signs) return "it may sign certificates (keyCertSign) but is no CA (RFC 5280 4.2.1.9)"
    if (basicConstraints?.pathLength !== undefined) return "it has a pathLenConstraint but is no CA (RFC 5280 4.2.1.9)"
    if (extensions.nameConstraints) return "it has nameConstraints but is no CA (RFC 5280 4.2.1.10)"
  } else if (basicConstraints.pathLength !== undefined && extensions.keyUsage !== undefined && !signs) {
    return "it has a pathLenConstraint but may not sign certificates (RFC 5280 4.2.1.9)"
  }
  return undefined
}

function alternativeNameProblem(certificate: Certificate): string | undefined {
  const { subjectAltName, critical } = certificate.extensions
  if (certificate.subject.isEmpty) {
    if (subjectAltName === undefined) return "it has neither a subject nor a subjectAltName (RFC 5280 4.1.2.6)"
    if (!critical.includes(Oid.subjectAltName))
      return "its subject is empty and its subjectAltName is not critical (RFC 5280 4.2.1.6)"
  }
  for (const name of subjectAltName ?? []) {
    if (!isWellFormed(name)) return `its subjectAltName ${generalNameText(name)} is malformed (RFC 5280 4.2.1.6)`
  }
  return undefined
}

function isWellFormed(name: GeneralName): boolean {
  switch (name.kind) {
    case "dns":
      return isHostName(name.value) || isWildcard(name.value)
    case "email": {
      const [local, host, more] = name.value.split("@")
      return local !== "" && host !== undefined && more === undefined && isHostName(host)
    }
    case "uri":
      return /^[a-z][a-z0-9+.-]*:./i.test(name.value)
    default:
      return true
  }
}

// Certificate policies along a path (RFC 5280 section 6.1, as RFC 9618 corrected it so that the work stays linear): whether a
// path is valid for some policy where one of its certificates, or the application, asks for that.

import { type Certificate, isSelfIssued } from "../certificate/certificate.ts"
import * as Oid from "../der/oids.ts"
import { X509Error } from "../errors.ts"

/** For each policy that the next certificate may name: the policies of the anchor's domain that it stands for. */
type Level = Map<string, Set<string>>

/** More policies than this in one certificate are no honest certificate's. */
const mostPolicies = 128

/** What of a path's policies fails. @param path leaf first, without the trust anchor; @param required policies of which one must hold */
export function policyProblem(
  path: readonly Certificate[],
  required: readonly string[] | undefined,
): X509Error | undefined {
  if (
    required === undefined &&
    !path.some((each) => each.extensions.policyConstraints?.requireExplicitPolicy !== undefined)
  ) {
    return undefined
  }
  const length = path.length
  let level: Level = new Map([[Oid.anyPolicy, new Set([Oid.anyPolicy])]])
  // RFC 5280 6.1.2 (d) to (f): counters of certificates until something holds.
  let explicit = required === undefined ? length + 1 : 0
  let inhibitAny = length + 1
  let inhibitMapping = length + 1
  for (let i = length - 1; i >= 0; i--) {
    const certificate = path[i]!
    const {
      certificatePolicies = [],
      policyMappings = [],
      policyConstraints,
      inhibitAnyPolicy,
    } = certificate.extensions
    if (certificatePolicies.length > mostPolicies || policyMappings.length > mostPolicies) {
      return new X509Error("limit_exceeded", `it names more than ${mostPolicies} policies`)
    }
    const selfIssued = isSelfIssued(certificate)
    level = narrowed(level, certificatePolicies, inhibitAny > 0 || (i > 0 && selfIssued))
    if (explicit === 0 && level.size === 0) return noPolicy()
    if (i === 0) {
      // RFC 5280 6.1.5 (a), (b).
      if (explicit > 0) explicit--
      if (policyConstraints?.requireExplicitPolicy === 0) explicit = 0
      break
    }
    level = mapped(level, policyMappings, inhibitMapping > 0)
    // RFC 5280 6.1.4 (h): self-issued certificates do not count.
    if (!selfIssued) {
      if (explicit > 0) explicit--
      if (inhibitMapping > 0) inhibitMapping--
      if (inhibitAny > 0) inhibitAny--
    }
    // RFC 5280 6.1.4 (i), (j).
    explicit = Math.min(explicit, policyConstraints?.requireExplicitPolicy ?? explicit)
    inhibitMapping = Math.min(inhibitMapping, policyConstraints?.inhibitPolicyMapping ?? inhibitMapping)
    inhibitAny = Math.min(inhibitAny, inhibitAnyPolicy ?? inhibitAny)
  }
  if (explicit > 0) return undefined
  const origins = new Set([...level.values()].flatMap((each) => [...each]))
  if (origins.size === 0) return noPolicy()
  if (required === undefined || origins.has(Oid.anyPolicy) || required.some((policy) => origins.has(policy)))
    return undefined
  return new X509Error("policy", `its path is not valid for any of the wanted policies ${required.join(", ")}`)
}

function noPolicy(): X509Error {
  return new X509Error(
    "policy",
    "its path must be valid for some certificate policy (requireExplicitPolicy) and is for none",
  )
}

/** RFC 5280 6.1.3 (d), (e): what of a level a certificate's policies leave. */
function narrowed(level: Level, policies: readonly string[], anyAllowed: boolean): Level {
  const next: Level = new Map()
  for (const policy of policies) {
    if (policy === Oid.anyPolicy) continue
    const origins = level.get(policy) ?? (level.has(Oid.anyPolicy) ? new Set([policy]) : undefined)
    if (origins) next.set(policy, origins)
  }
  if (anyAllowed && policies.includes(Oid.anyPolicy)) {
    for (const [policy, origins] of level) if (!next.has(policy)) next.set(policy, origins)
  }
  return next
}

/** RFC 5280 6.1.4 (b): policies under the names that the next certificate calls them by. */
function mapped(level: Level, mappings: readonly (readonly [string, string])[], allowed: boolean): Level {
  if (mappings.length === 0) return level
  const from = new Set(mappings.map(([issuer]) => issuer))
  const next: Level = new Map()
  for (const [policy, origins] of level) if (!from.has(policy)) next.set(policy, origins)
  if (!allowed) return next
  for (const [issuer, subject] of mappings) {
    const origins = level.get(issuer) ?? (level.has(Oid.anyPolicy) ? new Set([issuer]) : undefined)
    if (origins) next.set(subject, new Set([...(next.get(subject) ?? []), ...origins]))
  }
  return next
}

// Name constraints (RFC 5280 section 4.2.1.10): reading them, and whether names lie in them.
// Refused when read: a subtree with minimum or maximum, a constraint that is malformed by the RFC's own syntax (a DNS name
// with a wildcard or a leading period, an address without a contiguous mask, a mailbox with two @).

import { contextConstructed, type Der } from "../der/der.ts"
import { malformed } from "../errors.ts"
import { nameIsWithin } from "./distinguished-name.ts"
import { isHostName, isWildcard } from "./dns-name.ts"
import { type GeneralName, generalNameText, readGeneralName } from "./general-name.ts"

export interface NameConstraints {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
  /**
   * true: `permitted` is all that there may be, so alternative names of a form that it has no entry of are refused, and with
   * an empty list everything is. RFC 5280's own constraints leave such forms free; an application's do not.
   */
  readonly exhaustive?: boolean
}

export function readNameConstraints(der: Der): NameConstraints {
  const sequence = der.sequence("nameConstraints")
  const permitted = readSubtrees(sequence, 0)
  const excluded = readSubtrees(sequence, 1)
  sequence.expectEnd("nameConstraints")
  // RFC 5280 4.2.1.10: MUST NOT be an empty sequence.
  if (permitted.length + excluded.length === 0) throw malformed("nameConstraints constrains nothing")
  return { permitted, excluded }
}

function readSubtrees(sequence: Der, number: 0 | 1): GeneralName[] {
  const list = sequence.optional(contextConstructed(number), "nameConstraints")
  if (list === undefined) return []
  if (list.done) throw malformed("nameConstraints has an empty list of subtrees")
  const subtrees: GeneralName[] = []
  while (!list.done) {
    const subtree = list.sequence("nameConstraints")
    const base = readGeneralName(subtree, "nameConstraints", [8, 32])
    // RFC 5280 4.2.1.10: minimum MUST be zero (so DER leaves it out), and maximum MUST be absent.
    subtree.expectEnd("nameConstraints: a subtree with minimum or maximum")
    checkConstraint(base)
    subtrees.push(base)
  }
  return subtrees
}

/** @throws X509Error when a constraint breaks the syntax that RFC 5280 section 4.2.1.10 gives its form */
export function checkConstraint(base: GeneralName): void {
  const wrong = (rule: string): Error =>
    malformed(`nameConstraints has the malformed constraint ${generalNameText(base)}: ${rule}`)
  switch (base.kind) {
    case "dns":
      if (base.value !== "" && !isHostName(base.value))
        throw wrong("a DNS constraint is a host name, without wildcard or leading period")
      return
    case "email": {
      const at = base.value.split("@")
      const host = at.length === 2 ? at[1]! : base.value.replace(/^\./, "")
      if (at.length > 2 || at[0] === "" || !isHostName(host))
        throw wrong("an e-mail constraint is a mailbox, a host or a domain")
      return
    }
    case "uri":
      if (!isHostName(base.value.replace(/^\./, ""))) throw wrong("a URI constraint is a host or a domain")
      return
    case "ip": {
      const half = base.bytes.length / 2
      let ended = false
      for (const byte of base.bytes.subarray(half)) {
        for (let bit = 0x80; bit > 0; bit >>= 1) {
          if ((byte & bit) === 0) ended = true
          else if (ended) throw wrong("the mask of an address constraint is contiguous (RFC 4632)")
        }
      }
      return
    }
    default:
      return
  }
}

/** Comparisons of a name with a subtree that may still be made. */
export interface ComparisonBudget {
  comparisons: number
}

/** Why names are refused: `limit`, or a sentence. */
export type ConstraintProblem = { readonly limit: true } | { readonly limit: false; readonly message: string }

/**
 * Checks a certificate's names against one set of constraints. Every name must lie in a permitted subtree of its form, if
 * there is any, and in no excluded one.
 */
export function namesProblem(
  names: readonly GeneralName[],
  constraints: NameConstraints,
  budget: ComparisonBudget,
): ConstraintProblem | undefined {
  if (constraints.exhaustive && constraints.permitted.length === 0) {
    return { limit: false, message: "it may vouch for no name at all" }
  }
  for (const name of names) {
    let constrained = false
    let permitted = false
    for (const base of constraints.permitted) {
      if (base.kind !== name.kind) continue
      if (budget.comparisons-- <= 0) return { limit: true }
      constrained = true
      const within = isWithin(name, base, false)
      if (within === undefined) return unable(name, base)
      if (within) {
        permitted = true
        break
      }
    }
    if (!constrained && constraints.exhaustive && name.kind !== "directory") {
      return { limit: false, message: `${generalNameText(name)} is of a form of which no name is permitted` }
    }
    if (constrained && !permitted) {
      return { limit: false, message: `${generalNameText(name)} is in none of the permitted subtrees` }
    }
    for (const base of constraints.excluded) {
      if (base.kind !== name.kind) continue
      if (budget.comparisons-- <= 0) return { limit: true }
      const within = isWithin(name, base, true)
      if (within === undefined) return unable(name, base)
      if (within) {
        return { limit: false, message: `${generalNameText(name)} is in the excluded subtree ${generalNameText(base)}` }
      }
    }
  }
  return undefined
}

function unable(name: GeneralName, base: GeneralName): ConstraintProblem {
  return {
    limit: false,
    message: `${generalNameText(name)} cannot be compared with the constraint ${generalNameText(base)}`,
  }
}

/**
 * Whether a name lies in a subtree of the same form; undefined when it cannot be told, and the certificate must be refused
 * (RFC 5280 4.2.1.10: the application MUST either process the constraint or reject the certificate).
 * @param some for a wildcard: whether some of its names lie in the subtree, instead of all
 */
function isWithin(name: GeneralName, base: GeneralName, some: boolean): boolean | undefined {
  if (name.kind === "dns" && base.kind === "dns") return dnsWithin(name.value, base.value, some)
  if (name.kind === "email" && base.kind === "email") return emailWithin(name.value, base.value)
  if (name.kind === "uri" && base.kind === "uri") return uriWithin(name.value, base.value)
  if (name.kind === "ip" && base.kind === "ip") return addressWithin(name.bytes, base.bytes)
  if (name.kind === "directory" && base.kind === "directory") return nameIsWithin(name.name, base.name)
  return undefined
}

function dnsWithin(name: string, base: string, some: boolean): boolean | undefined {
  const wildcard = name.startsWith("*.")
  if (!(wildcard ? isWildcard(name, true) : isHostName(name, true))) return undefined
  const lower = (wildcard ? name.slice(2) : name).toLowerCase()
  const lowerBase = base.toLowerCase()
  if (lowerBase === "" || lower === lowerBase || lower.endsWith(`.${lowerBase}`)) return true
  // *.example.com stands for bar.example.com too, one label more than its own domain.
  return wildcard && some && lowerBase.endsWith(`.${lower}`) && !lowerBase.slice(0, -lower.length - 1).includes(".")
}

function emailWithin(name: string, base: string): boolean | undefined {
  const [local, host, more] = name.split("@")
  if (!local || host === undefined || more !== undefined || !isHostName(host, true)) return undefined
  const at = base.indexOf("@")
  // RFC 5280 7.5: the local part is compared exactly, the host without case.
  if (at >= 0) return local === base.slice(0, at) && host.toLowerCase() === base.slice(at + 1).toLowerCase()
  const lower = base.toLowerCase()
  return lower.startsWith(".") ? host.toLowerCase().endsWith(lower) : host.toLowerCase() === lower
}

function uriWithin(name: string, base: string): boolean | undefined {
  // RFC 5280 4.2.1.10: a URI without an authority with a fully qualified host name MUST be rejected when constrained.
  const host = uriHost(name)
  if (host === undefined || !isHostName(host, true)) return undefined
  const lower = base.toLowerCase()
  return lower.startsWith(".") ? host.toLowerCase().endsWith(lower) : host.toLowerCase() === lower
}

/** The host of a URI with an authority (RFC 3986 section 3.2). */
export function uriHost(uri: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(uri)?.[1]
  if (authority === undefined) return undefined
  return authority.replace(/^.*@/, "").replace(/:\d*$/, "")
}

function addressWithin(address: Uint8Array, base: Uint8Array): boolean {
  if (base.length !== 2 * address.length) return false
  for (let i = 0; i < address.length; i++) {
    const mask = base[address.length + i]!
    if ((address[i]! & mask) !== (base[i]! & mask)) return false
  }
  return true
}

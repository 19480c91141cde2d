// The extensions of RFC 5280 section 4.2 that bear on validation, each read strictly, once.
// What section 4.2 forbids a CA to do but leaves the meaning plain is noted in `deviations`, for the profiles to judge.

import { contextConstructed, contextPrimitive, Der } from "../der/der.ts"
import * as Oid from "../der/oids.ts"
import { malformed, X509Error } from "../errors.ts"
import { type GeneralName, readGeneralName } from "../names/general-name.ts"
import { type NameConstraints, readNameConstraints } from "../names/name-constraints.ts"

export interface BasicConstraints {
  readonly ca: boolean
  readonly pathLength: number | undefined
}

export interface AuthorityKeyIdentifier {
  readonly keyIdentifier: Uint8Array | undefined
  readonly hasIssuer: boolean
  readonly hasSerialNumber: boolean
}

export interface AccessDescription {
  readonly method: string
  readonly location: GeneralName
}

export interface PolicyConstraints {
  readonly requireExplicitPolicy: number | undefined
  readonly inhibitPolicyMapping: number | undefined
}

/** What a certificate's extensions say; a member is undefined when the extension is absent. */
export interface Extensions {
  readonly basicConstraints: BasicConstraints | undefined
  readonly keyUsage: number | undefined
  readonly extKeyUsage: readonly string[] | undefined
  readonly subjectAltName: readonly GeneralName[] | undefined
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined
  readonly subjectKeyIdentifier: Uint8Array | undefined
  readonly nameConstraints: NameConstraints | undefined
  readonly certificatePolicies: readonly string[] | undefined
  readonly policyMappings: readonly (readonly [issuer: string, subject: string])[] | undefined
  readonly policyConstraints: PolicyConstraints | undefined
  readonly inhibitAnyPolicy: number | undefined
  readonly authorityInfoAccess: readonly AccessDescription[] | undefined
  readonly crlDistributionPoints: readonly string[] | undefined
  /** id-pe-tlsfeature with status_request (RFC 7633): a stapled OCSP response is obligatory. */
  readonly mustStaple: boolean
  /** extnValue, by their object identifiers, of those that have no member here: who knows one reads it. */
  readonly others: ReadonlyMap<string, Uint8Array>
  /** Object identifiers of every extension, in order. */
  readonly present: readonly string[]
  readonly critical: readonly string[]
  /** Critical extensions that this stack does not know: the certificate cannot be used (RFC 5280 section 4.2). */
  readonly unknownCritical: readonly string[]
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

export function noExtensions(): Writable<Extensions> {
  return {
    basicConstraints: undefined,
    keyUsage: undefined,
    extKeyUsage: undefined,
    subjectAltName: undefined,
    authorityKeyIdentifier: undefined,
    subjectKeyIdentifier: undefined,
    nameConstraints: undefined,
    certificatePolicies: undefined,
    policyMappings: undefined,
    policyConstraints: undefined,
    inhibitAnyPolicy: undefined,
    authorityInfoAccess: undefined,
    crlDistributionPoints: undefined,
    mustStaple: false,
    others: new Map(),
    present: [],
    critical: [],
    unknownCritical: [],
  }
}

/** Each is compared with those before it; honest certificates have a dozen. */
const mostExtensions = 100

/** Reads `Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension`. */
export function readExtensions(der: Der): Extensions {
  const list = der.sequence("the extensions")
  if (list.done) throw malformed("the certificate has an empty list of extensions")
  const found = noExtensions()
  const others = new Map<string, Uint8Array>()
  const present: string[] = []
  const critical: string[] = []
  const unknownCritical: string[] = []
  while (!list.done) {
    const extension = list.sequence("an extension")
    const oid = extension.oid("an extension")
    const isCritical = extension.defaultFalse("the criticality of an extension")
    const value = extension.octetString("the value of an extension")
    extension.expectEnd("an extension")
    // RFC 5280 4.2: MUST NOT include more than one instance of a particular extension.
    if (present.includes(oid)) throw new X509Error("duplicate_extension", `the extension ${oid} appears twice`)
    if (present.length >= mostExtensions)
      throw new X509Error("limit_exceeded", `the certificate has more than ${mostExtensions} extensions`)
    present.push(oid)
    if (isCritical) critical.push(oid)
    const read = readers[oid]
    if (read !== undefined) {
      const inner = new Der(value)
      read(inner, found)
      if (!inner.done) inner.expectEnd(`the extension ${oid}`)
    } else {
      others.set(oid, value)
      if (isCritical) unknownCritical.push(oid)
    }
  }
  found.others = others
  found.present = present
  found.critical = critical
  found.unknownCritical = unknownCritical
  return found
}

type Read = (der: Der, into: Writable<Extensions>) => void

const readers: Readonly<Record<string, Read>> = {
  [Oid.basicConstraints]: (der, into) => {
    const sequence = der.sequence("basicConstraints")
    const ca = sequence.defaultFalse("basicConstraints.cA")
    const pathLength = sequence.done ? undefined : sequence.small("basicConstraints.pathLenConstraint")
    sequence.expectEnd("basicConstraints")
    into.basicConstraints = { ca, pathLength }
  },
  [Oid.keyUsage]: (der, into) => {
    into.keyUsage = der.namedBits("keyUsage")
  },
  [Oid.extKeyUsage]: (der, into) => {
    into.extKeyUsage = someOids(der, "extKeyUsage")
  },
  [Oid.subjectAltName]: (der, into) => {
    const sequence = der.sequence("subjectAltName")
    // RFC 5280 4.2.1.6: GeneralNames has at least one name.
    if (sequence.done) throw malformed("subjectAltName has no name")
    const names: GeneralName[] = []
    while (!sequence.done) names.push(readGeneralName(sequence, "subjectAltName", [4, 16]))
    into.subjectAltName = names
  },
  [Oid.authorityKeyIdentifier]: (der, into) => {
    const sequence = der.sequence("authorityKeyIdentifier")
    const keyIdentifier = sequence.optional(contextPrimitive(0), "authorityKeyIdentifier.keyIdentifier")?.rest()
    const issuer = sequence.optional(contextConstructed(1), "authorityKeyIdentifier.authorityCertIssuer")
    while (issuer && !issuer.done) readGeneralName(issuer, "authorityKeyIdentifier.authorityCertIssuer", [4, 16])
    const serial = sequence.peek() === contextPrimitive(2)
    if (serial) sequence.integer("authorityKeyIdentifier.authorityCertSerialNumber", contextPrimitive(2))
    sequence.expectEnd("authorityKeyIdentifier")
    into.authorityKeyIdentifier = { keyIdentifier, hasIssuer: issuer !== undefined, hasSerialNumber: serial }
  },
  [Oid.subjectKeyIdentifier]: (der, into) => {
    into.subjectKeyIdentifier = der.octetString("subjectKeyIdentifier")
  },
  [Oid.nameConstraints]: (der, into) => {
    into.nameConstraints = readNameConstraints(der)
  },
  [Oid.certificatePolicies]: (der, into) => {
    const sequence = der.sequence("certificatePolicies")
    if (sequence.done) throw malformed("certificatePolicies has no policy")
    const policies = new Set<string>()
    while (!sequence.done) {
      const information = sequence.sequence("certificatePolicies")
      const policy = information.oid("certificatePolicies")
      if (!information.done) {
        const qualifiers = information.sequence("certificatePolicies.policyQualifiers")
        if (qualifiers.done) throw malformed("certificatePolicies has an empty list of qualifiers")
        while (!qualifiers.done) {
          const qualifier = qualifiers.sequence("certificatePolicies.policyQualifiers")
          qualifier.oid("certificatePolicies.policyQualifiers")
          qualifier.skip("certificatePolicies.policyQualifiers")
          qualifier.expectEnd("certificatePolicies.policyQualifiers")
        }
      }
      information.expectEnd("certificatePolicies")
      // RFC 5280 4.2.1.4: a policy MUST NOT appear more than once.
      if (policies.has(policy)) throw malformed(`certificatePolicies has the policy ${policy} twice`)
      policies.add(policy)
    }
    into.certificatePolicies = [...policies]
  },
  [Oid.policyMappings]: (der, into) => {
    const sequence = der.sequence("policyMappings")
    if (sequence.done) throw malformed("policyMappings has no mapping")
    const mappings: [string, string][] = []
    while (!sequence.done) {
      const pair = sequence.sequence("policyMappings")
      const issuer = pair.oid("policyMappings")
      const subject = pair.oid("policyMappings")
      pair.expectEnd("policyMappings")
      // RFC 5280 4.2.1.5: policies MUST NOT be mapped to or from anyPolicy.
      if (issuer === Oid.anyPolicy || subject === Oid.anyPolicy) throw malformed("policyMappings maps anyPolicy")
      mappings.push([issuer, subject])
    }
    into.policyMappings = mappings
  },
  [Oid.policyConstraints]: (der, into) => {
    const sequence = der.sequence("policyConstraints")
    const requireExplicitPolicy = optionalSmall(sequence, 0, "policyConstraints.requireExplicitPolicy")
    const inhibitPolicyMapping = optionalSmall(sequence, 1, "policyConstraints.inhibitPolicyMapping")
    sequence.expectEnd("policyConstraints")
    // RFC 5280 4.2.1.11: MUST NOT be an empty sequence.
    if (requireExplicitPolicy === undefined && inhibitPolicyMapping === undefined)
      throw malformed("policyConstraints is empty")
    into.policyConstraints = { requireExplicitPolicy, inhibitPolicyMapping }
  },
  [Oid.inhibitAnyPolicy]: (der, into) => {
    into.inhibitAnyPolicy = der.small("inhibitAnyPolicy")
  },
  [Oid.authorityInfoAccess]: (der, into) => {
    const sequence = der.sequence("authorityInfoAccess")
    // RFC 5280 4.2.2.1: AuthorityInfoAccessSyntax has at least one AccessDescription.
    if (sequence.done) throw malformed("authorityInfoAccess is empty")
    const descriptions: AccessDescription[] = []
    while (!sequence.done) {
      const description = sequence.sequence("authorityInfoAccess")
      const method = description.oid("authorityInfoAccess")
      const location = readGeneralName(description, "authorityInfoAccess", [4, 16])
      description.expectEnd("authorityInfoAccess")
      descriptions.push({ method, location })
    }
    into.authorityInfoAccess = descriptions
  },
  [Oid.cRLDistributionPoints]: (der, into) => {
    const sequence = der.sequence("cRLDistributionPoints")
    if (sequence.done) throw malformed("cRLDistributionPoints is empty")
    const uris: string[] = []
    while (!sequence.done) uris.push(...readDistributionPoint(sequence))
    into.crlDistributionPoints = uris
  },
  [Oid.tlsFeature]: (der, into) => {
    const sequence = der.sequence("tlsfeature")
    while (!sequence.done) {
      const feature = sequence.small("tlsfeature")
      // RFC 7633 4.1: status_request is 5, status_request_v2 is 17.
      if (feature === 5 || feature === 17) into.mustStaple = true
    }
  },
}

/** A list of object identifiers that has at least one. */
function someOids(der: Der, what: string): string[] {
  const sequence = der.sequence(what)
  if (sequence.done) throw malformed(`${what} is empty`)
  const oids: string[] = []
  while (!sequence.done) oids.push(sequence.oid(what))
  return oids
}

function optionalSmall(der: Der, number: number, what: string): number | undefined {
  return der.peek() === contextPrimitive(number) ? der.small(what, contextPrimitive(number)) : undefined
}

/** DistributionPoint (RFC 5280 section 4.2.1.13): its URIs. */
function readDistributionPoint(der: Der): string[] {
  const point = der.sequence("cRLDistributionPoints")
  const uris: string[] = []
  const name = point.optional(contextConstructed(0), "cRLDistributionPoints")
  if (name) uris.push(...distributionPointUris(name))
  point.optional(contextPrimitive(1), "cRLDistributionPoints")
  point.optional(contextConstructed(2), "cRLDistributionPoints")
  point.expectEnd("cRLDistributionPoints")
  return uris
}

/** URIs of a DistributionPointName, whose fullName is a list of GeneralName. */
export function distributionPointUris(der: Der): string[] {
  const uris: string[] = []
  const full = der.optional(contextConstructed(0), "fullName")
  while (full && !full.done) {
    const name = readGeneralName(full, "fullName", [4, 16])
    if (name.kind === "uri") uris.push(name.value)
  }
  if (!full) der.skip("nameRelativeToCRLIssuer")
  der.expectEnd("DistributionPointName")
  return uris
}

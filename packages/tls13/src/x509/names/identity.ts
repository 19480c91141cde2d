// From a client's certificate to the name that an application knows it by, by a rule that the application chooses.

import { toHex } from "../../bytes/hex.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import { type Certificate, parseCertificate, subjectText } from "../certificate/certificate.ts"
import * as Oid from "../der/oids.ts"
import { X509Error } from "../errors.ts"
import type { PeerIdentity } from "../interfaces.ts"
import { spkiHash } from "../keys/pins.ts"
import { attributeValues, nameText } from "./distinguished-name.ts"
import { isHostName } from "./dns-name.ts"
import type { GeneralName } from "./general-name.ts"
import { type NameConstraints, namesProblem } from "./name-constraints.ts"

/**
 * What names the client: the subject's common name, its whole subject (RFC 4514), one of its alternative names, or the
 * SHA-256 of its public key in hexadecimal (the one that also fits raw public keys).
 */
export type IdentityRule = "subject-cn" | "subject" | "san-email" | "san-dns" | "san-uri" | "spki-sha256"

export const identityRules: readonly IdentityRule[] = [
  "subject-cn",
  "subject",
  "san-email",
  "san-dns",
  "san-uri",
  "spki-sha256",
]

/**
 * The client's name by the rule.
 * @throws X509Error `identity_missing` when the certificate has no such value, or several, or one with control characters
 */
export function identityName(identity: PeerIdentity, rule: IdentityRule, provider: CryptoProvider): string {
  const der = identity.chain[0]
  if (der === undefined) throw missing("the peer showed no certificate")
  if (rule === "spki-sha256") {
    const spki = identity.type === "RawPublicKey" ? der : parseCertificate(der).spki
    const hash = spkiHash(spki, provider)
    if (hash === undefined) throw missing("the crypto provider has no SHA-256 to name the key by")
    return toHex(hash)
  }
  if (identity.type === "RawPublicKey")
    throw missing(`a raw public key has no ${ruleNames[rule]}; use the rule spki-sha256`)
  const certificate = parseCertificate(der)
  const values = valuesOf(certificate, rule)
  const [value] = values
  if (value === undefined || value === "")
    throw missing(`the certificate of ${subjectText(certificate)} has no ${ruleNames[rule]}`)
  // Two names would leave it to chance which rights the client gets.
  if (values.length > 1)
    throw missing(
      `the certificate of ${subjectText(certificate)} has ${values.length} values of ${ruleNames[rule]}; exactly one is needed`,
    )
  if (/\p{Cc}/u.test(value)) throw missing(`the ${ruleNames[rule]} of the certificate has control characters`)
  return value
}

/** Comparisons of the one or few names of a leaf with the constraints above it. */
const comparisons = 10_000

/**
 * What is wrong with a certificate whose name by this rule the constraints of its path say nothing of. RFC 5280 constrains
 * the subject by directoryName subtrees alone, and each form of alternative name by subtrees of that form: an authority
 * limited to the hosts of tenant1.example could otherwise name its client `admin`. A common name that is a host name is held
 * to the DNS subtrees, as OpenSSL does; any other name must be of a form that the permitted subtrees have.
 * @param constraints of the authorities of the path, and of the application's for their anchor
 */
export function identityProblem(
  leaf: Certificate,
  rule: IdentityRule,
  constraints: readonly NameConstraints[],
): X509Error | undefined {
  if (rule === "spki-sha256") return undefined
  const names = constrainedNames(leaf, rule)
  for (const limits of constraints) {
    const free = names.find(({ kind }) => limits.permitted.every((base) => base.kind !== kind))
    if (limits.permitted.length > 0 && (free !== undefined || names.length === 0)) {
      return new X509Error(
        "name_constraints",
        `the name constraints of its authorities say nothing of its ${ruleNames[rule]}, by which clients are known here: use another rule of identity, or an authority without them`,
      )
    }
    const problem = namesProblem(names, limits, { comparisons })
    if (problem) {
      const why = problem.limit ? "take too many comparisons" : `do not allow it: ${problem.message}`
      return new X509Error("name_constraints", `its ${ruleNames[rule]} names the client, and name constraints ${why}`)
    }
  }
  return undefined
}

/** The leaf's names by the rule, in the forms that constraints know; none for a common name that is no host. */
function constrainedNames({ subject, extensions }: Certificate, rule: IdentityRule): readonly GeneralName[] {
  if (rule === "subject") return [{ kind: "directory", name: subject }]
  if (rule === "subject-cn") {
    const hosts = attributeValues(subject, Oid.commonName).filter(
      (name) => name.includes(".") && isHostName(name, true),
    )
    return hosts.map((value) => ({ kind: "dns", value }))
  }
  const kind = rule === "san-email" ? "email" : rule === "san-dns" ? "dns" : "uri"
  return (extensions.subjectAltName ?? []).filter((name) => name.kind === kind)
}

const ruleNames: Readonly<Record<IdentityRule, string>> = {
  "subject-cn": "common name",
  subject: "subject",
  "san-email": "e-mail address in its subjectAltName",
  "san-dns": "DNS name in its subjectAltName",
  "san-uri": "URI in its subjectAltName",
  "spki-sha256": "key",
}

function valuesOf(certificate: Certificate, rule: IdentityRule): string[] {
  const names = certificate.extensions.subjectAltName ?? []
  const of = (kind: "email" | "dns" | "uri"): string[] =>
    names.flatMap((name) => (name.kind === kind ? [name.value] : []))
  switch (rule) {
    case "subject-cn":
      return attributeValues(certificate.subject, Oid.commonName)
    case "subject":
      return certificate.subject.isEmpty ? [] : [nameText(certificate.subject)]
    case "san-email":
      return of("email")
    case "san-dns":
      return of("dns")
    default:
      return of("uri")
  }
}

function missing(message: string): X509Error {
  return new X509Error("identity_missing", message)
}

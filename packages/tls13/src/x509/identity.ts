// From a client's certificate to the name that an application knows it by, by a rule that the application chooses.

import { toHex } from "../bytes/hex.ts"
import type { CryptoProvider } from "../crypto/provider.ts"
import { type Certificate, parseCertificate } from "./certificate.ts"
import { attributeValues, nameText } from "./distinguished-name.ts"
import { X509Error } from "./errors.ts"
import type { PeerIdentity } from "./interfaces.ts"
import { Oid } from "./oids.ts"
import { spkiHash } from "./pins.ts"

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
  const values = valuesOf(parseCertificate(der), rule)
  const [value] = values
  if (value === undefined || value === "")
    throw missing(`the certificate of ${identity.subject} has no ${ruleNames[rule]}`)
  // Two names would leave it to chance which rights the client gets.
  if (values.length > 1)
    throw missing(
      `the certificate of ${identity.subject} has ${values.length} values of ${ruleNames[rule]}; exactly one is needed`,
    )
  if (/\p{Cc}/u.test(value)) throw missing(`the ${ruleNames[rule]} of the certificate has control characters`)
  return value
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

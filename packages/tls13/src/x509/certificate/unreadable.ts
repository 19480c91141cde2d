// Certificates that break a rule of their encoding: what can still be told of them, for people and for verifiers that prove
// nothing but the possession of a key. Nothing here is believed.

import { copyOf } from "../../bytes/copy.ts"
import { equalBytes } from "../../bytes/equal.ts"
import type { PublicKey } from "../../crypto/keys.ts"
import { contextConstructed, Der } from "../der/der.ts"
import { attempt, isReadable, X509Error } from "../errors.ts"
import type { CertificateVerification } from "../interfaces.ts"
import { keyProblem } from "../keys/key-policy.ts"
import { parseSpki, readSpki } from "../keys/spki.ts"
import { type DistinguishedName, nameText, readName, shownText } from "../names/distinguished-name.ts"
import type { Certificate } from "./certificate.ts"

/** The names that it gives, when they can be read although the rest cannot. */
export function claimedNames(
  der: Uint8Array,
): { readonly issuer: DistinguishedName; readonly subject: DistinguishedName } | undefined {
  const names = attempt(() => {
    const tbs = new Der(der).sequence("the certificate").sequence("tbsCertificate")
    tbs.optional(contextConstructed(0), "version")
    tbs.skip("serialNumber")
    tbs.skip("signature")
    const issuer = readName(tbs, "issuer")
    tbs.skip("validity")
    return { issuer, subject: readName(tbs, "subject") }
  })
  return names instanceof X509Error ? undefined : names
}

/** The key of a certificate, for who believes nothing else of it. */
export interface ClaimedKey {
  readonly publicKey: PublicKey
  /** The DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  /** For people; "(no subject)" for one that cannot be read. */
  readonly subject: string
}

/**
 * The key that it gives, in its place in tbsCertificate, whatever the rest of it is: verifiers that look at nothing but the key
 * take certificates that break rules of their encoding, such as an empty list of extensions. Its own encoding is read strictly.
 * @throws X509Error `malformed`, or `unsupported_key`
 */
export function claimedKey(bytes: Uint8Array): ClaimedKey {
  const der = copyOf(bytes)
  const tbs = new Der(der).sequence("the certificate").sequence("tbsCertificate")
  tbs.optional(contextConstructed(0), "version")
  for (const field of ["serialNumber", "signature", "issuer", "validity", "subject"]) tbs.skip(field)
  const spki = tbs.element("subjectPublicKeyInfo")
  const subject = claimedNames(der)?.subject
  return {
    publicKey: readSpki(spki),
    spki,
    subject: subject === undefined || subject.isEmpty ? "(no subject)" : shownText(nameText(subject)),
  }
}

/** The key of a peer's first certificate for such a verifier, before its CertificateVerify; undefined: none, or not usable. */
export function claimedLeafKey({
  chain: [leaf],
  type,
}: Pick<CertificateVerification, "chain" | "type">): PublicKey | undefined {
  if (leaf === undefined) return undefined
  const key = attempt(() => (type === "RawPublicKey" ? parseSpki(leaf) : claimedKey(leaf).publicKey))
  return key instanceof X509Error || keyProblem(key) !== undefined ? undefined : key
}

/** An unreadable certificate of a chain, by its place from 0 on. */
export interface Unreadable {
  readonly index: number
  readonly error: X509Error
}

/**
 * The unreadable certificate that is missed where an issuer is: one that has its name, or whose names nobody can read. That
 * is the cause then, and the missing issuer only what comes of it.
 * @param parsed each certificate of `chain`, or why it cannot be read
 */
export function missedIssuer(
  chain: readonly Uint8Array[],
  parsed: readonly (Certificate | X509Error)[],
): Unreadable | undefined {
  const read = parsed.filter(isReadable)
  for (const [index, error] of parsed.entries()) {
    if (!(error instanceof X509Error)) continue
    const names = claimedNames(chain[index]!)
    if (names === undefined || read.some(({ issuer }) => equalBytes(issuer.der, names.subject.der))) {
      return { index, error }
    }
  }
  return undefined
}

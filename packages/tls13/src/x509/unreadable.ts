// Certificates that break a rule of their encoding: what can still be told of them, for people. Nothing here is believed.

import { equalBytes } from "../bytes/equal.ts"
import type { Certificate } from "./certificate.ts"
import { contextConstructed, Der, Tag } from "./der.ts"
import { type DistinguishedName, readName } from "./distinguished-name.ts"
import { X509Error } from "./errors.ts"

/** The names that it gives, when they can be read although the rest cannot. */
export function claimedNames(
  der: Uint8Array,
): { readonly issuer: DistinguishedName; readonly subject: DistinguishedName } | undefined {
  try {
    const tbs = new Der(der).sequence("the certificate").sequence("tbsCertificate")
    tbs.optional(contextConstructed(0), "version")
    tbs.content(Tag.integer, "serialNumber")
    tbs.skip("signature")
    const issuer = readName(tbs, "issuer")
    tbs.skip("validity")
    return { issuer, subject: readName(tbs, "subject") }
  } catch (error) {
    if (error instanceof X509Error) return undefined
    throw error
  }
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
  const read = parsed.filter((each): each is Certificate => !(each instanceof X509Error))
  for (const [index, error] of parsed.entries()) {
    if (!(error instanceof X509Error)) continue
    const names = claimedNames(chain[index]!)
    if (names === undefined || read.some(({ issuer }) => equalBytes(issuer.der, names.subject.der))) {
      return { index, error }
    }
  }
  return undefined
}

// Complete certificate revocation lists (RFC 5280 section 5), version 2, as an authority of one's own issues them.

import { sha256 } from "../crypto/noble/hash.ts"
import { createNobleProvider } from "../crypto/noble/index.ts"
import type { CryptoProvider } from "../crypto/provider.ts"
import { contextConstructed } from "../x509/der/der.ts"
import { derInteger, derSequence, derSmall, derValue } from "../x509/der/der-writer.ts"
import * as Oid from "../x509/der/oids.ts"
import { toPem } from "../x509/der/pem.ts"
import type { Identity } from "./authority.ts"
import { encodeTime, signedStructure } from "./certificate.ts"
import { authorityKeyIdentifier, encodeExtension, keyIdentifier } from "./extensions.ts"
import { encodeName } from "./names.ts"

export interface RevocationListOptions {
  /** The authority whose certificates the list is about, and that signs it. */
  readonly issuer: Identity
  /** Certificates that are revoked, by their serial numbers (big-endian), from `now` on. */
  readonly revoked: readonly Uint8Array[]
  /** Milliseconds since 1970-01-01T00:00:00Z. The list counts from one hour before, for peers whose clock is behind. */
  readonly now: number
  /** How long the list counts after `now`. Default: 7. */
  readonly days?: number
  /** Each list has a higher number than the one before; default: `now` in seconds. */
  readonly number?: number
  /** Default: the noble provider. */
  readonly provider?: CryptoProvider
}

const hour = 3_600_000

/** @returns the PEM text (X509 CRL) */
export function createRevocationList(options: RevocationListOptions): string {
  const { issuer, revoked, now, days = 7, number = Math.floor(now / 1000) } = options
  const provider = options.provider ?? createNobleProvider()
  const from = encodeTime(now - hour)
  const extensions = [
    authorityKeyIdentifier(keyIdentifier(issuer.publicKey, sha256)),
    { oid: Oid.cRLNumber, critical: false, value: derSmall(number) },
  ]
  const der = signedStructure(issuer.privateKey, provider, undefined, (algorithm) =>
    derSequence(
      derSmall(1), // v2
      algorithm,
      encodeName(issuer.subject),
      from,
      encodeTime(now + days * 24 * hour),
      ...(revoked.length === 0 ? [] : [derSequence(...revoked.map((serial) => derSequence(derInteger(serial), from)))]),
      derValue(contextConstructed(0), derSequence(...extensions.map(encodeExtension))),
    ),
  )
  return toPem("X509 CRL", der)
}

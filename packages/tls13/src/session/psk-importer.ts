// RFC 9258: importing external PSKs. From one key come keys of their own for each KDF that a connection may use, each
// bound to the protocol, the KDF and a context. Refuses nothing that the RFC allows; its section 5.1 (identities and
// contexts of TLS 1.2) does not concern us.

import { ProtocolVersion } from "../bytes/code-points.ts"
import { copyOf } from "../bytes/copy.ts"
import { InvalidMessage, Misuse } from "../bytes/errors.ts"
import { Reader } from "../bytes/reader.ts"
import { Writer } from "../bytes/writer.ts"
import type { CryptoProvider, Hash } from "../crypto/provider.ts"
import { hkdfExpandLabel, hkdfExtract } from "../schedule/labels.ts"
import type { ExternalPsk } from "./session.ts"

/** The IANA registry "TLS KDF Identifiers" (RFC 9258 section 9). */
export const KdfIdentifier = { HKDF_SHA256: 0x0001, HKDF_SHA384: 0x0002 } as const

/** RFC 9258 section 5.1: what an imported key is named by on the wire, as PskIdentity.identity. */
export interface ImportedIdentity {
  /** The name under which both sides were given the key: 1 to 65535 bytes. */
  readonly externalIdentity: Uint8Array
  /** What the key is for, who uses it: 0 to 65535 bytes. */
  readonly context: Uint8Array
  readonly targetProtocol: number
  /** One of `KdfIdentifier`. */
  readonly targetKdf: number
}

export interface ImportOptions {
  /** external_identity: 1 to 65535 bytes, less 8 and the context's length. */
  readonly identity: Uint8Array
  /** The external PSK: at least 16 bytes, of high entropy (RFC 9257 section 6): never a password. */
  readonly key: Uint8Array
  /** Who uses the key and for what (RFC 9258 appendix B: both names and roles, against reflection). Default: nothing. */
  readonly context?: Uint8Array
  /** The hash that goes with the external PSK, "if no hash is specified, SHA-256" (section 5.1). */
  readonly hash?: "sha256" | "sha384"
  /** Its cipher suites say for which KDFs keys are made. */
  readonly provider: CryptoProvider
}

/** Keys of fewer bytes cannot have the 128 bits of entropy that RFC 9257 section 6 asks for. */
const shortestKey = 16

/**
 * The imported keys: one for each hash of the provider's cipher suites, in their order. A client offers all of them; a
 * server looks them up by identity. The external PSK itself is not used in TLS (RFC 9258 section 5).
 * @throws Misuse for an identity, a context or a key that cannot be used
 */
export function importPsk(options: ImportOptions): readonly ExternalPsk[] {
  const { identity, key, context = new Uint8Array(0), provider } = options
  if (identity.length === 0) throw new Misuse("the identity of a PSK has at least one byte")
  if (key.length < shortestKey) {
    throw new Misuse(`a PSK of ${key.length} bytes is too easy to guess: it has ${shortestKey} or more (RFC 9257)`)
  }
  const hashes = new Map(provider.cipherSuites.map(({ hash }) => [hash.name, hash]))
  const own = hashes.get(options.hash ?? "sha256")
  if (own === undefined) throw new Misuse(`the provider has no ${options.hash ?? "sha256"}, which the PSK goes with`)
  // Section 5.1: epskx = HKDF-Extract(0, epsk)
  const extracted = hkdfExtract(own, new Uint8Array(own.length), key)
  const imported = [...hashes.values()].flatMap((target): ExternalPsk[] => {
    const targetKdf = kdfOf(target)
    if (targetKdf === undefined || target.name === "sha512") return []
    const targetProtocol = ProtocolVersion.tls13
    const name = encodeImportedIdentity({ externalIdentity: identity, context, targetProtocol, targetKdf })
    // ipskx = HKDF-Expand-Label(epskx, "derived psk", Hash(ImportedIdentity), L), with the external PSK's own hash
    const derived = hkdfExpandLabel(own, extracted, "derived psk", own.digest(name), target.length)
    return [{ identity: name, key: derived, hash: target.name, kind: "imported" }]
  })
  extracted.fill(0)
  return imported
}

function kdfOf({ name }: Hash): number | undefined {
  if (name === "sha256") return KdfIdentifier.HKDF_SHA256
  return name === "sha384" ? KdfIdentifier.HKDF_SHA384 : undefined
}

/** @throws Misuse when it is longer than a PskIdentity.identity may be */
export function encodeImportedIdentity(imported: ImportedIdentity): Uint8Array {
  const { externalIdentity, context, targetProtocol, targetKdf } = imported
  const length = 2 + externalIdentity.length + 2 + context.length + 2 + 2
  if (length > 0xffff) throw new Misuse(`an imported identity of ${length} bytes: identity and context are too long`)
  return new Writer(length)
    .vector16(externalIdentity)
    .vector16(context)
    .uint16(targetProtocol)
    .uint16(targetKdf)
    .finish()
}

/**
 * What an identity on the wire names: for a server that keeps external PSKs and imports them when they are asked for.
 * undefined for one that is no ImportedIdentity: it is some other PSK's name.
 */
export function decodeImportedIdentity(identity: Uint8Array): ImportedIdentity | undefined {
  const reader = new Reader(identity, "ImportedIdentity")
  try {
    const imported = {
      externalIdentity: copyOf(reader.vector16("external_identity", 1)),
      context: copyOf(reader.vector16("context")),
      targetProtocol: reader.uint16(),
      targetKdf: reader.uint16(),
    }
    reader.expectEnd()
    return imported
  } catch (error) {
    if (error instanceof InvalidMessage) return undefined
    throw error
  }
}

// The certificate extensions that this package writes: RFC 5280 section 4.2.1.

import { copyOf } from "../bytes/copy.ts"
import type { PublicKey } from "../crypto/keys.ts"
import type { Hash } from "../crypto/provider.ts"
import { contextConstructed, contextPrimitive } from "../x509/der/der.ts"
import { derNull, derOctetString, derOid, derSequence, derSmall, derValue } from "../x509/der/der-writer.ts"
import * as Oid from "../x509/der/oids.ts"
import * as Tag from "../x509/der/tags.ts"
import { encodeSpki } from "../x509/keys/spki.ts"
import { encodeGeneralName, type GeneralName } from "./names.ts"

export interface Extension {
  readonly oid: string
  readonly critical: boolean
  /** DER of the extension's own structure: what extnValue wraps. */
  readonly value: Uint8Array
}

export function encodeExtension({ oid, critical, value }: Extension): Uint8Array {
  // X.690 section 11.5: critical is written only when it is not the default, FALSE.
  return derSequence(derOid(oid), ...(critical ? [derTrue()] : []), derOctetString(value))
}

/** @param pathLength how many certificates of authorities may follow below; undefined: any number */
export function basicConstraints(isAuthority: boolean, pathLength?: number): Extension {
  const content = isAuthority ? [derTrue(), ...(pathLength === undefined ? [] : [derSmall(pathLength)])] : []
  return { oid: Oid.basicConstraints, critical: true, value: derSequence(...content) }
}

/** The named bits of KeyUsage, in the order of their numbers. */
const keyUsageBits = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
] as const
export type KeyUsage = (typeof keyUsageBits)[number]

export function keyUsage(...uses: readonly KeyUsage[]): Extension {
  let bits = 0
  for (const use of uses) bits |= 0x80 >> keyUsageBits.indexOf(use)
  // X.690 section 11.2.2: trailing zero bits of named bits are left out.
  let unused = 0
  while (unused < 7 && (bits & (1 << unused)) === 0) unused++
  const content = bits === 0 ? Uint8Array.of(0) : Uint8Array.of(unused, bits)
  return { oid: Oid.keyUsage, critical: true, value: derValue(Tag.bitString, content) }
}

/** @param purposes object identifiers, such as `Oid.serverAuth` */
export function extendedKeyUsage(...purposes: readonly string[]): Extension {
  return { oid: Oid.extKeyUsage, critical: false, value: derSequence(...purposes.map(derOid)) }
}

/** @param critical when the subject is an empty name it must be (RFC 5280 section 4.2.1.6) */
export function subjectAltName(names: readonly GeneralName[], critical = false): Extension {
  return { oid: Oid.subjectAltName, critical, value: derSequence(...names.map(encodeGeneralName)) }
}

/** RFC 5280 section 4.2.1.10. */
export function nameConstraints(permitted: readonly GeneralName[], excluded: readonly GeneralName[] = []): Extension {
  const subtrees = (number: number, names: readonly GeneralName[]): Uint8Array[] =>
    names.length === 0
      ? []
      : [derValue(contextConstructed(number), ...names.map((name) => derSequence(encodeGeneralName(name))))]
  return {
    oid: Oid.nameConstraints,
    critical: true,
    value: derSequence(...subtrees(0, permitted), ...subtrees(1, excluded)),
  }
}

export function subjectKeyIdentifier(identifier: Uint8Array): Extension {
  return { oid: Oid.subjectKeyIdentifier, critical: false, value: derOctetString(identifier) }
}

export function authorityKeyIdentifier(identifier: Uint8Array): Extension {
  return {
    oid: Oid.authorityKeyIdentifier,
    critical: false,
    value: derSequence(derValue(contextPrimitive(0), identifier)),
  }
}

/** RFC 9345 section 4.2: the key may sign delegated credentials. Not critical, as it must not be. */
export function delegationUsage(): Extension {
  return { oid: Oid.delegationUsage, critical: false, value: derNull() }
}

/** RFC 5280 section 4.2.1.2 leaves the method open: 20 bytes of SHA-256 over the SubjectPublicKeyInfo. */
export function keyIdentifier(key: PublicKey, sha256: Hash): Uint8Array {
  return copyOf(sha256.digest(encodeSpki(key)).subarray(0, 20))
}

function derTrue(): Uint8Array {
  return derValue(Tag.boolean, Uint8Array.of(0xff))
}

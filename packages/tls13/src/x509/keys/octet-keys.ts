// Keys that are octets: EdDSA (RFC 8410) and ML-DSA (RFC 9881). One object identifier, without parameters, stands for such a
// key and for its signatures. The cryptography is a provider's.

import type { PublicKey } from "../../crypto/keys.ts"
import type { SignatureAlgorithmName } from "../../crypto/provider.ts"
import * as Oid from "../der/oids.ts"
import { malformed } from "../errors.ts"

export interface OctetKey {
  readonly type: Exclude<PublicKey["type"], "ec" | "rsa" | "rsa-pss">
  readonly algorithm: SignatureAlgorithmName
  readonly oid: string
  /** For people: `ML-DSA-65`. */
  readonly label: string
  /** Bytes of a public key. */
  readonly length: number
}

export const octetKeys: readonly OctetKey[] = [
  /* @__PURE__ */ row("ed25519", "ed25519", Oid.ed25519, "Ed25519", 32),
  /* @__PURE__ */ row("ed448", "ed448", Oid.ed448, "Ed448", 57),
  // FIPS 204 table 2.
  /* @__PURE__ */ row("ml-dsa-44", "mldsa44", "2.16.840.1.101.3.4.3.17", "ML-DSA-44", 1312),
  /* @__PURE__ */ row("ml-dsa-65", "mldsa65", "2.16.840.1.101.3.4.3.18", "ML-DSA-65", 1952),
  /* @__PURE__ */ row("ml-dsa-87", "mldsa87", "2.16.840.1.101.3.4.3.19", "ML-DSA-87", 2592),
]

function row(
  type: OctetKey["type"],
  algorithm: SignatureAlgorithmName,
  oid: string,
  label: string,
  length: number,
): OctetKey {
  return { type, algorithm, oid, label, length }
}

/** By its object identifier or its type. */
export function octetKey(name: string): OctetKey | undefined {
  return octetKeys.find(({ oid, type }) => oid === name || type === name)
}

/** The octets of a key, or of a part of one. @throws X509Error `malformed` for another length */
export function ofLength(bytes: Uint8Array, length: number, what: string): Uint8Array {
  if (bytes.length !== length) throw malformed(`the ${what} has ${bytes.length} bytes; it must have ${length}`)
  return bytes
}

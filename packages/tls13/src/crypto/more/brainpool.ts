import { NamedGroup } from "../../bytes/code-points.ts"
import { ecdh } from "../noble/ecdh.ts"
import { ecdsa } from "../noble/ecdsa.ts"
import { sha256, sha384, sha512 } from "../noble/hash.ts"
import type { ImmediateKeyExchange, SignatureAlgorithm } from "../provider.ts"
import { brainpoolCurves } from "./curves.ts"

// The curves of RFC 5639 in TLS 1.3 (RFC 8734): ECDH, and ECDSA with any of its hashes, as certificates combine them. Points,
// shares and signatures have the form of those on NIST curves. Side channels: those of the NIST curves of crypto/noble.

export type BrainpoolGroupName = "brainpoolP256r1tls13" | "brainpoolP384r1tls13" | "brainpoolP512r1tls13"

const parts = {
  brainpoolP256r1tls13: [brainpoolCurves.brainpoolP256r1, 32],
  brainpoolP384r1tls13: [brainpoolCurves.brainpoolP384r1, 48],
  brainpoolP512r1tls13: [brainpoolCurves.brainpoolP512r1, 64],
} as const

/** ECDH. All bits of the first byte are the order's. */
export function brainpoolGroup(name: BrainpoolGroupName): ImmediateKeyExchange {
  const [curve, length] = parts[name]
  return ecdh(name, NamedGroup[name], curve, length, 0xff)
}

/** ECDSA with SHA-256, SHA-384 and SHA-512. */
export function brainpoolSignatures(): readonly SignatureAlgorithm[] {
  return [
    ecdsa("ecdsa_brainpool_sha256", sha256, brainpoolCurves),
    ecdsa("ecdsa_brainpool_sha384", sha384, brainpoolCurves),
    ecdsa("ecdsa_brainpool_sha512", sha512, brainpoolCurves),
  ]
}

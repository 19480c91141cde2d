import type { ImmediateKeyExchange, SignatureAlgorithm } from "../provider.ts"
import { type BrainpoolGroupName, brainpoolGroup, brainpoolSignatures } from "./brainpool.ts"
import { ed448 } from "./ed448.ts"
import { type FfdheName, ffdhe } from "./ffdhe.ts"
import { x448 } from "./x448.ts"

// What else the registries of TLS 1.3 have, and few peers: groups and signatures that no provider has of itself. Put those that
// are wanted into a provider's lists; they go with every provider:
//   const provider = createFastProvider()
//   const config = { provider: { ...provider, keyExchanges: [...provider.keyExchanges, createX448(), createFfdhe("ffdhe3072")] } }
// All are of @noble/curves and the engine's BigInt: slower than what the providers have, and without its care for side channels,
// of which each file says what is left. The host's own (node:crypto) are not taken: its verifier takes Ed448 signatures that RFC
// 8032 lets everybody decide on, and its Diffie-Hellman looks for 0.3 s (ffdhe2048) to 40 s (ffdhe8192) whether the prime is one
// where OpenSSL is newer than 3.0.

export type { BrainpoolGroupName } from "./brainpool.ts"
export type { FfdheName } from "./ffdhe.ts"
export { generateBrainpoolKey, generateEd448Key, publicKeyOfAny } from "./keys.ts"

const brainpoolNames = ["brainpoolP256r1tls13", "brainpoolP384r1tls13", "brainpoolP512r1tls13"] as const
const ffdheNames = ["ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"] as const

/** Those that there are here of the groups and signature schemes of these names: for programs with options by name. */
export function createNamed(names: readonly string[]): {
  readonly keyExchanges: readonly ImmediateKeyExchange[]
  readonly signatures: readonly SignatureAlgorithm[]
} {
  const asked = <Name extends string>(all: readonly Name[]): readonly Name[] =>
    all.filter((name) => names.includes(name))
  return {
    keyExchanges: [
      ...(names.includes("x448") ? [createX448()] : []),
      ...asked(brainpoolNames).map(createBrainpool),
      ...asked(ffdheNames).map(createFfdhe),
    ],
    signatures: [
      ...(names.includes("ed448") ? [createEd448()] : []),
      ...(names.some((name) => name.startsWith("ecdsa_brainpool")) ? createBrainpoolSignatures() : []),
    ],
  }
}

/** The group x448: RFC 7748. Shares and secrets have 56 bytes. */
export function createX448(): ImmediateKeyExchange {
  return x448()
}

/** The signatures of certificates and CertificateVerify with Ed448 keys: RFC 8032, RFC 8410. */
export function createEd448(): SignatureAlgorithm {
  return ed448()
}

/**
 * Diffie-Hellman over a finite field of RFC 7919. Shares and secrets have as many bytes as the prime: 256 to 1024. The work grows
 * with the third power of that: ffdhe8192 takes a server 15 times what ffdhe2048 does, so offer no more than is needed.
 */
export function createFfdhe(name: FfdheName): ImmediateKeyExchange {
  return ffdhe(name)
}

/** ECDH on a curve of RFC 5639 with the code points of RFC 8734. Shares have 65, 97 or 129 bytes, secrets 32, 48 or 64. */
export function createBrainpool(name: BrainpoolGroupName): ImmediateKeyExchange {
  return brainpoolGroup(name)
}

/** ECDSA with keys on the three curves of RFC 8734, for certificates and CertificateVerify: one for each hash. */
export function createBrainpoolSignatures(): readonly SignatureAlgorithm[] {
  return brainpoolSignatures()
}

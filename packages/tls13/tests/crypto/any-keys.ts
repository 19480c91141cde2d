import type { BrainpoolCurve, EcCurve, PrivateKey } from "../../src/crypto/keys.ts"
import { generateBrainpoolKey, generateEd448Key, publicKeyOfAny } from "../../src/crypto/more/index.ts"
import { generateEcKey, generateEd25519Key } from "../../src/crypto/noble/index.ts"
import type { RandomSource } from "../../src/crypto/provider.ts"

// Keys of every kind but RSA's, which take a while.

export const nistCurves = ["P-256", "P-384", "P-521"] as const
export const brainpoolCurves: readonly BrainpoolCurve[] = ["brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"]

export const publicKeyOf = publicKeyOfAny

export function generateKey(kind: EcCurve | "ed25519" | "ed448", random: RandomSource): PrivateKey {
  switch (kind) {
    case "ed25519":
      return generateEd25519Key(random)
    case "ed448":
      return generateEd448Key(random)
    case "P-256":
    case "P-384":
    case "P-521":
      return generateEcKey(kind, random)
    default:
      return generateBrainpoolKey(kind, random)
  }
}

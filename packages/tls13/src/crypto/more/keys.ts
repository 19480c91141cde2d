import { draw } from "../draw.ts"
import type { BrainpoolCurve, PrivateKey, PublicKey } from "../keys.ts"
import { drawEcKey, ecPublicKey, publicKeyOf } from "../noble/key-pairs.ts"
import type { RandomSource } from "../provider.ts"
import { brainpoolCurves, nobleEd448 } from "./curves.ts"

// Keys for certificates: making them, and the public half of a private key.

export function generateEd448Key(random: RandomSource): PrivateKey {
  return { type: "ed448", seed: draw(random, 57) }
}

/** By rejection sampling (FIPS 186-5 appendix A.2.2). */
export function generateBrainpoolKey(curve: BrainpoolCurve, random: RandomSource): PrivateKey {
  return drawEcKey(curve, brainpoolCurves[curve](), random)
}

/** As `publicKeyOf` of crypto/noble, of all keys. @throws RangeError when the private key is out of range */
export function publicKeyOfAny(key: PrivateKey): PublicKey {
  if (key.type === "ed448") return { type: "ed448", bytes: nobleEd448().getPublicKey(key.seed) }
  if (key.type !== "ec" || !(key.curve in brainpoolCurves)) return publicKeyOf(key)
  return ecPublicKey(key, brainpoolCurves[key.curve as BrainpoolCurve]())
}

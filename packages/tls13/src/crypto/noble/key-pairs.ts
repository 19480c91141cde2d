import type { ECDSA } from "@noble/curves/abstract/weierstrass.js"
import { draw } from "../draw.ts"
import type { EcCurve, NistCurve, PrivateKey, PublicKey } from "../keys.ts"
import type { RandomSource } from "../provider.ts"
import { nobleEd25519, nobleP256, nobleP384, nobleP521 } from "./curves.ts"
import type { Curves } from "./ecdsa.ts"

// Keys for certificates: making them, and the public half of a private key (to see that a certificate and a key agree).
// RSA keys are made by crypto/rsa/generate.ts.

const curves: Curves = { "P-256": nobleP256, "P-384": nobleP384, "P-521": nobleP521 }

/** @throws RangeError when the private key is out of range, or of a kind that only `crypto/more`, or for ML-DSA `crypto/noble-pq`, has */
export function publicKeyOf(key: PrivateKey): PublicKey {
  if (key.type === "ed25519") return { type: "ed25519", bytes: nobleEd25519().getPublicKey(key.seed) }
  if (key.type === "rsa" || key.type === "rsa-pss") {
    return { type: key.type, modulus: key.modulus, exponent: key.exponent }
  }
  const curve = key.type === "ec" ? curves[key.curve]?.() : undefined
  if (curve === undefined || key.type !== "ec")
    throw new RangeError(`a key of ${"curve" in key ? key.curve : key.type} is for crypto/more or crypto/noble-pq`)
  return ecPublicKey(key, curve)
}

/** @throws RangeError when the private key is out of range */
export function ecPublicKey(key: PrivateKey & { readonly type: "ec" }, curve: ECDSA): PublicKey {
  if (!curve.utils.isValidSecretKey(key.secret)) throw new RangeError(`not a private key of ${key.curve}`)
  return { type: "ec", curve: key.curve, point: curve.getPublicKey(key.secret, false) }
}

export function generateEd25519Key(random: RandomSource): PrivateKey {
  return { type: "ed25519", seed: draw(random, 32) }
}

export function generateEcKey(curve: NistCurve, random: RandomSource): PrivateKey {
  return drawEcKey(curve, curves[curve]!(), random)
}

/** By rejection sampling (FIPS 186-5 appendix A.2.2). */
export function drawEcKey(curve: EcCurve, { Point, utils }: ECDSA, random: RandomSource): PrivateKey {
  for (;;) {
    const secret = draw(random, Point.Fn.BYTES)
    if (curve === "P-521") secret[0]! &= 0x01
    if (utils.isValidSecretKey(secret)) return { type: "ec", curve, secret }
  }
}

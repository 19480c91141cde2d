import { draw } from "../draw.ts"
import type { EcCurve, PrivateKey, PublicKey } from "../keys.ts"
import type { RandomSource } from "../provider.ts"
import { nobleEd25519, nobleP256, nobleP384, nobleP521 } from "./curves.ts"

// Keys for certificates: making them, and the public half of a private key (to see that a certificate and a key agree).
// RSA keys are made by crypto/rsa/generate.ts.

const curves = { "P-256": nobleP256, "P-384": nobleP384, "P-521": nobleP521 } as const

/** @throws RangeError when the private key is out of range */
export function publicKeyOf(key: PrivateKey): PublicKey {
  if (key.type === "ed25519") return { type: "ed25519", bytes: nobleEd25519().getPublicKey(key.seed) }
  if (key.type !== "ec") return { type: key.type, modulus: key.modulus, exponent: key.exponent }
  const curve = curves[key.curve]()
  if (!curve.utils.isValidSecretKey(key.secret)) throw new RangeError(`not a private key of ${key.curve}`)
  return { type: "ec", curve: key.curve, point: curve.getPublicKey(key.secret, false) }
}

export function generateEd25519Key(random: RandomSource): PrivateKey {
  return { type: "ed25519", seed: draw(random, 32) }
}

/** By rejection sampling (FIPS 186-5 appendix A.2.2). */
export function generateEcKey(curve: EcCurve, random: RandomSource): PrivateKey {
  const { Point, utils } = curves[curve]()
  for (;;) {
    const secret = draw(random, Point.Fn.BYTES)
    if (curve === "P-521") secret[0]! &= 0x01
    if (utils.isValidSecretKey(secret)) return { type: "ec", curve, secret }
  }
}

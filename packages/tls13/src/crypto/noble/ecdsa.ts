import type { ECDSA } from "@noble/curves/abstract/weierstrass.js"
import { draw } from "../draw.ts"
import type { EcCurve } from "../keys.ts"
import type { Hash, SignatureAlgorithm, SignatureAlgorithmName } from "../provider.ts"
import { nobleP256, nobleP384, nobleP521 } from "./curves.ts"
import { sha256, sha384, sha512 } from "./hash.ts"

// ECDSA (FIPS 186-5) of @noble/curves with any of its curves and SHA-2 hashes, as certificates combine them.
// Signatures are strict DER (RFC 9846 section 4.3.3, RFC 3279 section 2.2.3); high and low S are both right.
// Nonces are those of RFC 6979 with fresh entropy mixed in (its section 3.6), against fault attacks on repeated messages.

/** Those that an algorithm has. */
export type Curves = Readonly<Partial<Record<EcCurve, () => ECDSA>>>

export function ecdsa(name: SignatureAlgorithmName, hash: Hash, curves: Curves): SignatureAlgorithm {
  return {
    name,
    verify(key, message, signature) {
      // An uncompressed point only: noble would also take a compressed one.
      const curve = key.type === "ec" ? curves[key.curve] : undefined
      if (key.type !== "ec" || curve === undefined || key.point[0] !== 4) return false
      try {
        const options = { prehash: false, lowS: false, format: "der" } as const
        return curve().verify(signature, hash.digest(message), key.point, options)
      } catch {
        return false
      }
    },
    sign(key, message, random) {
      if (key.type !== "ec") throw new RangeError(`${name} cannot sign with a key of type ${key.type}`)
      const curve = curves[key.curve]?.()
      if (curve === undefined) throw new RangeError(`this ${name} has no ${key.curve}`)
      const length = curve.Point.Fn.BYTES
      if (key.secret.length !== length || !curve.utils.isValidSecretKey(key.secret)) {
        throw new RangeError(`not a private key of ${key.curve}`)
      }
      const extraEntropy = draw(random, length)
      return curve.sign(hash.digest(message), key.secret, { prehash: false, lowS: false, format: "der", extraEntropy })
    },
  }
}

const all: Curves = { "P-256": nobleP256, "P-384": nobleP384, "P-521": nobleP521 }

export const ecdsaSha256: SignatureAlgorithm = /* @__PURE__ */ ecdsa("ecdsa_sha256", sha256, all)
export const ecdsaSha384: SignatureAlgorithm = /* @__PURE__ */ ecdsa("ecdsa_sha384", sha384, all)
export const ecdsaSha512: SignatureAlgorithm = /* @__PURE__ */ ecdsa("ecdsa_sha512", sha512, all)

/** For a device that has no other curve: in the place of `ecdsaSha256`. */
export const ecdsaP256Sha256: SignatureAlgorithm = /* @__PURE__ */ ecdsa("ecdsa_sha256", sha256, { "P-256": nobleP256 })

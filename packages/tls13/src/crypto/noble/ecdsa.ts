import { p256, p384, p521 } from "@noble/curves/nist.js"
import { draw } from "../draw.ts"
import type { EcCurve } from "../keys.ts"
import type { Hash, SignatureAlgorithm, SignatureAlgorithmName } from "../provider.ts"
import { sha256, sha384, sha512 } from "./hash.ts"

// ECDSA (FIPS 186-5) of @noble/curves with any of its curves and SHA-2 hashes, as certificates combine them.
// Signatures are strict DER (RFC 9846 section 4.3.3, RFC 3279 section 2.2.3); high and low S are both right.
// Nonces are those of RFC 6979 with fresh entropy mixed in (its section 3.6), against fault attacks on repeated messages.

type NobleCurve = typeof p256

const secretLengths: Readonly<Record<EcCurve, number>> = { "P-256": 32, "P-384": 48, "P-521": 66 }

function nobleCurve(curve: EcCurve): NobleCurve {
  if (curve === "P-256") return p256
  return curve === "P-384" ? p384 : p521
}

function ecdsa(name: SignatureAlgorithmName, hash: Hash): SignatureAlgorithm {
  return {
    name,
    verify(key, message, signature) {
      // An uncompressed point only: noble would also take a compressed one.
      if (key.type !== "ec" || key.point[0] !== 4) return false
      try {
        const options = { prehash: false, lowS: false, format: "der" } as const
        return nobleCurve(key.curve).verify(signature, hash.digest(message), key.point, options)
      } catch {
        return false
      }
    },
    sign(key, message, random) {
      if (key.type !== "ec") throw new RangeError(`${name} cannot sign with a key of type ${key.type}`)
      const length = secretLengths[key.curve]
      const curve = nobleCurve(key.curve)
      if (key.secret.length !== length || !curve.utils.isValidSecretKey(key.secret)) {
        throw new RangeError(`not a private key of ${key.curve}`)
      }
      const extraEntropy = draw(random, length)
      return curve.sign(hash.digest(message), key.secret, { prehash: false, lowS: false, format: "der", extraEntropy })
    },
  }
}

export const ecdsaSha256: SignatureAlgorithm = /* @__PURE__ */ ecdsa("ecdsa_sha256", sha256)
export const ecdsaSha384: SignatureAlgorithm = /* @__PURE__ */ ecdsa("ecdsa_sha384", sha384)
export const ecdsaSha512: SignatureAlgorithm = /* @__PURE__ */ ecdsa("ecdsa_sha512", sha512)

import { equalBytes } from "../../bytes/equal.ts"
import type { SignatureAlgorithm } from "../provider.ts"
import { littleEndianToInteger } from "../rsa/integers.ts"
import { dom4, nobleEd448, shake256of114 } from "./curves.ts"

// Ed448 (RFC 8032 section 5.2) of @noble/curves, without a context, as RFC 8446 and RFC 8410 use it; by the rules that
// ed25519-rules.ts has for Ed25519:
//
// - The equation is the one without the cofactor, [S]B = R + [k]A, which section 5.2.7 calls sufficient.
// - A and R are canonical (sections 5.2.2 and 5.2.3). R is compared as bytes, so it has one form.
// - S is below the order.
// - A is not of small order (1, 2 or 4).
//
// Side channels: signing multiplies by secrets on BigInt, which has no constant time.

/** Bytes of an encoded point, of S and of a seed. */
const length = 57

export function ed448(): SignatureAlgorithm {
  return {
    name: "ed448",
    verify(key, message, signature) {
      if (key.type !== "ed448" || key.bytes.length !== length || signature.length !== 2 * length) return false
      const { Point } = nobleEd448()
      try {
        const r = signature.subarray(0, length)
        const a = Point.fromBytes(key.bytes)
        const s = littleEndianToInteger(signature.subarray(length))
        if (a.isSmallOrder() || s >= Point.Fn.ORDER) return false
        const k = Point.Fn.create(littleEndianToInteger(shake256of114(dom4(r, key.bytes, message))))
        // R = S * B - k * A.
        const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k))
        return equalBytes(expected.toBytes(), r)
      } catch {
        return false
      }
    },
    sign(key, message) {
      if (key.type !== "ed448") throw new RangeError(`ed448 cannot sign with a key of type ${key.type}`)
      if (key.seed.length !== length) throw new RangeError(`an Ed448 seed has ${length} bytes, not ${key.seed.length}`)
      return nobleEd448().sign(message, key.seed)
    },
  }
}

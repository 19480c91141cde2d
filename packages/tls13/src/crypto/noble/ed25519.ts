import { concatBytes } from "../../bytes/concat.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { isWellFormed } from "../ed25519-rules.ts"
import type { SignatureAlgorithm } from "../provider.ts"
import { littleEndianToInteger } from "../rsa/integers.ts"
import { nobleEd25519 as noble } from "./curves.ts"
import { sha512 } from "./hash.ts"

// Ed25519 (RFC 8032) of @noble/curves, by the rules of ed25519-rules.ts. Its own `verify` has the equation with the cofactor,
// so the one without it is put together here, of its points.

export const ed25519: SignatureAlgorithm = {
  name: "ed25519",
  verify(key, message, signature) {
    if (key.type !== "ed25519" || !isWellFormed(key.bytes, signature)) return false
    const { Point } = noble()
    try {
      const r = signature.subarray(0, 32)
      const a = Point.fromBytes(key.bytes)
      const s = littleEndianToInteger(signature.subarray(32))
      const k = Point.Fn.create(littleEndianToInteger(sha512.digest(concatBytes(r, key.bytes, message))))
      // R = S * B - k * A, compared as bytes, so that R needs no decoding and has one form only.
      const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k))
      return equalBytes(expected.toBytes(), r)
    } catch {
      return false
    }
  },
  sign(key, message) {
    if (key.type !== "ed25519") throw new RangeError(`ed25519 cannot sign with a key of type ${key.type}`)
    if (key.seed.length !== 32) throw new RangeError(`an Ed25519 seed has 32 bytes, not ${key.seed.length}`)
    return noble().sign(message, key.seed)
  },
}

import { concatBytes } from "../../../bytes/concat.ts"
import { copyOf } from "../../../bytes/copy.ts"
import { equalBytes } from "../../../bytes/equal.ts"
import { isWellFormed } from "../../ed25519-rules.ts"
import { sha512 } from "../../noble/hash.ts"
import type { SignatureAlgorithm } from "../../provider.ts"
import { bytesToInteger, integerToBytes } from "../../rsa/integers.ts"
import { Edwards25519 } from "./edwards25519.ts"

// Ed25519 (RFC 8032 section 5.1), over the kernel of edwards25519.ts, by the rules of ed25519-rules.ts.
//
// Side channels: the points are multiplied in constant time; what is left, r + k * a modulo the order, is one BigInt
// multiplication and reduction, as in the noble packages.

/** The order L of the base point. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

export function createEd25519(): SignatureAlgorithm {
  let made: Edwards25519 | undefined
  const curve = (): Edwards25519 => {
    made ??= new Edwards25519()
    return made
  }
  return {
    name: "ed25519",
    verify(key, message, signature) {
      if (key.type !== "ed25519" || !isWellFormed(key.bytes, signature)) return false
      const publicPoint = curve().decode(key.bytes)
      if (!publicPoint) return false
      const r = signature.subarray(0, 32)
      const s = fromLittleEndian(signature.subarray(32))
      const k = fromLittleEndian(sha512.digest(concatBytes(r, key.bytes, message))) % ORDER
      // R = S * B - k * A, compared as bytes, so that R needs no decoding and has one form only.
      const expected = curve().multiplyPublic(integerToBytes(s, 32), integerToBytes(k, 32), publicPoint)
      return equalBytes(curve().encode(expected), r)
    },
    sign(key, message) {
      if (key.type !== "ed25519") throw new RangeError(`ed25519 cannot sign with a key of type ${key.type}`)
      if (key.seed.length !== 32) throw new RangeError(`an Ed25519 seed has 32 bytes, not ${key.seed.length}`)
      const hash = sha512.digest(key.seed)
      hash[0]! &= 248
      hash[31] = (hash[31]! & 127) | 64
      const scalar = copyOf(hash.subarray(0, 32)).reverse()
      const a = bytesToInteger(scalar)
      const publicKey = curve().encode(curve().multiplyBase(scalar))
      const r = fromLittleEndian(sha512.digest(concatBytes(hash.subarray(32), message))) % ORDER
      const rPoint = curve().encode(curve().multiplyBase(integerToBytes(r, 32)))
      const k = fromLittleEndian(sha512.digest(concatBytes(rPoint, publicKey, message))) % ORDER
      const s = integerToBytes((r + k * a) % ORDER, 32).reverse()
      hash.fill(0)
      scalar.fill(0)
      return concatBytes(rPoint, s)
    },
  }
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytesToInteger(copyOf(bytes).reverse())
}

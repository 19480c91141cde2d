import { concatBytes } from "../../../bytes/concat.ts"
import { equalBytes } from "../../../bytes/equal.ts"
import { isWellFormed } from "../../ed25519-rules.ts"
import type { Hash, SignatureAlgorithm } from "../../provider.ts"
import type { Curve25519Kernel } from "./kernel.ts"

// Ed25519 (RFC 8032 section 5.1), by the rules of ed25519-rules.ts, over a kernel.

/** @param kernel makes the kernel at its first use */
export function ed25519Over(kernel: () => Curve25519Kernel, sha512: Hash): SignatureAlgorithm {
  return {
    name: "ed25519",
    verify(key, message, signature) {
      if (key.type !== "ed25519" || !isWellFormed(key.bytes, signature)) return false
      const r = signature.subarray(0, 32)
      const hash = sha512.digest(concatBytes(r, key.bytes, message))
      // R = S * B - k * A, compared as bytes, so that R needs no decoding and has one form only.
      const expected = kernel().ed25519Verify(key.bytes, signature.subarray(32), hash)
      return expected !== undefined && equalBytes(expected, r)
    },
    sign(key, message) {
      if (key.type !== "ed25519") throw new RangeError(`ed25519 cannot sign with a key of type ${key.type}`)
      if (key.seed.length !== 32) throw new RangeError(`an Ed25519 seed has 32 bytes, not ${key.seed.length}`)
      const curve = kernel()
      const hash = sha512.digest(key.seed)
      hash[0]! &= 248
      hash[31] = (hash[31]! & 127) | 64
      const a = hash.subarray(0, 32)
      const publicKey = curve.ed25519Base(a)
      const r = curve.ed25519Reduce(sha512.digest(concatBytes(hash.subarray(32), message)))
      const rPoint = curve.ed25519Base(r)
      const s = curve.ed25519Answer(r, sha512.digest(concatBytes(rPoint, publicKey, message)), a)
      hash.fill(0)
      r.fill(0)
      return concatBytes(rPoint, s)
    },
  }
}

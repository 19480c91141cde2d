import { ed25519 as noble } from "@noble/curves/ed25519.js"
import type { SignatureAlgorithm } from "../provider.ts"

// Ed25519 (RFC 8032) of @noble/curves by its strict rules: canonical encodings, S below the order, no small-order key.

export const ed25519: SignatureAlgorithm = {
  name: "ed25519",
  verify(key, message, signature) {
    if (key.type !== "ed25519") return false
    try {
      return noble.verify(signature, message, key.bytes, { zip215: false })
    } catch {
      return false
    }
  },
  sign(key, message) {
    if (key.type !== "ed25519") throw new RangeError(`ed25519 cannot sign with a key of type ${key.type}`)
    if (key.seed.length !== 32) throw new RangeError(`an Ed25519 seed has 32 bytes, not ${key.seed.length}`)
    return noble.sign(message, key.seed)
  },
}

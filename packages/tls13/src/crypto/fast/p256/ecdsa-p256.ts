import { p256 as noble } from "@noble/curves/nist.js"
import { copyOf } from "../../../bytes/copy.ts"
import { equalBytes } from "../../../bytes/equal.ts"
import { draw } from "../../draw.ts"
import { sha256 } from "../../noble/hash.ts"
import type { Hash, RandomSource, SignatureAlgorithm } from "../../provider.ts"
import { bytesToInteger, integerToBytes, invertMod } from "../../rsa/integers.ts"
import type { P256 } from "./p256.ts"

// ECDSA (FIPS 186-5 section 6.4) by keys of P-256, over the kernel of p256.ts. Nonces are those of RFC 6979 with fresh
// entropy mixed in (its section 3.6), as in the noble packages; DER is read and written by noble.
//
// Side channels: the nonce's point is computed in constant time. The arithmetic modulo the order is BigInt's, which has
// none: it sees the nonce and the private key multiplied by a random factor, fresh for each signature.

const LENGTH = 32
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/** @param others what answers for keys of other curves and types */
export function createEcdsa(curve: () => P256, others: SignatureAlgorithm, hash: Hash): SignatureAlgorithm {
  return {
    name: others.name,
    verify(key, message, signature) {
      if (key.type !== "ec" || key.curve !== "P-256") return others.verify(key, message, signature)
      const numbers = signatureNumbers(signature)
      const point = curve().decode(key.point)
      if (!numbers || !point) return false
      const { r, s } = numbers
      const w = invertMod(s, ORDER)!
      const e = hashNumber(hash, message)
      const [u1, u2] = [(e * w) % ORDER, (r * w) % ORDER]
      const sum = curve().multiplyPublic(integerToBytes(u1, LENGTH), integerToBytes(u2, LENGTH), point)
      const x = curve().encode(sum, "x")
      return x !== undefined && equalBytes(integerToBytes(bytesToInteger(x) % ORDER, LENGTH), integerToBytes(r, LENGTH))
    },
    sign(key, message, random) {
      if (key.type !== "ec" || key.curve !== "P-256") return others.sign(key, message, random)
      if (key.secret.length !== LENGTH || !noble.utils.isValidSecretKey(key.secret)) {
        throw new RangeError("not a private key of P-256")
      }
      const e = hashNumber(hash, message)
      const d = bytesToInteger(key.secret)
      for (const nonce of nonces(key.secret, integerToBytes(e, LENGTH), draw(random, LENGTH))) {
        const r = bytesToInteger(curve().encode(curve().multiplyBase(nonce), "x")!) % ORDER
        // s = (e + r d) / k, with e, d and k multiplied by the same random factor.
        const factor = randomFactor(random)
        const inverse = invertMod((factor * bytesToInteger(nonce)) % ORDER, ORDER)!
        const s = (inverse * ((factor * e + ((factor * d) % ORDER) * r) % ORDER)) % ORDER
        nonce.fill(0)
        if (r !== 0n && s !== 0n) return new noble.Signature(r, s).toBytes("der")
      }
      throw new Error("unreachable: nonces do not end")
    },
  }
}

/** The hash's leftmost 256 bits as a number modulo the order. */
function hashNumber(hash: Hash, message: Uint8Array): bigint {
  return bytesToInteger(hash.digest(message).subarray(0, LENGTH)) % ORDER
}

/** RFC 6979 sections 3.2 and 3.6 with HMAC-SHA-256: as many nonces as are asked for. */
function* nonces(secret: Uint8Array, digest: Uint8Array, entropy: Uint8Array): Generator<Uint8Array> {
  let v: Uint8Array = new Uint8Array(LENGTH).fill(0x01)
  let k: Uint8Array = new Uint8Array(LENGTH)
  const next = (...seed: readonly Uint8Array[]): void => {
    k = macOnce(k, v, ...seed)
    v = macOnce(k, v)
  }
  next(Uint8Array.of(0x00), secret, digest, entropy)
  next(Uint8Array.of(0x01), secret, digest, entropy)
  for (;;) {
    v = macOnce(k, v)
    if (noble.utils.isValidSecretKey(v)) yield copyOf(v)
    next(Uint8Array.of(0x00))
  }
}

function macOnce(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = sha256.hmac(key)
  const tag = mac.mac(...parts)
  mac.wipe()
  return tag
}

function randomFactor(random: RandomSource): bigint {
  for (;;) {
    const factor = bytesToInteger(draw(random, LENGTH + 8)) % ORDER
    if (factor !== 0n) return factor
  }
}

/** Strict DER, and both numbers in 1..n-1; otherwise undefined. */
function signatureNumbers(signature: Uint8Array): { readonly r: bigint; readonly s: bigint } | undefined {
  try {
    return noble.Signature.fromBytes(signature, "der")
  } catch {
    return undefined
  }
}

import { concatBytes } from "../../../bytes/concat.ts"
import { copyOf } from "../../../bytes/copy.ts"
import { draw } from "../../draw.ts"
import type { EcCurve } from "../../keys.ts"
import type { Hash, RandomSource, SignatureAlgorithm } from "../../provider.ts"
import { readSignature, writeSignature } from "./der.ts"
import type { CurveKernel } from "./kernel.ts"
import type { Scalars } from "./scalars.ts"

// ECDSA (FIPS 186-5 section 6.4) by keys of one curve, over a kernel. Nonces are those of RFC 6979 with fresh entropy mixed in
// (its section 3.6), as in the noble packages.

export interface EcdsaCurve {
  readonly name: EcCurve
  readonly scalars: Scalars
  /** Makes the kernel at its first use; undefined where there is none. */
  kernel(): CurveKernel | undefined
  /** As long as the order. */
  readonly nonceHash: Hash
}

/**
 * @param others what answers for keys of other curves and types, and where there is no kernel
 * @param hash of messages
 */
export function createEcdsa(
  { name, scalars, kernel, nonceHash }: EcdsaCurve,
  others: SignatureAlgorithm,
  hash: Hash,
): SignatureAlgorithm {
  const { length, isScalar, modOrder } = scalars
  /** FIPS 186-5 section 6.4.1: as many of the hash's leftmost bits as the order has. */
  const hashNumber = (message: Uint8Array): Uint8Array => {
    const digest = hash.digest(message)
    if (digest.length >= length) return digest.subarray(0, length)
    const number = new Uint8Array(length)
    number.set(digest, length - digest.length)
    return number
  }
  return {
    name: others.name,
    verify(key, message, signature) {
      const own = key.type === "ec" && key.curve === name ? kernel() : undefined
      if (own === undefined || key.type !== "ec") return others.verify(key, message, signature)
      const numbers = readSignature(signature, length)
      if (!numbers || key.point.length !== 1 + 2 * length || key.point[0] !== 4) return false
      return own.verify(numbers, hashNumber(message), key.point.subarray(1))
    },
    sign(key, message, random) {
      const own = key.type === "ec" && key.curve === name ? kernel() : undefined
      if (own === undefined || key.type !== "ec") return others.sign(key, message, random)
      if (!isScalar(key.secret)) throw new RangeError(`not a private key of ${name}`)
      const number = hashNumber(message)
      for (const nonce of nonces(nonceHash, scalars, key.secret, modOrder(number), random)) {
        const numbers = own.sign(nonce, key.secret, number, random)
        nonce.fill(0)
        if (numbers) return writeSignature(numbers)
      }
      throw new Error("unreachable: nonces do not end")
    },
  }
}

/** RFC 6979 sections 3.2 and 3.6 with a hash as long as the order: as many nonces as are asked for. */
function* nonces(
  hash: Hash,
  { length, isScalar }: Scalars,
  secret: Uint8Array,
  number: Uint8Array,
  random: RandomSource,
): Generator<Uint8Array> {
  let key: Uint8Array = new Uint8Array(length)
  let v: Uint8Array = new Uint8Array(length).fill(0x01)
  const seed = concatBytes(secret, number, draw(random, length))
  try {
    for (const seeds of [
      [Uint8Array.of(0x00), seed],
      [Uint8Array.of(0x01), seed],
    ])
      [key, v] = next(hash, key, v, seeds)
    for (;;) {
      const mac = hash.hmac(key)
      v = mac.mac(v)
      mac.wipe()
      if (isScalar(v)) yield copyOf(v)
      ;[key, v] = next(hash, key, v, [Uint8Array.of(0x00)])
    }
  } finally {
    seed.fill(0)
    key.fill(0)
    v.fill(0)
  }
}

/** K and V of RFC 6979 section 3.2, steps d and e. */
function next(
  hash: Hash,
  key: Uint8Array,
  v: Uint8Array,
  seeds: readonly Uint8Array[],
): readonly [key: Uint8Array, v: Uint8Array] {
  const old = hash.hmac(key)
  const nextKey = old.mac(v, ...seeds)
  old.wipe()
  const mac = hash.hmac(nextKey)
  const nextV = mac.mac(v)
  mac.wipe()
  return [nextKey, nextV]
}

import { concatBytes } from "../../../bytes/concat.ts"
import { copyOf } from "../../../bytes/copy.ts"
import { draw } from "../../draw.ts"
import type { Hash, RandomSource, SignatureAlgorithm } from "../../provider.ts"
import { readSignature, writeSignature } from "./der.ts"
import type { P256Kernel } from "./kernel.ts"
import { isScalar, modOrder } from "./scalars.ts"

// ECDSA (FIPS 186-5 section 6.4) by keys of P-256, over a kernel. Nonces are those of RFC 6979 with fresh entropy mixed in
// (its section 3.6), as in the noble packages.

const LENGTH = 32

/**
 * @param kernel makes the kernel at its first use
 * @param others what answers for keys of other curves and types
 * @param hash of messages
 * @param sha256 for nonces
 */
export function createEcdsa(
  kernel: () => P256Kernel,
  others: SignatureAlgorithm,
  hash: Hash,
  sha256: Hash,
): SignatureAlgorithm {
  /** FIPS 186-5 section 6.4.1: the hash's leftmost 256 bits. */
  const hashNumber = (message: Uint8Array): Uint8Array => hash.digest(message).subarray(0, LENGTH)
  return {
    name: others.name,
    verify(key, message, signature) {
      if (key.type !== "ec" || key.curve !== "P-256") return others.verify(key, message, signature)
      const numbers = readSignature(signature, LENGTH)
      if (!numbers || key.point.length !== 1 + 2 * LENGTH || key.point[0] !== 4) return false
      return kernel().verify(numbers, hashNumber(message), key.point.subarray(1))
    },
    sign(key, message, random) {
      if (key.type !== "ec" || key.curve !== "P-256") return others.sign(key, message, random)
      if (!isScalar(key.secret)) throw new RangeError("not a private key of P-256")
      const number = hashNumber(message)
      for (const nonce of nonces(sha256, key.secret, modOrder(number), random)) {
        const numbers = kernel().sign(nonce, key.secret, number, random)
        nonce.fill(0)
        if (numbers) return writeSignature(numbers)
      }
      throw new Error("unreachable: nonces do not end")
    },
  }
}

/** RFC 6979 sections 3.2 and 3.6 with HMAC-SHA-256: as many nonces as are asked for. */
function* nonces(sha256: Hash, secret: Uint8Array, number: Uint8Array, random: RandomSource): Generator<Uint8Array> {
  let key: Uint8Array = new Uint8Array(LENGTH)
  let v: Uint8Array = new Uint8Array(LENGTH).fill(0x01)
  const seed = concatBytes(secret, number, draw(random, LENGTH))
  try {
    for (const seeds of [
      [Uint8Array.of(0x00), seed],
      [Uint8Array.of(0x01), seed],
    ])
      [key, v] = next(sha256, key, v, seeds)
    for (;;) {
      const mac = sha256.hmac(key)
      v = mac.mac(v)
      mac.wipe()
      if (isScalar(v)) yield copyOf(v)
      ;[key, v] = next(sha256, key, v, [Uint8Array.of(0x00)])
    }
  } finally {
    seed.fill(0)
    key.fill(0)
    v.fill(0)
  }
}

/** K and V of RFC 6979 section 3.2, steps d and e. */
function next(
  sha256: Hash,
  key: Uint8Array,
  v: Uint8Array,
  seeds: readonly Uint8Array[],
): readonly [key: Uint8Array, v: Uint8Array] {
  const old = sha256.hmac(key)
  const nextKey = old.mac(v, ...seeds)
  old.wipe()
  const mac = sha256.hmac(nextKey)
  const nextV = mac.mac(v)
  mac.wipe()
  return [nextKey, nextV]
}

// Random bytes of node:crypto, drawn in bulk: a handshake asks for a few bytes half a dozen times, and each call of the system's
// library costs as much as a kilobyte of it.

import { randomFillSync } from "node:crypto"
import { copyOf } from "../../bytes/copy.ts"
import type { RandomSource } from "../provider.ts"

/** Bytes that are drawn at once. */
const poolSize = 1024
/** Longer ones are drawn for themselves. */
const longest = 128

/** What is given is in memory of its own and no longer in the pool, so nobody gets it twice and it is not there to be read. */
export function pooledRandom(): RandomSource {
  const pool = new Uint8Array(poolSize)
  let at = poolSize
  return (length) => {
    if (!(length <= longest)) {
      const own = new Uint8Array(length)
      randomFillSync(own)
      return own
    }
    if (at + length > poolSize) {
      randomFillSync(pool)
      at = 0
    }
    const given = copyOf(pool.subarray(at, at + length))
    pool.fill(0, at, at + length)
    at += length
    return given
  }
}

// Random bytes drawn in bulk: a handshake asks for a few bytes half a dozen times, and each call of a host's generator costs as
// much as a kilobyte of it.

import { copyOf } from "../bytes/copy.ts"
import { draw } from "./draw.ts"
import type { RandomSource } from "./provider.ts"

/** Bytes that are drawn at once. */
const poolSize = 1024
/** Longer ones are drawn for themselves. */
const longest = 128

/**
 * The bytes of a source, which is asked for 1,024 at a time, at most 65,536. What is given is in memory of its own and no longer
 * in the pool, so nobody gets it twice and it is not there to be read.
 */
export function pooledRandom(source: RandomSource): RandomSource {
  let pool: Uint8Array = new Uint8Array(0)
  let at = 0
  return (length) => {
    if (!(length <= longest)) return draw(source, length)
    if (at + length > pool.length) {
      pool = draw(source, poolSize)
      at = 0
    }
    const given = copyOf(pool.subarray(at, at + length))
    pool.fill(0, at, at + length)
    at += length
    return given
  }
}

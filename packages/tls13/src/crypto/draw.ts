import { copyOf } from "../bytes/copy.ts"
import type { RandomSource } from "./provider.ts"

/**
 * `length` bytes of a random source in memory of our own, to be kept, changed and wiped: what a source returns is its
 * own, may be a Buffer, and may be looked at by whoever wrote it.
 * @throws RangeError when it gave another length
 */
export function draw(random: RandomSource, length: number): Uint8Array {
  const drawn = random(length)
  if (drawn.length !== length) throw new RangeError(`the random source gave ${drawn.length} bytes instead of ${length}`)
  return copyOf(drawn)
}

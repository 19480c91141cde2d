// How far a small heap may grow before V8 collects all of it. After a collection V8 takes between 1.1 and 4 times of what is left, by
// how quick that was beside how quickly memory was taken. A broker under load that once got little collected its 17 MiB eight times
// a second from then on, for a third of its processor time, and whether it did was chance (docs/decisions/0028). Here it is 4 times.

import { versions } from "node:process"
import { getHeapStatistics, setFlagsFromString } from "node:v8"

const mebibyte = 1_048_576
/** Four times. */
const largestPercent = 300
/** Bytes in use from which on V8 decides. */
const small = 48 * mebibyte
/** Bytes: of a heap that may not have as much nothing is changed. */
const leastLimit = 256 * mebibyte
/** Milliseconds between two looks. */
const lookEach = 1000

/** V8's `heap-growing-percent` for a heap with so many bytes in use, of so many at most; 0: V8 decides. */
export function growingPercent(used: number, limit: number): number {
  return used < small && limit >= leastLimit ? largestPercent : 0
}

/**
 * Lets the heap of this process grow to four times of what is in use before all of it is collected, as long as that is less than
 * 48 MiB. For processes that are a broker and little else, as those of `puremq start`, on Node.js; on Bun and Deno, and where the
 * heap is limited to less than 256 MiB, nothing is changed.
 */
export function letSmallHeapGrow(): void {
  if (versions["bun"] !== undefined || versions["deno"] !== undefined) return
  let set = 0
  const look = () => {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
    const percent = growingPercent(used, limit)
    if (percent === set) return
    set = percent
    setFlagsFromString(`--heap-growing-percent=${percent}`)
  }
  look()
  setInterval(look, lookEach).unref()
}

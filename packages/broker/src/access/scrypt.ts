// scrypt (RFC 7914) as a value that is passed in: a runtime's own, which works beside the event loop, or this one.

import { scryptAsync } from "@noble/hashes/scrypt.js"

/** scrypt cost: N is 2^ln. A login of ln=15, r=8 needs 32 MiB and on a small machine 0.2 s of time. */
export interface ScryptCost {
  readonly ln: number
  readonly r: number
  readonly p: number
}

/** Derives `length` bytes. Rejects when the memory for it cannot be had. */
export type Scrypt = (password: Uint8Array, salt: Uint8Array, cost: ScryptCost, length: number) => Promise<Uint8Array>

/** Bytes of memory that one computation takes: 128 * r * (N + p). */
export function memoryOf({ ln, r, p }: ScryptCost): number {
  return 128 * r * (2 ** ln + p)
}

/** In JavaScript, for runtimes without one. On the event loop, which it gives a turn at least every 10 milliseconds. */
export const nobleScrypt: Scrypt = (password, salt, cost, length) => {
  const { ln, r, p } = cost
  return scryptAsync(password, salt, { N: 2 ** ln, r, p, dkLen: length, asyncTick: 10, maxmem: 2 * memoryOf(cost) })
}

// Randomness that can be had again: equal seeds give equal bytes, so that a run can be repeated to the last bit. It is no secret at all.

import type { RandomSource } from "@puremq/tls13"

/** xoshiro128** (Blackman and Vigna), seeded by splitmix32 of the seed and the purpose. */
export function seededRandom(seed: number, purpose: string): RandomSource {
  let mixed = seed >>> 0
  for (let i = 0; i < purpose.length; i++) mixed = Math.imul(mixed ^ purpose.charCodeAt(i), 0x01000193) >>> 0
  const next = () => {
    mixed = (mixed + 0x9e3779b9) >>> 0
    let z = mixed
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) >>> 0
  }
  const state = Uint32Array.of(next(), next(), next(), next())
  const draw = () => {
    const [a = 0, b = 0] = state
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9)
    state[2]! ^= a
    state[3]! ^= b
    state[1]! ^= state[2]!
    state[0]! ^= state[3]!
    state[2]! ^= b << 9
    state[3] = rotate(state[3]!, 11)
    return result
  }
  return (length) => Uint8Array.from({ length }, () => draw() >>> 24)
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

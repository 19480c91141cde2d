// A small seeded generator (mulberry32): equal seeds, equal runs.

export interface Random {
  /** 0 to `below` - 1. */
  integer(below: number): number
  /** True once in `times`. */
  oneIn(times: number): boolean
  pick<T>(list: readonly T[]): T
  bytes(length: number): Uint8Array
}

/** @param stream which of the runs of this seed: each execution has its own */
export function seeded(seed: number, stream = 0): Random {
  let state = (seed + Math.imul(stream, 0x9e3779b1)) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  const integer = (below: number): number => next() % below
  return {
    integer,
    oneIn: (times) => integer(times) === 0,
    pick: (list) => list[integer(list.length)]!,
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let i = 0; i < length; i++) bytes[i] = next() >>> 13
      return bytes
    },
  }
}

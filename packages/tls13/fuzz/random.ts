// A small seeded generator (mulberry32): equal seeds, equal runs.

export interface Random {
  /** 0 to `below` - 1. */
  integer(below: number): number
  pick<T>(list: readonly T[]): T
}

export function seeded(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  const integer = (below: number): number => next() % below
  return { integer, pick: (list) => list[integer(list.length)]! }
}

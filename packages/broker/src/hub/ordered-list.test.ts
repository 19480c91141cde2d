import { describe, expect, it } from "vitest"
import { OrderedList } from "./ordered-list.ts"

/** Repeatable numbers below `below`. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const all = (list: OrderedList<number>) => [...list.from(() => false)]

describe("an ordered list", () => {
  it.each([1, 2, 3])("is what a set and a sort are, whatever comes and goes (seed %i)", (seed) => {
    const random = numbers(seed)
    const list = new OrderedList<number>((a, b) => a - b)
    const model = new Set<number>()
    for (let i = 0; i < 6000; i++) {
      const value = random(3000)
      // Grows first, and shrinks then.
      const adds = random(10) < (i < 4000 ? 7 : 3)
      if (adds) {
        expect(list.add(value)).toBe(!model.has(value))
        model.add(value)
      } else expect(list.delete(value)).toBe(model.delete(value))
      expect(list.size).toBe(model.size)
      if (i % 500 !== 0) continue
      const sorted = [...model].sort((a, b) => a - b)
      expect(all(list)).toEqual(sorted)
      const from = random(3000)
      expect([...list.from((entry) => entry < from)]).toEqual(sorted.filter((entry) => entry >= from))
      expect(list.first((entry) => entry < from)).toBe(sorted.find((entry) => entry >= from))
      expect(list.rank((entry) => entry < from)).toBe(sorted.filter((entry) => entry < from).length)
    }
  })

  it("has nothing where there is nothing", () => {
    const list = new OrderedList<number>((a, b) => a - b)
    expect([all(list), list.first(() => false), list.rank(() => true), list.delete(1)]).toEqual([
      [],
      undefined,
      0,
      false,
    ])
    list.add(1)
    expect(list.add(1)).toBe(false)
    list.delete(1)
    expect([all(list), list.size]).toEqual([[], 0])
  })
})

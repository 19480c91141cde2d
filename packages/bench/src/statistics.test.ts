import { describe, expect, it } from "vitest"
import { drift, median, quartiles, ratios } from "./statistics.ts"

describe("statistics of the bench", () => {
  it("quartiles: of values in any order, which stay as they were", () => {
    const values = [5, 1, 4, 2, 3]
    expect(quartiles(values)).toEqual([2, 3, 4])
    expect(values).toEqual([5, 1, 4, 2, 3])
    expect(median([7])).toBe(7)
    // By number, not by text.
    expect(quartiles([100, 9, 20])[1]).toBe(20)
  })

  it("ratios: round by round, and never of different rounds", () => {
    expect(ratios([2, 9, 10], [1, 3, 5])).toEqual([2, 3, 2])
    expect(() => ratios([1, 2], [1])).toThrow(/2 samples beside 1/)
  })

  it("drift: the last three beside the three before them, whatever one of them met", () => {
    expect(drift([1, 1, 1, 1, 1])).toBeUndefined()
    expect(drift([50, 10, 10, 10, 10, 10, 10])).toBe(0)
    expect(drift([10, 10, 10, 11, 11, 11])).toBeCloseTo(0.1)
    expect(drift([10, 10, 500, 10, 10, 10])).toBe(0)
    expect(drift([20, 20, 20, 10, 10, 10])).toBe(-0.5)
  })
})

import { describe, expect, it } from "vitest"
import { type Contestant, compare, unsettled } from "./measure.ts"

/** Gives the values in order, the last one again and again, and notes each call. */
function scripted(name: string, values: readonly number[], calls: string[]): Contestant {
  let at = 0
  return {
    name,
    async measure() {
      calls.push(name)
      return values[Math.min(at++, values.length - 1)]!
    },
  }
}

describe("a comparison", () => {
  it("measures each once a round in turning order, after rounds that do not count, and compares within a round", async () => {
    const calls: string[] = []
    const { rows } = await compare("t", "x/s", 2, [scripted("a", [1, 10, 20], calls), scripted("b", [9, 5, 40], calls)])
    expect(calls.join("")).toBe("ab" + "ab" + "ba")
    expect(rows.map(({ samples }) => samples)).toEqual([
      [10, 20],
      [5, 40],
    ])
    // 0.5 and 2, not the ratio of medians.
    expect(rows[1]!.ratio).toEqual([0.5, 0.5, 2])
  })

  it("goes on with rounds that do not count while one drifts, up to twice as many", async () => {
    const settled: string[] = []
    await compare("t", "x/s", 1, [scripted("a", [7], settled)], 6)
    expect(settled).toHaveLength(6 + 1)
    const settling: string[] = []
    await compare("t", "x/s", 1, [scripted("a", [1, 1, 1, 9, 9, 9, 9, 9, 9], settling)], 6)
    expect(settling.length).toBeGreaterThan(6 + 1)
    expect(settling.length).toBeLessThan(12 + 1)
    const growing = scripted("a", [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096], [])
    const comparison = await compare("t", "x/s", 1, [growing], 6)
    expect(comparison.rows[0]!.samples).toEqual([4096])
    expect(unsettled(comparison).note).toMatch(/^not settled: a 700%$/)
  })

  it("warms up by a measurement of its own where there is one", async () => {
    const calls: string[] = []
    const warm = async () => calls.push("warm")
    await compare("t", "x/s", 2, [{ ...scripted("a", [7], calls), warm }], 3)
    expect(calls).toEqual(["warm", "warm", "warm", "a", "a"])
  })

  it("says nothing of drift when it was small, or could not be seen", async () => {
    expect(unsettled(await compare("t", "x/s", 1, [scripted("a", [7], [])], 6))).toEqual({})
    expect(unsettled(await compare("t", "x/s", 1, [scripted("a", [1, 9], [])], 1))).toEqual({})
  })
})

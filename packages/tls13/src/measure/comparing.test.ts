import { describe, expect, it } from "vitest"
import { mean } from "./quantiles.ts"
import { rankTest, signedRankTest, upperTail } from "./rank-test.ts"
import { pairedRatioOf, type RunValues, ratioOf, verdictOn } from "./ratio.ts"
import { seeded } from "./seeded.ts"

/** Of all ways to choose so many of the values: the share in which U is as far from its mean. By trying all of them. */
function exactRankP(one: readonly number[], other: readonly number[]): number {
  const all = [...one, ...other]
  const middle = (one.length * other.length) / 2
  const far = (chosen: readonly number[], rest: readonly number[]) => {
    let u = 0
    for (const a of chosen) for (const b of rest) u += a > b ? 1 : a === b ? 0.5 : 0
    return Math.abs(u - middle)
  }
  const limit = far(one, other)
  let [as, total] = [0, 0]
  for (let bits = 0; bits < 2 ** all.length; bits++) {
    const chosen = all.filter((_, i) => (bits >> i) & 1)
    if (chosen.length !== one.length) continue
    total++
    if (
      far(
        chosen,
        all.filter((_, i) => !((bits >> i) & 1)),
      ) >=
      limit - 1e-9
    )
      as++
  }
  return as / total
}

function exactSignedP(differences: readonly number[]): number {
  const sizes = differences.map(Math.abs)
  const rank = (size: number) => sizes.filter((each) => each <= size).length
  const sum = (signs: readonly boolean[]) => sizes.reduce((total, size, i) => total + (signs[i] ? rank(size) : 0), 0)
  const middle = (differences.length * (differences.length + 1)) / 4
  const limit = Math.abs(sum(differences.map((each) => each > 0)) - middle)
  let as = 0
  for (let bits = 0; bits < 2 ** differences.length; bits++) {
    const signs = differences.map((_, i) => ((bits >> i) & 1) === 1)
    if (Math.abs(sum(signs) - middle) >= limit - 1e-9) as++
  }
  return as / 2 ** differences.length
}

describe("rank tests", () => {
  it("give what counting all orders gives", () => {
    const uniform = seeded(4)
    for (const [m, n] of [
      [1, 1],
      [2, 3],
      [3, 3],
      [4, 5],
      [5, 5],
      [6, 4],
    ] as const) {
      for (let times = 0; times < 10; times++) {
        const one = Array.from({ length: m }, () => uniform() + 0.3)
        const other = Array.from({ length: n }, uniform)
        expect(rankTest(one, other).p).toBeCloseTo(exactRankP(one, other), 10)
      }
    }
  })

  it("of pairs give what counting all signs gives", () => {
    const uniform = seeded(5)
    for (let n = 1; n <= 10; n++) {
      const differences = Array.from({ length: n }, () => uniform() - 0.3)
      expect(signedRankTest(differences)).toBeCloseTo(exactSignedP(differences), 10)
    }
    expect([signedRankTest([]), signedRankTest([0, 0])]).toEqual([1, 1])
  })

  it("of many values, or with ties, come near it", () => {
    const one = [1, 2, 2, 3, 4, 5, 5, 6]
    const other = [3, 4, 5, 6, 7, 7, 8, 9]
    expect(rankTest(one, other).p / exactRankP(one, other)).toBeGreaterThan(0.7)
    expect(rankTest(one, other).p / exactRankP(one, other)).toBeLessThan(1.4)
    expect(rankTest([1, 1], [1, 1, 1]).p).toBe(1)
    const many = Array.from({ length: 60 }, (_, i) => i)
    expect(
      rankTest(
        many,
        many.map((each) => each + 0.5),
      ).p,
    ).toBeGreaterThan(0.5)
    expect(
      rankTest(
        many,
        many.map((each) => each + 30),
      ).p,
    ).toBeLessThan(1e-6)
  })

  it("know the normal distribution", () => {
    expect([0, 1.2816, 1.96, 2.5758].map(upperTail)).toEqual([0.5, 0.1, 0.025, 0.005].map((p) => expect.closeTo(p, 4)))
  })
})

/** Runs of slices: `level` with noise within a run, and of runs. */
function runsOf(count: number, level: number, within: number, between: number, seed: number): RunValues[] {
  const uniform = seeded(seed)
  const noise = () => uniform() + uniform() + uniform() - 1.5
  return Array.from({ length: count }, () => {
    const run = level * (1 + between * noise())
    return Array.from({ length: 20 }, () => run * (1 + within * noise()))
  })
}

describe("a ratio", () => {
  it("is that of the means, in an interval around it", () => {
    const [a, b] = [runsOf(5, 100, 0.05, 0.02, 1), runsOf(5, 130, 0.05, 0.02, 2)]
    const { ratio, low, high, p } = ratioOf(a, b)
    expect(ratio).toBeCloseTo(mean(b.map(mean)) / mean(a.map(mean)), 12)
    expect(low).toBeLessThan(ratio)
    expect(high).toBeGreaterThan(ratio)
    expect(high - low).toBeLessThan(0.1)
    expect(p).toBeCloseTo(2 / 252, 10)
    expect(verdictOn(ratioOf(a, b), [5, 5])).toMatch(/^differs: chance alone would do this in 0\.79% of cases/)
  })

  it("of equal sides has 1 in its interval about as often as it says", () => {
    const rounds = 100
    let held = 0
    for (let seed = 0; seed < rounds; seed++) {
      const { low, high } = ratioOf(runsOf(8, 50, 0.1, 0.05, 2 * seed), runsOf(8, 50, 0.1, 0.05, 2 * seed + 1))
      if (low <= 1 && high >= 1) held++
    }
    // 95 of 100; a bootstrap of so few runs is a little too sure.
    expect(held).toBeGreaterThan(80)
  })

  it("counts what differs from run to run: one run a side looks surer than it is, and says so", () => {
    const [a, b] = [runsOf(1, 100, 0.02, 0, 1), runsOf(1, 110, 0.02, 0, 2)]
    expect(verdictOn(ratioOf(a, b), [1, 1])).toMatch(/one run a side says nothing of what changes from run to run/)
    const wide = ratioOf(runsOf(6, 100, 0.02, 0.3, 1), runsOf(6, 110, 0.02, 0.3, 2))
    expect(wide.high - wide.low).toBeGreaterThan(0.15)
    expect(verdictOn(ratioOf(runsOf(2, 1, 0.01, 0.01, 1), runsOf(2, 2, 0.01, 0.01, 2)), [2, 2])).toMatch(
      /as far as 2 runs/,
    )
  })

  it("of runs in turns is free of what changes from turn to turn", () => {
    // The machine is up to twice as slow from turn to turn.
    const uniform = seeded(11)
    const turns = Array.from({ length: 8 }, () => 1 + uniform())
    const a = runsOf(8, 100, 0.02, 0.01, 1).map((run, i) => run.map((value) => value / turns[i]!))
    const b = runsOf(8, 106, 0.02, 0.01, 2).map((run, i) => run.map((value) => value / turns[i]!))
    const [paired, alone] = [pairedRatioOf(a, b), ratioOf(a, b)]
    expect(paired.ratio).toBeCloseTo(1.06, 1)
    expect(paired.low).toBeGreaterThan(1)
    expect(paired.p).toBeCloseTo(2 / 2 ** 8, 10)
    expect(alone.low).toBeLessThan(1)
    expect(verdictOn(paired, [8, 8])).toMatch(/^differs: chance alone/)
    expect(verdictOn(pairedRatioOf(a.slice(0, 5), b.slice(0, 5)), [5, 5])).toMatch(/6 or more would show it/)
  })

  it("of runs in turns is as unsure as its pairs differ", () => {
    const level = (value: number) => [value, value, value, value]
    const a = Array.from({ length: 6 }, () => level(100))
    const { low, high } = pairedRatioOf(a, [80, 90, 100, 110, 120, 130].map(level))
    expect(low).toBeGreaterThan(0.8)
    expect(low).toBeLessThan(0.95)
    expect(high).toBeGreaterThan(1.1)
    expect(high).toBeLessThan(1.3)
  })

  it("without a figure says that nothing can be compared", () => {
    expect(verdictOn(ratioOf([[0]], [[0]]), [1, 1])).toBe("cannot be compared")
  })

  it("is the same each time", () => {
    const [a, b] = [runsOf(3, 100, 0.05, 0.02, 1), runsOf(3, 101, 0.05, 0.02, 2)]
    expect(ratioOf(a, b)).toEqual(ratioOf(a, b))
    expect(pairedRatioOf(a, b)).toEqual(pairedRatioOf(a, b))
  })
})

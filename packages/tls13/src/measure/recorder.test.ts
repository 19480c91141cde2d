import { describe, expect, it } from "vitest"
import { distributionOf } from "./distribution.ts"
import { Recorder } from "./recorder.ts"
import { seeded } from "./seeded.ts"

function recorded(values: readonly number[]): Recorder {
  const recorder = new Recorder()
  for (const value of values) recorder.record(value)
  return recorder
}

describe("a recorder", () => {
  const uniform = seeded(7)
  const values = Array.from({ length: 20_000 }, () => 0.05 * Math.exp(6 * uniform()))

  it("has the quantiles of its values within 0.6%, and the rest exactly", () => {
    const exact = distributionOf(values)!
    const found = recorded(values).distribution()!
    expect(found).toMatchObject({ count: 20_000, min: exact.min, max: exact.max })
    expect(found.mean).toBeCloseTo(exact.mean, 3)
    for (const name of ["p50", "p90", "p99", "p999"] as const)
      expect(Math.abs(found[name] / exact[name] - 1), name).toBeLessThan(0.006)
  })

  it("is the same added up, and by way of JSON", () => {
    const [one, other] = [recorded(values.slice(0, 700)), recorded(values.slice(700))]
    const sum = new Recorder()
    for (const each of [one, other]) sum.merge(JSON.parse(JSON.stringify(each)))
    const { mean, ...rest } = recorded(values).distribution()!
    expect(sum.distribution()).toMatchObject(rest)
    expect(sum.distribution()!.mean).toBeCloseTo(mean, 9)
  })

  it("never says more than what was recorded", () => {
    expect(recorded([3]).distribution()).toMatchObject({ min: 3, p50: 3, p999: 3, max: 3 })
    expect(recorded([0, 0, 5]).distribution()).toMatchObject({ min: 0, p50: 0, max: 5 })
    const nothing = new Recorder()
    expect(nothing.distribution()).toBeNull()
    expect([nothing.quantile(0), nothing.quantile(0.5), nothing.quantile(1)]).toEqual([
      Number.NaN,
      Number.NaN,
      Number.NaN,
    ])
    const merged = new Recorder()
    merged.merge(JSON.parse(JSON.stringify(nothing)))
    expect(merged.distribution()).toBeNull()
    merged.merge(recorded([3]).toJSON())
    merged.merge(JSON.parse(JSON.stringify(nothing)))
    expect(merged.distribution()).toMatchObject({ count: 1, min: 3, max: 3 })
  })
})

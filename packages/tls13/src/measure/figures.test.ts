import { describe, expect, it } from "vitest"
import { distributionOf } from "./distribution.ts"
import { Histogram, histogramOf } from "./histogram.ts"
import { boxOf, mean, median, quantile } from "./quantiles.ts"
import { seeded } from "./seeded.ts"
import { countOf, csvCell, figure, percent, textTable } from "./text-table.ts"

/** Of a long tail, as latencies have. */
function latencies(count: number, seed: number): number[] {
  const uniform = seeded(seed)
  return Array.from({ length: count }, () => 0.5 + Math.exp(3 * uniform() ** 3) * (1 + uniform()))
}

/** By the definition: the smallest value that at least the share of them does not exceed. */
function byDefinition(values: readonly number[], share: number): number {
  const enough = (value: number) => values.filter((each) => each <= value).length >= share * values.length - 1e-9
  return Math.min(...values.filter(enough))
}

const shares = [0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1]

describe("quantiles", () => {
  it("are those of the definition, and always a value that is there", () => {
    for (const count of [1, 2, 3, 10, 99, 100, 101, 1000]) {
      const values = latencies(count, count)
      const sorted = [...values].sort((a, b) => a - b)
      for (const share of shares) expect(quantile(sorted, share)).toBe(byDefinition(values, share))
    }
  })

  it("of shares that are no exact binary number are not one rank off", () => {
    const sorted = Array.from({ length: 1000 }, (_, i) => i + 1)
    expect([0.9, 0.99, 0.999].map((share) => quantile(sorted, share))).toEqual([900, 990, 999])
  })

  it("of nothing are not a number", () => {
    expect([quantile([], 0.5), mean([]), median([])]).toEqual([Number.NaN, Number.NaN, Number.NaN])
    expect([distributionOf([]), boxOf([])]).toEqual([null, undefined])
  })

  it("a median lies between the two in the middle", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([2, 2.5])
  })

  it("the whiskers of a box end within one and a half times its height", () => {
    expect(boxOf([1, 2, 3, 4, 5, 6, 7, 8, 100])).toEqual({ low: 1, q1: 3, median: 5, q3: 7, high: 8, outside: 1 })
  })

  it("a distribution has the exact ones", () => {
    const values = latencies(5000, 7)
    const { count, min, p50, p99, p999, max } = distributionOf(values)!
    expect(count).toBe(5000)
    const exact = [0, 0.5, 0.99, 0.999, 1].map((share) => byDefinition(values, share))
    for (const [i, value] of [min, p50, p99, p999, max].entries()) expect(value).toBeCloseTo(exact[i]!, 3)
  })
})

describe("a histogram", () => {
  it("gives each quantile to within 1.1%, over nine powers of ten", () => {
    const uniform = seeded(3)
    const values = Array.from({ length: 20_000 }, () => 10 ** (9 * uniform() - 4))
    const sorted = [...values].sort((a, b) => a - b)
    const histogram = histogramOf(values)
    for (const share of shares) {
      const exact = quantile(sorted, share)
      expect(Math.abs(histogram.quantile(share) / exact - 1)).toBeLessThan(0.011)
    }
  })

  it("has each value in the bucket whose bounds hold it, also at the bounds", () => {
    for (const value of [1, 2, 4, 1024, 2 ** -10, 0.3, 1e-6, 12_345.678, 2 ** (1 / 64), 2 ** (63 / 64)]) {
      const [bucket] = histogramOf([value]).buckets()
      expect(bucket!.from).toBeLessThan(value)
      expect(bucket!.to).toBeGreaterThanOrEqual(value * (1 - 1e-12))
      expect(bucket!.to / bucket!.from).toBeCloseTo(2 ** (1 / 64), 10)
    }
  })

  it("counts what is not above 0 apart", () => {
    const histogram = histogramOf([0, -1, 5])
    expect([histogram.total, histogram.toJSON().zeros, histogram.quantile(0.5)]).toEqual([3, 2, 0])
  })

  it("of two halves is that of the whole, also through JSON", () => {
    const values = [...latencies(999, 5), 0]
    const halves = histogramOf(values.slice(0, 300))
    halves.merge(JSON.parse(JSON.stringify(histogramOf(values.slice(300)))))
    expect(halves.toJSON()).toEqual(histogramOf(values).toJSON())
    expect(halves.total).toBe(1000)
  })

  it("of another scale is refused", () => {
    expect(() => new Histogram().merge({ scale: 3, zeros: 0, offset: 0, counts: [1] })).toThrow(/scale 3/)
  })
})

describe("numbers that follow from a seed", () => {
  it("are the same for the same seed, others for another, and even", () => {
    const draw = (seed: number) => {
      const uniform = seeded(seed)
      return Array.from({ length: 10_000 }, uniform)
    }
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)[0]).not.toBe(draw(2)[0])
    const values = draw(9)
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...values)).toBeLessThan(1)
    expect(mean(values)).toBeCloseTo(0.5, 1)
    for (const from of [0, 0.1, 0.5, 0.9])
      expect(values.filter((value) => value >= from && value < from + 0.1).length / 1000).toBeCloseTo(1, 0)
  })
})

describe("figures for people", () => {
  it("have three digits, and whole numbers are whole", () => {
    expect([0, 3, 0.0000123, 0.000872, 0.01234, 1.2345, 12.345, 1234.5, 7_654_321].map(figure)).toEqual([
      "0",
      "3",
      "1.2e-5",
      "0.00087",
      "0.0123",
      "1.23",
      "12.3",
      "1,235",
      "7,654,321",
    ])
    expect([figure(undefined), figure(null), figure(Number.NaN)]).toEqual(["-", "-", "-"])
    expect([percent(0.0123), percent(0.5), percent(1)]).toEqual(["1.2%", "50%", "100%"])
    expect([countOf(1, "flight"), countOf(2, "flight"), countOf(3, "process")]).toEqual([
      "1 flight",
      "2 flights",
      "3 processes",
    ])
  })

  it("stand below each other", () => {
    expect(
      textTable([
        ["", "a"],
        ["longer", "12"],
        ["x", "3"],
      ]),
    ).toEqual(["         a", "longer  12", "x        3"])
  })

  it("RFC 4180: cells with commas, quotes and line ends are quoted", () => {
    expect(['a,"b"', "c\nd", "e", 1.5, true, null, undefined, Number.NaN].map(csvCell)).toEqual([
      '"a,""b"""',
      '"c\nd"',
      "e",
      "1.5",
      "true",
      "",
      "",
      "",
    ])
  })
})

import { describe, expect, it } from "vitest"
import { EventLoopDelay, lookEach } from "./event-loop.ts"
import { countsSince, Histogram, percentile } from "./histogram.ts"

describe("a histogram", () => {
  it("counts a value that is the end of a bucket in it, and one that is past all in the last", () => {
    const histogram = new Histogram([1, 2, 5])
    for (const value of [0.5, 1, 1.5, 2, 5, 5.1, Number.POSITIVE_INFINITY]) histogram.observe(value)
    const { bounds, counts, count } = histogram.read()
    expect([bounds, counts, count]).toEqual([[1, 2, 5], [2, 2, 1, 2], 7])
  })

  it("what is no number, or below 0, is 0", () => {
    const histogram = new Histogram([1])
    for (const value of [-1, Number.NaN, 0]) histogram.observe(value)
    expect(histogram.read()).toEqual({ bounds: [1], counts: [3, 0], sum: 0, count: 3 })
  })

  it("scales what is observed", () => {
    const histogram = new Histogram([0.001, 0.01], 0.001)
    histogram.observe(5)
    expect(histogram.read()).toMatchObject({ counts: [0, 1, 0], sum: 0.005 })
  })

  it.each([[[2, 1]], [[1, 1]], [[Number.NaN]], [[1, Number.POSITIVE_INFINITY]]])("refuses %j", (bounds) => {
    expect(() => new Histogram(bounds)).toThrow(RangeError)
  })

  it("percentiles are within their bucket, as PromQL has them", () => {
    const histogram = new Histogram([1, 2, 4])
    expect(percentile(histogram.read(), 0.5)).toBeUndefined()
    for (let i = 0; i < 50; i++) histogram.observe(0.5)
    for (let i = 0; i < 50; i++) histogram.observe(3)
    const read = histogram.read()
    expect(percentile(read, 0.25)).toBe(0.5)
    expect(percentile(read, 0.5)).toBe(1)
    expect(percentile(read, 0.75)).toBe(3)
    expect(percentile(read, 1)).toBe(4)
    expect(percentile(read, 7)).toBe(4)
    histogram.observe(1000)
    expect(percentile(histogram.read(), 1)).toBe(4)
  })

  it("says what came between two readings", () => {
    const histogram = new Histogram([1, 2])
    histogram.observe(1)
    const before = histogram.read()
    histogram.observe(1.5)
    expect(countsSince(histogram.read(), before)).toEqual({ bounds: [1, 2], counts: [0, 1, 0], sum: 1.5, count: 1 })
  })

  it("observing allocates nothing", () => {
    const histogram = new Histogram([1, 2, 5, 10], 0.001)
    const values = Float64Array.from({ length: 1000 }, (_, i) => i * 11.7)
    const observe = (times: number) => {
      for (let i = 0; i < times; i++) histogram.observe(values[i % 1000]!)
    }
    observe(200_000)
    const before = process.memoryUsage().heapUsed
    observe(200_000)
    // A number on the heap each would be 3 MB and more.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(1_500_000)
  })
})

describe("the delay of the event loop", () => {
  it("is how late a timer is; a stop counts for each look that it has swallowed", () => {
    const seen: number[] = []
    const delay = new EventLoopDelay({ observe: (value) => seen.push(value) }, 0)
    delay.look(lookEach)
    delay.look(2 * lookEach + 3)
    expect(seen).toEqual([0, 3])
    seen.length = 0
    // Due at 303: 350 late.
    delay.look(3 * lookEach + 3 + 350)
    expect(seen).toEqual([350, 250, 150, 50])
    delay.look(4 * lookEach + 3 + 350)
    expect(seen.at(-1)).toBe(0)
  })

  it("a machine that slept for a day counts as a minute's looks", () => {
    const seen: number[] = []
    const delay = new EventLoopDelay({ observe: (value) => seen.push(value) }, 0)
    delay.look(86_400_000)
    expect(seen).toHaveLength(600)
  })
})

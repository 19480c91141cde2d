import { describe, expect, it } from "vitest"
import { growthPlot } from "./growth-plots.ts"
import { barRowsPlot, boxRowsPlot, wantedPlot } from "./row-plots.ts"

const numbers = (svg: string, pattern: RegExp): number[] => [...svg.matchAll(pattern)].map((match) => Number(match[1]))
const told = { label: "what it shows", axis: "ms" }

describe("box plots of rows", () => {
  const rows = [
    { name: "<a>", colour: 0, values: [10, 11, 12, 13, 40] },
    { name: "b", colour: 1, values: [20, 20, 20, 20, 20] },
  ]

  it("have a box, a median and each value of a row at its place", () => {
    const svg = boxRowsPlot(rows, told)
    expect(numbers(svg, /<circle cx="([\d.]+)"/g)).toHaveLength(10)
    // 40 is twice 20 and four times 10, from the left edge on.
    const at = numbers(svg, /<circle cx="([\d.]+)"/g).map((x) => x - 8)
    expect(at[4]! / at[0]!).toBeCloseTo(4, 1)
    expect(at[4]! / at[5]!).toBeCloseTo(2, 1)
    // Quartiles of the first row are 11 and 13, and 40 is outside of its whiskers.
    const [from] = numbers(svg, /<rect x="([\d.]+)"/g)
    expect(from! - 8).toBeCloseTo(11 * (at[0]! / 10), 0)
    expect(svg).toContain("what it shows")
    expect(svg).toContain("&lt;a&gt;: 12")
    expect(svg).not.toContain("<a>")
  })

  it("have a logarithmic axis, and say so, where values are far apart", () => {
    expect(boxRowsPlot(rows, told)).not.toContain("logarithmic")
    const wide = boxRowsPlot([...rows, { name: "c", colour: 2, values: [1000] }], told)
    expect(wide).toContain("ms, on a logarithmic axis")
  })

  it("of one value each are bars that begin at 0", () => {
    const svg = barRowsPlot(
      [
        { name: "a", colour: 0, values: [3] },
        { name: "b", colour: 1, values: [9], told: "nine" },
      ],
      told,
    )
    const [a, b] = numbers(svg, /<rect class="fill s\d" x="8" width="([\d.]+)"/g)
    expect(b! / a!).toBeCloseTo(3, 1)
    expect(svg).toContain(">nine</text>")
  })
})

describe("a bar beside what is wanted", () => {
  const at = (svg: string) => Number(/class="at" cx="([\d.]+)"/.exec(svg)![1])
  const goals = (svg: string) => numbers(svg, /class="goal" x1="([\d.]+)"/g)
  const good = (svg: string) => {
    const [, x, width] = /class="good" x="([\d.]+)" width="([\d.]+)"/.exec(svg)!
    return [Number(x), Number(x) + Number(width)] as const
  }

  it("has the measured value on the tinted side where the target is met, and only there", () => {
    for (const [spread, target, isMet] of [
      [[0.1, 0.11, 0.12], { most: 0.12 }, true],
      [[0.2, 0.21, 0.3], { most: 0.12 }, false],
      [[3, 3.1, 3.2], { least: 2.5 }, true],
      [[0.4, 0.5, 0.6], { least: 1 }, false],
      [[0.9, 1.04, 1.2], { least: 0.9, most: 1.1 }, true],
    ] as const) {
      const svg = wantedPlot({ spread, ...target })
      const [from, to] = good(svg)
      expect(at(svg) >= from && at(svg) <= to).toBe(isMet)
    }
    expect(goals(wantedPlot({ spread: [1, 1, 1], least: 0.9, most: 1.1 }))).toHaveLength(2)
  })

  it("stays within its drawing however far off, and is empty where nothing is wanted", () => {
    for (const value of [0, 0.0001, 1e6, -3]) {
      const x = at(wantedPlot({ spread: [value, value, value], most: 1 }))
      expect(x >= 3 && x <= 147).toBe(true)
    }
    expect(wantedPlot({ spread: [1, 1, 1] })).toBe("")
  })
})

describe("growth curves", () => {
  it("have a point, with its quartiles, at each size, and ticks there", () => {
    const points = [16, 256, 4096].map((x) => ({ x, values: [x, 2 * x, 3 * x] }))
    const svg = growthPlot([{ name: "a & b", colour: 3, points }], { label: "l", x: "bytes", y: "MB/s" })
    const xs = numbers(svg, /<circle class="dot" cx="([\d.]+)"/g)
    // Equal factors are equally far apart.
    expect(xs[1]! - xs[0]!).toBeCloseTo(xs[2]! - xs[1]!, 0)
    expect(numbers(svg, /class="quartiles" x1="([\d.]+)"/g)).toEqual(xs)
    expect(svg).toContain(">4,096</text>")
    expect(svg).toContain("MB/s, on a logarithmic axis")
    expect(svg).toContain("a &amp; b")
  })

  it("are nothing without points", () => {
    expect(growthPlot([], { label: "l", x: "bytes", y: "MB/s" })).toBe("")
  })
})

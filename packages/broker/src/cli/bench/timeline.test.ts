import { describe, expect, it } from "vitest"
import { Timeline } from "./timeline.ts"

/** One completed each 10 ms, with a latency of as many milliseconds as seconds have passed, plus one. */
function filled(milliseconds: number): Timeline {
  const timeline = new Timeline()
  for (let at = 0; at < milliseconds; at += 10) {
    timeline.complete(at)
    timeline.latency(at, 1 + at / 1000)
  }
  return timeline
}

const total = (timeline: Timeline, length: number) =>
  timeline.slices(length).reduce((sum, { completed }) => sum + completed, 0)

describe("a timeline", () => {
  it.each([
    [100, 1],
    [1000, 10],
    [4000, 40],
    [10_000, 34],
    [100_000, 36],
    [1_000_000, 40],
  ])("of %i ms has about 40 slices, that are all of it", (length, count) => {
    const slices = filled(length).slices(length)
    expect(Math.abs(slices.length - count)).toBeLessThanOrEqual(1)
    expect(slices.reduce((sum, { completed }) => sum + completed, 0)).toBe(length / 10)
    expect(slices.reduce((sum, { seconds }) => sum + seconds, 0)).toBeCloseTo(length / 1000, 3)
    for (const [i, slice] of slices.entries()) {
      expect(slice.at).toBeCloseTo(i === 0 ? 0 : slices[i - 1]!.at + slices[i - 1]!.seconds, 3)
      const [min, , p50, , , max] = slice.latency!
      expect(min).toBeCloseTo(1 + slice.at, 2)
      expect(max).toBeLessThanOrEqual(1 + slice.at + slice.seconds)
      expect(p50).toBeGreaterThanOrEqual(min)
    }
  })

  it("adds up those of several processes, however long each is", () => {
    const sum = new Timeline()
    for (const length of [300, 90_000, 5000]) sum.merge(JSON.parse(JSON.stringify(filled(length))))
    expect(total(sum, 90_000)).toBe(9530)
    expect(sum.slices(90_000)[0]!.latency![0]).toBe(1)
  })

  it("has slices where nothing came", () => {
    const timeline = new Timeline()
    timeline.complete(950)
    const slices = timeline.slices(1000)
    expect(slices.map(({ completed }) => completed)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    expect(slices.every(({ latency }) => latency === null)).toBe(true)
  })
})

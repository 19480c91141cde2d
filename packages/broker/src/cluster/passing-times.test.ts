import { expect, it } from "vitest"
import { PassingTimes } from "./passing-times.ts"

it("says when a message was published, by this node's clock, whatever the other's says", () => {
  for (const ahead of [-700, 0, 700]) {
    const times = new PassingTimes()
    // 2 ms on its way, and once 20: the clock of the other is behind by `ahead`.
    times.published("n", 10_000 - ahead, 10_002)
    expect(times.published("n", 11_002 - ahead, 11_022)).toBe(11_004)
    expect(times.published("n", 12_000 - ahead, 20_000)).toBe(12_002)
  }
})

it("of a node that is new its clock counts, for a second: what comes first may all have been held", () => {
  const times = new PassingTimes()
  expect(times.published("n", 10_000, 10_275)).toBe(10_000)
  expect(times.published("n", 10_007, 10_275)).toBe(10_007)
  expect(times.published("n", 11_270, 11_272)).toBe(11_270)
  expect(times.published("n", 11_280, 11_300)).toBe(11_282)
})

it("takes clocks for a second apart at most when all messages were held", () => {
  const times = new PassingTimes()
  times.published("n", 10_000, 18_000)
  expect(times.published("n", 11_000, 19_000)).toBe(12_000)
})

it("learns anew when a clock is set, within two spans", () => {
  const times = new PassingTimes()
  times.published("n", 10_000, 10_002)
  // Set back by half a second.
  expect(times.published("n", 20_000 - 500, 20_002)).toBe(19_502)
  for (let now = 30_000; now < 200_000; now += 10_000) times.published("n", now - 500, now + 2)
  expect(times.published("n", 200_000 - 500, 200_002)).toBe(200_002)
})

it("knows no more than 1,000 nodes", () => {
  const times = new PassingTimes()
  for (let node = 0; node < 1000; node++) times.published(`n${node}`, 1, 1)
  expect(times.size).toBe(1000)
  times.published("one more", 1, 1)
  expect(times.size).toBe(1)
})

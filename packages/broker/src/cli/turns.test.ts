import { describe, expect, it, vi } from "vitest"
import { inTurns, Paced } from "./turns.ts"

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe("inTurns", () => {
  it("lets the loop do other work between its steps", async () => {
    let others = 0
    let going = true
    const count = () => {
      others++
      if (going) setImmediate(count)
    }
    setImmediate(count)
    const long = function* () {
      for (let i = 0; i < 20; i++) {
        const until = performance.now() + 6
        while (performance.now() < until);
        yield
      }
      return others
    }
    const seen = await inTurns(long())
    going = false
    expect(seen).toBeGreaterThanOrEqual(15)
  })

  it("rejects with what a step throws", async () => {
    const fails = function* () {
      yield
      throw new Error("broken")
    }
    await expect(inTurns(fails())).rejects.toThrow("broken")
  })
})

describe("Paced", () => {
  it("has one at a time, and one more for all that asked meanwhile", async () => {
    let [begun, atOnce, most] = [0, 0, 0]
    const releases: (() => void)[] = []
    const paced = new Paced(async () => {
      begun++
      most = Math.max(most, ++atOnce)
      await new Promise<void>((resolve) => releases.push(resolve))
      atOnce--
    })
    for (let i = 0; i < 300; i++) paced.ask()
    expect(begun).toBe(1) // at once
    for (let i = 0; i < 300; i++) paced.ask()
    releases.shift()?.()
    for (let i = 0; begun < 2 && i < 10_000; i++) await turn()
    releases.shift()?.()
    for (let i = 0; i < 50; i++) await turn()
    expect([begun, most]).toEqual([2, 1])
    // Nobody has asked since; the next one is served again.
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(begun).toBe(2)
    paced.ask()
    for (let i = 0; begun < 3 && i < 10_000; i++) await turn()
    expect(begun).toBe(3)
    paced.end()
  })

  it("a second time is at once, while the first goes on or after it; who goes on asking waits", async () => {
    for (const meanwhile of [true, false]) {
      let begun = 0
      const releases: (() => void)[] = []
      const paced = new Paced(async () => {
        begun++
        await new Promise<void>((resolve) => releases.push(resolve))
      })
      paced.ask()
      if (meanwhile) paced.ask()
      await new Promise((resolve) => setTimeout(resolve, 200)) // what takes 200 ms would be followed by 800
      releases.shift()?.()
      for (let i = 0; i < 5; i++) await turn()
      if (!meanwhile) paced.ask()
      expect(begun).toBe(2)
      paced.ask()
      await new Promise((resolve) => setTimeout(resolve, 200)) // after this one there is a rest
      releases.shift()?.()
      for (let i = 0; i < 5; i++) await turn()
      paced.ask()
      for (let i = 0; i < 5; i++) await turn()
      expect(begun).toBe(2)
      paced.end()
    }
  })

  it("nobody waits longer than a second, however long it takes", async () => {
    const rests: (number | undefined)[] = []
    const clock = vi.spyOn(performance, "now")
    const timer = vi.spyOn(globalThis, "setTimeout")
    try {
      let now = 0
      clock.mockImplementation(() => now)
      const paced = new Paced(async () => {
        now += 60_000
      })
      paced.ask()
      await turn()
      rests.push(...timer.mock.calls.map(([, delay]) => delay))
      paced.end()
    } finally {
      clock.mockRestore()
      timer.mockRestore()
    }
    expect(rests).toEqual([1000])
  })

  it("rests four times as long as it has worked, and begins nothing after its end", async () => {
    let work = 0
    const times: number[] = []
    const paced = new Paced(async () => {
      const began = performance.now()
      times.push(began)
      while (performance.now() < began + 10);
      work += performance.now() - began
    })
    const end = performance.now() + 300
    while (performance.now() < end) {
      paced.ask()
      await turn()
    }
    expect(times.length).toBeGreaterThan(2)
    const whole = times.at(-1)! - times[1]! // the second time had no rest before it
    expect((work * (times.length - 2)) / times.length).toBeLessThanOrEqual(whole / 4)
    paced.ask()
    paced.end()
    const count = times.length
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(times.length).toBe(count)
  })
})

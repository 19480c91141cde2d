import { describe, expect, it } from "vitest"
import { History, lately } from "./history.ts"
import { numbersOf } from "./numbers.ts"

const seen = (at: number, publishReceived: number, uptimeSeconds: number = 1000 + at / 1000) =>
  numbersOf({ uptimeSeconds, publishReceived }, at)

const rates = ({ points }: History) => points.map(({ values }) => values["publishReceived"])

describe("what was seen of the metrics", () => {
  it("is the newest, those of lately, and what was between them", () => {
    const history = new History(100)
    expect([history.last, history.earlier, history.points]).toEqual([undefined, undefined, []])
    const [one, two, three] = [seen(0, 0), seen(2000, 10), seen(4000, 50)]
    for (const each of [one, two, three]) history.add(each)
    expect([history.last, history.earlier]).toEqual([three, one])
    expect(rates(history)).toEqual([5, 20])
  })

  it("has nothing that is older than five minutes in it, and no more points than it may", () => {
    const history = new History(3)
    for (let at = 0; at <= lately; at += 60_000) history.add(seen(at, at))
    expect(history.earlier?.at).toBe(60_000)
    expect(history.points.map(({ at }) => at)).toEqual([180_000, 240_000, 300_000])
  })

  it("of a look that comes soon after another is the newest, and no point", () => {
    const history = new History(100, 1500)
    for (const [at, count] of [
      [0, 0],
      [1499, 1],
      [1500, 3],
    ] as const)
      history.add(seen(at, count))
    expect(history.last?.at).toBe(1500)
    expect(rates(history)).toEqual([2])
  })

  it("begins again with a broker that was started anew, and keeps the points", () => {
    const history = new History(100)
    history.add(seen(0, 1000))
    history.add(seen(2000, 1010))
    history.add(seen(4000, 3, 1))
    expect(history.earlier?.at).toBe(4000)
    history.add(seen(6000, 5, 3))
    expect(rates(history)).toEqual([5, 1])
  })

  it("has a gap where nothing was seen", () => {
    const history = new History(100)
    history.gap()
    expect(history.points).toEqual([])
    history.add(seen(0, 0))
    history.add(seen(2000, 2))
    history.gap()
    history.add(seen(60_000, 4))
    expect(history.points.map(({ at }) => at)).toEqual([2000, 2001, 60_000])
    expect(history.points[1]?.values).toEqual({})
  })
})

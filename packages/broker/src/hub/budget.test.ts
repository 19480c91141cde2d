import { describe, expect, it } from "vitest"
import { Counters } from "../session/counters.ts"
import { TurnBudget } from "./budget.ts"
import { workPerTurn } from "./chores.ts"

/** A turn, and what is done in it. */
function turn() {
  const counters = new Counters()
  const recorder = { made: 0 }
  let work = 0
  const budget = new TurnBudget(counters, recorder, () => work)
  budget.begin(0)
  const does = (cheap: boolean, { units = 0, packets = 0, changes = 0 }) => {
    work += units
    counters.packetsReceived += packets
    recorder.made += changes
    budget.used(cheap, units, packets, changes)
  }
  return { budget, does }
}

describe("a turn", () => {
  it.each([
    ["packets", { packets: 16_384 }],
    ["Changes", { changes: 1000 }],
    ["work", { units: 2 * workPerTurn }],
  ])("is over after so many %s, and the next one begins with none", (_, most) => {
    const { budget, does } = turn()
    const [[name, count]] = Object.entries(most) as [[string, number]]
    does(false, { [name]: count - 1 })
    expect(budget.over(false)).toBe(false)
    does(false, { [name]: 1 })
    expect(budget.over(false)).toBe(true)
    expect(budget.over(true)).toBe(false)
    budget.begin(0)
    expect(budget.over(false)).toBe(false)
  })

  it.each([
    ["packets", { packets: 16_384 }],
    ["Changes", { changes: 1000 }],
    ["work", { units: 2 * workPerTurn }],
  ])("has a quarter for those who are not cheap, whatever the cheap ones do: %s", (_, most) => {
    const { budget, does } = turn()
    const [[name, count]] = Object.entries(most) as [[string, number]]
    does(true, { [name]: 10 * count })
    expect(budget.over(false)).toBe(false)
    does(false, { [name]: count / 4 - 1 })
    expect(budget.over(false)).toBe(false)
    does(false, { [name]: 1 })
    expect(budget.over(false)).toBe(true)
  })
})

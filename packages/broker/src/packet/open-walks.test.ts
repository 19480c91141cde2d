import { expect, it } from "vitest"
import { OpenWalks } from "./open-walks.ts"

const queued = (sequence: number) => ({ sequence, retain: true, share: undefined })
const places = (walks: OpenWalks) => [...walks.all()].map(({ filter, sent }) => `${filter} ${sent.join(" ")}`)

it("places are remembered as far as they may be, of all sessions together; one past that comes again", () => {
  const budget = { left: 3 }
  const [one, two] = [new OpenWalks(budget), new OpenWalks(budget)]
  one.begin({ filter: "a", before: 9, sent: [1] })
  two.begin({ filter: "b", before: 9, sent: [] })
  for (const sequence of [2, 3]) two.queued(queued(sequence))
  expect(budget.left).toBe(0)
  two.queued(queued(4))
  expect([places(one), places(two)]).toEqual([["a 1"], ["b 2 3"]])
  one.end("a")
  two.queued(queued(5))
  expect(places(two)).toEqual(["b 2 3 5"])
  // Those that a store has said are remembered all, or none.
  two.clear()
  one.begin({ filter: "a", before: 9, sent: [1, 2, 3] })
  two.begin({ filter: "b", before: 9, sent: [1] })
  expect([places(one), places(two), budget.left]).toEqual([["a 1 2 3"], ["b "], 0])
})

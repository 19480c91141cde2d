import { expect, it } from "vitest"
import { Seeded } from "../../tests/stores/random-changes.ts"
import { Expiries } from "./expiries.ts"

it("gives topics in the order in which their messages expire, as a list would that is sorted each time", () => {
  const random = new Seeded(7)
  const there = new Map<string, number>()
  const expiries = new Expiries((topic) => there.get(topic))
  let taken = 0
  for (let now = 0; now < 20_000; now++) {
    for (let n = random.below(3); n > 0; n--) {
      const [topic, at] = [`t${random.below(300)}`, now + 1 + random.below(400)]
      there.set(topic, at)
      expiries.add(topic, at, there.size)
    }
    if (random.chance(0.1)) there.delete(`t${random.below(300)}`)
    for (let topic = expiries.take(now); topic !== undefined; topic = expiries.take(now)) {
      const at = there.get(topic)
      if (at === undefined || at > now) continue
      expect(at).toBe(now)
      there.delete(topic)
      taken++
    }
    for (const at of there.values()) if (at <= now) throw new Error("one was left out")
  }
  expect(taken).toBeGreaterThan(1000)
})

it("keeps as many places as there are messages, again, and 1,000; one more, and those of others go", () => {
  const at = new Map<string, number>()
  const expiries = new Expiries((topic) => at.get(topic))
  for (let i = 0; i < 1003; i++) {
    at.set("t", 1000 + i)
    expiries.add("t", 1000 + i, 1)
    expect(expiries.size).toBe(i + 1)
  }
  at.set("t", 5000)
  expiries.add("t", 5000, 1)
  expect(expiries.size).toBe(1)
  expect([expiries.take(4999), expiries.take(5000), expiries.take(5000)]).toEqual([undefined, "t", undefined])
})

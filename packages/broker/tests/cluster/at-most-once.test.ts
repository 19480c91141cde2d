// QoS 0 is at most once, also for a session that goes to another node while its last one is cut off, and what that has published
// is held on its way.

import { expect, it } from "vitest"
import { ClusterWorld } from "./cluster-world.ts"

it.each([1, 2, 3])("what was held on its way does not come to a session again that had it (seed %i)", (seed) => {
  const world = new ClusterWorld(seed, ["a", "b"])
  const [a, b] = [world.nodes[0]!, world.nodes[1]!]
  const before = world.member(a, "s", { lasting: true })
  world.subscribe(before, "t")
  const other = world.member(b, "other")
  world.subscribe(other, "t")
  const publisher = world.member(a, "p")
  a.streams.cut("silently")
  world.publish(publisher, "t", ["1"], 0)
  world.pass(100)
  expect(before.got).toEqual(["1"])
  const after = world.member(b, "s", { lasting: true, before })
  world.publish(publisher, "t", ["2"], 0)
  world.pass(1000)
  a.streams.heal()
  world.pass(1000)
  // Where nobody had it before it is late, and not lost.
  expect(other.got).toEqual(["1", "2"])
  expect(after.got.filter((payload) => payload === "1")).toEqual(["1"])
  world.publish(publisher, "t", ["3"], 0)
  world.pass(100)
  expect(after.got.at(-1)).toBe("3")
  expect(after.got.filter((payload) => payload === "3")).toEqual(["3"])
})

it("at QoS 0 a session gets nothing of before that has a QoS, and came to its last node first", () => {
  const world = new ClusterWorld(1, ["a", "b"])
  const [a, b] = [world.nodes[0]!, world.nodes[1]!]
  const before = world.member(a, "s", { lasting: true })
  world.subscribe(before, "t", 0)
  const other = world.member(b, "other")
  world.subscribe(other, "t", 0)
  // What node b reads lags behind.
  const lag = b.streams.down
  const publisher = world.member(a, "p")
  world.pass(100)
  const late: (() => void)[] = []
  const send = lag.send.bind(lag)
  b.streams.down.send = (work) => void (held ? late.push(work) : send(work))
  let held = true
  world.publish(publisher, "t", ["1"], 1)
  world.pass(50)
  expect(before.got).toEqual(["1"])
  held = false
  const after = world.member(b, "s", { lasting: true, before })
  for (const work of late) send(work)
  world.pass(1000)
  expect(other.got).toEqual(["1"])
  expect(after.got).toEqual(["1"])
  world.publish(publisher, "t", ["2"], 1)
  world.pass(1000)
  expect(after.got).toEqual(["1", "2"])
})

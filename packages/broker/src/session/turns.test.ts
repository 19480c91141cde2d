// How much of what one client sends is done before the others have their turn.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker, type TestClient } from "../../tests/harness.ts"

const levels = 12
const topic = Array<string>(levels).fill("a").join("/")

/** Subscribes to all of {a,+}^levels/#, a thousand a session: one publish looks at 2^(levels + 1) nodes. */
function wildest(test: TestBroker): void {
  const filters = Array.from({ length: 2 ** levels }, (_, n) =>
    Array.from({ length: levels }, (_, bit) => ((n >> bit) & 1 ? "a" : "+")).join("/"),
  )
  for (let at = 0; at < filters.length; at += 1000) {
    const client = test.connect({ clientId: `c${at}`, cleanStart: false, sessionExpiryInterval: 1000 })
    const how = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 2 } as const
    client.subscribeAll(filters.slice(at, at + 1000).map((filter) => ({ filter: `${filter}/#`, ...how })))
    client.cut()
  }
}

describe("packets that are dear to route", () => {
  it("are done in turns: a neighbour is answered in between, and none of them is lost", () => {
    const test = new TestBroker()
    wildest(test)
    const greedy: TestClient = test.connect({ clientId: "greedy" })
    const neighbour = test.connect({ clientId: "neighbour" })
    const before = test.broker.counters.publishReceived
    const packets = Array.from({ length: 50 }, (_, i) => publishBytes(5, `${topic}/${i}`, ""))
    greedy.connection!.receive(Buffer.concat(packets), test.now)
    const done = () => test.broker.counters.publishReceived - before
    expect(done()).toBeGreaterThan(0)
    expect(done()).toBeLessThan(8)
    neighbour.connection!.receive(Uint8Array.of(0xc0, 0), test.now)
    test.broker.flush(test.now)
    expect(neighbour.seen.at(-1)?.type).toBe("pingresp")
    expect(done()).toBeLessThan(16)
    test.settle()
    expect(done()).toBe(50)
    expect(greedy.closed).toBe(false)
  })

  it("are no reason to wait for a client whose packets are cheap", () => {
    const test = new TestBroker()
    const client = test.connect({ clientId: "a" })
    const before = test.broker.counters.publishReceived
    client.connection!.receive(Buffer.concat(Array.from({ length: 2000 }, () => publishBytes(5, "t", ""))), test.now)
    expect(test.broker.counters.publishReceived - before).toBe(2000)
  })
})

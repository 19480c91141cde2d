// How much of what one client sends is done before the others have their turn.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker, type TestClient } from "../../tests/harness.ts"
import { writeSubscribe } from "../packet/codec.ts"

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

describe("what comes due for many at once", () => {
  const will = { topic: "gone", payload: Uint8Array.of(0x77), qos: 0, retain: false } as const
  const watched = (watchers: number) => {
    const test = new TestBroker({ limits: { maximumSessionsPerOwner: 10_000 } })
    const watcher = test.connect({ clientId: "watcher" })
    watcher.subscribe("gone")
    for (let i = 1; i < watchers; i++) test.connect({ clientId: `watcher${i}` }).subscribe("gone")
    const neighbour = test.connect({ clientId: "neighbour" })
    /** In the middle of it. */
    const neighbourIsAnswered = (total: number) => {
      const first = watcher.payloads().length
      neighbour.connection!.receive(Uint8Array.of(0xc0, 0), test.now)
      test.broker.flush(test.now)
      expect(neighbour.seen.at(-1)?.type).toBe("pingresp")
      const soon = watcher.payloads().length
      expect(soon).toBeGreaterThan(0)
      expect(first + soon).toBeLessThan(total)
      test.settle()
      expect(first + soon + watcher.payloads().length).toBe(total)
    }
    return { test, watcher, neighbour, neighbourIsAnswered }
  }

  it("delayed wills are published in turns", () => {
    const { test, neighbourIsAnswered } = watched(100)
    for (let i = 0; i < 1000; i++) {
      const options = { clientId: `c${i}`, sessionExpiryInterval: 1000, will: { ...will, delayInterval: 5 } }
      test.connect(options).cut()
    }
    test.now += 5000
    test.broker.tick(test.now)
    neighbourIsAnswered(1000)
    expect(test.broker.counters.willsPublished).toBe(1000)
  })

  it("wills of clients whose Keep Alive has passed, too", () => {
    const { test, neighbourIsAnswered } = watched(100)
    for (let i = 0; i < 1000; i++) test.connect({ clientId: `c${i}`, keepAlive: 10, will })
    test.now += 15_000
    test.broker.tick(test.now)
    neighbourIsAnswered(1000)
    expect(test.broker.counters.willsPublished).toBe(1000)
  })

  it("wills of clients that new rules send away, too", () => {
    const { test, neighbourIsAnswered } = watched(100)
    for (let i = 0; i < 1000; i++) test.connect({ clientId: `c${i}`, will })
    const lost = (_: unknown, peer: { address: string }) => (peer.address === "test" ? "gone" : undefined)
    const keep = new Set(["watcher", "neighbour"])
    for (const { clientId, peer } of test.broker.clients()) {
      if (keep.has(clientId) || clientId.startsWith("watcher")) Object.assign(peer, { address: "other" })
    }
    let disconnected = 0
    test.broker.rulesChanged(lost, { rights: false, disconnect: true }, (applied) => {
      disconnected = applied.disconnected
    })
    expect(disconnected).toBe(1000)
    test.broker.flush(test.now)
    neighbourIsAnswered(1000)
    expect(test.broker.counters.willsPublished).toBe(1000)
  })

  it("a tick goes on where the one before has stopped, and none is begun before that", () => {
    const { test } = watched(100)
    for (let i = 0; i < 1000; i++) test.connect({ clientId: `c${i}`, keepAlive: 10, will })
    test.now += 15_000
    for (let i = 0; i < 3; i++) test.broker.tick(test.now)
    expect(test.broker.counters.willsPublished).toBeLessThan(1000)
    test.settle()
    expect(test.broker.counters.willsPublished).toBe(1000)
    test.pass(1)
    expect(test.broker.connectedCount).toBe(101)
  })
})

describe("one dear packet each of many", () => {
  it("does not keep those waiting whose packets have been cheap", () => {
    const test = new TestBroker()
    wildest(test)
    const neighbour = test.connect({ clientId: "neighbour" })
    for (let i = 0; i < 20; i++) neighbour.send([0xc0, 0])
    const crowd = Array.from({ length: 50 }, (_, i) => test.connect({ clientId: `crowd${i}` }))
    const before = test.broker.counters.publishReceived
    const done = () => test.broker.counters.publishReceived - before
    for (const [i, client] of crowd.entries())
      client.connection!.receive(publishBytes(5, `${topic}/${i}`, ""), test.now)
    expect(done()).toBeLessThan(10) // in one pass of the event loop, as it were
    neighbour.seen.length = 0
    neighbour.connection!.receive(Uint8Array.of(0xc0, 0), test.now)
    test.broker.flush(test.now)
    expect(neighbour.seen.map(({ type }) => type)).toEqual(["pingresp"])
    expect(done()).toBeLessThan(20)
    test.settle()
    expect(done()).toBe(50)
  })

  it("nor do filters of SUBSCRIBE", () => {
    const test = new TestBroker()
    const how = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 2 } as const
    const many = writeSubscribe(
      1,
      Array.from({ length: 1000 }, (_, i) => ({ filter: `a/${i}`, ...how })),
      5,
    )
    const crowd = Array.from({ length: 20 }, (_, i) => test.connect({ clientId: `crowd${i}` }))
    for (const client of crowd) client.connection!.receive(many, test.now)
    expect(test.broker.subscriptionCount).toBeLessThanOrEqual(4000)
    test.settle()
    expect(test.broker.subscriptionCount).toBe(20_000)
  })

  it("wills of clients that are gone all at once are published in turns", () => {
    const test = new TestBroker()
    wildest(test)
    const will = { payload: Uint8Array.of(1), qos: 0, retain: false } as const
    const crowd = Array.from({ length: 50 }, (_, i) =>
      test.connect({ clientId: `c${i}`, will: { ...will, topic: `${topic}/${i}` } }),
    )
    for (const client of crowd) client.connection!.transportClosed(test.now, "cut")
    expect(test.broker.counters.willsPublished).toBe(0)
    test.broker.flush(test.now)
    expect(test.broker.counters.willsPublished).toBeLessThan(10)
    test.settle()
    expect(test.broker.counters.willsPublished).toBe(50)
  })
})

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

  it("are those with many large copies, too: 512 bytes cost what a delivery does", () => {
    const test = new TestBroker()
    const readers = Array.from({ length: 100 }, (_, i) => test.connect({ clientId: `r${i}` }))
    for (const reader of readers) reader.subscribe("t")
    const turn = (size: number, count: number) => {
      const before = test.broker.counters.publishReceived
      const packets = Array.from({ length: count }, () => publishBytes(5, "t", "x".repeat(size)))
      test.connect({ clientId: "p" }).connection!.receive(Buffer.concat(packets), test.now)
      const done = test.broker.counters.publishReceived - before
      test.settle()
      for (const reader of readers) expect(reader.payloads()).toHaveLength(count)
      return done
    }
    expect(turn(100, 150)).toBe(150)
    expect(turn(2000, 150)).toBe(51) // past 20,000 / (100 copies x 4)
  })

  it("are no reason to wait for a client whose packets are cheap", () => {
    const test = new TestBroker()
    const client = test.connect({ clientId: "a" })
    const before = test.broker.counters.publishReceived
    client.connection!.receive(Buffer.concat(Array.from({ length: 2000 }, () => publishBytes(5, "t", ""))), test.now)
    expect(test.broker.counters.publishReceived - before).toBe(2000)
  })
})

describe("packets that are cheap, but very many", () => {
  const pingreqs = (count: number) => new Uint8Array(2 * count).map((_, i) => (i % 2 === 0 ? 0xc0 : 0))

  it("are done 2,048 a turn, and none of them is lost", () => {
    const test = new TestBroker()
    const one = test.connect({ clientId: "one" })
    const before = test.broker.counters.packetsReceived
    const done = () => test.broker.counters.packetsReceived - before
    one.connection!.receive(pingreqs(2048), test.now)
    expect(done()).toBe(2048)
    one.connection!.receive(pingreqs(2049), test.now)
    test.settle()
    one.connection!.receive(pingreqs(5000), test.now)
    expect(done()).toBe(2048 + 2049 + 2048)
    test.settle()
    expect(done()).toBe(2048 + 2049 + 5000)
    expect(one.seen.filter(({ type }) => type === "pingresp")).toHaveLength(done())
  })

  it("of many clients are not all done in one turn, and nobody's turn is left out", () => {
    const test = new TestBroker()
    const clients = Array.from({ length: 40 }, (_, i) => test.connect({ clientId: `c${i}` }))
    for (const { connection } of clients) connection!.receive(pingreqs(10_000), test.now)
    const before = test.broker.counters.packetsReceived
    test.broker.flush(test.now)
    const done = test.broker.counters.packetsReceived - before
    expect(done).toBeGreaterThanOrEqual(15_000)
    expect(done).toBeLessThan(16_384 + 2 * 2048)
    // One round: each of them has had its second turn before anybody has a third.
    for (let i = 0; i < 4; i++) test.broker.flush(test.now)
    const answers = clients.map(({ seen }) => seen.filter(({ type }) => type === "pingresp").length)
    expect(Math.max(...answers) - Math.min(...answers)).toBeLessThanOrEqual(2048)
    test.settle()
    for (const { seen } of clients) expect(seen.filter(({ type }) => type === "pingresp")).toHaveLength(10_000)
  })
})

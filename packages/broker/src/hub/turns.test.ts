// How much of what one client sends is done before the others have their turn.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker, type TestClient } from "../../tests/harness.ts"
import { writeConnect, writeSubscribe } from "../codecs/mqtt-packet.ts"
import { encodeText } from "../packet/bytes.ts"
import type { Limits } from "../session/limits.ts"

function connectBytes(clientId: string): Uint8Array {
  const session = { cleanStart: false, sessionExpiryInterval: 1000 }
  return writeConnect({ protocolVersion: 5, clientId, keepAlive: 0, ...session })
}

function pingreqs(count: number): Uint8Array {
  return new Uint8Array(2 * count).map((_, i) => (i % 2 === 0 ? 0xc0 : 0))
}

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
      neighbour.connection!.receive(pingreqs(1), test.now)
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

  it("sessions with many subscriptions end in turns", () => {
    const test = new TestBroker()
    const how = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 2 } as const
    for (let i = 0; i < 20; i++) {
      const client = test.connect({ clientId: `c${i}`, cleanStart: false, sessionExpiryInterval: 1 })
      client.subscribeAll(Array.from({ length: 1000 }, (_, n) => ({ filter: `${i}/${n}`, ...how })))
      client.cut()
    }
    test.now += 1000
    test.broker.tick(test.now)
    expect(test.broker.sessionCount).toBeGreaterThan(5)
    expect(test.broker.sessionCount).toBeLessThan(20)
    test.settle()
    expect([test.broker.sessionCount, test.broker.subscriptionCount]).toEqual([0, 0])
  })

  it("so do those that end with their connections, and one whose client is back before is a new one", () => {
    const test = new TestBroker()
    const how = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 2 } as const
    const clients = Array.from({ length: 30 }, (_, i) => {
      const client = test.connect({ clientId: `c${i}` })
      client.subscribeAll(Array.from({ length: 1000 }, (_, n) => ({ filter: `${i}/${n}`, ...how })))
      return client
    })
    for (const { connection } of clients) connection!.transportClosed(test.now, "cut")
    expect(test.broker.sessionCount).toBeGreaterThan(10)
    expect(test.broker.sessionCount).toBeLessThan(30)
    const again = test.open()
    again.connection!.receive(connectBytes("c29"), test.now)
    test.settle()
    expect([test.broker.sessionCount, test.broker.subscriptionCount]).toEqual([1, 0])
    expect(again.connack.sessionPresent).toBe(false)
    expect(again.closed).toBe(false)
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
    neighbour.connection!.receive(pingreqs(1), test.now)
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

describe("what has waited for many who come again at once", () => {
  const count = 200
  /** Absent sessions for each of which so many messages wait. */
  const absent = (each: number, limits: Partial<Limits> = {}) => {
    const numbers = Array.from({ length: each }, (_, i) => `${i}`)
    const test = new TestBroker({ limits })
    const session = { cleanStart: false, sessionExpiryInterval: 1000 }
    for (let i = 0; i < count; i++) {
      const client = test.connect({ clientId: `c${i}`, ...session })
      client.subscribe("t", { qos: 1 })
      client.cut()
    }
    const publisher = test.connect({ clientId: "publisher" })
    const publishOne = (payload: string) => publisher.publish("t", payload, { qos: 1, packetId: 1 })
    for (const number of numbers) publishOne(number)
    test.settle()
    const neighbour = test.connect({ clientId: "neighbour" })
    // Of a new client nobody knows that it asks for little.
    neighbour.connection!.receive(pingreqs(20), test.now)
    test.settle()
    const comeAgain = (prepare: (client: TestClient) => void = () => undefined) => {
      const clients = Array.from({ length: count }, () => test.open())
      for (const [i, client] of clients.entries()) {
        prepare(client)
        client.connection!.receive(connectBytes(`c${i}`), test.now)
      }
      return clients
    }
    const neighbourIsAnswered = () => {
      neighbour.seen.length = 0
      neighbour.connection!.receive(pingreqs(1), test.now)
      test.broker.flush(test.now)
      expect(neighbour.seen.map(({ type }) => type)).toEqual(["pingresp"])
    }
    return { test, numbers, publishOne, comeAgain, neighbourIsAnswered }
  }
  it("is sent in turns, and each has it in its order, before what comes meanwhile [MQTT-4.6.0-1]", () => {
    const { test, numbers, publishOne, comeAgain, neighbourIsAnswered } = absent(300)
    const clients = comeAgain()
    neighbourIsAnswered()
    const got = clients.map((client) => client.payloads())
    const soon = got.reduce((sum, one) => sum + one.length, 0)
    expect(soon).toBeGreaterThan(0)
    expect(soon).toBeLessThan((300 * count) / 2)
    publishOne("new")
    test.settle()
    for (const [i, client] of clients.entries()) {
      expect([...got[i]!, ...client.payloads()]).toEqual([...numbers, "new"])
    }
  })

  it("is so when it was sent before and is taken over", () => {
    const { test, numbers, comeAgain, neighbourIsAnswered } = absent(300)
    comeAgain()
    test.settle()
    const clients = comeAgain()
    neighbourIsAnswered()
    const got = clients.map((client) => client.payloads())
    expect(got.reduce((sum, one) => sum + one.length, 0)).toBeLessThan((300 * count) / 2)
    test.settle()
    for (const [i, client] of clients.entries()) expect([...got[i]!, ...client.payloads()]).toEqual(numbers)
  })

  it("is so when all of them take bytes again", () => {
    const { test, numbers, comeAgain, neighbourIsAnswered } = absent(600, { maximumOutboundBytes: 2000 })
    const clients = comeAgain((client) => {
      client.taking = false
    })
    test.settle()
    const first = clients.map((client) => client.payloads())
    const { counters } = test.broker
    const before = counters.publishSent
    for (const client of clients) {
      client.taking = true
      client.connection!.drained(test.now)
    }
    expect(before).toBeGreaterThan(30_000)
    expect(counters.publishSent - before).toBeLessThan(0.6 * before)
    neighbourIsAnswered()
    test.settle()
    for (const [i, client] of clients.entries()) {
      for (let more = 0; more < 3; more++) client.drain()
      expect([...first[i]!, ...client.payloads()]).toEqual(numbers)
    }
  })
})

describe("a flood of cheap packets", () => {
  const chunk = (from: number) =>
    Uint8Array.from(
      Array.from({ length: 3000 }, (_, i) => [...publishBytes(5, `s/${from + i}`, "x", { retain: true })]).flat(),
    )

  it("does not keep out who is new, whose packets nobody knows", () => {
    const test = new TestBroker()
    const flood = test.connect({ clientId: "flood" })
    for (let i = 0; i < 50; i++) flood.publish(`warm/${i}`, "x", { retain: true })
    expect(flood.connection!.cheap).toBe(true)
    const newcomer = test.connect({ clientId: "newcomer" })
    expect(newcomer.connection!.cheap).toBe(false)
    test.schedule = () => undefined // turns end when this test says so
    for (let turn = 0; turn < 5; turn++) {
      flood.connection!.receive(chunk(turn * 3000), test.now)
      newcomer.seen.length = 0
      newcomer.connection!.receive(pingreqs(1), test.now)
      // Its packet may wait for its turn, and what it is answered for the end of that.
      for (let more = 0; more < 2; more++) test.broker.flush(test.now)
      expect(newcomer.seen.map(({ type }) => type)).toEqual(["pingresp"])
    }
    expect(newcomer.connection!.cheap).toBe(false)
  })
})

describe("CONNECTs of one Client Identifier", () => {
  const session = { cleanStart: false, sessionExpiryInterval: 1000 }

  it("take the session over in the order in which they have come, though the first has to wait for its turn", () => {
    const test = new TestBroker()
    wildest(test)
    const before = test.connect({ clientId: "a", ...session })
    before.subscribe("waits", { qos: 1 })
    before.cut()
    test.connect({ clientId: "publisher" }).publish("waits", "for a", { qos: 1 })
    const crowd = Array.from({ length: 50 }, (_, i) => test.connect({ clientId: `crowd${i}` }))
    for (const [i, { connection }] of crowd.entries())
      connection!.receive(publishBytes(5, `${topic}/${i}`, ""), test.now)
    const [earlier, later] = [test.open(), test.open()]
    earlier.connection!.receive(connectBytes("a"), test.now)
    expect(earlier.connection!.phase).toBe("expect connect")
    test.broker.flush(test.now)
    expect(earlier.connection!.phase).toBe("expect connect")
    later.connection!.receive(connectBytes("a"), test.now)
    test.settle()
    expect([earlier.closed, later.closed]).toEqual([true, false])
    expect(earlier.connack.reasonCode).toBe(0x80)
    expect(later.payloads()).toEqual(["for a"])
  })
})

describe("wills that wait for their turn", () => {
  const payload = new Uint8Array(50_000)
  const will = (i: number) => ({ topic: `${topic}/${i}`, payload, qos: 0, retain: false }) as const
  const limits = { maximumTotalQueuedBytes: 1_000_000 }

  /** Clients that go as soon as they have come, faster than their wills can be published. Returns how many were let in. */
  function crowd(test: TestBroker, count: number, run: (client: TestClient) => void): number {
    let accepted = 0
    test.schedule = () => undefined // between two turns
    for (let i = 0; i < count; i++) {
      const client = test.open()
      const { connection } = client
      connection!.receive(
        writeConnect({ clientId: `c${i}`, cleanStart: true, keepAlive: 0, protocolVersion: 5, will: will(i) }),
        test.now,
      )
      if (connection!.phase === "connected") accepted++
      run(client)
    }
    return accepted
  }

  it("count until they are published: who comes and goes does not fill the memory with them", () => {
    const test = new TestBroker({ limits })
    wildest(test)
    const others = test.broker.connectionCount
    const accepted = crowd(test, 100, ({ connection }) => connection!.transportClosed(test.now, "cut"))
    expect(accepted).toBeLessThan(20)
    expect(test.broker.memory.wills).toBeGreaterThan(accepted * payload.length)
    expect(test.broker.memory.queued).toBeLessThanOrEqual(limits.maximumTotalQueuedBytes)
    // Those whose CONNECT has not had its turn yet are let in too, and have gone.
    const busy = () => test.broker.connectionCount > others || test.broker.memory.wills > 0
    for (let turns = 0; busy() && turns < 10_000; turns++) test.broker.flush(test.now)
    expect(test.broker.memory).toMatchObject({ wills: 0, queued: 0 })
  })

  it.each([true, false])("come before what their clients say when they are back (Clean Start: %s)", (cleanStart) => {
    const test = new TestBroker()
    wildest(test)
    const status = { topic: "status", payload: encodeText("offline"), qos: 0, retain: true } as const
    const how = { clientId: "a", sessionExpiryInterval: 1000, cleanStart, will: status }
    for (const cut of [true, false]) {
      const others = Array.from({ length: 20 }, (_, i) =>
        test.connect({ clientId: `c${i}`, will: { ...will(i), payload: encodeText("x") } }),
      )
      const first = test.connect(how)
      const { schedule } = test
      test.schedule = () => undefined
      for (const { connection } of others) connection!.transportClosed(test.now, "cut")
      // Else its session is taken over.
      if (cut) first.connection!.transportClosed(test.now, "cut")
      test.broker.flush(test.now)
      expect(test.broker.memory.wills).toBeGreaterThan(0)
      const again = test.open().connection!
      again.receive(writeConnect({ ...how, keepAlive: 0, protocolVersion: 5 }), test.now)
      again.receive(publishBytes(5, "status", "online", { retain: true }), test.now)
      test.schedule = schedule
      test.broker.flush(test.now)
      test.settle()
      expect(test.broker.counters.willsPublished).toBeGreaterThan(20)
      const watcher = test.connect({ clientId: "watcher" })
      watcher.subscribe("status")
      expect(watcher.payloads()).toEqual(["online"])
    }
  })

  it("as those do whose sessions go on, and delayed ones", () => {
    const test = new TestBroker({ limits })
    const how = { clientId: "a", sessionExpiryInterval: 1000, cleanStart: false }
    for (const delayInterval of [0, 5]) {
      const client = test.connect({ ...how, will: { ...will(0), delayInterval } })
      const { schedule } = test
      test.schedule = () => undefined
      client.connection!.transportClosed(test.now, "cut")
      test.now += 5000
      if (delayInterval > 0) test.broker.tick(test.now)
      const { wills } = test.broker.memory
      if (delayInterval === 0) expect(wills).toBeGreaterThan(payload.length)
      test.schedule = schedule
      test.broker.flush(test.now)
      expect(test.broker.memory).toMatchObject({ wills: 0, queued: 0 })
    }
    expect(test.broker.counters.willsPublished).toBe(2)
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
    neighbour.connection!.receive(pingreqs(1), test.now)
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

describe("output of many bytes, which transports take their time for", () => {
  const size = 300_000

  /** Readers of "t", whose transports take 5 ms for 100,000 bytes. */
  function slowReaders(count: number, taking = true) {
    const test = new TestBroker()
    const readers = Array.from({ length: count }, (_, i) => {
      const reader = test.connect({ clientId: `reader${i}` })
      reader.subscribe("t", { qos: 1 })
      const { write } = reader.sink
      reader.sink.write = (chunks) => {
        for (const chunk of chunks) test.now += chunk.length / 20_000
        return write(chunks)
      }
      reader.taking = taking
      return reader
    })
    const neighbour = test.connect({ clientId: "neighbour" })
    const publisher = test.connect({ clientId: "publisher" })
    const send = (qos: 0 | 1) =>
      publisher.connection!.receive(publishBytes(5, "t", "x".repeat(size), { qos, packetId: 1 }), test.now)
    return { test, readers, neighbour, send }
  }

  it.each([true, false])("goes in turns, little of others before it (transports full after each: %s)", (full) => {
    const { test, readers, neighbour, send } = slowReaders(60, !full)
    const begin = test.now
    send(0)
    // No more than a few before the turn ends, however many there are.
    expect(test.now - begin).toBeLessThan(80)
    neighbour.connection!.receive(pingreqs(1), test.now)
    test.broker.flush(test.now)
    expect(neighbour.seen.at(-1)?.type).toBe("pingresp")
    expect(test.now - begin).toBeLessThan(150)
    // Again, while the others wait.
    neighbour.seen.length = 0
    neighbour.connection!.receive(pingreqs(1), test.now)
    test.broker.flush(test.now)
    expect(neighbour.seen.at(-1)?.type).toBe("pingresp")
    expect(readers.filter(({ seen }) => seen.some(({ type }) => type === "publish")).length).toBeLessThan(30)
    test.settle()
    for (const reader of readers) expect(reader.payloads()).toHaveLength(1)
    expect(test.broker.memory.outbound >= size).toBe(full)
  })

  it("what transports take again waits for its turn too", () => {
    const { test, readers, send } = slowReaders(60, false)
    for (let i = 0; i < 2; i++) {
      send(0)
      test.settle()
    }
    const begin = test.now
    for (const reader of readers) {
      reader.taking = true
      reader.connection!.drained(test.now)
    }
    expect(test.now - begin).toBeLessThan(80)
    test.settle()
    for (const reader of readers) expect(reader.payloads()).toHaveLength(2)
  })

  it("what did not fit for want of a turn goes on after it", () => {
    const { test, readers, send } = slowReaders(20)
    for (let i = 0; i < 12; i++) send(1)
    test.settle()
    for (const reader of readers) expect(reader.payloads()).toHaveLength(12)
    expect(test.broker.counters.dropped["output full"]).toBe(0)
  })
})

describe("what is dear to read or to find out for each message", () => {
  /** How many of these packets, one of each client, are worked on in one turn. */
  function inOneTurn(packet: Uint8Array, count = 40): number {
    const test = new TestBroker()
    const clients = Array.from({ length: count }, (_, i) => test.connect({ clientId: `c${i}` }))
    const before = test.broker.counters.packetsReceived
    for (const { connection } of clients) connection!.receive(packet, test.now)
    const done = test.broker.counters.packetsReceived - before
    test.settle()
    expect(test.broker.counters.packetsReceived - before).toBe(count)
    expect(clients.every(({ closed }) => !closed)).toBe(true)
    return done
  }

  /** A packet of 1 MB: a head, 200,000 empty User Properties, and what comes after them. */
  function crowded(first: number, head: readonly number[], tail: readonly number[]): Uint8Array {
    const properties = new Uint8Array(1_000_000)
    for (let i = 0; i < properties.length; i += 5) properties[i] = 0x26
    const variable = (value: number) => [(value & 0x7f) | 0x80, ((value >> 7) & 0x7f) | 0x80, value >> 14]
    const length = head.length + 3 + properties.length + tail.length
    return Uint8Array.from([
      first,
      ...variable(length),
      ...head,
      ...variable(properties.length),
      ...properties,
      ...tail,
    ])
  }

  it.each([
    ["PUBLISH", crowded(0x30, [0, 1, 0x74], [])],
    ["PUBACK", crowded(0x40, [0, 1, 0], [])],
    ["SUBSCRIBE", crowded(0x82, [0, 1], [0, 1, 0x74, 0])],
    ["UNSUBSCRIBE", crowded(0xa2, [0, 1], [0, 1, 0x74])],
  ])("%s of 200,000 User Properties: a few in a turn", (_, packet) => {
    expect(inOneTurn(packet)).toBeLessThan(10)
  })

  it("a payload costs nothing to read", () => {
    expect(inOneTurn(publishBytes(5, "t", "x".repeat(1_000_000)))).toBe(40)
  })

  it("No Local of a thousand filters that match: less messages in a turn", () => {
    const test = new TestBroker()
    const client = test.connect({ clientId: "c" })
    const how = { qos: 0, noLocal: true, retainAsPublished: false, retainHandling: 2 } as const
    const filters = Array.from({ length: 2 ** 9 }, (_, n) =>
      Array.from({ length: 9 }, (_, bit) => ((n >> bit) & 1 ? "a" : "+")).join("/"),
    )
    client.subscribeAll(filters.map((filter) => ({ filter: `${filter}/#`, ...how })))
    const before = test.broker.counters.packetsReceived
    const one = publishBytes(5, Array<string>(9).fill("a").join("/"), "")
    const all = new Uint8Array(2000 * one.length)
    for (let at = 0; at < all.length; at += one.length) all.set(one, at)
    client.connection!.receive(all, test.now)
    expect(test.broker.counters.packetsReceived - before).toBeLessThan(400)
    test.settle()
    expect(test.broker.counters.packetsReceived - before).toBe(2000)
  })
})

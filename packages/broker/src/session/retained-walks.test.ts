// Retained messages of a new subscription: all of them, in slices, and nobody waits for them.

import { describe, expect, it } from "vitest"
import { TestBroker, type TestClient } from "../../tests/harness.ts"
import type { Limits } from "./limits.ts"
import { walkTurn } from "./retained-walks.ts"

const persistent = { cleanStart: false, sessionExpiryInterval: 1000 } as const

/** A broker that keeps so many messages, under r/0, r/1, ... */
function keeping(count: number, limits: Partial<Limits> = {}, payload = "x"): TestBroker {
  const test = new TestBroker({ limits })
  const bytes = new TextEncoder().encode(payload)
  for (let i = 0; i < count; i++) test.broker.publishOwn(`r/${i}`, bytes, 1, true)
  expect(test.broker.retained.size).toBe(count)
  return test
}

/** Topics of what the client has got. */
function topicsOf(client: TestClient): (string | undefined)[] {
  const found: (string | undefined)[] = []
  for (const one of client.seen) if (one.type === "publish") found.push(one.topic)
  return found
}

function dropped(test: TestBroker): number {
  return Object.values(test.broker.counters.dropped).reduce((sum, count) => sum + count, 0)
}

describe("retained messages of a new subscription ([MQTT-3.3.1-9])", () => {
  it("# over 100,000 of them delivers each once, whatever the limits of queue and output", () => {
    const test = keeping(100_000, { maximumQueuedMessages: 10, maximumOutboundBytes: 10_000 })
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("#", { qos: 0 })
    const got = topicsOf(sub)
    expect(got).toHaveLength(100_000)
    expect(new Set(got).size).toBe(100_000)
    expect(dropped(test)).toBe(0)
    expect(sub.seen[1]?.type).toBe("suback")
  })

  it("a turn sends at most so many; other clients are served in between", () => {
    const test = keeping(10_000)
    const sub = test.connect({ clientId: "sub" })
    const other = test.connect({ clientId: "other" })
    // No turn by itself: each is looked at.
    const turns: number[] = []
    let due = true
    test.schedule = () => {
      due = true
    }
    sub.subscribe("#", { qos: 0 })
    other.send([0xc0, 0])
    while (due) {
      due = false
      const before = sub.seen.length
      test.broker.flush(test.now)
      turns.push(sub.seen.length - before)
      if (turns.length === 1) expect(other.seen.at(-1)).toEqual({ type: "pingresp" })
    }
    expect(topicsOf(sub)).toHaveLength(10_000)
    expect(Math.max(...turns)).toBeLessThanOrEqual(walkTurn.messages + 1)
    expect(turns.length).toBeGreaterThanOrEqual(10)
  })

  it("a turn sends at most so many bytes, and clients take turns", () => {
    const test = keeping(100, {}, "x".repeat(50_000))
    let due = false
    test.schedule = () => {
      due = true
    }
    const subs = [1, 2, 3].map((n) => test.connect({ clientId: `${n}` }))
    for (const sub of subs) sub.subscribe("#", { qos: 0 })
    let most = 0
    const sent = () => subs.reduce((sum, sub) => sum + sub.written, 0)
    while (due) {
      due = false
      const before = sent()
      test.broker.flush(test.now)
      most = Math.max(most, sent() - before)
      const counts = subs.map((sub) => topicsOf(sub).length)
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(12)
    }
    expect(most).toBeLessThan(walkTurn.bytes + 60_000)
    for (const sub of subs) expect(new Set(topicsOf(sub)).size).toBe(100)
  })

  it("waits for a client that does not read: little is written, nothing queued, live messages come, none is lost", () => {
    const test = keeping(5000, { maximumOutboundBytes: 40_000, maximumPublisherPause: 0 })
    const sub = test.connect({ clientId: "sub" })
    sub.taking = false
    sub.subscribe("#", { qos: 1 })
    expect(sub.connection!.outflow.size).toBeLessThan(12_000)
    expect(sub.connection!.session!.queuedMessages).toBe(0)
    const pub = test.connect({ clientId: "pub" })
    pub.publish("live", "now", { qos: 0 })
    expect(sub.connection!.outflow.congested).toBe(false)
    for (let i = 0; i < 2000; i++) {
      sub.connection?.drained(test.now)
      for (const one of sub.take()) {
        if (one.packetId > 0) sub.ack(4, one.packetId)
        if (one.topic === "live") expect(one).toMatchObject({ payload: "now", retain: false })
        else expect(one).toMatchObject({ payload: "x", retain: true })
        seen.push(one.topic)
      }
      if (seen.length === 5001) break
    }
    expect(new Set(seen).size).toBe(5001)
    expect(dropped(test)).toBe(0)
  })
  const seen: (string | undefined)[] = []

  it("[MQTT-3.3.4-9] waits for acknowledgements: not more than Receive Maximum, and they do not fill the queue", () => {
    const test = keeping(100)
    const sub = test.connect({ clientId: "sub", receiveMaximum: 7 })
    sub.subscribe("#", { qos: 1 })
    const got: (string | undefined)[] = []
    for (;;) {
      const some = sub.take()
      if (some.length === 0) break
      expect(got.length === 0 ? some.length : 7).toBe(7)
      expect(sub.connection!.session!.queuedMessages).toBe(0)
      for (const one of some) {
        got.push(one.topic)
        sub.ack(4, one.packetId)
      }
    }
    expect(new Set(got).size).toBe(100)
    expect(got).toHaveLength(100)
  })

  it("an update meanwhile comes once, as a message; what is deleted meanwhile does not come", () => {
    const test = keeping(100)
    const sub = test.connect({ clientId: "sub", receiveMaximum: 1 })
    sub.subscribe("r/#", { qos: 1 })
    const pub = test.connect({ clientId: "pub" })
    pub.publish("r/50", "new", { retain: true })
    pub.publish("r/60", "", { retain: true })
    pub.publish("r/new", "new", { retain: true })
    const got: string[] = []
    for (let some = sub.take(); some.length > 0; some = sub.take()) {
      for (const one of some) {
        got.push(`${one.topic} ${one.payload} ${one.retain}`)
        if (one.packetId > 0) sub.ack(4, one.packetId)
      }
    }
    expect(got.filter((one) => one.startsWith("r/50 "))).toEqual(["r/50 new false"])
    expect(got.filter((one) => one.startsWith("r/60 "))).toEqual(["r/60  false"])
    expect(got.filter((one) => one.startsWith("r/new "))).toEqual(["r/new new false"])
    expect(got).toHaveLength(98 + 3)
  })

  it("[MQTT-3.8.4-3] the same filter twice in a packet: the last one holds, and its retained messages come once", () => {
    const test = keeping(3)
    const sub = test.connect({ clientId: "sub" })
    const one = { filter: "r/+", noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
    sub.subscribeAll([
      { ...one, qos: 1 },
      { ...one, qos: 0 },
      { ...one, qos: 1, retainHandling: 2 },
    ])
    expect(sub.seen.at(1)).toMatchObject({ type: "suback", reasonCodes: [1, 0, 1] })
    expect(sub.take().map(({ topic, qos }) => [topic, qos])).toEqual([
      ["r/0", 1],
      ["r/1", 1],
      ["r/2", 1],
    ])
    // Again, in a packet of its own: they come again.
    sub.subscribe("r/+", { qos: 0 })
    expect(sub.take()).toHaveLength(3)
  })

  it("[MQTT-3.8.4-8] a subscription that is replaced meanwhile: what is still owed comes with the QoS granted last", () => {
    const test = keeping(10)
    const sub = test.connect({ clientId: "sub", receiveMaximum: 1 })
    sub.subscribe("r/+", { qos: 1 })
    expect(sub.take().map(({ qos }) => qos)).toEqual([1])
    sub.subscribe("r/+", { qos: 0, retainHandling: 2 })
    sub.ack(4, 1)
    expect(sub.take().map(({ qos }) => qos)).toEqual(new Array(9).fill(0))
  })

  it("come after the messages that are queued", () => {
    const test = keeping(10)
    const sub = test.connect({ clientId: "sub", receiveMaximum: 1 })
    sub.subscribe("#", { qos: 1 })
    const pub = test.connect({ clientId: "pub" })
    for (const payload of ["one", "two"]) pub.publish("live", payload, { qos: 1 })
    const got: string[] = []
    for (let some = sub.take(); some.length > 0; some = sub.take()) {
      for (const one of some) {
        got.push(one.payload)
        sub.ack(4, one.packetId)
      }
    }
    expect(got).toEqual(["x", "one", "two", ...new Array(9).fill("x")])
    // Also where a QoS 0 message of theirs would need no quota.
    pub.publish("zero", "zero", { retain: true })
    const two = test.connect({ clientId: "two", receiveMaximum: 1 })
    two.subscribe("live", { qos: 1, retainHandling: 2 })
    for (const payload of ["one", "two"]) pub.publish("live", payload, { qos: 1 })
    two.subscribe("zero", { qos: 0, packetId: 2 })
    expect(two.payloads()).toEqual(["one"])
    two.ack(4, 1)
    expect(two.payloads()).toEqual(["two", "zero"])
  })

  it("[MQTT-3.10.4-2] end with UNSUBSCRIBE of their filter", () => {
    const test = keeping(100)
    const sub = test.connect({ clientId: "sub", receiveMaximum: 1, ...persistent })
    sub.subscribe("r/+", { qos: 1 })
    expect(sub.take()).toHaveLength(1)
    sub.unsubscribe("r/+")
    sub.ack(4, 1)
    expect(sub.take()).toEqual([])
    expect(sub.connection!.session!.retained.size).toBe(0)
  })

  it("at QoS 1 and 2 go on when the client of a session that is kept is back: each comes once", () => {
    const test = keeping(100)
    const sub = test.connect({ clientId: "sub", receiveMaximum: 10, ...persistent })
    sub.subscribe("r/+", { qos: 1 })
    const before = sub.take()
    for (const { packetId } of before.slice(0, 4)) sub.ack(4, packetId)
    before.push(...sub.take())
    expect(before).toHaveLength(14)
    sub.cut()
    const again = test.connect({ clientId: "sub", receiveMaximum: 10, ...persistent })
    const got: string[] = []
    for (let some = again.take(); some.length > 0; some = again.take()) {
      for (const { packetId, payload, topic, dup, retain } of some) {
        expect({ payload, retain, dup }).toEqual({ payload: "x", retain: true, dup: got.length < 10 })
        got.push(topic ?? "")
        again.ack(4, packetId)
      }
    }
    expect([...before.slice(0, 4).map(({ topic }) => topic), ...got].sort()).toEqual(
      Array.from({ length: 100 }, (_, i) => `r/${i}`).sort(),
    )
    expect(dropped(test)).toBe(0)
  })

  it("wait while there is no room in memory, and none of them is lost: until one is acknowledged, or for a second", () => {
    const test = keeping(1000, { maximumTotalQueuedBytes: 1_000_000 })
    const other = test.connect({ clientId: "other", ...persistent })
    other.subscribe("fill", { qos: 1 })
    other.cut()
    const pub = test.connect({ clientId: "pub" })
    for (let i = 1; i <= 600; i++) pub.publish("fill", "x", { qos: 1, packetId: i })
    const lost = dropped(test)
    const sub = test.connect({ clientId: "sub", ...persistent })
    sub.subscribe("r/+", { qos: 1 })
    const first = sub.take()
    expect(first.length).toBeGreaterThan(10)
    expect(first.length).toBeLessThan(900)
    const { size } = sub.connection!.session!.retained
    expect(size).toBe(1)
    const got = new Set(first.map(({ topic }) => topic))
    // The other's go meanwhile: there is room without an acknowledgement of this one's.
    test.connect({ clientId: "other" })
    test.pass(2)
    const more = sub.take()
    expect(more.length).toBeGreaterThan(0)
    for (let some = [...first, ...more]; some.length > 0; some = sub.take()) {
      for (const one of some) {
        got.add(one.topic)
        sub.ack(4, one.packetId)
      }
    }
    expect(got.size).toBe(1000)
    // Those of the other have gone with its session.
    expect(dropped(test) - test.broker.counters.dropped["session ended"]).toBe(lost)
  })

  it("one that could never be held is dropped and counted; those after it come, and so do later walks", () => {
    const test = keeping(2, { maximumTotalQueuedBytes: 100_000 })
    const large = (name: string, size: number) => test.broker.publishOwn(name, new Uint8Array(size).fill(0x78), 1, true)
    // Twice what it costs must fit: 850 of overhead, its topic as text and as bytes.
    large("r/1/fits", 49_000)
    large("r/1/large", 50_000)
    large("r/2/last", 1)
    const sub = test.connect({ clientId: "sub", ...persistent })
    const lost = () => test.broker.counters.dropped["memory full"]
    const got = (): (string | undefined)[] => {
      const all: (string | undefined)[] = []
      for (let some = sub.take(); some.length > 0; some = sub.take()) {
        for (const one of some) {
          all.push(one.topic)
          sub.ack(4, one.packetId)
        }
      }
      return all
    }
    sub.subscribe("r/#", { qos: 1 })
    expect(got().sort()).toEqual(["r/0", "r/1", "r/1/fits", "r/2/last"])
    expect([lost(), sub.connection!.session!.retained.size]).toEqual([1, 0])
    sub.subscribe("r/1/large", { qos: 1 })
    sub.subscribe("r/0", { qos: 1 })
    expect([got(), lost()]).toEqual([["r/0"], 2])
    // At QoS 0 nothing is held.
    sub.subscribe("r/1/large", { qos: 0 })
    expect(got()).toEqual(["r/1/large"])
  })

  it("end with the connection at QoS 0, and with a session that ends", () => {
    const test = keeping(1000, { maximumOutboundBytes: 1000 })
    const sub = test.connect({ clientId: "sub", receiveMaximum: 1, ...persistent })
    sub.taking = false
    sub.subscribe("r/+", { qos: 0 })
    sub.subscribe("#", { qos: 2 })
    const session = sub.connection!.session!
    expect(session.retained.size).toBe(2)
    sub.cut()
    expect([...session.retained.subscriptions()].map(({ filter }) => filter.text)).toEqual(["#"])
    test.connect({ clientId: "sub" })
    expect(session.retained.size).toBe(0)
  })

  it("those of many subscriptions come one after the other; a shared one has none", () => {
    const test = keeping(20)
    const sub = test.connect({ clientId: "sub", receiveMaximum: 3 })
    for (let i = 0; i < 20; i++) sub.subscribe(`r/${i}`, { qos: 1, packetId: i + 1 })
    sub.subscribe("$share/g/#", { qos: 1 })
    const got: (string | undefined)[] = []
    for (let some = sub.take(); some.length > 0; some = sub.take()) {
      for (const one of some) {
        got.push(one.topic)
        sub.ack(4, one.packetId)
      }
    }
    expect(got).toEqual(Array.from({ length: 20 }, (_, i) => `r/${i}`))
  })

  it("one that has expired is not sent and not kept", () => {
    const test = keeping(3)
    const pub = test.connect({ clientId: "pub" })
    pub.publish("r/1", "short", { retain: true, properties: [0x02, 0, 0, 0, 5] })
    test.pass(6)
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("#")
    expect(topicsOf(sub)).toEqual(["r/0", "r/2"])
    expect(test.broker.retained.size).toBe(2)
  })
})

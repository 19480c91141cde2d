// Clients while the store is late, far behind or failing: nothing leaves too early or out of order, nothing hangs or grows.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker, type TestClient } from "../../tests/harness.ts"
import { ReasonCode } from "../packet/reason-codes.ts"

const versions = [4, 5] as const
const persistent = { cleanStart: false, sessionExpiryInterval: 1000 } as const
const pingreq = [0xc0, 0]

/** Answers until nothing waits. */
function settle(test: TestBroker): void {
  while (test.store.waits) {
    test.store.answer()
    test.settle()
  }
}

/** A subscriber that is kept, and then a store that is late. */
function late(version: 4 | 5 = 5, filter = "t/#"): { test: TestBroker; sub: TestClient } {
  const test = new TestBroker()
  const sub = test.connect({ clientId: "sub", protocolVersion: version, ...persistent })
  sub.subscribe(filter, { qos: 2 })
  test.store.mode = "late"
  return { test, sub }
}

describe("the order of what waits", () => {
  it.each(versions)(
    "[MQTT-4.6.0-2] version %i: PUBACK that depends on nothing stays behind one that does",
    (version) => {
      const { test } = late(version)
      const pub = test.connect({ clientId: "pub", protocolVersion: version })
      pub.publish("t/1", "one", { qos: 1, packetId: 1 })
      pub.publish("nobody", "two", { qos: 1, packetId: 2 })
      expect(pub.acks()).toEqual([])
      settle(test)
      expect(pub.acks().map(({ packetId }) => packetId)).toEqual([1, 2])
    },
  )

  it.each(versions)("version %i: PUBREC that is said again waits as the first does", (version) => {
    const { test } = late(version)
    const pub = test.connect({ clientId: "pub", protocolVersion: version })
    pub.publish("t/1", "one", { qos: 2, packetId: 1 })
    pub.publish("t/1", "one", { qos: 2, packetId: 1, dup: true })
    expect(pub.acks()).toEqual([])
    settle(test)
    expect(pub.acks().map(({ type }) => type)).toEqual(["pubrec", "pubrec"])
  })

  it("an answer does not leave early as one of an earlier turn stands behind it", () => {
    const { test, sub } = late()
    const other = test.connect({ clientId: "other", ...persistent })
    other.subscribe("t/#", { qos: 1 })
    settle(test)
    sub.taking = false // its transport is full
    sub.send(pingreq)
    sub.unsubscribe("t/#") // of one turn, which is with the store
    sub.seen.length = 0
    sub.publish("t/1", "x", { qos: 1, packetId: 7 }) // of the next
    sub.unsubscribe("none") // of the first again
    test.store.answer()
    sub.drain()
    expect(sub.acks()).toEqual([])
    settle(test)
    expect(sub.acks()).toMatchObject([{ type: "puback", packetId: 7 }])
  })

  it("once CONNACK has left PINGRESP waits for nothing, whatever else is late", () => {
    const { test, sub } = late()
    sub.cut()
    settle(test)
    const again = test.connect({ clientId: "sub", ...persistent })
    test.connect({ clientId: "pub" }).publish("t/1", "x", { qos: 1 })
    test.store.answer()
    test.store.fail()
    test.settle()
    again.send(pingreq)
    expect(again.seen.map(({ type }) => type)).toEqual(["connack", "pingresp"])
    test.store.mode = "at once"
    test.pass(1)
    expect(again.payloads()).toEqual(["x"])
  })
})

describe("while the store is late", () => {
  it("what output refers to is let go with its turn, though something is always late", () => {
    const { test, sub } = late()
    const pub = test.connect({ clientId: "pub" })
    const payload = "x".repeat(10_000)
    const used: number[] = []
    for (let i = 1; i <= 20; i++) {
      pub.publish("t/1", payload, { qos: 1, packetId: i })
      if (i > 1) test.store.answer() // the turn before
      test.settle()
      for (const { packetId } of sub.take()) sub.ack(4, packetId)
      used.push(test.broker.memory.outbound)
    }
    expect(Math.max(...used.slice(10))).toBeLessThanOrEqual(Math.max(...used.slice(0, 10)))
    settle(test)
    for (const { packetId } of sub.take()) sub.ack(4, packetId)
    settle(test)
    expect(test.broker.memory.outbound).toBe(0)
  })

  it("a transport that is gone keeps nothing of what was late", () => {
    const { test, sub } = late()
    test.connect({ clientId: "pub" }).publish("t/1", "x".repeat(10_000), { qos: 1 })
    sub.cut()
    expect([sub.connection!.outflow.size, sub.ended]).toEqual([0, true])
    settle(test)
    expect(sub.payloads()).toEqual([])
    expect(test.broker.memory.outbound).toBe(0)
  })

  it("an ended connection whose transport is full is dropped", () => {
    const { test, sub } = late()
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t/1", "x", { qos: 1 })
    sub.taking = false
    sub.connection!.disconnect(test.now, ReasonCode.AdministrativeAction, "enough")
    test.settle()
    expect(sub.destroyed).toBe(true)
    settle(test)
  })

  it("an ended connection does not wait for a store that fails", () => {
    const { test, sub } = late(4)
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t/1", "x", { qos: 1 })
    sub.connection!.disconnect(test.now, ReasonCode.AdministrativeAction, "enough")
    test.settle()
    expect(sub.closed).toBe(false)
    test.store.fail()
    test.settle()
    expect(sub.ended).toBe(true)
  })

  it("[MQTT-3.1.2-22] Keep Alive begins with CONNACK", () => {
    const test = new TestBroker()
    test.store.mode = "late"
    const client = test.connect({ clientId: "c", keepAlive: 2, ...persistent })
    test.pass(10)
    expect(client.closed).toBe(false)
    settle(test)
    test.pass(2)
    expect([client.closed, client.connack.reasonCode]).toEqual([false, 0])
    test.pass(2)
    expect(client.farewell).toBe(ReasonCode.KeepAliveTimeout)
    settle(test)
  })

  it("who publishes retained messages of QoS 0 is not read when much is not kept, and then is", () => {
    const { test } = late()
    const pub = test.connect({ clientId: "pub", keepAlive: 2 })
    test.connect({ clientId: "first" }).publish("r", "0", { retain: true })
    const body = new Uint8Array(1_000_000)
    for (let i = 0; i < 40 && !pub.paused; i++) pub.send(publishBytes(5, "r", body, { retain: true }))
    expect(pub.paused).toBe(true)
    test.pass(10) // nor is it taken for silent
    expect(pub.closed).toBe(false)
    settle(test)
    expect(pub.paused).toBe(false)
    expect(test.broker.retained.size).toBe(1)
  })

  it("a store that is hopelessly late counts as one that fails, until it has caught up", () => {
    const { test } = late()
    const told = () => test.events.map(({ event }) => event).filter((event) => event.startsWith("store"))
    const body = new Uint8Array(1_000_000)
    for (let i = 0; i < 70; i++) {
      test.connect({ clientId: `p${i}` }).send(publishBytes(5, `r${i}`, body, { retain: true }))
      if (told().length > 0) break
    }
    expect(told()).toEqual(["store failed"])
    expect(test.connect({ clientId: "new", ...persistent }).connack.reasonCode).toBe(ReasonCode.ServerUnavailable)
    settle(test)
    expect(told()).toEqual(["store failed", "store recovered"])
    test.store.mode = "at once"
    expect(test.connect({ clientId: "new", ...persistent }).connack.reasonCode).toBe(0)
  })
})

it("a publisher that is held for a slow subscriber stays so when its answers leave", () => {
  const test = new TestBroker({ limits: { maximumQueuedMessages: 20, maximumPublisherPause: 5000 } })
  const sub = test.connect({ clientId: "s", cleanStart: false, sessionExpiryInterval: 1000, receiveMaximum: 1 })
  sub.subscribe("t", { qos: 1 })
  const pub = test.connect({ clientId: "p" })
  test.store.mode = "late"
  let sent = 0
  while (sent < 15 && !pub.paused) pub.publish("t", `${sent}`, { qos: 1, packetId: ++sent })
  expect(sent).toBe(12)
  while (test.store.waits) {
    test.store.answer()
    test.settle()
  }
  expect(pub.acks()).toHaveLength(sent)
  expect(pub.paused).toBe(true)
  test.store.mode = "at once"
  // As long as it may at once, and no longer.
  test.pass(2)
  expect(pub.paused).toBe(true)
  test.pass(1)
  expect(pub.paused).toBe(false)
})

describe("many Changes in one turn", () => {
  it.each(versions)("version %i: their maker is read again when they are kept at once", (version) => {
    const test = new TestBroker()
    const many = Array.from({ length: 150 }, (_, i) => test.connect({ clientId: `s${i}`, ...persistent }))
    for (const sub of many) sub.subscribe("t", { qos: 1 })
    const pub = test.connect({ clientId: "pub", protocolVersion: version })
    const body = new Uint8Array(100_000)
    const all = Array.from({ length: 170 }, (_, i) =>
      publishBytes(version, "r", body, { qos: 1, retain: true, packetId: i + 1 }),
    )
    // In one turn, as it is when sockets have much.
    for (const one of all) pub.connection!.receive(one, test.now)
    test.settle()
    expect(pub.acks()).toHaveLength(170)
    expect(pub.paused).toBe(false)
  })
})

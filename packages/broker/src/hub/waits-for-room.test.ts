// MQTT 3.1.1 has no word for a PUBLISH that cannot be kept: what waits for room, what does not, and for how long.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import type { Access } from "../ports/access.ts"

const persistent = { cleanStart: false, sessionExpiryInterval: 1000 } as const

function withOneAway(given: ConstructorParameters<typeof TestBroker>[0] = {}): TestBroker {
  const test = new TestBroker(given)
  const away = test.connect({ clientId: "away", ...persistent })
  away.subscribe("q/#", { qos: 1 })
  away.cut()
  return test
}

describe.each([4, 5] as const)("version %i", (protocolVersion) => {
  it("answers at once what is larger than any message that the store has room for, and what comes behind it", () => {
    const test = withOneAway()
    const pub = test.connect({ clientId: "pub", protocolVersion })
    test.store.largest = 62_500
    test.store.room = 437_500
    pub.send(publishBytes(protocolVersion, "q/a", new Uint8Array(100_000), { qos: 1, packetId: 1 }))
    pub.send(publishBytes(protocolVersion, "q/a", new Uint8Array(440_000), { qos: 1, packetId: 2 }))
    pub.send(publishBytes(protocolVersion, "q/a", "small", { qos: 1, packetId: 3 }))
    test.pass(5)
    expect(pub.acks().map(({ packetId }) => packetId)).toEqual([1, 2, 3])
  })

  it("answers at once what has more copies than the store ever has room for", () => {
    const test = new TestBroker()
    for (let i = 0; i < 200; i++) test.connect({ clientId: `away${i}`, ...persistent }).subscribe("all", { qos: 1 })
    test.store.largest = 1_000
    test.store.room = 7_000
    const pub = test.connect({ clientId: "pub", protocolVersion })
    pub.publish("all", "x", { qos: 1, packetId: 1 })
    pub.publish("nobody", "y", { qos: 1, packetId: 2 })
    test.pass(5)
    expect(pub.acks().map(({ packetId }) => packetId)).toEqual([1, 2])
  })

  it("answers what the client may not publish, whatever room there is", () => {
    const publishRefusal = (_: unknown, _1: unknown, topic: string) =>
      topic === "q/no" ? { rule: "a rule", why: "it may not" } : undefined
    const test = withOneAway({ access: { ...openAccess, publishRefusal } as unknown as Access })
    test.store.room = 10_000
    const pub = test.connect({ clientId: "pub", protocolVersion })
    pub.send(publishBytes(protocolVersion, "q/no", new Uint8Array(20_000), { qos: 1, packetId: 1 }))
    pub.send(publishBytes(protocolVersion, "q/yes", "x", { qos: 1, packetId: 2 }))
    test.pass(5)
    expect(pub.acks().map(({ packetId }) => packetId)).toEqual([1, 2])
  })
})

it("MQTT-4.6.0-6: QoS 0 goes on in its order, with RETAIN and without", () => {
  const test = withOneAway()
  const sub = test.connect({ clientId: "sub" })
  sub.subscribe("t", { qos: 0 })
  const pub = test.connect({ clientId: "pub", protocolVersion: 4 })
  test.store.mode = "full"
  test.pass(1)
  pub.publish("q/a", "waits", { qos: 1, packetId: 1 })
  pub.publish("t", "A", { qos: 0, retain: true })
  pub.publish("t", "B", { qos: 0 })
  test.store.mode = "at once"
  test.pass(2)
  expect(sub.payloads()).toEqual(["A", "B"])
})

it("many short ones are counted with what they take, so few are held", () => {
  const test = withOneAway()
  const pub = test.connect({ clientId: "pub", protocolVersion: 4 })
  test.store.mode = "full"
  test.pass(1)
  for (let i = 1; i <= 1_000; i++) pub.send(publishBytes(4, "q/a", "", { qos: 1, packetId: i }))
  test.settle()
  // A frame of 9 bytes is an object and an array of about 300.
  const { partial } = test.broker.memory
  expect(partial).toBeGreaterThan(60_000)
  expect(partial).toBeLessThan(100_000)
})

it("does not wait for ever while others are kept: the connection ends, which is told, and the message comes again", () => {
  const test = withOneAway()
  const pub = test.connect({ clientId: "pub", protocolVersion: 4 })
  test.store.room = 10_000
  const payload = new Uint8Array(20_000)
  pub.send(publishBytes(4, "q/a", payload, { qos: 1, packetId: 1 }))
  test.pass(50)
  expect(pub.closed).toBe(false)
  test.pass(15)
  expect(pub.closed).toBe(true)
  expect(JSON.stringify(test.events)).toContain("messages that could not be kept have to come again")
  test.store.room = 1_000_000
  test.pass(1)
  const again = test.connect({ clientId: "pub", protocolVersion: 4 })
  again.send(publishBytes(4, "q/a", payload, { qos: 1, packetId: 1, dup: true }))
  test.pass(2)
  expect(again.acks().map(({ packetId }) => packetId)).toEqual([1])
})

it("waits as long as the store takes nothing at all: nobody is put out for that", () => {
  const test = withOneAway()
  const pub = test.connect({ clientId: "pub", protocolVersion: 4 })
  test.store.mode = "full"
  test.pass(1)
  pub.publish("q/a", "waits", { qos: 1, packetId: 1 })
  test.pass(600)
  expect(pub.closed).toBe(false)
  test.store.mode = "at once"
  test.pass(5)
  expect(pub.acks().map(({ packetId }) => packetId)).toEqual([1])
})

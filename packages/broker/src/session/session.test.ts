import { describe, expect, it } from "vitest"
import { TestBroker, userProperty } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { ReasonCode, ReturnCode } from "../packet/reason-codes.ts"
import type { Limits } from "./limits.ts"
import { slowMemory } from "./session.ts"

const versions = [4, 5] as const
const persistent = { cleanStart: false, sessionExpiryInterval: 1000 } as const

describe("delivery to a subscriber", () => {
  it.each(versions)("version %i: QoS 0, 1 and 2 flows with their acknowledgements", (protocolVersion) => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", protocolVersion })
    expect(sub.subscribe("t/#", { qos: 2 })).toBe(2)
    const pub = test.connect({ clientId: "pub", protocolVersion })
    for (const qos of [0, 1, 2] as const) pub.publish(`t/${qos}`, `m${qos}`, { qos, packetId: qos + 1 })
    const got = sub.take()
    expect(got).toMatchObject([
      { topic: "t/0", payload: "m0", qos: 0, dup: false, retain: false, packetId: 0 },
      { topic: "t/1", payload: "m1", qos: 1, dup: false, packetId: 1 },
      { topic: "t/2", payload: "m2", qos: 2, dup: false, packetId: 2 },
    ])
    const session = sub.connection?.session
    expect(session?.inflightMessages).toBe(2)
    sub.ack(4, 1)
    sub.ack(5, 2)
    expect(sub.acks()).toEqual([{ type: "pubrel", packetId: 2, reasonCode: 0 }]) // [MQTT-4.3.3-4]
    sub.ack(7, 2)
    expect(session?.inflightMessages).toBe(0)
  })

  it("[MQTT-3.3.2-18] keeps User Properties in order for MQTT 5.0 and leaves them out for 3.1.1", () => {
    const test = new TestBroker()
    const five = test.connect({ clientId: "five" })
    const four = test.connect({ clientId: "four", protocolVersion: 4 })
    five.subscribe("t")
    four.subscribe("t")
    const properties = [
      ...userProperty("b", "1"),
      ...userProperty("a", "2"),
      ...userProperty("b", "0"),
      0x03,
      0,
      1,
      0x78,
    ]
    test.connect({ clientId: "pub" }).publish("t", "p", { qos: 1, properties })
    expect([...five.take()[0]!.properties]).toEqual(properties)
    expect(four.take()).toMatchObject([{ payload: "p", qos: 1 }])
  })

  it("[MQTT-3.3.1-3] the publisher's DUP is not passed on", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t")
    test.connect({ clientId: "pub" }).publish("t", "p", { qos: 1, dup: true })
    expect(sub.take()).toMatchObject([{ dup: false }])
  })

  it("[MQTT-4.6.0-5] keeps the order of messages of one publisher, whatever the chunks", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t")
    const pub = test.connect({ clientId: "pub" })
    const wanted = Array.from({ length: 100 }, (_, i) => `${i}`)
    for (const payload of wanted) pub.publish("t", payload, { qos: 1 })
    expect(sub.payloads()).toEqual(wanted)
  })

  it("sends large payloads, which go by reference, unchanged", () => {
    const test = new TestBroker()
    const subs = [1, 2, 3].map((n) => test.connect({ clientId: `s${n}`, protocolVersion: n === 3 ? 4 : 5 }))
    for (const [n, sub] of subs.entries()) sub.subscribe("t", { qos: n === 0 ? 0 : 2 })
    const pub = test.connect({ clientId: "pub" })
    const payload = "abcdefghij".repeat(10_000)
    pub.publish("t", payload, { qos: 2 })
    for (const sub of subs) expect(sub.payloads()).toEqual([payload])
  })

  it("[MQTT-3.1.2-24] [MQTT-3.1.2-25] discards what is above the client's Maximum Packet Size and goes on", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", maximumPacketSize: 100 })
    sub.subscribe("t", { id: 3 })
    const pub = test.connect({ clientId: "pub" })
    for (const qos of [0, 1, 2] as const) {
      pub.publish("t", "x".repeat(200), { qos, packetId: 9 })
      pub.publish("t", `ok${qos}`, { qos, packetId: 10 })
    }
    expect(sub.payloads()).toEqual(["ok0", "ok1", "ok2"])
    expect(sub.connection?.session?.inflightMessages).toBe(2)
    expect(test.broker.counters.dropped["too large"]).toBe(3)
  })

  it("at the client's Maximum Packet Size exactly, and one byte more", () => {
    for (const [size, count] of [
      [100, 1],
      [99, 0],
    ] as const) {
      const test = new TestBroker()
      const sub = test.connect({ clientId: "sub", maximumPacketSize: size })
      sub.subscribe("t", { qos: 0 })
      test.connect({ clientId: "pub" }).publish("t", "x".repeat(100 - 6))
      expect(sub.take().map((one) => one.size)).toEqual(count === 1 ? [100] : [])
    }
  })

  it("Topic Alias towards the client: [MQTT-3.1.2-26] not above its maximum, [MQTT-3.1.2-27] none without", () => {
    const test = new TestBroker()
    const with1 = test.connect({ clientId: "one", topicAliasMaximum: 1 })
    const without = test.connect({ clientId: "none" })
    for (const sub of [with1, without]) sub.subscribe("#", { qos: 0 })
    const pub = test.connect({ clientId: "pub" })
    for (const topic of ["a", "b", "a", "b"]) pub.publish(topic, "")
    expect(with1.take().map((one) => [one.topic, one.topicAlias])).toEqual([
      ["a", 1],
      ["b", 0],
      [undefined, 1],
      ["b", 0],
    ])
    expect(without.take().every((one) => one.topicAlias === 0)).toBe(true)
  })

  it("uses no more aliases than outboundTopicAliases, however many the client allows", () => {
    const test = new TestBroker({ limits: { outboundTopicAliases: 2 } })
    const sub = test.connect({ clientId: "sub", topicAliasMaximum: 65_535 })
    sub.subscribe("#", { qos: 0 })
    const pub = test.connect({ clientId: "pub" })
    for (const topic of ["a", "b", "c", "c", "b"]) pub.publish(topic, "")
    expect(sub.take().map((one) => [one.topic, one.topicAlias])).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 0],
      ["c", 0],
      [undefined, 2],
    ])
  })

  it("[MQTT-3.3.4-3] sends the Subscription Identifier; replacing the subscription replaces it", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    const pub = test.connect({ clientId: "pub" })
    sub.subscribe("t", { id: 268_435_455 })
    pub.publish("t", "")
    sub.subscribe("t")
    pub.publish("t", "")
    expect(sub.take().map((one) => one.identifiers)).toEqual([[268_435_455], []])
  })
})

describe("flow control (section 4.9)", () => {
  it("[MQTT-3.3.4-9] no more unacknowledged messages than Receive Maximum; QoS 0 goes on; the rest in order", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", receiveMaximum: 2 })
    sub.subscribe("t")
    const pub = test.connect({ clientId: "pub" })
    for (let i = 1; i <= 5; i++) pub.publish("t", `${i}`, { qos: i % 2 === 0 ? 2 : 1, packetId: i })
    pub.publish("t", "zero")
    expect(sub.payloads()).toEqual(["1", "2", "zero"])
    sub.ack(4, 1)
    expect(sub.payloads()).toEqual(["3"])
    sub.ack(5, 2) // PUBREC does not free the quota, PUBCOMP does
    expect(sub.payloads()).toEqual([])
    sub.ack(7, 2)
    expect(sub.payloads()).toEqual(["4"])
    sub.ack(5, 4, ReasonCode.UnspecifiedError) // an error in PUBREC does
    expect(sub.payloads()).toEqual(["5"])
  })

  it("[MQTT-3.3.4-9] PUBCOMP for a PUBLISH of an earlier connection gives nothing back", () => {
    const test = new TestBroker()
    const kept = { clientId: "sub", cleanStart: false, sessionExpiryInterval: 100, receiveMaximum: 1 } as const
    const sub = test.connect(kept)
    sub.subscribe("t")
    const pub = test.connect({ clientId: "pub" })
    for (let i = 1; i <= 3; i++) pub.publish("t", `${i}`, { qos: 2, packetId: i })
    const [first] = sub.take()
    sub.ack(5, first!.packetId)
    sub.cut()
    const again = test.connect(kept)
    const [second] = again.take()
    expect(second?.payload).toBe("2")
    again.ack(7, first!.packetId)
    expect(again.payloads()).toEqual([])
    again.ack(5, second!.packetId)
    again.ack(7, second!.packetId)
    expect(again.payloads()).toEqual(["3"])
  })

  it("our own maximumInflight lowers it", () => {
    const test = new TestBroker({ limits: { maximumInflight: 1 } })
    const sub = test.connect({ clientId: "sub", protocolVersion: 4 })
    sub.subscribe("t")
    const pub = test.connect({ clientId: "pub" })
    for (let i = 1; i <= 3; i++) pub.publish("t", `${i}`, { qos: 1 })
    expect(sub.payloads()).toEqual(["1"])
  })

  it("what earlier connections left for PUBCOMP counts: a client that never completes runs out, not the identifiers", () => {
    const test = new TestBroker({ limits: { maximumInflight: 2 } })
    const pub = test.connect({ clientId: "pub" })
    const connect = () => {
      const sub = test.connect({ clientId: "sub", ...persistent })
      sub.subscribe("t")
      for (let i = 0; i < 3; i++) pub.publish("t", "x", { qos: 2, packetId: i + 1 })
      for (let i = 1; i <= 3; i++) pub.ack(6, i)
      return sub
    }
    const taken: number[] = []
    for (let i = 0; i < 3; i++) {
      const sub = connect()
      const ids = sub.take().map(({ packetId }) => packetId)
      for (const id of ids) sub.ack(5, id)
      taken.push(ids.length)
      sub.cut()
    }
    expect(taken).toEqual([2, 0, 0])
    // Whoever completes goes on.
    const sub = connect()
    expect(sub.acks()).toMatchObject([
      { type: "pubrel", packetId: 1 },
      { type: "pubrel", packetId: 2 },
    ])
    sub.ack(7, 1)
    expect(sub.take()).toMatchObject([{ packetId: 3 }])
  })

  it("acknowledgements nobody waits for change nothing", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", receiveMaximum: 1 })
    sub.subscribe("t")
    for (const type of [4, 7] as const) for (let i = 0; i < 3; i++) sub.ack(type, 99)
    const pub = test.connect({ clientId: "pub" })
    for (let i = 1; i <= 3; i++) pub.publish("t", `${i}`, { qos: 1 })
    expect(sub.payloads()).toEqual(["1"])
    sub.ack(5, 98)
    expect(sub.acks()).toEqual([{ type: "pubrel", packetId: 98, reasonCode: ReasonCode.PacketIdentifierNotFound }])
  })

  it("[MQTT-2.2.1-4] identifiers in use are skipped when the counter comes round", () => {
    const test = new TestBroker({ limits: { maximumInflight: 2 } })
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t")
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t", "stays", { qos: 1 })
    expect(sub.take()[0]?.packetId).toBe(1)
    const ids = new Set<number>()
    for (let i = 0; i < 65_536; i++) {
      pub.publish("t", "x", { qos: 1 })
      const id = sub.take()[0]!.packetId
      ids.add(id)
      sub.ack(4, id)
      if (sub.seen.length > 10) sub.seen.length = 0
      if (pub.seen.length > 10) pub.seen.length = 0
    }
    expect(ids.has(1)).toBe(false)
    expect(ids.has(0)).toBe(false)
    expect(ids.size).toBe(65_534)
  })
})

describe("a session that outlives its connection", () => {
  it.each(versions)("version %i: keeps subscriptions and queues QoS 1 and 2 ([MQTT-4.5.0-1])", (protocolVersion) => {
    const test = new TestBroker()
    const options = { clientId: "sub", protocolVersion, ...persistent }
    const before = test.connect(options)
    expect(before.connack.sessionPresent).toBe(false)
    before.subscribe("t")
    before.cut()
    const pub = test.connect({ clientId: "pub" })
    for (const qos of [0, 1, 2] as const) pub.publish("t", `q${qos}`, { qos })
    const after = test.connect(options)
    expect(after.connack.sessionPresent).toBe(true) // [MQTT-3.2.2-3]
    expect(after.take()).toMatchObject([
      { payload: "q1", qos: 1, dup: false },
      { payload: "q2", qos: 2, dup: false },
    ])
    expect(test.broker.counters.dropped.offline).toBe(1)
  })

  it("[MQTT-4.4.0-1] [MQTT-3.3.1-1] resends with DUP, the same identifiers and in order; PUBREL where PUBREC came", () => {
    const test = new TestBroker()
    const before = test.connect({ clientId: "sub", ...persistent })
    before.subscribe("t")
    const pub = test.connect({ clientId: "pub" })
    for (let i = 1; i <= 4; i++) pub.publish("t", `${i}`, { qos: i === 2 || i === 3 ? 2 : 1, packetId: i })
    expect(before.payloads()).toEqual(["1", "2", "3", "4"])
    before.ack(4, 1)
    before.ack(5, 2)
    before.cut()
    pub.publish("t", "5", { qos: 1 })
    const after = test.connect({ clientId: "sub", ...persistent })
    const order = after.seen.slice(1).map((one) => ("packetId" in one ? [one.type, one.packetId] : one.type))
    expect(order).toEqual([
      ["pubrel", 2],
      ["publish", 3],
      ["publish", 4],
      ["publish", 5],
    ])
    expect(after.take().map((one) => [one.payload, one.dup])).toEqual([
      ["3", true],
      ["4", true],
      ["5", false],
    ])
    after.ack(7, 2)
    after.ack(5, 3)
    expect(after.connection?.session?.inflightMessages).toBe(3)
  })

  it("resending respects the new connection's Receive Maximum and Maximum Packet Size", () => {
    const test = new TestBroker()
    const before = test.connect({ clientId: "sub", ...persistent })
    before.subscribe("t")
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t", "1", { qos: 1 })
    pub.publish("t", "x".repeat(200), { qos: 1 })
    pub.publish("t", "3", { qos: 1 })
    before.cut()
    const after = test.connect({ clientId: "sub", ...persistent, receiveMaximum: 1, maximumPacketSize: 100 })
    expect(after.payloads()).toEqual(["1"])
    after.ack(4, 1)
    expect(after.take()).toMatchObject([{ payload: "3", dup: true, packetId: 3 }])
  })

  it("[MQTT-4.3.3-10] remembers QoS 2 messages received before", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t")
    const before = test.connect({ clientId: "pub", ...persistent })
    before.publish("t", "once", { qos: 2, packetId: 3 })
    before.cut()
    const after = test.connect({ clientId: "pub", ...persistent })
    after.publish("t", "once", { qos: 2, packetId: 3, dup: true })
    after.ack(6, 3)
    expect(sub.payloads()).toEqual(["once"])
    expect(after.acks().map((ack) => ack.type)).toEqual(["pubrec", "pubcomp"])
  })

  it("[MQTT-3.1.2-4] Clean Start discards it", () => {
    const test = new TestBroker()
    test.connect({ clientId: "c", ...persistent }).subscribe("t")
    const again = test.connect({ clientId: "c", cleanStart: true })
    expect(again.connack.sessionPresent).toBe(false)
    expect(test.broker.subscriptionCount).toBe(0)
  })

  it("is over when its time is (section 3.1.2.11.2), even before the round of that second", () => {
    const test = new TestBroker()
    const options = { clientId: "c", cleanStart: false, sessionExpiryInterval: 10 }
    test.connect(options).cut()
    test.now += 9_999
    const back = test.connect(options)
    expect(back.connack.sessionPresent).toBe(true)
    back.cut()
    test.now += 10_000
    expect(test.connect(options).connack.sessionPresent).toBe(false)
    expect(test.broker.sessionCount).toBe(1)
  })

  it("[MQTT-3.1.2-23] [MQTT-4.1.0-2] lasts its Session Expiry Interval, and not longer", () => {
    const test = new TestBroker()
    test.connect({ clientId: "c", cleanStart: false, sessionExpiryInterval: 10 }).cut()
    test.pass(9)
    expect(test.broker.sessionCount).toBe(1)
    test.pass(1)
    expect(test.broker.sessionCount).toBe(0)
  })

  it("ends with its connection when the interval is 0", () => {
    const test = new TestBroker()
    const client = test.connect({ clientId: "c", cleanStart: false })
    client.subscribe("t")
    client.cut()
    expect([test.broker.sessionCount, test.broker.subscriptionCount]).toEqual([0, 0])
  })

  it("DISCONNECT may change the interval, but not from 0 (section 3.14.2.2.2)", () => {
    const test = new TestBroker()
    test.connect({ clientId: "a", ...persistent }).disconnect(0, 5)
    test.pass(5)
    expect(test.broker.sessionCount).toBe(0)
    const zero = test.connect({ clientId: "b" })
    zero.disconnect(0, 5)
    expect(zero.farewell).toBe(ReasonCode.ProtocolError)
  })

  it("an interval above the limit is cut and CONNACK says so", () => {
    const test = new TestBroker({ limits: { maximumSessionExpiryInterval: 60 } })
    expect(test.connect({ clientId: "a", sessionExpiryInterval: 60 }).connack.sessionExpiryInterval).toBeUndefined()
    expect(test.connect({ clientId: "b", sessionExpiryInterval: 61 }).connack.sessionExpiryInterval).toBe(60)
    test.connect({ clientId: "c", protocolVersion: 4, cleanStart: false }).cut()
    test.pass(60)
    expect(test.broker.sessionCount).toBe(2)
  })

  it("[MQTT-3.3.2-5] messages that expire while they wait are not sent; others with less time left", () => {
    const test = new TestBroker()
    test.connect({ clientId: "sub", ...persistent }).subscribe("t")
    test.connect({ clientId: "sub", ...persistent }).cut()
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t", "short", { qos: 1, properties: [0x02, 0, 0, 0, 5] })
    pub.publish("t", "long", { qos: 1, properties: [0x02, 0, 0, 0, 60] })
    test.pass(10)
    const after = test.connect({ clientId: "sub", ...persistent })
    expect(after.take()).toMatchObject([{ payload: "long", expiry: 50 }])
    expect(test.broker.counters.dropped.expired).toBe(1)
  })
})

describe("takeover ([MQTT-3.1.4-3])", () => {
  it.each(versions)("version %i: the old connection is told and closed, the session goes on", (protocolVersion) => {
    const test = new TestBroker()
    const old = test.connect({ clientId: "c", protocolVersion, ...persistent })
    old.subscribe("t")
    const next = test.connect({ clientId: "c", protocolVersion, ...persistent })
    expect(old.closed).toBe(true)
    expect(old.farewell).toBe(protocolVersion === 5 ? ReasonCode.SessionTakenOver : undefined)
    expect(next.connack.sessionPresent).toBe(true)
    test.connect({ clientId: "pub" }).publish("t", "x", { qos: 1 })
    expect(next.payloads()).toEqual(["x"])
    old.cut()
    expect(test.broker.connectedCount).toBe(2)
  })

  /** A broker that believes every user name; without one a client is anonymous. */
  function believing(): TestBroker {
    return new TestBroker({
      access: {
        ...openAccess,
        authenticate: ({ username }, decide) =>
          decide({ identity: { user: username ?? "", source: username === undefined ? "anonymous" : "password" } }),
      },
    })
  }

  it.each(versions)("version %i: between users the first keeps it (section 5.4.2)", (protocolVersion) => {
    const test = believing()
    const alice = { clientId: "c", username: "alice", protocolVersion, ...persistent }
    const refusal = protocolVersion === 5 ? ReasonCode.ClientIdentifierNotValid : ReturnCode.IdentifierRejected
    const owner = test.connect(alice)
    for (const connected of [true, false]) {
      if (!connected) owner.cut()
      for (const other of [{ username: "mallory" }, {}]) {
        const thief = test.connect({ clientId: "c", protocolVersion, ...other })
        expect(thief.connack.reasonCode).toBe(refusal)
        expect(thief.closed).toBe(true)
        const reason = "the Client Identifier belongs to another user's session [5.4.2]"
        expect(thief.connack.reasonString).toBe(protocolVersion === 5 ? reason : undefined)
        expect(test.events.at(-1)).toMatchObject({ event: "client refused", clientId: "c", reason })
      }
      expect(owner.closed).toBe(!connected)
    }
    expect(test.connect(alice).connack.sessionPresent).toBe(true)
  })

  it.each(versions)("version %i: an absent anonymous session gives way to a user, and the log says so", (version) => {
    const test = believing()
    const anonymous = test.connect({ clientId: "alice-phone", protocolVersion: version, ...persistent })
    anonymous.subscribe("t")
    const alice = { clientId: "alice-phone", username: "alice", protocolVersion: version, ...persistent }
    // One that is connected keeps it: nobody is thrown out by a name.
    expect(test.connect(alice).connack.reasonCode).toBe(version === 5 ? 0x85 : 2)
    expect(anonymous.closed).toBe(false)
    anonymous.cut()
    const phone = test.connect(alice)
    expect(phone.connack).toMatchObject({ reasonCode: 0, sessionPresent: false })
    const displaced = { event: "session displaced", clientId: "alice-phone", user: "alice" }
    expect(test.events).toContainEqual(expect.objectContaining(displaced))
    test.connect({ clientId: "pub" }).publish("t", "x", { qos: 1 })
    expect(phone.payloads()).toEqual([])
    expect(test.broker.subscriptionCount).toBe(0)
    // And now it is hers.
    phone.cut()
    expect(test.connect({ clientId: "alice-phone", protocolVersion: version }).connack.reasonCode).not.toBe(0)
  })

  it("an anonymous client resumes the session of an anonymous client, whoever may use its name as user", () => {
    const test = believing()
    test.connect({ clientId: "c", ...persistent }).cut()
    expect(test.connect({ clientId: "c", ...persistent }).connack.sessionPresent).toBe(true)
  })
})

describe("Will Messages", () => {
  const will = { topic: "will", payload: Uint8Array.of(0x77), qos: 1, retain: false } as const

  function watched(): { test: TestBroker; watcher: ReturnType<TestBroker["connect"]> } {
    const test = new TestBroker()
    const watcher = test.connect({ clientId: "watcher" })
    watcher.subscribe("will")
    return { test, watcher }
  }

  it.each(versions)(
    "version %i: [MQTT-3.1.2-8] published when the network goes, [MQTT-3.14.4-3] not after DISCONNECT",
    (protocolVersion) => {
      const { test, watcher } = watched()
      test.connect({ clientId: "a", protocolVersion, will }).disconnect()
      expect(watcher.payloads()).toEqual([])
      test.connect({ clientId: "a", protocolVersion, will }).cut()
      expect(watcher.take()).toMatchObject([{ payload: "w", qos: 1 }])
    },
  )

  it("DISCONNECT with 0x04 publishes it", () => {
    const { test, watcher } = watched()
    test.connect({ clientId: "a", will }).disconnect(ReasonCode.DisconnectWithWill)
    expect(watcher.payloads()).toEqual(["w"])
  })

  it("[MQTT-3.1.2-15] a retained Will Message is retained", () => {
    const { test } = watched()
    test.connect({ clientId: "a", will: { ...will, retain: true } }).cut()
    const late = test.connect({ clientId: "late" })
    late.subscribe("will")
    expect(late.take()).toMatchObject([{ payload: "w", retain: true }])
  })

  it("waits for its Will Delay Interval", () => {
    const { test, watcher } = watched()
    test.connect({ clientId: "a", ...persistent, will: { ...will, delayInterval: 5 } }).cut()
    test.pass(4)
    expect(watcher.payloads()).toEqual([])
    test.pass(1)
    expect(watcher.payloads()).toEqual(["w"])
    test.pass(10)
    expect(watcher.payloads()).toEqual([])
  })

  it("but not longer than the session", () => {
    const { test, watcher } = watched()
    test.connect({ clientId: "a", sessionExpiryInterval: 3, will: { ...will, delayInterval: 60 } }).cut()
    test.pass(3)
    expect(watcher.payloads()).toEqual(["w"])
    test.connect({ clientId: "b", will: { ...will, delayInterval: 60 } }).cut()
    expect(watcher.payloads()).toEqual(["w"])
  })

  it("[MQTT-3.1.3-9] a client that is back in time does not trigger it", () => {
    const { test, watcher } = watched()
    const options = { clientId: "a", ...persistent, will: { ...will, delayInterval: 5 } }
    test.connect(options).cut()
    test.pass(3)
    test.connect(options)
    test.pass(20)
    expect(watcher.payloads()).toEqual([])
  })

  it("a client that is back after the delay has passed comes too late, even before the round of that second", () => {
    const { test, watcher } = watched()
    const options = { clientId: "a", ...persistent, will: { ...will, delayInterval: 5 } }
    test.connect(options).cut()
    test.now += 5000
    test.connect(options)
    expect(watcher.payloads()).toEqual(["w"])
  })

  it("at takeover: sent when the delay is 0 or the session ends, else not (section 3.1.3.2.2)", () => {
    const { test, watcher } = watched()
    const delayed = { clientId: "a", ...persistent, will: { ...will, delayInterval: 5 } }
    test.connect(delayed)
    test.connect(delayed)
    expect(watcher.payloads()).toEqual([])
    test.connect({ clientId: "a", cleanStart: true })
    expect(watcher.payloads()).toEqual(["w"])
    test.connect({ clientId: "b", ...persistent, will })
    test.connect({ clientId: "b", ...persistent })
    expect(watcher.payloads()).toEqual(["w"])
  })
})

describe("subscribing", () => {
  it.each(["a/#/b", "a+", "", "$share/g", "$share//a", "$share/+/a", "$share/g/", "a\u0001"])(
    "[MQTT-4.7.1-1] to [MQTT-4.8.2-2]: %j is no Topic Filter, and makes its packet malformed",
    (filter) => {
      const test = new TestBroker()
      for (const packet of ["subscribe", "unsubscribe"] as const) {
        const client = test.connect()
        client[packet](filter)
        expect([client.closed, client.farewell]).toEqual([true, ReasonCode.MalformedPacket])
        // MQTT 3.1.1 [MQTT-4.8.0-1]; it knows no Shared Subscriptions, and so no malformed ones
        const four = test.connect({ clientId: "four", protocolVersion: 4 })
        four[packet](filter)
        const wellFormed = filter.startsWith("$share")
        expect([four.closed, four.seen.length]).toEqual([!wellFormed, wellFormed ? 2 : 1])
        if (wellFormed && packet === "subscribe")
          expect(four.seen[1]).toMatchObject({ type: "suback", reasonCodes: [0x80] })
      }
      expect(test.broker.subscriptionCount).toBe(0)
    },
  )

  it("[MQTT-3.8.3-4] No Local on a shared subscription is a Protocol Error", () => {
    const client = new TestBroker().connect()
    client.subscribe("$share/g/t", { noLocal: true })
    expect(client.farewell).toBe(ReasonCode.ProtocolError)
  })

  it("[MQTT-3.10.4-4] [MQTT-3.10.4-5] UNSUBACK in any case; [MQTT-3.10.4-2] nothing more is delivered", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t")
    expect(sub.unsubscribe("t", "x")).toEqual([0, ReasonCode.NoSubscriptionExisted])
    test.connect({ clientId: "pub" }).publish("t", "")
    expect(sub.take()).toEqual([])
    const four = test.connect({ clientId: "four", protocolVersion: 4 })
    four.unsubscribe("nothing")
    expect(four.seen.at(-1)).toMatchObject({ type: "unsuback", packetId: 2 })
  })

  it("takes as many subscriptions as allowed and refuses one more; replacing one is not one more", () => {
    const client = new TestBroker({ limits: { maximumSubscriptions: 2 } }).connect()
    expect([client.subscribe("a"), client.subscribe("b"), client.subscribe("c"), client.subscribe("a")]).toEqual([
      2,
      2,
      ReasonCode.QuotaExceeded,
      2,
    ])
  })

  it("retained messages: Retain Handling 0, 1, 2 ([MQTT-3.3.1-9] to [MQTT-3.3.1-11]), none for shared ones", () => {
    const test = new TestBroker()
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t/1", "one", { retain: true, qos: 1 })
    pub.publish("t/2", "two", { retain: true })
    const sub = test.connect({ clientId: "sub" })
    const order = () => sub.take().map((one) => [one.payload, one.qos, one.retain])
    sub.subscribe("t/+", { retainHandling: 1, qos: 1 })
    expect(order()).toEqual([
      ["one", 1, true],
      ["two", 0, true],
    ])
    expect(sub.seen.map((one) => one.type)).toEqual(["connack", "suback"])
    sub.subscribe("t/+", { retainHandling: 1, qos: 1 })
    expect(order()).toEqual([])
    sub.subscribe("t/+", { retainHandling: 0, qos: 0 })
    expect(order()).toEqual([
      ["one", 0, true],
      ["two", 0, true],
    ])
    sub.subscribe("t/#", { retainHandling: 2 })
    sub.subscribe("$share/g/t/+", { retainHandling: 0 })
    expect(order()).toEqual([])
  })

  it("[MQTT-3.3.1-5] replaces, [MQTT-3.3.1-6] [MQTT-3.3.1-7] deletes, [MQTT-3.3.1-8] leaves alone; expired ones are gone", () => {
    const test = new TestBroker()
    const pub = test.connect({ clientId: "pub" })
    let n = 0
    const seen = () => {
      const sub = test.connect({ clientId: `sub${n++}` })
      sub.subscribe("t")
      return sub.payloads()
    }
    pub.publish("t", "1", { retain: true })
    pub.publish("t", "2", { retain: true })
    pub.publish("t", "not retained")
    expect(seen()).toEqual(["2"])
    pub.publish("t", "", { retain: true })
    expect(seen()).toEqual([])
    pub.publish("t", "3", { retain: true, properties: [0x02, 0, 0, 0, 5] })
    test.pass(4)
    expect(seen()).toEqual(["3"])
    test.pass(1)
    expect(seen()).toEqual([])
    expect(test.broker.retained.size).toBe(0)
  })

  it("takes as many retained messages and bytes as allowed, and not one more", () => {
    const keep = (limits: Partial<Limits>) => {
      const test = new TestBroker({ limits })
      return { test, pub: test.connect({ clientId: "pub" }) }
    }
    const two = keep({ maximumRetainedMessages: 2 })
    for (const topic of ["a", "b", "c"]) two.pub.publish(topic, "x", { retain: true })
    expect([two.test.broker.retained.size, two.test.broker.counters.retainedRefused]).toEqual([2, 1])
    // What the broker says that one of that size costs is what fits.
    const first = keep({})
    first.test.broker.publishOwn("a", new Uint8Array(100), 0, true)
    const limit = first.test.broker.retained.bytes
    const { test } = keep({ maximumRetainedBytes: limit })
    // The broker's own: a client has three quarters of it.
    const publish = (topic: string, length: number) => test.broker.publishOwn(topic, new Uint8Array(length), 0, true)
    publish("a", 100)
    expect([test.broker.retained.size, test.broker.retained.bytes]).toEqual([1, limit])
    publish("a", 101)
    expect([test.broker.retained.size, test.broker.retained.bytes]).toEqual([0, 0])
    publish("a", 1)
    publish("b", 1)
    expect([test.broker.retained.size, test.broker.counters.retainedRefused]).toEqual([1, 2])
  })

  it("one owner has three quarters of what retained messages may take, and his going does not give them to another", () => {
    const test = new TestBroker({ limits: { maximumRetainedBytes: 40_000 } })
    const greedy = test.connect({ clientId: "greedy" }, { address: "192.0.2.1:1" })
    for (let i = 0; i < 100; i++) greedy.publish(`greedy/${i}`, "x", { retain: true })
    const { size, bytes } = test.broker.retained
    expect(bytes).toBeGreaterThan(28_000)
    expect(bytes).toBeLessThanOrEqual(32_000) // the tree's own nodes are nobody's
    greedy.cut()
    const again = test.connect({ clientId: "greedy" }, { address: "192.0.2.1:2" })
    again.publish("greedy/again", "x", { retain: true })
    expect(test.broker.retained.size).toBe(size)
    // An update of another's message is charged to who makes it.
    const other = test.connect({ clientId: "other" }, { address: "192.0.2.2:1" })
    for (const topic of ["other", "greedy/0", "greedy/1"]) other.publish(topic, "y", { retain: true })
    expect(test.broker.retained.size).toBe(size + 1)
    again.publish("greedy/2", "", { retain: true })
    again.publish("greedy/again", "x", { retain: true })
    expect(test.broker.retained.size).toBe(size + 1)
  })
})

describe("a subscriber that does not keep up", () => {
  it("queues up to maximumQueuedMessages and maximumQueuedBytes, then drops the newest and counts it", () => {
    for (const limits of [{ maximumQueuedMessages: 3 }, { maximumQueuedBytes: 3 * 11 }]) {
      const test = new TestBroker({ limits })
      test.connect({ clientId: "sub", ...persistent }).subscribe("t")
      test.connect({ clientId: "sub", ...persistent }).cut()
      const pub = test.connect({ clientId: "pub" })
      for (let i = 1; i <= 5; i++) pub.publish("t", `message ${i}.`, { qos: 1 })
      expect(test.broker.counters.dropped["queue full"]).toBe(2)
      expect(test.connect({ clientId: "sub", ...persistent }).payloads()).toEqual([
        "message 1.",
        "message 2.",
        "message 3.",
      ])
    }
  })

  it("has at most maximumOutboundBytes waiting: QoS 0 is dropped, QoS 1 waits and comes later", () => {
    const test = new TestBroker({ limits: { maximumOutboundBytes: 10_000, maximumPublisherPause: 0 } })
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t")
    sub.taking = false
    const pub = test.connect({ clientId: "pub" })
    for (let i = 0; i < 100; i++) {
      pub.publish("t", `${i}`.padEnd(1000), { qos: 0 })
      test.pass(1) // the publisher's pause ends
    }
    const written = sub.connection!.outflow.size
    expect(written).toBeGreaterThanOrEqual(10_000)
    expect(written).toBeLessThan(11_500)
    expect(test.broker.counters.dropped["output full"]).toBeGreaterThan(80)
    pub.publish("t", "kept", { qos: 1 })
    sub.take()
    sub.drain()
    expect(sub.payloads().at(-1)).toBe("kept")
  })

  it("pauses the publisher at half of the limit and lets it go on when the subscriber has caught up", () => {
    const test = new TestBroker({ limits: { maximumOutboundBytes: 10_000 } })
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t")
    sub.taking = false
    const pub = test.connect({ clientId: "pub" })
    for (let i = 0; i < 30; i++) pub.publish("t", `${i}`.padEnd(1000))
    expect(pub.paused).toBe(true)
    expect(test.broker.counters.dropped["output full"]).toBe(0)
    for (let i = 0; i < 40 && pub.paused; i++) {
      sub.connection?.drained(test.now)
      test.settle()
    }
    sub.drain()
    expect(sub.payloads().map((one) => Number(one))).toEqual(Array.from({ length: 30 }, (_, i) => i))
    expect(pub.paused).toBe(false)
  })

  /** Frozen subscribers of t/0, t/1, ..., and a publisher that floods one. */
  function frozen(count: number, limits: Partial<Limits> = {}) {
    const wakes: number[] = []
    const test = new TestBroker({
      limits: { maximumOutboundBytes: 10_000, ...limits },
      wakeAfter: (milliseconds) => wakes.push(test.now + milliseconds),
    })
    const subscribers = Array.from({ length: count }, (_, i) => {
      const sub = test.connect({ clientId: `sub${i}`, ...persistent })
      sub.subscribe(`t/${i}`)
      sub.taking = false
      return sub
    })
    const pub = test.connect({ clientId: "pub" })
    const flood = (i: number) => {
      for (let n = 0; n < 30 && !pub.paused; n++) pub.publish(`t/${i}`, "x".padEnd(1000), { qos: 1, packetId: n + 1 })
    }
    /** Lets one millisecond pass, and what was asked for happen. */
    const step = () => {
      test.now++
      if (!wakes.includes(test.now)) return
      test.broker.wake(test.now)
      test.settle()
    }
    return { test, subscribers, pub, flood, step }
  }

  it("all of them together hold a publisher at most maximumPublisherPause in any 10 seconds", () => {
    const { pub, flood, step } = frozen(40)
    // Whether the publisher was not read from, by the millisecond.
    const held: boolean[] = []
    for (let i = 0; i < 40; i++) {
      flood(i)
      for (let n = 0; n < 500; n++) {
        held.push(pub.paused)
        step()
      }
    }
    let worst = 0
    for (let from = 0; from + 10_000 <= held.length; from += 100) {
      worst = Math.max(worst, held.slice(from, from + 10_000).filter(Boolean).length)
    }
    // It is held, so that who is only a little late gets everything; and no longer than it may be.
    expect(worst).toBeGreaterThan(200)
    expect(worst).toBeLessThanOrEqual(500)
    // Half at once, so that its own PINGREQ is never long without an answer.
    const first = held.indexOf(false, held.indexOf(true)) - held.indexOf(true)
    expect(first).toBeGreaterThan(240)
    expect(first).toBeLessThanOrEqual(252)
  })

  it("one that has held a publisher as long as it may holds nobody again until it has kept up for a while", () => {
    const { test, subscribers, pub, flood, step } = frozen(1)
    const [sub] = subscribers
    const another = test.connect({ clientId: "another" })
    const burst = () => {
      for (let n = 0; n < 12; n++) another.publish("t/0", "x".padEnd(1000))
      return another.paused
    }
    flood(0)
    for (let n = 0; n < 300; n++) step()
    expect(pub.paused).toBe(false)
    expect(burst()).toBe(false)
    // It comes again, with an empty output: that changes nothing.
    sub!.cut()
    const again = test.connect({ clientId: "sub0", ...persistent })
    again.taking = false
    expect(burst()).toBe(false)
    again.drain()
    for (let n = 1; n <= 30; n++) again.ack(4, n)
    again.taking = false
    test.now += slowMemory - 1
    expect(burst()).toBe(false)
    again.drain()
    again.taking = false
    test.now += slowMemory
    expect(burst()).toBe(true)
  })

  it("with maximumPublisherPause 0 nobody is held", () => {
    const { pub, flood } = frozen(1, { maximumPublisherPause: 0 })
    flood(0)
    expect(pub.paused).toBe(false)
  })

  it("stops reading a client that does not take its own acknowledgements", () => {
    const test = new TestBroker({ limits: { maximumOutboundBytes: 100 } })
    const client = test.connect()
    client.taking = false
    for (let i = 0; i < 100; i++) client.send([0xc0, 0])
    expect(client.paused).toBe(true)
    expect(client.connection!.outflow.size).toBeLessThan(110)
    client.drain()
    while (client.paused) client.drain()
    expect(client.seen.filter((one) => one.type === "pingresp")).toHaveLength(100)
  })
})

// The bounds in sum: of messages that wait, of packets that come in part, of sessions. Each at its limit and one past it.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker, type TestClient } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { createLocalBus } from "../buses/local.ts"
import { Message } from "../packet/message.ts"
import type { Qos } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { TopicTable } from "../packet/topic.ts"
import type { Bus } from "../ports/bus.ts"
import { defaultLimits, limitsOfMemory } from "./limits.ts"
import { emptyAccount, PartialMemory, QueuedMemory } from "./memory.ts"

const persistent = { cleanStart: false, sessionExpiryInterval: 1000 } as const
const versions = [4, 5] as const

/** What the broker says that a small retained message takes. */
function retainedBytes(): number {
  const test = new TestBroker()
  test.broker.publishOwn("a", new Uint8Array(1), 0, true)
  return test.broker.retained.bytes
}

describe("messages that wait", () => {
  const topic = new TopicTable(9).of("t")
  const message = (size: number) => Message.of(topic, new Uint8Array(size), 1, false)

  it("count once, however many sessions they wait for, and not at all when nobody keeps them", () => {
    const memory = new QueuedMemory(100_000)
    const one = message(1000)
    const cost = memory.hold(one, 0)
    expect(cost).toBeGreaterThan(1001)
    expect(memory.used).toBe(cost)
    for (let i = 0; i < 10; i++) expect(memory.hold(one, 0)).toBe(cost)
    expect(memory.used).toBeLessThan(cost + 10 * 200)
    for (let i = 0; i < 11; i++) expect(memory.release(one)).toBe(cost)
    expect(memory.used).toBe(0)
  })

  it("count what stays with them of their subscriptions: Subscription Identifiers and the filter of a shared one", () => {
    const test = new TestBroker()
    const options = { clientId: "sub", ...persistent }
    const sub = test.connect(options)
    const pub = test.connect({ clientId: "pub" })
    const bits = Array.from({ length: 64 }, (_, i) => Array.from({ length: 6 }, (_, b) => ((i >> b) & 1 ? "+" : "a")))
    for (const [i, levels] of bits.entries()) sub.subscribe(`${levels.join("/")}/#`, { id: i + 1 })
    const share = `$share/${"g".repeat(5000)}/t`
    sub.subscribe(share)
    sub.cut()
    const before = test.broker.memory.queued
    for (let i = 0; i < 10; i++) pub.publish(`a/a/a/a/a/a/${i}`, "", { qos: 1 })
    expect(test.broker.memory.queued - before).toBeGreaterThan(10 * 64 * 8)
    pub.publish("t", "", { qos: 1 })
    expect(test.broker.memory.queued - before).toBeGreaterThan(10 * 64 * 8 + 5000)
    // Sent, resent, acknowledged, and left again.
    const again = test.connect(options)
    again.unsubscribe(share)
    again.cut()
    const last = test.connect(options)
    for (const { packetId, qos } of last.take()) last.ack(qos === 1 ? 4 : 5, packetId)
    expect(test.broker.memory.queued).toBe(before)
  })

  it("retained messages that are sent at QoS 1 and 2 count until they are acknowledged, and not below nothing", () => {
    const test = new TestBroker()
    const keeper = test.connect({ clientId: "keeper" })
    for (const qos of [1, 2] as const) keeper.publish(`kept/${qos}`, "x", { qos, retain: true, packetId: qos })
    const reader = test.connect({ clientId: "reader" })
    for (let i = 0; i < 3; i++) {
      reader.subscribe("kept/#", { qos: 2 })
      test.settle()
      expect(test.broker.memory.queued).toBeGreaterThanOrEqual(0)
    }
    reader.cut()
    keeper.cut()
    expect(test.broker.memory.queued).toBe(0)
  })

  describe.each(versions)(
    "MQTT %i: a message at QoS 1 or 2 that has no room is refused where there is a word for it",
    (v) => {
      const refused = v === 5 ? ReasonCode.QuotaExceeded : ReasonCode.Success
      const small = { maximumRetainedMessages: 1, maximumTotalQueuedBytes: 20_000 }
      const told = (test: TestBroker) => test.events.filter(({ event }) => event === "message refused")

      it.each([1, 2] as const)("QoS %i: a retained one, and the one before it stays", (qos) => {
        const test = new TestBroker({ limits: small })
        const pub = test.connect({ clientId: "pub", protocolVersion: v })
        const sub = test.connect({ clientId: "sub" })
        sub.subscribe("#")
        pub.publish("a", "1", { qos, retain: true })
        pub.ack(6, 1)
        pub.publish("b", "2", { qos, retain: true, packetId: 2 })
        expect(pub.acks().at(-1)).toMatchObject({ packetId: 2, reasonCode: refused })
        expect(told(test)).toMatchObject([{ clientId: "pub", topic: "b" }])
        // An MQTT 3.1.1 client cannot be told: the others get it, as at QoS 0.
        expect(sub.payloads()).toEqual(v === 5 ? ["1"] : ["1", "2"])
        const late = test.connect({ clientId: "late" })
        late.subscribe("#")
        expect(late.payloads()).toEqual(["1"])
      })

      it("one larger than the retained one before it, which goes only where nobody can be told", () => {
        const limit = retainedBytes()
        const test = new TestBroker({ limits: { maximumRetainedBytes: limit * 2 } })
        const pub = test.connect({ clientId: "pub", protocolVersion: v })
        pub.publish("a", "1", { qos: 1, retain: true })
        pub.publish("a", "2".repeat(limit * 2), { qos: 1, retain: true })
        expect(pub.acks().at(-1)).toMatchObject({ reasonCode: refused })
        expect(test.broker.retained.size).toBe(v === 5 ? 1 : 0)
      })

      it("one that none of its subscribers has room for; one of two is enough", () => {
        const test = new TestBroker({ limits: small })
        const pub = test.connect({ clientId: "pub", protocolVersion: v })
        const away = test.connect({ clientId: "away", ...persistent })
        away.subscribe("t", { qos: 1 })
        away.cut()
        pub.publish("t", "x".repeat(50_000), { qos: 1 })
        expect(pub.acks().at(-1)).toMatchObject({ reasonCode: refused })
        expect(told(test)).toHaveLength(1)
        test.connect({ clientId: "there" }).subscribe("t", { qos: 0 })
        pub.publish("t", "x".repeat(50_000), { qos: 1, packetId: 2 })
        expect(pub.acks().at(-1)).toMatchObject({ reasonCode: ReasonCode.Success })
        expect(told(test)).toHaveLength(1)
      })

      it("and one that its only subscriber's queue is full for", () => {
        const test = new TestBroker({ limits: { maximumQueuedMessages: 1 } })
        const pub = test.connect({ clientId: "pub", protocolVersion: v })
        const away = test.connect({ clientId: "away", ...persistent })
        away.subscribe("t", { qos: 1 })
        away.cut()
        for (const packetId of [1, 2]) pub.publish("t", "x", { qos: 1, packetId })
        expect(pub.acks().at(-1)).toMatchObject({ reasonCode: refused })
        expect(test.broker.counters.dropped["queue full"]).toBe(1)
        expect(told(test)).toHaveLength(1)
      })
    },
  )

  it("one owner's absent sessions leave a quarter to the others, whose messages wait and are sent", () => {
    const test = new TestBroker({ limits: { maximumTotalQueuedBytes: 400_000 } })
    const publisher = test.connect({ clientId: "publisher" }, { address: "192.0.2.9:1" })
    for (let i = 0; i < 32; i++) {
      const greedy = test.connect({ clientId: `greedy${i}`, ...persistent }, { address: "192.0.2.1:1" })
      greedy.subscribe(`greedy/${i}`, { qos: 1 })
      greedy.cut()
      for (let n = 0; n < 500; n++) publisher.publish(`greedy/${i}`, "", { qos: 1, packetId: 1 })
    }
    expect(test.broker.memory.queued).toBeGreaterThan(250_000)
    expect(test.broker.memory.queued).toBeLessThanOrEqual(300_000)
    const victim = test.connect({ clientId: "victim", ...persistent }, { address: "192.0.2.2:1" })
    victim.subscribe("victim", { qos: 1 })
    for (let n = 0; n < 20; n++) publisher.publish("victim", `${n}`, { qos: 1, packetId: 1 })
    expect(victim.payloads()).toHaveLength(20)
    victim.cut()
    for (let n = 20; n < 25; n++) publisher.publish("victim", `${n}`, { qos: 1, packetId: 1 })
    const back = test.connect({ clientId: "victim", ...persistent }, { address: "192.0.2.2:1" })
    // Those of before, which were not acknowledged, and those that came while it was away, too.
    expect(back.payloads()).toEqual(Array.from({ length: 25 }, (_, n) => `${n}`))
  })

  it("absent sessions of all owners together have seven eighths, to the byte; connected ones the rest, too", () => {
    const memory = new QueuedMemory(80_000)
    const owners = Array.from({ length: 7 }, () => emptyAccount())
    for (const account of owners) expect(memory.take(10_000, account, false)).toBe(true)
    expect(memory.take(1, emptyAccount(), false)).toBe(false)
    expect(memory.take(1, emptyAccount(), true)).toBe(true)
  })

  it.each([4, 5] as const)(
    "MQTT %i: identifiers of QoS 2 messages that are not released count, and have their bound",
    (v) => {
      const test = new TestBroker({ limits: { maximumTotalQueuedBytes: 4000 } })
      const greedy = test.connect({ clientId: "greedy", protocolVersion: v, ...persistent }, { address: "192.0.2.1:1" })
      for (let id = 1; id <= 75; id++) greedy.publish("t", "x", { qos: 2, packetId: id })
      expect(test.broker.memory.queued).toBe(75 * 40)
      const before = greedy.acks().length
      greedy.publish("t", "x", { qos: 2, packetId: 76 })
      if (v === 5) expect(greedy.acks().slice(before)).toMatchObject([{ reasonCode: ReasonCode.QuotaExceeded }])
      else expect(greedy.closed).toBe(true)
      const other = test.connect({ clientId: "other", protocolVersion: v }, { address: "192.0.2.2:1" })
      other.publish("t", "x", { qos: 2, packetId: 1 })
      expect(other.acks()).toHaveLength(1)
      other.ack(6, 1)
      expect(test.broker.memory.queued).toBe(75 * 40)
      test.connect({ clientId: "greedy", protocolVersion: v, cleanStart: true }, { address: "192.0.2.1:1" }).cut()
      expect(test.broker.memory.queued).toBe(0)
    },
  )

  it("what is between PUBREC and PUBCOMP counts, in absent sessions, too", () => {
    const test = new TestBroker()
    const reader = test.connect({ clientId: "reader", ...persistent })
    reader.subscribe("t", { qos: 2 })
    const publisher = test.connect({ clientId: "publisher" })
    for (let id = 1; id <= 10; id++) publisher.publish("t", "x", { qos: 2, packetId: id })
    publisher.cut()
    for (const { packetId } of reader.take()) if (packetId !== undefined) reader.ack(5, packetId)
    expect(test.broker.memory.queued).toBe(10 * 125)
    reader.cut()
    expect(test.broker.memory.queued).toBe(10 * 125)
    const again = test.connect({ clientId: "reader", ...persistent })
    for (let id = 1; id <= 10; id++) again.ack(7, id)
    expect(test.broker.memory.queued).toBe(0)
  })

  it("MQTT-4.3.3-10: an identifier is free again when publishing its QoS 2 message threw: sent again, it is delivered", () => {
    const local = createLocalBus()
    let broken = true
    const bus: Bus = {
      ...local,
      publish(...given) {
        if (broken) throw new TypeError("planted")
        return local.publish(...given)
      },
    }
    const test = new TestBroker({ bus })
    const reader = test.connect({ clientId: "reader" })
    reader.subscribe("t")
    test.connect({ clientId: "p", ...persistent }).publish("t", "x", { qos: 2, packetId: 7 })
    test.settle()
    expect(test.broker.memory.queued).toBe(0)
    broken = false
    test.connect({ clientId: "p", ...persistent }).publish("t", "x", { qos: 2, packetId: 7, dup: true })
    expect(reader.payloads()).toEqual(["x"])
  })

  it("MQTT 5.0 3.3.2.3.4: Topic Aliases stand for 16,384 bytes of Topic Names, and not one more", () => {
    const test = new TestBroker()
    const client = test.connect({ clientId: "c" })
    const named = (alias: number, length: number) =>
      client.publish("t".repeat(length), "x", { properties: [0x23, 0, alias] })
    named(1, 8192)
    named(2, 8192)
    named(1, 100) // in the place of what it stood for
    named(1, 8192)
    expect(client.closed).toBe(false)
    named(1, 8193)
    expect([client.closed, client.farewell]).toEqual([true, ReasonCode.QuotaExceeded])
  })

  it("Topic Aliases count while the connection lasts, in both directions, and are not given out without room", () => {
    const test = new TestBroker({ limits: { maximumTotalQueuedBytes: 40_000 } })
    const reader = test.connect({ clientId: "reader", topicAliasMaximum: 10 }, { address: "192.0.2.1:1" })
    reader.subscribe("#", { qos: 0 })
    const writer = test.connect({ clientId: "writer" }, { address: "192.0.2.2:1" })
    const named = (alias: number, name: string) => writer.publish(name, "x", { properties: [0x23, 0, alias] })
    for (let i = 0; i < 3; i++) named(1, "t".repeat(5000))
    expect(reader.take().map(({ topicAlias }) => topicAlias)).toEqual([1, 1, 1])
    expect(test.broker.memory.queued).toBeGreaterThan(20_000)
    expect(test.broker.memory.queued).toBeLessThan(22_000)
    // 16,384 bytes are not in the way, memory is.
    named(1, "u".repeat(8000))
    expect(reader.take()).toMatchObject([{ topic: "u".repeat(8000), topicAlias: 0 }])
    named(2, "v".repeat(8000))
    expect([writer.closed, writer.farewell]).toEqual([true, ReasonCode.QuotaExceeded])
    reader.cut()
    expect(test.broker.memory.queued).toBe(0)
  })

  it("MQTT 5.0 3.3.2.3.4: aliases towards a client stand for 16,384 bytes of Topic Names, and not one more", () => {
    const test = new TestBroker()
    const reader = test.connect({ clientId: "reader", topicAliasMaximum: 10 })
    reader.subscribe("#", { qos: 0 })
    const writer = test.connect({ clientId: "writer" })
    for (const length of [16_000, 385, 384, 1]) writer.publish("t".repeat(length), "x")
    expect(reader.take().map(({ topicAlias }) => topicAlias)).toEqual([1, 0, 2, 0])
  })

  it("a will counts from CONNECT on, and a CONNECT whose will has no room is refused", () => {
    const test = new TestBroker({ limits: { maximumTotalQueuedBytes: 40_000 } })
    const will = { topic: "w", payload: new Uint8Array(10_000), qos: 1, retain: false, delayInterval: 500 } as const
    const connect = (clientId: string) => test.connect({ clientId, ...persistent, will }, { address: "192.0.2.1:1" })
    for (const clientId of ["a", "b"]) expect(connect(clientId).connack.reasonCode).toBe(0)
    expect(connect("c").connack.reasonCode).toBe(ReasonCode.QuotaExceeded)
    expect([test.broker.sessionCount, test.broker.memory.queued]).toEqual([2, 2 * 10_402])
    // A will that is published, or is not to be, counts no longer.
    const big = { ...will, payload: new Uint8Array(30_000) }
    const refused = test.connect({ clientId: "b", ...persistent, will: big }, { address: "192.0.2.1:1" })
    expect(refused.connack.reasonCode).toBe(ReasonCode.QuotaExceeded)
    expect(test.broker.memory.queued).toBe(10_402) // b's connection was taken over, and its will went with it
    const a = connect("a")
    expect(test.broker.memory).toMatchObject({ queued: 10_402, wills: 10_402 })
    a.disconnect(0)
    expect([test.broker.sessionCount, test.broker.memory.queued, test.broker.memory.wills]).toEqual([2, 0, 0])
    for (const clientId of ["a", "b"]) test.connect({ clientId, cleanStart: true }, { address: "192.0.2.1:1" }).cut()
    expect([test.broker.sessionCount, test.broker.memory.queued]).toEqual([0, 0])
  })

  it("a session takes half of what there is and not a message more; so does each after it of what is left", () => {
    const size = message(1000)
    const memory = new QueuedMemory(1_000_000)
    const cost = memory.hold(size, 0)
    memory.release(size)
    const taken: number[] = []
    for (let session = 0; session < 4; session++) {
      let own = 0
      for (;;) {
        const added = memory.hold(message(1000), own)
        if (added === 0) break
        own += added
      }
      taken.push(own)
    }
    expect(taken[0]).toBeLessThanOrEqual(500_000)
    expect(taken[0]).toBeGreaterThan(500_000 - cost)
    expect(taken.map((bytes) => Math.round(bytes / 10_000))).toEqual([50, 25, 12, 6])
    // There is room for the next one still.
    expect(memory.hold(message(10), 0)).toBeGreaterThan(0)
  })

  it("an absent session that is filled up takes nothing away from the one beside it", () => {
    const test = new TestBroker({ limits: { maximumTotalQueuedBytes: 200_000 } })
    for (const clientId of ["greedy", "modest"]) {
      const sub = test.connect({ clientId, ...persistent })
      sub.subscribe(clientId)
      sub.cut()
    }
    const pub = test.connect({ clientId: "pub" })
    for (let i = 0; i < 300; i++) pub.publish("greedy", "x".repeat(1000), { qos: 1 })
    expect(test.broker.counters.dropped["memory full"]).toBeGreaterThan(100)
    expect(test.broker.memory.queued).toBeLessThanOrEqual(100_000)
    for (let i = 0; i < 10; i++) pub.publish("modest", `${i}`, { qos: 1 })
    expect(test.connect({ clientId: "modest", ...persistent }).payloads()).toHaveLength(10)
    const greedy = test.connect({ clientId: "greedy", ...persistent })
    for (let last = 0; ; ) {
      const got = greedy.take()
      if (got.length === 0) break
      for (const { packetId } of got) greedy.ack(4, packetId)
      last += got.length
      expect(last).toBeLessThan(100)
    }
    greedy.ack(4, 1)
  })

  it.each(versions)(
    "version %i: after any life of sessions the account is what is left, and in the end nothing",
    (v) => {
      for (let seed = 1; seed <= 30; seed++) {
        const random = seeded(seed)
        const pick = (count: number) => Math.floor(random() * count)
        const limits = { maximumTotalQueuedBytes: 30_000, maximumInflight: 4, maximumQueuedMessages: 8 }
        const test = new TestBroker({ limits })
        const pub = test.connect({ clientId: "pub" })
        const subs: TestClient[] = []
        const come = (i: number) => {
          const maximumPacketSize = v === 5 && pick(4) === 0 ? 300 : undefined
          subs[i] = test.connect({ clientId: `s${i}`, protocolVersion: v, ...persistent, maximumPacketSize })
        }
        for (let i = 0; i < 3; i++) {
          come(i)
          subs[i]!.subscribe("t")
        }
        for (let step = 0; step < 200; step++) {
          const sub = subs[pick(3)]!
          switch (pick(7)) {
            case 0:
              sub.cut()
              break
            case 1:
              come(pick(3))
              break
            case 2:
              sub.taking = !sub.taking
              sub.drain()
              break
            case 3:
            case 4:
              for (const { packetId, qos } of sub.take()) {
                if (qos > 0 && pick(4) > 0) sub.ack(qos === 1 ? 4 : 5, packetId, v === 5 && pick(5) === 0 ? 0x80 : 0)
              }
              for (const ack of sub.acks()) if (ack.type === "pubrel") sub.ack(7, ack.packetId)
              break
            default: {
              const properties = v === 5 && pick(3) === 0 ? [0x02, 0, 0, 0, 1] : []
              const qos = pick(3) as Qos
              pub.publish("t", "x".repeat(pick(600)), { qos, packetId: step + 1, properties })
              if (qos === 2) pub.ack(6, step + 1)
              test.now += pick(900)
            }
          }
          expect(test.broker.memory.queued).toBeGreaterThanOrEqual(0)
          expect(test.broker.memory.queued).toBeLessThanOrEqual(30_000)
        }
        for (let i = 0; i < 3; i++) test.connect({ clientId: `s${i}`, protocolVersion: v }).cut()
        expect(test.broker.memory.queued).toBe(0)
      }
    },
  )
})

describe("output that transports have not taken", () => {
  it("is bounded in sum: past it each client may have a little, and who takes what it gets notices nothing", () => {
    const most = 1_000_000
    const test = new TestBroker({ limits: { maximumTotalOutboundBytes: most } })
    const frozen = Array.from({ length: 20 }, (_, i) => {
      const client = test.connect({ clientId: `frozen${i}` })
      client.subscribe("t")
      client.taking = false
      return client
    })
    const reader = test.connect({ clientId: "reader" })
    reader.subscribe("t")
    const publisher = test.connect({ clientId: "publisher" })
    for (let i = 0; i < 1000; i++) {
      publisher.publish("t", "x".repeat(2000))
      if (i % 20 === 0) test.pass(1) // it is held up for a while, at the beginning
    }
    const { outbound } = test.broker.memory
    expect(outbound).toBeGreaterThan(most)
    // A turn's output of each may have come on top.
    expect(outbound).toBeLessThan(most + 20 * 80_000)
    expect(reader.payloads()).toHaveLength(1000)
    for (const client of frozen) client.cut()
    expect(test.broker.memory.outbound).toBe(0)
    publisher.publish("t", "y".repeat(100_000))
    expect(test.broker.memory.outbound).toBe(0)
  })
})

describe("subscriptions", () => {
  it("what one session shares with another makes it neither richer nor poorer", () => {
    const test = new TestBroker({ limits: { maximumTotalSubscriptionBytes: 100_000 } })
    const [one, two] = ["one", "two"].map((clientId) => test.connect({ clientId }))
    for (let i = 0; i < 300; i++) {
      for (const client of [one!, two!]) expect(client.subscribe(`a/topic/${i}`)).toBeLessThan(3)
      for (const client of [one!, two!]) client.unsubscribe(`a/topic/${i}`)
    }
    expect([one, two].map((client) => client!.connection!.session!.subscriptionBytes)).toEqual([0, 0])
    expect(one!.connection!.session!.account.subscriptions).toBe(0)
  })

  it("one owner's sessions leave a quarter to the others", () => {
    const test = new TestBroker({ limits: { maximumTotalSubscriptionBytes: 100_000 } })
    for (let s = 0; s < 20; s++) {
      const greedy = test.connect({ clientId: `greedy${s}`, ...persistent }, { address: "192.0.2.1:1" })
      for (let i = 0; i < 100; i++) greedy.subscribe(`a/topic/of/its/own/${s}/${i}`)
      greedy.cut()
    }
    const stranger = test.connect({ clientId: "stranger" }, { address: "192.0.2.2:1" })
    for (let i = 0; i < 10; i++) expect(stranger.subscribe(`strange/${i}`)).toBeLessThan(3)
  })

  it("a session takes half of what there is, then 0x97; another one has room still, and what ends gives it back", () => {
    const test = new TestBroker({ limits: { maximumTotalSubscriptionBytes: 100_000 } })
    const greedy = test.connect({ clientId: "greedy" })
    const taken = (client: TestClient) => {
      for (let i = 0; i < 1000; i++) {
        if (client.subscribe(`a/topic/of/its/own/${client.connection?.clientId}/${i}`) === ReasonCode.QuotaExceeded)
          return i
      }
      return 1000
    }
    const first = taken(greedy)
    expect(first).toBeGreaterThan(50)
    const used = test.broker.memory.subscriptions
    expect(used).toBeGreaterThan(45_000)
    expect(used).toBeLessThan(55_000)
    // One that it has already may be changed.
    expect(greedy.subscribe("a/topic/of/its/own/greedy/0", { qos: 1 })).toBe(1)
    expect(taken(test.connect({ clientId: "modest" }))).toBeGreaterThan(first / 3)
    greedy.unsubscribe("a/topic/of/its/own/greedy/1")
    greedy.disconnect()
    expect(test.broker.memory.subscriptions).toBeLessThan(35_000)
    expect(test.connect({ clientId: "greedy" }).subscribe("again")).toBe(2)
  })
})

describe("packets that come in part", () => {
  it("the longest unfinished gives up when one byte more would be held", () => {
    const memory = new PartialMemory<string>(100)
    expect([memory.set("a", 40), memory.set("b", 30), memory.set("c", 30)]).toEqual([[], [], []])
    expect(memory.used).toBe(100)
    expect(memory.set("b", 31)).toEqual(["a"])
    expect(memory.used).toBe(61)
    expect(memory.set("a", 0)).toEqual([])
    expect(memory.set("d", 200)).toEqual(["b", "c", "d"])
    expect(memory.used).toBe(0)
  })

  it.each(versions)(
    "version %i: a hundred half-sent PUBLISH hold what they may, and an honest one gets through",
    (v) => {
      const test = new TestBroker({ limits: { maximumTotalPartialBytes: 1_000_000 } })
      const packet = publishBytes(v, "t", "x".repeat(200_000), { qos: 1 })
      const half = packet.slice(0, 150_000)
      const slow = Array.from({ length: 100 }, (_, i) => test.connect({ clientId: `slow${i}`, protocolVersion: v }))
      for (const client of slow) {
        for (let at = 0; at < half.length; at += 50_000) client.send(half.subarray(at, at + 50_000))
        expect(test.broker.memory.partial).toBeLessThanOrEqual(1_000_000)
      }
      // The oldest were told to go; the newest are still there.
      expect(slow[0]!.closed).toBe(true)
      expect(slow[0]!.farewell).toBe(v === 5 ? ReasonCode.QuotaExceeded : undefined)
      expect(slow.at(-1)!.closed).toBe(false)
      const honest = test.connect({ clientId: "honest", protocolVersion: v })
      for (let at = 0; at < packet.length; at += 50_000) honest.send(packet.subarray(at, at + 50_000))
      expect(honest.acks()).toHaveLength(1)
      for (const client of slow) client.cut()
      expect(test.broker.memory.partial).toBe(0)
    },
  )

  it("who has not connected gives up before who has", () => {
    const test = new TestBroker({ limits: { maximumTotalPartialBytes: 500_000 } })
    const honest = test.connect({ clientId: "honest" })
    const packet = publishBytes(5, "t", "x".repeat(300_000), { qos: 1 })
    honest.send(packet.subarray(0, 100_000))
    const strangers = Array.from({ length: 20 }, () => test.open(5))
    // CONNECT that announces 100,000 bytes, of which 60,000 come.
    const half = new Uint8Array(60_000)
    half.set([0x10, 0xa0, 0x8d, 0x06, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 0, 0, 0, 0])
    for (const one of strangers) one.send(half)
    for (const at of [100_000, 200_000, 300_000]) honest.send(packet.subarray(at, at + 100_000))
    expect([honest.closed, honest.acks().length]).toEqual([false, 1])
    expect(strangers.filter(({ closed }) => closed).length).toBeGreaterThan(10)
  })

  it("a packet begins when the one before it has ended: who publishes all the time is not the oldest", () => {
    const test = new TestBroker({ limits: { maximumTotalPartialBytes: 1_000_000 } })
    const honest = test.connect({ clientId: "honest" })
    const packet = publishBytes(5, "t", "x".repeat(1000))
    honest.send(packet.subarray(0, 500))
    const attackers = [1, 2].map((i) => test.connect({ clientId: `slow${i}` }))
    for (const one of attackers) one.send(publishBytes(5, "t", "y".repeat(600_000)).subarray(0, 70))
    // Each chunk ends one packet and begins the next.
    const chunk = new Uint8Array(packet.length)
    chunk.set(packet.subarray(500))
    chunk.set(packet.subarray(0, 500), packet.length - 500)
    for (let i = 0; i < 3; i++) honest.send(chunk)
    for (const one of attackers) for (let i = 0; i < 10; i++) one.send(new Uint8Array(58_000))
    expect([honest.closed, ...attackers.map(({ closed }) => closed)]).toEqual([false, true, false])
  })

  it("what waits while a login is checked counts too", () => {
    let decide: () => void = () => undefined
    const access = {
      ...openAccess,
      authenticate: ((attempt, given) => {
        if (attempt.clientId === "c") decide = () => openAccess.authenticate(attempt, given)
        else openAccess.authenticate(attempt, given)
      }) satisfies typeof openAccess.authenticate,
    }
    const test = new TestBroker({ access })
    const client = test.connect({ clientId: "c" })
    client.send(new Uint8Array(1000).fill(0xc0))
    expect(test.broker.memory.partial).toBeGreaterThanOrEqual(1000)
    client.cut() // what it has sent is its all the same, once it is known who it is
    expect(test.broker.memory.partial).toBeGreaterThanOrEqual(1000)
    decide()
    test.settle()
    expect(test.broker.memory.partial).toBe(0)
    const late = test.connect({ clientId: "c" })
    late.send(new Uint8Array(1000).fill(0xc0))
    late.cut()
    test.pass(test.broker.limits.loginTimeout / 1000 + 1)
    expect(test.broker.memory.partial).toBe(0)
  })
})

describe("sessions", () => {
  /** A broker that believes every user name. */
  const believing = (limits: { maximumSessions?: number; maximumSessionsPerOwner?: number }) =>
    new TestBroker({
      limits,
      access: {
        ...openAccess,
        authenticate: ({ username }, decide) =>
          decide({ identity: { user: username ?? "", source: username === undefined ? "anonymous" : "password" } }),
      },
    })

  it("one user has as many as may be; the next one takes the place of the longest absent, never of a connected one", () => {
    const test = believing({ maximumSessionsPerOwner: 3 })
    const alice = (clientId: string) => test.connect({ clientId, username: "alice", ...persistent })
    const [one, two, three] = ["1", "2", "3"].map(alice)
    expect(alice("4").connack.reasonCode).toBe(ReasonCode.QuotaExceeded)
    two!.cut()
    one!.cut()
    expect(alice("4").connack.reasonCode).toBe(0)
    expect(test.broker.sessionCount).toBe(3)
    expect(alice("1").connack.sessionPresent).toBe(true)
    expect(alice("2").connack.reasonCode).toBe(ReasonCode.QuotaExceeded)
    expect(three!.closed).toBe(false)
    expect(test.broker.counters.sessionsDisplaced).toBe(1)
    // Somebody else does not notice.
    expect(test.connect({ clientId: "b", username: "bob", ...persistent }).connack.reasonCode).toBe(0)
  })

  it("anonymous clients count by their address, of IPv6 by the /64 that one household has", () => {
    const test = believing({ maximumSessionsPerOwner: 2 })
    const from = (address: string, clientId: string) => test.connect({ clientId, ...persistent }, { address })
    for (const [i, port] of [1000, 2000].entries()) from(`192.0.2.1:${port}`, `a${i}`)
    expect(from("192.0.2.1:3000", "a2").connack.reasonCode).toBe(ReasonCode.QuotaExceeded)
    expect(from("192.0.2.2:1000", "b").connack.reasonCode).toBe(0)
    for (const i of [1, 2]) expect(from(`[2001:db8::${i}]:1000`, `c${i}`).connack.reasonCode).toBe(0)
    expect(from("[2001:db8::3]:1000", "c3").connack.reasonCode).toBe(ReasonCode.QuotaExceeded)
    expect(from("[2001:db8:0:1::1]:1000", "d").connack.reasonCode).toBe(0)
  })

  it("when all places are taken the longest absent of all makes room, and its will is published", () => {
    const test = believing({ maximumSessions: 3 })
    const watcher = test.connect({ clientId: "watcher", username: "w" })
    watcher.subscribe("will")
    const will = { topic: "will", payload: Uint8Array.of(0x77), qos: 0, retain: false, delayInterval: 500 } as const
    test.connect({ clientId: "old", username: "a", ...persistent, will }).cut()
    test.connect({ clientId: "new", username: "b", ...persistent }).cut()
    expect(test.connect({ clientId: "stranger" }).connack.reasonCode).toBe(0)
    expect(watcher.payloads()).toEqual(["w"])
    expect(test.connect({ clientId: "new", username: "b", ...persistent }).connack.sessionPresent).toBe(true)
    expect(test.connect({ clientId: "one too many" }).connack.reasonCode).toBe(ReasonCode.QuotaExceeded)
  })
})

it("the defaults are for a heap of 512 MiB, and grow with it", () => {
  expect(defaultLimits).toMatchObject(limitsOfMemory(512 * 1_048_576, false))
  expect(limitsOfMemory(2 ** 32, true).maximumTotalBytes).toBe(5 * 2 ** 29)
  expect(limitsOfMemory(2 ** 32, true).maximumTotalQueuedBytes).toBe(2 ** 30)
})

/** mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

describe("all of it together", () => {
  it("has a bound of its own: sessions, messages, subscriptions and retained messages", () => {
    const limits = { maximumTotalBytes: 40_000 }
    const test = new TestBroker({ limits })
    const pub = test.connect({ clientId: "pub" }, { address: "192.0.2.9:1" })
    const away = test.connect({ clientId: "away", ...persistent })
    expect(away.subscribe("t", { qos: 1 })).toBe(1)
    away.cut()
    for (let i = 0; i < 8; i++) test.connect({ clientId: `c${i}`, ...persistent }, { address: `192.0.2.${i}:1` })
    for (let i = 0; i < 100; i++) pub.publish(`kept/${i}`, "x", { qos: 1, retain: true })
    expect(pub.acks().at(-1)).toMatchObject({ reasonCode: ReasonCode.QuotaExceeded })
    expect(test.broker.retained.bytes).toBeLessThan(40_000 - 8 * 2000)
    pub.publish("t", "x".repeat(500), { qos: 1 })
    expect(pub.acks().at(-1)).toMatchObject({ reasonCode: ReasonCode.QuotaExceeded })
    const code = pub.subscribe(`a/${"long".repeat(500)}`)
    expect(code).toBe(ReasonCode.QuotaExceeded)
    // Nobody else's session goes for a stranger; his own oldest absent one does.
    const stranger = test.connect({ clientId: "stranger" }, { address: "198.51.100.1:1" })
    expect(stranger.connack.reasonCode).toBe(ReasonCode.QuotaExceeded)
    expect(test.broker.sessionCount).toBe(10)
    for (let i = 0; i < 20; i++) pub.publish(`kept/${i}`, "", { retain: true })
    expect(test.connect({ clientId: "stranger" }, { address: "198.51.100.1:1" }).connack.reasonCode).toBe(0)
  })

  it("counts payloads that are only referred to once, as long as anybody's transport holds them", () => {
    const test = new TestBroker()
    const pub = test.connect({ clientId: "pub" })
    const subs = [0, 1, 2, 3].map((i) => {
      const sub = test.connect({ clientId: `s${i}` })
      sub.subscribe(i < 2 ? `alone/${i}` : "shared")
      sub.taking = false
      return sub
    })
    const large = "x".repeat(100_000)
    for (const topic of ["alone/0", "alone/1", "shared"]) pub.publish(topic, large)
    expect(test.broker.memory.outbound).toBeGreaterThan(300_000)
    expect(test.broker.memory.outbound).toBeLessThan(301_000)
    subs[2]!.drain()
    expect(test.broker.memory.outbound).toBeGreaterThan(300_000)
    for (const sub of subs.slice(0, 2)) sub.drain()
    expect(test.broker.memory.outbound).toBeGreaterThan(100_000)
    subs[3]!.cut()
    expect(test.broker.memory.outbound).toBe(0)
  })

  it("counts them in full, though others would have them who are absent or take them at once", () => {
    const test = new TestBroker()
    const request = { cleanStart: false, sessionExpiryInterval: 100 }
    for (let i = 0; i < 9; i++) {
      const absent = test.connect({ clientId: `absent${i}`, ...request })
      absent.subscribe("#", { qos: 0 })
      absent.cut()
    }
    for (let i = 0; i < 9; i++) test.connect({ clientId: `reader${i}` }).subscribe("#", { qos: 0 })
    const frozen = test.connect({ clientId: "frozen" })
    frozen.subscribe("t")
    frozen.taking = false
    test.connect({ clientId: "pub" }).publish("t", "x".repeat(100_000))
    expect(test.broker.memory.outbound).toBeGreaterThanOrEqual(100_000)
    frozen.drain()
    expect(test.broker.memory.outbound).toBe(0)
  })

  it("past its bound nobody is sent a large message of QoS 0, retained or not; small ones are", () => {
    const test = new TestBroker({ limits: { maximumTotalOutboundBytes: 150_000 } })
    const pub = test.connect({ clientId: "pub" })
    pub.publish("kept", "x".repeat(70_000), { retain: true })
    for (let i = 0; i < 2; i++) {
      const frozen = test.connect({ clientId: `frozen${i}` })
      frozen.subscribe(`frozen/${i}`)
      frozen.taking = false
      pub.publish(`frozen/${i}`, "x".repeat(100_000))
    }
    const full = test.broker.memory.outbound
    expect(full).toBeGreaterThan(200_000)
    const reader = test.connect({ clientId: "reader" })
    reader.subscribe("t", { qos: 1 })
    reader.subscribe("kept")
    expect(reader.payloads()).toEqual([])
    expect(test.broker.counters.dropped["output full"]).toBe(1)
    // The other one waits for those who do not read.
    const other = test.connect({ clientId: "other" })
    other.publish("t", "x".repeat(65_537))
    expect(test.broker.counters.dropped["output full"]).toBe(2)
    other.publish("t", "x".repeat(65_536))
    other.publish("t", "y".repeat(65_537), { qos: 1 }) // what waits for its acknowledgement counts there
    expect(reader.payloads().map(({ length }) => length)).toEqual([65_536, 65_537])
    expect(test.broker.memory.outbound).toBe(full)
    for (const frozen of test.broker.clients()) if (frozen.clientId.startsWith("frozen")) frozen.drained(test.now)
    other.publish("t", "x".repeat(65_537))
    expect(reader.payloads()).toHaveLength(1)
    expect(test.broker.counters.dropped["output full"]).toBe(2)
  })
})

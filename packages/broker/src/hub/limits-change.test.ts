// Limits that a reload changes: each of them, by what it does to what is there already and to what comes after it.

import { describe, expect, it } from "vitest"
import { packet, publishBytes, TestBroker, type TestClient, text } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { limitOptions, namesOf } from "../config/schema/limits.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access } from "../ports/access.ts"
import { defaultLimits, type Limits } from "../session/limits.ts"

/** Everybody is who he says; who says nothing is anonymous, and who is called "late" hears nothing. */
const access: Access = {
  ...openAccess,
  authenticate: ({ username }, decided) => {
    if (username === "late") return
    decided({
      identity: username === undefined ? { user: "", source: "anonymous" } : { user: username, source: "password" },
    })
  },
}

class Changing extends TestBroker {
  readonly #wakes: number[] = []

  constructor(limits: Partial<Limits>) {
    super({ limits, access, wakeAfter: (milliseconds) => this.#wakes.push(this.now + milliseconds) })
  }

  change(limits: Partial<Limits>): void {
    this.broker.limitsChanged({ ...this.broker.limits, ...limits })
    this.settle()
  }

  /** Milliseconds, with what was asked for then. */
  wait(milliseconds: number): void {
    for (const end = this.now + milliseconds; this.now < end; ) {
      this.now++
      if (this.#wakes.includes(this.now)) this.broker.wake(this.now)
      this.settle()
    }
  }
}

const many = (pub: TestClient, count: number, qos: 0 | 1 | 2 = 1, payload = "x") => {
  for (let i = 0; i < count; i++) pub.publish("t", payload, { qos, packetId: i + 1 })
}
/** Of a PUBLISH of QoS 1. */
const answer = (pub: TestClient, topic: string, payload = "x", retain = false): number | undefined => {
  pub.publish(topic, payload, { qos: 1, retain, packetId: 77 })
  return pub.acks().findLast((ack) => ack.type === "puback")?.reasonCode
}
const { QuotaExceeded, Success, NoMatchingSubscribers } = ReasonCode

/** What is left of it until its connection ends. */
const told: { readonly [Name in keyof Limits]?: () => void } = {
  receiveMaximum: () => {
    const test = new Changing({ receiveMaximum: 3 })
    const old = test.connect({ clientId: "old" })
    test.connect({ clientId: "sub" }).subscribe("#")
    test.change({ receiveMaximum: 1 })
    const next = test.connect({ clientId: "next" })
    expect([old.connack.receiveMaximum, next.connack.receiveMaximum]).toEqual([3, 1])
    many(old, 3, 2)
    expect(old.closed).toBe(false)
    many(next, 2, 2)
    expect(next.farewell).toBe(ReasonCode.ReceiveMaximumExceeded)
    many(old, 4, 2)
    expect(old.farewell).toBe(ReasonCode.ReceiveMaximumExceeded)
  },
  topicAliasMaximum: () => {
    const test = new Changing({ topicAliasMaximum: 2 })
    const old = test.connect({ clientId: "old" })
    test.change({ topicAliasMaximum: 5 })
    const next = test.connect({ clientId: "next" })
    expect([old.connack.topicAliasMaximum, next.connack.topicAliasMaximum]).toEqual([2, 5])
    const alias = (client: TestClient, number: number) => {
      client.publish("t", "x", { properties: [0x23, 0, number] })
      return client.farewell
    }
    expect([alias(next, 5), alias(old, 2), alias(old, 3)]).toEqual([undefined, undefined, ReasonCode.TopicAliasInvalid])
    test.change({ topicAliasMaximum: 0 })
    expect(alias(next, 5)).toBeUndefined()
  },
  maximumPacketSize: () => {
    const test = new Changing({ maximumPacketSize: 1000 })
    const old = test.connect({ clientId: "old" })
    test.change({ maximumPacketSize: 200 })
    const next = test.connect({ clientId: "next" })
    expect([old.connack.maximumPacketSize, next.connack.maximumPacketSize]).toEqual([1000, 200])
    for (const client of [old, next]) client.publish("t", "x".repeat(900))
    expect([old.farewell, next.farewell]).toEqual([undefined, ReasonCode.PacketTooLarge])
    old.publish("t", "x".repeat(1000))
    expect(old.farewell).toBe(ReasonCode.PacketTooLarge)
  },
  maximumKeepAlive: () => {
    const test = new Changing({ maximumKeepAlive: 60 })
    const old = test.connect({ clientId: "old" })
    test.change({ maximumKeepAlive: 2 })
    const next = test.connect({ clientId: "next" })
    expect([old.connack.serverKeepAlive, next.connack.serverKeepAlive]).toEqual([60, 2])
    test.pass(4)
    expect([old.closed, next.closed]).toEqual([false, true])
    test.pass(86)
    expect(old.closed).toBe(true)
  },
  maximumSessionExpiryInterval: () => {
    const test = new Changing({ maximumSessionExpiryInterval: 100 })
    const old = test.connect({ clientId: "old", sessionExpiryInterval: 50 })
    const away = test.connect({ clientId: "away", sessionExpiryInterval: 50 })
    away.cut()
    test.change({ maximumSessionExpiryInterval: 10 })
    const next = test.connect({ clientId: "next", sessionExpiryInterval: 50 })
    expect([old.connack.sessionExpiryInterval, next.connack.sessionExpiryInterval]).toEqual([undefined, 10])
    old.disconnect(0, 90) // what it was told lets it
    next.disconnect(0, 90)
    const there = () => [...test.broker.sessions()].map(({ clientId }) => clientId)
    test.pass(12)
    expect(there()).toEqual(["old", "away"])
    test.pass(40)
    expect(there()).toEqual(["old"])
    test.pass(40)
    expect(there()).toEqual([])
  },
  maximumConnectSize: () => {
    const test = new Changing({ maximumConnectSize: 128 })
    const old = test.open()
    test.change({ maximumConnectSize: 1000 })
    const next = test.open()
    for (const client of [old, next]) client.connect({ username: "u".repeat(200) })
    expect([old.closed, next.closed]).toEqual([true, false])
  },
  outboundTopicAliases: () => {
    const test = new Changing({ outboundTopicAliases: 0 })
    const pub = test.connect({ clientId: "pub" })
    const sub = (clientId: string) => {
      const client = test.connect({ clientId, topicAliasMaximum: 9 })
      client.subscribe("#")
      return client
    }
    const old = sub("old")
    test.change({ outboundTopicAliases: 1 })
    const next = sub("next")
    many(pub, 2, 0)
    expect([old, next].map((client) => client.take().map(({ topicAlias }) => topicAlias))).toEqual([
      [0, 0],
      [1, 1],
    ])
  },
}

/** What holds for what is there too. */
const atOnce: { readonly [Name in keyof Limits]?: () => void } = {
  maximumPayloadSize: () => {
    const test = new Changing({})
    const pub = test.connect({ clientId: "pub" })
    expect(answer(pub, "t", "123456")).toBe(NoMatchingSubscribers)
    test.change({ maximumPayloadSize: 5 })
    expect(answer(pub, "t", "123456")).toBe(QuotaExceeded)
    test.change({ maximumPayloadSize: 6 })
    expect(answer(pub, "t", "123456")).toBe(NoMatchingSubscribers)
  },
  connectTimeout: () => {
    const test = new Changing({ connectTimeout: 60_000 })
    const client = test.open()
    test.pass(5)
    expect(client.closed).toBe(false)
    test.change({ connectTimeout: 5000 })
    test.pass(1)
    expect(client.closed).toBe(true)
  },
  loginTimeout: () => {
    const test = new Changing({ loginTimeout: 60_000 })
    const client = test.connect({ clientId: "late", username: "late" })
    test.pass(5)
    expect(client.closed).toBe(false)
    test.change({ loginTimeout: 5000 })
    test.pass(1)
    expect(client.connack.reasonCode).toBe(ReasonCode.ServerUnavailable)
  },
  maximumConnections: () => {
    const test = new Changing({ maximumConnections: 2 })
    const [a, b] = [test.connect({ clientId: "a" }), test.connect({ clientId: "b" })]
    expect(test.connect({ clientId: "c" }).closed).toBe(true)
    test.change({ maximumConnections: 3 })
    expect(test.connect({ clientId: "c" }).closed).toBe(false)
    test.change({ maximumConnections: 1 })
    expect([a.closed, b.closed, test.connect({ clientId: "d" }).closed]).toEqual([false, false, true])
    a.cut()
    b.cut()
    expect(test.connect({ clientId: "d" }).closed).toBe(true)
  },
  maximumConnectionsPerAddress: () => {
    const test = new Changing({})
    const from = (clientId: string) => test.connect({ clientId }, { address: `192.0.2.1:${clientId}` })
    const [a, b] = [from("1"), from("2")]
    test.change({ maximumConnectionsPerAddress: 2 })
    expect([from("3").closed, a.closed, b.closed]).toEqual([true, false, false])
    test.change({ maximumConnectionsPerAddress: 3 })
    expect([from("3").closed, from("4").closed]).toEqual([false, true])
  },
  maximumConnectionsPerUser: () => {
    const test = new Changing({})
    const as = (clientId: string) => test.connect({ clientId, username: "alice" })
    const [a, b] = [as("1"), as("2")]
    test.change({ maximumConnectionsPerUser: 1 })
    expect([as("3").connack.reasonCode, a.closed, b.closed]).toEqual([QuotaExceeded, false, false])
    test.change({ maximumConnectionsPerUser: 3 })
    expect([as("3").connack.reasonCode, as("4").connack.reasonCode]).toEqual([Success, QuotaExceeded])
  },
  maximumSessions: () => {
    const test = new Changing({})
    const names = ["a", "b", "c"]
    for (const clientId of names) test.connect({ clientId, sessionExpiryInterval: 999 }).cut()
    test.change({ maximumSessions: 2 })
    expect(test.broker.sessionCount).toBe(3)
    test.connect({ clientId: "d" })
    expect([...test.broker.sessions()].map(({ clientId }) => clientId)).toEqual(["b", "c", "d"])
    test.change({ maximumSessions: 9 })
    test.connect({ clientId: "e" })
    expect(test.broker.sessionCount).toBe(4)
  },
  maximumSessionsPerOwner: () => {
    const test = new Changing({ maximumSessionsPerOwner: 1 })
    const as = (clientId: string) => test.connect({ clientId, username: "alice" })
    as("a")
    expect(as("b").connack.reasonCode).toBe(QuotaExceeded)
    test.change({ maximumSessionsPerOwner: 2 })
    expect(as("b").connack.reasonCode).toBe(Success)
    test.change({ maximumSessionsPerOwner: 1 })
    expect([as("c").connack.reasonCode, test.broker.sessionCount]).toEqual([QuotaExceeded, 2])
  },
  maximumClientIdLength: () => {
    const test = new Changing({})
    expect(test.connect({ clientId: "seventeen letters" }).connack.reasonCode).toBe(Success)
    test.change({ maximumClientIdLength: 16 })
    const codes = ["sixteen letters!", "seventeen letters"].map(
      (clientId) => test.connect({ clientId }).connack.reasonCode,
    )
    expect(codes).toEqual([Success, ReasonCode.ClientIdentifierNotValid])
  },
  maximumInflight: () => {
    const test = new Changing({ maximumInflight: 2 })
    const sub = test.connect({ clientId: "sub", receiveMaximum: 6 })
    sub.subscribe("#")
    const pub = test.connect({ clientId: "pub" })
    many(pub, 12)
    expect(sub.take()).toHaveLength(2)
    test.change({ maximumInflight: 4 })
    expect(sub.take()).toHaveLength(2) // without a word of the client's
    test.change({ maximumInflight: 1 })
    for (const id of [1, 2, 3]) sub.ack(4, id)
    expect(sub.take()).toEqual([])
    sub.ack(4, 4)
    expect(sub.take()).toHaveLength(1)
    test.change({ maximumInflight: 60 })
    expect(sub.take()).toHaveLength(5) // its Receive Maximum
  },
  maximumQueuedMessages: () => {
    const test = new Changing({ maximumQueuedMessages: 2 })
    const pub = test.connect({ clientId: "pub" })
    test.connect({ clientId: "sub", sessionExpiryInterval: 999 }).subscribe("#")
    const [sub] = [...test.broker.sessions()].filter(({ clientId }) => clientId === "sub")
    test.broker.clients()[1]?.transportClosed(test.now, "cut")
    many(pub, 3)
    expect(sub?.queuedMessages).toBe(2)
    test.change({ maximumQueuedMessages: 5 })
    many(pub, 9)
    expect(sub?.queuedMessages).toBe(5)
    test.change({ maximumQueuedMessages: 1 })
    expect([answer(pub, "t"), sub?.queuedMessages]).toEqual([QuotaExceeded, 5])
    const again = test.connect({ clientId: "sub", cleanStart: false })
    expect(again.take()).toHaveLength(5)
  },
  maximumQueuedBytes: () => {
    const test = new Changing({})
    const pub = test.connect({ clientId: "pub" })
    const sub = test.connect({ clientId: "sub", sessionExpiryInterval: 999 })
    sub.subscribe("#")
    sub.cut()
    expect(answer(pub, "t", "x".repeat(1000))).toBe(Success)
    test.change({ maximumQueuedBytes: 1500 })
    expect(answer(pub, "t", "x".repeat(1000))).toBe(QuotaExceeded)
    test.change({ maximumQueuedBytes: 2500 })
    expect(answer(pub, "t", "x".repeat(1000))).toBe(Success)
  },
  maximumTotalQueuedBytes: () => refusesWhatWaits("maximumTotalQueuedBytes"),
  maximumTotalBytes: () => refusesWhatWaits("maximumTotalBytes"),
  maximumTotalPartialBytes: () => {
    const test = new Changing({})
    const begin = () => {
      const client = test.connect({ clientId: `${test.broker.connectionCount}` })
      client.send(publishBytes(5, "t", "x".repeat(40_000)).subarray(0, 30_000))
      return client
    }
    const [first, second] = [begin(), begin()]
    test.change({ maximumTotalPartialBytes: 90_000 })
    expect([first.farewell, second.farewell]).toEqual([undefined, undefined])
    const third = begin()
    expect([first.farewell, second.farewell, third.farewell]).toEqual([QuotaExceeded, undefined, undefined])
    // Half as much again is for CONNECTs whose login waits; one may take a sixteenth of it.
    const login = () => test.connect({ clientId: "late", username: "late", password: new Uint8Array(4000) }).closed
    expect(login()).toBe(true)
    test.change({ maximumTotalPartialBytes: 900_000 })
    expect(login()).toBe(false)
  },
  maximumTotalSubscriptionBytes: () => {
    const test = new Changing({})
    const client = test.connect({ clientId: "c" })
    expect(client.subscribe("a")).toBe(2)
    test.change({ maximumTotalSubscriptionBytes: 1 })
    expect([client.subscribe("b"), client.subscribe("a")]).toEqual([QuotaExceeded, 2])
    test.change({ maximumTotalSubscriptionBytes: defaultLimits.maximumTotalSubscriptionBytes })
    expect(client.subscribe("b")).toBe(2)
  },
  maximumOutboundBytes: () => dropsForOneThatDoesNotRead({ maximumOutboundBytes: 2000 }, 2),
  maximumTotalOutboundBytes: () => dropsForOneThatDoesNotRead({ maximumTotalOutboundBytes: 1 }, 65),
  maximumPublisherPause: () => {
    const test = new Changing({ maximumPublisherPause: 0, maximumQueuedMessages: 10, maximumInflight: 1 })
    test.connect({ clientId: "sub" }).subscribe("#")
    const pub = test.connect({ clientId: "pub" })
    many(pub, 8)
    expect(pub.paused).toBe(false)
    test.change({ maximumPublisherPause: 500 })
    many(pub, 1)
    expect(pub.paused).toBe(true)
    test.wait(260) // half of it at once
    expect(pub.paused).toBe(false)
  },
  maximumPublishRate: () => readsMoreSlowly("maximumPublishRate", 2, "x"),
  maximumPublishByteRate: () => readsMoreSlowly("maximumPublishByteRate", 100, "x".repeat(60)),
  maximumSubscriptions: () => {
    const test = new Changing({})
    const client = test.connect({ clientId: "c" })
    for (const filter of ["a", "b", "c"]) client.subscribe(filter)
    test.change({ maximumSubscriptions: 2 })
    expect([client.subscribe("d"), client.subscribe("c")]).toEqual([QuotaExceeded, 2])
    client.publish("a", "still")
    expect(client.payloads()).toEqual(["still"])
    expect(client.unsubscribe("a", "b")).toEqual([0, 0])
    expect([client.subscribe("d"), client.subscribe("e")]).toEqual([2, QuotaExceeded])
  },
  maximumWildcardSubscriptions: () => {
    const test = new Changing({})
    const client = test.connect({ clientId: "c" })
    client.subscribe("a/#")
    test.change({ maximumWildcardSubscriptions: 1 })
    expect([client.subscribe("b/#"), client.subscribe("b")]).toEqual([QuotaExceeded, 2])
    test.change({ maximumWildcardSubscriptions: 2 })
    expect(client.subscribe("b/#")).toBe(2)
  },
  maximumFiltersPerPacket: () => {
    const test = new Changing({ maximumFiltersPerPacket: 3 })
    const client = test.connect({ clientId: "c" })
    const filters = ["a", "b", "c", "d"]
    const body = (count: number) => filters.slice(0, count).flatMap((filter) => text(filter))
    client.send(packet(0xa2, [0, 9, 0, ...body(3)]))
    test.change({ maximumFiltersPerPacket: 4 })
    client.send(packet(0xa2, [0, 9, 0, ...body(4)]))
    expect(client.farewell).toBeUndefined()
    test.change({ maximumFiltersPerPacket: 3 })
    client.send(packet(0xa2, [0, 9, 0, ...body(4)]))
    expect(client.farewell).toBe(QuotaExceeded)
  },
  maximumRetainedMessages: () => refusesWhatIsRetained({ maximumRetainedMessages: 1 }),
  maximumRetainedBytes: () => refusesWhatIsRetained({ maximumRetainedBytes: 1 }),
  maximumRetainedMessagesPerOwner: () => refusesWhatIsRetained({ maximumRetainedMessagesPerOwner: 1 }),
  maximumRetainedBytesPerOwner: () => refusesWhatIsRetained({ maximumRetainedBytesPerOwner: 3 }),
}

function refusesWhatWaits(name: "maximumTotalQueuedBytes" | "maximumTotalBytes"): void {
  const test = new Changing({})
  const pub = test.connect({ clientId: "pub" })
  const sub = test.connect({ clientId: "sub", sessionExpiryInterval: 999 })
  sub.subscribe("#")
  sub.cut()
  expect(answer(pub, "t")).toBe(Success)
  test.change({ [name]: 1000 })
  expect(answer(pub, "t")).toBe(QuotaExceeded)
  test.change({ [name]: defaultLimits[name] })
  expect(answer(pub, "t")).toBe(Success)
  test.change({ [name]: 1000 })
  const again = test.connect({ clientId: "sub", cleanStart: false })
  // A session that is there is not one more; what waited comes.
  expect([again.connack.reasonCode, again.take().length]).toEqual([Success, 2])
}

function dropsForOneThatDoesNotRead(limits: Partial<Limits>, taken: number): void {
  const test = new Changing({ maximumPublisherPause: 0 })
  const sub = test.connect({ clientId: "sub" })
  sub.subscribe("#")
  sub.taking = false
  const pub = test.connect({ clientId: "pub" })
  many(pub, 1, 0)
  const dropped = () => test.broker.counters.dropped["output full"]
  many(pub, 100, 0, "x".repeat(990))
  expect(dropped()).toBe(0)
  sub.drain()
  sub.taking = false
  test.change(limits)
  many(pub, 1, 0)
  many(pub, 100, 0, "x".repeat(990))
  expect(dropped()).toBeGreaterThanOrEqual(99 - taken)
  expect(dropped()).toBeLessThanOrEqual(101 - taken)
  const before = dropped()
  test.change({ ...defaultLimits, maximumPublisherPause: 0 })
  many(pub, 10, 0, "x".repeat(990))
  expect(dropped()).toBe(before)
}

function readsMoreSlowly(name: "maximumPublishRate" | "maximumPublishByteRate", most: number, payload: string): void {
  const test = new Changing({})
  const sub = test.connect({ clientId: "sub" })
  sub.subscribe("#")
  const pub = test.connect({ clientId: "pub" })
  many(pub, 10, 0, payload)
  expect(sub.take()).toHaveLength(10)
  test.change({ [name]: most })
  many(pub, 10, 0, payload)
  expect([sub.take().length, pub.paused]).toEqual([2, true])
  test.change({ [name]: 1_000_000 })
  test.wait(25)
  expect([sub.take().length, pub.paused]).toEqual([8, false])
  test.change({ [name]: most })
  many(pub, 10, 0, payload)
  expect(sub.take()).toHaveLength(2)
  test.change({ maximumSubscriptions: 7 }) // the same rate is no new one
  test.wait(25)
  expect(sub.take()).toEqual([])
  test.change({ [name]: 0 })
  test.wait(25)
  expect([sub.take().length, pub.paused]).toEqual([8, false])
}

function refusesWhatIsRetained(limits: Partial<Limits>): void {
  const test = new Changing({})
  const pub = test.connect({ clientId: "pub", username: "alice" })
  const retained = (topic: string) => answer(pub, topic, "xx", true)
  for (const topic of ["a", "b"]) expect(retained(topic)).toBe(NoMatchingSubscribers)
  test.change(limits)
  expect([retained("c"), test.broker.retained.size]).toEqual([QuotaExceeded, 2])
  test.change(defaultLimits)
  expect([retained("c"), test.broker.retained.size]).toEqual([NoMatchingSubscribers, 3])
}

/** What logins wait for is not the core's: see access/login-limits.test.ts. */
const elsewhere = [
  "maximumWaitingLogins",
  "maximumWaitingLoginsPerAddress",
  "maximumPasswordChecks",
  "maximumPasswordMemory",
]

const taken = (reload: string) => namesOf(defaultLimits).filter((name) => limitOptions[name]?.reload === reload)

it("each limit that a reload takes is here", () => {
  expect(namesOf(told)).toEqual(expect.arrayContaining(taken("new connections")))
  expect([...namesOf(atOnce), ...elsewhere]).toEqual(expect.arrayContaining(taken("at once")))
  expect(taken("at once").length + taken("new connections").length + 1).toBe(namesOf(defaultLimits).length)
})

describe("for new connections", () => {
  it.each(taken("new connections"))("%s", (name) => told[name]?.())
})

describe("at once, and nothing of what is there is thrown away", () => {
  it.each(taken("at once").filter((name) => !elsewhere.includes(name)))("%s", (name) => atOnce[name]?.())
})

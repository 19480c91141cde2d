// A queue that is full: what is dropped, who is told, and who is passed over.

import { describe, expect, it } from "vitest"
import { TestBroker, type TestClient } from "../../tests/harness.ts"
import { ReasonCode } from "../packet/reason-codes.ts"

const persistent = { cleanStart: false, sessionExpiryInterval: 100 } as const

/** Reason Codes of PUBACK to so many messages, numbered. */
function publishMany(test: TestBroker, topic: string, count: number, size = 0): (number | undefined)[] {
  const pub = test.connect({ clientId: "pub" })
  for (let i = 1; i <= count; i++) pub.publish(topic, `${i}`.padEnd(size), { qos: 1, packetId: i })
  return pub.acks().map(({ reasonCode }) => reasonCode)
}

function back(test: TestBroker): string[] {
  return test
    .connect({ clientId: "sub", ...persistent })
    .payloads()
    .map((payload) => payload.trim())
}

function absent(test: TestBroker): void {
  const sub = test.connect({ clientId: "sub", ...persistent })
  sub.subscribe("t", { qos: 1 })
  sub.cut()
}

describe("drop-oldest", () => {
  const queuePolicy = "drop-oldest"

  it("keeps the newest messages, also over a restart", () => {
    const test = new TestBroker({ queuePolicy, limits: { maximumQueuedMessages: 3 } })
    absent(test)
    expect(publishMany(test, "t", 10)).toEqual(Array.from({ length: 10 }, () => ReasonCode.Success))
    expect(test.broker.counters.dropped["queue full"]).toBe(7)
    expect(back(test.restart({ queuePolicy }))).toEqual(["8", "9", "10"])
  })

  it("makes as much room as a message needs, and none for one that never fits", () => {
    const test = new TestBroker({ queuePolicy, limits: { maximumQueuedBytes: 1000 } })
    absent(test)
    publishMany(test, "t", 4, 200)
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t", "large".padEnd(500), { qos: 1, packetId: 1 })
    pub.publish("t", "too large".padEnd(2000), { qos: 1, packetId: 2 })
    expect(pub.acks().map(({ reasonCode }) => reasonCode)).toEqual([ReasonCode.Success, ReasonCode.QuotaExceeded])
    expect(back(test)).toEqual(["3", "4", "large"])
  })

  it("drops nothing for a message that there is no memory for", () => {
    const test = new TestBroker({ queuePolicy, limits: { maximumTotalQueuedBytes: 400_000 } })
    absent(test)
    publishMany(test, "t", 100, 100)
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t", "x".repeat(500_000), { qos: 1, packetId: 1 })
    expect(pub.acks().map(({ reasonCode }) => reasonCode)).toEqual([ReasonCode.QuotaExceeded])
    expect(back(test)).toHaveLength(100)
    expect(test.broker.counters.dropped["memory full"]).toBe(1)
  })

  it("leaves alone what is on its way to the client", () => {
    const test = new TestBroker({ queuePolicy, limits: { maximumQueuedMessages: 2, maximumPublisherPause: 0 } })
    const sub = test.connect({ clientId: "sub", receiveMaximum: 1, ...persistent })
    sub.subscribe("t", { qos: 1 })
    publishMany(test, "t", 5)
    const came: string[] = []
    for (let got = sub.take(); got.length > 0; got = sub.take()) {
      came.push(...got.map(({ payload }) => payload))
      sub.ack(4, got[0]!.packetId)
    }
    expect(came).toEqual(["1", "4", "5"])
  })
})

describe("disconnect", () => {
  const queuePolicy = "disconnect"

  it.each([4, 5] as const)(
    "version %i: ends a client that does not keep up, and keeps its session",
    (protocolVersion) => {
      const test = new TestBroker({ queuePolicy, limits: { maximumQueuedMessages: 2, maximumPublisherPause: 0 } })
      const sub = test.connect({ clientId: "sub", protocolVersion, receiveMaximum: 1, ...persistent })
      sub.subscribe("t", { qos: 1 })
      const inflight = protocolVersion === 4 ? test.broker.limits.maximumInflight : 1
      publishMany(test, "t", inflight + 2)
      expect(sub.closed).toBe(false)
      expect(publishMany(test, "t", 1)).toEqual([ReasonCode.QuotaExceeded])
      expect(sub.closed).toBe(true)
      expect(sub.farewell).toBe(protocolVersion === 5 ? ReasonCode.QuotaExceeded : undefined)
      expect(test.broker.sessionCount).toBe(2)
    },
  )

  it("ends nobody for want of memory, or for a message that never fits", () => {
    const test = new TestBroker({
      queuePolicy,
      limits: { maximumTotalQueuedBytes: 400_000, maximumQueuedBytes: 100_000 },
    })
    const sub = test.connect({ clientId: "sub", receiveMaximum: 1, ...persistent })
    sub.subscribe("t", { qos: 1 })
    publishMany(test, "t", 1)
    const pub = test.connect({ clientId: "pub" })
    for (const size of [500_000, 150_000]) pub.publish("t", "x".repeat(size), { qos: 1, packetId: size % 65_535 })
    expect(pub.acks().map(({ reasonCode }) => reasonCode)).toEqual([ReasonCode.QuotaExceeded, ReasonCode.QuotaExceeded])
    expect(sub.closed).toBe(false)
  })

  it("drops for one that is away", () => {
    const test = new TestBroker({ queuePolicy, limits: { maximumQueuedMessages: 2, maximumPublisherPause: 0 } })
    absent(test)
    const { Success, QuotaExceeded } = ReasonCode
    expect(publishMany(test, "t", 3)).toEqual([Success, Success, QuotaExceeded])
    expect(back(test)).toEqual(["1", "2"])
  })
})

describe("a Shared Subscription passes over a member whose queue is full", () => {
  function members(test: TestBroker, away: boolean): TestClient[] {
    return ["a", "b"].map((clientId) => {
      const member = test.connect({ clientId, receiveMaximum: 1, ...persistent })
      member.subscribe("$share/g/jobs", { qos: 1 })
      if (clientId === "a") member.subscribe("own", { qos: 1 })
      if (away) member.cut()
      return member
    })
  }

  it.each([
    ["both are away", true],
    ["both are connected and do not keep up", false],
  ])("%s", (_when, away) => {
    const test = new TestBroker({ limits: { maximumQueuedMessages: 10, maximumPublisherPause: 0 } })
    members(test, away)
    publishMany(test, "own", away ? 10 : 11)
    const room = away ? 10 : 11
    const codes = publishMany(test, "jobs", room + 1)
    expect(codes).toEqual([...Array.from({ length: room }, () => ReasonCode.Success), ReasonCode.QuotaExceeded])
  })

  it("also with what a member leaves that has ended", () => {
    const test = new TestBroker({ limits: { maximumQueuedMessages: 10, maximumPublisherPause: 0 } })
    members(test, true)
    publishMany(test, "own", 10)
    const dead = test.connect({ clientId: "dead" })
    dead.subscribe("$share/g/jobs", { qos: 1 })
    publishMany(test, "jobs", 8)
    dead.cut()
    test.settle()
    expect(test.broker.counters.dropped["session ended"]).toBe(0)
    expect(test.connect({ clientId: "b", ...persistent }).take()).toHaveLength(8)
  })
})

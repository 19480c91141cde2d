// How many retained messages one user may have, and how many bytes of them.

import { describe, expect, it } from "vitest"
import { TestBroker, type TestClient, userProperty } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { encodeText } from "../packet/bytes.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Limits } from "../session/limits.ts"

/** The user name is the user; without one a client is anonymous. */
const access: typeof openAccess = {
  ...openAccess,
  authenticate: ({ username }, decide) =>
    decide({ identity: username === undefined ? anonymous : { user: username, source: "password" } }),
}
const anonymous = { user: "", source: "anonymous" } as const

const three = { maximumRetainedMessagesPerOwner: 3 }
const expiry = (seconds: number) => [0x02, 0, 0, 0, seconds]
const persistent = { cleanStart: false, sessionExpiryInterval: 1000 } as const

function start(limits: Partial<Limits>): TestBroker {
  return new TestBroker({ limits, access })
}

function user(test: TestBroker, username: string, protocolVersion: 4 | 5 = 5): TestClient {
  return test.connect({ clientId: `${username}${test.broker.connectionCount}`, username, protocolVersion })
}

/** Publishes retained; returns the Reason Code of its answer. */
function set(client: TestClient, topic: string, payload = "x", qos: 1 | 2 = 1, properties: number[] = []): number {
  client.seen.length = 0
  client.publish(topic, payload, { qos, retain: true, packetId: 9, properties })
  const code = client.acks()[0]?.reasonCode ?? -1
  if (qos === 2 && code < 0x80) client.ack(6, 9)
  return code
}

function retained(test: TestBroker): string[] {
  const sub = test.connect({ clientId: "looks" })
  sub.subscribe("#")
  const found = sub.take().map(({ topic, payload }) => `${topic} ${payload}`)
  sub.disconnect()
  return found.sort()
}

const refused = ReasonCode.QuotaExceeded
const ok = ReasonCode.NoMatchingSubscribers

describe("messages", () => {
  it.each([1, 2] as const)("MQTT 5.0, QoS %i: as many as that, and one more gets 0x97 and goes to nobody", (qos) => {
    const test = start(three)
    const all = test.connect({ clientId: "all" })
    all.subscribe("#")
    const alice = user(test, "alice")
    expect(["a", "b", "c"].map((topic) => set(alice, topic, "x", qos))).toEqual([0, 0, 0])
    all.take()
    expect(set(alice, "d", "x", qos)).toBe(refused)
    expect(all.take()).toEqual([])
    expect(test.broker.counters.retainedRefused).toBe(1)
    expect(test.events.at(-1)).toMatchObject({ event: "message refused", user: "alice", topic: "d" })
    expect(retained(test)).toEqual(["a x", "b x", "c x"])
    // Others have their own.
    expect(["d", "e", "f", "g"].map((topic) => set(user(test, "bob"), topic, "x", qos))).toEqual([0, 0, 0, refused])
  })

  it.each([0, 1, 2] as const)("MQTT 3.1.1, QoS %i: one more is acknowledged and forwarded, and not kept", (qos) => {
    const test = start(three)
    const all = test.connect({ clientId: "all" })
    all.subscribe("#")
    const alice = user(test, "alice", 4)
    for (const topic of ["a", "b", "c", "d"])
      alice.publish(topic, "x", { qos, retain: true, packetId: topic.charCodeAt(0) })
    expect(alice.acks().length).toBe(qos === 0 ? 0 : 4)
    expect(all.payloads()).toHaveLength(4)
    expect(retained(test)).toEqual(["a x", "b x", "c x"])
  })

  it("MQTT 5.0, QoS 0: the same; what was there before is rather gone than old", () => {
    const test = start(three)
    user(test, "bob").publish("d", "old", { retain: true })
    const alice = user(test, "alice")
    for (const topic of ["a", "b", "c", "d"]) alice.publish(topic, "x", { retain: true })
    expect(retained(test)).toEqual(["a x", "b x", "c x"])
  })

  it("one in the place of his own is not more, one that is removed is less", () => {
    const test = start(three)
    const alice = user(test, "alice")
    for (const topic of ["a", "b", "c"]) set(alice, topic)
    expect([set(alice, "a", "again"), set(alice, "d")]).toEqual([ok, refused])
    set(alice, "b", "")
    expect([set(alice, "d"), set(alice, "e")]).toEqual([ok, refused])
    expect(retained(test)).toEqual(["a again", "c x", "d x"])
  })

  it("who replaces another's has it, and the other has room", () => {
    const test = start(three)
    const [alice, bob] = [user(test, "alice"), user(test, "bob")]
    for (const topic of ["a", "b", "c"]) set(alice, topic)
    expect(set(bob, "a", "bob's")).toBe(ok)
    expect(["d", "e"].map((topic) => set(alice, topic))).toEqual([ok, refused])
    expect(["f", "g", "h"].map((topic) => set(bob, topic))).toEqual([ok, ok, refused])
    expect(set(alice, "a")).toBe(refused) // not one that is another's
    expect(retained(test)).toContain("a bob's")
    // And when somebody else removes it.
    set(bob, "b", "")
    expect(set(alice, "e")).toBe(ok)
  })

  it("one that has expired is none", () => {
    const test = start(three)
    const alice = user(test, "alice")
    for (const topic of ["a", "b", "c"]) set(alice, topic, "x", 1, expiry(10))
    expect(set(alice, "d")).toBe(refused)
    test.pass(9)
    expect(set(alice, "d")).toBe(refused)
    test.pass(1)
    expect(["d", "e", "f", "g"].map((topic) => set(alice, topic))).toEqual([ok, ok, ok, refused])
    expect(test.store.counts.retained).toBe(3)
  })

  it("counts over all clients of a user, and for long after they have gone", () => {
    const test = start(three)
    for (const topic of ["a", "b", "c"]) {
      const client = user(test, "alice")
      set(client, topic)
      client.disconnect()
    }
    expect(set(user(test, "alice"), "d")).toBe(refused)
  })

  it("a will that is retained counts too, also one of a client whose session has ended", () => {
    const test = start({ maximumRetainedMessagesPerOwner: 1 })
    const will = (topic: string) => ({ topic, payload: encodeText("will"), qos: 1, retain: true }) as const
    for (const topic of ["v", "w"]) test.connect({ clientId: topic, username: "alice", will: will(topic) }).cut()
    expect(retained(test)).toEqual(["v will"])
    expect(set(user(test, "alice"), "a")).toBe(refused)
    // A restart is the loss of its connection.
    test.connect({ clientId: "x", username: "bob", will: will("x") })
    const next = test.restart({ limits: { maximumRetainedMessagesPerOwner: 1 }, access })
    expect(retained(next)).toEqual(["v will", "x will"])
    expect(set(user(next, "bob"), "b")).toBe(refused)
  })

  it("new rules of access change nothing of it", () => {
    const test = start(three)
    for (const topic of ["a", "b", "c"]) set(user(test, "alice"), topic)
    test.broker.rulesChanged(() => "the user is none any more", { rights: true, disconnect: true })
    test.settle()
    const alice = user(test, "alice")
    expect([set(alice, "d"), set(alice, "a", ""), set(alice, "d")]).toEqual([refused, ok, ok])
  })

  it("anonymous clients share by address; the broker's own have no bound", () => {
    const test = start({ maximumRetainedMessagesPerOwner: 1 })
    test.checked = false // those are not there after a restart
    const from = (clientId: string, address: string) => test.connect({ clientId }, { address })
    expect(set(from("a", "192.0.2.1:5"), "a")).toBe(ok)
    expect(set(from("b", "192.0.2.1:6"), "b")).toBe(refused)
    expect(set(from("c", "192.0.2.2:5"), "b")).toBe(ok)
    for (const topic of ["$SYS/a", "$SYS/b", "own"])
      expect(test.broker.publishOwn(topic, encodeText("x"), 0, true)).toBe(true)
  })
})

describe("bytes", () => {
  it("as many of topics, properties and payloads as that, and one more is refused", () => {
    const property = [...userProperty("n", "v")]
    const most = 3 + 100 + (3 + 200 + property.length)
    for (const version of [4, 5] as const) {
      for (const [payload, code] of [[200, ok] as const, [201, refused] as const]) {
        const test = start({ maximumRetainedBytesPerOwner: version === 5 ? most : most - property.length })
        const alice = user(test, "alice", version)
        expect(set(alice, "t/a", "x".repeat(100))).toBe(version === 5 ? ok : 0)
        const answer = set(alice, "t/b", "x".repeat(payload), 1, version === 5 ? property : [])
        expect(answer).toBe(version === 5 ? code : 0)
        expect(test.broker.retained.size).toBe(code === ok ? 2 : 1)
      }
    }
  })

  it("a larger one in the place of his own is refused where it is too large, and the old one stays", () => {
    const test = start({ maximumRetainedBytesPerOwner: 1000 })
    const alice = user(test, "alice")
    expect([set(alice, "a"), set(alice, "a", "x".repeat(1000)), set(alice, "a", "y".repeat(500))]).toEqual([
      ok,
      refused,
      ok,
    ])
    expect(retained(test)).toEqual([`a ${"y".repeat(500)}`])
  })
})

describe("after a restart", () => {
  it.each(["password", "anonymous"])("each counts for whom it did (%s)", (source) => {
    const test = start(three)
    const client = (one: TestBroker) =>
      source === "password" ? user(one, "alice") : one.connect({ clientId: "anyone" })
    const alice = client(test)
    for (const topic of ["a", "b"]) set(alice, topic)
    const next = test.restart({ limits: three, access })
    expect(["c", "d"].map((topic) => set(client(next), topic))).toEqual([ok, refused])
    const third = next.restart({ limits: three, access })
    expect(set(client(third), "d")).toBe(refused)
    expect([set(client(third), "a", ""), set(client(third), "d")]).toEqual([ok, ok])
  })

  it("one that waits for a session as well counts the same", () => {
    const test = start(three)
    const sub = test.connect({ clientId: "sub", ...persistent })
    sub.subscribe("#", { qos: 1 })
    sub.cut()
    for (const topic of ["a", "b", "c"]) set(user(test, "alice"), topic)
    const next = test.restart({ limits: three, access })
    expect(set(user(next, "alice"), "d")).toBe(refused)
    expect(next.store.counts).toMatchObject({ messages: 3, retained: 3 })
  })

  it("one that has expired meanwhile is none, and one that expires later is none then", () => {
    const test = start(three)
    const alice = user(test, "alice")
    set(alice, "a", "x", 1, expiry(10))
    set(alice, "b", "x", 1, expiry(40))
    set(alice, "c")
    const next = test.restart({ limits: three, access }, test.wall + 20_000)
    expect(["d", "e"].map((topic) => set(user(next, "alice"), topic))).toEqual([ok, refused])
    next.pass(20)
    expect(set(user(next, "alice"), "e")).toBe(ok)
  })

  it("who has more than is allowed now keeps it and may replace it, and sets no other", () => {
    const test = start({})
    for (const topic of ["a", "b", "c", "d"]) set(user(test, "alice"), topic)
    const next = test.restart({ limits: { ...three, maximumRetainedBytesPerOwner: 3 }, access })
    expect(next.broker.retained.size).toBe(4)
    const alice = user(next, "alice")
    expect([set(alice, "a", "y"), set(alice, "a", "yy"), set(alice, "e")]).toEqual([ok, refused, refused])
    set(alice, "b", "")
    set(alice, "c", "")
    expect(set(alice, "e")).toBe(refused) // of the bytes he has still too many
    expect(retained(next)).toEqual(["a y", "d x"])
  })
})

describe("retained messages that expire", () => {
  it("are gone when they have, without anybody who asks, and so they are in the store", () => {
    const test = new TestBroker()
    const pub = test.connect({ clientId: "pub" })
    for (let i = 1; i <= 50; i++)
      pub.publish(`t/${i}`, "x", { qos: 1, retain: true, packetId: i, properties: expiry(1 + ((i * 7) % 50)) })
    pub.publish("t/1", "y", { retain: true, properties: expiry(60) })
    pub.publish("t/2", "y", { retain: true })
    pub.publish("t/3", "", { retain: true })
    for (let second = 1; second <= 60; second++) {
      test.pass(1)
      let expected = 1 + (second < 60 ? 1 : 0)
      for (let i = 4; i <= 50; i++) if (1 + ((i * 7) % 50) > second) expected++
      expect([second, test.broker.retained.size, test.store.counts.retained]).toEqual([second, expected, expected])
    }
  })

  it("one topic whose message is replaced all the time takes no room for each", () => {
    const test = new TestBroker()
    const pub = test.connect({ clientId: "pub" })
    const before = test.broker.retained.bytes
    for (let i = 0; i < 5000; i++) {
      test.now++
      pub.publish("t", "x", { retain: true, properties: expiry(200) })
    }
    expect(test.broker.retained.bytes - before).toBeLessThan(2000)
    test.pass(200)
    expect(test.broker.retained.size).toBe(0)
  })
})

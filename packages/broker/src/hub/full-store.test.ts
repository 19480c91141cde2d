// A store that is full, or nearly: what is new and would have to be kept is refused, and what ends something or takes what waits
// goes on, as that makes room.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { encodeText } from "../packet/bytes.ts"
import type { Will } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access } from "../ports/access.ts"

const persistent = { cleanStart: false, sessionExpiryInterval: 1000 } as const
const will = { topic: "w", payload: encodeText("x"), qos: 0, retain: false, delayInterval: 0 } as const
const full = { protocolVersion: 5, refused: ReasonCode.ServerUnavailable } as const
const versions = [{ protocolVersion: 4, refused: 3 } as const, full]

/** Two messages at `qos` wait for "away", who is not there; "r" and "s" are retained; then the store is full. */
function fullBroker(qos: 1 | 2, protocolVersion: 4 | 5 = 5): TestBroker {
  const test = new TestBroker()
  const away = test.connect({ clientId: "away", protocolVersion, ...persistent })
  away.subscribe("q", { qos })
  away.cut()
  const pub = test.connect({ clientId: "pub" })
  for (const [n, payload] of ["one", "two"].entries()) {
    pub.publish("q", payload, { qos, packetId: n + 1 })
    if (qos === 2) pub.ack(6, n + 1)
  }
  for (const topic of ["r", "s"]) pub.publish(topic, "old", { retain: true })
  pub.cut()
  test.store.mode = "full"
  test.pass(1)
  return test
}

describe.each(versions)("a full store, MQTT version $protocolVersion", ({ protocolVersion, refused }) => {
  it.each([1, 2] as const)("QoS %i: a session that is there is resumed and takes what waits", (qos) => {
    const test = fullBroker(qos, protocolVersion)
    const again = test.connect({ clientId: "away", protocolVersion, ...persistent })
    expect(again.connack).toMatchObject({ reasonCode: 0, sessionPresent: true })
    const came = again.take()
    expect(came.map(({ payload }) => payload)).toEqual(["one", "two"])
    for (const { packetId } of came) {
      again.ack(qos === 1 ? 4 : 5, packetId)
      if (qos === 2) again.ack(7, packetId)
    }
    expect(test.store.session("away")?.waiting).toBe(0)
    again.unsubscribe("q")
    expect(test.store.session("away")?.subscriptions).toBe(0)
    // The same while the first of its connections is there.
    expect(test.connect({ clientId: "away", protocolVersion, ...persistent }).connack.reasonCode).toBe(0)
    test.store.mode = "at once"
    test.pass(1)
    const other = test.connect({ clientId: "other", protocolVersion, ...persistent, will })
    expect(other.connack.reasonCode).toBe(0)
  })

  it("Clean Start without Session Expiry ends the session", () => {
    const test = fullBroker(1, protocolVersion)
    const clean = { clientId: "away", protocolVersion, cleanStart: true }
    expect(test.connect(clean).connack).toMatchObject({ reasonCode: 0, sessionPresent: false })
    test.settle()
    expect(test.store.counts).toMatchObject({ sessions: 0, messages: 2 })
  })

  it("new sessions that are kept are refused, and wills of others than who has a session", () => {
    const test = fullBroker(1, protocolVersion)
    const codeOf = (request: object) => test.connect({ protocolVersion, ...request }).connack.reasonCode
    expect(codeOf({ clientId: "new", ...persistent })).toBe(refused)
    expect(codeOf({ clientId: "clean", will })).toBe(refused)
    expect(codeOf({ clientId: "clean" })).toBe(0)
    if (protocolVersion === 5) expect(codeOf({ clientId: "away", ...persistent, cleanStart: true })).toBe(refused)
    expect(test.store.session("away")?.waiting).toBe(2)
    expect(test.store.counts).toMatchObject({ sessions: 1, wills: 0 })
  })

  it("who has a session and a will is let in, to take what waits; a will in the place of another, too", () => {
    const test = fullBroker(1, protocolVersion)
    const connect = (will: Pick<Will, "topic" | "payload" | "qos" | "retain">) =>
      test.connect({ clientId: "away", protocolVersion, ...persistent, will })
    connect({ ...will, qos: 1 }).cut()
    test.settle()
    const again = connect(will)
    expect(again.connack).toMatchObject({ reasonCode: 0, sessionPresent: true })
    for (const { packetId } of again.take()) again.ack(4, packetId)
    expect(test.store.session("away")?.waiting).toBe(0)
    expect(connect({ ...will, topic: "other" }).connack.reasonCode).toBe(0)
    expect(test.store.counts.wills).toBe(1)
  })

  it("without room for one will more it is a will as long as the process lives", () => {
    const test = fullBroker(1, protocolVersion)
    test.store.grows = 0
    const away = test.connect({ clientId: "away", protocolVersion, ...persistent, will })
    expect(away.connack.reasonCode).toBe(0)
    expect(test.store.counts.wills).toBe(0)
    const watch = test.connect({ clientId: "watch", protocolVersion })
    watch.subscribe("w", { qos: 0 })
    away.cut()
    test.settle()
    expect(watch.payloads()).toEqual(["x"])
  })

  it.each([0, 1, 2] as const)("a retained message is removed by an empty one at QoS %i", (qos) => {
    const test = fullBroker(1, protocolVersion)
    const pub = test.connect({ clientId: "pub", protocolVersion })
    pub.publish("r", "", { qos, retain: true, packetId: 7 })
    expect(test.store.counts.retained).toBe(1)
    const type = qos === 1 ? "puback" : "pubrec"
    expect(pub.acks()).toMatchObject(qos === 0 ? [] : [{ type, packetId: 7 }])
    if (protocolVersion === 5 && qos > 0) expect(pub.acks()[0]?.reasonCode).toBeLessThan(0x80)
    if (qos === 2) pub.ack(6, 7)
  })

  it("an empty message on a topic without a retained one is refused as any other", () => {
    const test = fullBroker(1, protocolVersion)
    const pub = test.connect({ clientId: "pub", protocolVersion })
    pub.publish("q", "", { qos: 1, retain: true, packetId: 7 })
    expect(pub.acks()).toMatchObject(protocolVersion === 5 ? [{ reasonCode: ReasonCode.QuotaExceeded }] : [])
    expect(test.store.session("away")?.waiting).toBe(2)
  })

  it("when not even that can be kept, sessions are not resumed, nor retained messages removed", () => {
    const test = fullBroker(1, protocolVersion)
    test.store.mode = "failing"
    const pub = test.connect({ clientId: "pub", protocolVersion })
    pub.publish("s", "", { retain: true }) // what shows it
    test.pass(1)
    expect(test.broker.recorder.broken).toBe(true)
    const { reasonCode } = test.connect({ clientId: "away", protocolVersion, ...persistent }).connack
    expect(reasonCode).toBe(refused)
    pub.publish("r", "", { qos: 1, retain: true, packetId: 7 })
    expect(pub.acks()).toMatchObject(protocolVersion === 5 ? [{ reasonCode: ReasonCode.QuotaExceeded }] : [])
    test.store.mode = "at once"
    test.pass(1)
    expect(test.connect({ clientId: "away", protocolVersion, ...persistent }).take()).toHaveLength(2)
  })
})

it("what comes in one turn is refused before it is more than there is room for, and the turn is kept", () => {
  const test = new TestBroker()
  const away = test.connect({ clientId: "away", ...persistent })
  away.subscribe("q", { qos: 1 })
  away.cut()
  const pub = test.connect({ clientId: "pub" })
  const old = test.connect({ clientId: "old", protocolVersion: 4 })
  test.store.room = 100_000
  const burst = (version: 4 | 5) =>
    Uint8Array.from(
      Array.from({ length: 40 }, (_, i) => [
        ...publishBytes(version, "q", new Uint8Array(10_000), { qos: 1, packetId: i + 1 }),
      ]).flat(),
    )
  pub.send(burst(5))
  const kept = pub.acks().filter(({ reasonCode }) => reasonCode === 0).length
  expect(pub.acks()).toHaveLength(40)
  expect(kept).toBeGreaterThan(5)
  expect(kept).toBeLessThan(13)
  expect(test.store.session("away")?.waiting).toBe(kept)
  test.pass(1)
  expect(test.broker.recorder.failing).toBe(false)
  // MQTT 3.1.1: they wait for the next turn.
  old.send(burst(4))
  test.pass(30)
  expect(old.acks()).toHaveLength(40)
  expect(test.store.session("away")?.waiting).toBe(kept + 40)
})

it.each(versions)(
  "a message that the store could never keep is too large, MQTT version $protocolVersion",
  ({ protocolVersion }) => {
    const test = new TestBroker()
    test.store.largest = 1000
    const sub = test.connect({ clientId: "sub", ...persistent })
    sub.subscribe("#", { qos: 1 })
    const pub = test.connect({ clientId: "pub", protocolVersion })
    for (const [packetId, size] of [1000, 1001].entries())
      pub.publish("q", "x".repeat(size), { qos: 1, packetId: packetId + 1 })
    const code = protocolVersion === 5 ? ReasonCode.QuotaExceeded : 0
    expect(pub.acks().map(({ reasonCode }) => reasonCode)).toEqual([0, code])
    pub.publish("q", "x".repeat(1001), { retain: true })
    pub.publish("q", "x".repeat(1002))
    expect(sub.take().map(({ payload }) => payload.length)).toEqual([1000, 1002])
    expect(test.broker.counters.dropped["payload too large"]).toBe(2)
  },
)

it("a full store: another user does not come to a session because of it", () => {
  const access: Access = {
    ...openAccess,
    authenticate: ({ username }, decided) =>
      decided({ identity: { user: username ?? "", source: username === undefined ? "anonymous" : "password" } }),
  }
  const test = new TestBroker({ access })
  test.connect({ clientId: "c", username: "a", ...persistent }).cut()
  test.store.mode = "full"
  test.pass(1)
  expect(test.connect({ clientId: "c", username: "b", ...persistent }).connack.reasonCode).toBe(full.refused)
  expect(test.connect({ clientId: "c", username: "a", ...persistent }).connack.reasonCode).toBe(0)
})

it("a full store: a session whose time is over is none that could be resumed", () => {
  const test = new TestBroker()
  test.connect({ clientId: "c", ...persistent, sessionExpiryInterval: 1 }).cut()
  test.store.mode = "full"
  test.now += 1500
  test.broker.flush(test.now)
  expect(test.connect({ clientId: "c", ...persistent }).connack.reasonCode).toBe(full.refused)
})

it("a will whose copies have no room waits until they have; when its client is back it goes to who is there", () => {
  const test = new TestBroker()
  test.connect({ clientId: "away", ...persistent }).subscribe("w", { qos: 1 })
  const away = test.connect({ clientId: "away", ...persistent })
  away.cut()
  const will1 = { ...will, qos: 1 } as const
  const [a, b] = ["a", "b"].map((clientId) => test.connect({ clientId, ...persistent, will: will1 }))
  test.store.mode = "full"
  test.store.grows = 0
  test.pass(1)
  const watch = test.connect({ clientId: "watch" })
  watch.subscribe("w", { qos: 1 })
  a!.cut()
  b!.cut()
  test.pass(2)
  expect(watch.payloads()).toEqual([])
  expect(test.store.counts.wills).toBe(2)
  test.connect({ clientId: "b", ...persistent })
  expect(watch.payloads()).toEqual(["x"])
  expect(test.store.session("away")?.waiting).toBe(0)
  test.store.grows = Number.POSITIVE_INFINITY
  test.pass(2)
  expect(watch.take()).toHaveLength(1)
  expect(test.store.session("away")?.waiting).toBe(1)
  expect(test.store.counts.wills).toBe(0)
})

it("what is large is counted before it is taken, with its copies", () => {
  const test = new TestBroker()
  for (let n = 0; n < 100; n++) {
    const away = test.connect({ clientId: `${n}`.padEnd(200, "x"), ...persistent })
    away.subscribe("all", { qos: 1 })
    away.cut()
  }
  const pub = test.connect({ clientId: "pub" })
  const codes = () => pub.acks().map(({ reasonCode }) => reasonCode)
  const publish = (topic: string, size: number) => pub.publish(topic, "x".repeat(size), { qos: 1, retain: true })
  test.store.room = 20_000
  publish("one", 15_000)
  publish("one", 25_000)
  publish("all", 10)
  expect(codes()).toEqual([ReasonCode.NoMatchingSubscribers, ReasonCode.QuotaExceeded, ReasonCode.QuotaExceeded])
  expect(test.broker.recorder.failing).toBe(false)
  test.store.room = 40_000
  publish("all", 10)
  expect(codes().slice(3)).toEqual([0])
  test.settle()
  test.store.room = 10_000
  const long = { clientId: "new", ...persistent, will: { ...will, payload: new Uint8Array(9000) } }
  expect(test.connect(long).connack.reasonCode).toBe(full.refused)
  const sub = test.connect({ clientId: "new", ...persistent })
  expect(sub.subscribe("a".repeat(3000), { qos: 1 })).toBe(ReasonCode.QuotaExceeded)
})

describe("MQTT 3.1.1, a full store: a client whose PUBLISH waits", () => {
  /** It publishes to itself: one message is on its way to it, and one more PUBLISH has no room. */
  function deaf() {
    const test = new TestBroker()
    const own = { clientId: "own", protocolVersion: 4, ...persistent, keepAlive: 5 } as const
    const client = test.connect(own)
    client.subscribe("q", { qos: 1 })
    client.publish("q", "first", { qos: 1, packetId: 1 })
    const [message] = client.take().filter(({ type }) => type === "publish")
    test.store.mode = "full"
    test.pass(1)
    client.publish("q", "second", { qos: 1, packetId: 2 })
    return { test, own, client, packetId: message!.packetId! }
  }
  const watching = (test: TestBroker) => {
    const watch = test.connect({ clientId: "watch" })
    watch.subscribe("other", { qos: 0 })
    return watch
  }

  it("acknowledges what it gets, pings and publishes at QoS 0 behind it", () => {
    const { test, client, packetId } = deaf()
    const watch = watching(test)
    client.publish("q", "third", { qos: 1, packetId: 3 })
    client.publish("other", "now")
    client.ack(4, packetId)
    client.send(Uint8Array.of(0xc0, 0))
    expect(test.store.session("own")?.waiting).toBe(0)
    expect(client.seen.at(-1)?.type).toBe("pingresp")
    expect(watch.payloads()).toEqual(["now"])
    test.store.mode = "at once"
    test.pass(1)
    expect(client.acks().map((ack) => ack.packetId)).toEqual([1, 2, 3])
    expect(client.payloads()).toEqual(["second", "third"])
  })

  it("does so too behind more than is held: what was not comes again on another connection", () => {
    const { test, own, client, packetId } = deaf()
    const large = new Uint8Array(20_000)
    for (let n = 3; n <= 9; n++) client.send(publishBytes(4, "q", large, { qos: 1, packetId: n }))
    client.ack(4, packetId)
    expect(client.paused).toBe(true)
    expect(test.broker.memory.partial).toBeLessThan(200_000)
    test.pass(6)
    expect(client.paused).toBe(false)
    expect(test.store.session("own")?.waiting).toBe(0)
    client.send(Uint8Array.of(0xc0, 0))
    expect(client.seen.at(-1)?.type).toBe("pingresp")
    test.store.mode = "at once"
    test.pass(1)
    const acknowledged = client.acks().map((ack) => ack.packetId)
    expect(acknowledged).toEqual([1, 2, 3, 4, 5, 6])
    test.pass(1)
    expect(client.closed).toBe(true)
    const again = test.connect(own)
    again.take()
    for (let n = 7; n <= 9; n++) again.send(publishBytes(4, "q", large, { qos: 1, packetId: n }))
    expect(again.acks().map((ack) => ack.packetId)).toEqual([7, 8, 9])
  })

  it("may take its leave behind it", () => {
    const { test, client } = deaf()
    client.send(Uint8Array.of(0xe0, 0))
    expect(client.closed).toBe(true)
    expect(test.events.at(-1)).toMatchObject({ event: "client disconnected", by: "client" })
  })

  it("closes behind it: its acknowledgements count", () => {
    const { test, client, packetId } = deaf()
    client.ack(4, packetId)
    client.cut()
    test.settle()
    expect(test.store.session("own")?.waiting).toBe(0)
  })
})

it("a message that goes on to others by many groups, and is kept already, is not said again", () => {
  const test = new TestBroker()
  const groups = Array.from({ length: 5 }, (_, i) => `$share/g${i}/t`)
  const [one, other] = ["one", "other"].map((clientId) => {
    const member = test.connect({ clientId, ...persistent })
    for (const filter of groups) member.subscribe(filter, { qos: 1 })
    return member
  })
  other!.cut()
  test.connect({ clientId: "pub" }).publish("t", "x", { qos: 1 })
  expect(one!.take()).toHaveLength(5)
  one!.disconnect(0, 0)
  test.settle()
  expect(test.store.session("other")?.waiting).toBe(5)
  expect(test.store.changes.filter(({ type }) => type === "message")).toHaveLength(1)
  expect(test.store.counts.messages).toBe(1)
  expect(test.connect({ clientId: "other", ...persistent }).take()).toHaveLength(5)
})

it("one that nobody kept is said once for all groups that it goes on by, and not by what was said of it to others", () => {
  const test = new TestBroker()
  const groups = Array.from({ length: 5 }, (_, i) => `$share/g${i}/t`)
  const one = test.connect({ clientId: "one" })
  for (const filter of groups) one.subscribe(filter, { qos: 1 })
  const log = test.connect({ clientId: "log", ...persistent })
  log.subscribe("t", { qos: 1 })
  test.connect({ clientId: "pub" }).publish("t", "x", { qos: 1 })
  const other = test.connect({ clientId: "other", ...persistent })
  for (const filter of groups) other.subscribe(filter, { qos: 1 })
  other.cut()
  log.ack(4, log.take()[0]!.packetId)
  one.cut()
  test.settle()
  expect(test.store.session("other")?.waiting).toBe(5)
  expect(test.store.changes.filter(({ type }) => type === "message")).toHaveLength(2)
  expect(test.store.counts.messages).toBe(1)
  expect(test.connect({ clientId: "other", ...persistent }).take()).toHaveLength(5)
})

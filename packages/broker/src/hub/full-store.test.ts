// A store that is full, or nearly: what is new and would have to be kept is refused, and what ends something or takes what waits
// goes on, as that makes room.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { encodeText } from "../packet/bytes.ts"
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

  it("new sessions that are kept are refused, and wills, also of a session that is there", () => {
    const test = fullBroker(1, protocolVersion)
    const codeOf = (request: object) => test.connect({ protocolVersion, ...request }).connack.reasonCode
    expect(codeOf({ clientId: "new", ...persistent })).toBe(refused)
    expect(codeOf({ clientId: "away", ...persistent, will })).toBe(refused)
    expect(codeOf({ clientId: "clean", will })).toBe(refused)
    expect(codeOf({ clientId: "clean" })).toBe(0)
    if (protocolVersion === 5) expect(codeOf({ clientId: "away", ...persistent, cleanStart: true })).toBe(refused)
    expect(test.store.session("away")?.waiting).toBe(2)
    expect(test.store.counts).toMatchObject({ sessions: 1, wills: 0 })
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

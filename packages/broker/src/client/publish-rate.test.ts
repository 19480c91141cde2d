// maximumPublishRate and maximumPublishByteRate: who publishes faster is read more slowly, and loses nothing.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker, type TestClient } from "../../tests/harness.ts"
import type { Limits } from "../session/limits.ts"

/** A broker, and a clock that calls it when it has asked for that. */
function limited(limits: Partial<Limits>) {
  const wakes: number[] = []
  const test = new TestBroker({ limits, wakeAfter: (milliseconds) => wakes.push(test.now + milliseconds) })
  const pass = (milliseconds: number) => {
    for (let i = 0; i < milliseconds; i++) {
      test.now++
      if (wakes.some((at) => at > test.now - 1 && at <= test.now)) test.broker.wake(test.now)
      test.settle()
    }
  }
  const sub = test.connect({ clientId: "sub" })
  sub.subscribe("#")
  return { test, pass, sub, wakes }
}

function flood(pub: TestClient, count: number, size = 1): void {
  const all = Array.from({ length: count }, (_, i) => [...publishBytes(5, "t", `${i}`.padEnd(size))])
  pub.send(all.flat())
}

describe("maximumPublishRate", () => {
  it("as many as a second has come at once, the next one when its time has come, and none is lost", () => {
    const { test, pass, sub } = limited({ maximumPublishRate: 10 })
    const pub = test.connect({ clientId: "pub" })
    flood(pub, 9)
    expect([sub.payloads().length, pub.paused]).toEqual([9, false])
    flood(pub, 1)
    expect([sub.payloads().length, pub.paused]).toEqual([1, true])
    flood(pub, 30)
    expect(sub.payloads()).toEqual([])
    pass(99)
    expect(sub.payloads()).toEqual([])
    const came: number[] = []
    for (let second = 0; second < 4; second++) {
      pass(1000)
      came.push(sub.payloads().length)
    }
    expect(came.reduce((sum, each) => sum + each)).toBe(30)
    expect(came.slice(0, 2).every((each) => each >= 9 && each <= 11)).toBe(true)
    expect([pub.closed, pub.paused]).toEqual([false, false])
    expect(test.broker.counters.publishersRationed).toBeGreaterThanOrEqual(30)
  })

  it("holds up nobody else, and 0 holds up nobody", () => {
    const { test, sub } = limited({ maximumPublishRate: 2 })
    const [pub, other] = ["pub", "other"].map((clientId) => test.connect({ clientId }))
    flood(pub!, 5)
    expect(sub.payloads()).toHaveLength(2)
    flood(other!, 1)
    expect([pub!.paused, other!.paused, sub.payloads().length]).toEqual([true, false, 1])
    const free = limited({ maximumPublishRate: 0, maximumPublishByteRate: 0 })
    const fast = free.test.connect({ clientId: "pub" })
    flood(fast, 2000)
    expect([fast.paused, free.sub.payloads().length, free.wakes]).toEqual([false, 2000, []])
  })

  it("section 3.1.2.10: its Keep Alive does not run while it is not read from, and does afterwards", () => {
    const { test, sub } = limited({ maximumPublishByteRate: 100 })
    const pub = test.connect({ clientId: "pub", keepAlive: 2 })
    flood(pub, 1, 1000) // 1,005 bytes: nine seconds more than a second has
    expect([pub.paused, sub.payloads().length]).toEqual([true, 1])
    test.pass(8)
    expect([pub.paused, pub.closed]).toEqual([true, false])
    test.pass(2)
    expect([pub.paused, pub.closed]).toEqual([false, false])
    test.pass(4)
    expect(pub.farewell).toBe(0x8d)
  })

  it("its answers come with what is read: QoS 1 and PINGREQ", () => {
    const { test, pass } = limited({ maximumPublishRate: 1 })
    const pub = test.connect({ clientId: "pub" })
    pub.send(
      publishBytes(5, "t", "a", { qos: 1, packetId: 1 }),
      publishBytes(5, "t", "b", { qos: 1, packetId: 2 }),
      [0xc0, 0],
    )
    expect(pub.acks().map(({ packetId }) => packetId)).toEqual([1])
    pass(1030)
    expect(pub.acks().map(({ packetId }) => packetId)).toEqual([1, 2])
    expect(pub.seen.some(({ type }) => type === "pingresp")).toBe(false)
    pass(1030)
    expect(pub.seen.some(({ type }) => type === "pingresp")).toBe(true)
  })

  it("a publisher does not wait for a subscriber that is not read from", () => {
    const { test } = limited({ maximumPublishRate: 50, maximumOutboundBytes: 10_000 })
    const slow = test.connect({ clientId: "slow" })
    slow.subscribe("x")
    flood(slow, 60)
    expect([slow.paused, slow.connection?.session?.paused]).toEqual([true, true])
    slow.taking = false
    const pub = test.connect({ clientId: "pub" })
    for (let i = 0; i < 12; i++) pub.publish("x", "y".padEnd(1000))
    expect(pub.paused).toBe(false)
  })

  it("goes with the connection: the session that comes back is read from at once", () => {
    const { test, sub } = limited({ maximumPublishRate: 1 })
    const pub = test.connect({ clientId: "pub", sessionExpiryInterval: 100, cleanStart: false })
    flood(pub, 2)
    expect(pub.paused).toBe(true)
    pub.cut()
    sub.payloads()
    const again = test.connect({ clientId: "pub", sessionExpiryInterval: 100, cleanStart: false })
    expect([again.connack.sessionPresent, again.connection?.session?.paused]).toEqual([true, false])
    flood(again, 1)
    expect(sub.payloads()).toHaveLength(1)
    test.pass(3)
  })
})

describe("maximumPublishByteRate", () => {
  it("counts whole packets: at a second's worth the next one waits, below it does not", () => {
    const { test, pass, sub } = limited({ maximumPublishByteRate: 1000 })
    const pub = test.connect({ clientId: "pub" })
    // A PUBLISH to "t" has 6 bytes more than its payload.
    flood(pub, 1, 999 - 7)
    expect([pub.paused, sub.payloads().length]).toEqual([false, 1])
    flood(pub, 1, 1)
    expect(pub.paused).toBe(true)
    pass(30)
    expect(pub.paused).toBe(false)
  })

  it("a thousand that are too fast have what they may, and few calls are asked for", () => {
    const { test, pass, sub, wakes } = limited({ maximumPublishRate: 10 })
    const pubs = Array.from({ length: 1000 }, (_, i) => test.connect({ clientId: `pub${i}` }))
    for (const pub of pubs) flood(pub, 15)
    expect(sub.payloads()).toHaveLength(10_000)
    const before = wakes.length
    pass(1000)
    expect(sub.payloads()).toHaveLength(5000)
    expect(wakes.length - before).toBeLessThanOrEqual(60)
  })
})

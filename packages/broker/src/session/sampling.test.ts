// What of a message's way is timed, and of whose copies.

import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { KeepingStore } from "../../tests/keeping-store.ts"

/** A broker that notes what it observes. */
function observed(store?: KeepingStore) {
  const seen = { delivered: [] as number[], committed: [] as number[], queued: [] as number[] }
  const observer = (values: number[]) => ({ observe: (value: number) => void values.push(value) })
  const observers = {
    delivered: observer(seen.delivered),
    committed: observer(seen.committed),
    queued: observer(seen.queued),
  }
  return { test: new TestBroker({ observers }, store), seen }
}

/** The rest of a turn takes so many milliseconds. */
function turnsTake(test: TestBroker, milliseconds: number): void {
  const { schedule } = test
  test.schedule = () => {
    test.now += milliseconds
    schedule.call(test)
  }
}

describe("how long a message takes to its subscribers", () => {
  it("is taken of the first in five milliseconds, when its copy leaves", () => {
    const { test, seen } = observed()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t", { qos: 0 })
    const pub = test.connect({ clientId: "pub" })
    turnsTake(test, 2)
    pub.publish("t", "1")
    expect(seen.delivered).toEqual([2])
    pub.publish("t", "2")
    expect(seen.delivered).toEqual([2])
    test.now += 5
    pub.publish("t", "3")
    expect(seen.delivered).toEqual([2, 2])
  })

  it("of one that goes to many it is taken of every eighth copy", () => {
    const { test, seen } = observed()
    for (let i = 0; i < 40; i++) test.connect({ clientId: `sub${i}` }).subscribe("t", { qos: 0 })
    test.connect({ clientId: "pub" }).publish("t", "x")
    expect(seen.delivered).toHaveLength(5)
  })

  it("is not taken of what waited for a client that was away, nor of retained messages that come later", () => {
    const { test, seen } = observed()
    const kept = { cleanStart: false, sessionExpiryInterval: 1000 } as const
    const sub = test.connect({ clientId: "sub", ...kept })
    sub.subscribe("t", { qos: 1 })
    sub.cut()
    const late = test.connect({ clientId: "late" })
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t", "x", { qos: 1, retain: true })
    test.now += 500_000
    expect(test.connect({ clientId: "sub", ...kept }).payloads()).toEqual(["x"])
    late.subscribe("t", { qos: 1 })
    expect(late.payloads()).toEqual(["x"])
    expect(seen.delivered).toEqual([])
  })

  it("of one that waits for a client which does not take it, it runs until that does", () => {
    const { test, seen } = observed()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t", { qos: 0 })
    sub.taking = false
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t", "takes what there is")
    test.now += 50
    seen.delivered.length = 0
    pub.publish("t", "waits")
    expect(seen.delivered).toEqual([])
    test.now += 700
    sub.drain()
    expect(seen.delivered).toEqual([700])
  })

  it("of one that waits for the store, it runs until that has kept it", () => {
    const store = new KeepingStore()
    const { test, seen } = observed(store)
    const kept = { cleanStart: false, sessionExpiryInterval: 1000 } as const
    const sub = test.connect({ clientId: "sub", ...kept })
    sub.subscribe("t", { qos: 1 })
    const pub = test.connect({ clientId: "pub" })
    store.mode = "late"
    pub.publish("t", "x", { qos: 1 })
    expect(sub.payloads()).toEqual([])
    test.now += 40
    store.answer()
    test.settle()
    expect(sub.payloads()).toEqual(["x"])
    expect(seen.delivered).toEqual([40])
  })

  it("without observers nothing is noted at a message", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", cleanStart: false, sessionExpiryInterval: 1000 })
    sub.subscribe("t", { qos: 1 })
    test.connect({ clientId: "pub" }).publish("t", "x", { qos: 1 })
    expect(sub.payloads()).toEqual(["x"])
  })
})

describe("how long the store takes", () => {
  it("is told of each turn, from when it was asked first", () => {
    const store = new KeepingStore()
    const { test, seen } = observed(store)
    const sub = test.connect({ clientId: "sub", cleanStart: false, sessionExpiryInterval: 1000 })
    sub.subscribe("t", { qos: 1 })
    expect(seen.committed.length).toBeGreaterThan(0)
    expect(seen.committed.every((value) => value === 0)).toBe(true)
    seen.committed.length = 0
    store.mode = "late"
    test.connect({ clientId: "pub" }).publish("t", "x", { qos: 1 })
    test.now += 30
    expect(seen.committed).toEqual([])
    store.answer()
    test.settle()
    expect(seen.committed[0]).toBe(30)
  })
})

describe("how much waits", () => {
  it("is told when one more message has come to wait for a session", () => {
    const { test, seen } = observed()
    const sub = test.connect({ clientId: "sub", cleanStart: false, sessionExpiryInterval: 1000 })
    sub.subscribe("t", { qos: 1 })
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t", "taken", { qos: 1 })
    expect(seen.queued).toEqual([])
    sub.cut()
    for (let i = 1; i <= 3; i++) pub.publish("t", `${i}`, { qos: 1, packetId: i })
    expect(seen.queued).toEqual([1, 2, 3])
  })
})

// Time over restarts, on a machine whose clock may be unset at the start and set while the broker runs.

import { describe, expect, it } from "vitest"
import { TestBroker, type TestClient } from "../../tests/harness.ts"
import { encodeText } from "../packet/bytes.ts"
import { SteadyClock } from "./steady-clock.ts"
import { earliestWall, resumedAt } from "./timeline.ts"

/** 2026, and a second after the beginning of 1970. */
const year2026 = 1_795_910_400_000
const unset = 1000
const minute = 60

describe("where time goes on", () => {
  const last = { type: "clock", now: 5000, wall: earliestWall, until: 8000 } as const

  it("after the time that has passed by the machine's clock, where it was set before and is now", () => {
    expect(resumedAt(last, earliestWall)).toBe(5000)
    expect(resumedAt(last, earliestWall + 86_400_000)).toBe(5000 + 86_400_000)
    // The store's time may be another than the machine's.
    expect(resumedAt({ ...last, now: year2026 }, earliestWall + 1)).toBe(year2026 + 1)
  })

  it("at once, where it is not set now, or was not before, or has gone back", () => {
    expect(resumedAt(last, unset)).toBe(8000)
    expect(resumedAt(last, earliestWall - 1)).toBe(8000)
    expect(resumedAt({ ...last, wall: earliestWall - 1 }, year2026)).toBe(8000)
    expect(resumedAt({ ...last, wall: unset }, unset + 500)).toBe(8000)
  })

  it("with the machine's clock, in a new store", () => {
    expect([resumedAt(undefined, unset), resumedAt(undefined, year2026)]).toEqual([unset, year2026])
  })
})

describe("a broker's clock", () => {
  function clock(wall: number) {
    const machine = { passed: 300, wall }
    return {
      machine,
      clock: new SteadyClock(
        () => machine.passed,
        () => machine.wall,
      ),
    }
  }

  it("does not go with the machine's when that is set, forwards or backwards", () => {
    const { machine, clock: one } = clock(unset)
    expect(one.now()).toBe(unset)
    machine.wall = year2026
    machine.passed += 10
    expect([one.now(), one.wall()]).toEqual([unset + 10, year2026])
    machine.wall = unset
    machine.passed += 10
    expect(one.now()).toBe(unset + 20)
  })

  it("goes on where the one before was", () => {
    const { machine, clock: one } = clock(year2026 + 5000)
    machine.passed += 10 // until the store is read
    machine.wall += 10
    expect(one.resume({ type: "clock", now: 77, wall: year2026, until: 99 })).toBe(77 + 5010)
    machine.passed += 1
    machine.wall = unset
    expect(one.now()).toBe(77 + 5011)
    const { clock: another } = clock(unset)
    another.resume({ type: "clock", now: 77, wall: year2026, until: 99 })
    expect(another.now()).toBe(99)
    const { clock: fresh } = clock(unset)
    expect([fresh.resume(undefined), fresh.now()]).toEqual([unset, unset])
  })
})

const names = (test: TestBroker) => [...test.broker.sessions()].map(({ clientId }) => clientId)
const expiry = (seconds: number) => [0x02, 0, 0, seconds >> 8, seconds & 0xff]
const hour = { cleanStart: false, sessionExpiryInterval: 3600 } as const

/** Everything that ends by itself, an hour from now: a session that is away, its message, a will, a retained message. */
function fill(test: TestBroker): void {
  const away = test.connect({ clientId: "away", ...hour })
  away.subscribe("t", { qos: 1 })
  away.cut()
  const will = { topic: "w", payload: encodeText("will"), qos: 1, retain: false, delayInterval: 3600 } as const
  test.connect({ clientId: "mortal", cleanStart: false, sessionExpiryInterval: 7200, will }).cut()
  const pub = test.connect({ clientId: "pub" })
  pub.publish("t", "waits", { qos: 1, properties: expiry(3600) })
  pub.publish("r", "retained", { qos: 1, retain: true, properties: expiry(3600) })
  pub.disconnect()
}

function watch(test: TestBroker): TestClient {
  const watcher = test.connect({ clientId: "watcher" })
  watcher.subscribe("w")
  return watcher
}

/** Seconds that are left of the retained message. */
function left(test: TestBroker): number {
  const sub = test.connect({ clientId: "looks" })
  sub.subscribe("r")
  const found = sub.take()[0]?.expiry ?? 0
  sub.disconnect()
  return found
}

/** It is all still there, and then all of it ends within a minute after `seconds` at the latest, and not much before. */
function endsAfter(test: TestBroker, seconds: number, early: number): void {
  const watcher = watch(test)
  expect(left(test)).toBeLessThanOrEqual(seconds)
  expect(left(test)).toBeGreaterThanOrEqual(seconds - early)
  test.pass(seconds - early - 1)
  expect([names(test).includes("away"), watcher.payloads(), test.broker.retained.size]).toEqual([true, [], 1])
  test.pass(early + 1)
  expect([names(test).includes("away"), watcher.payloads(), test.broker.retained.size]).toEqual([false, ["will"], 0])
}

describe("the machine's clock is set while the broker runs", () => {
  it.each([
    ["from 1970 to 2026", unset, year2026],
    ["back from 2026 to 1970", year2026, unset],
    ["back by an hour", year2026, year2026 - 3_600_000],
  ])("%s: nothing ends at once, and all of it after an hour", (_what, before, after) => {
    const test = new TestBroker()
    test.wall = before
    fill(test)
    test.pass(10)
    test.wall = after
    test.pass(10)
    endsAfter(test, 3580, 0)
  })

  it("from 1970 to 2026, and the next broker begins in 2026: what is left is what was left", () => {
    const test = new TestBroker()
    test.wall = unset
    fill(test)
    test.pass(10 * minute)
    test.wall = year2026
    test.pass(1)
    // It knows how long it was away.
    const next = test.restart({}, year2026 + 1000 + 300_000)
    endsAfter(next, 3600 - 601 - 300, 0)
  })

  it("right before the end: the jump is told at once", () => {
    const test = new TestBroker()
    fill(test)
    test.wall = earliestWall + 1 // wrong, and could be right
    test.pass(10 * minute)
    test.wall = year2026
    test.pass(1)
    endsAfter(test.restart({}, year2026 + 1000), 3600 - 601, 0)
  })
})

describe("the next broker begins before the machine's clock is set", () => {
  it.each([
    ["in 1970", unset],
    ["an hour before the last sign of life", year2026 - 3_600_000],
  ])("%s: no interval is longer than before, and none much shorter", (_what, wall) => {
    const test = new TestBroker()
    test.wall = year2026
    fill(test)
    test.pass(20 * minute + 37)
    const next = test.restart({}, wall)
    expect(next.now).toBeGreaterThanOrEqual(test.now)
    endsAfter(next, 3600 - 20 * 60 - 37, 62)
  })

  it("each time: elapsed time counts, over all of them", () => {
    let test = new TestBroker()
    test.wall = unset
    fill(test)
    let passed = 0
    for (let i = 0; i < 5; i++) {
      test.pass(5 * minute)
      passed += 5 * 60
      test = test.restart({}, unset)
    }
    endsAfter(test, 3600 - passed, 5 * 62)
  })

  it("one that ends again and again is not there for longer than it was, by more than some seconds", () => {
    let test = new TestBroker()
    test.wall = unset
    fill(test)
    test.pass(1)
    const begun = test.now
    for (let i = 0; i < 20; i++) {
      test = test.restart({}, unset)
      test.pass(3)
    }
    const seconds = (test.now - begun) / 1000
    expect(seconds).toBeGreaterThanOrEqual(60)
    expect(seconds).toBeLessThanOrEqual(20 * 3 * 4)
  })

  it("nor is one that ends before its first tick: elapsed time counts there too", () => {
    let test = new TestBroker()
    test.wall = unset
    fill(test)
    const begun = test.now
    for (let i = 0; i < 20; i++) {
      test.now += 900
      test = test.restart({}, unset)
    }
    const seconds = (test.now - begun) / 1000
    expect(seconds).toBeGreaterThanOrEqual(18)
    expect(seconds).toBeLessThanOrEqual(20 * 4)
  })

  it("then it is set: nothing ends at once, and the next restart knows again how long it took", () => {
    const first = new TestBroker()
    first.wall = year2026
    fill(first)
    first.pass(10 * minute)
    const second = first.restart({}, unset)
    second.pass(5)
    second.wall = year2026 + 86_400_000
    second.pass(5 * minute)
    const third = second.restart({}, second.wall + 60_000)
    endsAfter(third, 3600 - 16 * 60 - 5, 62)
  })

  it("a session that was connected counts from the last sign of life", () => {
    const test = new TestBroker()
    test.wall = unset
    test.connect({ clientId: "there", ...hour })
    test.pass(30 * minute)
    const next = test.restart({}, unset)
    next.pass(3600 - 125)
    expect(names(next)).toEqual(["there"])
    next.pass(125)
    expect(names(next)).toEqual([])
  })
})

describe("signs of life", () => {
  const signs = (test: TestBroker) => test.store.changes.filter(({ type }) => type === "clock")

  it("come while a session is away, each before the last has said, and once a minute in the end", () => {
    const test = new TestBroker()
    test.connect({ clientId: "away", ...hour }).cut()
    test.pass(20 * minute)
    const all = signs(test)
    for (const [i, sign] of all.entries()) {
      if (sign.type !== "clock") continue
      const next = all[i + 1]
      if (next?.type === "clock") expect(next.now).toBeLessThan(sign.until)
      expect(sign.until - sign.now).toBeLessThanOrEqual(62_000)
      expect(sign.wall).toBe(sign.now + test.wallAhead)
    }
    expect(all.length).toBeLessThan(20 + 8)
    expect(all.length).toBeGreaterThan(20)
  })

  it("do not come when there is nothing that time matters for", () => {
    const test = new TestBroker()
    test.connect({ clientId: "c" }).publish("r", "x", { retain: true, qos: 1 })
    test.connect({ clientId: "c" }).disconnect()
    const before = signs(test).length
    test.pass(20 * minute)
    expect(signs(test).length).toBe(before)
    test.connect({ clientId: "c" }).publish("e", "x", { retain: true, properties: expiry(300) })
    test.connect({ clientId: "c" }).disconnect()
    test.pass(20 * minute)
    const more = signs(test).length - before
    expect(more).toBeGreaterThan(4)
    expect(more).toBeLessThan(12)
    expect(test.broker.retained.size).toBe(1)
  })
})

// Lists of a broker, page by page.

import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import type { Lists, Page, Paged, Place } from "./inspect.ts"
import { Operations } from "./operations.ts"
import { OrderedRoster } from "./roster.ts"
import { mostLooked, RosterLists } from "./views.ts"

function start(): { test: TestBroker; lists: Lists; operations: Operations; roster: OrderedRoster } {
  const roster = new OrderedRoster()
  const test = new TestBroker({ roster })
  return { test, lists: new RosterLists(test.broker, roster), operations: new Operations(test.broker), roster }
}

/** All pages; `between` is done after each. */
function pages<T>(read: (paged: Paged) => Page<T>, limit: number, between: () => void = () => undefined): T[][] {
  const found: T[][] = []
  let after: Place | undefined
  do {
    const { items, next } = read({ limit, after })
    found.push([...items])
    after = next
    between()
  } while (after !== undefined)
  return found
}

const id = (i: number) => `c${String(i).padStart(4, "0")}`

describe("clients", () => {
  it("come in pages, each once, while others come and go", () => {
    const { test, lists } = start()
    for (let i = 0; i < 100; i++) test.connect({ clientId: id(i) })
    let more = 0
    const found = pages(
      (paged) => lists.clients({ by: "clientId", prefix: "", ...paged }),
      7,
      () => {
        // Before and behind the place that was read, and the one there itself goes.
        test.connect({ clientId: `a${more}` })
        test.connect({ clientId: `z${more++}` })
        if (more === 3) test.broker.connectionOf(id(20))?.disconnect(test.now, 0x98, "")
      },
    ).flat()
    const ids = found.map(({ clientId }) => clientId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter((each) => each.startsWith("c"))).toEqual(Array.from({ length: 100 }, (_, i) => id(i)))
  })

  it("are found by what their identifier, user or address begins with", () => {
    const { test, lists } = start()
    for (let i = 0; i < 30; i++) {
      test.connect({ clientId: id(i) }, { address: `192.0.2.${i % 3}:${1000 + i}` })
    }
    const addresses = pages((paged) => lists.clients({ by: "address", prefix: "192.0.2.1:", ...paged }), 4).flat()
    expect(addresses).toHaveLength(10)
    expect(addresses.every(({ peer }) => peer.address.startsWith("192.0.2.1:"))).toBe(true)
    const some = lists.clients({ by: "clientId", prefix: "c001", limit: 100 })
    expect(some.items.map(({ clientId }) => clientId)).toEqual(Array.from({ length: 10 }, (_, i) => id(10 + i)))
    expect(some.next).toBeUndefined()
    expect(lists.clients({ by: "user", prefix: "x", limit: 100 })).toEqual({ items: [], next: undefined })
  })

  it("a page looks at so many and no more, and goes on from there", () => {
    const { test, lists } = start()
    for (let i = 0; i < 50; i++) test.connect({ clientId: id(i) })
    let looked = 0
    const wanted = () => {
      looked++
      return looked === 50
    }
    expect(lists.clients({ by: "clientId", prefix: "", limit: 10, wanted })).toMatchObject({
      items: [{ clientId: id(49) }],
    })
    expect(mostLooked).toBeGreaterThan(1000)
  })

  it("say what their connection has agreed on, and go when it does", () => {
    const { test, lists } = start()
    const client = test.connect({ clientId: "one", keepAlive: 60 })
    const old = test.connect({ clientId: "two", protocolVersion: 4, keepAlive: 7 })
    expect(lists.client("one")).toMatchObject({
      clientId: "one",
      mqtt: "5.0",
      keepAlive: 60,
      since: test.now,
      user: "",
    })
    expect(lists.client("two")).toMatchObject({ mqtt: "3.1.1", keepAlive: 7 })
    expect(lists.client("tw")).toBeUndefined()
    client.disconnect()
    old.cut()
    expect(lists.clients({ by: "clientId", prefix: "", limit: 10 }).items).toEqual([])
  })

  it("one that takes a session over is there once", () => {
    const { test, lists } = start()
    test.connect({ clientId: "one", cleanStart: false, sessionExpiryInterval: 100 }, { address: "a" })
    test.connect({ clientId: "one", cleanStart: false, sessionExpiryInterval: 100 }, { address: "b" })
    test.connect({ clientId: "one", cleanStart: true, sessionExpiryInterval: 100 }, { address: "c" })
    for (const by of ["clientId", "user", "address"] as const) {
      const { items } = lists.clients({ by, prefix: "", limit: 10 })
      expect(items.map(({ peer }) => peer.address)).toEqual(["c"])
    }
    expect(lists.sessions({ by: "user", prefix: "", limit: 10 }).items).toHaveLength(1)
  })
})

describe("sessions", () => {
  it("are there after a restart, and gone when they end", () => {
    const { test, lists, operations } = start()
    test.connect({ clientId: "kept", cleanStart: false, sessionExpiryInterval: 100 }).cut()
    test.connect({ clientId: "short" })
    const { items } = lists.sessions({ by: "clientId", prefix: "", limit: 10 })
    expect(items).toMatchObject([
      { clientId: "kept", connected: false, kept: true, expiryInterval: 100, endsAt: test.now + 100_000 },
      { clientId: "short", connected: true, kept: false, endsAt: Number.POSITIVE_INFINITY },
    ])
    const roster = new OrderedRoster()
    const next = test.restart({ roster })
    const after = new RosterLists(next.broker, roster)
    expect(after.session("kept")).toMatchObject({ connected: false })
    expect(new Operations(next.broker).endSession("kept", "over")).toBe(true)
    next.settle()
    expect(after.session("kept")).toBeUndefined()
    expect(operations.endSession("none", "over")).toBe(false)
  })

  it("expire out of the list", () => {
    const { test, lists } = start()
    test.connect({ clientId: "kept", cleanStart: false, sessionExpiryInterval: 2 }).cut()
    test.pass(3)
    expect(lists.sessions({ by: "clientId", prefix: "", limit: 10 }).items).toEqual([])
  })
})

describe("subscriptions", () => {
  it("come in pages, in the order of clients and filters, also those of one client", () => {
    const { test, lists } = start()
    for (let i = 0; i < 5; i++) {
      const client = test.connect({ clientId: id(i) })
      for (let j = 0; j < 11; j++) client.subscribe(`f/${(j * 7) % 11}`)
    }
    for (const limit of [1, 4, 11, 100]) {
      const found = pages((paged) => lists.subscriptions({ prefix: "", ...paged }), limit).flat()
      const names = found.map(({ clientId, filter }) => `${clientId} ${filter}`)
      expect(names).toEqual([...new Set(names)].sort())
      expect(names).toHaveLength(55)
      const own = pages((paged) => lists.subscriptions({ clientId: id(3), prefix: "f/1", ...paged }), limit).flat()
      expect(own.map(({ filter }) => filter)).toEqual(["f/1", "f/10"])
    }
    expect(lists.subscriptions({ clientId: "none", prefix: "", limit: 10 }).items).toEqual([])
  })

  it("what is unsubscribed between two pages does not lose the place", () => {
    const { test, lists } = start()
    const client = test.connect({ clientId: "one" })
    for (const filter of ["a", "b", "c", "d"]) client.subscribe(filter)
    const first = lists.subscriptions({ prefix: "", limit: 2 })
    client.unsubscribe("b")
    const second = lists.subscriptions({ prefix: "", limit: 2, after: first.next })
    expect(second.items.map(({ filter }) => filter)).toEqual(["c", "d"])
  })
})

describe("retained messages", () => {
  const topics = ["/lead", "a", "a/b", "a/b/c", "a/b/c/d", "a/b+", "a/bc", "a0", "b//x", "long/er"].filter(
    (topic) => !topic.includes("+"),
  )
  function kept() {
    const started = start()
    const client = started.test.connect()
    for (const topic of topics) client.publish(topic, topic, { retain: true })
    return started
  }

  it("come in pages by the beginning of their topics", () => {
    const { lists } = kept()
    for (const limit of [1, 3, 100]) {
      const found = pages((paged) => lists.retained({ prefix: "", ...paged }), limit).flat()
      expect(found.map(({ topic }) => topic).sort()).toEqual([...topics].sort())
      const below = pages((paged) => lists.retained({ prefix: "a/b", ...paged }), limit).flat()
      expect(below.map(({ topic }) => topic)).toEqual(["a/b", "a/b/c", "a/b/c/d", "a/bc"])
    }
    expect(new TextDecoder().decode(lists.retainedOn("a/bc")?.payload)).toBe("a/bc")
    expect(lists.retainedOn("nothing")).toBeUndefined()
  })

  it("make a tree of levels", () => {
    const { lists } = kept()
    const levels = (parent: string | undefined, limit: number) =>
      pages((paged) => lists.topics({ parent, ...paged }), limit)
        .flat()
        .map(({ level, topic, retained, below }) => `${JSON.stringify(level)} ${topic} ${retained} ${below}`)
    for (const limit of [1, 2, 100]) {
      expect(levels(undefined, limit)).toEqual([
        '""  false 1',
        '"a" a true 4',
        '"a0" a0 true 0',
        '"b" b false 1',
        '"long" long false 1',
      ])
      expect(levels("a", limit)).toEqual(['"b" a/b true 2', '"bc" a/bc true 0'])
      expect(levels("b", limit)).toEqual(['"" b/ false 1'])
      expect(levels("b/", limit)).toEqual(['"x" b//x true 0'])
      expect(levels("", limit)).toEqual(['"lead" /lead true 0'])
      expect(levels("none", limit)).toEqual([])
    }
  })

  it("go when they are taken away, and when they expire", () => {
    const { test, lists, operations, roster } = kept()
    expect(operations.deleteRetained("a/b")).toBe(true)
    expect(operations.deleteRetained("a/b")).toBe(false)
    const client = test.connect({ clientId: "other" })
    client.publish("soon", "x", { retain: true, properties: [0x02, 0, 0, 0, 1] })
    expect(lists.retainedOn("soon")).toMatchObject({ topic: "soon", expiresAt: test.now + 1000 })
    test.pass(3)
    expect(roster.topics.size).toBe(topics.length - 1)
    expect(test.broker.retained.size).toBe(topics.length - 1)
  })
})

describe("operations", () => {
  it("disconnect tells the client why, and its session stays", () => {
    const { test, operations, lists } = start()
    const client = test.connect({ clientId: "one", cleanStart: false, sessionExpiryInterval: 100 })
    expect(operations.disconnect("one", "go away")).toBe(true)
    expect(operations.disconnect("one", "go away")).toBe(false)
    test.settle()
    expect(client.seen.at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x98, reasonString: "go away" })
    expect(client.closed).toBe(true)
    expect(lists.session("one")).toMatchObject({ connected: false })
  })

  it("the end of a session is that of its connection, subscriptions and messages", () => {
    const { test, operations, lists } = start()
    const client = test.connect({ clientId: "one", cleanStart: false, sessionExpiryInterval: 100 })
    client.subscribe("a")
    expect(operations.endSession("one", "over")).toBe(true)
    test.settle()
    expect(client.farewell).toBe(0x98)
    expect(lists.session("one")).toBeUndefined()
    expect(test.broker.subscriptionCount).toBe(0)
    expect(test.connect({ clientId: "one", cleanStart: false }).connack.sessionPresent).toBe(false)
  })

  it("publish says what is wrong with a topic", () => {
    const { test, operations } = start()
    const client = test.connect()
    client.subscribe("#")
    const message = { payload: new Uint8Array([65]), qos: 1, retain: false } as const
    expect(operations.publish({ topic: "a/b", ...message })).toBeUndefined()
    test.settle()
    expect(client.payloads()).toEqual(["A"])
    for (const topic of ["", "a/+", "$SYS/x", "x".repeat(65_536), "a\0", "/".repeat(40)]) {
      expect(operations.publish({ topic, ...message })).toEqual(expect.any(String))
    }
  })

  it("drain sends everybody elsewhere in even shares, lets nobody in, and can be called off", () => {
    const { test, operations } = start()
    const clients = Array.from({ length: 100 }, (_, i) => test.connect({ clientId: id(i) }))
    const old = test.connect({ clientId: "old", protocolVersion: 4 })
    expect(operations.drain("other:8883", 10_000)).toMatchObject({
      server: "other:8883",
      left: 101,
      until: test.now + 10_000,
    })
    const left: number[] = []
    for (let second = 0; second < 10; second++) {
      test.now += 1000
      operations.tick(test.now)
      test.broker.tick(test.now)
      test.settle()
      left.push(test.broker.connectionCount)
    }
    expect(left.at(-1)).toBe(0)
    expect(left[4]).toBeGreaterThan(30)
    expect(left[4]).toBeLessThan(70)
    expect(clients[0]?.seen.at(-1)).toMatchObject({
      type: "disconnect",
      reasonCode: 0x9c,
      serverReference: "other:8883",
    })
    expect(old.closed).toBe(true)
    expect(test.connect({ clientId: "new" }).connack).toMatchObject({ reasonCode: 0x9c, serverReference: "other:8883" })
    expect(operations.undrain()).toBe(true)
    expect(operations.undrain()).toBe(false)
    expect(operations.draining).toBeUndefined()
    expect(test.connect({ clientId: "new" }).connack.reasonCode).toBe(0)
  })
})

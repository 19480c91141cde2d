// What a publish costs: counted, not timed.

import { describe, expect, it } from "vitest"
import { Message } from "../packet/message.ts"
import { TopicTable } from "../packet/topic.ts"
import { parseFilter } from "./filter.ts"
import { RouteCache } from "./route-cache.ts"
import { Router } from "./router.ts"
import type { Subscriber, Subscription } from "./subscription.ts"

const topics = new TopicTable(128)

class Fake implements Subscriber {
  readonly clientId: string
  got = 0
  asked = 0
  ready = true
  recorded = false
  lasting = false
  hasRoom = () => true
  congested = false
  #connected = true
  constructor(clientId = "") {
    this.clientId = clientId
  }
  get connected(): boolean {
    this.asked++
    return this.#connected
  }
  set connected(value: boolean) {
    this.#connected = value
  }
  deliver(): boolean {
    this.got++
    return true
  }
}

function add(router: Router, subscriber: Subscriber, filter: string, more: Partial<Subscription> = {}): Subscription {
  const one: Subscription = {
    subscriber,
    filter: parseFilter(filter, 128),
    qos: 0,
    noLocal: false,
    retainAsPublished: false,
    identifier: undefined,
    mayReceive: undefined,
    identifiers: [],
    ...more,
  }
  router.add(one)
  return one
}

function send(router: Router, topic: string): number {
  return router.route(Message.of(topics.of(topic), new Uint8Array(1), 0, false), undefined, 0).sessions
}

/** {a,+}^n/# */
function combinations(levels: number): string[] {
  let filters = [""]
  for (let i = 0; i < levels; i++) filters = filters.flatMap((one) => [`${one}a/`, `${one}+/`])
  return filters.map((one) => `${one}#`)
}

describe("matching", () => {
  it("thousands of overlapping filters of one session are matched once; then a publish looks at nothing", () => {
    const router = new Router()
    const one = new Fake("one")
    const filters = combinations(12)
    for (const [i, filter] of filters.entries()) add(router, one, filter, { identifier: i + 1, identifiers: [i + 1] })
    const topic = Array.from({ length: 12 }, () => "a").join("/")
    expect(send(router, topic)).toBe(1)
    const cost = router.visited
    expect(cost).toBeLessThan(4 * filters.length)
    for (let i = 0; i < 100; i++) expect(send(router, topic)).toBe(1)
    expect(router.visited).toBe(cost)
    expect(one.got).toBe(101)
  })

  it("a filter of many levels costs as many nodes as there are places where filters part", () => {
    const router = new Router()
    add(router, new Fake(), `${"a/".repeat(100)}#`)
    add(router, new Fake(), `${"a/".repeat(50)}b/#`)
    expect(send(router, "a/".repeat(101))).toBe(1)
    expect(router.visited).toBeLessThan(6)
  })

  it("10,000 share groups on one topic are found once", () => {
    const router = new Router()
    const sessions = Array.from({ length: 10 }, (_, i) => new Fake(`${i}`))
    for (let i = 0; i < 10_000; i++) add(router, sessions[i % 10]!, `$share/g${i}/t`)
    expect(send(router, "t")).toBe(10_000)
    const routes = topics.of("t").routes
    expect(send(router, "t")).toBe(10_000)
    expect(topics.of("t").routes).toBe(routes)
    expect(routes).toBeDefined()
  })

  it("what is remembered has a bound, whatever is published and subscribed to", () => {
    const router = new Router()
    for (let i = 0; i < 2000; i++) add(router, new Fake(), "#")
    for (let i = 0; i < 500; i++) {
      send(router, `topic/${i}`)
      expect(router.rememberedBytes).toBeLessThanOrEqual(16 * 1_048_576)
    }
    expect(router.rememberedBytes).toBeGreaterThan(7 * 1_048_576)
    // A change forgets all, also what no table holds any more.
    add(router, new Fake(), "x")
    expect(router.rememberedBytes).toBe(0)
    expect(topics.of("topic/499").routes).toBeUndefined()
  })

  it("the oldest are forgotten first; one that is too large by itself is not remembered", () => {
    const cache = new RouteCache(200)
    const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => topics.of(name))
    const kept = () => [a, b, c, d].map((one) => one?.routes !== undefined)
    for (const one of [a, b, c]) cache.keep(one!, {}, 50)
    expect([kept(), cache.bytes]).toEqual([[true, true, true, false], 150])
    cache.keep(d!, {}, 101)
    expect([kept(), cache.bytes]).toEqual([[true, true, true, false], 150])
    cache.keep(d!, {}, 100)
    expect([kept(), cache.bytes]).toEqual([[false, false, true, true], 150])
    cache.clear()
    expect([kept(), cache.bytes]).toEqual([[false, false, false, false], 0])
  })
})

describe("Shared Subscriptions (section 4.8.2): choosing", () => {
  it("members that are away are not looked at again until they come back", () => {
    const router = new Router()
    const members = Array.from({ length: 1000 }, (_, i) => new Fake(`${i}`))
    const subscriptions = members.map((member) => add(router, member, "$share/g/t"))
    for (const member of members.slice(1)) member.connected = false
    // The first that looks round finds them away.
    for (let i = 0; i < 2; i++) send(router, "t")
    for (const member of members) member.asked = 0
    for (let i = 0; i < 100; i++) send(router, "t")
    expect(members[0]?.got).toBe(102)
    expect(members.reduce((sum, { asked }) => sum + asked, 0)).toBeLessThanOrEqual(200)
    members[500]!.connected = true
    router.back(subscriptions[500]!)
    for (let i = 0; i < 100; i++) send(router, "t")
    expect([members[0]?.got, members[500]?.got]).toEqual([152, 50])
    // Once nobody is there, all of them get some, in turn.
    for (const member of members) member.connected = false
    for (const member of members) member.got = 0
    for (let i = 0; i < 1000; i++) send(router, "t")
    expect(members.every(({ got }) => got === 1)).toBe(true)
  })

  it("of many that do not keep up only some are looked at, and they take turns", () => {
    const router = new Router()
    const members = Array.from({ length: 1000 }, (_, i) => new Fake(`${i}`))
    for (const member of members) {
      add(router, member, "$share/g/t")
      member.congested = true
    }
    for (let i = 0; i < 1000; i++) send(router, "t")
    expect(members.every(({ got }) => got === 1)).toBe(true)
    expect(members.reduce((sum, { asked }) => sum + asked, 0)).toBeLessThan(100_000)
  })

  it.each([63, 64, 65])(
    "of %i that are away and full 64 at most are asked for room, and one gets it all the same",
    (count) => {
      const router = new Router()
      let asked = 0
      const members = Array.from({ length: count }, (_, i) => new Fake(`${i}`))
      for (const member of members) {
        add(router, member, "$share/g/t", { qos: 1 })
        member.connected = false
        member.hasRoom = () => {
          asked++
          return false
        }
      }
      router.route(Message.of(topics.of("t"), new Uint8Array(1), 1, false), undefined, 0)
      expect([asked, members.reduce((sum, { got }) => sum + got, 0)]).toEqual([Math.min(count, 64), 1])
    },
  )

  it("who may not receive a topic is found out once a topic, and one who comes back counts again", () => {
    const router = new Router()
    let asked = 0
    const mayReceive = (topic: string) => {
      asked++
      return topic !== "secret"
    }
    const members = Array.from({ length: 100 }, (_, i) => new Fake(`${i}`))
    const subscriptions = members.map((member, i) => add(router, member, "$share/g/+", i === 7 ? {} : { mayReceive }))
    for (let i = 0; i < 50; i++) send(router, "secret")
    expect([members[7]?.got, asked]).toEqual([50, 99])
    members[7]!.connected = false
    send(router, "secret")
    members[7]!.connected = true
    router.back(subscriptions[7]!)
    send(router, "secret")
    expect(members[7]?.got).toBe(52)
    // Turns go on from topic to topic: not always the same member is the first.
    for (const member of members) member.got = 0
    for (let i = 0; i < 100; i++) send(router, `open/${i}`.replace("/", ""))
    expect(members.filter(({ got }) => got > 0).length).toBeGreaterThan(50)
  })
})

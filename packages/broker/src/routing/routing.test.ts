import { describe, expect, it } from "vitest"
import { Message } from "../packet/message.ts"
import type { Qos } from "../packet/packets.ts"
import { TopicTable } from "../packet/topic.ts"
import { covers, matches, overlaps, parseFilter } from "./filter.ts"
import { RetainedTree } from "./retained-tree.ts"
import { Router } from "./router.ts"
import type { Subscriber, Subscription } from "./subscription.ts"

class Fake implements Subscriber {
  readonly clientId: string
  connected = true
  congested = false
  got: { topic: string; qos: Qos; retain: boolean; identifiers: readonly number[] }[] = []
  constructor(clientId: string) {
    this.clientId = clientId
  }
  deliver(message: Message, qos: Qos, retain: boolean, identifiers: readonly number[]): void {
    this.got.push({ topic: message.topic.name, qos, retain, identifiers })
  }
}

function subscription(subscriber: Subscriber, filter: string, options: Partial<Subscription> = {}): Subscription {
  const { identifier } = options
  return {
    subscriber,
    filter: parseFilter(filter, 128),
    qos: 2,
    noLocal: false,
    retainAsPublished: false,
    identifier,
    mayReceive: undefined,
    identifiers: identifier === undefined ? [] : [identifier],
    ...options,
  }
}

const topics = new TopicTable(128)
function send(router: Router, topic: string, options: { qos?: Qos; retain?: boolean; from?: Subscriber } = {}): number {
  return router.route(
    Message.of(topics.of(topic), new Uint8Array(1), options.qos ?? 2, options.retain ?? false),
    options.from,
    0,
  )
}

describe("Topic Filters (section 4.7.1)", () => {
  it.each([
    "#",
    "+",
    "/",
    "a",
    "a/b",
    "+/+",
    "/+",
    "+/",
    "a/#",
    "+/tennis/#",
    "sport/+/player1",
    "//",
    "$SYS/#",
    "a b/ü",
  ])("takes %s", (filter) => {
    expect(parseFilter(filter, 128).levels).toEqual(filter.split("/"))
  })

  it.each([
    ["", /MQTT-4\.7\.3-1/],
    ["sport/tennis#", /MQTT-4\.7\.1-1/],
    ["sport/tennis/#/ranking", /MQTT-4\.7\.1-1/],
    ["##", /MQTT-4\.7\.1-1/],
    ["sport+", /MQTT-4\.7\.1-2/],
    ["a/+b/c", /MQTT-4\.7\.1-2/],
    ["$share", /MQTT-4\.8\.2-1/],
    ["$share/", /MQTT-4\.8\.2-1/],
    ["$share//a", /MQTT-4\.8\.2-1/],
    ["$share/group", /MQTT-4\.8\.2-2/],
    ["$share/gr+up/a", /MQTT-4\.8\.2-2/],
    ["$share/group/", /MQTT-4\.7\.3-1/],
    ["a\nb", /control character/],
  ])("refuses %j", (filter, message) => {
    expect(() => parseFilter(filter, 128)).toThrow(message)
  })

  it("takes the highest number of levels and refuses one more", () => {
    expect(parseFilter("a/b/#", 3).levels).toHaveLength(3)
    expect(() => parseFilter("a/b/c/#", 3)).toThrow(/more than 3 levels/)
  })

  it("takes a shared filter apart (section 4.8.2)", () => {
    expect(parseFilter("$share/consumer1//finance", 9)).toMatchObject({
      shareName: "consumer1",
      levels: ["", "finance"],
    })
  })
})

const examples: readonly [filter: string, topic: string, match: boolean][] = [
  ["sport/tennis/player1/#", "sport/tennis/player1", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/ranking", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
  ["sport/#", "sport", true],
  ["#", "a/b/c", true],
  ["sport/tennis/+", "sport/tennis/player1", true],
  ["sport/tennis/+", "sport/tennis/player1/ranking", false],
  ["sport/+", "sport", false],
  ["sport/+", "sport/", true],
  ["+/+", "/finance", true],
  ["/+", "/finance", true],
  ["+", "/finance", false],
  ["#", "$SYS/x", false],
  ["+/monitor/Clients", "$SYS/monitor/Clients", false],
  ["$SYS/#", "$SYS/x", true],
  ["$SYS/monitor/+", "$SYS/monitor/Clients", true],
  ["ACCOUNTS", "Accounts", false],
  ["a/+/c/#", "a/b/c", true],
  ["a//b", "a//b", true],
  ["a/+/b", "a//b", true],
  ["a/b", "a/b/", false],
]

describe("matching", () => {
  it.each(examples)("%s and %s: %s (examples of section 4.7)", (filter, topic, match) => {
    expect(matches(parseFilter(filter, 128).levels, topic)).toBe(match)
    const router = new Router()
    const one = new Fake("one")
    router.add(subscription(one, filter))
    expect(send(router, topic)).toBe(match ? 1 : 0)
    expect(router.nobody(topics.of(topic))).toBe(!match)
    const tree = new RetainedTree()
    tree.set(Message.of(topics.of(topic), new Uint8Array(1), 0, true))
    const found: string[] = []
    tree.match(parseFilter(filter, 128).levels, (message) => found.push(message.topic.name))
    expect(found).toEqual(match ? [topic] : [])
  })

  it("the tree agrees with matching one by one, also while subscriptions come and go", () => {
    const words = ["a", "b", "", "+", "#", "$x"]
    let random = 3
    const next = (n: number) => {
      random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
      return (random >>> 8) % n
    }
    const filterOf = (): string | undefined => {
      const filter = Array.from({ length: 1 + next(4) }, () => words[next(6)]).join("/")
      try {
        parseFilter(filter, 128)
        return filter
      } catch {
        return undefined
      }
    }
    const router = new Router()
    const live = new Map<Fake, Subscription>()
    for (let n = 0; n < 3000; n++) {
      const filter = filterOf()
      if (filter !== undefined) {
        const one = new Fake(`${n}`)
        const added = subscription(one, filter)
        router.add(added)
        live.set(one, added)
      }
      if (live.size > 40) {
        const [one, gone] = [...live][next(live.size)]!
        router.remove(gone)
        live.delete(one)
      }
      const topic = Array.from({ length: 1 + next(4) }, () => ["a", "b", "", "$x"][next(4)]).join("/")
      if (topic === "") continue
      for (const one of live.keys()) one.got = []
      send(router, topic)
      const got = [...live.keys()].filter((one) => one.got.length > 0).map((one) => one.clientId)
      const wanted = [...live].filter(([, one]) => matches(one.filter.levels, topic)).map(([one]) => one.clientId)
      expect(got.sort()).toEqual(wanted.sort())
    }
    for (const one of live.values()) router.remove(one)
    expect(router.subscriptionCount).toBe(0)
    expect(router.nobody(topics.of("a"))).toBe(true)
  })

  it("covers and overlaps say what they mean, checked against every short topic", () => {
    const names = ["a", "b", "", "$x"]
    const all = [
      ...names.slice(0, 2),
      "$x",
      ...names.flatMap((x) => names.map((y) => `${x}/${y}`)),
      ...names.flatMap((x) => names.map((y) => `${x}/a/${y}`)),
    ].filter((t) => t !== "")
    const filters = [
      "#",
      "+",
      "a",
      "a/#",
      "+/#",
      "a/+",
      "+/a",
      "+/+",
      "a/b",
      "$x/#",
      "$x/+",
      "a/a/#",
      "+/a/+",
      "a/+/#",
    ].map((f) => parseFilter(f, 9).levels)
    for (const x of filters) {
      for (const y of filters) {
        const both = all.filter((topic) => matches(x, topic) && matches(y, topic))
        if (both.length > 0) expect(overlaps(x, y), `${x.join("/")} overlaps ${y.join("/")}`).toBe(true)
        const notCovered = all.filter((topic) => matches(y, topic) && !matches(x, topic))
        if (notCovered.length > 0) expect(covers(x, y), `${x.join("/")} covers ${y.join("/")}`).toBe(false)
      }
    }
    expect(covers(["a", "#"], ["a", "b", "+"])).toBe(true)
    expect(covers(["#"], ["a", "#"])).toBe(true)
    expect(overlaps(["a", "+"], ["b", "#"])).toBe(false)
    expect(overlaps(["a", "#"], ["a"])).toBe(true)
  })
})

describe("delivery", () => {
  it("[MQTT-3.8.4-8] sends with the lower of published and granted QoS", () => {
    const router = new Router()
    const one = new Fake("one")
    router.add(subscription(one, "t", { qos: 1 }))
    for (const qos of [0, 1, 2] as const) send(router, "t", { qos })
    expect(one.got.map((got) => got.qos)).toEqual([0, 1, 1])
  })

  it("[MQTT-3.3.4-2] [MQTT-3.3.4-4] one copy for overlapping subscriptions: highest QoS, all identifiers", () => {
    const router = new Router()
    const one = new Fake("one")
    router.add(subscription(one, "a/#", { qos: 0, identifier: 1 }))
    router.add(subscription(one, "a/+", { qos: 1, identifier: 2, retainAsPublished: true }))
    router.add(subscription(one, "a/b", { qos: 0 }))
    expect(send(router, "a/b", { retain: true })).toBe(1)
    expect(one.got).toEqual([{ topic: "a/b", qos: 1, retain: true, identifiers: expect.arrayContaining([1, 2]) }])
  })

  it("[MQTT-3.8.3-3] No Local: not to the publisher, also among overlapping subscriptions", () => {
    const router = new Router()
    const one = new Fake("one")
    const two = new Fake("two")
    router.add(subscription(one, "a/#", { noLocal: true, identifier: 1 }))
    router.add(subscription(two, "a/#", { noLocal: true }))
    expect(send(router, "a/b", { from: one })).toBe(1)
    expect(one.got).toEqual([])
    router.add(subscription(one, "a/b", { identifier: 2, qos: 1 }))
    send(router, "a/b", { from: one })
    expect(one.got).toEqual([{ topic: "a/b", qos: 1, retain: false, identifiers: [2] }])
  })

  it("[MQTT-3.3.1-12] [MQTT-3.3.1-13] Retain As Published", () => {
    const router = new Router()
    const keeps = new Fake("keeps")
    const drops = new Fake("drops")
    router.add(subscription(keeps, "t", { retainAsPublished: true }))
    router.add(subscription(drops, "t"))
    send(router, "t", { retain: true })
    send(router, "t", { retain: false })
    expect(keeps.got.map((got) => got.retain)).toEqual([true, false])
    expect(drops.got.map((got) => got.retain)).toEqual([false, false])
  })

  it("[MQTT-3.8.4-3] a second subscription with the same filter replaces the first", () => {
    const router = new Router()
    const one = new Fake("one")
    router.add(subscription(one, "t", { qos: 2, identifier: 1 }))
    router.add(subscription(one, "t", { qos: 0, identifier: 2 }))
    send(router, "t")
    expect(one.got).toEqual([{ topic: "t", qos: 0, retain: false, identifiers: [2] }])
    expect(router.subscriptionCount).toBe(1)
  })
})

describe("Shared Subscriptions (section 4.8.2)", () => {
  it("send each message to one member, in turn; groups and plain subscriptions are independent", () => {
    const router = new Router()
    const [a, b, c, plain] = [new Fake("a"), new Fake("b"), new Fake("c"), new Fake("plain")]
    for (const one of [a, b, c]) router.add(subscription(one, "$share/g/t/+"))
    router.add(subscription(a, "$share/other/t/#"))
    router.add(subscription(plain, "t/#"))
    for (let i = 0; i < 6; i++) expect(send(router, "t/x")).toBe(3)
    expect([a, b, c, plain].map((one) => one.got.length)).toEqual([2 + 6, 2, 2, 6])
  })

  it("prefer members that are connected and keep up", () => {
    const router = new Router()
    const [a, b, c] = [new Fake("a"), new Fake("b"), new Fake("c")]
    for (const one of [a, b, c]) router.add(subscription(one, "$share/g/t"))
    a.connected = false
    b.congested = true
    for (let i = 0; i < 4; i++) send(router, "t")
    expect([a, b, c].map((one) => one.got.length)).toEqual([0, 0, 4])
    c.connected = false
    for (let i = 0; i < 4; i++) send(router, "t")
    expect([a, b, c].map((one) => one.got.length)).toEqual([0, 4, 4])
    b.connected = false
    for (let i = 0; i < 3; i++) send(router, "t")
    expect([a, b, c].map((one) => one.got.length)).toEqual([1, 5, 5])
  })

  it("leave out members who may not receive the topic", () => {
    const router = new Router()
    const [a, b] = [new Fake("a"), new Fake("b")]
    router.add(subscription(a, "$share/g/t/#", { mayReceive: (topic) => topic !== "t/secret" }))
    router.add(subscription(b, "$share/g/t/#", { mayReceive: () => false }))
    for (let i = 0; i < 3; i++) expect(send(router, "t/x")).toBe(1)
    expect(send(router, "t/secret")).toBe(0)
    expect([a, b].map((one) => one.got.length)).toEqual([3, 0])
  })

  it("a session joins once and leaves at its first UNSUBSCRIBE", () => {
    const router = new Router()
    const [a, b] = [new Fake("a"), new Fake("b")]
    router.add(subscription(a, "$share/g/t"))
    router.add(subscription(b, "$share/g/t"))
    const again = subscription(a, "$share/g/t", { qos: 0 })
    router.add(again)
    router.remove(again)
    for (let i = 0; i < 3; i++) send(router, "t")
    expect([a, b].map((one) => one.got.length)).toEqual([0, 3])
  })
})

it("a publish costs what it matches, not what exists: a hundred times less than looking at 100,000 filters", () => {
  const router = new Router()
  const filters = Array.from({ length: 100_000 }, (_, i) =>
    subscription(new Fake(`${i}`), `site/${i % 1000}/device/${i}`),
  )
  for (const one of filters) router.add(one)
  router.add(subscription(new Fake("x"), "site/17/#"))
  const topic = topics.of("site/17/temperature")
  const message = Message.of(topic, new Uint8Array(1), 0, false)
  const linearStart = performance.now()
  expect(filters.filter((one) => matches(one.filter.levels, topic.name))).toEqual([])
  const linear = performance.now() - linearStart
  const start = performance.now()
  for (let i = 0; i < 1000; i++) {
    topic.routes = undefined // the walk itself, not the remembered answer
    expect(router.route(message, undefined, 0)).toBe(1)
  }
  expect((performance.now() - start) / 1000).toBeLessThan(linear / 100)
})

describe("retained messages", () => {
  it("count, replace and delete; empty branches go", () => {
    const tree = new RetainedTree()
    tree.set(Message.of(topics.of("a/b"), new Uint8Array(10), 0, true))
    tree.set(Message.of(topics.of("a/b"), new Uint8Array(20), 0, true))
    tree.set(Message.of(topics.of("a"), new Uint8Array(5), 0, true))
    expect([tree.size, tree.bytes]).toEqual([2, 3 + 20 + 1 + 5])
    expect(tree.get("a/b")?.payload.length).toBe(20)
    expect(tree.delete("a/b")).toBe(true)
    expect(tree.delete("a/b")).toBe(false)
    expect(tree.delete("a/x/y")).toBe(false)
    expect([tree.size, tree.bytes]).toEqual([1, 6])
  })
})

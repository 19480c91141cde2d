import { describe, expect, it } from "vitest"
import { Message } from "../packet/message.ts"
import type { Qos } from "../packet/packets.ts"
import { TopicTable } from "../packet/topic.ts"
import { covers, matches, overlaps, parseFilter, type TopicFilter } from "./filter.ts"
import { RetainedTree, type RetainedWalk } from "./retained-tree.ts"
import { Router } from "./router.ts"
import type { Subscriber, Subscription } from "./subscription.ts"

class Fake implements Subscriber {
  readonly clientId: string
  connected = true
  ready = true
  recorded = false
  lasting = false
  hasRoom = () => true
  congested = false
  got: { topic: string; qos: Qos; retain: boolean; identifiers: readonly number[] }[] = []
  constructor(clientId: string) {
    this.clientId = clientId
  }
  deliver(message: Message, qos: Qos, retain: boolean, identifiers: readonly number[]): boolean {
    this.got.push({ topic: message.topic.name, qos, retain, identifiers })
    return true
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
  ).sessions
}

/** Topics of the retained messages that match, in the order they come. */
function walk(tree: RetainedTree, filter: string): string[] {
  return [...steps(tree.walk(parseFilter(filter, 128).path))].map((message) => message.topic.name)
}

function* steps(one: RetainedWalk, each = 7): Generator<Message> {
  while (!one.done) {
    const message = one.next(each)
    if (one.steps > each) throw new Error(`${one.steps} steps, not ${each}`)
    if (message !== undefined) yield message
  }
}

function randomNumbers(seed: number): (below: number) => number {
  let random = seed
  return (below) => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
    return (random >>> 8) % below
  }
}

/** Random text is not always a Topic Filter. */
function filterOrNone(text: string): TopicFilter | undefined {
  try {
    return parseFilter(text, 128)
  } catch {
    return undefined
  }
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
    expect(walk(tree, filter)).toEqual(match ? [topic] : [])
  })

  it("the tree agrees with matching one by one, also while subscriptions come and go", () => {
    const next = randomNumbers(3)
    const word = (words: readonly string[]) => words[next(words.length)]!
    /** Levels that share long beginnings, so that chains are split and joined. */
    const path = (words: readonly string[]) =>
      word(["", "", "long/way/down/", "long/way/", "long/way//", "+/way/down/", "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/"]) +
      Array.from({ length: 1 + next(5) }, () => word(words)).join("/")
    const filterOf = () => filterOrNone(word(["", "", "$share/g/", "$share/h/"]) + path(["a", "b", "", "+", "#", "$x"]))
    const router = new Router()
    const live = new Map<Fake, Subscription>()
    for (let n = 0; n < 5000; n++) {
      const filter = filterOf()
      if (filter !== undefined) {
        const one = new Fake(`${n}`)
        const added = subscription(one, filter.text)
        router.add(added)
        live.set(one, added)
      }
      if (live.size > 60) {
        const [one, gone] = [...live][next(live.size)]!
        router.remove(gone)
        live.delete(one)
      }
      const topic = path(["a", "b", "", "$x"]).replaceAll("+", "way")
      if (topic === "") continue
      for (const one of live.keys()) one.got = []
      const count = send(router, topic)
      const matching = [...live].filter(([, one]) => matches(one.filter.path.split("/"), topic))
      const plain = matching.filter(([, one]) => one.filter.shareName === undefined)
      const groups = new Map<string, number>()
      for (const [one, { filter }] of matching) {
        if (filter.shareName !== undefined) groups.set(filter.text, (groups.get(filter.text) ?? 0) + one.got.length)
      }
      // Every plain one gets it, and one of each group.
      expect(plain.every(([one]) => one.got.length === 1)).toBe(true)
      expect([...groups.values()].every((got) => got === 1)).toBe(true)
      expect(count).toBe(plain.length + groups.size)
      expect([...live.keys()].reduce((sum, one) => sum + one.got.length, 0)).toBe(count)
    }
    for (const one of live.values()) router.remove(one)
    expect([router.subscriptionCount, router.subscriptionBytes]).toEqual([0, 0])
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
  expect(filters.filter((one) => matches(one.filter.path.split("/"), topic.name))).toEqual([])
  const linear = performance.now() - linearStart
  const start = performance.now()
  for (let i = 0; i < 1000; i++) {
    topic.routes = undefined // the walk itself, not the remembered answer
    expect(router.route(message, undefined, 0).sessions).toBe(1)
  }
  expect((performance.now() - start) / 1000).toBeLessThan(linear / 100)
})

describe("retained messages", () => {
  const retained = (topic: string, size = 1) => Message.of(topics.of(topic), new Uint8Array(size), 0, true)

  it("count, replace and delete; empty branches go", () => {
    const tree = new RetainedTree()
    tree.set(retained("a/b", 10))
    const one = tree.bytes
    tree.set(retained("a/b", 20))
    expect(tree.bytes).toBe(one + 10)
    tree.set(retained("a", 5))
    expect(tree.size).toBe(2)
    expect(tree.get("a/b")?.payload.length).toBe(20)
    expect(tree.delete("a/b")).toBe(true)
    expect(tree.delete("a/b")).toBe(false)
    expect(tree.delete("a/x/y")).toBe(false)
    expect(tree.size).toBe(1)
    expect(tree.delete("a")).toBe(true)
    expect([tree.size, tree.bytes]).toEqual([0, 0])
  })

  it("are found by every filter as by matching one by one, and cost nothing once they are gone", () => {
    const next = randomNumbers(5)
    const level = () => ["a", "b", "", "$x", "c".repeat(20)][next(5)]!
    const topicOf = () =>
      ["", "long/way/down/", "long/way/"][next(3)]! + Array.from({ length: 1 + next(6) }, level).join("/")
    const filterOf = () =>
      filterOrNone(
        topicOf()
          .split("/")
          .map((one) => (next(3) === 0 ? "+" : one))
          .join("/") + ["", "/#"][next(2)]!,
      )
    const tree = new RetainedTree()
    const there = new Set<string>()
    for (let n = 0; n < 3000; n++) {
      const topic = topicOf()
      if (topic !== "" && next(3) > 0) {
        tree.set(retained(topic))
        there.add(topic)
      } else {
        const gone = next(2) === 0 ? topic : [...there][next(there.size + 1)]
        if (gone !== undefined) expect(tree.delete(gone)).toBe(there.delete(gone))
      }
      const filter = next(10) === 0 ? filterOrNone("#") : filterOf()
      if (filter === undefined) continue
      const wanted = [...there].filter((one) => matches(filter.levels, one))
      expect(walk(tree, filter.text).sort(), filter.text).toEqual(wanted.sort())
      expect(tree.size).toBe(there.size)
    }
    for (const topic of there) tree.delete(topic)
    expect([tree.size, tree.bytes]).toEqual([0, 0])
  })

  it("[MQTT-3.3.1-9] each that was there, and still is when its turn comes, comes once, whatever changes meanwhile", () => {
    const next = randomNumbers(11)
    const topicOf = () =>
      ["", "x/y/", "x/"][next(3)]! + Array.from({ length: 1 + next(4) }, () => ["a", "b", "", "c"][next(4)]).join("/")
    for (let n = 0; n < 300; n++) {
      const tree = new RetainedTree()
      for (let i = 0; i < 60; i++) tree.set(retained(topicOf() || "a"))
      const filter = ["#", "+/#", "x/#", "+/+/+", "x/+/a/#", "+/a/#"][next(6)]!
      const owed = new Set(walk(tree, filter))
      // Walks of others begin and end at other times.
      const other = tree.walk("#")
      other.next(next(5))
      const seen = new Set<string>()
      for (const message of steps(tree.walk(filter), 1 + next(5))) {
        const { name } = message.topic
        if (seen.has(name) || !owed.has(name)) throw new Error(`${name} is not owed to ${filter}`)
        seen.add(name)
        for (let i = next(6); i > 0; i--) {
          const topic = topicOf() || "b"
          // An update is sent as what it is, a message; a topic that is gone or new is not owed.
          if (next(2) === 0) tree.set(retained(topic, 2))
          else tree.delete(topic)
          if (!seen.has(topic)) owed.delete(topic)
        }
        if (next(10) === 0) other.close()
      }
      other.close()
      expect([...owed].filter((topic) => !seen.has(topic))).toEqual([])
    }
  })

  it("a walk that stands at a node goes on from there when that node is needed no more", () => {
    const tree = new RetainedTree()
    for (const topic of ["x", "x/y/z"]) tree.set(retained(topic))
    const one = tree.walk("+/y/+")
    expect(one.next(1)).toBeUndefined()
    tree.delete("x")
    expect([...steps(one)].map((message) => message.topic.name)).toEqual(["x/y/z"])
    tree.delete("x/y/z")
    expect(tree.bytes).toBe(0)
  })

  it("a walk looks at what may match only", () => {
    const tree = new RetainedTree()
    for (let i = 0; i < 10_000; i++) tree.set(retained(`site/${i}/temperature`))
    const cost = (filter: string) => {
      const one = tree.walk(filter)
      let sum = 0
      while (!one.done) {
        one.next(1000)
        sum += one.steps
      }
      return sum
    }
    expect(cost("site/17/+")).toBeLessThan(10)
    expect(cost("other/#")).toBeLessThan(10)
    expect(cost("site/+/temperature")).toBeLessThan(30_000)
  })

  it("keep none of the encodings made for subscribers", () => {
    const tree = new RetainedTree()
    const message = retained("a", 10)
    message.template(5, true)
    tree.set(message)
    message.template(4, false)
    for (const one of steps(tree.walk("a"))) one.template(5, false)
    const kept = tree.get("a")!
    for (const version of [4, 5] as const) {
      for (const withId of [false, true]) expect(kept.hasTemplate(version, withId)).toBe(false)
    }
  })
})

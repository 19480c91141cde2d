// $SYS topics: Mosquitto's names, texts and meaning, and ours beside them.

import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { metricSources } from "../../tests/metric-sources.ts"
import { encodeText } from "../packet/bytes.ts"
import { HandshakeCounts } from "./handshake-counts.ts"
import { type Stats, snapshot } from "./metrics.ts"
import { SysTopics } from "./sys-topics.ts"

const averaged = ["messages/received", "messages/sent", "publish/dropped", "publish/received", "publish/sent"]
const loads = [...averaged, "bytes/received", "bytes/sent", "sockets", "connections"]

/** What mosquitto(8) of 2.0 and 2.1 has below $SYS/broker/, and what brokers of these versions publish beside it. */
const mosquitto = [
  "version",
  "uptime",
  ...["total", "maximum", "connected", "active", "disconnected", "inactive", "expired"].map(
    (name) => `clients/${name}`,
  ),
  ...["received", "sent", "stored", "inflight"].map((name) => `messages/${name}`),
  ...["bytes/received", "bytes/sent"],
  ...["received", "sent", "dropped"].map((name) => `publish/messages/${name}`),
  ...["publish/bytes/received", "publish/bytes/sent"],
  ...["store/messages/count", "store/messages/bytes", "retained messages/count"],
  ...["subscriptions/count", "shared_subscriptions/count", "connections/socket/count"],
  ...["heap/current", "heap/maximum"],
  ...loads.flatMap((name) => ["1min", "5min", "15min"].map((over) => `load/${name}/${over}`)),
]

/** Of a cluster, which Mosquitto has not. */
const cluster = ["cluster/nodes", "cluster/clients"]

function statsOf(test: TestBroker): Stats {
  return snapshot(test.broker, metricSources({ startedAt: 1_000_000, now: test.now, heapBytes: 7_000_000 }))
}

/** Rounds of a broker's own, as a platform has them. */
function rounds(test: TestBroker): { readonly said: [string, string][]; round: (stats?: Partial<Stats>) => void } {
  test.checked = false // they are not there after a restart
  const said: [string, string][] = []
  const topics = new SysTopics("9.9", (topic, text) => {
    said.push([topic, text])
    return test.broker.publishOwn(topic, encodeText(text), 2, true)
  })
  const round = (stats: Partial<Stats> = {}) => {
    said.length = 0
    topics.round({ ...statsOf(test), ...stats }, test.now)
  }
  return { said, round }
}

/** Below $SYS/broker/, after a round. */
function numbersOf(test: TestBroker): Record<string, string> {
  const { said, round } = rounds(test)
  round()
  return Object.fromEntries(said.map(([topic, text]) => [topic.replace("$SYS/broker/", ""), text]))
}

describe("names", () => {
  const test = () => {
    const one = new TestBroker()
    one.open().send([0]) // ends badly
    return one
  }

  it("are those of Mosquitto, all of them and no others, and ours are below $SYS/puremq/", () => {
    const { said, round } = rounds(test())
    round()
    const topics = said.map(([topic]) => topic)
    expect(new Set(topics).size).toBe(topics.length)
    const theirs = topics.filter((topic) => topic.startsWith("$SYS/broker/"))
    expect(theirs.sort()).toEqual([...mosquitto, ...cluster].map((topic) => `$SYS/broker/${topic}`).sort())
    const ours = topics.filter((topic) => !topic.startsWith("$SYS/broker/"))
    for (const topic of ours) expect(topic).toMatch(/^\$SYS\/puremq\/[a-z-]+(\/[a-z0-9-]+)?$/)
    expect(ours).toContain("$SYS/puremq/queued-bytes")
    expect(ours).toContain("$SYS/puremq/dropped/queue-full")
    expect(ours).toContain("$SYS/puremq/disconnects/protocol-error")
  })

  it("each is in the documentation, and nothing else is", () => {
    const { said, round } = rounds(test())
    round()
    const page = readFileSync(new URL("../../../../docs/sys-topics.md", import.meta.url), "utf8")
    const rows = page.split("\n").filter((line) => line.startsWith("| `"))
    const documented = rows.flatMap((row) =>
      [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name),
    )
    const published = said.map(([topic]) =>
      topic
        .replace("$SYS/broker/", "")
        .replace("$SYS/", "")
        .replace(/^(load\/.+\/)\d+min$/, "$1+")
        .replace(/^(puremq\/[a-z-]+\/).+$/, "$1+"),
    )
    // A handshake that fails is none of this test.
    expect(new Set(documented)).toEqual(new Set([...published, "puremq/handshake-failures/+"]))
  })

  it("texts are a number, but for version, uptime and averages", () => {
    const { said, round } = rounds(test())
    round()
    for (const [topic, text] of said) {
      if (topic === "$SYS/broker/version") expect(text).toBe("puremq version 9.9")
      else if (topic === "$SYS/broker/uptime") expect(text).toMatch(/^\d+ seconds$/)
      else if (topic.startsWith("$SYS/broker/load/")) expect(text).toBe("0.00")
      else expect(text).toMatch(/^\d+$/)
    }
  })
})

describe("rounds", () => {
  it("publish what has changed, and that is retained at QoS 2", () => {
    const test = new TestBroker()
    const { said, round } = rounds(test)
    round()
    const all = said.length
    const watcher = test.connect({ clientId: "watcher" })
    watcher.subscribe("$SYS/#", { qos: 2 })
    const first = watcher.take()
    expect(first).toHaveLength(all)
    expect(first.every(({ qos, retain }) => qos === 2 && retain)).toBe(true)
    for (const { packetId } of first) {
      watcher.ack(5, packetId)
      watcher.ack(7, packetId)
    }
    test.pass(10)
    round()
    const changed = said.map(([topic]) => topic)
    expect(changed).toContain("$SYS/broker/uptime")
    expect(changed).toContain("$SYS/broker/clients/connected")
    expect(changed).not.toContain("$SYS/broker/version")
    expect(changed).not.toContain("$SYS/broker/clients/expired")
    test.settle()
    const second = watcher.take()
    expect(second.map(({ topic, payload }) => [topic, payload])).toEqual(said)
    expect(second.every(({ qos, retain }) => qos === 2 && !retain)).toBe(true)
    // Nothing has happened since the numbers were taken but what the round itself has done.
    const quiet = { ...statsOf(test) }
    round(quiet)
    round(quiet)
    expect(said).toEqual([])
  })

  it("publish all of it each time where nothing is retained", () => {
    const test = new TestBroker({ features: { retainAvailable: false } })
    const { said, round } = rounds(test)
    round()
    const all = said.length
    test.pass(10)
    round()
    expect(said).toHaveLength(all)
    expect(test.broker.retained.size).toBe(0)
  })

  it("go on while the store can keep nothing, and make no Changes for it", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", cleanStart: false, sessionExpiryInterval: 1000 })
    sub.subscribe("$SYS/broker/uptime", { qos: 2 })
    test.store.mode = "failing"
    test.connect({ clientId: "x" }).publish("r", "x", { retain: true, qos: 1 })
    expect(test.broker.recorder.failing).toBe(true)
    const { round } = rounds(test)
    round()
    expect(test.broker.retained.size).toBeGreaterThan(50)
    test.settle()
    expect(sub.take()).toMatchObject([{ qos: 0, topic: "$SYS/broker/uptime" }])
    test.store.mode = "at once"
    test.pass(1)
  })

  it("load: the exponentially decaying average of what comes a minute", () => {
    const test = new TestBroker()
    const { said, round } = rounds(test)
    const stats = { ...statsOf(test), publishReceived: 500 }
    round(stats)
    const averages = new Map<string, number>()
    const value = (over: number): number => {
      const topic = `$SYS/broker/load/publish/received/${over}min`
      const text = said.find(([name]) => name === topic)?.[1]
      if (text !== undefined) averages.set(topic, Number(text))
      return averages.get(topic) ?? Number.NaN // not said: as before
    }
    expect([value(1), value(5), value(15)]).toEqual([0, 0, 0]) // what was before the first round is nobody's
    // 600 a minute, for 15 minutes.
    for (let seconds = 10; seconds <= 900; seconds += 10) {
      test.now += 10_000
      round({ ...stats, publishReceived: 500 + 10 * seconds })
      for (const over of [1, 5, 15]) {
        const expected = 600 * (1 - Math.exp(-seconds / (60 * over)))
        expect(Math.abs(value(over) - expected)).toBeLessThanOrEqual(0.0051)
      }
    }
    // Nothing more: after a minute 1/e of it is left.
    test.now += 60_000
    round({ ...stats, publishReceived: 9500 })
    expect(value(1)).toBeCloseTo(600 / Math.E, 1)
    expect(value(5)).toBeCloseTo(600 * (1 - Math.exp(-3)) * Math.exp(-1 / 5), 1)
  })
})

describe("meaning", () => {
  it("packets, payloads and clients are counted as they come and go", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t", { qos: 2 })
    const pub = test.connect({ clientId: "pub", protocolVersion: 4 })
    pub.publish("t", "four", { qos: 1 })
    pub.publish("t", "seven77", { qos: 2, packetId: 2 })
    pub.publish("nobody", "12")
    pub.send([0xc0, 0])
    const [one, two] = sub.take()
    const sent = pub.seen.length + sub.seen.length + 2
    const before = numbersOf(test)
    expect(before).toMatchObject({
      "messages/received": "7",
      "messages/sent": `${sent}`,
      "publish/messages/received": "3",
      "publish/messages/sent": "2",
      "publish/bytes/received": "13",
      "publish/bytes/sent": "11",
      "messages/inflight": "2",
      "store/messages/count": "2",
      "messages/stored": "2",
      "store/messages/bytes": "11",
      "bytes/sent": `${sub.written + pub.written}`,
      "clients/connected": "2",
      "connections/socket/count": "2",
    })
    sub.ack(4, one!.packetId)
    sub.ack(5, two!.packetId)
    // PUBREL is to be acknowledged, and its message is gone.
    expect(numbersOf(test)).toMatchObject({ "messages/inflight": "1" })
    sub.ack(7, two!.packetId)
    expect(test.broker.stored).toMatchObject({ inflight: 0 })
  })

  it("what is kept: retained and waiting messages, and bytes of their payloads", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", cleanStart: false, sessionExpiryInterval: 100 })
    sub.subscribe("t", { qos: 1 })
    sub.cut()
    const pub = test.connect({ clientId: "pub" })
    pub.publish("r", "retained", { retain: true })
    pub.publish("r", "another", { retain: true })
    pub.publish("t", "waits", { qos: 1 })
    expect(test.broker.stored).toEqual({ messages: 2, payloads: 12, inflight: 0 })
    const next = test.restart()
    expect(next.broker.stored).toEqual({ messages: 2, payloads: 12, inflight: 0 })
    next.connect({ clientId: "pub" }).publish("r", "", { retain: true })
    next.connect({ clientId: "sub", cleanStart: false, sessionExpiryInterval: 100 })
    expect(next.broker.stored).toEqual({ messages: 1, payloads: 5, inflight: 1 })
    const third = next.restart()
    expect(third.broker.stored).toEqual({ messages: 1, payloads: 5, inflight: 1 })
    const again = third.connect({ clientId: "sub", cleanStart: false, sessionExpiryInterval: 100 })
    again.ack(4, again.take()[0]!.packetId)
    expect(third.broker.stored).toEqual({ messages: 0, payloads: 0, inflight: 0 })
  })

  it("clients: connected, away, expired, all, and the most at once", () => {
    const test = new TestBroker()
    for (const clientId of ["a", "b", "c"]) {
      test.connect({ clientId, cleanStart: false, sessionExpiryInterval: 10 }).cut()
    }
    const two = ["d", "e"].map((clientId) => test.connect({ clientId }))
    two[0]!.cut()
    test.connect({ clientId: "c", cleanStart: false, sessionExpiryInterval: 1000 }).cut()
    expect(numbersOf(test)).toMatchObject({
      "clients/connected": "1",
      "clients/active": "1",
      "clients/disconnected": "3",
      "clients/inactive": "3",
      "clients/total": "4",
      "clients/maximum": "2",
      "clients/expired": "0",
    })
    test.pass(10)
    expect(numbersOf(test)).toMatchObject({ "clients/expired": "2", "clients/disconnected": "1", "clients/total": "2" })
    expect(test.broker.counters.sessionsExpired).toBe(2)
  })

  it("a session that is over when its client comes has expired too, and one that a clean start ends has not", () => {
    const test = new TestBroker()
    const session = { clientId: "c", cleanStart: false, sessionExpiryInterval: 10 } as const
    test.connect(session).cut()
    test.now += 10_000 // before a tick
    expect(test.connect(session).connack.sessionPresent).toBe(false)
    expect(test.broker.counters.sessionsExpired).toBe(1)
    test.connect({ clientId: "c" })
    expect(test.broker.counters.sessionsExpired).toBe(1)
  })

  it("subscriptions, and those that are shared", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    for (const filter of ["a", "b/#", "$share/g/a", "$share/h/a"]) sub.subscribe(filter)
    sub.subscribe("a")
    sub.subscribe("$share/g/a")
    expect(numbersOf(test)).toMatchObject({ "subscriptions/count": "2", "shared_subscriptions/count": "2" })
    sub.unsubscribe("$share/g/a", "b/#")
    expect(numbersOf(test)).toMatchObject({ "subscriptions/count": "1", "shared_subscriptions/count": "1" })
    sub.cut()
    expect(numbersOf(test)).toMatchObject({ "subscriptions/count": "0", "shared_subscriptions/count": "0" })
  })

  it("messages are dropped where a limit of queues, output or memory is reached, and for no other reason", () => {
    const test = new TestBroker({ limits: { maximumQueuedMessages: 1 } })
    const sub = test.connect({ clientId: "sub", cleanStart: false, sessionExpiryInterval: 10 })
    sub.subscribe("t", { qos: 1 })
    sub.cut()
    const pub = test.connect({ clientId: "pub" })
    for (let i = 1; i <= 3; i++) pub.publish("t", "x", { qos: 1, packetId: i })
    pub.publish("t", "away")
    expect(numbersOf(test)).toMatchObject({ "publish/messages/dropped": "2" })
  })

  it("connections: sockets that came to nothing count too, and loads are of CONNECT", () => {
    const test = new TestBroker({ limits: { maximumConnections: 1 } })
    test.connect({ clientId: "c" })
    test.open()
    const tls = new HandshakeCounts()
    tls.failures.set("no_application_protocol", 2)
    const load = { pending: 3, waiting: 4, waitingBytes: 0 }
    const stats = snapshot(test.broker, metricSources({ tls, load }))
    expect(stats).toMatchObject({ sockets: 1 + 1 + 2 + 3 + 4, connectsAccepted: 1 })
  })
})

// Run by heap.test.ts in a process of its own: fills the trees and prints what that took, as JSON.

import { createLocalBus } from "../src/buses/local.ts"
import { mqttPacketCodec } from "../src/codecs/mqtt-packet.ts"
import { Broker } from "../src/hub/broker.ts"
import type { Message } from "../src/packet/message.ts"
import { PublishReader } from "../src/packet/publish.ts"
import { TopicTable } from "../src/packet/topic.ts"
import { readFilter } from "../src/routing/filter.ts"
import { RetainedTree } from "../src/routing/retained-tree.ts"
import type { Subscriber, Subscription } from "../src/routing/subscription.ts"
import { SubscriptionTree } from "../src/routing/subscription-tree.ts"
import { createMemoryStore } from "../src/stores/forgetful.ts"
import { publishBytes } from "./harness.ts"
import { openAccess } from "./open-access.ts"

/** What is measured: by name, the i-th topic. */
const topics: Readonly<Record<string, (i: number) => string>> = {
  short: (i) => `t/${i}`,
  "127 levels, apart at once": (i) => `${i}/${"a/".repeat(125)}b`,
  "127 levels, apart at the end": (i) => `${"a/".repeat(125)}${i}/b`,
  "many branches": (i) => i.toString(2).padStart(16, "0").split("").join("/"),
  devices: (i) => `site/${i % 100}/device/${i}/temperature`,
  "two bytes a character": (i) => `${i}€`.padStart(200, "x"),
}

const count = 4000

function used(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** As a client's PUBLISH makes it. */
function retained(table: TopicTable, topic: string, size: number): Message {
  const bytes = publishBytes(5, topic, new Uint8Array(size), { retain: true })
  let bodyStart = 2
  while ((bytes[bodyStart - 1]! & 0x80) !== 0) bodyStart++
  const reader = new PublishReader(table)
  reader.read(bytes, 0, bodyStart, bytes.length, false, 5)
  return reader.message(reader.topic!, 0)
}

function measureRetained(topic: (i: number) => string, size: number): [real: number, charged: number] {
  const table = new TopicTable(200, 1)
  const tree = new RetainedTree()
  const before = used()
  for (let i = 0; i < count; i++) tree.set(retained(table, topic(i), size))
  return [(used() - before) / count, tree.bytes / count]
}

class Session implements Subscriber {
  readonly clientId = ""
  readonly connected = true
  ready = true
  recorded = false
  lasting = false
  hasRoom = () => true
  readonly congested = false
  readonly subscriptions = new Map<string, Subscription>()
  deliver(): boolean {
    return true
  }
}

/** `each` filters a session; the session's table is part of the cost. */
function measureSubscriptions(filter: (i: number) => string, each: number): [real: number, charged: number] {
  const sessions = Array.from({ length: count / each }, () => new Session())
  const tree = new SubscriptionTree()
  const before = used()
  for (let i = 0; i < count; i++) {
    const subscriber = sessions[Math.floor(i / each)]!
    const { text, shareName, path } = readFilter(filter(i), 200)!
    const subscription: Subscription = {
      subscriber,
      filter: { text, shareName, path },
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      identifier: undefined,
      mayReceive: undefined,
      identifiers: [],
    }
    subscriber.subscriptions.set(text, subscription)
    tree.add(subscription)
  }
  return [(used() - before) / count, tree.bytes / count]
}

/** Publishes retained messages of one byte until the broker refuses them. */
function fill(topic: (i: number) => string): object {
  const broker = new Broker({
    access: openAccess,
    bus: createLocalBus(),
    store: createMemoryStore(),
    codec: mqttPacketCodec,
    now: () => 0,
    schedule: () => undefined,
    randomName: () => "",
    limits: { maximumTopicLevels: 127 },
  })
  const payload = Uint8Array.of(1)
  let i = 0
  while (broker.counters.retainedRefused < 1000 && i < 2_000_000) broker.publishOwn(topic(i++), payload, 0, true)
  const { retainedRefused } = broker.counters
  return { kept: broker.retained.size, charged: broker.retained.bytes, refused: retainedRefused, used: used() }
}

/** The median of five: what the engine does with compiled code meanwhile is in the heap, too. */
function median(measurement: () => [real: number, charged: number]): [real: number, charged: number] {
  return Array.from({ length: 5 }, measurement).sort(([a], [b]) => a - b)[2]!
}

function measure(): object {
  const result: Record<string, [real: number, charged: number]> = {}
  for (const [name, topic] of Object.entries(topics)) {
    result[`retained, ${name}`] = median(() => measureRetained(topic, 1))
    result[`subscriptions, ${name}`] = median(() => measureSubscriptions(topic, 50))
  }
  const filters: Record<string, (i: number) => string> = {
    "subscriptions with wildcards": (i) => `+/${i}/#`,
    "subscriptions of many to the same": (i) => `t/${i % 50}/#`,
    "shared subscriptions": (i) => `$share/group${i}/t/${i}`,
    "members of few groups": (i) => `$share/group${i % 50}/t`,
  }
  result["retained, 1000 bytes"] = median(() => measureRetained(topics["short"]!, 1000))
  for (const [name, filter] of Object.entries(filters)) result[name] = median(() => measureSubscriptions(filter, 50))
  return result
}

const [what = "", name = ""] = process.argv.slice(2)
process.stdout.write(JSON.stringify(what === "fill" ? fill(topics[name]!) : measure()))

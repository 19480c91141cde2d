// What a cluster costs as it grows: per message, per filter, per reconnect, per node that is there, and per node that goes. The
// code of the nodes is the real one; the servers are in memory, and what they do costs nothing here.

import { expiresIn } from "../../../crash/clients.ts"
import { packetType } from "../../../hostile/wire/mqtt.ts"
import { type Costs, since } from "./counted.ts"
import { type Guest, ScaleWorld } from "./world.ts"

export interface Table {
  readonly title: string
  readonly heads: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

const payload = new Uint8Array(100)
const lasting = [expiresIn(0xffff_ffff)]

/** One publisher, and subscribers on as many nodes as there are, up to three; all other nodes want something else. */
export function messages(sizes: readonly number[], count = 2000): Table {
  const rows = sizes.map((size) => {
    const world = new ScaleWorld(size)
    const { nodes } = world
    const publisher = nodes[0]!.guest({ clientId: "publisher" })
    const with3 = nodes.slice(-3)
    const subscribers = with3.map((node, at) => node.guest({ clientId: `subscriber${at}` }))
    for (const subscriber of subscribers) subscriber.subscribe(["hall/#"], 1)
    for (const [at, node] of nodes.entries()) node.guest({ clientId: `other${at}` }).subscribe([`floor/${at}`], 1)
    world.pass(5000)
    const before = world.costs()
    for (let sent = 0; sent < count; sent += 10) {
      for (let i = 0; i < 10; i++) publisher.publish("hall/light", payload, 1)
      world.pass(10)
    }
    world.until("all messages", () => subscribers.every((one) => one.got[packetType.publish] === count))
    const costs = nodes.map(({ costs }, at) => since(before[at]!, costs))
    const wanted = costs.filter(({ followed }) => followed > 0)
    const idle = costs.slice(1, -3)
    const figures = [costs[0]!.appended / count, costs[0]!.batches / count, total(costs, "followed") / count]
    const [first, last] = [costs[0]!, costs.at(-1)!]
    return [
      ...[size, ...figures.map(short), wanted.length],
      micro(first, count),
      size > 3 ? micro(last, count) : "",
      idle.length > 0 ? micro({ time: total(idle, "time") / idle.length }, count) : "",
    ]
  })
  return {
    title: `a message at QoS 1 of 100 bytes, ten at once, with subscribers on up to three nodes`,
    heads: [
      ...["nodes", "appended", "batches", "sent to nodes", "of them with a subscriber"],
      ...["µs at the publisher's", "µs at a subscriber's", "µs at any other, with its signs of life"],
    ],
    rows,
  }
}

/** A node that wants so many topics out of ten times as many. */
export function filters(counts: readonly number[], published = 2000): Table {
  const rows = counts.map((count) => {
    const world = new ScaleWorld(2, 4)
    const [one, other] = [world.nodes[0]!, world.nodes[1]!]
    const each = 100
    const before = one.costs
    for (let first = 0; first < count; first += each) {
      const names = Array.from({ length: Math.min(each, count - first) }, (_, at) => topicOf(10 * (first + at)))
      one.guest({ clientId: `s${first}` }).subscribe(names, 1)
      world.pass(20)
    }
    world.pass(10_000)
    const subscribing = since(before, one.costs)
    const publisher = other.guest({ clientId: "publisher" })
    const begin = one.costs
    for (let i = 0; i < published; i++) {
      publisher.publish(topicOf((i * 7919) % (10 * count)), payload, 1)
      if (i % 10 === 9) world.pass(10)
    }
    world.pass(5000)
    const { followed, time } = since(begin, one.costs)
    const { filters: wanted, subjects } = one.member.node.held
    return [
      ...[wanted, subjects, micro(subscribing, count)],
      ...[short(followed / published), followed === 0 ? "" : micro({ time }, followed)],
    ]
  })
  return {
    title: "topics that a node's sessions want, out of ten times as many that are published on",
    heads: ["topics", "subjects asked for", "µs a subscription", "messages that come, of all", "µs one that comes"],
    rows,
  }
}

function topicOf(number: number): string {
  return `site${Math.floor(number / 1000)}/room${Math.floor(number / 10) % 100}/sensor${number % 10}`
}

/** Sessions that are away; some of them come back at another node, with messages that have come meanwhile. */
export function reconnects(counts: readonly number[], back = 500, waiting = 3): Table {
  const rows = counts.map((count) => {
    const world = new ScaleWorld(2)
    const [one, other] = [world.nodes[0]!, world.nodes[1]!]
    for (let first = 0; first < count; first += 100) {
      const guests: Guest[] = []
      for (let at = first; at < Math.min(count, first + 100); at++) {
        const guest = one.guest({ clientId: `c${at}`, cleanStart: false, properties: lasting })
        guest.subscribe([`to/${at}`], 1)
        guests.push(guest)
      }
      world.until("SUBACK", () => guests.every((guest) => guest.got[packetType.suback] === 1))
      for (const guest of guests) guest.cut()
    }
    world.pass(5000)
    const { logs } = one.member.node.held
    const each = world.storedBytes("s.") / count
    const publisher = one.guest({ clientId: "publisher" })
    const step = Math.max(1, Math.floor(count / back))
    const names = Array.from({ length: Math.min(back, count) }, (_, at) => at * step)
    for (const [at, name] of names.entries()) {
      for (let i = 0; i < waiting; i++) publisher.publish(`to/${name}`, payload, 1)
      if (at % 10 === 9) world.pass(20)
    }
    world.pass(5000)
    const before = other.costs
    for (const name of names) {
      const guest = other.guest({ clientId: `c${name}`, cleanStart: false, properties: lasting })
      world.until("its messages", () => guest.got[packetType.publish] === waiting)
      guest.cut()
    }
    world.pass(2000)
    const costs = since(before, other.costs)
    const per = (key: keyof Costs) => short(costs[key] / names.length)
    return [
      count,
      logs,
      Math.round(each),
      per("reads"),
      per("read"),
      per("batches"),
      per("appendedBytes"),
      micro(costs, names.length),
    ]
  })
  return {
    title: `sessions that are away, and a reconnect at another node with ${waiting} messages that wait`,
    heads: [
      ...["sessions away", "of them in a node", "bytes each, with the servers"],
      ...["reads a reconnect", "messages read", "batches", "bytes appended", "µs at the node"],
    ],
    rows,
  }
}

/** Nothing happens: nodes say that they are there. */
export function signsOfLife(sizes: readonly number[], seconds = 60): Table {
  const rows = sizes.map((size) => {
    const world = new ScaleWorld(size)
    const before = world.costs()
    world.pass(1000 * seconds)
    const costs = world.nodes.map(({ costs }, at) => since(before[at]!, costs))
    const time = total(costs, "time") / size
    return [
      ...[size, short(total(costs, "told") / seconds), short(total(costs, "heard") / seconds / size)],
      `${short(time / seconds / 10)}%`,
    ]
  })
  return {
    title: "nodes that have nothing to do",
    heads: ["nodes", "signs of life a second", "heard by each", "of a core, of each"],
    rows,
  }
}

/** A node with clients that have wills goes; sessions of others are away, or there. */
export function goes(sizes: readonly number[], sessions = 2000, clients = 100): Table {
  const rows = sizes.map((size) => {
    const world = new ScaleWorld(size)
    const { nodes } = world
    for (let first = 0; first < sessions; first += 100) {
      const node = nodes[1 + ((first / 100) % (size - 1))]!
      for (let at = first; at < first + 100; at++)
        node.guest({ clientId: `c${at}`, cleanStart: false, properties: lasting })
      world.pass(100)
    }
    const will = { topic: "wills/gone", payload: "gone", qos: 1 as const }
    for (let at = 0; at < clients; at++) nodes[0]!.guest({ clientId: `w${at}`, will })
    const watcher = nodes.at(-1)!.guest({ clientId: "watcher" })
    watcher.subscribe(["wills/#"], 1)
    // Longer than a search, after nodes came, is done once more.
    world.pass(30_000)
    const before = world.costs()
    nodes[0]!.member.kill()
    const begin = world.servers.clock.now
    world.until("all wills", () => watcher.got[packetType.publish] === clients)
    const seconds = (world.servers.clock.now - begin) / 1000
    const costs = nodes.map(({ costs }, at) => since(before[at]!, costs)).slice(1)
    const read = costs.map((one) => one.read)
    return [size, total(costs, "read"), Math.max(...read), total(costs, "appended"), short(seconds)]
  })
  return {
    title: `a node goes with ${clients} clients that have wills; ${sessions} sessions are at the others`,
    heads: [
      "nodes",
      "records and messages read",
      "by the node that read most",
      "appended",
      "seconds until all wills came",
    ],
    rows,
  }
}

function total(costs: readonly Costs[], key: keyof Costs): number {
  return costs.reduce((sum, one) => sum + one[key], 0)
}

function micro({ time }: Pick<Costs, "time">, count: number): string {
  return short((1000 * time) / count)
}

/** Two or three digits. */
function short(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

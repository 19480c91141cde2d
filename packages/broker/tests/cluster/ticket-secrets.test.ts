// What the nodes of a cluster derive their ticket keys from: made once, the same on all, another each day.

import { describe, expect, it } from "vitest"
import { seeded } from "../../../tls13/fuzz/random.ts"
import { MemoryServers } from "../../simulator/cluster/memory-servers.ts"
import { type TicketSecret, TicketSecrets, ticketsSubject } from "../../src/cluster/ticket-secrets.ts"
import { decodeUtf8, encodeText } from "../../src/packet/bytes.ts"

const start = 1_800_000_000_000
const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]

class World {
  readonly servers = new MemoryServers({ random: seeded(7), partitions: 2, now: start })
  readonly nodes: Node[] = []
  readonly #random = seeded(11)
  /** The next secret is of this byte. */
  made = 0

  node(options: { lifetime?: number; ahead?: number } = {}): Node {
    const node = new Node(this, options)
    this.nodes.push(node)
    return node
  }

  random(length: number): Uint8Array {
    this.made++
    return Uint8Array.from({ length }, () => this.#random.integer(256))
  }

  /** @param time milliseconds @param step milliseconds: so often nodes tick */
  async pass(time: number, step: number = second): Promise<void> {
    for (let passed = 0; passed < time; passed += step) {
      this.servers.advance(step)
      for (const { secrets } of this.nodes) secrets.tick()
      await Promise.resolve()
    }
  }

  /** The record, as JSON. */
  record(): Record<string, unknown> {
    const { content } = this.servers.partitions[0]!
    const found = content.next(1, (subject) => subject === ticketsSubject)
    expect(content.next((found?.sequence ?? 0) + 1, (subject) => subject === ticketsSubject)).toBeUndefined()
    return found === undefined ? {} : JSON.parse(decodeUtf8(found.data, 0, found.data.length))
  }
}

class Node {
  readonly streams
  readonly secrets: TicketSecrets
  readonly troubles: string[] = []
  now: readonly TicketSecret[] = []
  /** All that it was told since this was emptied. */
  readonly told: string[] = []
  ready = false
  readonly #ahead: number
  readonly #world: World

  constructor(world: World, { lifetime = 7200, ahead = 0 }: { lifetime?: number; ahead?: number }) {
    this.#world = world
    this.#ahead = ahead
    this.streams = world.servers.node()
    this.secrets = new TicketSecrets({
      streams: this.streams,
      now: () => this.#clock,
      random: (length) => world.random(length),
      lifetime,
      changed: (secrets) => {
        this.now = secrets
        for (const { secret } of secrets) this.told.push(Buffer.from(secret).toString("hex"))
      },
      trouble: (line) => this.troubles.push(line),
    })
    this.secrets.open(() => {
      this.ready = true
    })
  }

  get #clock(): number {
    return this.#world.servers.clock.now + this.#ahead
  }

  /** The secret that seals now. */
  get sealing(): string {
    const begun = this.now.find(({ from }) => from <= this.#clock) ?? this.now.at(-1)
    return Buffer.from(begun?.secret ?? []).toString("hex")
  }

  opens(secret: string): boolean {
    return this.now.some((one) => Buffer.from(one.secret).toString("hex") === secret)
  }
}

describe("the secret of a cluster's tickets", () => {
  it("is made by one of those who begin at the same time, and the others have it", async () => {
    const world = new World()
    const { content } = world.servers.partitions[0]!
    const before = content.last
    const nodes = [world.node(), world.node(), world.node()]
    await world.pass(second)
    expect(content.last).toBe(before + 1)
    expect(nodes.map(({ ready }) => ready)).toEqual([true, true, true])
    expect(new Set(nodes.map(({ sealing }) => sealing)).size).toBe(1)
    const late = world.node()
    await world.pass(second)
    expect(late.sealing).toBe(nodes[0]!.sealing)
    expect(world.record()).toEqual({ version: 1, lifetime: 7200, secrets: [{ secret: late.sealing, from: start }] })
  })

  it("gets a newer one beside it after a day, which all know before it seals, and goes when its tickets have", async () => {
    const world = new World()
    const nodes = [world.node(), world.node(), world.node()]
    await world.pass(day - minute, minute)
    const [first] = nodes.map(({ sealing }) => sealing)
    expect(nodes[0]!.now).toHaveLength(1)
    await world.pass(2 * minute)
    const newer = nodes[0]!.now[0]!
    for (const { now, sealing } of nodes) {
      expect(now).toHaveLength(2)
      expect(sealing).toBe(first)
    }
    await world.pass(2 * minute)
    for (const { sealing } of nodes) expect(sealing).toBe(Buffer.from(newer.secret).toString("hex"))
    // 2 hours, and two minutes for clocks.
    await world.pass(2 * hour - minute, 10 * second)
    for (const node of nodes) expect(node.opens(first!)).toBe(true)
    await world.pass(4 * minute)
    for (const node of nodes) expect(node.opens(first!)).toBe(false)
    expect(JSON.stringify(world.record())).not.toContain(first)
  })

  it("stays for the longest lifetime that a node's tickets have", async () => {
    const world = new World()
    const one = world.node()
    await world.pass(second)
    const other = world.node({ lifetime: 36 * 3600 })
    await world.pass(second)
    expect(world.record()).toMatchObject({ lifetime: 36 * 3600 })
    const first = one.sealing
    await world.pass(day + 3 * minute, minute)
    expect(one.sealing).not.toBe(first)
    await world.pass(36 * hour - 5 * minute, minute)
    expect([one.opens(first), other.opens(first)]).toEqual([true, true])
    // A third has been added since, which changes nothing of it.
    expect(one.now).toHaveLength(3)
    await world.pass(10 * minute, minute)
    expect([one.opens(first), other.opens(first)]).toEqual([false, false])
  })

  it("goes on while the servers are away, at a start too, and is one again when they are back", async () => {
    const world = new World()
    const [one, other] = [world.node(), world.node()]
    await world.pass(second)
    const first = one.sealing
    world.servers.allAway()
    const begun = world.node()
    await world.pass(2 * day, minute)
    expect([one.sealing, other.sealing]).toEqual([first, first])
    expect(begun.ready).toBe(true)
    expect(begun.sealing).not.toBe(first)
    world.servers.allBack()
    await world.pass(minute)
    expect(new Set([one, other, begun].map((node) => node.now.length))).toEqual(new Set([2]))
    await world.pass(3 * minute)
    expect(new Set([one, other, begun].map(({ sealing }) => sealing)).size).toBe(1)
    expect(begun.sealing).not.toBe(first)
  })

  it("that cannot be read at a start is told, and read when it can be", async () => {
    const world = new World()
    const one = world.node()
    await world.pass(second)
    const [partition] = world.servers.partitions
    partition!.leaderAway()
    const other = world.node()
    await world.pass(10 * second)
    expect(other.ready).toBe(true)
    expect(other.troubles).toEqual([
      expect.stringMatching(/: tickets of other nodes are not known here until it can be read$/),
    ])
    partition!.leaderBack()
    await world.pass(minute)
    expect(other.sealing).toBe(one.sealing)
    expect(other.troubles).toHaveLength(1)
  })

  it("is put there again when somebody has taken it away", async () => {
    const world = new World()
    const [one, other] = [world.node(), world.node()]
    await world.pass(second)
    const first = one.sealing
    const { content } = world.servers.partitions[0]!
    content.append([{ subject: ticketsSubject, headers: {}, data: encodeText("x"), rollup: true, lifetime: 1 }])
    await world.pass(minute)
    expect([one.sealing, other.sealing]).toEqual([first, first])
    expect(world.record()).toMatchObject({ secrets: [{ secret: first }] })
    content.append([{ subject: ticketsSubject, headers: {}, data: encodeText("x"), rollup: true, lifetime: 1 }])
    world.servers.advance(2 * second)
    one.secrets.rotate(false)
    await world.pass(second)
    expect(world.record()).toMatchObject({ secrets: [{}, { secret: first }] })
  })

  it.each([
    [
      "damaged",
      "{",
      "the record of the cluster's ticket secrets is damaged: tickets of other nodes are not known here",
    ],
    [
      "damaged",
      '{"version":1,"lifetime":1,"secrets":[]}',
      "the record of the cluster's ticket secrets is damaged: tickets of other nodes are not known here",
    ],
    [
      "damaged",
      '{"version":1,"lifetime":1,"secrets":[{"secret":"00","from":1}]}',
      "the record of the cluster's ticket secrets is damaged: tickets of other nodes are not known here",
    ],
    [
      "of another version",
      '{"version":2}',
      "the record of the cluster's ticket secrets is of version 2, and this broker reads 1: tickets of other nodes are not known here",
    ],
  ])("that is %s is told once, left as it is, and a node seals by its own: %s", async (_what, text, line) => {
    const world = new World()
    const { content } = world.servers.partitions[0]!
    content.append([{ subject: ticketsSubject, headers: {}, data: encodeText(text) }])
    const { last } = content
    const node = world.node()
    await world.pass(2 * minute)
    expect(node.ready).toBe(true)
    expect(node.now).toHaveLength(1)
    expect(node.troubles).toEqual([line])
    expect(content.last).toBe(last)
  })
})

describe("the operator's wish", () => {
  it("for a newer secret: all nodes have it soon, those of before still open", async () => {
    const world = new World()
    const [one, other] = [world.node(), world.node()]
    await world.pass(second)
    const first = one.sealing
    // Each listener is told.
    one.secrets.rotate(false)
    one.secrets.rotate(false)
    await world.pass(second)
    expect([one, other].map((node) => [node.now.length, node.sealing])).toEqual([
      [2, first],
      [2, first],
    ])
    await world.pass(2 * minute)
    expect(one.sealing).toBe(other.sealing)
    expect(one.sealing).not.toBe(first)
    expect(one.opens(first)).toBe(true)
  })

  it("to forget: at once here, and on other nodes when they have heard of it", async () => {
    const world = new World()
    const [one, other] = [world.node(), world.node()]
    await world.pass(second)
    const first = one.sealing
    one.secrets.rotate(true)
    expect(one.opens(first)).toBe(false)
    await world.pass(second)
    expect([one.opens(first), other.opens(first)]).toEqual([false, false])
    expect(one.sealing).toBe(other.sealing)
    expect(JSON.stringify(world.record())).not.toContain(first)
  })

  it("to forget, with the servers away: here at once, and there when they are back, whatever others did meanwhile", async () => {
    const world = new World()
    const [one, other] = [world.node(), world.node()]
    await world.pass(second)
    const first = one.sealing
    one.streams.cut("at once")
    one.secrets.rotate(true)
    expect(one.troubles).toEqual([
      "no server of the cluster can be reached: the other nodes get the new secret of tickets when one can be",
    ])
    one.told.length = 0
    other.secrets.rotate(false)
    await world.pass(minute)
    expect([one.opens(first), other.opens(first)]).toEqual([false, true])
    one.streams.heal()
    await world.pass(minute)
    expect([one.opens(first), other.opens(first)]).toEqual([false, false])
    expect([one.now.length, other.now.length]).toEqual([1, 1])
    expect(one.told).not.toContain(first)
    expect(one.sealing).toBe(other.sealing)
  })
})

it("a node whose clock is a minute off changes nothing of it", async () => {
  const world = new World()
  const nodes = [world.node({ ahead: minute }), world.node({ ahead: -minute }), world.node()]
  for (let half = 0; half < 6; half++) {
    await world.pass(12 * hour, minute)
    // Whatever one of them seals by now the others open.
    for (const { sealing } of nodes) expect(nodes.map((node) => node.opens(sealing))).toEqual([true, true, true])
  }
  expect(world.made).toBeLessThan(3 + 3 * 4)
})

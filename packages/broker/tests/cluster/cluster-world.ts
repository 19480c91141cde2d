// Several broker cores on servers in memory, with one clock.

import { seeded } from "../../../tls13/fuzz/random.ts"
import type { MemoryNode } from "../../simulator/cluster/memory-node.ts"
import { MemoryServers } from "../../simulator/cluster/memory-servers.ts"
import { NodeOfCluster } from "../../src/cluster/cluster.ts"
import { clustering } from "../../src/hub/clustering.ts"
import type { Limits } from "../../src/session/limits.ts"
import type { Seen, SeenPublish, TestClient } from "../harness.ts"
import { TestBroker } from "../harness.ts"

export class ClusterNodeWorld {
  readonly name: string
  readonly streams: MemoryNode
  readonly cluster: NodeOfCluster
  readonly test: TestBroker
  alive = true

  constructor(world: ClusterWorld, name: string) {
    this.name = name
    this.streams = world.servers.node()
    this.cluster = new NodeOfCluster({
      node: name,
      partitions: this.streams.partitions,
      retention: 86_400,
      now: () => world.servers.clock.now,
      trouble: () => undefined,
    })
    const cluster = this.cluster
    this.test = new TestBroker({
      ...{ store: cluster, bus: cluster, limits: world.limits },
      cluster: clustering(cluster),
      wakeAfter: (milliseconds) => {
        world.servers.clock.after(milliseconds, () => {
          if (this.alive) this.test.broker.wake(world.servers.clock.now)
        })
      },
    })
    this.test.now = world.servers.clock.now
    this.test.wall = world.servers.clock.now
    this.test.checked = false
    this.cluster.open(this.streams)
    this.test.broker.restore(this.test.now)
  }
}

export interface MemberOptions {
  /** Its session outlives its connection. */
  readonly lasting?: boolean
  readonly receiveMaximum?: number
  readonly before?: Member
}

/** A client that acknowledges what comes, unless it is told not to. */
export class Member {
  readonly client: TestClient
  readonly node: ClusterNodeWorld
  readonly clientId: string
  acknowledges = true
  /** Payloads, in the order in which they came; at QoS 2 once, however often they are sent. */
  readonly got: string[]
  /** Of its session: Packet Identifiers at QoS 2 that are not released. */
  readonly received: Set<number>
  readonly unacknowledged: SeenPublish[] = []

  /** @param before the same client, whose session it goes on with */
  constructor(world: ClusterWorld, node: ClusterNodeWorld, clientId: string, options: MemberOptions) {
    const { before, lasting = false, receiveMaximum } = options
    this.got = before?.got ?? []
    this.received = (lasting ? before?.received : undefined) ?? new Set()
    this.node = node
    this.clientId = clientId
    this.client = node.test.open()
    this.client.connect({
      clientId,
      cleanStart: !lasting,
      ...(lasting && { sessionExpiryInterval: 3600 }),
      ...(receiveMaximum !== undefined && { receiveMaximum }),
    })
    world.members.add(this)
    const answered = () => this.client.closed || this.client.seen.some(({ type }) => type === "connack")
    world.until(`CONNACK for ${clientId}`, answered)
  }

  /** Takes what has come. */
  take(): void {
    for (const one of this.client.take()) {
      this.got.push(one.payload)
      if (one.qos === 0) continue
      if (one.qos === 2) {
        if (this.received.has(one.packetId)) this.got.pop()
        this.received.add(one.packetId)
      }
      if (this.acknowledges) this.acknowledge(one)
      else this.unacknowledged.push(one)
    }
    for (const one of this.client.seen.splice(0)) if (!this.#released(one)) this.client.seen.push(one)
  }

  acknowledge({ packetId, qos }: SeenPublish): void {
    this.client.ack(qos === 1 ? 4 : 5, packetId)
  }

  #released(one: Seen): boolean {
    if (one.type !== "pubrel" || !this.acknowledges) return false
    this.received.delete(one.packetId)
    this.client.ack(7, one.packetId)
    return true
  }
}

export class ClusterWorld {
  readonly servers: MemoryServers
  readonly nodes: ClusterNodeWorld[] = []
  readonly members: Set<Member> = new Set()
  #packetId = 0

  readonly limits: Partial<Limits>

  /** @param largest bytes that servers take at once; undefined: 1 MiB */
  constructor(seed: number, names: readonly string[], largest?: number, limits: Partial<Limits> = {}) {
    this.limits = limits
    const size = largest === undefined ? {} : { largest }
    this.servers = new MemoryServers({ random: seeded(seed), partitions: 2, now: 1_795_000_000_000, ...size })
    for (const name of names) this.add(name)
    this.pass(4000, 10)
  }

  add(name: string): ClusterNodeWorld {
    const node = new ClusterNodeWorld(this, name)
    this.nodes.push(node)
    return node
  }

  /** @param time milliseconds, in steps of so many, which are part of a second */
  pass(time: number, step = 1): void {
    for (let passed = 0; passed < time; passed += step) {
      this.servers.advance(step)
      const { now } = this.servers.clock
      for (const node of this.nodes) {
        if (!node.alive) continue
        node.test.now = now
        if (now % 1000 < step) {
          node.cluster.tick()
          node.test.broker.tick(now)
        }
        node.test.settle()
      }
      for (const member of this.members) if (member.node.alive) member.take()
    }
  }

  until(what: string, holds: () => boolean, most = 30_000): void {
    for (let time = 0; time < most; time++) {
      if (holds()) return
      this.pass(1)
    }
    throw new Error(`${what}: not within ${most} ms`)
  }

  member(node: ClusterNodeWorld, clientId: string, options: MemberOptions = {}): Member {
    return new Member(this, node, clientId, options)
  }

  /** Its connection breaks. */
  cut(member: Member): void {
    this.members.delete(member)
    member.client.cut()
  }

  subscribe({ client, clientId }: Member, filter: string, qos: 0 | 1 | 2 = 2): void {
    client.seen.splice(0)
    client.subscribe(filter, { qos })
    this.until(`SUBACK for ${clientId}`, () => client.seen.some(({ type }) => type === "suback"))
    const suback = client.seen.find(({ type }) => type === "suback")
    if (suback?.type !== "suback" || suback.reasonCodes[0] !== qos)
      throw new Error(`not granted: ${JSON.stringify(suback)}`)
  }

  /** Publishes, and waits until all is acknowledged. */
  publish({ client }: Member, topic: string, payloads: readonly string[], qos: 0 | 1 | 2): void {
    for (const payload of payloads) {
      const packetId = (this.#packetId % 60_000) + 1
      this.#packetId++
      client.publish(topic, payload, { qos, packetId })
    }
    if (qos === 0) return
    const type = qos === 1 ? "puback" : "pubrec"
    const count = () => client.seen.filter((one) => one.type === type).length
    this.until(`${payloads.length} ${type}`, () => count() >= payloads.length)
    for (const one of client.seen.splice(0)) if (one.type === "pubrec") client.ack(6, one.packetId)
  }

  /** The process is gone: its clients too. */
  kill(node: ClusterNodeWorld): void {
    node.alive = false
    node.streams.kill()
    for (const member of this.members) if (member.node === node) this.members.delete(member)
  }
}

export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${at}`)
}

// One node of a simulated cluster: a broker's core, its part of the cluster, and its connection to the servers in memory.

import { NodeOfCluster } from "../../src/cluster/cluster.ts"
import type { Streams } from "../../src/cluster/streams.ts"
import { mqttPacketCodec } from "../../src/codecs/mqtt-packet.ts"
import { Broker } from "../../src/hub/broker.ts"
import { clustering } from "../../src/hub/clustering.ts"
import type { BrokerEvent } from "../../src/ports/events.ts"
import { simulatedAccess } from "../access.ts"
import type { Link } from "../link.ts"
import type { MemoryNode } from "./memory-node.ts"
import type { MemoryServers } from "./memory-servers.ts"

export interface MemberOptions {
  readonly servers: MemoryServers
  readonly name: string
  /** Bytes that may wait for a client: with few of them what is sent stops and goes on all the time. */
  readonly output: number
  /** Messages that may wait for a client beside what it has not acknowledged. */
  readonly queue: number
  /** Seconds. */
  readonly retention: number
  readonly happened: (member: Member, event: BrokerEvent) => void
  /** What stands between the node and its servers. */
  readonly between?: (streams: Streams) => Streams
  /** Does the work of a turn. */
  readonly turn?: (work: () => void) => void
}

export class Member {
  readonly name: string
  readonly streams: MemoryNode
  readonly node: NodeOfCluster
  readonly broker: Broker
  /** It takes connections: what is retained has come. */
  up = false
  gone = false
  /** Milliseconds: since when its servers cannot be reached; undefined: they can. */
  cutSince: number | undefined
  /** Milliseconds: since when it was cut off last, and when it was not any more. */
  silentSince = 0
  healedAt = Number.NEGATIVE_INFINITY
  /** Milliseconds: the last time at which others may have taken over whom it serves. */
  noticedAt = Number.NEGATIVE_INFINITY
  readonly links: Set<Link> = new Set()
  readonly #servers: MemoryServers
  readonly #turn: (work: () => void) => void
  #scheduled = false

  constructor(options: MemberOptions) {
    const { servers, name, output, queue, retention, happened } = options
    const { between = (streams: Streams) => streams, turn = (work: () => void) => work() } = options
    this.name = name
    this.#servers = servers
    this.#turn = turn
    const { clock } = servers
    const now = () => clock.now
    const partitions = servers.partitions.length
    this.streams = servers.node()
    const trouble = () => undefined
    this.node = new NodeOfCluster({ node: name, partitions, retention, now, trouble })
    let names = 0
    this.broker = new Broker({
      access: simulatedAccess(() => false),
      bus: this.node,
      store: this.node,
      cluster: clustering(this.node),
      awayPerTurn: 0,
      codec: mqttPacketCodec,
      now,
      schedule: () => this.#schedule(),
      wakeAfter: (milliseconds) => this.#after(milliseconds, () => this.broker.wake(clock.now)),
      randomName: () => `${name}-${names++}`,
      events: (event) => {
        if (!this.gone) happened(this, event)
      },
      limits: {
        ...{ maximumInflight: 8, receiveMaximum: 10, maximumQueuedMessages: queue },
        ...{ maximumOutboundBytes: output, maximumPublisherPause: 0 },
      },
    })
    this.node.open(between(this.streams))
    this.broker.restore(clock.now)
    this.node.mirror().onAnswer(() => {
      this.up = true
    })
    this.#tick()
  }

  /** The process is gone. */
  kill(): void {
    this.gone = true
    this.up = false
    this.streams.kill()
    for (const link of this.links) link.cut()
    this.links.clear()
  }

  #after(milliseconds: number, work: () => void): void {
    this.streams.after(milliseconds, () => {
      if (!this.gone) this.#turn(work)
    })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#after(this.#servers.random.integer(2), () => {
      this.#scheduled = false
      this.broker.flush(this.#servers.clock.now)
    })
  }

  #tick(): void {
    this.#after(1000, () => {
      this.broker.tick(this.#servers.clock.now)
      this.node.tick()
      this.#tick()
    })
  }
}

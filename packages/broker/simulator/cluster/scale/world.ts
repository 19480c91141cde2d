// Nodes on servers in memory, with clients that need no network: what each of them costs is counted.

import { seeded } from "../../../../tls13/fuzz/random.ts"
import { acknowledge, type Connect, connect, packetType, publish, subscribe } from "../../../hostile/wire/mqtt.ts"
import type { Connection } from "../../../src/client/connection.ts"
import { Framer } from "../../../src/packet/framer.ts"
import type { Sink } from "../../../src/ports/peer.ts"
import { Member } from "../member.ts"
import { MemoryServers } from "../memory-servers.ts"
import { bytesOf, type Costs, Meter } from "./counted.ts"

/** One that acknowledges what comes. */
export class Guest {
  /** Packets that have come, by their type. */
  readonly got: number[] = Array.from({ length: 16 }, () => 0)
  readonly #node: Node
  readonly #connection: Connection | undefined
  readonly #framer = new Framer(0x1000_0004)
  #packetId = 0

  constructor(node: Node, options: Connect) {
    this.#node = node
    this.#framer.connectOnly = false
    const sink: Sink = {
      write: (chunks) => {
        for (const chunk of chunks) this.#read(chunk)
        return true
      },
      keeps: false,
      end: () => undefined,
      destroy: () => undefined,
      pause: () => undefined,
      resume: () => undefined,
    }
    this.#connection = node.member.broker.accept({ transport: "stream", address: "guest" }, sink, node.now)
    this.#send(connect(options))
  }

  subscribe(filters: readonly string[], qos: 0 | 1): void {
    this.#send(
      subscribe(
        5,
        this.#next(),
        filters.map((filter) => ({ filter, options: qos })),
      ),
    )
  }

  publish(topic: string, payload: Uint8Array, qos: 0 | 1): void {
    this.#send(publish(5, topic, payload, { qos, packetId: this.#next() }))
  }

  /** Its network goes away. */
  cut(): void {
    this.#node.meter.run(() => this.#connection?.transportClosed(this.#node.now, "cut"))
  }

  #next(): number {
    this.#packetId = (this.#packetId % 60_000) + 1
    return this.#packetId
  }

  #send(bytes: Uint8Array): void {
    this.#node.meter.run(() => this.#connection?.receive(Uint8Array.from(bytes), this.#node.now))
  }

  #read(chunk: Uint8Array): void {
    this.#framer.push(Uint8Array.from(chunk))
    while (this.#framer.next()) {
      const { bytes, bodyStart, header } = this.#framer
      const type = header >> 4
      this.got[type]!++
      if (type !== packetType.publish || ((header >> 1) & 3) !== 1) continue
      const at = bodyStart + 2 + ((bytes[bodyStart]! << 8) | bytes[bodyStart + 1]!)
      const packetId = (bytes[at]! << 8) | bytes[at + 1]!
      // Not within what the broker does right now.
      this.#node.later(() => this.#send(acknowledge(5, 4, packetId)))
    }
  }
}

export class Node {
  readonly meter: Meter = new Meter()
  readonly member: Member
  readonly #servers: MemoryServers

  constructor(servers: MemoryServers, name: string) {
    this.#servers = servers
    this.member = new Member({
      ...{ servers, name, output: 1_048_576, queue: 1000, retention: 86_400 },
      happened: () => undefined,
      between: (streams) => this.meter.between(streams),
      turn: (work) => this.meter.run(work),
    })
  }

  get now(): number {
    return this.#servers.clock.now
  }

  get costs(): Costs {
    return { ...this.meter.costs }
  }

  later(work: () => void): void {
    this.#servers.clock.after(0, work)
  }

  guest(options: Connect): Guest {
    return new Guest(this, options)
  }
}

export class ScaleWorld {
  readonly servers: MemoryServers
  readonly nodes: Node[]

  constructor(nodes: number, partitions = 16) {
    this.servers = new MemoryServers({ random: seeded(1), partitions, now: 1_795_000_000_000, latency: 1 })
    this.nodes = Array.from({ length: nodes }, (_, at) => new Node(this.servers, `node${at + 1}`))
    // All have heard of each other, and have looked for what others left.
    this.pass(60_000)
  }

  /** @param time milliseconds */
  pass(time: number): void {
    this.servers.advance(time)
  }

  until(what: string, holds: () => boolean, most = 120_000): void {
    for (let time = 0; !holds(); time += 10) {
      if (time > most) throw new Error(`${what}: not within ${most} ms`)
      this.pass(10)
    }
  }

  /** Of messages on such subjects, with their headers. */
  storedBytes(prefix: string): number {
    let bytes = 0
    const matches = (subject: string) => subject.startsWith(prefix)
    for (const { content } of this.servers.partitions) {
      for (let at = content.next(1, matches); at !== undefined; at = content.next(at.sequence + 1, matches))
        bytes += bytesOf(at)
    }
    return bytes
  }

  costs(): Costs[] {
    return this.nodes.map(({ costs }) => costs)
  }
}

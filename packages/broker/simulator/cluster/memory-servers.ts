// NATS in memory, for any number of nodes: its ordering, and how it fails. Nothing happens by itself: `advance` lets time pass.
//
// As with NATS: a partition has one sequence and takes batches in the order in which they come to its leader; while it has none, what
// came to the one before is there or not, and nobody says which. A connection that breaks has given a part of what was under way to the
// servers, which may come to the stream later than what the next connection brings. What is retained follows a little later.

import type { Random } from "../../../tls13/fuzz/random.ts"
import type { Append, Appended } from "../../src/cluster/streams.ts"
import { Clock, Line } from "./clock.ts"
import { MemoryNode } from "./memory-node.ts"
import { MemoryStream, type Stored, subjectMatcher } from "./memory-stream.ts"

export interface MemoryOptions {
  readonly random: Random
  readonly partitions?: number
  /** Messages of a batch, and bytes of data of a message. */
  readonly batch?: number
  readonly largest?: number
  /** Milliseconds since 1970 at which it begins. */
  readonly now?: number
  /** Milliseconds that what is sent is under way at most; 3 by default. */
  readonly latency?: number
}

interface Proposal {
  readonly batch: readonly Append[]
  readonly answer: (appended: Appended) => void
  gone: boolean
}

/** A consumer of a node at the servers. */
export interface MemoryConsumer {
  readonly stream: Replicated
  readonly matches: (subject: string) => boolean
  /** The sequence that is looked at next. */
  cursor: number
  sent: number
  /** Messages that the node has room for. */
  credit: number
  alive: boolean
  readonly deliver: (message: Stored) => void
}

/** A stream with a leader, or without. */
export class Replicated {
  readonly content: MemoryStream
  readonly #clock: Clock
  readonly #random: Random
  readonly #proposals = new Set<Proposal>()
  readonly #consumers = new Set<MemoryConsumer>()
  #applyAt = 0
  #led = true

  constructor(clock: Clock, random: Random, onlyLast: boolean) {
    this.#clock = clock
    this.#random = random
    this.content = new MemoryStream(clock, onlyLast)
    this.content.onStored = (message) => this.onStored(message)
  }

  onStored: (message: Stored) => void = () => {}

  get led(): boolean {
    return this.#led
  }

  propose(batch: readonly Append[], answer: (appended: Appended) => void): void {
    if (!this.#led) {
      answer({ failed: "nobody there answers: the leader is being chosen" })
      return
    }
    const proposal: Proposal = { batch, answer, gone: false }
    this.#proposals.add(proposal)
    this.#applyAt = Math.max(this.#applyAt, this.#clock.now + this.#random.integer(3))
    this.#clock.at(this.#applyAt, () => {
      if (!proposal.gone) answer(this.#apply(proposal))
    })
  }

  /** Its leader is gone: of what it was given the first are there, and nobody is told. */
  leaderAway(): void {
    if (!this.#led) return
    let kept = this.#random.integer(this.#proposals.size + 1)
    for (const proposal of [...this.#proposals]) {
      proposal.gone = true
      if (kept-- > 0) this.#apply(proposal)
    }
    this.#proposals.clear()
    this.#led = false
  }

  leaderBack(): void {
    this.#led = true
    for (const consumer of this.#consumers) this.#serve(consumer)
  }

  consume(consumer: MemoryConsumer): void {
    this.#consumers.add(consumer)
    this.#serve(consumer)
  }

  /** The node has taken some. */
  credit(consumer: MemoryConsumer, messages: number): void {
    consumer.credit += messages
    this.#serve(consumer)
  }

  end(consumer: MemoryConsumer): void {
    consumer.alive = false
    this.#consumers.delete(consumer)
  }

  #apply(proposal: Proposal): Appended {
    this.#proposals.delete(proposal)
    const appended = this.content.append(proposal.batch)
    for (const consumer of this.#consumers) this.#serve(consumer)
    return appended
  }

  /** To be called when messages came that are no append's: schedules, and what is copied. */
  serve(): void {
    for (const consumer of this.#consumers) this.#serve(consumer)
  }

  #serve(consumer: MemoryConsumer): void {
    if (!this.#led || !consumer.alive) return
    while (consumer.credit > 0) {
      const message = this.content.next(consumer.cursor, consumer.matches)
      if (message === undefined) {
        consumer.cursor = this.content.last + 1
        return
      }
      consumer.cursor = message.sequence + 1
      consumer.credit--
      consumer.sent++
      consumer.deliver(message)
    }
  }
}

interface Listening {
  readonly matches: (subject: string) => boolean
  readonly node: MemoryNode
  readonly told: (message: Omit<Stored, "sequence">) => void
}

interface Answering {
  readonly node: MemoryNode
  readonly asked: (data: Uint8Array, answer: (data: Uint8Array) => void) => void
}

export class MemoryServers {
  readonly clock: Clock
  readonly random: Random
  readonly partitions: readonly Replicated[]
  readonly retained: Replicated
  readonly batch: number
  readonly largest: number
  readonly nodes: Set<MemoryNode> = new Set()
  readonly #latency: number
  readonly #listening = new Set<Listening>()
  readonly #answering = new Map<string, Set<Answering>>()

  constructor({ random, partitions = 4, batch = 999, largest = 2 ** 20, now = 0, latency = 3 }: MemoryOptions) {
    this.random = random
    this.clock = new Clock(now)
    this.batch = batch
    this.largest = largest
    this.#latency = latency
    this.retained = new Replicated(this.clock, random, true)
    this.partitions = Array.from({ length: partitions }, (_, partition) => this.#partition(partition))
  }

  /** A connection to the servers. */
  node(): MemoryNode {
    const node = new MemoryNode(this)
    this.nodes.add(node)
    return node
  }

  /** @param time milliseconds */
  advance(time: number): void {
    this.clock.advance(time)
  }

  /** @param comes what happens where something arrives; nothing given: the servers, at once */
  line(comes?: (run: () => void) => void): Line {
    return new Line(this.clock, () => this.random.integer(this.#latency + 1), comes)
  }

  /** All servers end at once, with no more than what they had on their disks, and all connections with them. */
  allAway(): void {
    for (const stream of [...this.partitions, this.retained]) stream.leaderAway()
    for (const node of this.nodes) node.cut("at once")
  }

  allBack(): void {
    for (const stream of [...this.partitions, this.retained]) stream.leaderBack()
    for (const node of this.nodes) node.heal()
  }

  /* ------------------------------------------------ what nobody keeps: called when it has come to the servers */

  tell(from: MemoryNode, message: Omit<Stored, "sequence">): void {
    for (const { node, matches, told } of this.#listening) {
      if (node !== from && matches(message.subject)) {
        node.down.send(() => told({ ...message, headers: { ...message.headers }, data: new Uint8Array(message.data) }))
      }
    }
  }

  listen(node: MemoryNode, subject: string, told: Listening["told"]): () => void {
    const listening: Listening = { node, matches: subjectMatcher([subject]), told }
    this.#listening.add(listening)
    return () => this.#listening.delete(listening)
  }

  answer(node: MemoryNode, subject: string, asked: Answering["asked"]): () => void {
    const answering: Answering = { node, asked }
    const all = this.#answering.get(subject) ?? new Set()
    this.#answering.set(subject, all.add(answering))
    return () => all.delete(answering)
  }

  ask(from: MemoryNode, subject: string, data: Uint8Array, answer: (data: Uint8Array | undefined) => void): void {
    const others = [...(this.#answering.get(subject) ?? [])].filter(({ node }) => node !== from)
    if (others.length === 0) answer(undefined)
    for (const { node, asked } of others) {
      const respond = (response: Uint8Array) => {
        const bytes = new Uint8Array(response)
        if (node.reachable) node.up.send(() => answer(bytes))
      }
      node.down.send(() => asked(new Uint8Array(data), respond))
    }
  }

  #partition(partition: number): Replicated {
    const stream = new Replicated(this.clock, this.random, false)
    const copies = this.line()
    stream.onStored = ({ sequence, subject, headers, data }) => {
      stream.serve()
      if (!subject.startsWith("r.")) return
      copies.send(() => {
        this.retained.content.copy({ subject: subject.slice(2), headers, data, origin: { partition, sequence } })
        this.retained.serve()
      })
    }
    return stream
  }
}

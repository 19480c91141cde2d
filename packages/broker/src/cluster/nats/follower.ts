// Follows a stream from a sequence on, by one consumer after the other: each begins behind what was told last. It is made anew for other
// subjects, when its signs of life are missed, when one of its messages is, and when the connection was lost.

import type { Msg } from "@nats-io/nats-core"
import { Pause } from "../../ports/pause.ts"
import type { Failed, Following, StreamMessage, StreamSequence } from "../streams.ts"
import { Consumer, endOf, lastOf } from "./consumers.ts"
import { type Link, later } from "./link.ts"
import { type Delivery, deliveryOf, headersIn, plainMessage, scannedOf } from "./messages.ts"

/** What is under way when it is paused: two pulls of these. */
const pullMessages = 256
const pullBytes = 2 * 2 ** 20
/** Milliseconds. */
const [pullTime, heartbeat, silence, idle] = [30_000, 1000, 3500, 120_000]
/** Milliseconds until `subjects` is answered that it failed; it is tried on. */
const patience = 5000

type Through = { readonly through: StreamSequence } | Failed

export interface FollowerOptions {
  readonly stream: string
  readonly prefix: string
  /** Bytes of a message with its headers. */
  readonly largest: () => number
  /** Undefined: from the end of the stream on, whenever it has no subjects. */
  readonly after: StreamSequence | undefined
  readonly arrived: (message: StreamMessage) => void
  /** All up to this one was told. */
  readonly moved?: (position: StreamSequence) => void
}

/** A consumer, and what was heard of it. */
class Watched {
  consumer: Consumer | undefined
  delivered = 0
  heard: number = performance.now()
  /** By pull, in their order: messages that it may still bring. */
  readonly pulls: Map<number, number> = new Map()
}

export class Follower implements Following {
  readonly #link: Link
  readonly #options: FollowerOptions
  #wanted: readonly string[] = []
  /** For which the consumer stands. */
  #stands: readonly string[] | undefined = []
  #watched: Watched | undefined
  /** When the stream was made, as it says. */
  #made: string | undefined
  /** All up to this one was told, of the subjects. */
  #position: StreamSequence | undefined
  #waiting: Pause<Through>[] = []
  #working = false
  #paused = false
  #ended = false

  constructor(link: Link, options: FollowerOptions) {
    this.#link = link
    this.#options = options
    this.#position = options.after
  }

  subjects(subjects: readonly string[]): Pause<Through> {
    const pause = new Pause<Through>()
    this.#wanted = [...subjects]
    this.#waiting.push(pause)
    void this.#work()
    return pause
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#pull()
  }

  /** To be called twice a second, and when the servers can be reached again. */
  mind(anew = false): void {
    const watched = this.#watched
    if (watched === undefined) return
    const silent = watched.pulls.size > 0 && performance.now() - watched.heard > silence
    if (anew || silent) this.#again()
  }

  end(): void {
    this.#ended = true
    this.#drop()
    this.#answer({ failed: "the cluster's connection is closed" })
  }

  /** One at a time, until what stands is what is wanted. */
  async #work(): Promise<void> {
    if (this.#working) return
    this.#working = true
    let [since, pause] = [performance.now(), 20]
    while (!this.#ended && (this.#stands !== this.#wanted || this.#waiting.length > 0)) {
      const wanted = this.#wanted
      try {
        if (this.#stands !== wanted) await this.#stand(wanted)
        const { last, made } = await endOf(this.#link, this.#options.stream)
        this.#lookAtMade(made)
        if (this.#wanted === wanted) this.#answer({ through: Math.max(last, this.#position ?? 0) })
        ;[since, pause] = [performance.now(), 20]
      } catch (error) {
        const line = error instanceof Error ? error.message : String(error)
        if (performance.now() - since > patience || !this.#link.reachable) {
          this.#answer({ failed: `Following ${this.#options.stream}: ${line}; it is tried again` })
          since = performance.now()
        }
        await later(pause)
        pause = Math.min(1000, pause * 2)
      }
    }
    this.#working = false
  }

  /** In a stream that somebody has deleted, and a node has made again, nothing is where this node takes it to be. */
  #lookAtMade(made: string | undefined): void {
    const before = this.#made
    this.#made = made ?? before
    if (before === undefined || before === this.#made) return
    const { stream } = this.#options
    this.#link.trouble(
      `The stream ${stream} was deleted, and made anew: what it had is lost, and messages of it may not come here: start all nodes of the cluster again`,
    )
  }

  async #stand(wanted: readonly string[]): Promise<void> {
    const { stream, prefix, after } = this.#options
    if (wanted.length === 0) {
      this.#drop()
      this.#stands = wanted
      if (after === undefined) this.#position = undefined
      return
    }
    this.#position ??= await lastOf(this.#link, stream)
    const watched = new Watched()
    const subjects = wanted.map((subject) => `${prefix}${subject}`)
    const taken = (message: Msg) => this.#take(watched, message)
    const consumer = await Consumer.make(this.#link, stream, subjects, this.#position + 1, idle, taken)
    // What the one before has under way comes by the new one.
    this.#drop()
    if (this.#ended) return consumer.end()
    watched.consumer = consumer
    this.#watched = watched
    this.#stands = wanted
    this.#pull()
  }

  #again(): void {
    this.#drop()
    this.#stands = undefined
    void this.#work()
  }

  #drop(): void {
    this.#watched?.consumer?.end()
    this.#watched = undefined
  }

  #answer(through: Through): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const pause of waiting) this.#link.tell(() => pause.answer(through))
  }

  #move(position: StreamSequence): void {
    if (position <= (this.#position ?? 0)) return
    this.#position = position
    if (this.#options.moved !== undefined) this.#link.tell(this.#options.moved, position)
  }

  #pull(): void {
    const watched = this.#watched
    if (watched?.consumer === undefined || this.#paused || !this.#link.reachable) return
    const [only] = watched.pulls.values()
    if (watched.pulls.size > 1 || (only !== undefined && only > pullMessages / 2)) return
    if (watched.pulls.size === 0) watched.heard = performance.now()
    const max_bytes = Math.max(pullBytes, this.#options.largest())
    const number = watched.consumer.pull({ batch: pullMessages, max_bytes, expires: pullTime, heartbeat })
    watched.pulls.set(number, pullMessages)
  }

  #take(watched: Watched, message: Msg): void {
    if (watched !== this.#watched) return
    watched.heard = performance.now()
    const delivery = deliveryOf(message)
    if (delivery === undefined) this.#status(watched, message)
    else this.#message(watched, delivery, message)
  }

  #message(watched: Watched, { sequence, delivered }: Delivery, message: Msg): void {
    if (delivered !== watched.delivered + 1) {
      this.#again()
      return
    }
    watched.delivered = delivered
    const [oldest] = watched.pulls
    if (oldest !== undefined) {
      const [number, left] = oldest
      if (left > 1) watched.pulls.set(number, left - 1)
      else watched.pulls.delete(number)
    }
    if (sequence > (this.#position ?? 0)) {
      this.#position = sequence
      this.#link.tell(this.#options.arrived, { sequence, ...plainMessage(message, this.#options.prefix) })
      if (this.#options.moved !== undefined) this.#link.tell(this.#options.moved, sequence)
    }
    if (watched === this.#watched) this.#pull()
  }

  #status(watched: Watched, message: Msg): void {
    const { code, description } = headersIn(message) ?? { code: 0, description: "" }
    if (code === 100) {
      // How far it has looked, also where nothing was for it: else the next one would look there again.
      const scanned = scannedOf(message)
      if (scanned !== undefined && scanned.delivered > watched.delivered) this.#again()
      else if (scanned?.delivered === watched.delivered) this.#move(scanned.sequence)
      return
    }
    // It ends by its time or its bytes; all else says that the consumer is not there as it was.
    if (code !== 408 && !(code === 409 && /batch completed|exceeds maxbytes/i.test(description))) {
      this.#again()
      return
    }
    watched.pulls.delete(Consumer.pullOf(message))
    this.#pull()
  }
}

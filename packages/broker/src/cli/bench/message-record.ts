// What a client process notes of messages while they go and come, to be told at the end.

import { Recorder } from "@puremq/tls13/measure"
import type { DeliveryCheck } from "./delivery-check.ts"
import type { MessageFigures } from "./messages.ts"
import type { PublisherLog } from "./publisher.ts"
import { Timeline } from "./timeline.ts"

/** A broker could give each refusal words of its own. */
const mostReasons = 100

/** Columns of what is told of each message that came, for --samples. */
export const arrivalColumns = ["subscriber", "stream", "sequence", "due_ms", "written_ms", "arrived_ms"] as const

export interface Measurement {
  /** Milliseconds since the load began. */
  readonly from: number
  /** As `from`; infinite: a count says when it is over. */
  until: number
  /** The broker answers a publisher, and nobody subscribes: that is what is measured. */
  readonly publishOnly: boolean
}

export class MessageRecord {
  readonly #measurement: Measurement
  readonly #clock: () => number
  readonly #latency = new Recorder()
  readonly #parts: Record<string, Recorder> = {}
  readonly #timeline = new Timeline()
  readonly #failures = new Map<string, number>()
  #warmUp = 0
  #completed = 0
  #foreign = 0
  #lastAt = 0
  #arrivals: number[] | undefined

  /** @param samples whether each message that comes is kept until `takeArrivals` */
  constructor(measurement: Measurement, clock: () => number, samples: boolean) {
    this.#measurement = measurement
    this.#clock = clock
    this.#arrivals = samples ? [] : undefined
  }

  get completed(): number {
    return this.#completed
  }

  get failed(): number {
    return [...this.#failures.values()].reduce((sum, count) => sum + count, 0)
  }

  /** When the last one came; milliseconds since the load began. */
  get lastAt(): number {
    return this.#lastAt
  }

  part(name: string, milliseconds: number): void {
    const part = this.#parts[name]
    if (part !== undefined) part.record(milliseconds)
    else {
      this.#parts[name] = new Recorder()
      this.#parts[name].record(milliseconds)
    }
  }

  fail(reason: string, count: number = 1): void {
    const words = this.#failures.has(reason) || this.#failures.size < mostReasons ? reason : "other reasons"
    this.#failures.set(words, (this.#failures.get(words) ?? 0) + count)
  }

  /** One that is no message of this run. */
  foreign(): void {
    this.#foreign++
  }

  /** @param now when it was read */
  arrived(subscriber: number, stream: number, sequence: number, due: number, late: number, now: number): void {
    this.#arrivals?.push(subscriber, stream, sequence, due, due + late, now)
    this.#complete(now)
    if (!this.#counts(due)) return
    this.#measured(due, now)
    this.part("late", late)
    this.part("wait", now - due - late)
  }

  /** What a publisher learns. @param claims how many more may begin. @param answer the part that its answers are */
  logOf(claims: { left: number }, answer: "puback" | "pubcomp"): PublisherLog {
    const { publishOnly, from } = this.#measurement
    const answered = (due: number, written: number, now: number) => {
      if (!publishOnly) return
      this.#complete(now)
      if (!this.#counts(due)) return
      this.#measured(due, now)
      this.part("late", written - due)
      this.part("wait", now - written)
    }
    return {
      isOver: (due) => due >= this.#measurement.until || claims.left <= 0,
      claim(due) {
        if (due >= from) claims.left--
        return true
      },
      written: (due) => {
        if (publishOnly) this.#complete(Math.max(due, this.#clock()))
      },
      acknowledged: (due, written) => {
        const now = this.#clock()
        if (this.#counts(due)) this.part(answer, now - written)
        answered(due, written, now)
      },
      pong: (sent) => {
        if (this.#counts(sent)) this.part("pingresp", this.#clock() - sent)
      },
      refused: (reason) => this.fail(reason),
    }
  }

  takeArrivals(): Float64Array {
    const rows = Float64Array.from(this.#arrivals ?? [])
    if (this.#arrivals !== undefined) this.#arrivals = []
    return rows
  }

  figures(checks: Iterable<DeliveryCheck>, lost: number, notBegun: number, ordered: boolean): MessageFigures {
    const tallies = { delivered: 0, lost, doubled: 0, outOfOrder: 0, foreign: this.#foreign }
    for (const check of checks) {
      tallies.delivered += check.delivered
      tallies.doubled += check.doubled
      if (ordered) tallies.outOfOrder += check.outOfOrder
    }
    return {
      warmUp: this.#warmUp,
      completed: this.#completed,
      notBegun,
      tallies,
      failures: [...this.#failures],
      latency: this.#latency.toJSON(),
      parts: Object.fromEntries(Object.entries(this.#parts).map(([name, part]) => [name, part.toJSON()])),
      timeline: this.#timeline.toJSON(),
      lastAt: this.#lastAt,
    }
  }

  #counts(due: number): boolean {
    return due >= this.#measurement.from && due < this.#measurement.until
  }

  #measured(due: number, now: number): void {
    this.#latency.record(now - due)
    this.#timeline.latency(due - this.#measurement.from, now - due)
  }

  #complete(now: number): void {
    const { from, until } = this.#measurement
    this.#lastAt = now
    if (now < from) this.#warmUp++
    else if (now < until) {
      this.#completed++
      this.#timeline.complete(now - from)
    }
  }
}

// The load that one client process makes, as a closed or an open loop.

import { type Attempt, type Engine, now, reasonText } from "./engine.ts"
import { type Load, shareOf } from "./plan.ts"
import { SampleWriter } from "./samples.ts"

/** Milliseconds that a place rests after a failure: else a server that is gone would be asked as fast as it refuses. */
const restAfterFailure = 10

export interface LoadShare {
  readonly load: Load
  /** 0 to load.workers - 1. */
  readonly worker: number
  /** When the load begins, on the clock of this process. */
  readonly t0: number
  /** Local addresses, in turn; none: the system's choice. */
  readonly sources: readonly string[]
}

export interface LoadSums {
  wire: { sent: Sums; received: Sums; after: { sent: number; received: number }; seen: number }
  notClosedByServer: number
  notBegun: number
}

interface Sums {
  bytes: number
  records: number
  flights: number
}

/** Makes the load to its end. */
export class LoadMaker {
  readonly samples: SampleWriter = new SampleWriter()
  readonly reasons: string[] = []
  readonly sums: LoadSums = {
    wire: { sent: nothing(), received: nothing(), after: { sent: 0, received: 0 }, seen: 0 },
    notClosedByServer: 0,
    notBegun: 0,
  }
  readonly #engine: Engine
  readonly #share: LoadShare
  /** Milliseconds since t0 between which handshakes count. */
  readonly #from: number
  #until: number
  readonly #places: number
  #left: number
  #nextSource: number
  /** Ends the wait of the open loop. */
  #wake: () => void = () => undefined

  constructor(engine: Engine, share: LoadShare) {
    const { load, worker } = share
    this.#engine = engine
    this.#share = share
    this.#from = 1000 * load.warmUp
    this.#until = load.seconds === undefined ? Number.POSITIVE_INFINITY : this.#from + 1000 * load.seconds
    this.#places = shareOf(load.concurrency, worker, load.workers)
    this.#left = load.count === undefined ? Number.POSITIVE_INFINITY : shareOf(load.count, worker, load.workers)
    this.#nextSource = worker
  }

  async run(): Promise<void> {
    // Timers may be early by a part of a millisecond, and what began then would not count.
    do await sleep(-this.#clock())
    while (this.#clock() < 0)
    if (this.#share.load.rate === undefined)
      await Promise.all(Array.from({ length: this.#places }, () => this.#place()))
    else await this.#open(this.#share.load.rate / this.#share.load.workers)
  }

  /** Begins nothing more. */
  stop(): void {
    this.#until = Math.min(this.#until, this.#clock())
    this.#wake()
  }

  /** A place of the closed loop: one handshake after the other. */
  async #place(): Promise<void> {
    for (let due = this.#clock(); this.#claim(due); due = this.#clock()) await this.#one(due)
  }

  /**
   * The open loop: handshake i is due at i / rate, and begins then or as soon as a place is free. The workers' schedules lie
   * between each other's.
   */
  async #open(rate: number): Promise<void> {
    const interval = 1000 / rate
    const first = (interval * this.#share.worker) / this.#share.load.workers
    let [next, active] = [0, 0]
    const dueOf = (index: number) => first + index * interval
    for (;;) {
      const at = this.#clock()
      while (dueOf(next) <= at && dueOf(next) < this.#until && active < this.#places && this.#claim(dueOf(next))) {
        active++
        void this.#one(dueOf(next++)).then(() => {
          active--
          this.#wake()
        })
      }
      if (this.#left <= 0 || at >= this.#until || dueOf(next) >= this.#until) break
      const waiting = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await (active < this.#places
        ? Promise.race([waiting, sleep(dueOf(next) - this.#clock())])
        : Promise.race([waiting, sleep(this.#until - at)]))
    }
    if (Number.isFinite(this.#until)) {
      // Those of the schedule that were due, and had no place.
      while (dueOf(next) < this.#until) {
        if (dueOf(next) >= this.#from) this.sums.notBegun++
        next++
      }
    }
    while (active > 0)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
  }

  /** Whether one more is to begin. */
  #claim(due: number): boolean {
    if (due >= this.#until || this.#left <= 0) return false
    if (due >= this.#from) this.#left--
    return true
  }

  async #one(due: number): Promise<void> {
    let attempt: Attempt
    try {
      const preparing = this.#engine.prepare()
      if (preparing !== undefined) await preparing
      attempt = await this.#engine.attempt(this.#source())
      // Of a closed loop, the time that a ticket takes is nobody's: a handshake is due when it begins.
      if (this.#share.load.rate === undefined) due = Math.max(due, attempt.began - this.#share.t0)
    } catch (error) {
      // There was no ticket, say.
      this.#note(due, undefined, reasonText(error))
      await sleep(restAfterFailure)
      return
    }
    this.#note(due, attempt, attempt.failure)
    if (attempt.failure !== undefined) await sleep(restAfterFailure)
  }

  #note(due: number, attempt: Attempt | undefined, failure: string | undefined): void {
    const at = (time: number | undefined) => (time === undefined ? Number.NaN : time - this.#share.t0)
    this.samples.add({
      due,
      began: at(attempt?.began),
      reached: at(attempt?.reached),
      done: at(attempt?.done),
      ended: at(attempt?.ended ?? now()),
      own: attempt?.own ?? Number.NaN,
      behind: attempt?.behind ?? Number.NaN,
      failure: failure === undefined ? -1 : this.#reasonIndex(failure),
    })
    if (attempt === undefined || failure !== undefined || due < this.#from) return
    if (!attempt.closedByServer) this.sums.notClosedByServer++
    this.#noteWire(attempt)
  }

  #noteWire({ wire }: Attempt): void {
    if (wire === undefined) return
    const sums = this.sums.wire
    sums.seen++
    for (const direction of ["sent", "received"] as const) {
      for (const what of ["bytes", "records", "flights"] as const)
        sums[direction][what] += wire.handshake[direction][what]
      sums.after[direction] += wire.all[direction].bytes - wire.handshake[direction].bytes
    }
  }

  #reasonIndex(reason: string): number {
    const known = this.reasons.indexOf(reason)
    if (known >= 0) return known
    // A server could give each failure a text of its own.
    if (this.reasons.length >= 100) return this.#reasonIndexOfRest()
    return this.reasons.push(reason) - 1
  }

  #reasonIndexOfRest(): number {
    const rest = "other reasons, beyond the first 100"
    const known = this.reasons.indexOf(rest)
    return known >= 0 ? known : this.reasons.push(rest) - 1
  }

  #source(): string | undefined {
    const { sources, load } = this.#share
    const source = sources[this.#nextSource % Math.max(1, sources.length)]
    this.#nextSource += load.workers
    return source
  }

  #clock(): number {
    return now() - this.#share.t0
  }
}

function nothing(): Sums {
  return { bytes: 0, records: 0, flights: 0 }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds <= 0) setImmediate(resolve)
    else setTimeout(resolve, Math.min(milliseconds, 2 ** 31 - 1))
  })
}

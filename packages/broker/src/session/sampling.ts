// How long messages take from their PUBLISH to a subscriber's transport, of so few that the others do not notice: the first one
// in each five milliseconds, and of it the first copy and every eighth after that.

import type { Message, Sample } from "../packet/message.ts"
import type { Observer } from "../ports/timings.ts"

/** Milliseconds, at least, from one message that is measured to the next. */
const interval = 5
/** Of a message that goes to many, one copy of so many is measured. */
const copiesEach = 8

export class Sampling {
  readonly #observer: Observer | undefined
  readonly #now: () => number
  #next: number
  /** The next message is measured. A plain field: each message looks at it. */
  armed = false

  /** @param observer undefined: nothing is measured @param now milliseconds */
  constructor(observer: Observer | undefined, now: () => number) {
    this.#observer = observer
    this.#now = now
    this.#next = observer === undefined ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  }

  /** Something has come from a client. */
  look(now: number): void {
    if (now >= this.#next) this.armed = true
  }

  /** A message has come, and is the one. */
  take(message: Message, now: number): void {
    this.armed = false
    this.#next = now + interval
    message.sample = { at: now, copies: 0 }
  }

  /** Whether this copy is one that is measured, for a connection that is there since then: what waited for it longer is not late. */
  follows(sample: Sample, since: number): boolean {
    return sample.copies++ % copiesEach === 0 && sample.at >= since
  }

  /** That copy has been handed to its transport. */
  delivered({ at }: Sample): void {
    this.#observer?.observe(this.#now() - at)
  }
}

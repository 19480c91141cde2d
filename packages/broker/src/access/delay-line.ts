// Logins that wait because others of their address have failed, and cost nothing more than that: a bounded number of them.

import { LoginQueue, type QueueLimits, type Waiting } from "./login-queue.ts"
import type { CheckerMeans } from "./password-checker.ts"

export interface Delayed {
  /** See source.ts. */
  readonly source: string
  /** Milliseconds. */
  readonly delay: number
  readonly abandoned: () => boolean
  /** It is its turn. */
  readonly go: () => void
  /** Called in the place of `go`; also after it, when it throws. */
  readonly refuse: (why: Undone) => void
}

/** There was no room for it, its client has gone, or something threw. */
export type Undone = "busy" | "gone" | "failed"

interface Entry extends Waiting {
  readonly delayed: Delayed
}

export class DelayLine {
  readonly #means: Pick<CheckerMeans, "now" | "after" | "fault">
  readonly #queue: LoginQueue<Entry>
  #wakesAt = Number.POSITIVE_INFINITY

  constructor(means: Pick<CheckerMeans, "now" | "after" | "fault">, limits: QueueLimits) {
    this.#means = means
    this.#queue = new LoginQueue(limits)
  }

  /** Calls `go` or `refuse`, now or later. */
  add(delayed: Delayed): void {
    const entry: Entry = { source: delayed.source, notBefore: this.#means.now() + delayed.delay, delayed }
    let refused = this.#queue.add(entry, true)
    if (refused !== undefined) {
      // Clients that have gone make room.
      const gone = [...this.#queue].filter((one) => one.delayed.abandoned())
      for (const one of gone) this.#queue.remove(one)
      for (const one of gone) this.#refuse(one, "gone")
      if (gone.length > 0) refused = this.#queue.add(refused, true)
    }
    if (refused !== undefined) this.#refuse(refused, "busy")
    this.#wakeLater()
  }

  #wakeLater(): void {
    const at = this.#queue.nextAt
    if (at === undefined || at >= this.#wakesAt) return
    this.#wakesAt = at
    this.#means.after(Math.max(0, at - this.#means.now()), () => this.#wake(at))
  }

  /** The boundary around what the timer calls. */
  #wake(at: number): void {
    try {
      if (this.#wakesAt !== at) return
      this.#wakesAt = Number.POSITIVE_INFINITY
      this.#work()
    } catch (error) {
      this.#means.fault(error)
      // Nobody would look at them any more.
      for (const one of [...this.#queue]) {
        this.#queue.remove(one)
        this.#refuse(one, "failed")
      }
    }
  }

  #work(): void {
    for (;;) {
      const entry = this.#queue.next(this.#means.now())
      if (entry === undefined) break
      try {
        if (entry.delayed.abandoned()) this.#refuse(entry, "gone")
        else entry.delayed.go()
      } catch (error) {
        this.#means.fault(error)
        this.#refuse(entry, "failed")
      }
    }
    this.#wakeLater()
  }

  /** One that cannot be told does not keep the others from it. */
  #refuse({ delayed }: Entry, why: Undone): void {
    try {
      delayed.refuse(why)
    } catch (error) {
      this.#means.fault(error)
    }
  }
}

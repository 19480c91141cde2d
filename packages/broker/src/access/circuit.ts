// Whether a server is there at all: after some calls in a row that did not reach it nobody is asked any more for a while, and
// then one call tries. A server that is reached and answers late, or wrongly, is there: one client's question cannot close
// the way of the others.

/** Calls in a row. */
const failuresToOpen = 5
/** Milliseconds of the first pause; each further one is twice as long, up to the longest. */
const firstPause = 1000
const longestPause = 30_000

export class Circuit {
  readonly #now: () => number
  /** From 0 to 1. */
  readonly #chance: () => number
  #failures = 0
  #pauses = 0
  #opensAt = Number.NEGATIVE_INFINITY
  #trying = false

  constructor(now: () => number, chance: () => number) {
    this.#now = now
    this.#chance = chance
  }

  /** Whether a call may be made; of one that may, `reached` or `missed` is to be called. */
  enter(): boolean {
    if (this.#failures < failuresToOpen) return true
    if (this.#trying || this.#now() < this.#opensAt) return false
    this.#trying = true
    return true
  }

  get isOpen(): boolean {
    return this.#failures >= failuresToOpen
  }

  /** Milliseconds until the next try. */
  get pause(): number {
    return Math.max(0, Math.round(this.#opensAt - this.#now()))
  }

  /** The server is there. True when it was not before. */
  reached(): boolean {
    const was = this.isOpen
    this.#failures = 0
    this.#pauses = 0
    this.#trying = false
    return was
  }

  /** True when it is from now on that nobody is asked. */
  missed(): boolean {
    const was = this.isOpen
    this.#trying = false
    this.#failures++
    if (!this.isOpen) return false
    // Those that were under way when it opened count as one.
    if (was && this.#now() < this.#opensAt) return false
    const pause = Math.min(longestPause, firstPause * 2 ** Math.min(this.#pauses++, 10))
    this.#opensAt = this.#now() + pause * (0.75 + 0.25 * this.#chance())
    return !was
  }
}

/** Milliseconds over which a budget holds. */
export const pauseWindow = 10_000

/**
 * How long one publisher may be held up for subscribers that do not keep up, for all of them together: at most `maximum`
 * milliseconds in any 10 seconds. Half may be used at once, and half comes back evenly over the window.
 */
export class PauseBudget {
  readonly #most: number
  #left: number
  #since: number

  constructor(maximum: number, now: number) {
    this.#most = maximum / 2
    this.#left = this.#most
    this.#since = now
  }

  /** Milliseconds that may be used now. */
  left(now: number): number {
    this.#left = Math.min(this.#most, this.#left + ((now - this.#since) * this.#most) / pauseWindow)
    this.#since = now
    return this.#left
  }

  use(milliseconds: number, now: number): void {
    this.#left = Math.max(0, this.left(now) - milliseconds)
  }
}

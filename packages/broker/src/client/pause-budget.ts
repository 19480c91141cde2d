import type { Limits } from "../session/limits.ts"

/** Milliseconds over which a budget holds. */
export const pauseWindow = 10_000

/**
 * How long one publisher may be held up for subscribers that do not keep up, for all of them together: at most
 * `maximumPublisherPause` milliseconds in any 10 seconds. Half may be used at once, and half comes back evenly over the window.
 */
export class PauseBudget {
  readonly #limits: Pick<Limits, "maximumPublisherPause">
  #used = 0
  #since: number

  /** @param limits those of the moment: they may change */
  constructor(limits: Pick<Limits, "maximumPublisherPause">, now: number) {
    this.#limits = limits
    this.#since = now
  }

  get #most(): number {
    return this.#limits.maximumPublisherPause / 2
  }

  /** Milliseconds that may be used now. */
  left(now: number): number {
    this.#used = Math.max(0, this.#used - ((now - this.#since) * this.#most) / pauseWindow)
    this.#since = now
    return Math.max(0, this.#most - this.#used)
  }

  use(milliseconds: number, now: number): void {
    this.#used += Math.min(milliseconds, this.left(now))
  }
}

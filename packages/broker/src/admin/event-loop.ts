// How late timers are: while the loop is busy nobody is served.

import type { Observer } from "../ports/timings.ts"

/** Milliseconds between two looks. */
export const lookEach = 100
/** A stop counts for each look that it has swallowed, as a client sees it that comes at any time; but for no more of them. */
const mostLooks = 600

export class EventLoopDelay {
  readonly #observer: Observer
  #due: number

  /** @param now milliseconds: when the first look is `lookEach` away */
  constructor(observer: Observer, now: number) {
    this.#observer = observer
    this.#due = now + lookEach
  }

  /** Called by a timer that asks for `lookEach`. @param now milliseconds */
  look(now: number): void {
    // A timer may come a fraction of a millisecond early.
    let late = Math.max(0, now - this.#due)
    this.#due = now + lookEach
    for (let looks = 0; looks < mostLooks; looks++) {
      this.#observer.observe(late)
      if (late <= lookEach) return
      late -= lookEach
    }
  }
}

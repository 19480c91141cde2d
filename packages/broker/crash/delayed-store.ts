// A store that answers late: between a turn's coming and its being kept, and between that and the answer, time passes.

import type { Change } from "../src/packet/change.ts"
import { Pause } from "../src/ports/pause.ts"
import type { Committed, Restored, Store } from "../src/ports/store.ts"

export class DelayedStore implements Store {
  readonly #store: Store
  readonly #delay: () => number
  /** Turns are kept in their order, and answered in it. */
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  /** With a turn that fails those fail that wait behind it. */
  #failures = 0

  /** @param delay the next delay, in milliseconds */
  constructor(store: Store, delay: () => number) {
    this.#store = store
    this.#delay = delay
  }

  get lasting(): boolean {
    return this.#store.lasting
  }

  restore(visit: (change: Change) => void): Restored | Pause<Restored> {
    return this.#store.restore(visit)
  }

  full(more?: number): string | undefined {
    return this.#store.full(more)
  }

  mayGrow(bytes: number): boolean {
    return this.#store.mayGrow?.(bytes) ?? true
  }

  get largest(): number | undefined {
    return this.#store.largest
  }

  commit(turn: readonly Change[]): Committed | Pause<Committed> {
    const [before, after] = [this.#delay(), this.#delay()]
    if (before + after === 0 && this.#waiting === 0) return this.#store.commit(turn)
    const pause = new Pause<Committed>()
    this.#waiting++
    const failures = this.#failures
    const keep = async () => {
      await passed(before)
      const fails = { failed: "a turn before it was not kept" }
      const answer = this.#failures > failures ? fails : await answerOf(this.#store.commit(turn))
      if (answer !== "committed") this.#failures++
      await passed(after)
      this.#waiting--
      pause.answer(answer)
    }
    this.#last = this.#last.then(keep)
    return pause
  }

  close(): void | Pause<void> {
    const done = new Pause<void>()
    void this.#last.then(() => answerOf(this.#store.close())).then(() => done.answer(undefined))
    return done
  }
}

function answerOf<T>(answer: T | Pause<T>): Promise<T> {
  return new Promise((resolve) => {
    if (answer instanceof Pause) answer.onAnswer(resolve)
    else resolve(answer)
  })
}

function passed(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds === 0) resolve()
    else setTimeout(resolve, milliseconds)
  })
}

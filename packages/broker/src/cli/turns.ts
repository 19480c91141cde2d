// Work beside a broker that serves clients: in turns, and not again and again.

import type { Steps } from "../access/lines.ts"

/** Milliseconds of a turn. */
const longestTurn = 5

/** Does it with the loop's other work between the turns. Rejects with what it throws. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const until = performance.now() + longestTurn
    do {
      const { done, value } = steps.next()
      if (done === true) return value
    } while (performance.now() < until)
    await new Promise(setImmediate)
  }
}

/** Milliseconds: nobody who asks waits longer before it begins. */
const longestRest = 1000

/**
 * What is asked for again and again: once at a time, and once more for all who ask meanwhile. The second time is at once; who goes
 * on asking is served after rests that leave four fifths of the time to others, and wait for a second at most.
 */
export class Paced {
  readonly #work: () => Promise<void>
  #running = false
  #asked = false
  /** A rest. */
  #timer: NodeJS.Timeout | undefined
  /** The next time needs no rest before it. */
  #fresh = true
  #ended = false

  /** @param work does not reject */
  constructor(work: () => Promise<void>) {
    this.#work = work
  }

  ask(): void {
    this.#asked = true
    this.#goOn()
  }

  /** Nothing of it begins any more. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
  }

  #goOn(): void {
    if (!this.#asked || this.#running || this.#ended) return
    if (this.#timer !== undefined) {
      if (!this.#fresh) return
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#fresh = false
    }
    void this.#run()
  }

  async #run(): Promise<void> {
    this.#asked = false
    this.#running = true
    const began = performance.now()
    try {
      await this.#work()
    } finally {
      this.#running = false
    }
    const rest = Math.min(longestRest, 4 * (performance.now() - began))
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#fresh = !this.#asked
      this.#goOn()
    }, rest).unref()
    this.#goOn()
  }
}

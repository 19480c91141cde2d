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

/** What is asked for again and again: once at a time, and once more at most afterwards, whoever asks however often meanwhile. */
export class Paced {
  readonly #work: () => Promise<void>
  #running = false
  #asked = false
  #timer: NodeJS.Timeout | undefined
  #ended = false

  /** @param work does not reject */
  constructor(work: () => Promise<void>) {
    this.#work = work
  }

  ask(): void {
    this.#asked = true
    if (!this.#running && this.#timer === undefined) void this.#run()
  }

  /** Nothing of it begins any more. */
  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
  }

  async #run(): Promise<void> {
    if (this.#ended) return
    this.#asked = false
    this.#running = true
    const began = performance.now()
    try {
      await this.#work()
    } finally {
      this.#running = false
    }
    // Four fifths of the time are for others.
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        if (this.#asked) void this.#run()
      },
      4 * (performance.now() - began),
    ).unref()
  }
}

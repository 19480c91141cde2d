// So many questions are with the servers at a time, and no more: others wait for their turn, in their order.

import { Pause } from "../ports/pause.ts"

export class Slots {
  readonly #most: number
  #taken = 0
  #waiting: (() => void)[] = []
  #first = 0
  #going = false

  /** @param most that are asked at once */
  constructor(most: number) {
    this.#most = most
  }

  /** How many are asked, and how many wait. */
  get taken(): number {
    return this.#taken
  }

  get waiting(): number {
    return this.#waiting.length - this.#first
  }

  /** Asks when it is its turn. A question is answered, whatever becomes of it, and never throws. */
  ask<Answer>(question: () => Pause<Answer>): Pause<Answer> {
    const done = new Pause<Answer>()
    this.#waiting.push(() => {
      question().onAnswer((answer) => {
        this.#taken--
        try {
          done.answer(answer)
        } finally {
          this.#goOn()
        }
      })
    })
    this.#goOn()
    return done
  }

  /** Answers may come at once. */
  #goOn(): void {
    if (this.#going) return
    this.#going = true
    // Whoever is told an answer may throw: the others have their turn all the same.
    try {
      while (this.#taken < this.#most && this.#first < this.#waiting.length) {
        this.#taken++
        this.#waiting[this.#first++]!()
      }
    } finally {
      this.#going = false
    }
    if (this.#first * 2 < this.#waiting.length) return
    this.#waiting = this.#waiting.slice(this.#first)
    this.#first = 0
  }
}

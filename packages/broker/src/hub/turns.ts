// The turns in which connections are served. A turn ends with one `flush`: what it has changed is given to the store as one, what
// was written leaves as far as that is committed, and who has waited is read on, or sent what waits for it.

import type { Router } from "../routing/router.ts"
import type { TurnBudget } from "./budget.ts"
import type { Chores } from "./chores.ts"
import type { Journal } from "./journal.ts"
import type { Output } from "./output.ts"
import type { Publications } from "./publications.ts"
import type { RetainedMessages } from "./retained.ts"
import type { Waiting } from "./waiting.ts"

/** Whose work a turn is made of. */
export interface TurnsNeeds {
  readonly budget: TurnBudget
  readonly chores: Chores
  readonly journal: Journal
  readonly output: Output
  readonly publications: Publications
  readonly retained: RetainedMessages
  readonly router: Router
  readonly waiting: Waiting
  readonly now: () => number
  /** Asks that `flush` be called at the end of the current turn. */
  readonly schedule: () => void
}

export class Turns {
  readonly #needs: TurnsNeeds
  #scheduled = false
  /** The turn has not ended, as a message is on its way to sessions that are away. */
  #turnStays = false
  /** The copies that were to be made in turns to come when the last flush was over. */
  #lateBefore: object | undefined

  constructor(needs: TurnsNeeds) {
    this.#needs = needs
  }

  /** There is something to be done at the end of the turn. */
  askForFlush(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    try {
      this.#needs.schedule()
    } catch (error) {
      this.#scheduled = false
      throw error
    }
  }

  /** Sends what this turn has written and lets paused connections read on. */
  flush(now: number): void {
    const { budget, chores, journal, output, publications, retained, router, waiting } = this.#needs
    this.#scheduled = false
    publications.endFaulty(now)
    const ended = this.#endLongTurn(now)
    chores.run()
    router.deliverLate()
    retained.send(now)
    const stayed = this.#turnStays
    this.#endTurn(now)
    output.flush(now)
    if (stayed && !this.#turnStays) waiting.committed(output.committed(now))
    retained.again()
    const { late } = router
    this.#lateBefore = late
    if (retained.due || chores.due || output.due || late !== undefined) this.askForFlush()
    budget.begin(waiting.resuming)
    waiting.send(now)
    if (!journal.behind) waiting.caughtUp()
    // Who is read on while copies are made has them made at once; but nobody waits behind one message after the other.
    if (late === undefined || ended) waiting.resume(now)
    budget.begin(waiting.resuming)
  }

  /**
   * One message may keep a turn open for a while, and not one after the other: everybody's answers wait for its end. Nor when the
   * store has enough to do with it. True when one has ended.
   */
  #endLongTurn(now: number): boolean {
    const { journal, output, router, waiting } = this.#needs
    if (!this.#turnStays || (router.late === this.#lateBefore && !journal.behind)) return false
    router.deliverLate(Number.POSITIVE_INFINITY)
    this.#endTurn(now)
    waiting.committed(output.committed(now))
    return true
  }

  /** A turn has all copies of a message, or none: it ends when the last one is made. */
  #endTurn(now: number): void {
    this.#turnStays = this.#needs.router.late !== undefined
    if (!this.#turnStays) this.#needs.journal.endTurn(now)
  }

  /** The store has answered about a turn, later: what depends on it leaves, and the next one is given to it. */
  committed(): void {
    const now = this.#needs.now()
    this.#endTurn(now)
    this.#needs.waiting.committed(this.#needs.output.committed(now))
    this.askForFlush()
  }

  /** The store can keep again what it could not. */
  recovered(): void {
    this.#needs.waiting.recovered()
    this.committed()
  }
}

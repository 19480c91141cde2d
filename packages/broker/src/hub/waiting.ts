// Connections that wait, each for something of its own: a subscriber, the rate they may publish at, the store, or their turn.
// Each is read on, or sent what waits for it, when that has come; those first that have waited longest.

import type { Connection } from "../client/connection.ts"
import { leastWork, type TurnBudget } from "./budget.ts"
import { workPerTurn } from "./chores.ts"
import { Rationed } from "./rationed.ts"

/** What those who wait need of the hub. */
export interface WaitingNeeds {
  readonly budget: TurnBudget
  /** What has been done since the beginning, in the units of routing. */
  readonly work: () => number
  /** The boundary around one connection's work. */
  readonly bound: (connection: Connection, now: number, work: () => void) => void
  readonly askForFlush: () => void
  /** Asks that `wake` be called in so many milliseconds. */
  readonly wakeAfter: (milliseconds: number) => void
}

export class Waiting {
  readonly #needs: WaitingNeeds
  /** Publishers that wait for a subscriber. */
  readonly #held: Set<Connection> = new Set()
  /** Publishers that were faster than they may be. */
  readonly #rationed: Rationed
  /** Connections that are not read as nothing can be kept. */
  readonly #postponed: Set<Connection> = new Set()
  /** Connections that are not read as the store is far behind. */
  readonly #behind: Set<Connection> = new Set()
  /** Connections that may read on. */
  readonly #resuming: Set<Connection> = new Set()
  /** Connections with messages that have waited for them to send. */
  readonly #sending: Set<Connection> = new Set()

  constructor(needs: WaitingNeeds) {
    this.#needs = needs
    this.#rationed = new Rationed(needs.wakeAfter)
  }

  /** How many may read on. */
  get resuming(): number {
    return this.#resuming.size
  }

  hold(connection: Connection, milliseconds: number): void {
    this.#held.add(connection)
    this.#needs.wakeAfter(milliseconds + 1) // a timer may be early by a fraction
  }

  ration(connection: Connection, milliseconds: number, now: number): void {
    this.#rationed.add(connection, milliseconds, now)
  }

  postpone(connection: Connection): void {
    this.#postponed.add(connection)
  }

  forStore(connection: Connection): void {
    this.#behind.add(connection)
  }

  resumeSoon(connection: Connection): void {
    this.#held.delete(connection)
    this.#resuming.add(connection)
    this.#needs.askForFlush()
  }

  pumpSoon(connection: Connection): void {
    this.#sending.add(connection)
    this.#needs.askForFlush()
  }

  /** The connection has ended. */
  closed(connection: Connection): void {
    this.#behind.delete(connection)
    this.#postponed.delete(connection)
    this.#sending.delete(connection)
    this.#held.delete(connection)
    this.#rationed.delete(connection)
    this.#resuming.delete(connection)
  }

  /** Ends the pauses of publishers that are over, those for subscribers and those of their own rate. */
  wake(now: number): void {
    for (const connection of this.#held) this.#needs.bound(connection, now, () => connection.endPause(now))
    this.rationed(now)
  }

  /** Reads on where a connection has waited long enough for what it published too fast. */
  rationed(now: number): void {
    this.#rationed.wake(now, (connection) => {
      let left = 0
      this.#needs.bound(connection, now, () => {
        left = connection.rationed(now)
      })
      return left
    })
  }

  /** Things can be kept again. */
  recovered(): void {
    for (const connection of this.#postponed) this.resumeSoon(connection)
    this.#postponed.clear()
  }

  /** The store is not far behind any more. */
  caughtUp(): void {
    for (const connection of this.#behind) this.#resuming.add(connection)
    this.#behind.clear()
  }

  /** What these were to send waited for the store, and has left. */
  committed(connections: Iterable<Connection>): void {
    for (const connection of connections) if (connection.phase === "connected") this.#resuming.add(connection)
  }

  /** Half a turn for sending what waits for those whose turn was over. */
  send(now: number): void {
    if (this.#sending.size === 0) return
    const { askForFlush, bound, budget, work } = this.#needs
    // Who is not done goes behind the others.
    const waiting = [...this.#sending]
    const end = work() + workPerTurn
    budget.sendEach = Math.max(leastWork, Math.floor(workPerTurn / waiting.length))
    try {
      for (const connection of waiting) {
        if (work() >= end) break
        if (this.#sending.delete(connection)) bound(connection, now, () => connection.sendOn(now))
      }
    } finally {
      budget.sendEach = undefined
    }
    if (this.#sending.size > 0) askForFlush()
  }

  /** Lets paused connections read on; many dear ones have several turns. */
  resume(now: number): void {
    const { askForFlush, bound, budget } = this.#needs
    // Who comes in again meanwhile has its turn after this one.
    const waiting = [...this.#resuming]
    for (const cheap of [true, false]) {
      for (const connection of waiting) {
        if (budget.over(cheap)) break
        if (connection.cheap !== cheap || !this.#resuming.delete(connection)) continue
        bound(connection, now, () => connection.resume(now))
      }
    }
    if (this.#resuming.size > 0) askForFlush()
  }
}

import type { Connection } from "../client/connection.ts"

/** Milliseconds: so often at most are they looked at. */
const grain = 20

/** Connections that have published faster than they may, and are not read from until that is made up for. */
export class Rationed {
  readonly #waiting: Set<Connection> = new Set()
  readonly #wakeAfter: (milliseconds: number) => void
  #due = Number.POSITIVE_INFINITY

  constructor(wakeAfter: (milliseconds: number) => void) {
    this.#wakeAfter = wakeAfter
  }

  add(connection: Connection, milliseconds: number, now: number): void {
    this.#waiting.add(connection)
    const due = Math.ceil((now + milliseconds) / grain) * grain
    if (due >= this.#due) return
    this.#due = due
    // A tick comes once a second; and a timer may be early by a fraction.
    if (milliseconds <= 1000) this.#wakeAfter(due - now + 1)
  }

  delete(connection: Connection): void {
    this.#waiting.delete(connection)
  }

  /** `each` says how many milliseconds a connection still has to wait. */
  wake(now: number, each: (connection: Connection) => number): void {
    if (now < this.#due) return
    this.#due = Number.POSITIVE_INFINITY
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const connection of waiting) {
      const left = each(connection)
      if (left > 0) this.add(connection, left, now)
    }
  }
}

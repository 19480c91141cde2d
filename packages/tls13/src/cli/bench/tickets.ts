// The tickets of resumed handshakes, each used once (RFC 9846 appendix C.4). Every connection brings new ones; when a server gives
// none on resumption, full handshakes are made in between for their tickets alone, and counted.

import type { Attempt } from "./engine.ts"

/** What is beyond it is of no use: the newest are kept. */
const mostKept = 10_000

export class Tickets<Ticket> {
  readonly #wanted: boolean
  readonly #connect: (keep: (ticket: Ticket) => void) => Promise<Attempt>
  readonly #kept: Ticket[] = []
  /** Promised to attempts that are prepared. */
  #reserved = 0
  primings = 0

  /** @param connect makes a full handshake, and gives its tickets to `keep` */
  constructor(wanted: boolean, connect: (keep: (ticket: Ticket) => void) => Promise<Attempt>) {
    this.#wanted = wanted
    this.#connect = connect
  }

  /** Reserves one for the next `take`. */
  prepare(): Promise<void> | undefined {
    if (!this.#wanted) return undefined
    if (this.#kept.length <= this.#reserved) return this.#prime()
    this.#reserved++
    return undefined
  }

  take(): Ticket | undefined {
    if (!this.#wanted) return undefined
    this.#reserved = Math.max(0, this.#reserved - 1)
    return this.#kept.shift()
  }

  keep(ticket: Ticket): void {
    if (!this.#wanted) return
    this.#kept.push(ticket)
    if (this.#kept.length > mostKept) this.#kept.shift()
  }

  async #prime(): Promise<void> {
    this.primings++
    let got = 0
    const { failure } = await this.#connect((ticket) => {
      got++
      this.keep(ticket)
    })
    if (failure !== undefined) throw new Error(`the full handshake before it: ${failure}`)
    if (got === 0) throw new Error("the server gave no ticket: it does not resume sessions")
    this.#reserved++
  }
}

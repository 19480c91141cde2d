// The tickets of resumed handshakes. Each is used once (RFC 9846 appendix C.4) where a resumed connection brings a new one. Where it
// brings none (OpenSSL under node:tls, say), one ticket is used again and again, as openssl s_time does: else every other handshake
// would be a full one that is made for its tickets alone, and the server's CPU time would be that of both. 0-RTT cannot do that, as
// a server takes early data with a ticket once; there full handshakes are made in between, and counted.

import type { Attempt } from "./engine.ts"

/** What is beyond it is of no use: the newest are kept. */
const mostKept = 10_000

export class Tickets<Ticket> {
  readonly #use: "never" | "once" | "again"
  readonly #connect: (keep: (ticket: Ticket) => void) => Promise<Attempt>
  readonly #kept: Ticket[] = []
  /** Used from now on, whenever there is no other. */
  #again: Ticket | undefined
  #first: Ticket | undefined
  /** Promised to attempts that are prepared. */
  #reserved = 0
  primings = 0

  /**
   * @param use `again`: as often as need be, when resumption brings no new ones
   * @param connect makes a full handshake, and gives its tickets to `keep`
   */
  constructor(use: "never" | "once" | "again", connect: (keep: (ticket: Ticket) => void) => Promise<Attempt>) {
    this.#use = use
    this.#connect = connect
  }

  /** One ticket is used for many handshakes. */
  get isReused(): boolean {
    return this.#again !== undefined
  }

  /** Reserves one for the next `take`. */
  prepare(): Promise<void> | undefined {
    if (this.#use === "never" || this.#again !== undefined) return undefined
    this.#reserved++
    return this.#kept.length < this.#reserved ? this.#prime() : undefined
  }

  take(): Ticket | undefined {
    if (this.#again !== undefined) return this.#again
    this.#reserved = Math.max(0, this.#reserved - 1)
    const ticket = this.#kept.shift()
    this.#first ??= ticket
    return ticket
  }

  /** The first resumed connection is over. @param brought how many tickets came with it */
  looked(brought: number): void {
    if (this.#use === "again" && brought === 0) this.#again = this.#first
  }

  keep(ticket: Ticket): void {
    if (this.#use === "never" || this.#again !== undefined) return
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
    if (got > 0) return
    this.#reserved--
    throw new Error(
      failure === undefined
        ? "the server gave no ticket: it does not resume sessions"
        : `the full handshake before it: ${failure}`,
    )
  }
}

// Connections that the system has for a server: those that are there are taken before the first of them begins its handshake.

import type { Duplex } from "node:stream"
import type { HandshakeGate } from "../handshake-gate.ts"

/** Connections that are taken before the first of them begins, and milliseconds. */
const mostArrivals = 1024
const arrivalTime = 50

export class Arrivals {
  readonly #gate: HandshakeGate
  readonly #admit: (raw: Duplex) => void
  readonly #failed: (cause: unknown) => void
  readonly #nextTurn: (work: () => void) => void
  #taken: Duplex[] = []

  /** @param admit lets one in; it never throws. @param failed is told of a defect of ours, and never throws either */
  constructor(
    gate: HandshakeGate,
    admit: (raw: Duplex) => void,
    failed: (cause: unknown) => void,
    nextTurn: (work: () => void) => void,
  ) {
    this.#nextTurn = nextTurn
    this.#gate = gate
    this.#admit = admit
    this.#failed = failed
  }

  /**
   * Node takes one connection from the system each time round its loop. With a handshake begun each time, all others would
   * wait in the system's queue, where the last address comes last: so first those that are there are taken, for a moment.
   */
  add(raw: Duplex): void {
    this.#taken.push(raw)
    if (this.#taken.length > 1) return
    this.#gate.hold()
    const begun = performance.now()
    const settle = (seen: number) => {
      const { length } = this.#taken
      const more = length > seen && length < mostArrivals && performance.now() - begun < arrivalTime
      if (more) soon(length)
      else this.#admitAll()
    }
    const soon = (seen: number) =>
      this.#nextTurn(() => {
        try {
          settle(seen)
        } catch (cause) {
          this.#failed(cause)
          this.#admitAll() // nobody is left standing
        }
      })
    soon(0)
  }

  #admitAll(): void {
    const taken = this.#taken.splice(0)
    this.#gate.resume()
    for (const each of taken) this.#admit(each)
  }

  /** None of them is let in any more. */
  clear(): void {
    for (const raw of this.#taken.splice(0)) raw.destroy()
  }
}

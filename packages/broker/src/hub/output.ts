// What was written for clients on its way to their transports: at the end of a turn, when the Changes that it depends on are
// committed, and in turns where there is much of it.

import type { Connection } from "../client/connection.ts"

/** Bytes that go to transports before the end of a turn; TLS takes some 15 milliseconds for them. */
const earlyBytes = 1_048_576
/** Output of a connection that never waits for a later turn, in bytes. */
const littleOutput = 4096
/** Milliseconds of a turn for output that is more. */
const outputTime = 20

/** What output needs of the hub. */
export interface OutputNeeds {
  readonly now: () => number
  /** The boundary around one connection's work. */
  readonly bound: (connection: Connection, now: number, work: () => void) => void
}

export class Output {
  readonly #needs: OutputNeeds
  /** Connections with output. */
  #dirty: Connection[] = []
  /** Those whose output waits for a later turn, as it is much; those first that have waited longest. */
  #much: Connection[] = []
  /** Those whose output waits for the store. */
  readonly #uncommitted: Set<Connection> = new Set()
  /** Bytes that have gone to transports before the end of this turn. */
  #early = 0

  constructor(needs: OutputNeeds) {
    this.#needs = needs
  }

  /** The connection has output for the end of the turn. */
  dirty(connection: Connection): void {
    this.#dirty.push(connection)
  }

  /** Whether so many bytes may go to a transport before the turn ends; they count. */
  mayFlush(bytes: number): boolean {
    if (this.#early >= earlyBytes) return false
    this.#early += bytes
    return true
  }

  /** Something waits for a later turn. */
  get due(): boolean {
    return this.#much.length > 0
  }

  /**
   * Hands to transports what was written. TLS encrypts it at once, so where there is much it goes in turns: little ones, the
   * one that has waited longest, and then those with least, as many as there is time for.
   */
  flush(now: number): void {
    const dirty = this.#dirty
    this.#dirty = []
    let done = 0
    try {
      for (; done < dirty.length; done++) {
        const connection = dirty[done]!
        if (connection.outflow.waiting > littleOutput) this.#much.push(connection)
        else this.#flush(connection, now)
      }
      if (this.#much.length > 0) this.#flushMuch(now)
    } finally {
      // Where something threw the others have not had their turn.
      if (done < dirty.length) this.#dirty = [...dirty.slice(done), ...this.#dirty]
    }
    this.#early = 0
  }

  #flushMuch(now: number): void {
    const end = this.#needs.now() + outputTime
    const [first, ...others] = this.#much
    const rest = others.map((connection) => ({ connection, bytes: connection.outflow.waiting }))
    rest.sort((a, b) => a.bytes - b.bytes)
    const left = new Set(this.#much)
    for (const connection of [first!, ...rest.map(({ connection }) => connection)]) {
      if (connection !== first && this.#needs.now() >= end) break
      this.#flush(connection, now)
      left.delete(connection)
    }
    this.#much = [...left].filter(({ outflow }) => !outflow.done)
    for (const { outflow } of this.#much) outflow.account()
  }

  #flush(connection: Connection, now: number): void {
    this.#needs.bound(connection, now, () => connection.flush(now))
    if (connection.outflow.waits) this.#uncommitted.add(connection)
    else this.#uncommitted.delete(connection)
  }

  /** The store has failed: connections that have ended, and wait for it only, end now. */
  failed(): void {
    for (const connection of this.#uncommitted) {
      if (connection.phase !== "closed") continue
      this.#uncommitted.delete(connection)
      this.#needs.bound(connection, this.#needs.now(), () => connection.outflow.giveUp())
    }
  }

  /** More is committed: what waited for it leaves. Returns whose output that was. */
  committed(now: number): readonly Connection[] {
    const waited = [...this.#uncommitted]
    for (const connection of waited) this.#flush(connection, now)
    return waited
  }
}

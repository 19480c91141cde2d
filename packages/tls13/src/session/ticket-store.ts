// Stateful tickets: "a database lookup key" (RFC 9846 section 4.7.1). Each is used once (section 8.1), so that not even
// 0-RTT data comes in twice, and the PSK is forgotten once it has served.

import { copyOf } from "../bytes/copy.ts"
import { bytesToLatin1 } from "../bytes/text.ts"
import { draw } from "../crypto/draw.ts"
import type { RandomSource } from "../crypto/provider.ts"
import { decodeSession, encodeSession } from "./serialize.ts"
import { isExpired, type ServerSession, type Ticketer } from "./session.ts"

export interface MemoryTicketStoreOptions {
  readonly random: RandomSource
  /**
   * Bytes that the sessions may take, each with 400 for its place in the store. When they are used up the oldest session
   * goes: its client makes a full handshake. Default 16 MiB: some 33,000 sessions without client certificates.
   */
  readonly maxBytes?: number
}

/** Bytes of a ticket: a random name that nobody can guess. */
const ticketLength = 32
/** Bytes that the name, the map's entry and the array's own objects take, rounded up from what an engine (V8) was seen to use. */
const placeOfSession = 400

interface Stored {
  readonly session: Uint8Array
  readonly expiresAt: number
}

/** For one process. Servers that are to resume each other's sessions implement `Ticketer` over a store with an atomic "take". */
export class MemoryTicketStore implements Ticketer {
  readonly #random: RandomSource
  readonly #maxBytes: number
  /** In order of issue. */
  readonly #sessions = new Map<string, Stored>()
  #bytes = 0

  constructor(options: MemoryTicketStoreOptions) {
    this.#random = options.random
    this.#maxBytes = options.maxBytes ?? 16 * 1024 * 1024
  }

  /** Sessions held. */
  get size(): number {
    return this.#sessions.size
  }

  /** Bytes used, counted as `maxBytes` is. */
  get bytes(): number {
    return this.#bytes
  }

  /** undefined for a session that alone is larger than the store: no ticket is sent then. */
  seal(session: ServerSession, now: number): Uint8Array | undefined {
    const written = encodeSession(session)
    // A copy of its own length: what was written to is longer.
    const encoded = copyOf(written)
    written.fill(0)
    if (encoded.length + placeOfSession > this.#maxBytes) {
      encoded.fill(0)
      return undefined
    }
    const ticket = draw(this.#random, ticketLength)
    this.#sessions.set(bytesToLatin1(ticket), { session: encoded, expiresAt: now + session.ticketLifetime * 1000 })
    this.#bytes += encoded.length + placeOfSession
    for (const [name, { expiresAt }] of this.#sessions) {
      if (expiresAt >= now && this.#bytes <= this.#maxBytes) break
      this.#remove(name)
    }
    return ticket
  }

  /** Takes the session away: "deleting each ticket from the database as it is used" (section 8.1). */
  open(ticket: Uint8Array, now: number): ServerSession | undefined {
    if (ticket.length !== ticketLength) return undefined
    const name = bytesToLatin1(ticket)
    const stored = this.#sessions.get(name)
    if (stored === undefined) return undefined
    const session = decodeSession(stored.session)
    this.#remove(name)
    return session && isExpired(session, now) ? undefined : session
  }

  #remove(name: string): void {
    const { session } = this.#sessions.get(name)!
    this.#sessions.delete(name)
    this.#bytes -= session.length + placeOfSession
    // The PSK is in it.
    session.fill(0)
  }
}

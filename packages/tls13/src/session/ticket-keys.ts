// Stateless tickets: the session encrypted to ourselves (RFC 9846 section 4.7.1: "a self-encrypted and
// self-authenticated value").

import type { Aead, RandomSource } from "../crypto/provider.ts"
import { KeyRing, type SealingKey } from "./key-ring.ts"
import { decodeSession, encodeSession } from "./serialize.ts"
import type { ServerSession, Ticketer } from "./session.ts"

/** Plain data, to be stored or sent to other servers over a safe way: who has it can read and forge tickets. */
export type TicketKey = SealingKey

export interface TicketKeyRingOptions {
  /** Seals the tickets: the AEAD of one of the provider's suites, AES-256-GCM or ChaCha20-Poly1305 say. */
  readonly aead: Aead
  readonly random: RandomSource
  /** Milliseconds that a key seals tickets for; it opens them twice as long. Default 12 hours. */
  readonly rotateAfter?: number
  /** Keys to begin with, in any order; none: the first is made when it is needed. */
  readonly keys?: readonly TicketKey[]
}

const twelveHours = 12 * 3600 * 1000

export class TicketKeyRing implements Ticketer {
  readonly #ring: KeyRing

  /** @throws RangeError for a key of a wrong length */
  constructor({ aead, random, rotateAfter = twelveHours, keys = [] }: TicketKeyRingOptions) {
    this.#ring = new KeyRing({ aead, random, rotateAfter, keys, purpose: "ticket" })
  }

  /** The keys as they are now, newest first: for other servers of the fleet, or for the next start. */
  get keys(): readonly TicketKey[] {
    return this.#ring.keys
  }

  /** Adds keys of another server to ours; those that we have are left alone. @throws RangeError for a key of a wrong length */
  load(keys: readonly TicketKey[]): void {
    this.#ring.load(keys)
  }

  seal(session: ServerSession, now: number): Uint8Array {
    const plaintext = encodeSession(session)
    const ticket = this.#ring.seal(plaintext, now)
    plaintext.fill(0)
    return ticket
  }

  open(ticket: Uint8Array, now: number): ServerSession | undefined {
    const plaintext = this.#ring.open(ticket, now)
    if (plaintext === undefined) return undefined
    // Only we can have sealed it, so what it holds is what we wrote.
    const session = decodeSession(plaintext)
    plaintext.fill(0)
    return session
  }
}

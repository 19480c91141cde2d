// Stateless tickets: the session encrypted to ourselves (RFC 9846 section 4.7.1: "a self-encrypted and
// self-authenticated value").

import type { Aead, Hash, RandomSource } from "../crypto/provider.ts"
import { DerivedKeys, oneHour, oneMinute, type SharedSecret } from "./derived-keys.ts"
import { KeyRing, type SealingKey } from "./key-ring.ts"
import type { Sealer } from "./sealed-form.ts"
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
    return sealTicket(this.#ring, session, now)
  }

  open(ticket: Uint8Array, now: number): ServerSession | undefined {
    return openTicket(this.#ring, ticket, now)
  }
}

export interface DerivedTicketKeysOptions {
  /** Seals the tickets, as those of a ring; the same on all servers that share the secret. */
  readonly aead: Aead
  /** Of HKDF; the same on all of them, too. SHA-256 say. */
  readonly hash: Hash
  readonly random: RandomSource
  readonly secrets: readonly SharedSecret[]
  /** Milliseconds that a key seals tickets for, 1,000 or more; the same on all of them. Default 1 hour. */
  readonly period?: number
  /** Seconds that a ticket is opened for, at most 604800; the longest `ticketLifetime` of the servers. Default 7200. */
  readonly lifetime?: number
  /** Milliseconds that clocks of the servers may differ. Default 1 minute. */
  readonly skew?: number
}

/** Keys that each server of a fleet derives by itself, from a secret that they share; see docs/ticket-keys.md. */
export class DerivedTicketKeys implements Ticketer {
  readonly #keys: DerivedKeys

  /** @throws RangeError for no secret, one of less than 32 bytes, and times that make more than 1,024 keys of one */
  constructor(options: DerivedTicketKeysOptions) {
    const { lifetime = 7200, period = oneHour, skew = oneMinute, ...given } = options
    this.#keys = new DerivedKeys({ ...given, period, skew, lifetime: lifetime * 1000, purpose: "ticket" })
  }

  /** Tickets of secrets that are not among these are no longer known. @throws RangeError as the constructor, and goes on with what there was */
  replace(secrets: readonly SharedSecret[]): void {
    this.#keys.replace(secrets)
  }

  seal(session: ServerSession, now: number): Uint8Array {
    return sealTicket(this.#keys, session, now)
  }

  open(ticket: Uint8Array, now: number): ServerSession | undefined {
    return openTicket(this.#keys, ticket, now)
  }
}

function sealTicket(sealer: Sealer, session: ServerSession, now: number): Uint8Array {
  const plaintext = encodeSession(session)
  const ticket = sealer.seal(plaintext, now)
  plaintext.fill(0)
  return ticket
}

function openTicket(sealer: Sealer, ticket: Uint8Array, now: number): ServerSession | undefined {
  const plaintext = sealer.open(ticket, now)
  if (plaintext === undefined) return undefined
  // Only we can have sealed it, so what it holds is what we wrote.
  const session = decodeSession(plaintext)
  plaintext.fill(0)
  return session
}

// Stateless tickets: the session encrypted to ourselves (RFC 9846 section 4.7.1: "a self-encrypted and
// self-authenticated value"; the form is that of RFC 5077 section 4). Keys rotate by themselves, and a ring of them can
// be shared, so that any server of a fleet resumes what another began.

import { equalBytes } from "../bytes/equal.ts"
import { Writer } from "../bytes/writer.ts"
import type { Aead, AeadKey, RandomSource } from "../crypto/provider.ts"
import { decodeSession, encodeSession } from "./serialize.ts"
import type { ServerSession, Ticketer } from "./session.ts"

/** Plain data, to be stored or sent to other servers over a safe way: who has it can read and forge tickets. */
export interface TicketKey {
  /** 16 random bytes that tell which key sealed a ticket. */
  readonly name: Uint8Array
  /** As long as the AEAD's key. */
  readonly key: Uint8Array
  /** Milliseconds since 1970: seals tickets from then on, until a newer key does. */
  readonly createdAt: number
}

export interface TicketKeyRingOptions {
  /** Seals the tickets: the AEAD of one of the provider's suites, AES-256-GCM or ChaCha20-Poly1305 say. */
  readonly aead: Aead
  readonly random: RandomSource
  /** Milliseconds that a key seals tickets for; it opens them twice as long. Default 12 hours. */
  readonly rotateAfter?: number
  /** Keys to begin with, in any order; none: the first is made when it is needed. */
  readonly keys?: readonly TicketKey[]
}

interface ReadyKey extends TicketKey {
  readonly ready: AeadKey
}

const nameLength = 16

export class TicketKeyRing implements Ticketer {
  readonly #aead: Aead
  readonly #random: RandomSource
  readonly #rotateAfter: number
  /** Newest first. */
  #keys: ReadyKey[] = []

  constructor(options: TicketKeyRingOptions) {
    this.#aead = options.aead
    this.#random = options.random
    this.#rotateAfter = options.rotateAfter ?? 12 * 3600 * 1000
    this.load(options.keys ?? [])
  }

  /** The keys as they are now, newest first: for other servers of the fleet, or for the next start. */
  get keys(): readonly TicketKey[] {
    return this.#keys.map(({ name, key, createdAt }) => ({ name: name.slice(), key: key.slice(), createdAt }))
  }

  /** Adds keys of another server to ours; those that we have are left alone. @throws RangeError for a key of a wrong length */
  load(keys: readonly TicketKey[]): void {
    for (const { name, key, createdAt } of keys) {
      if (name.length !== nameLength || key.length !== this.#aead.keyLength) {
        throw new RangeError(`a ticket key has a name of ${nameLength} bytes and ${this.#aead.keyLength} bytes of key`)
      }
      if (this.#keys.some((known) => equalBytes(known.name, name))) continue
      this.#keys.push({ name: name.slice(), key: key.slice(), createdAt, ready: this.#aead.key(key) })
    }
    this.#keys.sort((a, b) => b.createdAt - a.createdAt)
  }

  seal(session: ServerSession, now: number): Uint8Array {
    const { name, ready } = this.#sealingKey(now)
    const nonce = this.#random(this.#aead.nonceLength)
    const plaintext = encodeSession(session)
    const ticket = new Writer(nameLength + nonce.length + plaintext.length + this.#aead.tagLength)
    ticket.bytes(name).bytes(nonce)
    const { buffer, at } = ticket.reserve(plaintext.length + this.#aead.tagLength)
    ready.seal(nonce, name, plaintext, buffer, at)
    plaintext.fill(0)
    return ticket.finish()
  }

  open(ticket: Uint8Array, now: number): ServerSession | undefined {
    this.#dropOldKeys(now)
    const { nonceLength, tagLength } = this.#aead
    if (ticket.length < nameLength + nonceLength + tagLength) return undefined
    const name = ticket.subarray(0, nameLength)
    const key = this.#keys.find((known) => equalBytes(known.name, name))
    if (key === undefined) return undefined
    const nonce = ticket.subarray(nameLength, nameLength + nonceLength)
    const ciphertext = ticket.subarray(nameLength + nonceLength)
    const plaintext = new Uint8Array(ciphertext.length - tagLength)
    if (key.ready.open(nonce, name, ciphertext, plaintext, 0) < 0) return undefined
    // Only we can have sealed it, so what it holds is what we wrote.
    const session = decodeSession(plaintext)
    plaintext.fill(0)
    return session
  }

  #sealingKey(now: number): ReadyKey {
    this.#dropOldKeys(now)
    const newest = this.#keys[0]
    if (newest !== undefined && now - newest.createdAt < this.#rotateAfter) return newest
    this.load([{ name: this.#random(nameLength), key: this.#random(this.#aead.keyLength), createdAt: now }])
    return this.#keys[0]!
  }

  #dropOldKeys(now: number): void {
    const kept = this.#keys.filter(({ createdAt }) => now - createdAt < 2 * this.#rotateAfter)
    for (const old of this.#keys) {
      if (kept.includes(old)) continue
      old.ready.wipe()
      old.key.fill(0)
    }
    this.#keys = kept
  }
}

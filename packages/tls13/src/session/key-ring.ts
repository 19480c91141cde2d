// Values that a server seals for itself and gets back from clients: tickets (RFC 9846 section 4.7.1) and cookies (section
// 4.3.2). Keys are random and rotate by themselves, and a ring of them can be shared, so that any server of a fleet opens what
// another sealed. Where servers share a secret in place of the keys: derived-keys.ts.

import { copyOf } from "../bytes/copy.ts"
import { equalBytes } from "../bytes/equal.ts"
import { draw } from "../crypto/draw.ts"
import type { Aead, AeadKey, RandomSource } from "../crypto/provider.ts"
import { nameLength, SealedForm, type Sealer } from "./sealed-form.ts"

/** Plain data, to be stored or sent to other servers over a safe way: who has it can read and forge what it seals. */
export interface SealingKey {
  /** 16 random bytes that tell which key sealed a value. */
  readonly name: Uint8Array
  /** As long as the AEAD's key. */
  readonly key: Uint8Array
  /** Milliseconds since 1970: seals from then on, until a newer key does. */
  readonly createdAt: number
}

export interface KeyRingOptions {
  /** The AEAD of one of the provider's suites, AES-256-GCM or ChaCha20-Poly1305 say. */
  readonly aead: Aead
  readonly random: RandomSource
  /** Milliseconds that a key seals for; it opens twice as long. */
  readonly rotateAfter: number
  /** Keys to begin with, in any order; none: the first is made when it is needed. */
  readonly keys: readonly SealingKey[]
  /** What the values are, ASCII: one sealed as something else does not open, though the key is the same. */
  readonly purpose: string
}

interface ReadyKey extends SealingKey {
  readonly ready: AeadKey
}

export class KeyRing implements Sealer {
  readonly #aead: Aead
  readonly #random: RandomSource
  readonly #rotateAfter: number
  readonly #form: SealedForm
  /** Newest first. */
  #keys: ReadyKey[] = []

  /** @throws RangeError for a key of a wrong length */
  constructor(options: KeyRingOptions) {
    this.#aead = options.aead
    this.#random = options.random
    this.#rotateAfter = options.rotateAfter
    this.#form = new SealedForm(options.aead, options.random, options.purpose)
    this.load(options.keys)
  }

  /** The keys as they are now, newest first: for other servers of the fleet, or for the next start. */
  get keys(): readonly SealingKey[] {
    return this.#keys.map(({ name, key, createdAt }) => ({ name: copyOf(name), key: copyOf(key), createdAt }))
  }

  /** Adds keys of another server to ours; those that we have are left alone. @throws RangeError for a key of a wrong length */
  load(keys: readonly SealingKey[]): void {
    for (const { name, key, createdAt } of keys) {
      if (name.length !== nameLength || key.length !== this.#aead.keyLength) {
        throw new RangeError(`a ticket key has a name of ${nameLength} bytes and ${this.#aead.keyLength} bytes of key`)
      }
      if (this.#keys.some((known) => equalBytes(known.name, name))) continue
      this.#keys.push({ name: copyOf(name), key: copyOf(key), createdAt, ready: this.#aead.key(key) })
    }
    this.#keys.sort((a, b) => b.createdAt - a.createdAt)
  }

  seal(plaintext: Uint8Array, now: number): Uint8Array {
    const { name, ready } = this.#sealingKey(now)
    return this.#form.seal(name, ready, plaintext)
  }

  open(sealed: Uint8Array, now: number): Uint8Array | undefined {
    this.#dropOldKeys(now)
    return this.#form.open(sealed, (name) => this.#keys.find((known) => equalBytes(known.name, name))?.ready)
  }

  #sealingKey(now: number): ReadyKey {
    this.#dropOldKeys(now)
    return this.#currentKey(now) ?? this.#makeKey(now)
  }

  #currentKey(now: number): ReadyKey | undefined {
    return this.#keys.find(({ createdAt }) => Math.abs(now - createdAt) < this.#rotateAfter)
  }

  #makeKey(now: number): ReadyKey {
    this.load([{ name: draw(this.#random, nameLength), key: draw(this.#random, this.#aead.keyLength), createdAt: now }])
    return this.#keys.find(({ createdAt }) => createdAt === now)!
  }

  /** Old, or of a time far ahead, when a clock was wrong: such a key would seal until that time has come. */
  #dropOldKeys(now: number): void {
    const kept = this.#keys.filter(({ createdAt }) => Math.abs(now - createdAt) < 2 * this.#rotateAfter)
    for (const old of this.#keys) {
      if (kept.includes(old)) continue
      old.ready.wipe()
      old.key.fill(0)
    }
    this.#keys = kept
  }
}

// Ticket keys in the habit of node:tls: one Buffer that servers of a fleet share; or, in their place, a value that has its own.

import { copyOf } from "../../bytes/copy.ts"
import { Misuse } from "../../bytes/errors.ts"
import type { Pause } from "../../bytes/pause.ts"
import { Reader } from "../../bytes/reader.ts"
import { Writer } from "../../bytes/writer.ts"
import { draw } from "../../crypto/draw.ts"
import type { Aead, CryptoProvider } from "../../crypto/provider.ts"
import type { ServerSession, Ticketer } from "../../session/session.ts"
import { type TicketKey, TicketKeyRing } from "../../session/ticket-keys.ts"

const nameLength = 16
const entryLength = nameLength + 32 + 8
/** Keys of before that still open tickets: a ring that is changed again and again must not grow. */
const mostKept = 15
/** node:tls takes 48 random bytes of one's own making; here up to three of these may stand behind each other. */
const bareLength = 48
const mostBare = 3

export class TicketRing implements Ticketer {
  readonly #provider: CryptoProvider
  /** Milliseconds; undefined: as rings do. */
  #rotateAfter: number | undefined
  #ring: TicketKeyRing
  /** Seals and opens in the place of the ring. */
  #given: Ticketer | undefined

  constructor(provider: CryptoProvider, keys: Uint8Array | Ticketer | undefined) {
    this.#provider = provider
    ;[this.#ring, this.#given] = this.#make(keys)
  }

  /** All keys as they are now: for other servers, or for the next start. @throws Misuse */
  export(): Buffer {
    this.#mustBeOwn("known to")
    // A ring makes its first key when it needs one.
    if (this.#ring.keys.length === 0) this.#ring.load([freshKey(this.#provider, Date.now())])
    const writer = new Writer(3 * entryLength)
    for (const { name, key, createdAt } of this.#ring.keys) {
      writer
        .bytes(name)
        .bytes(key)
        .uint32(Math.floor(createdAt / 2 ** 32))
        .uint32(Math.floor(createdAt) % 2 ** 32)
    }
    return Buffer.from(writer.finish())
  }

  /** Tickets of keys that are not among these are no longer known. @throws Misuse */
  replace(keys: Uint8Array | Ticketer): void {
    ;[this.#ring, this.#given] = this.#make(keys)
  }

  /** Tickets are sealed by a new key. With `forget` those of the keys before are no longer known. @throws Misuse */
  rotate(forget: boolean): void {
    this.#mustBeOwn("changed by")
    const kept = forget ? [] : this.#ring.keys
    // The newest seals: two changes within a millisecond are two.
    const newest = kept[0]?.createdAt ?? 0
    const fresh = freshKey(this.#provider, Math.max(Date.now(), newest + 1))
    this.#ring = this.#ringOf([fresh, ...kept.slice(0, mostKept)])
  }

  seal(session: ServerSession, now: number): Uint8Array | undefined {
    return (this.#given ?? this.#ring).seal(session, now)
  }

  open(ticket: Uint8Array, now: number): ServerSession | undefined | Pause<ServerSession | undefined> {
    return (this.#given ?? this.#ring).open(ticket, now)
  }

  #mustBeOwn(how: string): void {
    if (this.#given !== undefined) throw new Misuse(`this server's ticket keys are ${how} the value that it was given`)
  }

  #make(keys: Uint8Array | Ticketer | undefined): [TicketKeyRing, Ticketer | undefined] {
    return keys === undefined || keys instanceof Uint8Array
      ? [this.#ringWith(keys), undefined]
      : [this.#ringOf([]), keys]
  }

  #ringWith(bytes: Uint8Array | undefined): TicketKeyRing {
    // Keys that somebody made by hand are changed by hand.
    const bare = (bytes?.length ?? 0) / bareLength
    const isBare = Number.isInteger(bare) && bare >= 1 && bare <= mostBare
    this.#rotateAfter = isBare ? Number.POSITIVE_INFINITY : undefined
    if (bytes === undefined) return this.#ringOf([])
    if (!isBare) return this.#ringOf(readKeys(bytes))
    return this.#ringOf(Array.from({ length: bare }, (_, i) => bareKey(bytes.subarray(i * bareLength), -i)))
  }

  #ringOf(keys: readonly TicketKey[]): TicketKeyRing {
    const after = this.#rotateAfter
    const common = { aead: ticketAead(this.#provider), random: this.#provider.random, keys }
    return new TicketKeyRing({ ...common, ...(after !== undefined && { rotateAfter: after }) })
  }
}

function ticketAead({ cipherSuites, name }: CryptoProvider): Aead {
  const suite = cipherSuites.find(({ aead }) => aead.keyLength === 32)
  if (suite === undefined)
    throw new Misuse(`tickets need AES-256-GCM or ChaCha20-Poly1305; the provider ${name} has neither`)
  return suite.aead
}

function freshKey({ random }: CryptoProvider, now: number): TicketKey {
  return { name: draw(random, nameLength), key: draw(random, 32), createdAt: now }
}

/** @param createdAt the newest of them seals, the others still open */
function bareKey(bytes: Uint8Array, createdAt: number): TicketKey {
  return { name: bytes.subarray(0, nameLength), key: bytes.subarray(nameLength, bareLength), createdAt }
}

function readKeys(bytes: Uint8Array): TicketKey[] {
  if (bytes.length === 0 || bytes.length % entryLength !== 0) {
    throw new Misuse(
      `ticketKeys has ${bytes.length} bytes; it must be 48 random ones, two or three times as many, or what getTicketKeys() gave`,
    )
  }
  const reader = new Reader(bytes, "ticketKeys")
  const keys: TicketKey[] = []
  while (reader.remaining > 0) {
    const [name, key] = [copyOf(reader.bytes(nameLength)), copyOf(reader.bytes(32))]
    keys.push({ name, key, createdAt: reader.uint32() * 2 ** 32 + reader.uint32() })
  }
  return keys
}

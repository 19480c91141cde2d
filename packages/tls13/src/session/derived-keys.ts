// Keys that every server of a fleet derives by itself: from a secret that they share, another for each period of time. None of
// them has to be sent when it changes, and a server that was away for a while has those of now.
//
//   PRK  = HKDF-Extract(0, secret)                                        RFC 5869 section 2.2; the salt is Hash.length zeros
//   key  = HKDF-Expand-Label(PRK, purpose " key", start, key length)      RFC 9846 section 7.1
//   name = HKDF-Expand-Label(PRK, purpose " name", start, 16)
//
// where `start` is when the period begins, a multiple of its length, in milliseconds since 1970: 8 bytes, big-endian.
// Who has the secret has all keys of before and after: it is to be replaced, too, and the old one forgotten.

import { bytesToLatin1 } from "../bytes/text.ts"
import { Writer } from "../bytes/writer.ts"
import type { Aead, AeadKey, Hash, HmacKey, RandomSource } from "../crypto/provider.ts"
import { expandLabel, hkdfExtract } from "../schedule/labels.ts"
import { nameLength, SealedForm, type Sealer } from "./sealed-form.ts"

/** Plain data, to be sent to other servers over a safe way: who has it can read and forge what keys of it seal. */
export interface SharedSecret {
  /** 32 random bytes or more. */
  readonly secret: Uint8Array
  /** Milliseconds since 1970: seals from then on, until a newer one does. */
  readonly from: number
}

export interface DerivedKeysOptions {
  readonly aead: Aead
  /** Of HKDF. */
  readonly hash: Hash
  readonly random: RandomSource
  /** One or more, in any order: the newest that has begun seals, all open. */
  readonly secrets: readonly SharedSecret[]
  /** Milliseconds that a key seals for, 1,000 or more. */
  readonly period: number
  /** Milliseconds that a value is opened for after it was sealed. */
  readonly lifetime: number
  /** Milliseconds that clocks may differ: the next key opens so long before its period, an old one so long after its time. */
  readonly skew: number
  /** What the values are, ASCII: it goes into the derivation and into each value. */
  readonly purpose: string
}

export const oneHour: number = 3600 * 1000
export const oneMinute: number = 60 * 1000
const shortestSecret = 32
/** Keys of one secret that may be wanted at a time. */
const mostKeys = 1024

interface PeriodKey {
  readonly name: Uint8Array
  /** Made when it is first wanted. */
  key: AeadKey | undefined
}

interface Source {
  readonly prk: HmacKey
  readonly from: number
  /** By the number of the period. */
  readonly periods: Map<number, PeriodKey>
}

export class DerivedKeys implements Sealer {
  readonly #options: DerivedKeysOptions
  readonly #form: SealedForm
  /** Newest first. */
  #sources: readonly Source[] = []
  /** By the names of all keys that open now. */
  readonly #known = new Map<string, { readonly source: Source; readonly period: number }>()
  /** Numbers of the first and last period whose keys are known. */
  #range: readonly [number, number] = [0, -1]

  /** @throws RangeError for no secret, one that is too short, and times that make too many keys */
  constructor(options: DerivedKeysOptions) {
    const { aead, lifetime, period, purpose, random, skew } = options
    const [first, last] = rangeOf(options, lifetime + skew + period)
    if (!(Number.isInteger(period) && period >= 1000 && lifetime >= 0 && skew >= 0 && last - first < mostKeys)) {
      throw new RangeError(
        `keys of ${period} ms for ${lifetime} ms, with clocks ${skew} ms apart: a period is a whole number of 1,000 ms or more, and ${mostKeys} keys are most`,
      )
    }
    this.#options = options
    this.#form = new SealedForm(aead, random, purpose)
    this.replace(options.secrets)
  }

  /** @throws RangeError, and goes on with what there was */
  replace(secrets: readonly SharedSecret[]): void {
    if (secrets.length === 0) throw new RangeError("a shared secret is needed to derive keys from")
    for (const { secret } of secrets) {
      if (secret.length >= shortestSecret) continue
      throw new RangeError(`a shared secret has ${secret.length} bytes; it needs ${shortestSecret} random ones or more`)
    }
    this.#forget(() => true)
    for (const { prk } of this.#sources) prk.wipe()
    this.#sources = secrets.map((secret) => this.#sourceOf(secret)).sort((a, b) => b.from - a.from)
    this.#range = [0, -1]
  }

  seal(plaintext: Uint8Array, now: number): Uint8Array {
    this.#moveTo(now)
    // None has begun: this clock is behind that of who made it.
    const source = this.#sources.find(({ from }) => from <= now) ?? this.#sources.at(-1)!
    const period = numberOf(now, this.#options.period)
    return this.#form.seal(source.periods.get(period)!.name, this.#keyOf(source, period), plaintext)
  }

  open(sealed: Uint8Array, now: number): Uint8Array | undefined {
    this.#moveTo(now)
    return this.#form.open(sealed, (name) => {
      const found = this.#known.get(bytesToLatin1(name))
      return found && this.#keyOf(found.source, found.period)
    })
  }

  #sourceOf({ secret, from }: SharedSecret): Source {
    const { hash } = this.#options
    const prk = hkdfExtract(hash, new Uint8Array(hash.length), secret)
    const source = { prk: hash.hmac(prk), from, periods: new Map<number, PeriodKey>() }
    prk.fill(0)
    return source
  }

  /** The names of all keys that open at this time are known, and no others. */
  #moveTo(now: number): void {
    const [first, last] = rangeOf(this.#options, now)
    if (first === this.#range[0] && last === this.#range[1]) return
    this.#range = [first, last]
    this.#forget((period) => period < first || period > last)
    for (const source of this.#sources) {
      for (let period = first; period <= last; period++) {
        if (source.periods.has(period)) continue
        const name = this.#derive(source, "name", period, nameLength)
        source.periods.set(period, { name, key: undefined })
        this.#known.set(bytesToLatin1(name), { source, period })
      }
    }
  }

  #keyOf(source: Source, period: number): AeadKey {
    const at = source.periods.get(period)!
    if (at.key === undefined) {
      const { aead } = this.#options
      const key = this.#derive(source, "key", period, aead.keyLength)
      at.key = aead.key(key)
      key.fill(0)
    }
    return at.key
  }

  #derive({ prk }: Source, what: "key" | "name", period: number, length: number): Uint8Array {
    const { hash, purpose, period: milliseconds } = this.#options
    const start = period * milliseconds
    const context = new Writer(8)
      .uint32(Math.floor(start / 2 ** 32))
      .uint32(start % 2 ** 32)
      .finish()
    return expandLabel(hash, prk, `${purpose} ${what}`, context, length)
  }

  #forget(isOld: (period: number) => boolean): void {
    for (const { periods } of this.#sources) {
      for (const [period, { key, name }] of periods) {
        if (!isOld(period)) continue
        key?.wipe()
        periods.delete(period)
        this.#known.delete(bytesToLatin1(name))
      }
    }
  }
}

function numberOf(time: number, period: number): number {
  // Whatever a clock says, there is a period.
  return Math.min(2 ** 40, Math.max(0, Math.floor(time / period) || 0))
}

function rangeOf({ lifetime, period, skew }: DerivedKeysOptions, now: number): readonly [number, number] {
  return [numberOf(now - lifetime - skew, period), numberOf(now + skew, period)]
}

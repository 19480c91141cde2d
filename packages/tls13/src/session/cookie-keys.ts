// Cookies of a stateless HelloRetryRequest (RFC 9846 section 4.3.2), sealed by keys that rotate by themselves and that the
// servers of a fleet can share: any of them takes the second ClientHello.

import { Reader } from "../bytes/reader.ts"
import { Writer } from "../bytes/writer.ts"
import type { Aead, Hash, RandomSource } from "../crypto/provider.ts"
import { DerivedKeys, oneHour, oneMinute, type SharedSecret } from "./derived-keys.ts"
import { KeyRing, type SealingKey } from "./key-ring.ts"
import type { Sealer } from "./sealed-form.ts"
import { readTime, writeTime } from "./serialize.ts"
import type { CookieSealer } from "./session.ts"

export interface CookieKeyRingOptions {
  /** Seals the cookies: the AEAD of one of the provider's suites. */
  readonly aead: Aead
  readonly random: RandomSource
  /** Milliseconds that a client may take to come back with a cookie. Default 30 seconds. */
  readonly lifetime?: number
  /** Milliseconds that a key seals cookies for. Default 1 hour. */
  readonly rotateAfter?: number
  /** Keys to begin with, in any order; none: the first is made when it is needed. */
  readonly keys?: readonly SealingKey[]
}

export class CookieKeyRing implements CookieSealer {
  readonly #ring: KeyRing
  readonly #lifetime: number

  /** @throws RangeError for a key of a wrong length */
  constructor(options: CookieKeyRingOptions) {
    const { aead, random, lifetime = 30_000, rotateAfter = 3600 * 1000, keys = [] } = options
    this.#ring = new KeyRing({ aead, random, rotateAfter, keys, purpose: "cookie" })
    this.#lifetime = lifetime
  }

  /** The keys as they are now, newest first: for other servers of the fleet. */
  get keys(): readonly SealingKey[] {
    return this.#ring.keys
  }

  /** Adds keys of another server to ours. @throws RangeError for a key of a wrong length */
  load(keys: readonly SealingKey[]): void {
    this.#ring.load(keys)
  }

  seal(content: Uint8Array, now: number): Uint8Array {
    return sealCookie(this.#ring, content, now)
  }

  open(cookie: Uint8Array, now: number): Uint8Array | "expired" | undefined {
    return openCookie(this.#ring, this.#lifetime, cookie, now)
  }
}

export interface DerivedCookieKeysOptions {
  /** Seals the cookies; this, `hash` and `period` are the same on all servers that share the secret. */
  readonly aead: Aead
  readonly hash: Hash
  readonly random: RandomSource
  readonly secrets: readonly SharedSecret[]
  /** Milliseconds that a client may take to come back with a cookie. Default 30 seconds. */
  readonly lifetime?: number
  /** Milliseconds that a key seals cookies for, 1,000 or more. Default 1 hour. */
  readonly period?: number
  /** Milliseconds that clocks of the servers may differ. Default 1 minute. */
  readonly skew?: number
}

/** Keys that each server of a fleet derives by itself; the secrets may be those of its tickets. See docs/ticket-keys.md. */
export class DerivedCookieKeys implements CookieSealer {
  readonly #keys: DerivedKeys
  readonly #lifetime: number

  /** @throws RangeError as `DerivedTicketKeys` does */
  constructor(options: DerivedCookieKeysOptions) {
    const { lifetime = 30_000, period = oneHour, skew = oneMinute, ...given } = options
    this.#keys = new DerivedKeys({ ...given, period, skew, lifetime, purpose: "cookie" })
    this.#lifetime = lifetime
  }

  /** @throws RangeError as the constructor, and goes on with what there was */
  replace(secrets: readonly SharedSecret[]): void {
    this.#keys.replace(secrets)
  }

  seal(content: Uint8Array, now: number): Uint8Array {
    return sealCookie(this.#keys, content, now)
  }

  open(cookie: Uint8Array, now: number): Uint8Array | "expired" | undefined {
    return openCookie(this.#keys, this.#lifetime, cookie, now)
  }
}

function sealCookie(sealer: Sealer, content: Uint8Array, now: number): Uint8Array {
  const writer = new Writer(6 + content.length)
  writeTime(writer, now)
  return sealer.seal(writer.bytes(content).finish(), now)
}

function openCookie(
  sealer: Sealer,
  lifetime: number,
  cookie: Uint8Array,
  now: number,
): Uint8Array | "expired" | undefined {
  const opened = sealer.open(cookie, now)
  if (opened === undefined) return undefined
  const reader = new Reader(opened, "cookie")
  // The clocks of two servers may differ a little, so a cookie of the near future is as good as one of the past.
  return Math.abs(now - readTime(reader)) > lifetime ? "expired" : reader.rest()
}

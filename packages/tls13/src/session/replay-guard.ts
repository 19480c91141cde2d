// Single use of 0-RTT ClientHellos: RFC 9846 section 8.2, "Client Hello Recording", keyed by the PSK binder.

import { bytesToLatin1 } from "../bytes/text.ts"
import type { ReplayGuard } from "./session.ts"

export interface MemoryReplayGuardOptions {
  /**
   * Entries held; when so many have not expired, 0-RTT is refused rather than let through unseen. Default 65536,
   * which take some 80 bytes each: 6 MB at most.
   */
  readonly entries?: number
  /**
   * Milliseconds since 1970. Needed where ticket keys outlive the process: what a process before this one took is not
   * known here, so 0-RTT is refused until none of it can be fresh any more. Default: there was none before.
   */
  readonly startedAt?: number
}

/** For one process. Servers that share tickets must share a guard too: implement `ReplayGuard` over a store with an atomic "set if absent". */
export class MemoryReplayGuard implements ReplayGuard {
  readonly #entries: number
  readonly #startedAt: number
  /** Key to expiry, in order of arrival. */
  readonly #taken = new Map<string, number>()
  /** When an entry was forgotten last. A clock that goes back to before it would make fresh what is not known any more. */
  #forgottenAt = Number.NEGATIVE_INFINITY

  constructor(options: MemoryReplayGuardOptions = {}) {
    this.#entries = options.entries ?? 65_536
    this.#startedAt = options.startedAt ?? Number.NEGATIVE_INFINITY
  }

  get size(): number {
    return this.#taken.size
  }

  take(key: Uint8Array, expiresAt: number, now: number): boolean {
    this.#forgetExpired(now)
    if (now < this.#forgottenAt) return false
    // "When implementations are freshly started, they SHOULD reject 0-RTT as long as any portion of their recording window
    // overlaps the startup time." The window is what `expiresAt` is ahead of `now`.
    if (now < this.#startedAt + (expiresAt - now)) return false
    // 16 bytes of a binder, which is a MAC, are as unlikely to collide as a guess at a 128-bit key.
    const name = bytesToLatin1(key.subarray(0, 16))
    if (this.#taken.has(name) || this.#taken.size >= this.#entries) return false
    this.#taken.set(name, expiresAt)
    return true
  }

  /** Arrival order is expiry order, as one server gives all its entries the same time to live. */
  #forgetExpired(now: number): void {
    for (const [name, expiresAt] of this.#taken) {
      if (expiresAt > now) return
      this.#taken.delete(name)
      this.#forgottenAt = now
    }
  }
}

// Logins that wait for their password to be checked, in a fair order: one address after the other, and of one address by
// turns the one that has waited longest and the newest. Addresses that have failed lately stand in a line of their own, and
// the lines have their turns one after the other. So neither a crowd of addresses that guess passwords nor many logins of
// one address keep another out: a login is next but one at its address, however many came before it.

import type { Limits } from "../session/limits.ts"

export interface Waiting {
  /** See source.ts. */
  readonly source: string
  /** Milliseconds of the clock before which its turn does not come. */
  readonly notBefore: number
}

export type QueueLimits = Pick<Limits, "maximumWaitingLogins" | "maximumWaitingLoginsPerAddress">

interface Source<T> {
  readonly waiting: T[]
  newest: boolean
}

export class LoginQueue<T extends Waiting> {
  readonly #limits: QueueLimits
  /** In the order of their turns: addresses without a failure, then those with one. */
  readonly #lines: readonly [Map<string, Source<T>>, Map<string, Source<T>>] = [new Map(), new Map()]
  #turn: 0 | 1 = 0
  #size = 0

  /** @param limits those of the moment: they may change */
  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#size
  }

  /**
   * Puts a login into the queue; `failed` says whether its address has failed lately. Returns the one for which there is no room: undefined for none, the new one itself when its
   * address has as many waiting as it may, and when all places are taken the newest of the address that has most, of those
   * that have failed first.
   */
  add(login: T, failed = false): T | undefined {
    const own = this.#find(login.source)?.waiting.length ?? 0
    if (own >= this.#limits.maximumWaitingLoginsPerAddress) return login
    let displaced: T | undefined
    if (this.#size >= this.#limits.maximumWaitingLogins) {
      const clean = !failed && !this.#lines[1].has(login.source)
      const [cleanOnes, failedOnes] = this.#lines
      displaced = clean
        ? (newestOfMost(failedOnes.values(), 0) ?? newestOfMost(cleanOnes.values(), own + 1))
        : newestOfMost(failedOnes.values(), own + 1)
      if (displaced === undefined) return login
      this.remove(displaced)
    }
    let source = this.#find(login.source)
    if (source === undefined) {
      source = { waiting: [], newest: false }
      this.#lines[failed ? 1 : 0].set(login.source, source)
    }
    source.waiting.push(login)
    this.#size++
    return displaced
  }

  /** A login of this address has failed: the others that wait go into the other line. */
  failed(name: string): void {
    const source = this.#lines[0].get(name)
    if (source === undefined) return
    this.#lines[0].delete(name)
    this.#lines[1].set(name, source)
  }

  #find(name: string): Source<T> | undefined {
    return this.#lines[0].get(name) ?? this.#lines[1].get(name)
  }

  *#sources(): Generator<Source<T>> {
    for (const line of this.#lines) yield* line.values()
  }

  remove(login: T): void {
    const source = this.#find(login.source)
    const at = source?.waiting.indexOf(login) ?? -1
    if (source === undefined || at < 0) return
    source.waiting.splice(at, 1)
    this.#size--
    if (source.waiting.length === 0) for (const line of this.#lines) line.delete(login.source)
  }

  /** Takes out the login whose turn it is; undefined when none may be looked at yet. */
  next(now: number): T | undefined {
    this.#turn = this.#turn === 0 ? 1 : 0
    const [first, second] = this.#turn === 0 ? this.#lines : [this.#lines[1], this.#lines[0]]
    return this.#nextOf(first, now) ?? this.#nextOf(second, now)
  }

  #nextOf(line: Map<string, Source<T>>, now: number): T | undefined {
    for (const [name, source] of line) {
      const ready = source.waiting.filter((one) => now >= one.notBefore)
      const found = source.newest ? ready.at(-1) : ready[0]
      if (found === undefined) continue
      source.newest = !source.newest
      line.delete(name) // to the end of the line
      line.set(name, source)
      this.remove(found)
      return found
    }
    return undefined
  }

  /** When the next login may be looked at, in milliseconds of the clock; undefined when none waits. */
  get nextAt(): number | undefined {
    let at: number | undefined
    for (const { waiting } of this.#sources()) {
      for (const { notBefore } of waiting) if (at === undefined || notBefore < at) at = notBefore
    }
    return at
  }

  /** Those that wait. */
  *[Symbol.iterator](): Iterator<T> {
    for (const { waiting } of this.#sources()) yield* waiting
  }
}

/** The newest login of the address that has most, if it has more than `least`. */
function newestOfMost<T>(sources: Iterable<Source<T>>, least: number): T | undefined {
  let most: T[] | undefined
  for (const { waiting } of sources) if (waiting.length > (most?.length ?? least)) most = waiting
  return most?.at(-1)
}

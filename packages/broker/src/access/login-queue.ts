// Logins that wait for their password to be checked, in a fair order: one address after the other, and of one address by
// turns the one that has waited longest and the newest. So neither many addresses nor many logins of one address keep
// another out: a login is next but one at its address, however many came before it.

export interface Waiting {
  /** See source.ts. */
  readonly source: string
  /** Milliseconds of the clock before which its turn does not come. */
  readonly notBefore: number
}

interface Source<T> {
  readonly waiting: T[]
  newest: boolean
}

export class LoginQueue<T extends Waiting> {
  readonly #maximum: number
  readonly #maximumPerSource: number
  /** In the order of their turns. */
  readonly #sources: Map<string, Source<T>> = new Map()
  #size = 0

  constructor(maximum: number, maximumPerSource: number) {
    this.#maximum = maximum
    this.#maximumPerSource = maximumPerSource
  }

  get size(): number {
    return this.#size
  }

  /**
   * Puts a login into the queue. Returns the one for which there is no room: undefined for none, the new one itself when its
   * address has as many waiting as it may, and when all places are taken the newest of the address that has most.
   */
  add(login: T): T | undefined {
    const own = this.#sources.get(login.source)?.waiting.length ?? 0
    if (own >= this.#maximumPerSource) return login
    let displaced: T | undefined
    if (this.#size >= this.#maximum) {
      let most: Source<T> | undefined
      for (const one of this.#sources.values()) {
        if (one.waiting.length > (most?.waiting.length ?? 0)) most = one
      }
      if (most === undefined || most.waiting.length <= own + 1) return login
      displaced = most.waiting.at(-1)
      if (displaced !== undefined) this.remove(displaced)
    }
    let source = this.#sources.get(login.source)
    if (source === undefined) {
      source = { waiting: [], newest: false }
      this.#sources.set(login.source, source)
    }
    source.waiting.push(login)
    this.#size++
    return displaced
  }

  remove(login: T): void {
    const source = this.#sources.get(login.source)
    const at = source?.waiting.indexOf(login) ?? -1
    if (source === undefined || at < 0) return
    source.waiting.splice(at, 1)
    this.#size--
    if (source.waiting.length === 0) this.#sources.delete(login.source)
  }

  /** Takes out the login whose turn it is; undefined when none may be looked at yet. */
  next(now: number): T | undefined {
    for (const [name, source] of this.#sources) {
      const ready = source.waiting.filter((one) => now >= one.notBefore)
      const found = source.newest ? ready.at(-1) : ready[0]
      if (found === undefined) continue
      source.newest = !source.newest
      this.#sources.delete(name) // to the end of the line
      this.#sources.set(name, source)
      this.remove(found)
      return found
    }
    return undefined
  }

  /** When the next login may be looked at, in milliseconds of the clock; undefined when none waits. */
  get nextAt(): number | undefined {
    let at: number | undefined
    for (const { waiting } of this.#sources.values()) {
      for (const { notBefore } of waiting) if (at === undefined || notBefore < at) at = notBefore
    }
    return at
  }

  /** Those that wait. */
  *[Symbol.iterator](): Iterator<T> {
    for (const { waiting } of this.#sources.values()) yield* waiting
  }
}

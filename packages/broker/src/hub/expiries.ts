// Topics by the time at which their retained messages expire (MQTT 5.0 section 3.3.2.3.3), the earliest first: a binary heap. A
// topic whose message is another one now keeps its place until that time has come, or there are many such places.

interface Expiry {
  readonly at: number
  readonly topic: string
}

/** Places of messages that are others now: as many as there are messages, and these. */
const stale = 1000

export class Expiries {
  #heap: Expiry[] = []
  readonly #expiryOf: (topic: string) => number | undefined

  /** @param expiryOf when the message that a topic has expires */
  constructor(expiryOf: (topic: string) => number | undefined) {
    this.#expiryOf = expiryOf
  }

  /** Places in use. */
  get size(): number {
    return this.#heap.length
  }

  /** @param expiring how many messages there are that expire */
  add(topic: string, at: number, expiring: number): void {
    if (this.#heap.length > 2 * expiring + stale) this.#tidy()
    this.#put({ topic, at })
  }

  /** A topic whose time has come; its message may be another one. Undefined: there is none. */
  take(now: number): string | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.at > now) return undefined
    const last = this.#heap.pop()
    if (last !== undefined && last !== first) this.#sink(last)
    return first.topic
  }

  #tidy(): void {
    const there = new Map<string, Expiry>()
    for (const one of this.#heap) if (this.#expiryOf(one.topic) === one.at) there.set(one.topic, one)
    this.#heap = []
    for (const one of there.values()) this.#put(one)
  }

  #put(added: Expiry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(added)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]!
      if (parent.at <= added.at) break
      heap[at] = parent
      at = above
    }
    heap[at] = added
  }

  /** Puts it where the first was. */
  #sink(moved: Expiry): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      const left = heap[below]
      if (left === undefined) break
      const right = heap[below + 1]
      if (right !== undefined && right.at < left.at) below++
      const child = heap[below]!
      if (child.at >= moved.at) break
      heap[at] = child
      at = below
    }
    heap[at] = moved
  }
}

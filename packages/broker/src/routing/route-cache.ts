// What the router has found for topics, kept on the Topic objects until subscriptions change, up to a bound in bytes.

import type { Topic } from "../packet/topic.ts"

export class RouteCache {
  readonly #maximumBytes: number
  /** Oldest first. A Topic may be gone from everywhere else. */
  readonly #topics: Map<Topic, number> = new Map()
  #bytes = 0

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Keeps `routes`, which take about so many bytes with the topic, and forgets the oldest if there is too much then. */
  keep(topic: Topic, routes: object, bytes: number): void {
    this.#forget(topic)
    if (bytes > this.#maximumBytes) return
    topic.routes = routes
    this.#topics.set(topic, bytes)
    this.#bytes += bytes
    for (const oldest of this.#topics.keys()) {
      if (this.#bytes <= this.#maximumBytes) break
      this.#forget(oldest)
    }
  }

  /** Forgets all: each was kept once, so this costs no more than keeping did. */
  clear(): void {
    if (this.#topics.size === 0) return
    for (const topic of this.#topics.keys()) topic.routes = undefined
    this.#topics.clear()
    this.#bytes = 0
  }

  #forget(topic: Topic): void {
    const bytes = this.#topics.get(topic)
    if (bytes === undefined) return
    topic.routes = undefined
    this.#topics.delete(topic)
    this.#bytes -= bytes
  }
}

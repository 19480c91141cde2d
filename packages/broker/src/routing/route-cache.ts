// What the router has found for topics, kept on the Topic objects until subscriptions change, up to a bound in bytes.

import type { Topic } from "../packet/topic.ts"

interface Kept {
  readonly topic: Topic
  readonly routes: object
}

/** Two generations: when the younger one has half of the bytes, the older one is forgotten. */
export class RouteCache {
  readonly #maximumBytes: number
  #young: Kept[] = []
  #old: Kept[] = []
  #youngBytes = 0
  #oldBytes = 0

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes
  }

  get bytes(): number {
    return this.#youngBytes + this.#oldBytes
  }

  /** Keeps `routes`, which take about so many bytes with the topic; not what would take half of all by itself. */
  keep(topic: Topic, routes: object, bytes: number): void {
    const half = this.#maximumBytes / 2
    if (bytes > half) return
    if (this.#youngBytes + bytes > half) {
      forget(this.#old)
      this.#old = this.#young
      this.#oldBytes = this.#youngBytes
      this.#young = []
      this.#youngBytes = 0
    }
    topic.routes = routes
    this.#young.push({ topic, routes })
    this.#youngBytes += bytes
  }

  /** Forgets all: each was kept once, so this costs no more than keeping did. */
  clear(): void {
    if (this.#young.length === 0 && this.#old.length === 0) return
    forget(this.#old)
    forget(this.#young)
    this.#old = []
    this.#young = []
    this.#oldBytes = 0
    this.#youngBytes = 0
  }
}

function forget(kept: readonly Kept[]): void {
  for (const { topic, routes } of kept) if (topic.routes === routes) topic.routes = undefined
}

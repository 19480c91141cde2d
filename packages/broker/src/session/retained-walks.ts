// Retained messages of new subscriptions ([MQTT-3.3.1-9]): sent in slices, as the client takes them. Of those that wait
// their turn nothing is kept but where in the tree the first of them has come to.

import type { Message } from "../packet/message.ts"
import type { RetainedWalk } from "../routing/retained-tree.ts"
import type { Subscription } from "../routing/subscription.ts"

/** What the walks of all clients together may do in one turn. */
export const walkTurn = { steps: 4000, messages: 1000, bytes: 262_144 } as const

/** What is left of a slice. */
export interface Slice {
  steps: number
  messages: number
  bytes: number
}

interface Walking {
  subscription: Subscription
  readonly walk: RetainedWalk
  /** It outlives the connection. */
  kept: boolean
}

export class RetainedWalks {
  /** By the text of the filter, in the order of their subscriptions. */
  readonly #walks: Map<string, Walking> = new Map()
  #first: Walking | undefined
  /** Those after the first. One iterator for all of them: a new one would have to pass by all that have ended. */
  #rest: Iterator<Walking> = this.#walks.values()

  get size(): number {
    return this.#walks.size
  }

  /** Whose turn it is. */
  get first(): Subscription | undefined {
    return this.#current()?.subscription
  }

  /** The subscription's retained messages are to be sent, from the first on: a new one takes the place of its predecessor. */
  add(subscription: Subscription, walk: RetainedWalk, kept: boolean): void {
    this.remove(subscription.filter.text)
    this.#walks.set(subscription.filter.text, { subscription, walk, kept })
  }

  /** One is owed to this filter, and outlives the connection. */
  keeps(filter: string): boolean {
    return this.#walks.get(filter)?.kept === true
  }

  /** How many outlive the connection. */
  get keptCount(): number {
    let count = 0
    for (const { kept } of this.#walks.values()) if (kept) count++
    return count
  }

  /** The connection has ended. */
  disconnect(): void {
    for (const [filter, { kept }] of this.#walks) if (!kept) this.remove(filter)
  }

  /** What is still to be sent comes with the subscription that has taken the other's place. */
  replace(subscription: Subscription): void {
    const found = this.#walks.get(subscription.filter.text)
    if (found === undefined) return
    found.subscription = subscription
    found.kept &&= subscription.qos > 0
  }

  /** The subscription has ended. */
  remove(filter: string): void {
    const found = this.#walks.get(filter)
    if (found === undefined) return
    this.#walks.delete(filter)
    if (this.#first === found) this.#first = undefined
    found.walk.close()
  }

  /** Those that are owed retained messages. */
  *subscriptions(): Generator<Subscription> {
    for (const { subscription } of this.#walks.values()) yield subscription
  }

  clear(): void {
    for (const { walk } of this.#walks.values()) walk.close()
    this.#walks.clear()
    this.#first = undefined
  }

  /**
   * Sends while `may` says yes and something is left of the slice. Each call of `send` is one message, and false when there is no
   * room for it: then it comes again. Each call of `ended` is a walk that is kept and has come to its end.
   */
  run(
    slice: Slice,
    may: (subscription: Subscription) => boolean,
    send: (message: Message, subscription: Subscription) => boolean,
    ended: (filter: string) => void,
  ): void {
    for (let one = this.#current(); one !== undefined; one = this.#current()) {
      const { subscription, walk } = one
      if (slice.steps <= 0 || slice.messages <= 0 || slice.bytes <= 0 || !may(subscription)) return
      const message = walk.next(slice.steps)
      slice.steps -= walk.steps
      if (message !== undefined) {
        slice.messages--
        slice.bytes -= message.size
        if (!send(message, subscription)) {
          walk.back()
          return
        }
      }
      if (!walk.done) continue
      this.remove(subscription.filter.text)
      if (one.kept) ended(subscription.filter.text)
    }
  }

  #current(): Walking | undefined {
    while (this.#first === undefined && this.#walks.size > 0) {
      const next = this.#rest.next()
      if (next.done === true) this.#rest = this.#walks.values()
      else this.#first = next.value
    }
    return this.#first
  }
}

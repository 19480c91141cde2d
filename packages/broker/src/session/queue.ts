import type { Place } from "../packet/change.ts"
import type { Message } from "../packet/message.ts"
import type { Qos } from "../packet/packets.ts"
import type { Limits } from "./limits.ts"

/** A message that waits for a session. */
export interface Queued {
  readonly place: Place
  readonly message: Message
  readonly qos: Exclude<Qos, 0>
  readonly retain: boolean
  readonly identifiers: readonly number[]
  /** The filter of the Shared Subscription that it came by. */
  readonly share: string | undefined
}

/**
 * What becomes of a message for which the queue of its session has no room: it is dropped, or the oldest that wait are, or the
 * client that does not keep up is disconnected, and the message dropped.
 */
export type QueuePolicy = "drop-newest" | "drop-oldest" | "disconnect"

/** First in, first out, with a bound in messages and in bytes. */
export class MessageQueue {
  readonly #limits: Pick<Limits, "maximumQueuedMessages" | "maximumQueuedBytes">
  #items: (Queued | undefined)[] = []
  #head = 0
  #bytes = 0

  /** @param limits those of the moment: they may change */
  constructor(limits: Pick<Limits, "maximumQueuedMessages" | "maximumQueuedBytes">) {
    this.#limits = limits
  }

  get length(): number {
    return this.#items.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  /** More than half of either bound is in use. */
  get halfFull(): boolean {
    const { maximumQueuedMessages, maximumQueuedBytes } = this.#limits
    return this.length * 2 > maximumQueuedMessages || this.#bytes * 2 > maximumQueuedBytes
  }

  /** Less than a quarter of both bounds is in use. */
  get quiet(): boolean {
    const { maximumQueuedMessages, maximumQueuedBytes } = this.#limits
    return this.length * 4 < maximumQueuedMessages && this.#bytes * 4 < maximumQueuedBytes
  }

  /** Whether a message of so many bytes would stay within the bounds. */
  hasRoom(size: number): boolean {
    const { maximumQueuedMessages, maximumQueuedBytes } = this.#limits
    return this.length < maximumQueuedMessages && this.#bytes + size <= maximumQueuedBytes
  }

  /** Whether it would if nothing waited. */
  couldHaveRoom(size: number): boolean {
    const { maximumQueuedMessages, maximumQueuedBytes } = this.#limits
    return maximumQueuedMessages > 0 && size <= maximumQueuedBytes
  }

  /** False, and nothing kept, when the message would go past a bound. */
  push(item: Queued): boolean {
    const { size } = item.message
    if (!this.hasRoom(size)) return false
    item.message.own()
    this.#items.push(item)
    this.#bytes += size
    return true
  }

  /** As `push`, whatever the bounds: they held once. */
  restore(item: Queued): void {
    this.#items.push(item)
    this.#bytes += item.message.size
  }

  peek(): Queued | undefined {
    return this.#items[this.#head]
  }

  shift(): Queued | undefined {
    const item = this.#items[this.#head]
    if (item === undefined) return undefined
    this.#items[this.#head++] = undefined
    this.#bytes -= item.message.size
    if (this.#head === this.#items.length) {
      this.#items = []
      this.#head = 0
    } else if (this.#head >= 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** What waits at the moment. */
  items(): readonly Queued[] {
    return this.#items.slice(this.#head).flatMap((item) => item ?? [])
  }

  /** Drops what `keep` says no to; calls `each` with it. */
  filter(keep: (item: Queued) => boolean, each: (item: Queued) => void): void {
    const kept: Queued[] = []
    for (let i = this.#head; i < this.#items.length; i++) {
      const item = this.#items[i]!
      if (keep(item)) {
        kept.push(item)
        continue
      }
      this.#bytes -= item.message.size
      each(item)
    }
    this.#items = kept
    this.#head = 0
  }

  /** True when something waits that came by a Shared Subscription. */
  get hasShared(): boolean {
    return this.#items.some((item) => item?.share !== undefined)
  }

  /** Calls `each` with what waits, and forgets it. */
  clear(each: (item: Queued) => void): void {
    for (const item of this.#items) if (item !== undefined) each(item)
    this.#items = []
    this.#head = 0
    this.#bytes = 0
  }
}

import type { Message } from "../packet/message.ts"
import type { Qos } from "../packet/packets.ts"

/** A message that waits for a session. */
export interface Queued {
  readonly message: Message
  readonly qos: Qos
  readonly retain: boolean
  readonly identifiers: readonly number[]
}

/** First in, first out, with a bound in messages and in bytes. */
export class MessageQueue {
  readonly #maximumMessages: number
  readonly #maximumBytes: number
  #items: (Queued | undefined)[] = []
  #head = 0
  #bytes = 0

  constructor(maximumMessages: number, maximumBytes: number) {
    this.#maximumMessages = maximumMessages
    this.#maximumBytes = maximumBytes
  }

  get length(): number {
    return this.#items.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  /** More than half of either bound is in use. */
  get halfFull(): boolean {
    return this.length * 2 > this.#maximumMessages || this.#bytes * 2 > this.#maximumBytes
  }

  /** Less than a quarter of both bounds is in use. */
  get quiet(): boolean {
    return this.length * 4 < this.#maximumMessages && this.#bytes * 4 < this.#maximumBytes
  }

  /** False, and nothing kept, when the message would go past a bound. */
  push(item: Queued): boolean {
    const size = item.message.size
    if (this.length >= this.#maximumMessages || this.#bytes + size > this.#maximumBytes) return false
    item.message.own()
    this.#items.push(item)
    this.#bytes += size
    return true
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

  /** Drops what `keep` says no to; calls `each` with it. */
  filter(keep: (message: Message) => boolean, each: (message: Message) => void): void {
    const kept: Queued[] = []
    for (let i = this.#head; i < this.#items.length; i++) {
      const item = this.#items[i]!
      if (keep(item.message)) {
        kept.push(item)
        continue
      }
      this.#bytes -= item.message.size
      each(item.message)
    }
    this.#items = kept
    this.#head = 0
  }

  /** Calls `each` with what waits, and forgets it. */
  clear(each: (message: Message) => void): void {
    for (const item of this.#items) if (item !== undefined) each(item.message)
    this.#items = []
    this.#head = 0
    this.#bytes = 0
  }
}

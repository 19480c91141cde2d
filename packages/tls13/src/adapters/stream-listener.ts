import type { TlsStreamSocket } from "./streams.ts"

/** Connections as they come; each may still be in its handshake: see `opened`. */
export interface TlsListener extends AsyncIterable<TlsStreamSocket> {
  readonly hostname: string
  readonly port: number
  /** Takes no more connections; those that are open stay. */
  close(): void
}

/** Hands over what is put in, to whoever iterates, in order; ends when it is closed. */
export class Queue<Item> implements AsyncIterable<Item> {
  readonly #items: Item[] = []
  #wake: (() => void) | undefined
  #closed = false

  put(item: Item): void {
    this.#items.push(item)
    this.#wake?.()
  }

  close(): void {
    this.#closed = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Item> {
    for (;;) {
      const item = this.#items.shift()
      if (item !== undefined) yield item
      else if (this.#closed) return
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}

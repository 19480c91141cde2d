import { systemClock } from "./driver.ts"
import { HandshakeGate, handshakeLimits } from "./handshake-gate.ts"
import type { ListenStreamOptions } from "./stream-config.ts"
import type { TlsStreamSocket } from "./streams.ts"

/** Connections as they come; each may still be in its handshake: see `opened`. */
export interface TlsListener extends AsyncIterable<TlsStreamSocket> {
  readonly hostname: string
  readonly port: number
  /** Handshakes under way, connections that wait for theirs, and how many were closed because there were too many. */
  readonly handshakes: { readonly pending: number; readonly waiting: number; readonly refused: number }
  /** Takes no more connections; those that are open stay. */
  close(): void
}

/** A connection before its handshake. */
export interface Incoming {
  /** Of the peer; empty: unknown. */
  readonly address: string
  /** Begins the handshake. */
  accept(): TlsStreamSocket
  /** Drops the connection. */
  drop(): void
}

/**
 * What listeners share: how many handshakes are under way and who waits for one, and a boundary: a connection that fails
 * before there is a socket for it is dropped and told to `onFault`, and the listener goes on.
 */
export class Reception {
  readonly accepted: Queue<TlsStreamSocket> = new Queue()
  readonly #gate: HandshakeGate
  readonly #onFault: (error: unknown) => void
  readonly #waiting = new Set<Incoming>()

  constructor(options: Pick<ListenStreamOptions, "handshakes" | "onFault">) {
    this.#gate = new HandshakeGate(handshakeLimits(options.handshakes ?? {}), systemClock)
    this.#onFault = options.onFault ?? (() => undefined)
  }

  get handshakes(): TlsListener["handshakes"] {
    const { pending, waiting, refused } = this.#gate
    return { pending, waiting, refused }
  }

  /** The result is called when the connection is gone, where the runtime says so before it is read. */
  take(incoming: Incoming): () => void {
    this.#waiting.add(incoming)
    const place = this.#gate.enter(incoming.address, {
      begin: (place) => {
        this.#waiting.delete(incoming)
        this.guard(() => {
          const socket = incoming.accept()
          const over = () => place.leave()
          socket.opened.then(over, over)
          this.accepted.put(socket)
        }, incoming) || place.leave()
      },
      refuse: () => {
        this.#waiting.delete(incoming)
        this.guard(() => incoming.drop())
      },
    })
    return () => {
      this.#waiting.delete(incoming)
      if (place.state === "waiting") place.leave()
    }
  }

  /** No more connections; those that wait are dropped. */
  close(): void {
    this.#gate.clear()
    for (const incoming of this.#waiting) this.guard(() => incoming.drop())
    this.#waiting.clear()
    this.accepted.close()
  }

  /** False when it threw. @param incoming dropped then */
  guard(work: () => void, incoming?: Incoming): boolean {
    try {
      work()
      return true
    } catch (error) {
      if (incoming !== undefined) this.guard(() => incoming.drop())
      this.fault(error)
      return false
    }
  }

  /** Tells it; what `onFault` throws itself is the application's. */
  fault(error: unknown): void {
    void Promise.resolve(error).then(this.#onFault)
  }
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

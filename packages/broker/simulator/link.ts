// A network connection: two pipes of bytes that deliver in any pieces, stall, and break.

import type { Connection } from "../src/client/connection.ts"
import type { Sink } from "../src/ports/peer.ts"

interface Sent {
  readonly bytes: Uint8Array
  /** Milliseconds: when the broker has written it. */
  readonly at: number
}

/** Bytes on their way to a client past which the broker is asked to wait. */
const capacity = 500

export class Link {
  readonly address: string
  connection: Connection | undefined
  readonly sink: Sink
  #up: Uint8Array[] = []
  #down: Sent[] = []
  #waiting = 0
  #blocked = false
  /** Milliseconds: the last time at which the broker was asked to wait. */
  lastBlocked = Number.NEGATIVE_INFINITY
  #paused = false
  /** The broker writes no more. */
  ended = false
  /** Nothing of it reaches the broker, nor does the broker write. */
  closed = false
  stalled = false
  /** The broker's process, if it may stand still: what comes to it meanwhile waits. */
  process: { readonly still: boolean; comes(work: () => void): void } | undefined
  readonly #now: () => number
  readonly #sent: (bytes: Uint8Array) => void
  /**
   * Its CONNECT has been accepted, at so many milliseconds; the connection before it had gone then. It may have been on its way
   * for long.
   */
  taken: { readonly at: number; readonly left: { readonly from: number; readonly to: number } | undefined } | undefined

  /** @param sent is told of all bytes on their way */
  constructor(address: string, now: () => number, sent: (bytes: Uint8Array) => void) {
    this.address = address
    this.#now = now
    this.#sent = sent
    this.sink = {
      write: (chunks) => {
        for (const chunk of chunks) {
          if (this.closed || this.ended || chunk.length === 0) continue
          const bytes = chunk.slice()
          sent(bytes)
          this.#down.push({ bytes, at: now() })
          this.#waiting += bytes.length
        }
        this.#blocked = this.#waiting > capacity
        if (this.#blocked) this.lastBlocked = now()
        return !this.#blocked
      },
      // What was written is on its way: the broker may use its memory again.
      keeps: false,
      end: () => {
        this.ended = true
      },
      destroy: () => {
        this.ended = true
        this.#down = []
        this.#waiting = 0
      },
      pause: () => {
        this.#paused = true
      },
      resume: () => {
        this.#paused = false
      },
    }
  }

  send(bytes: Uint8Array): void {
    this.#sent(bytes)
    if (!this.closed) this.#up.push(bytes)
  }

  get hasUp(): boolean {
    const stopped = this.closed || this.ended || this.#paused || this.process?.still === true
    return !stopped && this.#up.length > 0
  }

  get hasDown(): boolean {
    return !this.closed && this.#down.length > 0
  }

  /** Everything that the broker wrote is delivered, and it writes no more. */
  get over(): boolean {
    return this.ended && this.#down.length === 0
  }

  /** Delivers up to `most` bytes to the broker. */
  deliverUp(most: number, now: number): void {
    const first = this.#up[0]
    if (first === undefined || !this.hasUp) return
    const part = first.subarray(0, most)
    if (part.length === first.length) this.#up.shift()
    else this.#up[0] = first.subarray(most)
    const lent = part.slice()
    this.connection?.receive(lent, now)
    lent.fill(0xee)
  }

  /** Takes up to `most` bytes for the client. */
  takeDown(most: number, now: number): Sent | undefined {
    const first = this.#down[0]
    if (first === undefined) return undefined
    const part = first.bytes.subarray(0, most)
    if (part.length === first.bytes.length) this.#down.shift()
    else this.#down[0] = { bytes: first.bytes.subarray(most), at: first.at }
    this.#waiting -= part.length
    if (this.#blocked) this.lastBlocked = now
    return { bytes: part, at: first.at }
  }

  /** Tells the broker when its output has been taken. */
  drain(now: number): void {
    if (!this.#blocked || this.#waiting > capacity / 2) return
    this.#blocked = false
    if (this.process === undefined) this.connection?.drained(now)
    else this.process.comes(() => this.closed || this.connection?.drained(this.#now()))
  }

  /** The broker sees that the network has gone. */
  tellClosed(why: string): void {
    const tell = () => this.connection?.transportClosed(this.#now(), why)
    if (this.process === undefined) tell()
    else this.process.comes(tell)
  }

  /** The network has gone: what was on its way is lost. */
  cut(): void {
    this.closed = true
    this.#up = []
    this.#down = []
    this.#waiting = 0
  }
}

// A connection that waits for its handshake. It is read just so far that its leaving is seen; what it has sent is kept within
// bounds, for it alone and in sum, and past them nothing more is read until its turn.

import type { Duplex } from "node:stream"

/** Bytes that are read of one connection: a ClientHello is less. A read that passes it is the last one. */
const perConnection = 16_384
/** Bytes of all of them. */
const inSum = 8_388_608

/** What the connections of one server hold together. */
export interface HeldBytes {
  held: number
}

export class WaitingConnection {
  readonly #raw: Duplex
  readonly #sum: HeldBytes
  readonly #gone: () => void
  #parts: Buffer[] = []
  #length = 0
  readonly #onData = (bytes: Buffer): void => {
    this.#parts.push(bytes)
    this.#length += bytes.length
    this.#sum.held += bytes.length
    if (this.#length >= perConnection || this.#sum.held >= inSum) this.#raw.pause()
  }

  /** @param gone called when the peer ends its half: there will be no handshake */
  constructor(raw: Duplex, sum: HeldBytes, gone: () => void) {
    this.#raw = raw
    this.#sum = sum
    this.#gone = gone
    if (sum.held >= inSum) return
    raw.on("data", this.#onData).on("end", gone)
    raw.resume()
  }

  /** Lets go of what it has sent. */
  drop(): void {
    this.#raw.off("data", this.#onData).off("end", this.#gone)
    this.#sum.held -= this.#length
    this.#length = 0
    this.#parts = []
  }

  /** Its turn: what it has sent can be read from it again, when it is resumed. */
  release(): void {
    const sent = Buffer.concat(this.#parts)
    this.drop()
    this.#raw.pause()
    if (sent.length > 0) this.#raw.unshift(sent)
  }
}

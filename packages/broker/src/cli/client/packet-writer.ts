// Packets to the broker, one after the other, and no faster than the stream takes them.

import type { Duplex } from "node:stream"
import { copy } from "../../packet/bytes.ts"
import { ClientError } from "./errors.ts"

/** Bytes, or as many of them as they come. */
export type Payload = Uint8Array | StreamedPayload

export interface StreamedPayload {
  readonly length: number
  read(): AsyncIterable<Uint8Array>
}

/** Bytes of a payload that leave in one piece with what stands before them. */
const onePiece = 16_384

export class PacketWriter {
  readonly #stream: Duplex
  /** What waits for the end of a packet that is under way; undefined: none is. */
  #waiting: Uint8Array[] | undefined
  #queue: Promise<void> = Promise.resolve()

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  /** Whether a packet is under way, which nothing may come between. */
  get busy(): boolean {
    return this.#waiting !== undefined
  }

  /** A whole packet, which is a small one. */
  write(packet: Uint8Array): void {
    if (this.#waiting === undefined) this.#stream.write(packet)
    else this.#waiting.push(packet)
  }

  /** A packet of any size. Resolves when the stream has taken it and could take more; rejects when it ended before. */
  send(head: Uint8Array, payload: Payload): Promise<void> {
    const sent = this.#queue.then(() => this.#send(head, payload))
    this.#queue = sent.catch(() => undefined)
    return sent
  }

  async #send(head: Uint8Array, payload: Payload): Promise<void> {
    if (payload instanceof Uint8Array && payload.length <= onePiece) {
      const packet = new Uint8Array(head.length + payload.length)
      copy(packet, copy(packet, 0, head, 0, head.length), payload, 0, payload.length)
      this.#stream.write(packet)
      return this.drained()
    }
    this.#waiting = []
    this.#stream.write(head)
    if (payload instanceof Uint8Array) {
      this.#stream.write(payload)
      await this.drained()
    } else await this.#pour(payload)
    const waiting = this.#waiting
    this.#waiting = undefined
    for (const packet of waiting) this.#stream.write(packet)
  }

  async #pour(payload: StreamedPayload): Promise<void> {
    let rest = payload.length
    for await (const chunk of payload.read()) {
      rest -= chunk.length
      if (rest < 0) break
      this.#stream.write(chunk)
      await this.drained()
    }
    // What the packet says of its length cannot be taken back.
    if (rest !== 0) throw new ClientError("the file changed while it was sent: nothing of it was published")
  }

  /** Resolves when the stream can take more; rejects when it has ended. */
  drained(): Promise<void> {
    const stream = this.#stream
    return new Promise((resolve, reject) => {
      const closed = () => reject(new ClientError("the connection is closed"))
      if (stream.destroyed) closed()
      else if (!stream.writableNeedDrain) resolve()
      else {
        stream.once("drain", () => {
          stream.off("close", closed)
          resolve()
        })
        stream.once("close", closed)
      }
    })
  }
}

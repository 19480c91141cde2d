// The bytes of one connection on their way between TLS and TCP: counted, and delayed if asked for.

import type { Socket } from "node:net"
import { DelayLine, type Impairment, transferDelay } from "./impairment.ts"

export interface Counts {
  bytes: number
  records: number
  /** Runs of bytes in one direction that none of the other direction interrupts. */
  flights: number
}

export interface PathCounts {
  readonly sent: Counts
  readonly received: Counts
}

/** What a worse network is made with. */
export interface Worse extends Impairment {
  readonly uniform: () => number
  readonly onLate: (milliseconds: number) => void
}

export interface Receiver {
  bytes(bytes: Buffer): void
  end(): void
  /** Nothing follows. */
  closed(): void
}

export class BytePath {
  readonly #socket: Socket
  readonly #receiver: Receiver
  readonly #worse: Worse | undefined
  readonly #lines: { readonly out: DelayLine; readonly in: DelayLine } | undefined
  readonly #sent = new DirectionCounter()
  readonly #received = new DirectionCounter()
  #last: "sent" | "received" | undefined

  /** @param socket connected, or about to be; from here on its bytes come through here only */
  constructor(socket: Socket, receiver: Receiver, worse: Worse | undefined) {
    this.#socket = socket
    this.#receiver = receiver
    this.#worse = worse
    if (worse !== undefined) this.#lines = { out: new DelayLine(worse.onLate), in: new DelayLine(() => undefined) }
    socket.on("data", (bytes: Buffer) => this.#arrive(bytes))
    socket.on("end", () => {
      if (this.#lines === undefined || this.#worse === undefined) receiver.end()
      else this.#lines.in.push(transferDelay(this.#worse, 0, this.#worse.uniform), () => receiver.end())
    })
    socket.once("close", () => {
      this.#lines?.out.stop()
      // What is still on its way to us comes, and is told first.
      if (this.#lines === undefined) receiver.closed()
      else this.#lines.in.push(0, () => receiver.closed())
    })
  }

  get counts(): PathCounts {
    return { sent: { ...this.#sent.counts }, received: { ...this.#received.counts } }
  }

  /** @param bytes not changed afterwards */
  send(bytes: Uint8Array): void {
    this.#count("sent", bytes)
    this.#later(bytes.length, () => this.#socket.write(bytes))
  }

  /** No more will be sent. */
  end(): void {
    this.#later(0, () => this.#socket.end())
  }

  /** Closes once all has been sent, and reads no more. */
  drop(): void {
    this.#later(0, () => this.#socket.destroySoon())
  }

  /** Drops the connection, and what is on its way. */
  destroy(): void {
    this.#lines?.out.stop()
    this.#lines?.in.stop()
    this.#socket.destroy()
  }

  #later(length: number, work: () => void): void {
    if (this.#lines === undefined || this.#worse === undefined) work()
    else
      this.#lines.out.push(transferDelay(this.#worse, length, this.#worse.uniform), () => {
        if (!this.#socket.destroyed) work()
      })
  }

  #arrive(bytes: Buffer): void {
    const deliver = () => {
      this.#count("received", bytes)
      this.#receiver.bytes(bytes)
    }
    if (this.#lines === undefined || this.#worse === undefined) deliver()
    else this.#lines.in.push(transferDelay(this.#worse, bytes.length, this.#worse.uniform), deliver)
  }

  #count(direction: "sent" | "received", bytes: Uint8Array): void {
    const counter = direction === "sent" ? this.#sent : this.#received
    if (this.#last !== direction) counter.counts.flights++
    this.#last = direction
    counter.take(bytes)
  }
}

/** TLS records begin with their type, version and length: RFC 9846 section 5.1. */
class DirectionCounter {
  readonly counts: Counts = { bytes: 0, records: 0, flights: 0 }
  /** Bytes of the header that are still to come, and what is known of the length. */
  #header = 5
  #length = 0
  /** Bytes of the content that are still to come. */
  #content = 0

  take(bytes: Uint8Array): void {
    this.counts.bytes += bytes.length
    for (let at = 0; at < bytes.length; ) {
      if (this.#content > 0) {
        const taken = Math.min(this.#content, bytes.length - at)
        this.#content -= taken
        at += taken
        if (this.#content > 0) return
        this.#end()
        continue
      }
      this.#header--
      if (this.#header < 2) this.#length = this.#length * 256 + bytes[at]!
      at++
      if (this.#header > 0) continue
      this.#content = this.#length
      if (this.#content === 0) this.#end()
    }
  }

  #end(): void {
    this.counts.records++
    this.#header = 5
    this.#length = 0
  }
}

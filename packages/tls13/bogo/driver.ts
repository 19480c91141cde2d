// Between the runner's socket and a connection, one step after the other: bssl_shim.cc is a program that blocks.

import type { ClientConnection } from "../src/connection/client-connection.ts"
import type { ConnectionEvent, Decision, Outcome } from "../src/connection/events.ts"
import type { ServerConnection } from "../src/connection/server-connection.ts"
import { Failure } from "./outcomes.ts"
import type { Wire } from "./wire.ts"

/** What a read gives: an event, or the end of the stream. */
export type Read = ConnectionEvent | { readonly type: "eof" }

export class Driver {
  readonly #connection: ClientConnection | ServerConnection
  readonly #wire: Wire
  readonly #now: () => number
  /** Bytes that are taken at once: -async lets single ones through, to stress the state machine. */
  readonly #most: number
  readonly #events: ConnectionEvent[] = []
  /** close_notify came. */
  ended = false
  #eof = false
  /** The rest of a record of which the transport has taken the first byte only. */
  #held: Uint8Array | undefined

  constructor(connection: ClientConnection | ServerConnection, wire: Wire, now: () => number, async: boolean) {
    this.#connection = connection
    this.#wire = wire
    this.#now = now
    this.#most = async ? 1 : Number.POSITIVE_INFINITY
  }

  /** Whether something can be written: application data, early data, or a server's answer to early data. */
  get canWrite(): boolean {
    const { writable, earlyDataWritable } = this.#connection
    return writable || earlyDataWritable > 0 || this.#canAnswerEarlyData
  }

  get #canAnswerEarlyData(): boolean {
    return this.#events.some(({ type }) => type === "early-data") || this.#connection.halfRttWritable
  }

  hasEvent(type: ConnectionEvent["type"]): boolean {
    return this.#events.some((event) => event.type === type)
  }

  /** Writes what a call gave, makes its decisions, keeps its events. */
  async take(outcome: Outcome): Promise<void> {
    for (let next: Outcome | undefined = outcome; next !== undefined; ) {
      if (next.output.length > 0) this.release()
      this.#wire.write(next.output)
      this.#events.push(...next.events)
      if (next.events.some(({ type }) => type === "end")) this.ended = true
      next = typeof next.waitsFor === "string" ? undefined : await this.#decide(next.waitsFor)
    }
  }

  async next(): Promise<Read> {
    for (;;) {
      const event = this.#events.shift()
      if (event !== undefined) return event
      if (this.#eof) throw new Failure("the runner has closed the stream")
      if (!(await this.readMore())) return { type: "eof" }
    }
  }

  /** As much as early data may be goes as early data, the rest once the handshake is complete. */
  async write(bytes: Uint8Array): Promise<void> {
    const connection = this.#connection
    let at = 0
    if (connection.earlyDataWritable > 0) {
      at = Math.min(bytes.length, connection.earlyDataWritable)
      await this.take(connection.sendEarlyData(bytes.subarray(0, at)))
      if (at === bytes.length) return
    }
    while (!connection.writable && !connection.halfRttWritable) {
      if (connection.failure !== undefined || !(await this.readMore())) return
    }
    const rest = bytes.subarray(at)
    await this.take(connection.writable ? connection.send(rest) : connection.sendHalfRtt(rest))
  }

  /** Writes one byte of the record; the rest goes out before anything else does, or with `release`. */
  holdBack(bytes: Uint8Array): void {
    const early = this.#connection.earlyDataWritable > 0
    const outcome = early ? this.#connection.sendEarlyData(bytes) : this.#connection.send(bytes)
    this.#wire.write(outcome.output.subarray(0, 1))
    this.#held = outcome.output.subarray(1)
  }

  release(): void {
    if (this.#held !== undefined) this.#wire.write(this.#held)
    this.#held = undefined
  }

  /** False at the end of the stream, which in a handshake is a failure. */
  async readMore(): Promise<boolean> {
    const bytes = await this.#wire.read(this.#most)
    if (bytes !== undefined) {
      await this.take(this.#connection.receive(bytes, this.#now()))
      return true
    }
    this.#eof = true
    if (this.#connection.info !== undefined) return false
    await this.take(this.#connection.receiveEnd(this.#now()))
    return true
  }

  async #decide({ pause }: Decision): Promise<Outcome> {
    try {
      return this.#connection.answer(await pause.work, this.#now())
    } catch (error) {
      if (error instanceof Failure) return this.#connection.abandon(error.message, this.#now())
      throw error
    }
  }
}

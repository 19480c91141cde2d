// What the application writes to a TLSSocket: it waits for the end of the handshake, is protected piece by piece as the stream
// below takes it, and ends with close_notify (RFC 9846 section 6.1). And a client's early data, which goes ahead or comes first.

import { copyOf } from "../../bytes/copy.ts"
import type { Connection } from "../../connection/connection.ts"
import type { Outcome } from "../../connection/events.ts"
import type { Driver, Taken } from "../driver.ts"
import { tell } from "./callbacks.ts"
import type { SharedMemory } from "./shared-memory.ts"

/** The socket that is written to. */
export interface Written {
  readonly destroyed: boolean
  guard<Result>(work: () => Result): Result | undefined
  /** Something is written: the idle timer begins anew. */
  touch(): void
  /** close_notify is with the system: the end of the stream below follows. */
  endBelow(): void
}

interface Pending {
  readonly parts: readonly Uint8Array[]
  readonly done: Taken
}

/** Plaintext bytes that are protected and written at once; the next ones wait until the socket has taken them. */
const pieceSize = 131_072
const fullRecord = 16_384

/** Every idle connection has one, so it is small. */
export class SocketOutput {
  readonly #socket: Written
  readonly #memory: SharedMemory | undefined
  #driver: Driver | undefined
  #connection: Connection | undefined
  /** The handshake is over. */
  #isOpen = false
  /** What is written before that; the stream hands over one write at a time. */
  #waiting: Pending | undefined
  #inFlight: Taken | undefined
  #finishing: Taken | undefined
  #earlyDataUnsent: Uint8Array | undefined
  #fragment = fullRecord

  /** @param earlyData a client's: sent after the handshake when it cannot go before */
  constructor(socket: Written, memory: SharedMemory | undefined, earlyData: Uint8Array | undefined) {
    this.#socket = socket
    this.#memory = memory
    if (earlyData !== undefined && earlyData.length > 0) this.#earlyDataUnsent = copyOf(earlyData)
  }

  /** @param size most bytes of data in a record, 512 to 16384; false for any other */
  setFragment(size: number): boolean {
    if (!Number.isInteger(size) || size < 512 || size > fullRecord) return false
    this.#fragment = size
    return true
  }

  /** Bytes can flow: the handshake begins. */
  begin(driver: Driver, connection: Connection): void {
    this.#driver = driver
    this.#connection = connection
  }

  /** Early data that can go now, all of it or nothing. */
  earlyFlight(connection: Connection): Outcome[] {
    const data = this.#earlyDataUnsent
    if (data === undefined || connection.earlyDataWritable < data.length) return []
    this.#earlyDataUnsent = undefined
    return [connection.sendEarlyData(data)]
  }

  /** Refused is refused, also what was too long to go ahead: the application sends it again, or does not. */
  earlyDataRefused(): void {
    this.#earlyDataUnsent = undefined
  }

  /** The handshake is over: what is written from here on is sent. */
  open(): void {
    this.#isOpen = true
  }

  /** What has waited for the end of the handshake goes, when the application has been told of it. */
  sendWaiting(): void {
    if (this.#earlyDataUnsent !== undefined) this.#driver?.send([this.#earlyDataUnsent])
    this.#earlyDataUnsent = undefined
    const { parts, done } = this.#waiting ?? {}
    this.#waiting = undefined
    if (parts !== undefined && done !== undefined) this.write(parts, done)
    const finishing = this.#finishing
    this.#finishing = undefined
    if (finishing) this.#finish(finishing)
  }

  /** Small writes that piled up share records, and one write below. */
  write(parts: readonly Uint8Array[], done: Taken): void {
    if (!this.#isOpen) {
      this.#waiting = { parts, done }
      return
    }
    this.#inFlight = done
    const memory = this.#memory
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    if (parts.length === 1) this.#sendFrom(parts[0]!, 0)
    else if (memory === undefined || length > pieceSize) this.#sendFrom(Buffer.concat(parts, length), 0)
    else memory.gathered(parts, length, (whole) => this.#sendFrom(whole, 0))
  }

  #sendFrom(whole: Uint8Array, from: number): void {
    if (this.#socket.destroyed || this.#driver === undefined) return
    if (this.#connection?.writable !== true) {
      this.#written(destroyedError())
      return
    }
    const to = Math.min(whole.length, from + pieceSize)
    const parts: Uint8Array[] = []
    const step = this.#fragment === fullRecord ? pieceSize : this.#fragment
    for (let at = from; at < to; at += step) parts.push(whole.subarray(at, Math.min(to, at + step)))
    this.#socket.touch()
    this.#driver.send(parts, (error) => {
      this.#socket.guard(() => {
        if (error || to === whole.length) this.#written(error)
        else this.#sendFrom(whole, to)
      })
    })
  }

  #written(error?: Error | null): void {
    const done = this.#inFlight
    this.#inFlight = undefined
    tell(done, error)
  }

  /** Nothing more is written. @param failed the connection has: nobody waits for its handshake */
  end(failed: boolean, done: Taken): void {
    if (!this.#isOpen && !failed) this.#finishing = done
    else this.#finish(done)
  }

  /** close_notify, then the end of the stream below. */
  #finish(done: Taken): void {
    if (this.#driver === undefined || this.#socket.destroyed) {
      done()
      return
    }
    this.#driver.close((error) => {
      this.#socket.guard(() => {
        this.#socket.endBelow()
        tell(done, error)
      })
    })
  }

  /** The socket is destroyed: those who wait are told. */
  release(error: Error | null): void {
    const [inFlight, waiting, finishing] = [this.#inFlight, this.#waiting, this.#finishing]
    this.#inFlight = this.#waiting = this.#finishing = undefined
    if (!(inFlight || waiting || finishing)) return // nobody to make an error for
    const reason = error ?? destroyedError()
    for (const each of [inFlight, waiting?.done, finishing]) tell(each, reason)
  }
}

export function destroyedError(): Error {
  return Object.assign(new Error("the TLS connection was destroyed before everything was written"), {
    code: "ERR_STREAM_DESTROYED",
  })
}

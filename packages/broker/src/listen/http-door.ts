// The way to an HTTP server: of each connection it is given the head of one request, in bounded size and time, and nothing that
// is behind it. A read of a socket holds thousands of requests, which Node would work on in one go.

import type { Server } from "node:http"
import { Duplex } from "node:stream"
import type { addressOf } from "../ports/peer.ts"
import { inside, type OnFault } from "./boundary.ts"

/** A stream that may know where it comes from. */
export type Connected = Duplex & Parameters<typeof addressOf>[0]

/** Bytes of a request's head, its empty line included. */
export const longestRequestHead = 16_384

export interface HttpDoorOptions {
  /** Milliseconds that a connection may take to become something else, or to ask, take its answer and close. */
  readonly milliseconds: number
  /** Connections at a time for which neither has come; more are closed. */
  readonly most: number
  /** The oldest is closed instead: whoever means to ask does so at once, and is not kept out by those that only wait. */
  readonly oldestGives?: true
  readonly onFault: OnFault
}

export class HttpDoor {
  readonly #server: Server
  readonly #options: HttpDoorOptions
  /** Node's own limits hold only where its server listens itself, and are looked at every half minute. */
  readonly #pending = new Map<Connected, NodeJS.Timeout>()

  constructor(server: Server, options: HttpDoorOptions) {
    this.#server = server
    this.#options = options
    server.on("clientError", (_error, socket) => socket.destroy())
  }

  /** A connection that somebody else has accepted. */
  take(connection: Connected): void {
    const { milliseconds, most, oldestGives, onFault } = this.#options
    inside(onFault, connection, () => {
      connection.on("error", () => connection.destroy())
      if (this.#pending.size >= most && oldestGives) this.#closeOldest()
      if (this.#pending.size >= most) {
        connection.destroy()
        return
      }
      this.#pending.set(connection, setTimeout(() => connection.destroy(), milliseconds).unref())
      connection.once("close", () => inside(onFault, connection, () => this.settled(connection)))
      this.#server.emit("connection", new OneRequest(connection, onFault))
    })
  }

  #closeOldest(): void {
    const [oldest] = this.#pending.keys()
    if (oldest === undefined) return
    this.settled(oldest)
    oldest.destroy()
  }

  /** It has become something else. */
  settled(connection: Connected): void {
    clearTimeout(this.#pending.get(connection))
    this.#pending.delete(connection)
  }

  close(): void {
    for (const connection of this.#pending.keys()) connection.destroy()
  }
}

/** What the HTTP server sees of a connection. */
export class OneRequest extends Duplex {
  readonly connection: Connected
  /** The head so far, then what has come behind it. */
  #bytes: Buffer = Buffer.alloc(0)
  #isWhole = false
  readonly #onData: (bytes: Buffer) => void
  readonly #onEnd: () => void
  readonly #onClose: () => void

  constructor(connection: Connected, onFault: OnFault) {
    super({ allowHalfOpen: true })
    this.connection = connection
    this.on("error", (error: Error) => inside(onFault, connection, () => tellDefect(error)))
    this.#onData = (bytes) => inside(onFault, connection, () => this.#take(bytes))
    this.#onEnd = () => inside(onFault, connection, () => void this.push(null))
    this.#onClose = () => inside(onFault, connection, () => void this.destroy())
    connection.on("data", this.#onData).on("end", this.#onEnd).on("close", this.#onClose)
    connection.resume()
  }

  /** From now on the connection is somebody else's; what has come behind the head is its first data. */
  release(): void {
    const { connection } = this
    connection.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onClose)
    if (this.#bytes.length > 0) connection.unshift(this.#bytes)
  }

  #take(bytes: Buffer): void {
    if (this.#isWhole) return // after the answer
    // An empty line that has begun may end in this part.
    const from = Math.max(0, this.#bytes.length - 3)
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes])
    const end = this.#bytes.indexOf("\r\n\r\n", from) + 4
    if (end < 4 ? this.#bytes.length >= longestRequestHead : end > longestRequestHead) {
      this.connection.destroy()
      return
    }
    if (end < 4) return
    const head = this.#bytes.subarray(0, end)
    this.#bytes = this.#bytes.subarray(end)
    this.#isWhole = true
    this.connection.pause()
    this.push(head)
  }

  override _read(): void {}

  override _write(bytes: Uint8Array, encoding: BufferEncoding, taken: (error?: Error | null) => void): void {
    this.connection.write(bytes, encoding, taken)
  }

  /** That was the answer: what still comes is read and dropped, so that the client gets it. */
  override _final(ended: (error?: Error | null) => void): void {
    this.#bytes = Buffer.alloc(0)
    this.connection.end(ended)
    this.connection.resume()
  }

  override _destroy(error: Error | null, destroyed: (error: Error | null) => void): void {
    this.connection.destroy()
    destroyed(error)
  }
}

/** What Node's streams end with has a code: the client has gone, say. All else was thrown in here. */
function tellDefect(error: Error): void {
  if (!("code" in error)) throw error
}

// The way of the admin API's connections to Node's HTTP server: one request at a time, whole, in bounded size and time, and the next
// when it is answered. What Node would do with pipelined requests, chunked bodies and slow clients does not come up.

import type { Server } from "node:http"
import { Duplex } from "node:stream"
import { inside, type OnFault } from "../../listen/boundary.ts"
import { type Connected, longestRequestHead } from "../../listen/http-door.ts"
import { ByteParts } from "./byte-parts.ts"
import { problemText, titleOf } from "./problem.ts"

/** Bytes of a request's head: a topic may have 65,535, each of which a URL may write as three. */
export const longestHead: number = 16_384 + 3 * 65_536
/** Bytes of a request's body. */
export const longestBody = 393_216
/** Bytes of long heads and of bodies that have begun to come, of all connections together. */
const mostHeld = 8 * 1_048_576
/** Requests of a connection: the last is answered with `connection: close`. */
export const mostRequests = 1000

export interface RequestTimes {
  /** Milliseconds until a request begins, and from its beginning to its end. */
  readonly idle: number
  readonly request: number
  /** For the answer to be taken. */
  readonly answer: number
}

export const requestTimes: RequestTimes = { idle: 15_000, request: 5000, answer: 30_000 }

export interface RequestsDoorOptions {
  readonly times: RequestTimes
  /**
   * Connections at a time. For one more the oldest gives way that has shown no right token yet, so that who has none cannot keep out
   * who has one; where all have, it is closed itself.
   */
  readonly most: number
  readonly onFault: OnFault
}

/** What all connections of a door have together. */
interface Shared extends RequestsDoorOptions {
  held: number
}

export class RequestsDoor {
  readonly #server: Server
  readonly #shared: Shared
  readonly #open = new Set<Requests>()

  constructor(server: Server, options: RequestsDoorOptions) {
    this.#server = server
    this.#shared = { ...options, held: 0 }
    server.on("clientError", (_error, socket) => socket.destroy())
  }

  /** A connection that somebody else has accepted. */
  take(connection: Connected): void {
    const { most, onFault } = this.#shared
    inside(onFault, connection, () => {
      connection.on("error", () => connection.destroy())
      if (this.#open.size >= most && !this.#makeRoom()) {
        connection.destroy()
        return
      }
      const requests = new Requests(connection, this.#shared)
      this.#open.add(requests)
      connection.once("close", () => inside(onFault, connection, () => void this.#open.delete(requests)))
      this.#server.emit("connection", requests)
    })
  }

  #makeRoom(): boolean {
    for (const requests of this.#open) {
      if (requests.isKnown) continue
      this.#open.delete(requests)
      requests.connection.destroy()
      return true
    }
    return false
  }

  close(): void {
    for (const { connection } of this.#open) connection.destroy()
  }
}

/** What the HTTP server sees of a connection. */
export class Requests extends Duplex {
  readonly connection: Connected
  readonly #shared: Shared
  /** "head" until one has come, then "body"; "answer" until `next`; "over": what still comes is dropped. */
  #phase: "head" | "body" | "answer" | "over" = "head"
  readonly #bytes = new ByteParts()
  /** Bytes of the request that is to come, its head included. */
  #length = 0
  /** Bytes that it counts for in what all hold together. */
  #counted = 0
  #timer: NodeJS.Timeout | undefined
  /** Requests that have come. */
  count = 0
  /** One of them had a right token. */
  isKnown = false

  constructor(connection: Connected, shared: Shared) {
    super({ allowHalfOpen: true })
    this.connection = connection
    this.#shared = shared
    const { onFault, times } = shared
    this.on("error", (error: Error) => inside(onFault, connection, () => tellDefect(error)))
    connection.on("data", (bytes: Buffer) => inside(onFault, connection, () => this.#take(bytes)))
    connection.on("end", () => inside(onFault, connection, () => this.#end()))
    connection.on("close", () => inside(onFault, connection, () => void this.destroy()))
    this.#within(times.request)
    connection.resume()
  }

  /** The answer has left: the next request may come. */
  next(): void {
    if (this.#phase !== "answer" || this.writableEnded) return
    this.#phase = "head"
    this.#within(this.#bytes.length === 0 ? this.#shared.times.idle : this.#shared.times.request)
    this.#look()
    this.connection.resume()
  }

  /** The answer goes on for as long as its reader takes it. */
  lasts(): void {
    clearTimeout(this.#timer)
  }

  #within(milliseconds: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.connection.destroy(), milliseconds).unref()
  }

  #take(bytes: Buffer): void {
    if (this.#phase === "over") return
    if (this.#bytes.length === 0 && this.#phase === "head") this.#within(this.#shared.times.request)
    this.#bytes.add(bytes)
    // What comes before its turn waits below.
    if (this.#phase === "answer") this.connection.pause()
    else this.#look()
  }

  #look(): void {
    if (this.#phase === "head" && !this.#head()) return
    if (this.#phase !== "body" || this.#bytes.length < this.#length) return
    const request = this.#bytes.take(this.#length)
    this.#hold(0)
    this.#phase = "answer"
    this.count++
    this.connection.pause()
    this.#within(this.#shared.times.answer)
    this.push(request)
  }

  /** True when it is there, and may be. */
  #head(): boolean {
    const end = this.#bytes.endOfHead
    const length = end ?? this.#bytes.length
    if (length > longestHead || (end === undefined && length === longestHead)) {
      this.#refuse(431, `the head of a request has ${longestHead} bytes at most`)
      return false
    }
    const long = length > longestRequestHead ? length : 0
    if (end === undefined) return this.#hold(long) && false
    const body = bodyLength(this.#bytes.text(end))
    if (typeof body !== "number") {
      this.#refuse(body.status, body.detail)
      return false
    }
    if (!this.#hold(long + body)) return false
    this.#length = end + body
    this.#phase = "body"
    return true
  }

  /** False, and refused, when all hold too much. */
  #hold(bytes: number): boolean {
    this.#shared.held += bytes - this.#counted
    this.#counted = bytes
    if (bytes === 0 || this.#shared.held <= mostHeld) return true
    this.#refuse(503, "too many long requests are coming in: try again")
    return false
  }

  /** What Node never sees. */
  #refuse(status: number, detail: string): void {
    const text = problemText(status, detail)
    const head = [
      `HTTP/1.1 ${status} ${titleOf(status)}`,
      "content-type: application/problem+json",
      `content-length: ${Buffer.byteLength(text)}`,
      "connection: close",
    ]
    this.#over()
    this.connection.end(`${head.join("\r\n")}\r\n\r\n${text}`)
  }

  /** What still comes is read and dropped, so that the client gets its answer. */
  #over(): void {
    this.#phase = "over"
    this.#bytes.clear()
    this.#hold(0)
    this.#within(this.#shared.times.request)
    this.connection.resume()
  }

  /** The client has ended its half: with an answer under way it still gets that. */
  #end(): void {
    if (this.#phase === "head" || this.#phase === "body") this.connection.destroy()
    else this.push(null)
  }

  override _read(): void {}

  override _write(bytes: Uint8Array, encoding: BufferEncoding, taken: (error?: Error | null) => void): void {
    this.connection.write(bytes, encoding, taken)
  }

  override _final(ended: (error?: Error | null) => void): void {
    this.#over()
    this.connection.end(ended)
  }

  override _destroy(error: Error | null, destroyed: (error: Error | null) => void): void {
    clearTimeout(this.#timer)
    this.#hold(0)
    this.connection.destroy()
    destroyed(error)
  }
}

/** Bytes of the body that this head announces, or why it is not taken. */
function bodyLength(head: string): number | { readonly status: number; readonly detail: string } {
  if (/\r\ntransfer-encoding[ \t]*:/i.test(head))
    return { status: 411, detail: "send the body with Content-Length, not in chunks" }
  const lengths = [...head.matchAll(/\r\ncontent-length:[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)/gi)].map(
    ([, value]) => value ?? "",
  )
  const [length = "0", ...others] = lengths
  if (others.length > 0 || !/^\d{1,15}$/.test(length)) return { status: 400, detail: "Content-Length is no number" }
  if (Number(length) > longestBody)
    return { status: 413, detail: `the body of a request has ${longestBody} bytes at most` }
  return Number(length)
}

/** What Node's streams end with has a code: the client has gone, say. All else was thrown in here. */
function tellDefect(error: Error): void {
  if (!("code" in error)) throw error
}

// The entry `@puremq/tls13/streams`: TLS over a pair of WHATWG streams, as one more pair, in the shape of the WinterTC
// Sockets API (min-common-api.proposal.wintertc.org, "Sockets API"). Whatever has ReadableStream and WritableStream has this.

import type { AlertName } from "../bytes/alerts.ts"
import { Closed, messageOf } from "../bytes/errors.ts"
import { ClientConnection } from "../connection/client-connection.ts"
import type { ClientConfig, ServerConfig } from "../connection/config.ts"
import type { Connection } from "../connection/connection.ts"
import type { ConnectionEvent, Outcome } from "../connection/events.ts"
import type { ConnectionRecorder } from "../connection/recorder.ts"
import { ServerConnection } from "../connection/server-connection.ts"
import type { HandshakeInfo } from "../handshake/info.ts"
import { Driver, systemClock, type Taken, type Transport } from "./driver.ts"

/** A byte stream each way: a TCP connection, say. */
export interface ByteStreams {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
}

export interface TlsSocketInfo {
  /** Protocol name that was agreed (RFC 7301). */
  readonly alpn: string | undefined
  /** All that was agreed. */
  readonly handshake: HandshakeInfo
}

export interface TlsStreamOptions {
  /** false (the default): when the peer ends its half, ours is ended too. */
  readonly allowHalfOpen?: boolean
  /** Records connections: `createRecorder` of `./recording`. ALL SECRETS of each are in its recording. */
  readonly recorder?: ConnectionRecorder | undefined
}

/** A connection that TLS protects. */
export interface TlsStreamSocket extends ByteStreams {
  /** When the handshake is over; rejects with a TlsError when it failed. Writing may begin before. */
  readonly opened: Promise<TlsSocketInfo>
  /** When both halves have ended; rejects with what went wrong. */
  readonly closed: Promise<void>
  readonly secureTransport: "on"
  /** 0-RTT data that a server took before `opened`: it may be a replay (RFC 9846 section 8). */
  readonly earlyData: readonly Uint8Array[]
  /** Ends our half by close_notify, and throws away what the peer still sends; `closed`, that is. */
  close(): Promise<void>
  /** New sending keys; `peer`: also for what the peer sends (RFC 9846 section 4.7.3). */
  updateKeys(options?: { readonly peer?: boolean }): void
  /** RFC 9846 section 7.5. @param length bytes */
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array
  /** The same for what goes with 0-RTT data. @throws Misuse when there is none, or it was refused */
  exportEarlyKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array
  /**
   * Ends the connection with an error alert of one's own (RFC 9846 section 6.2): `access_denied`, say. `closed` rejects.
   * @throws Misuse for what is no error alert
   */
  abort(alert: AlertName): void
}

/** The client's end. The handshake begins at once. */
export function connectOverStreams(
  streams: ByteStreams,
  config: ClientConfig,
  options: TlsStreamOptions = {},
): TlsStreamSocket {
  const now = systemClock.now()
  const connection = options.recorder?.client(config, now) ?? new ClientConnection(config, now)
  return new StreamSocket(streams, connection, [connection.start()], options)
}

/** The server's end. */
export function acceptOverStreams(
  streams: ByteStreams,
  config: ServerConfig,
  options: TlsStreamOptions = {},
): TlsStreamSocket {
  const now = systemClock.now()
  const connection = options.recorder?.server(config, now) ?? new ServerConnection(config, now)
  return new StreamSocket(streams, connection, [], options)
}

/** Some runtimes have no `signal`. */
export type SinkController = WritableStreamDefaultController & { readonly signal?: AbortSignal }

/** Bytes that wait in each direction before the other side is slowed down. */
const highWaterMark = 65_536
/** Bytes of the stream below that are read at once. */
const chunkSize = 65_536
/** Plaintext bytes that are protected and written at once. */
const pieceSize = 131_072
/** Milliseconds that a connection which is over waits for its peer: for it to take the last bytes, and to end its half. */
const longestLingering = 5000

class StreamSocket implements TlsStreamSocket {
  readonly secureTransport = "on"
  readonly earlyData: Uint8Array[] = []
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  readonly opened: Promise<TlsSocketInfo>
  readonly closed: Promise<void>
  readonly #connection: Connection
  readonly #driver: Driver
  readonly #below: StreamTransport
  readonly #allowHalfOpen: boolean
  readonly #opened = deferred<TlsSocketInfo>()
  readonly #closed = deferred<void>()
  #out: ReadableStreamDefaultController<Uint8Array> | undefined
  #in: WritableStreamDefaultController | undefined
  #over = false
  #sentEnd = false
  /** And the stream below has taken it. */
  #endIsTaken = false
  #receivedEnd = false
  /** The reader has gone: what still comes is thrown away. */
  #cancelled = false
  /** Calls off the end of the wait for the peer's end, for which nobody else waits. */
  #lingering: (() => void) | undefined

  constructor(streams: ByteStreams, connection: Connection, first: readonly Outcome[], options: TlsStreamOptions) {
    this.#connection = connection
    this.#allowHalfOpen = options.allowHalfOpen ?? false
    this.opened = this.#opened.promise
    this.closed = this.#closed.promise
    const size = (chunk: Uint8Array) => chunk.byteLength
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#out = controller
        },
        pull: () => this.#driver?.want(true),
        cancel: () => {
          this.#cancelled = true
          this.#driver.want(true)
          this.#finishWhenBothEnded()
        },
      },
      { highWaterMark, size },
    )
    this.writable = new WritableStream<Uint8Array>(
      {
        start: (controller: SinkController) => {
          this.#in = controller
          // `abort` below comes only when the write before it has ended, and a peer that does not read lets none end.
          const { signal } = controller
          // Later: a stream is not to be changed while it is being aborted.
          signal?.addEventListener("abort", () => queueMicrotask(() => this.#fail(asError(signal.reason))))
        },
        write: (chunk) => this.#write(chunk),
        close: () => this.#end(),
        abort: (reason) => this.#fail(asError(reason)),
      },
      { highWaterMark, size },
    )
    this.#below = new StreamTransport(streams, {
      data: (bytes) => this.#driver.receive(bytes),
      end: () => this.#driver.receiveEnd(),
      failed: (error) => this.#fail(error),
    })
    this.#driver = new Driver({
      connection,
      transport: this.#below,
      onEvent: (event) => this.#onEvent(event),
    })
    this.#driver.start(...first)
    this.#below.start()
  }

  close(): Promise<void> {
    this.#cancelled = true
    this.#driver.want(true)
    if (!this.#sentEnd) this.#end().catch((error: unknown) => this.#fail(asError(error)))
    return this.closed
  }

  updateKeys(options: { readonly peer?: boolean } = {}): void {
    this.#driver.updateKeys(options.peer ? "update_requested" : "update_not_requested")
  }

  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    return this.#connection.exportKeyingMaterial(label, context, length)
  }

  exportEarlyKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    return this.#connection.exportEarlyKeyingMaterial(label, context, length)
  }

  abort(alert: AlertName): void {
    this.#driver.take(this.#connection.abort(alert))
  }

  async #write(chunk: Uint8Array): Promise<void> {
    await this.opened
    for (let at = 0; at < chunk.length; at += pieceSize) {
      const piece = chunk.subarray(at, at + pieceSize)
      await new Promise<void>((resolve, reject) => {
        if (this.#connection.writable) this.#driver.send([piece], (error) => (error ? reject(error) : resolve()))
        else reject(new Closed(undefined, "the connection was closed"))
      })
    }
  }

  /** close_notify, then the end of the stream below. */
  async #end(): Promise<void> {
    await this.opened
    if (this.#sentEnd || this.#over) return
    this.#sentEnd = true
    await new Promise<void>((resolve, reject) => {
      this.#driver.close((error) => (error ? reject(error) : resolve()))
    })
    await this.#below.end()
    this.#endIsTaken = true
    this.#finishWhenBothEnded()
  }

  #onEvent(event: ConnectionEvent): void {
    if (this.#over) return
    switch (event.type) {
      case "connected":
        this.#opened.resolve({ alpn: event.info.alpnProtocol, handshake: event.info })
        break
      case "early-data":
        this.earlyData.push(event.data)
        break
      case "data":
        if (this.#cancelled) break
        this.#out?.enqueue(event.data)
        if ((this.#out?.desiredSize ?? 1) <= 0) this.#driver.want(false)
        break
      case "end":
        this.#receivedEnd = true
        if (!this.#cancelled) this.#out?.close()
        if (!this.#allowHalfOpen) this.#end().catch((error: unknown) => this.#fail(asError(error)))
        this.#finishWhenBothEnded()
        break
      case "failed":
        this.#fail(event.error)
    }
  }

  #finishWhenBothEnded(): void {
    if (!this.#sentEnd || this.#over) return
    if (this.#receivedEnd) this.#finish()
    else if (this.#cancelled && this.#endIsTaken)
      this.#lingering ??= systemClock.after(longestLingering, () => this.#finish())
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#lingering?.()
    this.#driver.destroy()
    this.#below.release()
    this.#closed.resolve()
  }

  #fail(error: Error): void {
    if (this.#over) return
    this.#over = true
    this.#lingering?.()
    this.#opened.reject(error)
    this.#closed.reject(error)
    if (!this.#receivedEnd && !this.#cancelled) this.#out?.error(error)
    this.#in?.error(error)
    this.#driver.destroy()
    this.#below.endSoon()
  }
}

const nothing = new Uint8Array(0)

interface StreamEvents {
  readonly data: (bytes: Uint8Array) => void
  readonly end: () => void
  readonly failed: (error: Error) => void
}

class StreamTransport implements Transport {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>
  readonly #events: StreamEvents
  #unread: Uint8Array = nothing
  #reading = true
  #busy = false
  #ended: Promise<void> | undefined

  constructor({ readable, writable }: ByteStreams, events: StreamEvents) {
    this.#reader = readable.getReader()
    this.#writer = writable.getWriter()
    this.#events = events
    // Told by the write or the read that fails.
    this.#writer.closed.catch(() => undefined)
    this.#reader.closed.catch(() => undefined)
  }

  start(): void {
    void this.#read()
  }

  write(bytes: Uint8Array, taken: Taken): void {
    this.#writer.write(bytes).then(
      () => taken(),
      (error: unknown) => {
        taken(asError(error))
        this.#events.failed(asError(error))
      },
    )
  }

  setReading(wanted: boolean): void {
    this.#reading = wanted
    if (wanted) void this.#read()
  }

  /** After everything that was written. */
  end(): Promise<void> {
    this.#ended ??= this.#writer.close().catch(() => undefined)
    return this.#ended
  }

  /** An alert may be on its way: it is sent before the end, unless the peer has not taken it for so long. */
  endSoon(): void {
    const callOff = systemClock.after(longestLingering, () => {
      this.#writer.abort().catch(() => undefined)
      this.release()
    })
    void this.end().finally(() => {
      callOff()
      this.release()
    })
  }

  release(): void {
    this.#reader.cancel().catch(() => undefined)
  }

  async #read(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    try {
      while (this.#reading) {
        if (this.#unread.length === 0) {
          const { done, value } = await this.#reader.read()
          if (done) {
            this.#events.end()
            return
          }
          this.#unread = value
        }
        // A chunk may be of any length: what is behind a piece after which reading was to stop waits here.
        const piece = this.#unread.subarray(0, chunkSize)
        // A view of no bytes would keep the chunk alive.
        this.#unread = piece.length < this.#unread.length ? this.#unread.subarray(piece.length) : nothing
        this.#events.data(piece)
      }
    } catch (error) {
      this.#events.failed(asError(error))
      return
    }
    this.#busy = false
  }
}

interface Deferred<Value> {
  readonly promise: Promise<Value>
  readonly resolve: (value: Value) => void
  readonly reject: (error: Error) => void
}

function deferred<Value>(): Deferred<Value> {
  let [resolve, reject]: [Deferred<Value>["resolve"], Deferred<Value>["reject"]] = [() => undefined, () => undefined]
  const promise = new Promise<Value>((resolvePromise, rejectPromise) => {
    resolve = resolvePromise
    reject = rejectPromise
  })
  // Whoever does not look at a promise does not want to hear of it.
  promise.catch(() => undefined)
  return { promise, resolve, reject }
}

function asError(reason: unknown): Error {
  return reason instanceof Error
    ? reason
    : new Error(reason === undefined ? "the stream was aborted" : messageOf(reason))
}

// The entry `@puremq/tls13/bun`: TLS over Bun's own TCP sockets. (The entry ./node works on Bun as well.)

import { copyOf } from "../bytes/copy.ts"
import {
  type ConnectStreamOptions,
  type ListenStreamOptions,
  streamClientConfig,
  streamServerConfig,
} from "./stream-config.ts"
import { Queue, type TlsListener } from "./stream-listener.ts"
import { acceptOverStreams, type ByteStreams, connectOverStreams, type TlsStreamSocket } from "./streams.ts"

/** As much of Bun as this needs. */
interface BunSocket {
  data: SocketStreams
  write(bytes: Uint8Array, offset?: number): number
  pause(): void
  resume(): void
  /** Ends our half; with `true`, in spite of its types, the other one. */
  shutdown(): void
  /** Closes when what was written is on its way. */
  end(): void
  terminate(): void
  setNoDelay(on: boolean): void
}
interface BunHandlers {
  open(socket: BunSocket): void
  data(socket: BunSocket, bytes: Uint8Array): void
  drain(socket: BunSocket): void
  end(socket: BunSocket): void
  close(socket: BunSocket): void
  error(socket: BunSocket, error: Error): void
}
interface BunSocketOptions {
  readonly hostname: string
  readonly port: number
  readonly allowHalfOpen: true
  readonly socket: BunHandlers
}
declare const Bun: {
  connect(options: BunSocketOptions): Promise<BunSocket>
  listen(options: BunSocketOptions): { readonly hostname: string; readonly port: number; stop(): void }
}

/** Rejects when the TCP connection cannot be made; the handshake's end is `opened`. @throws Misuse, X509Error */
export async function connect(options: ConnectStreamOptions): Promise<TlsStreamSocket> {
  const config = streamClientConfig(options)
  const { hostname, port } = options
  const socket = await Bun.connect({ hostname, port, allowHalfOpen: true, socket: handlers(() => undefined) })
  return connectOverStreams(socket.data, config, options)
}

/** @throws Misuse, X509Error, and what Bun throws for a port that it cannot have */
export function listen(options: ListenStreamOptions): TlsListener {
  const config = streamServerConfig(options)
  const accepted = new Queue<TlsStreamSocket>()
  const { hostname = "127.0.0.1", port } = options
  const socket = handlers((streams) => accepted.put(acceptOverStreams(streams, config, options)))
  const listener = Bun.listen({ hostname, port, allowHalfOpen: true, socket })
  return {
    hostname: listener.hostname,
    port: listener.port,
    close() {
      listener.stop()
      accepted.close()
    },
    [Symbol.asyncIterator]: () => accepted[Symbol.asyncIterator](),
  }
}

function handlers(onOpen: (streams: ByteStreams) => void): BunHandlers {
  return {
    open(socket) {
      socket.setNoDelay(true)
      socket.data = new SocketStreams(socket)
      onOpen(socket.data)
    },
    // Bun uses its buffer again.
    data: (socket, bytes) => socket.data.received(copyOf(bytes)),
    drain: (socket) => socket.data.drained(),
    end: (socket) => socket.data.ended(),
    close: (socket) => socket.data.closed(),
    error: (socket, error) => socket.data.failed(error),
  }
}

/** Bun calls back; these are streams. */
class SocketStreams implements ByteStreams {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  readonly #socket: BunSocket
  #out: ReadableStreamDefaultController<Uint8Array> | undefined
  #wake: (() => void) | undefined
  #readEnded = false
  #writeEnded = false
  #gone = false

  constructor(socket: BunSocket) {
    this.#socket = socket
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#out = controller
        },
        pull: () => {
          if (!this.#gone) socket.resume()
        },
        // Not before everything that was written is on its way.
        cancel: () => {
          this.#readEnded = true
          if (this.#writeEnded) socket.end()
          else socket.terminate()
        },
      },
      { highWaterMark: 65_536, size: (chunk) => chunk.byteLength },
    )
    this.writable = new WritableStream<Uint8Array>({
      write: (bytes) => this.#write(bytes),
      close: () => {
        this.#writeEnded = true
        socket.shutdown()
      },
      abort: () => socket.terminate(),
    })
  }

  received(bytes: Uint8Array): void {
    if (this.#readEnded) return
    this.#out?.enqueue(bytes)
    if ((this.#out?.desiredSize ?? 1) <= 0) this.#socket.pause()
  }

  drained(): void {
    this.#wake?.()
  }

  ended(): void {
    if (this.#readEnded) return
    this.#readEnded = true
    this.#out?.close()
  }

  closed(): void {
    this.#gone = true
    this.ended()
    this.#wake?.()
  }

  failed(error: Error): void {
    if (this.#readEnded) return
    this.#readEnded = true
    this.#out?.error(error)
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      if (this.#gone) throw new Error("the connection is closed")
      const written = this.#socket.write(bytes, at)
      if (written < 0) throw new Error("the connection is closed")
      at += written
      if (at < bytes.length) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}

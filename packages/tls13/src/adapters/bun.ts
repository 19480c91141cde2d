// The entry `@puremq/tls13/bun`: TLS over Bun's own TCP sockets. (The entry ./node works on Bun as well.)

import { copyOf } from "../bytes/copy.ts"
import { type StartTlsSocket, startTlsOver } from "./start-tls.ts"
import {
  type ConnectStreamOptions,
  type ListenStreamOptions,
  streamClientConfig,
  streamServerConfig,
} from "./stream-config.ts"
import { Reception, type TlsListener } from "./stream-listener.ts"
import { acceptOverStreams, type ByteStreams, connectOverStreams, type TlsStreamSocket } from "./streams.ts"

export type { HandshakeLimitOptions } from "./handshake-gate.ts"
export type { StartTlsSocket } from "./start-tls.ts"
export type { AcceptStreamOptions, ConnectStreamOptions, ListenStreamOptions } from "./stream-config.ts"
export type { TlsListener } from "./stream-listener.ts"
export type { ByteStreams, TlsSocketInfo, TlsStreamOptions, TlsStreamSocket } from "./streams.ts"

/** As much of Bun as this needs. */
interface BunSocket {
  data: SocketStreams
  /** Undefined of one whose peer has reset it already. */
  readonly remoteAddress: string | undefined
  write(bytes: Uint8Array): number
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

/**
 * Rejects when the TCP connection cannot be made; the handshake's end is `opened`. With `secureTransport: "starttls"` the
 * connection begins without TLS. @throws Misuse, X509Error
 */
export async function connect(
  options: ConnectStreamOptions & { readonly secureTransport: "starttls" },
): Promise<StartTlsSocket>
export async function connect(options: ConnectStreamOptions): Promise<TlsStreamSocket>
export async function connect(options: ConnectStreamOptions): Promise<TlsStreamSocket | StartTlsSocket> {
  const config = streamClientConfig(options)
  const { hostname, port } = options
  const { data } = await Bun.connect({ hostname, port, allowHalfOpen: true, socket: handlers(() => undefined) })
  const secure = (below: ByteStreams) => connectOverStreams(below, config, options)
  return options.secureTransport === "starttls" ? startTlsOver(data, secure) : secure(data)
}

/** @throws Misuse, X509Error, and what Bun throws for a port that it cannot have */
export function listen(options: ListenStreamOptions): TlsListener {
  const config = streamServerConfig(options)
  const reception = new Reception(options)
  const { hostname = "127.0.0.1", port } = options
  const socket = handlers((streams, bun) => {
    streams.onClosed = reception.take({
      address: bun.remoteAddress ?? "",
      accept: () => acceptOverStreams(streams, config, options),
      drop: () => bun.terminate(),
    })
  }, reception.fault.bind(reception))
  const listener = Bun.listen({ hostname, port, allowHalfOpen: true, socket })
  return {
    hostname: listener.hostname,
    port: listener.port,
    get handshakes() {
      return reception.handshakes
    },
    close() {
      listener.stop()
      reception.close()
    },
    [Symbol.asyncIterator]: () => reception.accepted[Symbol.asyncIterator](),
  }
}

/** Each handler is a boundary: what is thrown in it ends that connection. */
function handlers(
  onOpen: (streams: SocketStreams, socket: BunSocket) => void,
  onFault: (error: unknown) => void = () => undefined,
): BunHandlers {
  const guard = (socket: BunSocket, work: () => void) => {
    try {
      work()
    } catch (error) {
      onFault(error)
      socket.terminate()
    }
  }
  return {
    open(socket) {
      guard(socket, () => {
        socket.setNoDelay(true)
        socket.data = new SocketStreams(socket)
        onOpen(socket.data, socket)
      })
    },
    // Bun uses its buffer again.
    data: (socket, bytes) => guard(socket, () => socket.data.received(copyOf(bytes))),
    drain: (socket) => guard(socket, () => socket.data.drained()),
    end: (socket) => guard(socket, () => socket.data.ended()),
    close: (socket) => guard(socket, () => socket.data.closed()),
    error: (socket, error) => guard(socket, () => socket.data.failed(error)),
  }
}

/** Bun calls back; these are streams. */
class SocketStreams implements ByteStreams {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  readonly #socket: BunSocket
  onClosed: () => void = () => undefined
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
    this.onClosed()
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
      // Bun refuses an offset without a length.
      const written = this.#socket.write(bytes.subarray(at))
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

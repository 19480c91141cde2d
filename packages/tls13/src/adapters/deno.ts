// The entry `@puremq/tls13/deno`: TLS over Deno's own TCP connections. (The entry ./node works on Deno as well.)

import { type StartTlsSocket, startTlsOver } from "./start-tls.ts"
import {
  type ConnectStreamOptions,
  type ListenStreamOptions,
  streamClientConfig,
  streamServerConfig,
} from "./stream-config.ts"
import { Reception, type TlsListener } from "./stream-listener.ts"
import {
  acceptOverStreams,
  type ByteStreams,
  connectOverStreams,
  type SinkController,
  type TlsStreamSocket,
} from "./streams.ts"

export type { HandshakeLimitOptions } from "./handshake-gate.ts"
export type { StartTlsSocket } from "./start-tls.ts"
export type { AcceptStreamOptions, ConnectStreamOptions, ListenStreamOptions } from "./stream-config.ts"
export type { TlsListener } from "./stream-listener.ts"
export type { ByteStreams, TlsSocketInfo, TlsStreamOptions, TlsStreamSocket } from "./streams.ts"

/** As much of Deno as this needs. */
interface DenoConn {
  readonly remoteAddr: { readonly hostname: string }
  read(into: Uint8Array): Promise<number | null>
  write(bytes: Uint8Array): Promise<number>
  closeWrite(): Promise<void>
  close(): void
  setNoDelay?(on: boolean): void
}
interface DenoListener {
  readonly addr: { readonly hostname: string; readonly port: number }
  accept(): Promise<DenoConn>
  close(): void
}
declare const Deno: {
  connect(options: { hostname: string; port: number }): Promise<DenoConn>
  listen(options: { hostname: string; port: number }): DenoListener
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
  const streams = streamsOf(await Deno.connect({ hostname, port }))
  const secure = (below: ByteStreams) => connectOverStreams(below, config, options)
  return options.secureTransport === "starttls" ? startTlsOver(streams, secure) : secure(streams)
}

/** @throws Misuse, X509Error, and what Deno throws for a port that it cannot have */
export function listen(options: ListenStreamOptions): TlsListener {
  const config = streamServerConfig(options)
  const listener = Deno.listen({ hostname: options.hostname ?? "127.0.0.1", port: options.port })
  const reception = new Reception(options)
  let closed = false
  const acceptAll = async () => {
    while (!closed) {
      try {
        const conn = await listener.accept()
        reception.take({
          address: conn.remoteAddr.hostname,
          accept: () => acceptOverStreams(streamsOf(conn), config, options),
          drop: () => conn.close(),
        })
      } catch (error) {
        if (closed) return
        if (isGone(error)) continue
        // Too many open files, say: the next one may do.
        reception.fault(error)
        await new Promise((resolve) => setTimeout(resolve, pauseAfterFailure))
      }
    }
  }
  void acceptAll()
  return {
    hostname: listener.addr.hostname,
    port: listener.addr.port,
    get handshakes() {
      return reception.handshakes
    },
    close() {
      closed = true
      listener.close()
      reception.close()
    },
    [Symbol.asyncIterator]: () => reception.accepted[Symbol.asyncIterator](),
  }
}

/** Milliseconds. */
const pauseAfterFailure = 100

/** Its peer has reset it before it was accepted, as any may: with a pause for each, a few of them a second would shut the door. */
function isGone(error: unknown): boolean {
  return error instanceof Error && ["NotConnected", "ConnectionReset", "ConnectionAborted"].includes(error.name)
}

/** Deno's own streams close the whole connection when one half ends; these keep the halves apart. */
function streamsOf(conn: DenoConn): ByteStreams {
  conn.setNoDelay?.(true)
  let halves = 2
  const half = () => {
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      if (--halves === 0) conn.close()
    }
  }
  const [readOver, writeOver] = [half(), half()]
  return {
    readable: new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const buffer = new Uint8Array(65_536)
          const length = await overIfItFails(conn.read(buffer), readOver)
          if (length !== null) return controller.enqueue(buffer.subarray(0, length))
          controller.close()
          readOver()
        },
        cancel: readOver,
      },
      { highWaterMark: 0 },
    ),
    writable: new WritableStream<Uint8Array>({
      // `abort` is called when the write that is under way is over, which may be never.
      start: ({ signal }: SinkController) => signal?.addEventListener("abort", writeOver),
      async write(bytes) {
        for (let at = 0; at < bytes.length; ) at += await overIfItFails(conn.write(bytes.subarray(at)), writeOver)
      },
      async close() {
        // The peer may have closed the connection already.
        await conn.closeWrite().catch(() => undefined)
        writeOver()
      },
      abort: writeOver,
    }),
  }
}

/** A stream that has failed is neither closed nor cancelled any more: a peer that resets must not make handles stay open. */
async function overIfItFails<Result>(work: Promise<Result>, over: () => void): Promise<Result> {
  try {
    return await work
  } catch (error) {
    over()
    throw error
  }
}

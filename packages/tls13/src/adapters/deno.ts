// The entry `@puremq/tls13/deno`: TLS over Deno's own TCP connections. (The entry ./node works on Deno as well.)

import {
  type ConnectStreamOptions,
  type ListenStreamOptions,
  streamClientConfig,
  streamServerConfig,
} from "./stream-config.ts"
import type { TlsListener } from "./stream-listener.ts"
import { acceptOverStreams, type ByteStreams, connectOverStreams, type TlsStreamSocket } from "./streams.ts"

/** As much of Deno as this needs. */
interface DenoConn {
  read(into: Uint8Array): Promise<number | null>
  write(bytes: Uint8Array): Promise<number>
  closeWrite(): Promise<void>
  close(): void
  setNoDelay?(on: boolean): void
}
interface DenoListener extends AsyncIterable<DenoConn> {
  readonly addr: { readonly hostname: string; readonly port: number }
  close(): void
}
declare const Deno: {
  connect(options: { hostname: string; port: number }): Promise<DenoConn>
  listen(options: { hostname: string; port: number }): DenoListener
}

/** Rejects when the TCP connection cannot be made; the handshake's end is `opened`. @throws Misuse, X509Error */
export async function connect(options: ConnectStreamOptions): Promise<TlsStreamSocket> {
  const config = streamClientConfig(options)
  const { hostname, port } = options
  return connectOverStreams(streamsOf(await Deno.connect({ hostname, port })), config, options)
}

/** @throws Misuse, X509Error, and what Deno throws for a port that it cannot have */
export function listen(options: ListenStreamOptions): TlsListener {
  const config = streamServerConfig(options)
  const listener = Deno.listen({ hostname: options.hostname ?? "127.0.0.1", port: options.port })
  return {
    hostname: listener.addr.hostname,
    port: listener.addr.port,
    close: () => listener.close(),
    async *[Symbol.asyncIterator]() {
      for await (const conn of listener) yield acceptOverStreams(streamsOf(conn), config, options)
    },
  }
}

/** Deno's own streams close the whole connection when one half ends; these keep the halves apart. */
function streamsOf(conn: DenoConn): ByteStreams {
  conn.setNoDelay?.(true)
  let halves = 2
  const halfOver = () => {
    if (--halves === 0) conn.close()
  }
  return {
    readable: new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const buffer = new Uint8Array(65_536)
          const length = await conn.read(buffer)
          if (length !== null) return controller.enqueue(buffer.subarray(0, length))
          controller.close()
          halfOver()
        },
        cancel: halfOver,
      },
      { highWaterMark: 0 },
    ),
    writable: new WritableStream<Uint8Array>({
      async write(bytes) {
        for (let at = 0; at < bytes.length; ) at += await conn.write(bytes.subarray(at))
      },
      async close() {
        // The peer may have closed the connection already.
        await conn.closeWrite().catch(() => undefined)
        halfOver()
      },
      abort: halfOver,
    }),
  }
}

// The entry `@puremq/tls13/workerd`: TLS over the TCP sockets of workerd and Cloudflare Workers. A Worker has no TCP port of its
// own: connections are handed to its `connect` handler, and `createAcceptor` makes their server's end.

import { connect as connectTcp } from "cloudflare:sockets"
import { type StartTlsSocket, startTlsOver } from "./start-tls.ts"
import { type ConnectStreamOptions, streamClientConfig } from "./stream-config.ts"
import { type ByteStreams, connectOverStreams, type TlsStreamSocket } from "./streams.ts"

export type { HandshakeLimitOptions } from "./handshake-gate.ts"
export type { StartTlsSocket } from "./start-tls.ts"
export { createAcceptor, type TlsAcceptor } from "./stream-acceptor.ts"
export type { AcceptStreamOptions, ConnectStreamOptions } from "./stream-config.ts"
export type { ByteStreams, TlsSocketInfo, TlsStreamOptions, TlsStreamSocket } from "./streams.ts"

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
  const socket = connectTcp({ hostname, port }, { secureTransport: "off", allowHalfOpen: true })
  await socket.opened
  const secure = (below: ByteStreams) => connectOverStreams(below, config, options)
  return options.secureTransport === "starttls" ? startTlsOver(socket, secure) : secure(socket)
}

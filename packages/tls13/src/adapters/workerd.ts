// The entry `@puremq/tls13/workerd`: TLS over the TCP sockets of workerd and Cloudflare Workers. Clients only: a Worker has
// no TCP port of its own; where it is handed a connection, `acceptOverStreams` of ./streams serves it.

import { connect as connectTcp } from "cloudflare:sockets"
import { type ConnectStreamOptions, streamClientConfig } from "./stream-config.ts"
import { connectOverStreams, type TlsStreamSocket } from "./streams.ts"

/** Rejects when the TCP connection cannot be made; the handshake's end is `opened`. @throws Misuse, X509Error */
export async function connect(options: ConnectStreamOptions): Promise<TlsStreamSocket> {
  const config = streamClientConfig(options)
  const { hostname, port } = options
  const socket = connectTcp({ hostname, port }, { secureTransport: "off", allowHalfOpen: true })
  await socket.opened
  return connectOverStreams(socket, config, options)
}

// The one place that takes PureMQ's TLS for Node. Loaded when a listener or a client needs it, so that a broker on plain
// TCP does not carry it.

import type { Duplex } from "node:stream"
import type { TlsServerFactory } from "./tls.ts"

interface TlsForNode {
  readonly createServer: TlsServerFactory
  readonly connect: (options: {
    host: string
    port: number
    servername?: string
    ca?: string
    cert?: string
    key?: string
    ALPNProtocols?: readonly string[]
    rejectUnauthorized?: boolean
  }) => Duplex
}

export async function loadTls(): Promise<TlsForNode> {
  const name: string = "@puremq/tls13/node"
  return await import(name)
}

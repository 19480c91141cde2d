// The one place that takes PureMQ's TLS for Node. Loaded when a listener or a client needs it, so that a broker on plain
// TCP does not carry it.

import type { connect, createServer } from "@puremq/tls13/node"

export async function loadTls(): Promise<{
  readonly connect: typeof connect
  readonly createServer: typeof createServer
}> {
  return import("@puremq/tls13/node")
}

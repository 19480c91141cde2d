// The TLS stacks that are compared, each with a server and a client in the shape of node:tls.

import type { Server as NetServer } from "node:net"
import type { Duplex } from "node:stream"
import nodeTls from "node:tls"
import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { createHostProvider } from "@puremq/tls13/crypto/host"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { connect, createServer } from "@puremq/tls13/node"

export const stacks = ["node:tls", "noble", "fast", "host"] as const
export type Stack = (typeof stacks)[number]

/** What the report calls them. */
export const stackNames: Readonly<Record<Stack, string>> = {
  "node:tls": "node:tls (OpenSSL)",
  noble: "PureMQ, noble",
  fast: "PureMQ, fast",
  host: "PureMQ, host crypto",
}

const providers = { noble: createNobleProvider, fast: createFastProvider, host: createHostProvider }

export interface Pems {
  readonly ca: string
  readonly cert: string
  readonly key: string
  /** Clients show it, and servers ask for it; default: neither. */
  readonly client?: { readonly cert: string; readonly key: string }
}

/**
 * As ours are without being told: with Nagle's algorithm the last small write of an exchange waits for an acknowledgement that
 * the other side delays by 40 ms, and that would be what is measured.
 */
function withoutDelay(socket: nodeTls.TLSSocket): nodeTls.TLSSocket {
  return socket.setNoDelay(true)
}

export interface ServerChoice {
  readonly pems: Pems
  /** The one that it takes; default: all that it has. */
  readonly suite?: string | undefined
  /** The one group that it takes; default: those that it takes without being told. */
  readonly group?: string | undefined
  /** Threads for public-key operations; of ours alone. */
  readonly workers?: number | undefined
}

export function startServer(
  stack: Stack,
  { pems, suite, group, workers = 0 }: ServerChoice,
  onSecure: (socket: Duplex) => void,
): NetServer {
  const asks = pems.client && { ca: pems.ca, requestCert: true }
  const common = {
    cert: pems.cert,
    key: pems.key,
    ...asks,
    ...(suite && { ciphers: suite }),
    ...(group && { ecdhCurve: group }),
  }
  if (stack === "node:tls") return nodeTls.createServer({ ...common, minVersion: "TLSv1.3", noDelay: true }, onSecure)
  return createServer({ ...common, provider: stack, workers, maxPendingHandshakesPerAddress: 100_000 }, onSecure)
}

export interface ClientChoice {
  readonly port: number
  readonly cipherSuite?: string
}

/** A connected client. */
export function startClient(stack: Stack, pems: Pems, { port, cipherSuite }: ClientChoice): Promise<Duplex> {
  const common = { host: "127.0.0.1", port, ca: pems.ca, servername: "localhost" }
  return new Promise((resolve, reject) => {
    const socket: Duplex =
      stack === "node:tls"
        ? withoutDelay(
            nodeTls.connect({ ...common, minVersion: "TLSv1.3", ...(cipherSuite && { ciphers: cipherSuite }) }),
          )
        : connect({ ...common, provider: providers[stack](), ...(cipherSuite && { ciphers: cipherSuite }) })
    socket.once("secureConnect", () => resolve(socket))
    socket.once("error", reject)
  })
}

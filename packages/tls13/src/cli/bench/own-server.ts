// A server of our own to measure, in a process of its own: `--loopback`.

import { once } from "node:events"
import type { AddressInfo, Server } from "node:net"
import type { Duplex } from "node:stream"
import { createServer as createNodeServer } from "node:tls"
import { createSecureContext } from "../../adapters/node/secure-context.ts"
import { createServer } from "../../adapters/node/server.ts"
import { sharedTlsOptions } from "../tls-options.ts"
import type { ServerTask } from "./messages.ts"
import { readBenchArguments } from "./plan.ts"

/** Bytes of 0-RTT data that ours takes. */
const mostEarlyData = 16_384

/** One listener asks for client certificates, the other does not. */
export async function startOwnServer(task: ServerTask): Promise<{ readonly port: number; readonly mtlsPort: number }> {
  const make = task.server === "node" ? nodeServer : ownServer
  const [port, mtlsPort] = [await listen(await make(task, false)), await listen(await make(task, true))]
  return { port, mtlsPort }
}

async function ownServer({ args, server, certificates }: ServerTask, mtls: boolean): Promise<Server> {
  // The last one counts: the client's provider is not the server's.
  const shared = await sharedTlsOptions(readBenchArguments([...args, "--provider", server]), "server")
  const made = createServer({
    ...shared,
    secureContext: createSecureContext({
      ...pairs(certificates),
      ca: certificates.ca,
      provider: shared.secureContext.provider,
    }),
    earlyData: { maxBytes: mostEarlyData },
    requestCert: mtls,
    maxPendingHandshakes: 100_000,
    maxPendingHandshakesPerAddress: 100_000,
  })
  made.on("secureConnection", drain)
  return made
}

async function nodeServer({ args, certificates }: ServerTask, mtls: boolean): Promise<Server> {
  const groups = readBenchArguments(args)
    .list("groups")
    ?.join(":")
    .replaceAll("secp256r1", "P-256")
    .replaceAll("secp384r1", "P-384")
    .replaceAll("secp521r1", "P-521")
  const { cert, key } = pairs(certificates)
  const client = mtls ? { ca: certificates.ca, requestCert: true, rejectUnauthorized: true } : {}
  return createNodeServer({ cert, key, ...client, ...(groups && { ecdhCurve: groups }), minVersion: "TLSv1.3" }, drain)
}

function pairs({ servers }: ServerTask["certificates"]) {
  return { cert: servers.map(({ cert }) => cert), key: servers.map(({ key }) => key) }
}

/** Reads to the end; the other half ends with it. */
function drain(socket: Duplex): void {
  socket.on("error", () => socket.destroy())
  socket.resume()
}

async function listen(server: Server): Promise<number> {
  server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 })
  await once(server, "listening")
  return (server.address() as AddressInfo).port
}

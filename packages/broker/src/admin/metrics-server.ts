import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Boundary } from "../transport/boundary.ts"
import { isLoopback, isOwnHost } from "../transport/http-rules.ts"
import { closeServer, type ListenerContext, listenOn } from "../transport/listener.ts"
import { addressOf } from "../transport/peer.ts"
import { type Stats, toPrometheus } from "./metrics.ts"

export interface MetricsServer {
  readonly port: number
  close(): Promise<void>
}

export interface MetricsOptions {
  readonly host: string
  readonly port: number
  /** Names that a loopback address may be asked by, beside localhost and its addresses. */
  readonly hosts?: readonly string[] | undefined
}

/** Serves `GET /metrics` in Prometheus' text format. Bind it to an address that only the monitoring reaches. */
export async function startMetricsServer(
  { host, port, hosts = [] }: MetricsOptions,
  stats: () => Stats,
  context: Pick<ListenerContext, "onFault" | "onRefused">,
): Promise<MetricsServer> {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (isLoopback(host) && !isOwnHost(request.headers.host, hosts)) {
      response.writeHead(403, { "content-type": "text/plain", connection: "close" })
      response.end("This name is not one of this machine.\n")
      context.onRefused("HTTP", `metrics for ${addressOf(request.socket)} refused: Host is no name of this machine`)
      return
    }
    if (request.url !== "/metrics" || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(404, { "content-type": "text/plain" })
      response.end("Metrics are at /metrics.\n")
      return
    }
    const text = toPrometheus(stats())
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" })
    response.end(request.method === "HEAD" ? undefined : text)
  }
  // A half request ends in time: Node looks for those that are late every half minute only, unless told otherwise.
  const server = createServer({ connectionsCheckingInterval: 1000 }, (request, response) => {
    const { socket } = request
    new Boundary(context.onFault, addressOf(socket), () => socket.destroy()).run(
      () => answer(request, response),
      undefined,
    )
  })
  server.on("clientError", (_error, socket) => socket.destroy())
  server.headersTimeout = 5000
  server.requestTimeout = 5000
  const bound = await listenOn(server, "metrics", host, port, context)
  return {
    port: bound,
    close() {
      server.closeAllConnections()
      return closeServer(server)
    },
  }
}

import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer } from "node:net"
import { Boundary, inside } from "../listen/boundary.ts"
import { HttpDoor, OneRequest } from "../listen/http-door.ts"
import { isLoopback, isOwnHost } from "../listen/http-rules.ts"
import { closeServer, type ListenerContext, listenOn } from "../listen/listener.ts"
import { addressOf } from "../ports/peer.ts"
import { type Stats, toPrometheus } from "./metrics.ts"

/** Milliseconds for a request and for its answer to be taken. */
const requestTime = 5000
/** Connections at a time. */
const mostRequests = 256

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
  context: Pick<ListenerContext, "onFault" | "onRefused" | "onListening">,
): Promise<MetricsServer> {
  const answer = (request: IncomingMessage, response: ServerResponse, peer: string) => {
    response.setHeader("connection", "close")
    if (isLoopback(host) && !isOwnHost(request.headers.host, hosts)) {
      response.writeHead(403, { "content-type": "text/plain" })
      response.end("This name is not one of this machine.\n")
      context.onRefused("HTTP", `metrics for ${peer} refused: Host is no name of this machine`)
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
  const http = createHttpServer((request, response) => {
    const { socket } = request
    const peer = socket instanceof OneRequest ? addressOf(socket.connection) : "unknown"
    new Boundary(context.onFault, peer, () => socket.destroy()).run(() => answer(request, response, peer), undefined)
  })
  const door = new HttpDoor(http, { milliseconds: requestTime, most: mostRequests, onFault: context.onFault })
  const server = createServer({ noDelay: true }, (socket) => inside(context.onFault, socket, () => door.take(socket)))
  const bound = await listenOn(server, "metrics", host, port, context)
  return {
    port: bound,
    close() {
      door.close()
      return closeServer(server)
    },
  }
}

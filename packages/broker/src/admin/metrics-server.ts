import { createServer } from "node:http"
import { closeServer, listenOn } from "../transport/listener.ts"
import { type Stats, toPrometheus } from "./metrics.ts"

export interface MetricsServer {
  readonly port: number
  close(): Promise<void>
}

/** Serves `GET /metrics` in Prometheus' text format. Bind it to an address that only the monitoring reaches. */
export async function startMetricsServer(host: string, port: number, stats: () => Stats): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    if (request.url !== "/metrics" || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(404, { "content-type": "text/plain" })
      response.end("Metrics are at /metrics.\n")
      return
    }
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" })
    response.end(request.method === "HEAD" ? undefined : toPrometheus(stats()))
  })
  server.headersTimeout = 5000
  server.requestTimeout = 5000
  const bound = await listenOn(server, "metrics", host, port)
  return {
    port: bound,
    close() {
      server.closeAllConnections()
      return closeServer(server)
    },
  }
}

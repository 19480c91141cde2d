// Serves the metrics to whoever scrapes them: on a loopback address, or over our TLS to who shows a certificate or a token.

import { createHash, timingSafeEqual } from "node:crypto"
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer } from "node:net"
import { Boundary, inside } from "../listen/boundary.ts"
import { type Connected, HttpDoor, OneRequest } from "../listen/http-door.ts"
import { isLoopback, isOwnHost } from "../listen/http-rules.ts"
import { closeServer, type ListenerContext, listenOn, type ServerLike } from "../listen/listener.ts"
import { createSecureHttpServer, type SecureHttpOptions } from "../listen/secure-http.ts"
import type { TlsServerFactory } from "../listen/tls.ts"
import { addressOf } from "../ports/peer.ts"
import { contentTypes, formatFor, toOpenMetrics, toPrometheus } from "./metric-text.ts"
import type { Stats } from "./metrics.ts"

/** Milliseconds for a request and for its answer to be taken. */
const requestTime = 5000
/** Connections at a time. */
const mostRequests = 256

/** What those who ask have to show; each may be other after a reload. */
export interface MetricsProtection {
  /** Undefined: HTTP without TLS. */
  readonly tls?: SecureHttpOptions | undefined
  /** One of them has to come as `Authorization: Bearer TOKEN`. Undefined: none is needed. */
  readonly tokens?: readonly string[] | undefined
}

export interface MetricsOptions extends MetricsProtection {
  readonly host: string
  readonly port: number
  /** Names that a loopback address may be asked by, beside localhost and its addresses. */
  readonly hosts?: readonly string[] | undefined
  /** Needed for TLS. */
  readonly createTlsServer?: TlsServerFactory | undefined
}

export interface MetricsServer {
  readonly port: number
  /** With TLS: PEM text of the certificate chain that is used now. */
  readonly certificate: string | undefined
  /** Takes other certificates and tokens for the requests to come. Throws when they cannot be used. */
  renew(next: MetricsProtection): void
  close(): Promise<void>
}

/** Serves `GET /metrics` as Prometheus' text or as OpenMetrics. */
export async function startMetricsServer(
  options: MetricsOptions,
  stats: () => Stats,
  context: Pick<ListenerContext, "onFault" | "onHandshake" | "onRefused" | "onListening">,
): Promise<MetricsServer> {
  const { host, port, hosts = [] } = options
  let tokens = digestsOf(options.tokens)
  let certificate = options.tls?.cert
  const answer = (request: IncomingMessage, response: ServerResponse, peer: string) => {
    response.setHeader("connection", "close")
    if (isLoopback(host) && !isOwnHost(request.headers.host, hosts)) {
      refuse(response, 403, "This name is not one of this machine.")
      context.onRefused("HTTP", `metrics for ${peer} refused: Host is no name of this machine`)
      return
    }
    if (tokens !== undefined && !isOneOf(tokens, request.headers.authorization)) {
      response.setHeader("www-authenticate", 'Bearer realm="metrics"')
      refuse(response, 401, "Metrics need a bearer token.")
      const shown = request.headers.authorization === undefined ? "no token was shown" : "the token is none of ours"
      context.onRefused("HTTP", `metrics for ${peer} refused: ${shown}`)
      return
    }
    if (request.url !== "/metrics" || (request.method !== "GET" && request.method !== "HEAD")) {
      refuse(response, 404, "Metrics are at /metrics.")
      return
    }
    const format = formatFor(request.headers.accept)
    const text = (format === "openmetrics" ? toOpenMetrics : toPrometheus)(stats())
    response.writeHead(200, { "content-type": contentTypes[format], vary: "accept", "cache-control": "no-store" })
    response.end(request.method === "HEAD" ? undefined : text)
  }
  const http = createHttpServer((request, response) => {
    const { socket } = request
    const peer = socket instanceof OneRequest ? addressOf(socket.connection) : "unknown"
    new Boundary(context.onFault, peer, () => socket.destroy()).run(() => answer(request, response, peer), undefined)
  })
  const door = new HttpDoor(http, {
    milliseconds: requestTime,
    most: mostRequests,
    oldestGives: true,
    onFault: context.onFault,
  })
  const { server, renew } = serverFor(options, context, (socket) => door.take(socket))
  const bound = await listenOn(server, "metrics", host, port, context)
  return {
    port: bound,
    get certificate() {
      return certificate
    },
    renew(next) {
      if (next.tls !== undefined) {
        renew(next.tls)
        certificate = next.tls.cert
      }
      // Who had to show one has to go on.
      if (next.tokens !== undefined) tokens = digestsOf(next.tokens)
    },
    close() {
      door.close()
      return closeServer(server)
    },
  }
}

function serverFor(
  { tls, createTlsServer }: MetricsOptions,
  context: Parameters<typeof startMetricsServer>[2],
  take: (socket: Connected) => void,
): { readonly server: ServerLike; readonly renew: (next: SecureHttpOptions) => void } {
  if (tls !== undefined && createTlsServer !== undefined)
    return createSecureHttpServer(tls, "metrics", context, createTlsServer, take)
  const server = createServer({ noDelay: true }, (socket) => inside(context.onFault, socket, () => take(socket)))
  return { server, renew: () => undefined }
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain" })
  response.end(`${text}\n`)
}

/** Of all lengths the same, so that comparing tells nothing of them. */
function digestsOf(tokens: readonly string[] | undefined): readonly Buffer[] | undefined {
  return tokens?.map(digest)
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest()
}

/** @param header RFC 6750 section 2.1 */
function isOneOf(tokens: readonly Buffer[], header: string | undefined): boolean {
  const shown = /^bearer +([\x21-\x7e]+) *$/i.exec(header ?? "")?.[1]
  if (shown === undefined) return false
  const found = digest(shown)
  // All of them are looked at, whichever it is.
  return tokens.filter((token) => timingSafeEqual(token, found)).length > 0
}

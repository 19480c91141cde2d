// MQTT over WebSocket (MQTT 5.0 chapter 6). The HTTP server underneath may sit on plain TCP or on TLS sockets.

import { createServer, type IncomingMessage, type Server } from "node:http"
import type { Duplex } from "node:stream"
import { type RawData, type WebSocket, WebSocketServer } from "ws"
import type { Broker } from "../broker.ts"
import { addressOf, closeServer, type Listener, type ListenerContext, listenOn } from "./listener.ts"
import type { PeerInfo, Sink } from "./peer.ts"

export interface WebSocketOptions {
  /** Path of the WebSocket, e.g. "/mqtt"; undefined takes any. */
  readonly path?: string | undefined
  /** Origins a browser may come from, e.g. "https://example.org"; undefined takes any, also none. */
  readonly origins?: readonly string[] | undefined
}

/** Bytes ws may hold for a client before the broker stops writing. */
const highWaterMark = 65_536
const lingerMilliseconds = 1000

export function createWebSocketListener(
  options: WebSocketOptions & { host: string; port: number },
  context: ListenerContext,
): Listener {
  const server = createWebSocketServer(options, context.broker, (request) => ({
    transport: "ws",
    address: addressOf(request.socket),
  }))
  let port = options.port
  return {
    kind: "ws",
    host: options.host,
    get port() {
      return port
    },
    async listen() {
      port = await listenOn(server, "ws", options.host, options.port)
    },
    close() {
      server.closeIdleConnections()
      return closeServer(server)
    },
  }
}

/**
 * An HTTP server that upgrades to MQTT and answers everything else with 426. To serve on other sockets than TCP ones,
 * emit "connection" on it with each.
 */
export function createWebSocketServer(
  options: WebSocketOptions,
  broker: Broker,
  describePeer: (request: IncomingMessage) => PeerInfo,
): Server {
  const server = createServer((_request, response) => {
    response.writeHead(426, { "content-type": "text/plain", upgrade: "websocket", connection: "close" })
    response.end("This is an MQTT broker. Connect with a WebSocket and subprotocol mqtt.\n")
  })
  const { connectTimeout, maximumConnections } = broker.limits
  server.maxConnections = maximumConnections
  server.headersTimeout = connectTimeout
  server.requestTimeout = connectTimeout
  // Connections that are no WebSocket yet. Node's own limits hold only where its server listens itself, which it does not on
  // TLS, are looked at every half minute, and end when an upgrade is refused, though the peer may never close.
  const pending = new Map<Duplex, NodeJS.Timeout>()
  const settled = (socket: Duplex) => {
    clearTimeout(pending.get(socket))
    pending.delete(socket)
  }
  server.on("connection", (socket: Duplex) => {
    if (pending.size >= maximumConnections) {
      socket.destroy()
      return
    }
    const timer = setTimeout(() => socket.destroy(), connectTimeout)
    timer.unref()
    pending.set(socket, timer)
    socket.once("close", () => settled(socket))
  })
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    // One frame may hold many packets; ws keeps a whole frame in memory, so it has a bound of its own.
    maxPayload: broker.limits.maximumPacketSize + highWaterMark,
    // [MQTT-6.0.0-4] the subprotocol is mqtt
    handleProtocols: (offered) => (offered.has("mqtt") ? "mqtt" : false),
  })
  server.on("upgrade", (request, socket: Duplex, head) => {
    socket.on("error", () => socket.destroy())
    const refusal = whyNot(options, request)
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      settled(socket)
      attachWebSocket(broker, webSocket, describePeer(request))
    })
  })
  server.on("clientError", (_error, socket) => socket.destroy())
  return server
}

/** The HTTP status for an upgrade that is refused, else undefined. */
function whyNot(options: WebSocketOptions, request: IncomingMessage): string | undefined {
  const path = (request.url ?? "/").split("?")[0]
  if (options.path !== undefined && path !== options.path) return "404 Not Found"
  const { origin } = request.headers
  if (options.origins !== undefined && (origin === undefined || !options.origins.includes(origin)))
    return "403 Forbidden"
  // [MQTT-6.0.0-3] the client offers mqtt
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim())
  return offered.includes("mqtt") ? undefined : "400 Bad Request"
}

/** Serves MQTT on an open WebSocket. Frames need not end where packets do ([MQTT-6.0.0-2]). */
export function attachWebSocket(broker: Broker, socket: WebSocket, peer: PeerInfo): void {
  let linger: NodeJS.Timeout | undefined
  let full = false
  const sink: Sink = {
    write(chunks) {
      for (let i = 0; i < chunks.length; i++) {
        // A packet may be cut into frames anywhere; only the last one reports that it is gone.
        if (i + 1 < chunks.length) socket.send(chunks[i]!, { binary: true })
        else socket.send(chunks[i]!, { binary: true }, sent)
      }
      full = socket.bufferedAmount > highWaterMark
      return !full
    },
    end() {
      socket.close(1000)
      linger = setTimeout(() => socket.terminate(), lingerMilliseconds)
      linger.unref()
    },
    destroy: () => socket.terminate(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  }
  const connection = broker.accept(peer, sink, broker.now())
  if (connection === undefined) return
  function sent(): void {
    if (!full) return
    full = false
    connection?.drained(broker.now())
  }
  socket.on("message", (data: RawData, isBinary: boolean) => {
    if (!isBinary) {
      // [MQTT-6.0.0-1] MQTT comes in binary frames
      socket.close(1003)
      connection.transportClosed(broker.now(), "a WebSocket text frame instead of binary ones")
      return
    }
    if (Array.isArray(data)) for (const part of data) connection.receive(part, broker.now())
    else connection.receive(data instanceof ArrayBuffer ? new Uint8Array(data) : data, broker.now())
  })
  socket.on("error", () => socket.terminate())
  socket.on("close", () => {
    clearTimeout(linger)
    connection.transportClosed(broker.now(), "connection closed")
  })
}

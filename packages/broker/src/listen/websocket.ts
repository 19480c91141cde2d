// MQTT over WebSocket (MQTT 5.0 chapter 6). The HTTP server underneath may sit on plain TCP or on TLS sockets.

import { createServer as createHttpServer, type IncomingMessage } from "node:http"
import { createServer, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { type RawData, type WebSocket, WebSocketServer } from "ws"
import type { Connection } from "../client/connection.ts"
import type { Broker } from "../hub/broker.ts"
import { addressOf, type PeerInfo, type Sink } from "../ports/peer.ts"
import { Boundary, inside, type OnFault } from "./boundary.ts"
import { type Connected, HttpDoor, OneRequest } from "./http-door.ts"
import { isLoopback, isOwnHost, isOwnPage, isSameOrigin, type OwnPage } from "./http-rules.ts"
import { closeServer, type Listener, type ListenerContext, listenOn } from "./listener.ts"
import { createProxyFront, type ProxyProtocolOptions } from "./proxy-front.ts"

export interface WebSocketOptions {
  /** Path of the WebSocket, e.g. "/mqtt"; undefined takes any. */
  readonly path?: string | undefined
  /**
   * Origins a browser may come from, e.g. "https://example.org"; "*" is any; undefined: pages of this server's own origin, and the broker's own.
   * Clients without Origin are no browsers.
   */
  readonly origins?: readonly string[] | undefined
  /** Names that clients may know a loopback listener by, beside localhost and its addresses; the hosts of `origins` are too. */
  readonly hosts?: readonly string[] | undefined
}

/** Where the WebSocket is. */
interface Place {
  /** What the listener is bound to. */
  readonly host: string
  /** Over TLS of our own. */
  readonly secure: boolean
}

/** Bytes ws may hold for a client before the broker stops writing. */
const highWaterMark = 65_536
/** That a client has to take the last bytes and close, once either side has begun to. */
const lingerMilliseconds = 1000
/** Frames of one message. */
const mostFragments = 256
/** Bytes that ws takes for each piece of a frame, as it comes from the stream, beside what is in it (measured: 150). */
const pieceOverhead = 200
/** Bytes of a control frame from a client beside its data: head and mask. */
const controlOverhead = 6

export function createWebSocketListener(
  options: WebSocketOptions & { host: string; port: number; proxyProtocol?: ProxyProtocolOptions | undefined },
  context: ListenerContext,
): Listener {
  const { name = "ws" } = context
  const door = createWebSocketDoor({ ...options, secure: false }, context, (connection) => ({
    transport: "ws",
    listener: name,
    address: addressOf(connection),
  }))
  const { proxyProtocol } = options
  const take = (socket: Socket) => inside(context.onFault, socket, () => door.take(socket))
  const front = proxyProtocol && createProxyFront(proxyProtocol, context, take)
  const server = front?.server ?? createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, take)
  let port = options.port
  return {
    kind: "ws",
    name,
    host: options.host,
    get port() {
      return port
    },
    async listen() {
      port = await listenOn(server, "ws", options.host, options.port, context)
    },
    close() {
      const closed = closeServer(server)
      front?.close()
      door.close()
      return closed
    },
  }
}

/** Upgrades the connections that it takes to MQTT, and answers everything else with 426. */
export function createWebSocketDoor(
  options: WebSocketOptions & Place,
  context: ListenerContext,
  describePeer: (connection: Connected) => PeerInfo,
): HttpDoor {
  const { broker, onFault, onRefused } = context
  const server = createHttpServer((request, response) =>
    inside(onFault, request.socket, () => {
      response.writeHead(426, { "content-type": "text/plain", upgrade: "websocket", connection: "close" })
      response.end("This is an MQTT broker. Connect with a WebSocket and subprotocol mqtt.\n")
    }),
  )
  const door = new HttpDoor(server, {
    get milliseconds() {
      return broker.limits.connectTimeout
    },
    get most() {
      return broker.limits.maximumConnections
    },
    onFault,
  })
  const settings = {
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    // ws keeps each fragment of a message by itself, which costs far more than a byte or two.
    maxFragments: mostFragments,
    // Also for one that has begun to close and does not read; ws would give it half a minute.
    closeTimeout: lingerMilliseconds,
    // [MQTT-6.0.0-4] the subprotocol is mqtt
    handleProtocols: (offered: ReadonlySet<string>): "mqtt" | false => (offered.has("mqtt") ? "mqtt" : false),
  }
  const sockets = new WebSocketServer(settings)
  server.on("upgrade", (request, asking: Duplex, head) => {
    inside(onFault, asking, () => {
      if (!(asking instanceof OneRequest)) throw new TypeError("a request that did not come through the door")
      const { connection } = asking
      const refusal = whyNot(options, request, context.ownPage?.())
      if (refusal !== undefined) {
        const { status, told } = refusal
        asking.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
        if (told !== undefined) onRefused("HTTP", `WebSocket from ${describePeer(connection).address} refused: ${told}`)
        return
      }
      asking.release()
      // One frame may hold many packets; ws keeps a whole frame in memory, so it has a bound of its own: that of this connection.
      sockets.options.maxPayload = broker.told.maximumPacketSize + highWaterMark
      sockets.handleUpgrade(request, connection, head, (webSocket) =>
        inside(onFault, connection, () => {
          door.settled(connection)
          attachWebSocket(broker, webSocket, connection, describePeer(connection), onFault)
        }),
      )
      connection.resume()
    })
  })
  return door
}

interface Refusal {
  /** The HTTP status. */
  readonly status: string
  /** For the log: what a deployer can do about it. */
  readonly told?: string
}

/** Why an upgrade is refused, else undefined. */
function whyNot(
  options: WebSocketOptions & Place,
  request: IncomingMessage,
  page: OwnPage | undefined,
): Refusal | undefined {
  const { host, origin } = request.headers
  const { origins } = options
  const anyOrigin = origins?.includes("*") ?? false
  const names = [...(options.hosts ?? []), ...(origins ?? []).map((each) => each.replace(/^\w+:\/\//, ""))]
  if (isLoopback(options.host) && !anyOrigin && !isOwnHost(host, names))
    return { status: "403 Forbidden", told: `Host ${quoted(host)} is no name of this machine; see hosts` }
  if (origin !== undefined && !anyOrigin) {
    const isAllowed =
      origins === undefined
        ? isSameOrigin(origin, host, options.secure) || (page !== undefined && isOwnPage(origin, host, page))
        : origins.some((each) => each.toLowerCase() === origin.toLowerCase())
    if (!isAllowed) return { status: "403 Forbidden", told: `origin ${quoted(origin)} is not allowed; see --origin` }
  }
  const path = (request.url ?? "/").split("?")[0]
  if (options.path !== undefined && path !== options.path) return { status: "404 Not Found" }
  // [MQTT-6.0.0-3] the client offers mqtt
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim())
  return offered.includes("mqtt") ? undefined : { status: "400 Bad Request" }
}

/** For one line of the log, and not more than a part of one. */
function quoted(text: string | undefined): string {
  if (text === undefined) return "(none)"
  const short = text.length > 100 ? `${text.slice(0, 100)}...` : text
  return `"${short.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`
}

/** Serves MQTT on an open WebSocket over `raw`. Frames need not end where packets do ([MQTT-6.0.0-2]). */
export function attachWebSocket(
  broker: Broker,
  socket: WebSocket,
  raw: Duplex,
  peer: PeerInfo,
  onFault: OnFault,
): void {
  let linger: NodeJS.Timeout | undefined
  const endSoon = () => {
    linger ??= setTimeout(() => socket.terminate(), lingerMilliseconds).unref()
  }
  let full = false
  let attached: Connection | undefined
  const boundary = new Boundary(onFault, peer.address, () => {
    socket.terminate()
    attached?.abandon()
  })
  const sent = boundary.handler(() => {
    if (!full) return
    full = false
    attached?.drained(broker.now())
  })
  const sink: Sink = {
    write: (chunks) =>
      boundary.run(() => {
        for (let i = 0; i < chunks.length; i++) {
          // A packet may be cut into frames anywhere; only the last one reports that it is gone.
          if (i + 1 < chunks.length) socket.send(chunks[i]!, { binary: true })
          else socket.send(chunks[i]!, { binary: true }, sent)
        }
        full = socket.bufferedAmount > highWaterMark
        return !full
      }, false),
    end: boundary.handler(() => {
      socket.close(1000)
      endSoon()
    }),
    destroy: boundary.handler(() => socket.terminate()),
    pause: boundary.handler(() => socket.pause()),
    resume: boundary.handler(() => socket.resume()),
  }
  // First of all: an error that nobody listens for would end the process.
  socket.on("error", () => socket.terminate())
  const connection = boundary.run(() => broker.accept(peer, sink, broker.now()), undefined)
  if (connection === undefined) return
  attached = connection
  // ws keeps a frame until it is whole. Its own listener of the same event comes first.
  let unfinished = 0
  /** A frame comes in pieces, over TLS in as many as the client likes, and ws joins them at its end. */
  let pieces = 0
  let ended = false
  /** Bytes of control frames, which may come between the frames of a message and are not kept. */
  let control = 0
  const controlFrame = (data: Uint8Array) => {
    control += data.length + controlOverhead
  }
  raw.on(
    "data",
    boundary.handler((chunk: Uint8Array) => {
      const before = unfinished
      unfinished = ended ? 0 : Math.max(0, unfinished + chunk.length - control)
      pieces = unfinished === 0 ? 0 : pieces + 1
      ended = false
      control = 0
      if (unfinished !== before) connection.transportHolds(unfinished + pieces * pieceOverhead, broker.now())
    }),
  )
  // A client has ended its half: ws waits until the other has been written, and one that does not read never lets it be.
  raw.on("end", boundary.handler(endSoon))
  socket.on("ping", controlFrame).on("pong", controlFrame)
  socket.on(
    "message",
    boundary.handler((data: RawData, isBinary: boolean) => {
      ended = true
      if (!isBinary) {
        // [MQTT-6.0.0-1] MQTT comes in binary frames
        socket.close(1003)
        connection.transportClosed(broker.now(), "a WebSocket text frame instead of binary ones", true)
        return
      }
      if (Array.isArray(data)) for (const part of data) connection.receive(part, broker.now())
      else connection.receive(data instanceof ArrayBuffer ? new Uint8Array(data) : data, broker.now())
    }),
  )
  const closed = boundary.handler(() => connection.transportClosed(broker.now(), "connection closed"))
  socket.on(
    "close",
    boundary.handler(() => {
      clearTimeout(linger)
      closed()
    }),
  )
}

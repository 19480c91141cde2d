import { createServer, type Socket } from "node:net"
import { addressOf } from "../ports/peer.ts"
import { inside } from "./boundary.ts"
import { closeServer, type Listener, type ListenerContext, listenOn } from "./listener.ts"
import { createProxyFront, type ProxyProtocolOptions } from "./proxy-front.ts"
import { attachStream } from "./stream.ts"

export interface TcpOptions {
  readonly host: string
  readonly port: number
  readonly proxyProtocol?: ProxyProtocolOptions | undefined
}

/** MQTT over plain TCP. Nothing is encrypted, so it is off unless configured. */
export function createTcpListener(options: TcpOptions, context: ListenerContext): Listener {
  const { broker, onFault, name = "tcp" } = context
  const attach = (socket: Socket) =>
    inside(onFault, socket, () => {
      attachStream(broker, socket, { transport: "tcp", listener: name, address: addressOf(socket) }, onFault, "copies")
      socket.resume()
    })
  const { proxyProtocol } = options
  const front = proxyProtocol && createProxyFront(proxyProtocol, context, attach)
  const server =
    front?.server ?? createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, attach)
  let port = options.port
  return {
    kind: "tcp",
    name,
    host: options.host,
    get port() {
      return port
    },
    async listen() {
      port = await listenOn(server, "tcp", options.host, options.port, context)
    },
    close() {
      const closed = closeServer(server)
      front?.close()
      return closed
    },
  }
}

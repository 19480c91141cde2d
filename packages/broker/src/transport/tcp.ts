import { createServer } from "node:net"
import { addressOf, closeServer, type Listener, type ListenerContext, listenOn } from "./listener.ts"
import { attachStream } from "./stream.ts"

/** MQTT over plain TCP. Nothing is encrypted, so it is off unless configured. */
export function createTcpListener(options: { host: string; port: number }, context: ListenerContext): Listener {
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) => {
    attachStream(context.broker, socket, { transport: "tcp", address: addressOf(socket) })
  })
  let port = options.port
  return {
    kind: "tcp",
    host: options.host,
    get port() {
      return port
    },
    async listen() {
      port = await listenOn(server, "tcp", options.host, options.port)
    },
    close: () => closeServer(server),
  }
}

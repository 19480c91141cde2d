// The entry ./node, whose net.Socket is the runtime's own: who stops and who is stuck.

import { once } from "node:events"
import { connect, createServer, type TLSSocket } from "@puremq/tls13/node"
import {
  backpressureChecks,
  createPeer,
  type PeerSocket,
  type Protocol,
  protocols,
  type Socket,
} from "./backpressure.ts"

const { ca, cert, key, port } = JSON.parse(process.env["PUREMQ_SETTING"] ?? "")

/** As streams that keep nothing themselves. */
function faceOf(socket: TLSSocket): Omit<PeerSocket, "opened"> {
  const parts = socket.iterator({ destroyOnReturn: false })
  const told = (work: (callback: (error?: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => work((error) => (error ? reject(error) : resolve())))
  return {
    readable: new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await parts.next()
          if (done) controller.close()
          else controller.enqueue(value)
        },
      },
      { highWaterMark: 0 },
    ),
    writable: new WritableStream<Uint8Array>({
      write: (chunk) => told((callback) => socket.write(chunk, callback)),
      close: () => told((callback) => socket.end(() => callback())),
    }),
    closed: once(socket, "close"),
  }
}

const opening =
  (to: number) =>
  (protocol: Protocol): Promise<Socket> => {
    const socket = connect({ host: "127.0.0.1", port: to, ca, ALPNProtocols: [protocol], allowHalfOpen: true })
    return Promise.resolve({ ...faceOf(socket), opened: once(socket, "secureConnect") })
  }

for (const line of await backpressureChecks(opening(port))) console.log(`with OpenSSL, ${line}`)
const peer = createPeer()
const server = createServer({ cert, key, ALPNProtocols: [...protocols], allowHalfOpen: true }, (socket) => {
  const opened = Promise.resolve({ alpn: socket.alpnProtocol || undefined })
  peer({ ...faceOf(socket), opened }).catch(() => socket.destroy())
})
server.listen(0, "127.0.0.1")
await once(server, "listening")
const address = server.address()
if (typeof address !== "object" || address === null) throw new Error("no port")
for (const line of await backpressureChecks(opening(address.port))) console.log(`with our own server, ${line}`)
process.exit(0)

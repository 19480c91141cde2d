// The entry ./node on another runtime: its net.Socket is that runtime's own.

import { once } from "node:events"
import { connect, createServer } from "@puremq/tls13/node"

const { ca, cert, key, port } = JSON.parse(process.env["PUREMQ_SETTING"] ?? "")

async function echoed(to: number): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: to, ca, allowHalfOpen: true })
  await once(socket, "secureConnect")
  socket.end("hello")
  let got = ""
  socket.on("data", (data: Buffer) => {
    got += data.toString()
  })
  await once(socket, "end")
  return got
}

if ((await echoed(port)) !== "hello") throw new Error("OpenSSL did not echo")
console.log("./node: hello, echoed by OpenSSL")
const server = createServer({ cert, key, allowHalfOpen: true }, (socket) => socket.pipe(socket))
server.listen(0, "127.0.0.1")
await once(server, "listening")
const address = server.address()
if (typeof address !== "object" || address === null) throw new Error("no port")
if ((await echoed(address.port)) !== "hello") throw new Error("our own server did not echo")
console.log("./node: hello, echoed by our own server")
server.close()
process.exit(0)

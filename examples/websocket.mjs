// The WebSocket library `ws` over this TLS.
// PORT=8443 CA=.puremq/ca.pem node examples/websocket.mjs
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { connect } from "@puremq/tls13/node"
import { WebSocket } from "ws"

const { HOST: host = "localhost", PORT: port = "8443", CA } = process.env
const ca = readFileSync(CA)

const createConnection = () => connect({ host, port: Number(port), ca, ALPNProtocols: ["http/1.1"] })
const webSocket = new WebSocket(`wss://${host}:${port}/`, { createConnection })
await once(webSocket, "open")
webSocket.send("hello")
const [data] = await once(webSocket, "message")
console.log(`${data}`)
webSocket.close()

// undici, and fetch with it, over this TLS: HTTPS with authorities of one's own.
// PORT=8443 CA=.puremq/ca.pem node examples/fetch.mjs
import { readFileSync } from "node:fs"
import { undiciConnector } from "@puremq/tls13/node"
import { Agent, fetch } from "undici"

const { HOST: host = "localhost", PORT: port = "8443", CA } = process.env
const ca = readFileSync(CA)

const dispatcher = new Agent({ connect: undiciConnector({ ca }) })
const response = await fetch(`https://${host}:${port}/news`, { dispatcher })
console.log(response.status, await response.text())
await dispatcher.close()

// HTTPS and WebSocket: curl on `tls13 serve --www`; undici, https and ws over our client, on Node's servers.

import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createServer, request as httpsRequest, type Server } from "node:https"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import { connect, undiciConnector } from "@puremq/tls13/node"
import { WebSocket, WebSocketServer } from "ws"
import { files, inPeers, inRoot, outputOf } from "../files.ts"
import { ourCertificate, serve, trust } from "../ours.ts"
import type { Run } from "../program.ts"
import { Absent, type Row } from "../table.ts"
import { installPackage } from "./languages.ts"

export const httpFeatures = [
  "page",
  "client certificate",
  "WebSocket",
  "MQTT over wss",
  "X25519MLKEM768",
  "certificate compression",
] as const

const wwwAnswer = /protocol +TLSv1\.3[\s\S]*cipher suite TLS_/

/* ------------------------------------------------------------ curl */

async function curlVersion(): Promise<string> {
  const text = outputOf("curl", "--version")
  if (text === undefined) throw new Absent("there is no curl (Debian: curl)")
  return /^(curl \S+).*(OpenSSL\/\S+|GnuTLS\/\S+)/.exec(text)?.slice(1).join(", ") ?? "curl"
}

async function curl(run: Run, serverArgs: readonly string[], args: readonly string[]): Promise<string> {
  const { port, program } = await serve(run, ["--www", ...ourCertificate, ...serverArgs])
  const url = `https://localhost:${port}/`
  const client = await run.do("curl", ["-sS", "--fail", "--tlsv1.3", "--cacert", files.ca, ...args, url])
  if (!wwwAnswer.test(client.log)) throw new Error(`curl read something else: ${client.tail()}`)
  await program.prints(/TLSv1\.3 TLS_\w+ \w+ new/)
  return client.log
}

export const curlRow: Row = {
  name: "curl on `tls13 serve --www`",
  version: curlVersion,
  cells: {
    async page(run) {
      await curl(run, [], [])
    },
    async "client certificate"(run) {
      const args = ["--cert", files.clientCert, "--key", files.clientKey]
      const page = await curl(run, ["--verify", "require", ...trust], args)
      if (!page.includes("CN=device-1")) throw new Error(`the page does not name the client: ${page}`)
    },
    WebSocket: { not: "curl of Debian 12 has no WebSocket" },
    "MQTT over wss": { not: "curl speaks no MQTT over WebSocket" },
    X25519MLKEM768: { not: "as its TLS library: see openssl s_client" },
    "certificate compression": { not: "as its TLS library: see openssl s_client" },
  },
}

/* ------------------------------------------------------------ over our client */

const read = (file: string) => readFileSync(file, "utf8")
const trusted = { ca: read(files.ca) } as const
const own = { cert: read(files.clientCert), key: read(files.clientKey) } as const

async function nodeHttps(
  run: Run,
  withCertificate: boolean,
): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer(
    {
      ...{ cert: read(files.cert), key: read(files.key), ...trusted, minVersion: "TLSv1.3" },
      ...{ requestCert: withCertificate, rejectUnauthorized: withCertificate },
    },
    (_, response) => response.end("x".repeat(100_000)),
  )
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  run.atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

function expectPage(text: string): void {
  if (text !== "x".repeat(100_000)) throw new Error(`another page came, of ${text.length} characters`)
}

type Get = (run: Run, port: number, identity: Partial<typeof own>) => Promise<string>

function clientCells(get: Get): Row["cells"] {
  const cell = (withCertificate: boolean) => async (run: Run) => {
    const { port } = await nodeHttps(run, withCertificate)
    expectPage(await get(run, port, withCertificate ? own : {}))
  }
  return { page: cell(false), "client certificate": cell(true) }
}

const overHttp = {
  WebSocket: { not: "this row is HTTP alone" },
  "MQTT over wss": { not: "this row is HTTP alone" },
} as const
const notShownHere = { not: "what our client can negotiate is shown in the table of servers" } as const
const negotiated = { X25519MLKEM768: notShownHere, "certificate compression": notShownHere } as const

interface Undici {
  readonly Agent: new (options: { readonly connect: unknown }) => { close(): Promise<void> }
  request(
    url: string,
    options: { readonly dispatcher: unknown },
  ): Promise<{ readonly statusCode: number; readonly body: { text(): Promise<string> } }>
}

const undiciPackage = { name: "undici@7.30.2", path: inPeers("node_modules/undici/package.json") } as const

function undici(): Undici {
  return createRequire(undiciPackage.path)("undici") as Undici
}

export const undiciRow: Row = {
  name: "undici over our client, on node:https",
  async version() {
    await installPackage(undiciPackage.name, undiciPackage.path)
    return `undici ${/"version": "([^"]+)"/.exec(read(undiciPackage.path))?.[1]}`
  },
  cells: {
    ...clientCells(async (run, port, identity) => {
      const { Agent, request } = undici()
      const dispatcher = new Agent({ connect: undiciConnector({ ...trusted, ...identity }) })
      run.atEnd(() => dispatcher.close())
      return (await request(`https://localhost:${port}/`, { dispatcher })).body.text()
    }),
    ...overHttp,
    ...negotiated,
  },
}

export const httpsRow: Row = {
  name: "node:https over our client, on node:https",
  version: async () => `Node ${process.versions.node}`,
  cells: {
    ...clientCells(async (_, port, identity) => {
      const options = { host: "127.0.0.1", port, servername: "localhost", ...trusted, ...identity }
      const request = httpsRequest({ ...options, createConnection: () => connect(options) })
      request.end()
      const [response] = await once(request, "response")
      let text = ""
      for await (const part of response) text += part
      return text
    }),
    ...overHttp,
    ...negotiated,
  },
}

async function echoOverWebSocket(run: Run, withCertificate: boolean): Promise<void> {
  const { server, port } = await nodeHttps(run, withCertificate)
  const webSockets = new WebSocketServer({ server })
  webSockets.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })))
  const options = { host: "127.0.0.1", port, servername: "localhost", ...trusted, ...(withCertificate ? own : {}) }
  const client = new WebSocket(`wss://localhost:${port}/`, { createConnection: () => connect(options) })
  run.atEnd(() => client.terminate())
  await once(client, "open")
  const sent = Buffer.alloc(1 << 20, "0123456789")
  client.send(sent)
  const [got] = await once(client, "message")
  if (!sent.equals(got)) throw new Error("another message came back")
}

export const wsRow: Row = {
  name: "ws over our client, on ws over node:https",
  version: async () => `ws ${/"version": "([^"]+)"/.exec(read(inRoot("node_modules/ws/package.json")))?.[1]}`,
  cells: {
    page: { not: "this row is WebSocket alone" },
    WebSocket: (run) => echoOverWebSocket(run, false),
    "client certificate": (run) => echoOverWebSocket(run, true),
    "MQTT over wss": { not: "MQTT.js and Chromium show it" },
    ...negotiated,
  },
}

// HTTP servers for tests of hooks: one that answers as it is told, and one that says any bytes.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { createServer as createTcp, type Socket, type Server as TcpServer } from "node:net"
import { createServer as createTls } from "@puremq/tls13/node"
import { onTestFinished } from "vitest"

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
  /** Of the answer; 0: there is none yet. */
  status: number
}

export interface HookServer {
  readonly url: string
  readonly port: number
  readonly asked: Asked[]
  /** Connections that were made. */
  connections: number
}

type Reply = (asked: Asked, response: ServerResponse) => void

export function json(response: ServerResponse, value: unknown, status = 200): void {
  const body = JSON.stringify(value)
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
  response.end(body)
}

/** @param tls certificate and key: then it speaks our TLS */
export async function hookServer(reply: Reply, tls?: { cert: string; key: string }): Promise<HookServer> {
  const http = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk) => (body += String(chunk)))
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request
      const asked: Asked = { method, path, headers, body, status: 0 }
      server.asked.push(asked)
      response.on("finish", () => {
        asked.status = response.statusCode
      })
      reply(asked, response)
    })
  })
  const front = tls === undefined ? http : createTls(tls, (socket) => http.emit("connection", socket))
  const sockets = new Set<Socket>()
  const scheme = tls === undefined ? "http://127.0.0.1" : "https://localhost"
  const port = await listen(front)
  const server: HookServer = { url: `${scheme}:${port}/hook`, port, asked: [], connections: 0 }
  http.on("connection", (socket: Socket) => {
    server.connections++
    sockets.add(socket)
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    front.close()
  })
  return server
}

/** Says what it is told to whoever has sent something. */
export async function rawServer(talk: (socket: Socket, text: string) => void): Promise<HookServer> {
  const sockets = new Set<Socket>()
  const tcp = createTcp((socket) => {
    server.connections++
    sockets.add(socket)
    socket.on("error", () => undefined)
    socket.on("data", (chunk) => talk(socket, String(chunk)))
  })
  const port = await listen(tcp)
  const server: HookServer = { url: `http://127.0.0.1:${port}/hook`, port, asked: [], connections: 0 }
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    tcp.close()
  })
  return server
}

async function listen(
  server: Pick<Server | TcpServer, "address"> & { listen(...args: never): unknown },
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(...([{ host: "127.0.0.1", port: 0 }, resolve] as never)))
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

// Libraries that know nothing of this one, unchanged on top of it.

import { createServer as createHttpServer, type RequestListener } from "node:http"
import { Agent, request } from "node:https"
import type { Server as NetServer } from "node:net"
import type { Duplex } from "node:stream"
import mqtt from "mqtt"
import { generate, parser } from "mqtt-packet"
import { afterEach, describe, expect, it } from "vitest"
import { WebSocket, WebSocketServer } from "ws"
import { portOf, readAll, until } from "../../../tests/tools/sockets.ts"
import { createDevelopmentCertificates } from "../../devcert/index.ts"
import { connect } from "./connect.ts"
import { mqttStreamBuilder, type UndiciCallback, undiciConnector } from "./ecosystem.ts"
import { createServer } from "./server.ts"
import type { TLSSocket } from "./tls-socket.ts"

const pem = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now: Date.now() })
const own = { cert: pem.serverCert, key: pem.serverKey }
const servers: NetServer[] = []
const sockets = new Set<TLSSocket>()

afterEach(() => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  for (const server of servers.splice(0)) server.close()
})

async function tlsServer(handler: (socket: TLSSocket) => void): Promise<number> {
  const server = createServer(own, (socket) => {
    sockets.add(socket)
    handler(socket)
  })
  servers.push(server)
  return portOf(server)
}

/** A plain http.Server that is fed with our sockets. */
async function httpsServer(listener?: RequestListener) {
  const http = listener ? createHttpServer(listener) : createHttpServer()
  const port = await tlsServer((socket) => http.emit("connection", socket))
  return { http, port }
}

const trusting = (port: number) => ({ host: "127.0.0.1", port, ca: pem.caCert })

function get(port: number, path: string, options: object): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method: "POST", ...options }, (response) => {
      readAll(response).then((body) => resolve({ status: response.statusCode!, body: body.toString() }), reject)
    })
    sent.on("error", reject)
    sent.end("posted ".repeat(10_000))
  })
}

describe("node:http and node:https", () => {
  const listener: RequestListener = (incoming, response) => {
    const { encrypted } = incoming.socket as unknown as TLSSocket
    readAll(incoming).then((body) => {
      response.end(`${incoming.url} ${body.length} ${encrypted} ${incoming.socket.remoteAddress}`)
    })
  }

  it("https.request over our client, http.Server over our server", async () => {
    const { port } = await httpsServer(listener)
    const answer = await get(port, "/one", { createConnection: () => connect(trusting(port)) })
    expect(answer).toEqual({ status: 200, body: "/one 70000 true 127.0.0.1" })
  })

  it("takes connect itself as createConnection", async () => {
    const { port } = await httpsServer(listener)
    const answer = await get(port, "/two", { createConnection: connect, ca: pem.caCert })
    expect(answer.body).toContain("/two 70000")
  })

  it("Node's own https client with keep-alive uses one connection for many requests", async () => {
    let connections = 0
    const { http, port } = await httpsServer(listener)
    http.on("connection", () => connections++)
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: pem.caCert })
    for (let i = 0; i < 5; i++) expect((await get(port, `/${i}`, { agent })).status).toBe(200)
    agent.destroy()
    expect(connections).toBe(1)
  })

  it("an Agent keeps our connections alive too", async () => {
    let connections = 0
    const { http, port } = await httpsServer(listener)
    http.on("connection", () => connections++)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    Reflect.set(agent, "createConnection", () => connect(trusting(port)))
    for (let i = 0; i < 5; i++) expect((await get(port, `/${i}`, { agent })).status).toBe(200)
    agent.destroy()
    expect(connections).toBe(1)
  })

  it("a response that ends with the connection arrives whole", async () => {
    const body = "x".repeat(3_000_000)
    const { port } = await httpsServer((_, response) => {
      response.setHeader("connection", "close")
      response.end(body)
    })
    const answer = await get(port, "/", { createConnection: () => connect(trusting(port)) })
    expect(answer.body.length).toBe(body.length)
    expect((await get(port, "/", { ca: pem.caCert })).body.length).toBe(body.length)
  })
})

describe("ws", () => {
  it("client and server, with large messages", async () => {
    const { http, port } = await httpsServer()
    const server = new WebSocketServer({ server: http })
    server.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })))
    const client = new WebSocket(`wss://127.0.0.1:${port}/`, {
      createConnection: () => connect(trusting(port)),
    } as object)
    const got: Buffer[] = []
    client.on("message", (data: Buffer) => got.push(data))
    await new Promise((resolve, reject) => {
      client.once("open", resolve)
      client.once("error", reject)
    })
    client.send("hello")
    client.send(Buffer.alloc(1_000_000, 7))
    await until(() => got.length === 2)
    expect([got[0]!.toString(), got[1]!.length, got[1]![999_999]]).toEqual(["hello", 1_000_000, 7])
    const closed = new Promise((resolve) => client.once("close", resolve))
    client.close(1000)
    expect(await closed).toBe(1000)
    server.close()
  })

  it("its client over Node's TLS reaches our server", async () => {
    const { http, port } = await httpsServer()
    const server = new WebSocketServer({ server: http })
    server.on("connection", (socket) => socket.send("welcome"))
    const client = new WebSocket(`wss://127.0.0.1:${port}/`, { ca: pem.caCert })
    const first = await new Promise<Buffer>((resolve, reject) => {
      client.once("message", resolve)
      client.once("error", reject)
    })
    expect(first.toString()).toBe("welcome")
    client.terminate()
    server.close()
  })
})

describe("MQTT.js", () => {
  /** As much of a broker as one client needs. */
  function miniBroker(stream: Duplex): void {
    const reading = parser({ protocolVersion: 4 })
    const send = (packet: Parameters<typeof generate>[0]) => stream.write(generate(packet))
    reading.on("packet", (packet) => {
      if (packet.cmd === "connect") send({ cmd: "connack", returnCode: 0, sessionPresent: false })
      if (packet.cmd === "subscribe") send({ cmd: "suback", messageId: packet.messageId!, granted: [1] })
      if (packet.cmd === "publish") {
        if (packet.qos === 1) send({ cmd: "puback", messageId: packet.messageId! })
        send({ ...packet, qos: 0, dup: false })
      }
      if (packet.cmd === "disconnect") stream.end()
    })
    stream.on("data", (data) => reading.parse(data))
  }

  it("publishes and receives over our client and server", async () => {
    const port = await tlsServer(miniBroker)
    const client = new mqtt.MqttClient(mqttStreamBuilder(trusting(port)), { clientId: "c", reconnectPeriod: 0 })
    const got: string[] = []
    client.on("message", (topic, payload) => got.push(`${topic}=${payload}`))
    await client.subscribeAsync("t", { qos: 1 })
    await client.publishAsync("t", "21.5", { qos: 1 })
    await until(() => got.length === 1)
    expect(got).toEqual(["t=21.5"])
    await client.endAsync()
  })

  it("over Node's TLS reaches our server", async () => {
    const port = await tlsServer(miniBroker)
    const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${port}`, { ca: pem.caCert, reconnectPeriod: 0 })
    await client.publishAsync("t", "x", { qos: 1 })
    await client.endAsync()
    expect(client.connected).toBe(false)
  })

  it("hears of a server that is not trusted", async () => {
    const port = await tlsServer(miniBroker)
    const client = new mqtt.MqttClient(mqttStreamBuilder({ host: "127.0.0.1", port }), { reconnectPeriod: 0 })
    const error = await new Promise<Error>((resolve) => client.once("error", resolve))
    expect(error).toMatchObject({ code: "ERR_TLS_UNKNOWN_CA" })
    client.end(true)
  })
})

describe("undici", () => {
  const to = (port: number, protocol = "https:") => ({ hostname: "127.0.0.1", protocol, port: String(port) })
  const outcome = (result: Parameters<UndiciCallback>) => result

  it("its connector calls back later, with a socket that is ready or with an error", async () => {
    const port = await tlsServer((socket) => socket.pipe(socket))
    const connector = undiciConnector({ ca: pem.caCert })
    let later = false
    const [error, socket] = await new Promise<Parameters<UndiciCallback>>((resolve) => {
      connector(to(port), (...result) => resolve(outcome(result)))
      later = true
    })
    expect([error, later, socket?.getProtocol(), socket?.alpnProtocol]).toEqual([null, true, "TLSv1.3", false])
    socket?.destroy()
  })

  for (const [what, options, protocol, message] of [
    ["a server that is not trusted", {}, "https:", /issu|trust/],
    ["an option that makes no sense", { ciphers: "RC4" }, "https:", /RC4/],
    ["plain HTTP", {}, "http:", /https:/],
  ] as const) {
    it(`${what}: an error, later`, async () => {
      const port = await tlsServer((socket) => socket.pipe(socket))
      let later = false
      const [error] = await new Promise<Parameters<UndiciCallback>>((resolve) => {
        undiciConnector(options)(to(port, protocol), (...result) => resolve(outcome(result)))
        later = true
      })
      expect(later).toBe(true)
      expect(error?.message).toMatch(message)
    })
  }
})

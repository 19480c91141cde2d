// Listeners with a proxy in front: real connections, over each transport.

import { once } from "node:events"
import { connect as connectTcp, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { afterEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import type { LogEvent } from "../admin/log.ts"
import type { ListenerConfig } from "../config/config.ts"
import { createBroker, type PureMqBroker } from "../platform/node.ts"
import { trustOf } from "./proxy-front.ts"

const pem = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
const line = "PROXY TCP4 192.0.2.1 198.51.100.2 51234 443\r\n"
/** CONNECT of MQTT 3.1.1 with the identifier "a". */
const connectPacket = Buffer.from("100d00044d51545404020000000161", "hex")
let broker: PureMqBroker | undefined
let events: LogEvent[] = []
const sockets: { destroy(): unknown }[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await broker?.close()
})

async function start(type: ListenerConfig["type"], trusted = ["127.0.0.1"], more: object = {}): Promise<number> {
  events = []
  const tls = type === "tls" || type === "wss" ? { cert: pem.serverCert, key: pem.serverKey } : {}
  broker = createBroker({
    listeners: [{ type, port: 0, proxyProtocol: { trusted }, ...tls, ...more } as ListenerConfig],
    sysInterval: 0,
    onEvent: (event) => events.push(event),
  })
  const [address] = await broker.listen()
  return address!.port
}

async function open(port: number, header: string | Uint8Array): Promise<Socket> {
  const socket = connectTcp({ host: "127.0.0.1", port })
  sockets.push(socket)
  socket.on("error", () => undefined)
  await once(socket, "connect")
  socket.write(header)
  return socket
}

async function event(name: LogEvent["event"]): Promise<LogEvent> {
  for (;;) {
    const found = events.find((each) => each.event === name)
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe("the client's address is the one that the header tells", () => {
  it("over TCP, with the packet behind the header in one write", async () => {
    const socket = await open(await start("tcp"), Buffer.concat([Buffer.from(line), connectPacket]))
    await once(socket, "data")
    expect(await event("client connected")).toMatchObject({ peer: { address: "192.0.2.1:51234", transport: "tcp" } })
  })

  it("over TCP, with the header split at each byte", async () => {
    const socket = await open(await start("tcp"), "")
    socket.setNoDelay(true)
    for (const byte of Buffer.concat([Buffer.from(line), connectPacket])) {
      socket.write(Uint8Array.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await once(socket, "data")
    expect(await event("client connected")).toMatchObject({ peer: { address: "192.0.2.1:51234" } })
  })

  it("over TLS", async () => {
    const below = await open(await start("tls"), line)
    const socket = connectTls({ socket: below, ca: pem.caCert, servername: "localhost" })
    await once(socket, "secureConnect")
    socket.write(connectPacket)
    await once(socket, "data")
    expect(await event("tls handshake")).toMatchObject({ peer: "192.0.2.1:51234" })
    expect(await event("client connected")).toMatchObject({ peer: { address: "192.0.2.1:51234", transport: "tls" } })
  })

  it.each(["ws", "wss"] as const)("over %s", async (type) => {
    const below = await open(await start(type), line)
    const options =
      type === "ws"
        ? { createConnection: () => below }
        : { createConnection: () => connectTls({ socket: below, ca: pem.caCert, servername: "localhost" }) }
    const socket = new WebSocket(`${type}://localhost/mqtt`, ["mqtt"], options)
    sockets.push({ destroy: () => socket.terminate() })
    await once(socket, "open")
    socket.send(connectPacket)
    await once(socket, "message")
    expect(await event("client connected")).toMatchObject({ peer: { address: "192.0.2.1:51234", transport: type } })
  })

  it("over ws, with the request behind the header in one write", async () => {
    const request = [
      "GET /mqtt HTTP/1.1",
      "Host: localhost",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Protocol: mqtt",
      "",
      "",
    ].join("\r\n")
    const socket = await open(await start("ws"), line + request)
    const [answer] = await once(socket, "data")
    expect(String(answer)).toContain("101 Switching Protocols")
  })

  it("LOCAL is the proxy itself", async () => {
    const local = Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex")
    const socket = await open(await start("tcp"), Buffer.concat([local, connectPacket]))
    await once(socket, "data")
    expect(await event("client connected")).toMatchObject({ peer: { address: `127.0.0.1:${socket.localPort}` } })
  })

  it("and counts for the limits of an address", async () => {
    const limits = { maxPendingHandshakesPerAddress: 1, maxWaitingHandshakesPerAddress: 0 }
    const port = await start("tls", ["127.0.0.1"], limits)
    await open(port, line)
    const same = (await open(port, line)).resume()
    await once(same, "close")
    const below = await open(port, line.replace("192.0.2.1", "192.0.2.9"))
    await once(connectTls({ socket: below, ca: pem.caCert, servername: "localhost" }), "secureConnect")
    expect(events).toContainEqual(
      expect.objectContaining({ event: "tls failure", peer: "192.0.2.1:51234", limit: true }),
    )
  })
})

describe("a connection is closed, and one line says why", () => {
  it.each<[string, string | Uint8Array, string]>([
    ["without a header", connectPacket, "the PROXY header is missing: something else came instead"],
    ["with a ClientHello in its place", Buffer.from("1603010200", "hex"), "a TLS handshake came instead"],
    ["with a line that is too long", `PROXY UNKNOWN ${"x".repeat(200)}`, "longer than 107 bytes"],
    ["with a malformed one", "PROXY TCP4 a b 1 2\r\n", "an address that is none of TCP4"],
  ])("%s", async (_, bytes, reason) => {
    const socket = (await open(await start("tcp"), bytes)).resume()
    await once(socket, "close")
    const { text } = (await event("warning")) as { text: string }
    expect(text).toMatch(/^connection from 127\.0\.0\.1:\d+ refused: the PROXY header /)
    expect(text).toContain(reason)
  })

  it("when it ends within its header", async () => {
    const socket = (await open(await start("tcp"), line.slice(0, 20))).resume()
    socket.end()
    await once(socket, "close")
    expect(await event("warning")).toMatchObject({ text: expect.stringContaining("cut short") })
  })

  it("from another address, whatever it says", async () => {
    const socket = (await open(await start("tcp", ["192.0.2.0/24"]), line)).resume()
    await once(socket, "close")
    expect(await event("warning")).toMatchObject({ text: expect.stringContaining("not one of the trusted proxies") })
  })

  it("when the broker closes before the header has come", async () => {
    const socket = (await open(await start("tcp"), "PROXY ")).resume()
    await new Promise((resolve) => setTimeout(resolve, 50))
    const closed = once(socket, "close")
    await broker?.close()
    await closed
  })
})

describe("trusted addresses", () => {
  it.each([
    ["192.0.2.1", ["192.0.2.1"], true],
    ["192.0.2.2", ["192.0.2.1"], false],
    ["::ffff:192.0.2.1", ["192.0.2.1"], true],
    ["10.255.0.1", ["192.0.2.1", "10.0.0.0/8"], true],
    ["11.0.0.1", ["10.0.0.0/8"], false],
    ["203.0.113.1", ["0.0.0.0/0"], true],
    ["2001:db8::7", ["2001:db8::/32"], true],
    ["2001:db9::7", ["2001:db8::/32"], false],
    ["", ["0.0.0.0/0"], false],
    ["127.0.0.1", [], false],
  ] as [string, string[], boolean][])("%s of %j: %s", (address, trusted, is) =>
    expect(trustOf(trusted)(address)).toBe(is),
  )

  it.each(["localhost", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/", "", "::/129"])(
    "%s is none",
    (entry) => expect(() => trustOf([entry])).toThrow("is no address or network"),
  )
})

// RFC 6455 section 10.2: which pages a WebSocket takes, and by which names, with real upgrade requests.

import { once } from "node:events"
import { get, type RequestOptions } from "node:http"
import { get as getSecure } from "node:https"
import { type AddressInfo, createServer } from "node:net"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { afterEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { TestBroker } from "../../tests/harness.ts"
import { formatEvent, type LogEvent } from "../admin/log.ts"
import type { BrokerConfig, ListenerConfig } from "../config/config.ts"
import { createBroker, type ListenerAddress, type PureMqBroker } from "../platform/node.ts"
import { createWebSocketDoor } from "./websocket.ts"

const pem = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
let broker: PureMqBroker | undefined
const events: LogEvent[] = []

afterEach(async () => {
  await broker?.close()
  events.length = 0
})

interface Options {
  readonly type?: "ws" | "wss"
  readonly host?: string
  readonly origins?: readonly string[]
  readonly hosts?: readonly string[]
}

async function start({ type = "ws", ...more }: Options = {}, others: Pick<BrokerConfig, "admin"> = {}) {
  const tls = type === "wss" ? { cert: pem.serverCert, key: pem.serverKey } : {}
  broker = createBroker({
    listeners: [{ type, port: 0, path: "/mqtt", ...tls, ...more } as ListenerConfig],
    sysInterval: 0,
    onEvent: (event) => events.push(event),
    ...others,
  })
  const [{ port }, page] = (await broker.listen()) as [ListenerAddress, ListenerAddress | undefined]
  /** The status of an upgrade. `PORT` in the headers is the listener's, `ADMIN` that of the admin listener. */
  return (origin: string | undefined, host = "localhost:PORT"): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const own = (text: string) => text.replace("PORT", String(port)).replace("ADMIN", String(page?.port))
      const options: RequestOptions = {
        host: "127.0.0.1",
        port,
        path: "/mqtt",
        headers: {
          host: own(host),
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
          "sec-websocket-protocol": "mqtt",
          ...(origin !== undefined && { origin: own(origin) }),
        },
      }
      const request = type === "ws" ? get(options) : getSecure({ ...options, ca: pem.caCert, servername: "localhost" })
      request.once("upgrade", (response, socket) => {
        socket.destroy()
        resolve(response.statusCode)
      })
      request.once("response", (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      request.once("error", reject)
    })
}

describe("without origins in the configuration", () => {
  it.each<[string | undefined, number]>([
    [undefined, 101],
    ["http://localhost:PORT", 101],
    ["HTTP://LOCALHOST:PORT", 101],
    // A proxy in front may have TLS.
    ["https://localhost:PORT", 101],
    ["http://localhost", 403],
    ["http://localhost:1", 403],
    ["http://127.0.0.1:PORT", 403],
    ["https://evil.example", 403],
    ["http://localhost:PORT.evil.example", 403],
    ["http://localhost:PORT/path", 403],
    ["http://user@localhost:PORT", 403],
    ["file://", 403],
    ["null", 403],
    ["", 403],
  ])("ws: a page of %s gets %i", async (origin, status) => {
    expect(await (await start())(origin)).toBe(status)
  })

  it.each<[string | undefined, number]>([
    [undefined, 101],
    ["https://localhost:PORT", 101],
    // Whoever is in the network can be that page.
    ["http://localhost:PORT", 403],
  ])("wss: a page of %s gets %i", async (origin, status) => {
    expect(await (await start({ type: "wss" }))(origin)).toBe(status)
  })

  it("the port of the scheme may be left out", async () => {
    const upgrade = await start({ hosts: ["broker.example"] })
    expect(await upgrade("https://broker.example", "broker.example")).toBe(101)
    expect(await upgrade("https://broker.example", "broker.example:443")).toBe(101)
    expect(await upgrade("https://broker.example", "broker.example:80")).toBe(403)
  })
})

describe("the broker's own page, of the admin listener", () => {
  const admin = { host: "127.0.0.1", port: 0, tokens: "" }

  it.each<["ws" | "wss", string, string, number]>([
    ["ws", "http://localhost:ADMIN", "localhost:PORT", 101],
    ["ws", "http://127.0.0.1:ADMIN", "127.0.0.1:PORT", 101],
    ["wss", "http://localhost:ADMIN", "localhost:PORT", 101],
    ["ws", "https://localhost:ADMIN", "localhost:PORT", 403],
    ["ws", "http://127.0.0.1:ADMIN", "localhost:PORT", 403],
    ["ws", "http://localhost:1", "localhost:PORT", 403],
    // What listens on a loopback address has no page by that name.
    ["ws", "http://broker.example:ADMIN", "broker.example:PORT", 403],
  ])("%s: a page of %s, asked by %s, gets %i", async (type, origin, host, status) => {
    const upgrade = await start({ type, hosts: ["broker.example"] }, { admin })
    expect(await upgrade(origin, host)).toBe(status)
  })

  it("is one of those that origins names, or none", async () => {
    const upgrade = await start({ origins: ["https://app.example"] }, { admin })
    expect(await upgrade("http://localhost:ADMIN")).toBe(403)
  })
})

describe("with origins in the configuration", () => {
  it.each<[string | undefined, number]>([
    [undefined, 101],
    ["https://app.example", 101],
    ["https://app.example:8443", 403],
    ["https://evil.example", 403],
    ["http://localhost:PORT", 403],
  ])("a page of %s gets %i", async (origin, status) => {
    expect(await (await start({ origins: ["https://app.example"] }))(origin)).toBe(status)
  })

  it("* is any, by any name", async () => {
    const upgrade = await start({ origins: ["*"] })
    expect(await upgrade("https://evil.example", "rebound.example")).toBe(101)
    expect(await upgrade("null")).toBe(101)
  })
})

describe("the Host of a request to a loopback address", () => {
  it.each<[string, number]>([
    ["localhost:PORT", 101],
    ["127.0.0.1:PORT", 101],
    ["127.0.0.2", 101],
    ["[::1]:PORT", 101],
    ["broker.example", 101],
    ["app.example", 101],
    // DNS rebinding: a name of the attacker's that points here.
    ["rebound.example:PORT", 403],
    ["localhost.rebound.example", 403],
    ["127.0.0.1.rebound.example", 403],
    ["[::2]", 403],
    ["localhost:PORT@rebound.example", 403],
  ])("%s: %i", async (host, status) => {
    const upgrade = await start({ hosts: ["broker.example"], origins: ["https://app.example"] })
    expect(await upgrade(undefined, host)).toBe(status)
  })

  it("a page that was rebound has a Host and an Origin that agree, and does not get in", async () => {
    expect(await (await start())("http://rebound.example:PORT", "rebound.example:PORT")).toBe(403)
  })

  it("is not looked at where the listener is on another address", async () => {
    const context = { broker: new TestBroker().broker, onHandshake() {}, onFault() {}, onRefused() {} }
    const options = { host: "192.0.2.1", secure: false }
    const door = createWebSocketDoor(options, context, () => ({ transport: "ws", address: "" }))
    const server = createServer((socket) => door.take(socket))
    // What it is told, not where it is.
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, ["mqtt"], { headers: { host: "broker.example" } })
    await once(socket, "open")
    socket.terminate()
    server.close()
  })
})

describe("the log", () => {
  it("has one line for a refusal, with the origin escaped, and not more than one a second", async () => {
    const upgrade = await start()
    for (let n = 0; n < 5; n++) await upgrade(`https://\u009b31mevil${"x".repeat(500)}`)
    const lines = events.filter(({ event }) => event === "warning").map((event) => formatEvent(event, "text", 0))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(
      /WebSocket from 127\.0\.0\.1:\d+ refused: origin .*31mevilx+\.\.\..* is not allowed; see --origin/,
    )
    expect(lines[0]).not.toContain("\u009b")
    expect(lines[0]!.length).toBeLessThan(300)
  })
})

// What a connection may cost before it is a WebSocket: time and number, over TCP and over TLS.

import { once } from "node:events"
import { connect as connectTcp, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { afterEach, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { createBroker, type PureMqBroker } from "../platform/node.ts"

const pem = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now: Date.now() })
const connectTimeout = 300
let broker: PureMqBroker | undefined
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await broker?.close()
})

type Kind = "ws" | "wss"

async function start(type: Kind, maximumConnections = 100): Promise<number> {
  const tls = { cert: pem.serverCert, key: pem.serverKey }
  broker = createBroker({
    listeners: [type === "ws" ? { type, port: 0, path: "/mqtt" } : { type, port: 0, path: "/mqtt", ...tls }],
    limits: { connectTimeout, maximumConnections },
    sysInterval: 0,
  })
  const [address] = await broker.listen()
  return address!.port
}

async function open(type: Kind, port: number): Promise<Socket> {
  const socket =
    type === "ws" ? connectTcp({ port, host: "127.0.0.1" }) : connectTls({ port, host: "127.0.0.1", ca: pem.caCert })
  sockets.push(socket)
  socket.on("error", () => undefined)
  // What the broker says is thrown away, and our half stays open, as a hostile client's would.
  socket.allowHalfOpen = true
  socket.resume()
  await once(socket, type === "ws" ? "connect" : "secureConnect")
  return socket
}

/** Whether the broker drops the connection in time. @param end whether its FIN is enough, or only what follows our next bytes */
async function isDropped(socket: Socket, end: "end" | "reset" = "reset"): Promise<boolean> {
  const probe = setInterval(() => end === "reset" && socket.write("x"), 50)
  const dropped = await new Promise<boolean>((resolve) => {
    socket.once("close", () => resolve(true))
    if (end === "end") socket.once("end", () => resolve(true))
    setTimeout(() => resolve(false), 10 * connectTimeout)
  })
  clearInterval(probe)
  return dropped
}

describe.each(["ws", "wss"] as const)("%s: a connection that does not become a WebSocket is dropped", (type) => {
  it("when it says nothing", async () => {
    const socket = await open(type, await start(type))
    expect(await isDropped(socket, "end")).toBe(true)
  })

  it("when its request does not end", async () => {
    const socket = await open(type, await start(type))
    socket.write("GET /mqtt HTTP/1.1\r\nhost: localhost\r\nx: ")
    expect(await isDropped(socket)).toBe(true)
  })

  it("when its upgrade was refused, and it does not close", async () => {
    const socket = await open(type, await start(type))
    socket.write("GET /other HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
    expect(await isDropped(socket)).toBe(true)
  })

  it("when there are as many as connections may be open", async () => {
    const port = await start(type, 2)
    await open(type, port)
    await open(type, port)
    const begun = performance.now()
    expect(await isDropped(await open(type, port), "end")).toBe(true)
    expect(performance.now() - begun).toBeLessThan(connectTimeout)
  })

  it("and one that becomes a WebSocket is not", async () => {
    const port = await start(type)
    const socket = new WebSocket(`${type}://localhost:${port}/mqtt`, ["mqtt"], { ca: pem.caCert })
    await once(socket, "open")
    // CONNECT of MQTT 3.1.1 with the identifier "a".
    socket.send(Uint8Array.of(16, 13, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 1, 97))
    await once(socket, "message")
    await new Promise((resolve) => setTimeout(resolve, 2 * connectTimeout))
    expect(socket.readyState).toBe(WebSocket.OPEN)
    socket.terminate()
  })
})

const upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
const more = ["Host: localhost", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: mqtt"]
const upgradeRequest = `GET / HTTP/1.1\r\n${[...upgrade, ...more].join("\r\n")}\r\n\r\n`

describe.each(["ws", "wss"] as const)("%s: frames that are not whole", (type) => {
  it("before CONNECT are no larger than a CONNECT may be", async () => {
    const tls = { cert: pem.serverCert, key: pem.serverKey }
    broker = createBroker({
      listeners: [type === "ws" ? { type, port: 0 } : { type, port: 0, ...tls }],
      sysInterval: 0,
    })
    const port = (await broker.listen())[0]!.port
    const send = async (length: number): Promise<Socket> => {
      const client = await open(type, port)
      client.write(upgradeRequest)
      await once(client, "data")
      // A masked binary frame that says it has a million bytes.
      const frame = new Uint8Array(length)
      frame.set([0x82, 0xff, 0, 0, 0, 0, 0, 15, 0x42, 0x40])
      client.write(frame)
      return client
    }
    const within = await send(120_000)
    const beyond = await send(131_072 + 65_536 + 1)
    await expect.poll(() => beyond.readableEnded || beyond.destroyed).toBe(true)
    expect(within.readableEnded || within.destroyed).toBe(false)
    expect(broker.stats().disconnects["packet too large"]).toBe(1)
  })

  it("of more than 256 frames are refused, and pings between them do not hide what has come", async () => {
    const tls = { cert: pem.serverCert, key: pem.serverKey }
    broker = createBroker({
      listeners: [type === "ws" ? { type, port: 0 } : { type, port: 0, ...tls }],
      sysInterval: 0,
    })
    const port = (await broker.listen())[0]!.port
    const start = async () => {
      const client = await open(type, port)
      client.write(upgradeRequest)
      await once(client, "data")
      client.write(Uint8Array.of(0x02, 0x81, 0, 0, 0, 0, 1))
      return client
    }
    const next = [0x00, 0x81, 0, 0, 0, 0, 1]
    const ping = [0x89, 0x80, 0, 0, 0, 0]
    const within = await start()
    within.write(Uint8Array.from(Array.from({ length: 200 }, () => next).flat()))
    within.write(Uint8Array.from(ping))
    const beyond = await start()
    beyond.write(Uint8Array.from(Array.from({ length: 300 }, () => next).flat()))
    await expect.poll(() => beyond.readableEnded || beyond.destroyed).toBe(true)
    await expect.poll(() => broker?.stats().partialBytes).toBeGreaterThanOrEqual(201 * 7)
    expect(broker.stats().partialBytes).toBeLessThan(201 * 7 + 20 * 200)
    expect(within.readableEnded || within.destroyed).toBe(false)
  })

  it("count as packets that come in part: the oldest is ended when there is too much of them", async () => {
    const tls = { cert: pem.serverCert, key: pem.serverKey }
    broker = createBroker({
      listeners: [type === "ws" ? { type, port: 0 } : { type, port: 0, ...tls }],
      limits: { maximumTotalPartialBytes: 260_000 },
      sysInterval: 0,
    })
    const port = (await broker.listen())[0]!.port
    const clients: Socket[] = []
    for (let i = 0; i < 4; i++) {
      const client = await open(type, port)
      client.write(upgradeRequest)
      await once(client, "data")
      // A masked binary frame of 300,000 bytes, of which 120,000 come.
      const frame = new Uint8Array(120_000)
      frame.set([0x82, 0xff, 0, 0, 0, 0, 0, 4, 0x93, 0xe0])
      client.write(frame)
      clients.push(client)
    }
    await expect
      .poll(() => clients.map(({ readableEnded, destroyed }) => readableEnded || destroyed))
      .toEqual([true, true, false, false])
    expect(broker.stats().partialBytes).toBeLessThanOrEqual(260_000)
    expect(broker.stats().partialBytes).toBeGreaterThan(200_000)
  })
})

// Over TCP they come together.
it("wss: pieces of a frame that is not whole count by what each takes, which may be a byte", async () => {
  const type = "wss"
  const tls = { cert: pem.serverCert, key: pem.serverKey }
  broker = createBroker({ listeners: [{ type, port: 0, ...tls }], sysInterval: 0 })
  const client = await open(type, (await broker.listen())[0]!.port)
  client.setNoDelay(true)
  client.write(upgradeRequest)
  await once(client, "data")
  client.write(Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0, 4, 0x93, 0xe0, 0, 0, 0, 0))
  for (let i = 0; i < 300; i++) await new Promise((resolve) => client.write(Uint8Array.of(0), resolve))
  await expect.poll(() => broker?.stats().partialBytes).toBeGreaterThan(300 * 200)
  client.destroy()
  await expect.poll(() => broker?.stats().partialBytes).toBe(0)
})

describe.each(["ws", "wss"] as const)("%s: a client that reads nothing any more", (type) => {
  const tls = { cert: pem.serverCert, key: pem.serverKey }
  /** MQTT 5.0 without Keep Alive, and a subscription to a. */
  const packets = [
    [16, 14, 0, 4, 77, 81, 84, 84, 5, 2, 0, 0, 0, 0, 1, 97],
    [0x82, 7, 0, 1, 0, 0, 1, 97, 0],
  ]
  const frame = (bytes: readonly number[], first = 0x82) => [first, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes]

  it.each<[string, (socket: Socket) => unknown]>([
    ["its FIN", (socket) => socket.end()],
    ["its Close frame", (socket) => socket.write(Uint8Array.from(frame([3, 232], 0x88)))],
  ])(
    "is gone with %s, whatever waits for it",
    async (_how, leave) => {
      broker = createBroker({
        listeners: [type === "ws" ? { type, port: 0 } : { type, port: 0, ...tls }],
        sysInterval: 0,
      })
      const socket = await open(type, (await broker.listen())[0]!.port)
      socket.write(upgradeRequest)
      await once(socket, "data")
      for (const packet of packets) socket.write(Uint8Array.from(frame(packet)))
      await expect.poll(() => broker?.stats().subscriptions).toBe(1)
      socket.pause()
      const payload = new Uint8Array(1_000_000)
      for (let i = 0; i < 20; i++) {
        broker.publish("a", payload)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      expect(broker.stats()).toMatchObject({ clientsConnected: 1 })
      leave(socket)
      await expect.poll(() => broker?.stats().clientsConnected, { timeout: 15_000 }).toBe(0)
    },
    30_000,
  )
})

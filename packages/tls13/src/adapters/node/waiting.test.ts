// Many clients at once: those beyond the handshakes under way wait, and none holds up another address.

import { once } from "node:events"
import { type AddressInfo, connect as connectTcp, type Socket } from "node:net"
import { connect, createSecureContext } from "node:tls"
import { Worker } from "node:worker_threads"
import { afterEach, describe, expect, it } from "vitest"
import { until } from "../../../tests/tools/sockets.ts"
import { createDevelopmentCertificates } from "../../devcert/index.ts"
import { createServer, type HandshakeRefused, type Server, type TlsServerOptions } from "./server.ts"

const pem = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1", "127.0.0.2"], now: Date.now() })
const own = { cert: pem.serverCert, key: pem.serverKey }
const clientContext = createSecureContext({ ca: pem.caCert })
const servers: Server[] = []
const sockets: Socket[] = []
const workers: Worker[] = []

afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.terminate()
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function start(options: TlsServerOptions) {
  const server = createServer({ ...own, ...options }, (socket) => socket.end("hello"))
  servers.push(server)
  const refused: HandshakeRefused[] = []
  server.on("handshakeRefused", (event) => refused.push(event))
  server.listen({ host: "127.0.0.1", port: 0, backlog: 1024 })
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const silent = async (bytes?: Uint8Array): Promise<Socket> => {
    const socket = connectTcp({ host: "127.0.0.1", port })
    sockets.push(socket)
    socket.on("error", () => undefined)
    await once(socket, "connect")
    if (bytes !== undefined) socket.write(bytes)
    return socket
  }
  /** Node's own client: true when the server's data came. */
  const client = (localAddress = "127.0.0.1"): Promise<boolean> =>
    new Promise((resolve) => {
      const below = connectTcp({ host: "127.0.0.1", port, localAddress })
      const socket = connect({ socket: below, secureContext: clientContext, servername: "localhost" })
      socket.once("data", () => resolve(true))
      socket.once("error", () => resolve(false))
    })
  return { server, refused, port, silent, client }
}

/** Node's own clients, in a thread of their own; how many got the server's data until now, or failed. */
function crowdOf(count: number, port: number, servername = "localhost") {
  const crowd = new Worker(
    `const { connect, createSecureContext } = require("node:tls")
    const { parentPort, workerData: { count, port, ca, servername } } = require("node:worker_threads")
    const secureContext = createSecureContext({ ca })
    for (let n = 0; n < count; n++) {
      const socket = connect({ host: "127.0.0.1", port, secureContext, servername, checkServerIdentity() {} })
      socket.once("data", () => parentPort.postMessage(true))
      socket.once("error", () => parentPort.postMessage(false))
    }`,
    { eval: true, workerData: { count, port, ca: pem.caCert, servername } },
  )
  const seen = { inside: 0, failed: 0 }
  crowd.on("message", (inside) => seen[inside ? "inside" : "failed"]++)
  workers.push(crowd)
  return seen
}

describe("500 clients at once from one address", () => {
  const come = async (true_: () => boolean) => {
    while (!true_()) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  it("all get in", async () => {
    const { server, refused, port } = await start({ maxPendingHandshakesPerAddress: 64 })
    const crowd = crowdOf(500, port)
    await come(() => crowd.inside + crowd.failed === 500)
    expect(crowd).toEqual({ inside: 500, failed: 0 })
    expect(refused).toEqual([])
    expect(server.handshakes).toEqual({ pending: 0, waiting: 0, waitingBytes: 0, refused: 0 })
  }, 120_000)

  it("a neighbour from another address gets in while they wait", async () => {
    let release: () => void = () => undefined
    const released = new Promise<null>((resolve) => {
      release = () => resolve(null)
    })
    // The handshakes of the crowd stand still.
    const SNICallback: TlsServerOptions["SNICallback"] = (name) => (name === "crowd" ? released : Promise.resolve(null))
    const { server, client, port } = await start({
      maxPendingHandshakesPerAddress: 64,
      SNICallback,
      handshakeTimeout: 120_000,
      handshakeWaitTimeout: 120_000,
    })
    const crowd = crowdOf(500, port, "crowd")
    await come(() => server.handshakes.waiting === 500 - 64)
    expect(await client("127.0.0.2")).toBe(true)
    expect(crowd).toEqual({ inside: 0, failed: 0 })
    expect(server.handshakes).toMatchObject({ pending: 64, waiting: 436 })
    release()
    await come(() => crowd.inside + crowd.failed === 500)
    expect(crowd).toEqual({ inside: 500, failed: 0 })
    expect(server.handshakes).toEqual({ pending: 0, waiting: 0, waitingBytes: 0, refused: 0 })
  }, 120_000)
})

describe("connections that wait", () => {
  const one = { maxPendingHandshakes: 1 }

  it("at the limit one waits, one past it is closed", async () => {
    const { server, refused, silent } = await start({ ...one, maxWaitingHandshakes: 2 })
    for (let n = 0; n < 3; n++) await silent()
    await until(() => server.handshakes.waiting === 2)
    expect(refused).toEqual([])
    const over = (await silent()).resume()
    await once(over, "close")
    await until(() => refused.length === 1)
    expect(refused).toMatchObject([{ remoteAddress: "127.0.0.1", limit: "total" }])
    expect(server.handshakes).toMatchObject({ pending: 1, waiting: 2, refused: 1 })
  })

  it("are served though they spoke long before their turn", async () => {
    const { server, silent, client } = await start(one)
    const first = await silent()
    await until(() => server.handshakes.pending === 1)
    const waits = client()
    // Its ClientHello is here.
    await until(() => server.handshakes.waitingBytes > 100)
    first.destroy()
    expect(await waits).toBe(true)
    await until(() => server.handshakes.pending === 0)
    expect(server.handshakes.waitingBytes).toBe(0)
  })

  it.each([
    ["closes", (socket: Socket) => socket.end()],
    ["resets", (socket: Socket) => socket.resetAndDestroy()],
  ])("one that %s frees its place", async (_, leave) => {
    const { server, silent } = await start({ ...one, maxWaitingHandshakes: 1 })
    await silent()
    const waits = await silent(new Uint8Array(300))
    await until(() => server.handshakes.waitingBytes === 300)
    leave(waits)
    await until(() => server.handshakes.waiting === 0)
    expect(server.handshakes).toMatchObject({ pending: 1, waitingBytes: 0, refused: 0 })
  })

  it("is closed when it has waited long enough", async () => {
    const { server, refused, silent } = await start({ ...one, handshakeWaitTimeout: 100 })
    await silent()
    const waits = (await silent()).resume()
    await once(waits, "close")
    await until(() => refused.length === 1)
    expect(refused).toMatchObject([{ limit: "waitingTime" }])
    expect(server.handshakes).toMatchObject({ pending: 1, waiting: 0 })
  })

  it("what they send is kept within bounds", async () => {
    const { server, silent } = await start(one)
    await silent()
    const flood = new Uint8Array(4_194_304)
    for (let n = 0; n < 8; n++) await silent(flood)
    await until(() => server.handshakes.waiting === 8 && server.handshakes.waitingBytes >= 8 * 16_384)
    await new Promise((resolve) => setTimeout(resolve, 200))
    // A read is 64 KiB at most.
    expect(server.handshakes.waitingBytes).toBeLessThanOrEqual(8 * (16_384 + 65_536))
  })

  it("go when the server closes", async () => {
    const { server, silent, refused } = await start(one)
    for (let n = 0; n < 3; n++) await silent()
    await until(() => server.handshakes.waiting === 2)
    await new Promise((resolve) => server.close(resolve))
    await until(() => server.handshakes.pending === 0)
    expect(server.handshakes).toEqual({ pending: 0, waiting: 0, waitingBytes: 0, refused: 0 })
    expect(refused).toEqual([])
  })
})

describe("setHandshakeLimits", () => {
  it("a higher number lets in who waits, a lower one ends nobody, and a shorter time is for those to come", async () => {
    const { server, silent, client } = await start({ maxPendingHandshakes: 1, handshakeTimeout: 600_000 })
    const first = await silent()
    const waits = client()
    await until(() => server.handshakes.waiting === 1)
    server.setHandshakeLimits({ maxPendingHandshakes: 3 })
    expect(await waits).toBe(true)
    const second = await silent()
    await until(() => server.handshakes.pending === 2)
    server.setHandshakeLimits({ maxPendingHandshakes: 3, handshakeTimeout: 100 })
    const third = (await silent()).resume()
    await once(third, "close")
    expect([first.destroyed, second.destroyed]).toEqual([false, false])
    server.setHandshakeLimits({ maxPendingHandshakes: 2 })
    const late = client()
    await until(() => server.handshakes.waiting === 1)
    first.destroy()
    expect(await late).toBe(true)
  })
})

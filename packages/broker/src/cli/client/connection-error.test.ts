// What `puremq pub` and `puremq sub` say where there is no broker: against real sockets, and for what no test machine has.

import { connect as connectTcp, createServer, type Server, type Socket } from "node:net"
import { EncryptedClientHelloRejected } from "@puremq/tls13/ech"
import { connect as connectTls } from "@puremq/tls13/node"
import { afterEach, describe, expect, it } from "vitest"
import type { Place } from "../../platform/dial.ts"
import { connectionError, openClient } from "./connection-error.ts"
import type { ConnectRequest } from "./mqtt-client.ts"

const request: ConnectRequest = {
  version: 5,
  mqtt31: false,
  clientId: "",
  cleanStart: true,
  keepAlive: 0,
  username: undefined,
  password: undefined,
  will: undefined,
  properties: [],
}
const onMessage = () => true
const servers: Server[] = []
const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function serve(handle: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => undefined)
    handle(socket)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

async function failure(place: Place, milliseconds?: number): Promise<string> {
  const { host, port, transport } = place
  const stream =
    transport === "tls" ? connectTls({ host, port, rejectUnauthorized: false }) : connectTcp({ host, port })
  const client = openClient({ stream, place }, { request, onMessage })
  const message = await client
    .during(async () => void (await client.connect(milliseconds)))
    .then(
      () => "connected",
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
  await client.closed.catch(() => undefined)
  return message
}

const connack = Uint8Array.of(0x20, 3, 0, 0, 0)

describe.each(["tls", "tcp"] as const)("over %s", (transport) => {
  const target = (port: number, host = "127.0.0.1"): Place => ({ transport, host, port, path: "" })
  const other =
    transport === "tls"
      ? "is it a broker that speaks TLS? Without TLS: --tcp"
      : "is it a broker without TLS? With TLS: no --tcp"

  it.each(["127.0.0.1", "localhost"])("nobody listens on %s", async (host) => {
    const port = await serve(() => undefined)
    await new Promise((resolve) => servers.pop()?.close(resolve))
    expect(await failure(target(port, host))).toBe(
      `no broker is listening on ${host}:${port}; start one with "npx puremq start${transport === "tls" ? "" : " --tcp 1883"}", or check --host and --port (ECONNREFUSED)`,
    )
  })

  it("a name that nobody has", async () => {
    expect(await failure(target(1, "nobody.invalid"))).toMatch(
      /^(no host has the name nobody\.invalid; check --host \(ENOTFOUND\)|the name nobody\.invalid cannot be resolved now; .* \(EAI_AGAIN\))$/,
    )
  })

  it("the connection is reset, or closed, before there is an answer", async () => {
    const resetting = await serve((socket) => socket.once("data", () => socket.resetAndDestroy()))
    expect(await failure(target(resetting))).toBe(
      `127.0.0.1:${resetting} resets the connection without an answer; check --host and --port: ${other} (ECONNRESET)`,
    )
    const closing = await serve((socket) => socket.end())
    const said = await failure(target(closing))
    expect(said).toContain(`127.0.0.1:${closing}`)
    expect(said).toContain(`check --host and --port: ${other}`)
  })

  it("something else answers", async () => {
    const port = await serve((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
    const said = await failure(target(port))
    expect(said).toContain(`127.0.0.1:${port}`)
    expect(said).toContain(`check --host and --port: ${other}`)
  })
})

it("a server that does not answer", async () => {
  const port = await serve((socket) => socket.resume())
  expect(await failure({ transport: "tcp", host: "127.0.0.1", port, path: "" }, 200)).toBe(
    `127.0.0.1:${port} does not answer in 1 s; check --host and --port: is it a broker without TLS? With TLS: no --tcp`,
  )
})

it("a connection that is lost later is told as that", async () => {
  const port = await serve((socket) => {
    socket.once("data", () => {
      socket.write(connack)
      socket.once("data", () => socket.resetAndDestroy())
    })
  })
  const stream = connectTcp({ host: "127.0.0.1", port })
  const place: Place = { transport: "tcp", host: "127.0.0.1", port, path: "" }
  const client = openClient({ stream, place }, { request, onMessage })
  await client.connect()
  const publishing = client.publish({ topic: "a", payload: new Uint8Array(1), qos: 1, retain: false, properties: [] })
  await expect(publishing).rejects.toThrow(
    `the connection to 127.0.0.1:${port} was lost: the broker or the network reset it`,
  )
})

it.each([
  ["ETIMEDOUT", /^192\.0\.2\.1:8883 does not answer; check --host and --port, and whether a firewall/],
  ["EHOSTUNREACH", /^192\.0\.2\.1:8883 cannot be reached from here; check --host and the network/],
  ["ENETUNREACH", /^192\.0\.2\.1:8883 cannot be reached from here/],
  ["EAI_AGAIN", /^the name 192\.0\.2\.1 cannot be resolved now; /],
  ["EACCES", /^cannot connect to 192\.0\.2\.1:8883: whatever the system says$/],
])("%s", (code, said) => {
  const error = Object.assign(new Error("whatever the system says"), { code })
  const place = { transport: "tls", port: 8883, path: "" } as const
  expect(connectionError(error, { ...place, host: "192.0.2.1" }, false).message).toMatch(said)
  expect(connectionError(error, { ...place, host: "::1" }, false).message).toMatch(/\[::1\]:8883|::1 cannot/)
})

it.each([
  [Uint8Array.of(0, 1, 2), "has sent other ones to connect anew with; the block ECHCONFIG for --ech FILE is AAEC"],
  [undefined, "has turned it off: connect without --ech"],
])("Encrypted Client Hello that is rejected: %s", (retryConfigs, said) => {
  const place = { transport: "tls", host: "a.example", port: 8883, path: "" } as const
  expect(connectionError(new EncryptedClientHelloRejected("b.example", retryConfigs), place, false).message).toBe(
    `cannot connect to a.example:8883: b.example does not take the configuration of Encrypted Client Hello, and ${said}`,
  )
})

// `tls13 serve`: a defect ends one connection, and is told with its stack; limits are options.

import { once } from "node:events"
import { connect as connectTcp, type Socket } from "node:net"
import { PassThrough } from "node:stream"
import { afterEach, describe, expect, it, vi } from "vitest"
import { connect } from "../adapters/node/connect.ts"
import type { Server } from "../adapters/node/server.ts"
import type { TLSSocket } from "../adapters/node/tls-socket.ts"
import { ServerConnection } from "../connection/server-connection.ts"
import { until } from "../testing/sockets.ts"
import { KeyRenewal } from "./key-renewal.ts"
import { serve } from "./serve.ts"

const servers: Server[] = []
const sockets: (TLSSocket | Socket)[] = []

afterEach(() => {
  vi.restoreAllMocks()
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function serving(...args: string[]) {
  const said: string[] = []
  const server = await serve(["0", ...args], {
    input: new PassThrough(),
    output: new PassThrough(),
    say: (line) => void said.push(line),
  })
  servers.push(server)
  const address = server.address()
  if (typeof address !== "object" || address === null) throw new Error("no port")
  const { port } = address
  const client = () => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false })
    sockets.push(socket)
    socket.on("error", () => undefined)
    return socket
  }
  return { said, client, port, server }
}

async function echo(socket: TLSSocket): Promise<void> {
  socket.write("hello")
  expect(String((await once(socket, "data"))[0])).toBe("hello")
}

describe("tls13 serve", () => {
  it("a defect in the stack", async () => {
    const { said, client } = await serving("--echo")
    const neighbour = client()
    await echo(neighbour)
    const spy = vi.spyOn(ServerConnection.prototype, "receive").mockImplementation(() => {
      throw new TypeError("a defect")
    })
    const victim = client()
    const [error] = await once(victim, "error")
    expect(error).toMatchObject({ received: "internal_error" })
    spy.mockRestore()
    await echo(neighbour)
    await until(() => said.some((line) => line.includes("ended by an internal error")))
    const told = said.filter((line) => line.includes("internal error: TypeError: a defect"))
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/^127\.0\.0\.1:\d+ ended by an internal error: TypeError: a defect\n {4}at /)
  })

  it("a defect in what it does with a connection", async () => {
    const { said, client } = await serving("--echo")
    const neighbour = client()
    await echo(neighbour)
    const spy = vi.spyOn(KeyRenewal.prototype, "write").mockImplementation(() => {
      throw new TypeError("a defect")
    })
    const victim = client()
    victim.write("hello")
    const [error] = await once(victim, "error")
    expect(error).toMatchObject({ received: "internal_error" })
    spy.mockRestore()
    await echo(neighbour)
    expect(said.filter((line) => line.includes("TypeError: a defect"))).toHaveLength(1)
  })

  it("a server that cannot take a connection says so, and goes on", async () => {
    const { said, client, server } = await serving("--echo")
    server.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }))
    expect(said.at(-1)).toContain("cannot take a connection")
    await echo(client())
  })

  it("limits of handshakes are options, and a refusal is one line", async () => {
    const { said, port } = await serving("--max-handshakes", "1", "--max-waiting", "0")
    for (let n = 0; n < 2; n++) {
      const socket = connectTcp({ host: "127.0.0.1", port })
      sockets.push(socket)
      socket.on("error", () => undefined).resume()
    }
    await until(() => said.includes("127.0.0.1 refused: too many connections wait for their handshake"))
  })
})

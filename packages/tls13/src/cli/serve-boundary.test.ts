// `tls13 serve`: a defect ends one connection, and is told with its stack; limits are options.

import { once } from "node:events"
import { type AddressInfo, connect as connectTcp, type Socket } from "node:net"
import { PassThrough, Readable } from "node:stream"
import { afterEach, describe, expect, it, vi } from "vitest"
import { until } from "../../tests/tools/sockets.ts"
import { type ConnectOptions, connect } from "../adapters/node/connect.ts"
import type { Server } from "../adapters/node/server.ts"
import type { TLSSocket } from "../adapters/node/tls-socket.ts"
import { ServerConnection } from "../connection/server-connection.ts"
import { KeyRenewal } from "./key-renewal.ts"
import { serve } from "./serve.ts"

const servers: Server[] = []
const sockets: (TLSSocket | Socket | Readable)[] = []

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

  it("as many connections as --max-connections says, and the place of one that has gone is free", async () => {
    const { said, client } = await serving("--echo", "--max-connections", "2")
    const two = [client(), client()]
    for (const socket of two) await echo(socket)
    const third = client()
    await new Promise((resolve) => third.once("close", resolve))
    expect(said).toContain("127.0.0.1 refused: there are 2 connections; see --max-connections")
    await echo(two[0]!)
    two[0]!.destroy()
    const getsIn = () => {
      const fourth = client()
      fourth.write("hello")
      return new Promise<boolean>((resolve) => {
        fourth.once("data", () => resolve(true)).once("close", () => resolve(false))
      })
    }
    await expect.poll(getsIn, { timeout: 20_000 }).toBe(true)
  })
})

describe("tls13 serve with neither --www nor --echo", () => {
  /** With an input that never ends, and an output that nobody reads when `read` is false. */
  async function talking(read: boolean, isTTY = false) {
    let given = 0
    const input = new Readable({
      read() {
        setTimeout(() => {
          given += 65_536
          this.push(Buffer.alloc(65_536, "x"))
        }, 1)
      },
    })
    const output = Object.assign(new PassThrough(), { isTTY })
    if (read) output.resume()
    const said: string[] = []
    const server = await serve(["0", "--early-data", "1000"], { input, output, say: (line) => void said.push(line) })
    servers.push(server)
    sockets.push(input)
    const { port } = server.address() as AddressInfo
    const client = async (more: ConnectOptions = {}): Promise<TLSSocket> => {
      const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...more })
      sockets.push(socket)
      socket.on("error", () => undefined).pause()
      await once(socket, "secureConnect")
      return socket
    }
    return { said, output, client, given: () => given }
  }

  it("the input waits while nobody takes it, and goes on with one who does; whoever is far behind is ended", async () => {
    const { client, given, said } = await talking(true)
    const slow = await client()
    let before = -1
    const waits = async () => {
      before = given()
      await new Promise((resolve) => setTimeout(resolve, 200))
      return given() === before
    }
    await expect.poll(waits, { timeout: 20_000 }).toBe(true)
    // What buffers of the system hold is beside that.
    const ended = new Promise((resolve) => slow.once("close", resolve))
    const quick = (await client()).resume()
    await until(() => said.some((line) => line.endsWith("ended: it does not take what it is sent")))
    slow.resume()
    await ended
    expect(quick.destroyed).toBe(false)
    const { bytesRead } = quick
    await until(() => quick.bytesRead > bytesRead + 1_000_000)
  })

  it("what comes while nobody reads the output waits with its clients, however many they are", async () => {
    const { client, output } = await talking(false)
    const all = await Promise.all(Array.from({ length: 30 }, () => client()))
    for (const socket of all) socket.write(Buffer.alloc(100_000, "y"))
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(output.readableLength + output.writableLength).toBeLessThan(150_000)
    all[0]!.destroy()
    let bytes = 0
    output.on("data", (data: Buffer) => {
      bytes += data.length
    })
    await until(() => bytes >= 29 * 100_000)
  })

  it("0-RTT data is escaped on a terminal as all else is", async () => {
    const { client, output } = await talking(true, true)
    let text = ""
    output.on("data", (data: Buffer) => {
      text += data
    })
    const first = await client()
    const session = new Promise<Buffer>((resolve) => first.once("session", resolve))
    first.resume()
    const again = await client({ session: await session, earlyData: Buffer.from("\u001b[2J early") })
    again.write("late\n")
    await until(() => text.includes("late"))
    expect(text).toBe("\\u001b[2J earlylate\n")
  })
})

import { createHash, randomBytes, randomInt } from "node:crypto"
import { once } from "node:events"
import type { Server as NetServer } from "node:net"
import { setImmediate, setTimeout } from "node:timers/promises"
import { afterEach, describe, expect, it, vi } from "vitest"
import { portOf } from "../../../tests/tools/sockets.ts"
import { createDevelopmentCertificates } from "../../devcert/index.ts"
import { MemoryReplayGuard } from "../../session/replay-guard.ts"
import { type ConnectOptions, connect } from "./connect.ts"
import { createServer, type TlsServerOptions } from "./server.ts"
import { SharedMemory } from "./shared-memory.ts"
import type { TLSSocket } from "./tls-socket.ts"

const pem = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now: Date.now() })
const servers: NetServer[] = []
const open: TLSSocket[] = []

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function serve(handler: (socket: TLSSocket) => void, options: TlsServerOptions = {}): Promise<number> {
  const server = createServer({ cert: pem.serverCert, key: pem.serverKey, lendsData: true, ...options }, (socket) => {
    open.push(socket)
    handler(socket)
  })
  servers.push(server)
  return portOf(server)
}

async function client(port: number, options: ConnectOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, ca: pem.caCert, ...options })
  open.push(socket)
  await once(socket, "secureConnect")
  return socket
}

const unexpected = (cause: unknown) => {
  throw cause
}
const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")

describe("a server that lends data", () => {
  it("gives every listener the client's bytes, and takes their memory back", async () => {
    const lent: Uint8Array[] = []
    const port = await serve((socket) => {
      socket.on("data", (data: Buffer) => {
        lent.push(data)
        socket.write(Buffer.from(data))
      })
    })
    const exchange = async () => {
      const [socket, bytes] = [await client(port), randomBytes(700_000)]
      const echoed: Buffer[] = []
      const all = new Promise<void>((resolve) => {
        let count = 0
        socket.on("data", (data: Buffer) => {
          echoed.push(data)
          count += data.length
          if (count >= bytes.length) resolve()
        })
      })
      for (let at = 0; at < bytes.length; ) {
        const to = Math.min(bytes.length, at + randomInt(1, 60_000))
        socket.write(bytes.subarray(at, to))
        at = to
        if (randomInt(3) === 0) await setImmediate()
      }
      await all
      expect(digest(Buffer.concat(echoed))).toBe(digest(bytes))
    }
    await Promise.all([exchange(), exchange(), exchange()])
    expect(new Set(lent.map(({ buffer }) => buffer)).size).toBeLessThan(lent.length)
    expect(lent.some((data) => data.every((byte) => byte === 0))).toBe(true)
  })

  it("what a paused socket holds is its own", async () => {
    const received: Buffer[] = []
    let paused: TLSSocket | undefined
    const port = await serve((socket) => {
      if (paused !== undefined) socket.resume()
      else paused = socket.pause().on("data", (data: Buffer) => received.push(Buffer.from(data)))
    })
    const [first, bytes] = [await client(port), randomBytes(40_000)]
    first.write(bytes)
    const other = await client(port)
    for (let i = 0; i < 20; i++) {
      other.write(randomBytes(30_000))
      await setTimeout(2)
    }
    paused!.resume()
    while (Buffer.concat(received).length < bytes.length) await setTimeout(2)
    expect(digest(Buffer.concat(received))).toBe(digest(bytes))
  })

  it("0-RTT data stays", async () => {
    const early: Buffer[][] = []
    const options = { earlyData: { maxBytes: 100, replayGuard: new MemoryReplayGuard() } }
    const port = await serve((socket) => {
      early.push(socket.earlyData)
      socket.on("data", () => socket.end("x"))
    }, options)
    const first = await client(port)
    first.write("data")
    const [session] = (await once(first, "session")) as [Buffer]
    const second = await client(port, { session, earlyData: Buffer.from("0-RTT") })
    for (let i = 0; i < 3; i++) second.write(randomBytes(1000))
    await once(second.resume(), "end")
    expect(Buffer.concat(early[1]!).toString()).toBe("0-RTT")
  })
})

it("output is whole for a client that takes it slowly, while others are sent to", async () => {
  const bytes = randomBytes(3_000_000)
  const port = await serve((socket) => {
    for (let at = 0; at < bytes.length; at += 50_000) socket.write(bytes.subarray(at, at + 50_000))
    socket.end()
  })
  const read = async (pause: number) => {
    const socket = connect({ host: "127.0.0.1", port, ca: pem.caCert })
    open.push(socket)
    const received: Buffer[] = []
    for await (const data of socket) {
      received.push(data as Buffer)
      if (pause > 0) await setTimeout(pause)
    }
    return digest(Buffer.concat(received))
  }
  expect(await Promise.all([read(3), read(0), read(1), read(0)])).toEqual(Array(4).fill(digest(bytes)))
})

it("what the system has taken at once serves the next of many that are sent to in one turn", async () => {
  const sockets: TLSSocket[] = []
  const port = await serve((socket) => void sockets.push(socket))
  const clients = await Promise.all(Array.from({ length: 6 }, () => client(port)))
  while (sockets.length < clients.length) await setTimeout(2)
  const bytes = randomBytes(20_000)
  const output = vi.spyOn(SharedMemory.prototype, "output")
  for (const socket of sockets) socket.write(bytes)
  const used = output.mock.results.map(({ value }) => (value as Uint8Array).buffer)
  output.mockRestore()
  expect(used).toHaveLength(clients.length)
  expect(new Set(used).size).toBe(1)
  const received = clients.map(async (each) => {
    const parts: Buffer[] = []
    for await (const data of each) if (parts.push(data as Buffer) && Buffer.concat(parts).length === bytes.length) break
    return digest(Buffer.concat(parts))
  })
  expect(await Promise.all(received)).toEqual(clients.map(() => digest(bytes)))
})

describe("shared memory", () => {
  it("is taken back when it was made here, and a few arrays of it are kept", () => {
    const memory = new SharedMemory(unexpected)
    const made = Array.from({ length: 6 }, () => memory.output(20_000))
    expect(new Set(made.map(({ buffer }) => buffer)).size).toBe(6)
    memory.takeBack(new Uint8Array(32_768))
    for (const each of made) memory.takeBack(each.subarray(0, 10_000))
    const again = Array.from({ length: 6 }, () => memory.output(30_000).buffer)
    expect(made.map(({ buffer }) => again.includes(buffer))).toEqual([true, true, true, true, false, false])
  })

  it("lends plaintext for one read at a time, and never what somebody still has", () => {
    const memory = new SharedMemory(unexpected)
    const take = () => memory.plaintext(1000)
    const read = (isDone: boolean, within?: () => void) => {
      let taken: Uint8Array = new Uint8Array(0)
      memory.reading(() => {
        taken = take()
        within?.()
        return isDone
      })
      return taken.buffer
    }
    const first = read(true)
    expect(read(true)).toBe(first)
    expect(take().buffer).not.toBe(first) // outside of a read
    let inner: ArrayBufferLike | undefined
    const outer = read(true, () => {
      inner = read(true)
    })
    expect([outer, inner === outer]).toEqual([first, false])
    const unfinished = read(false)
    expect(read(true)).not.toBe(unfinished)
    const kept = read(true, () => memory.giveAway())
    expect(read(true)).not.toBe(kept)
  })
})

// What is thrown behind an entry ends one connection, with internal_error, and no other one; what the application's listeners
// throw stays the application's.

import { once } from "node:events"
import { afterEach, describe, expect, it, vi } from "vitest"
import { portOf, until } from "../../../tests/tools/sockets.ts"
import type { TlsError } from "../../bytes/errors.ts"
import { Connection } from "../../connection/connection.ts"
import { ServerConnection } from "../../connection/server-connection.ts"
import { createDevelopmentCertificates } from "../../devcert/index.ts"
import { connect } from "./connect.ts"
import { createServer, type Server, type TlsServerOptions } from "./server.ts"
import type { TLSSocket } from "./tls-socket.ts"

const pem = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
const own = { cert: pem.serverCert, key: pem.serverKey }
const servers: Server[] = []
const clients: TLSSocket[] = []

afterEach(() => {
  vi.restoreAllMocks()
  for (const client of clients.splice(0)) client.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function start(options: TlsServerOptions = {}) {
  const server = createServer({ ...own, ...options }, (socket) => socket.pipe(socket))
  servers.push(server)
  const told: { error: TlsError; socket: TLSSocket | undefined }[] = []
  server.on("internalError", (error, socket) => told.push({ error, socket }))
  const port = await portOf(server)
  const client = (): TLSSocket => {
    const socket = connect({ host: "127.0.0.1", port, ca: pem.caCert, servername: "localhost" })
    clients.push(socket)
    socket.on("error", () => undefined)
    return socket
  }
  return { server, told, client }
}

/** Sends, and waits for the echo. */
async function echo(socket: TLSSocket, text = "hello"): Promise<void> {
  socket.write(text)
  const [back] = await once(socket, "data")
  expect(String(back)).toBe(text)
}

async function failureOf(socket: TLSSocket): Promise<unknown> {
  const [error] = await once(socket, "error")
  return error
}

/** `once` would take an error for the end. */
function closing(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()))
}

/** What became uncaught meanwhile; vitest's own listeners do not hear of it. */
async function uncaught(count: number, work: () => unknown): Promise<unknown[]> {
  const errors: unknown[] = []
  const before = process.listeners("uncaughtException")
  process.removeAllListeners("uncaughtException")
  process.on("uncaughtException", (error) => errors.push(error))
  try {
    await work()
    await until(() => errors.length >= count)
    return errors
  } finally {
    process.removeAllListeners("uncaughtException")
    for (const listener of before) process.on("uncaughtException", listener)
  }
}

describe("a defect", () => {
  it.each(["receive", "send", "close", "answer"] as const)(
    "in %s of one connection ends that one with internal_error, told once with its stack",
    async (method) => {
      const SNICallback: TlsServerOptions["SNICallback"] = (_, callback) => setTimeout(callback, 1, null)
      const { told, client } = await start(method === "answer" ? { SNICallback } : {})
      const neighbour = client()
      await echo(neighbour)
      const original = ServerConnection.prototype[method] as (...args: unknown[]) => unknown
      let broken: Connection | undefined
      vi.spyOn(Connection.prototype, method).mockImplementation(function (this: Connection, ...args: unknown[]) {
        if (this instanceof ServerConnection && (broken ?? this) === this && told.length === 0) {
          broken = this
          throw new TypeError("a defect")
        }
        return original.apply(this, args) as never
      })
      const victim = client()
      const failure = failureOf(victim)
      if (method === "send") {
        await once(victim, "secureConnect")
        victim.write("hello")
      } else if (method === "close") {
        await once(victim, "secureConnect")
        victim.end()
      }
      await until(() => told.length > 0)
      expect(await failure).toMatchObject({ received: "internal_error" })
      await echo(neighbour)
      expect(told).toHaveLength(1)
      const { error } = told[0]!
      expect(error).toMatchObject({ alert: "internal_error", code: "ERR_TLS_INTERNAL_ERROR" })
      expect((error.cause as Error).stack).toContain("boundary.test.ts")
    },
  )

  it("in the timer of the handshake ends that connection", async () => {
    const { server, told } = await start({ handshakeTimeout: 50 })
    vi.spyOn(Connection.prototype, "tick").mockImplementation(() => {
      throw new TypeError("a defect")
    })
    const { connect: connectTcp } = await import("node:net")
    const silent = connectTcp({ port: (server.address() as { port: number }).port, host: "127.0.0.1" })
    silent.on("error", () => undefined)
    await once(silent.resume(), "end")
    silent.destroy()
    await until(() => told.length === 1)
    await until(() => server.handshakes.pending === 0)
  })

  it("before there is a connection ends it too", async () => {
    let broken = true
    const pskCallback: TlsServerOptions["pskCallback"] = () => null
    const { told, client, server } = await start({ pskCallback })
    vi.spyOn(server, "listenerCount").mockImplementation(() => {
      if (!broken) return 0
      broken = false
      throw new TypeError("a defect")
    })
    expect(await failureOf(client())).toMatchObject({ received: "internal_error" })
    expect(told).toHaveLength(1)
    await echo(client())
  })
})

describe("a callback that the application gave", () => {
  const cases: [string, TlsServerOptions][] = [
    [
      "SNICallback throws",
      {
        SNICallback: () => {
          throw new Error("the store is away")
        },
      },
    ],
    ["SNICallback rejects", { SNICallback: () => Promise.reject(new Error("the store is away")) }],
    [
      "credentials throws",
      {
        credentials: {
          resolve() {
            throw new Error("the store is away")
          },
        },
      },
    ],
    [
      "trace throws",
      {
        trace: () => {
          throw new Error("the store is away")
        },
      },
    ],
  ]
  it.each(cases)("%s: that handshake ends with internal_error, told with the stack", async (_, options) => {
    const { told, client } = await start(options)
    expect(await failureOf(client())).toMatchObject({ received: "internal_error" })
    await until(() => told.length === 1)
    expect((told[0]!.error.cause as Error).stack).toContain("the store is away")
  })
})

describe("what a listener of the application throws", () => {
  it("is uncaught, as in node:tls, and the connection goes on", async () => {
    const { server, told, client } = await start()
    server.on("secureConnection", (socket) => {
      socket.once("data", () => {
        throw new Error("the application's own")
      })
    })
    const socket = client()
    const errors = await uncaught(1, () => echo(socket))
    expect(errors).toMatchObject([{ message: "the application's own" }])
    await echo(socket, "again")
    expect(told).toEqual([])
  })

  it("in secureConnection, in a callback of write, and in handshake", async () => {
    const { server, told, client } = await start()
    server.on("secureConnection", (socket) => {
      socket.write("x", () => {
        throw new Error("of write")
      })
      throw new Error("of secureConnection")
    })
    const errors = await uncaught(2, () => once(client(), "data"))
    expect(errors.map((error) => (error as Error).message).sort()).toEqual(["of secureConnection", "of write"])
    expect(told).toEqual([])
  })
})

describe("what the application destroys a connection with", () => {
  const own = [new RangeError("own"), new TypeError("own"), new ReferenceError("own"), new Error("own")]

  it.each(own)("%s is its own, and no defect", async (error) => {
    const { server, told, client } = await start()
    const errors: unknown[] = []
    server.on("secureConnection", (socket) => {
      socket.on("error", (each) => errors.push(each))
      socket.once("data", () => socket.destroy(error))
    })
    const socket = client()
    const closed = closing(socket)
    socket.write("x")
    await closed
    await until(() => errors.length === 1)
    expect(errors).toEqual([error])
    expect(told).toEqual([])
  })

  it.each(own)("%s during the handshake, too", async (error) => {
    const SNICallback: TlsServerOptions["SNICallback"] = () => undefined
    const { server, told, client } = await start({ SNICallback })
    const failures: unknown[] = []
    server.on("tlsClientError", (each) => failures.push(each))
    server.once("connection", (raw) => raw.once("data", () => raw.destroy(error)))
    const socket = client()
    await closing(socket)
    await until(() => failures.length === 1)
    expect(failures).toEqual([error])
    expect(told).toEqual([])
  })

  it("the defect of another connection, handed on, is told of that one alone", async () => {
    const { server, told, client } = await start()
    let first: TLSSocket | undefined
    server.on("secureConnection", (socket) => {
      first ??= socket
      if (first !== socket) first.once("error", (error) => socket.destroy(error))
    })
    const [one, two] = [client(), client()]
    await Promise.all([once(one, "secureConnect"), once(two, "secureConnect")])
    await until(() => first !== undefined)
    const send = vi.spyOn(Connection.prototype, "send").mockImplementation(() => {
      throw new TypeError("a defect")
    })
    const closed = [one, two].map(closing)
    first?.write("x")
    await Promise.all(closed)
    send.mockRestore()
    expect(told.map(({ socket }) => socket)).toEqual([first])
  })
})

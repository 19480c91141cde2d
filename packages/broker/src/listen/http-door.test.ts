// What an HTTP server gets of a connection: one request, whole and in time, over real sockets.

import { once } from "node:events"
import { createServer as createHttpServer, type Server as HttpServer } from "node:http"
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { afterEach, describe, expect, it } from "vitest"
import { HttpDoor, type HttpDoorOptions, longestRequestHead, OneRequest } from "./http-door.ts"

const servers: Server[] = []
const sockets: Socket[] = []
const faults: unknown[] = []

afterEach(() => {
  expect(faults).toEqual([])
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

const patience = 60_000

async function start({ milliseconds = patience, most = 10, ...policy }: Partial<HttpDoorOptions> = {}) {
  const seen: string[] = []
  const upgraded: OneRequest[] = []
  const http: HttpServer = createHttpServer((request, response) => {
    seen.push(request.url ?? "")
    response.setHeader("connection", "close")
    response.end("answer")
  })
  http.on("upgrade", (_request, stream: Duplex) => {
    if (stream instanceof OneRequest) upgraded.push(stream)
  })
  const door = new HttpDoor(http, { milliseconds, most, ...policy, onFault: (error) => faults.push(error) })
  const server = createServer((socket) => door.take(socket)).listen(0, "127.0.0.1")
  servers.push(server)
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return {
    seen,
    upgraded,
    door,
    open: async (text: string): Promise<Socket> => {
      const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true })
      sockets.push(socket)
      socket.on("error", () => undefined)
      await once(socket, "connect")
      socket.write(text)
      return socket
    },
  }
}

/** All that comes until the other side ends. */
async function answer(socket: Socket): Promise<string> {
  let text = ""
  socket.on("data", (bytes) => {
    text += bytes
  })
  await Promise.race([once(socket, "end"), once(socket, "close")])
  return text
}

const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`

describe("RFC 9112 9.3.2: requests that come ahead of their answers", () => {
  it.each([
    ["requests", get("/")],
    ["requests that are refused without us", get("/", "Expect: nothing\r\n")],
    ["bytes that are none", "x".repeat(100)],
  ])("%s behind the first are not worked on", async (_, one) => {
    const { open, seen } = await start()
    const text = await answer(await open(get("/first") + one.repeat(300)))
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(text).toContain("200 OK")
    expect(seen).toEqual(["/first"])
  })

  it("nor when they come later", async () => {
    const { open, seen } = await start()
    const socket = await open(get("/first"))
    const all = answer(socket)
    await once(socket, "data")
    socket.write(get("/later").repeat(100))
    expect((await all).match(/HTTP/g)).toHaveLength(1)
    expect(seen).toEqual(["/first"])
  })
})

describe("a request's head", () => {
  it("may come byte by byte", async () => {
    const { open, seen } = await start()
    const socket = (await open("")).setNoDelay(true)
    const all = answer(socket)
    for (const character of get("/slow")) {
      socket.write(character)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await all).toContain("answer")
    expect(seen).toEqual(["/slow"])
  })

  it("has so many bytes at most, whether it ends or not", async () => {
    const { open, seen } = await start()
    const head = (length: number) => get("/", `x: ${"y".repeat(length - get("/", "x: \r\n").length)}\r\n`)
    expect(head(longestRequestHead)).toHaveLength(longestRequestHead)
    // Node counts in its own way, and not the first line.
    expect(await answer(await open(head(longestRequestHead - 100)))).toContain("answer")
    expect(await answer(await open(head(longestRequestHead + 1)))).toBe("")
    expect(await answer(await open(head(longestRequestHead + 2).slice(0, -2)))).toBe("")
    expect(seen).toEqual(["/"])
  })

  it("ends with the client's half", async () => {
    const { open } = await start()
    const socket = await open("GET / HT")
    socket.end()
    expect(await answer(socket)).not.toContain("answer")
  })
})

describe("a connection", () => {
  it.each([
    ["says nothing", ""],
    ["has half a request", "GET / HTTP/1.1\r\n"],
    ["does not close after its answer", get("/")],
  ])("that %s ends in time", async (_, text) => {
    const { open } = await start({ milliseconds: 200 })
    const socket = await open(text)
    socket.resume()
    await once(socket, "end")
    // Our half stays open; who writes into one that is gone is reset.
    const probe = setInterval(() => socket.write("x"), 50)
    await new Promise((resolve) => socket.once("close", resolve))
    clearInterval(probe)
  })

  it("is one of so many, and one more is closed; the door's end closes all", async () => {
    const { open, door } = await start({ most: 2 })
    const two = [await open(""), await open("")]
    const third = await open("")
    expect(await answer(third)).toBe("")
    expect(two.map(({ closed }) => closed)).toEqual([false, false])
    const ends = two.map((socket) => once(socket.resume(), "end"))
    door.close()
    await Promise.all(ends)
  })

  it("makes room for one more by the oldest where that gives way", async () => {
    const { open } = await start({ most: 2, oldestGives: true })
    const first = await open("")
    const second = await open("")
    const third = await open(get("/"))
    expect(await answer(first)).toBe("")
    expect(await answer(third)).toMatch(/^HTTP\/1.1 200/)
    expect(second.closed).toBe(false)
  })

  it("that becomes something else keeps what came behind its request, and its time is over", async () => {
    const { open, upgraded, door } = await start({ milliseconds: 200, most: 1 })
    const socket = await open(`${get("/", "Connection: upgrade\r\nUpgrade: x\r\n")}first`)
    await expect.poll(() => upgraded.length).toBe(1)
    const [one] = upgraded
    const { connection } = one!
    one!.release()
    door.settled(connection)
    let text = ""
    connection.on("data", (bytes) => {
      text += bytes
    })
    connection.resume()
    socket.write(" second")
    await expect.poll(() => text).toBe("first second")
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(connection.destroyed).toBe(false)
    // It counts for no limit any more.
    expect(await answer(await open(get("/")))).toContain("answer")
  })
})

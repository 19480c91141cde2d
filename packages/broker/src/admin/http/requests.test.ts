// What bounds the connections of the admin API, over real sockets.

import { once } from "node:events"
import { createServer as createHttpServer } from "node:http"
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { longestBody, longestHead, mostRequests, Requests, RequestsDoor, requestTimes } from "./requests.ts"

const servers: Server[] = []
const sockets: Socket[] = []
const faults: unknown[] = []

afterEach(() => {
  expect(faults).toEqual([])
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function start({ times = requestTimes, most = 100 } = {}) {
  const seen: { url: string; bytes: number }[] = []
  let hold: (() => void)[] | undefined
  const http = createHttpServer({ keepAliveTimeout: 0, maxHeaderSize: longestHead }, (request, response) => {
    let bytes = 0
    request.on("data", (data: Buffer) => {
      bytes += data.length
    })
    request.on("end", () => {
      seen.push({ url: request.url ?? "", bytes })
      const { socket } = request
      if (socket instanceof Requests && request.url === "/token") socket.isKnown = true
      if (!(socket instanceof Requests)) throw new TypeError("no connection of the door")
      if (socket.count >= mostRequests) response.setHeader("connection", "close")
      response.on("finish", () => socket.next())
      const answer = () => response.end(`answer ${seen.length}`)
      if (hold === undefined) answer()
      else hold.push(answer)
    })
  })
  const door = new RequestsDoor(http, { times, most, onFault: (error) => faults.push(error) })
  const server = createServer({ allowHalfOpen: true }, (socket) => door.take(socket)).listen(0, "127.0.0.1")
  servers.push(server)
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  return {
    seen,
    door,
    /** Answers wait until what is returned is called. */
    hold() {
      hold = []
      return () => {
        const held = hold ?? []
        hold = undefined
        for (const answer of held) answer()
      }
    },
    open: async (text: string | Buffer, allowHalfOpen = false): Promise<Socket & { text: () => string }> => {
      const socket = connect({ host: "127.0.0.1", port, allowHalfOpen })
      sockets.push(socket)
      socket.on("error", () => undefined)
      let got = ""
      socket.on("data", (data) => {
        got += data
      })
      await once(socket, "connect")
      socket.write(text)
      return Object.assign(socket, { text: () => got })
    },
  }
}

const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
const post = (body: string, more = `Content-Length: ${body.length}\r\n`) =>
  `POST /p HTTP/1.1\r\nHost: a\r\n${more}\r\n${body}`
const ended = (socket: Socket) => new Promise((resolve) => socket.once("close", resolve))

describe("requests of one connection", () => {
  it("come one after the other, each once the one before is answered, whatever the client sends at once", async () => {
    const { open, seen, hold } = await start()
    const release = hold()
    const socket = await open(get("/1") + post("body") + get("/3"))
    await expect.poll(() => seen.length).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(seen).toEqual([{ url: "/1", bytes: 0 }])
    release()
    await expect.poll(() => seen.map(({ url }) => url)).toEqual(["/1", "/p", "/3"])
    await expect.poll(() => socket.text().match(/answer \d/g)).toEqual(["answer 1", "answer 2", "answer 3"])
    expect(seen[1]?.bytes).toBe(4)
  })

  it("may come byte by byte, head and body", async () => {
    const { open, seen } = await start()
    const socket = await open("")
    socket.setNoDelay(true)
    for (const character of get("/slow") + post("ab")) {
      socket.write(character)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await expect
      .poll(() => seen)
      .toEqual([
        { url: "/slow", bytes: 0 },
        { url: "/p", bytes: 2 },
      ])
  })

  it("are so many, and the last is answered with close", async () => {
    const { open, seen } = await start()
    const socket = await open(get("/").repeat(mostRequests + 5))
    await ended(socket)
    expect(seen.length).toBe(mostRequests)
    expect(socket.text().match(/connection: close/gi)).toHaveLength(1)
  }, 60_000)
})

describe("a request", () => {
  it("has a head of so many bytes at most", async () => {
    const { open, seen } = await start()
    const head = (length: number) => get("/", `x: ${"y".repeat(length - get("/", "x: \r\n").length)}\r\n`)
    const most = await open(head(longestHead - 100))
    await expect.poll(() => most.text()).toContain("answer")
    for (const one of [head(longestHead + 1), head(longestHead + 2).slice(0, -2)]) {
      const socket = await open(one)
      await ended(socket)
      expect(socket.text()).toMatch(/^HTTP\/1.1 431 .*"detail":"the head of a request has 212992 bytes at most"/s)
    }
    expect(seen).toHaveLength(1)
  })

  it("has a body of so many bytes at most, whose length it says", async () => {
    const { open, seen } = await start()
    const socket = await open(post("x".repeat(longestBody)))
    await expect.poll(() => socket.text()).toContain("answer")
    expect(seen).toEqual([{ url: "/p", bytes: longestBody }])
    for (const [text, status] of [
      [post("", `Content-Length: ${longestBody + 1}\r\n`), 413],
      [post("", "Content-Length: 99999999999999999999\r\n"), 400],
      [post("", "Content-Length: -1\r\n"), 400],
      [post("", "Content-Length: 0x10\r\n"), 400],
      [post("", "Content-Length: 1\r\nContent-Length: 1\r\n"), 400],
      [post("", "Transfer-Encoding: chunked\r\n"), 411],
      [post("", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 411],
    ] as const) {
      const refused = await open(text)
      await ended(refused)
      expect(refused.text()).toMatch(new RegExp(`^HTTP/1.1 ${status} .*problem\\+json`, "s"))
    }
    expect(seen).toHaveLength(1)
  })

  it("of many, with bodies that do not come, memory is held for so many bytes in all", async () => {
    const { open } = await start()
    const many = await Promise.all(
      Array.from({ length: 22 }, () => open(post("", `Content-Length: ${longestBody}\r\n`))),
    )
    await expect.poll(() => many.filter((socket) => socket.text().startsWith("HTTP/1.1 503")).length).toBe(1)
    many[0]?.destroy()
    await expect
      .poll(async () => {
        const again = await open(post("", `Content-Length: 1\r\n`))
        await new Promise((resolve) => setTimeout(resolve, 50))
        return again.text()
      })
      .toBe("")
  })
})

describe("a connection", () => {
  const quick = { idle: 150, request: 150, answer: 300 }

  it.each([
    ["says nothing", ""],
    ["has half a head", "GET / HTTP/1.1\r\n"],
    ["has half a body", post("", "Content-Length: 2\r\n")],
    ["is idle behind an answer", get("/")],
    ["asks for close and does not", get("/", "Connection: close\r\n")],
    ["is no HTTP", "\x16\x03\x01\x00\x05hello\r\n\r\n"],
  ])("that %s ends in time", async (_, text) => {
    const { open } = await start({ times: quick })
    // Our half stays open; who writes into one that is gone is reset.
    const socket = await open(text, true)
    const closes = ended(socket)
    let probe: NodeJS.Timeout | undefined
    socket.once("end", () => {
      probe = setInterval(() => socket.write("x"), 50)
    })
    await closes
    clearInterval(probe)
  })

  it("that drips its head does not hold on by that", async () => {
    const { open } = await start({ times: quick })
    const socket = await open("GET / HTTP/1.1\r\n")
    const drip = setInterval(() => socket.write("a: b\r\n"), 20)
    const began = performance.now()
    await ended(socket)
    clearInterval(drip)
    expect(performance.now() - began).toBeLessThan(3000)
  })

  it("whose answer does not come ends in time", async () => {
    const { open, hold } = await start({ times: quick })
    hold()
    await ended(await open(get("/")))
  })

  it("is one of so many, and one more is closed where all have shown a token; the door's end closes all", async () => {
    const { open, door, seen } = await start({ most: 2 })
    const two = [await open(get("/token")), await open(get("/token"))]
    await expect.poll(() => seen.length).toBe(2)
    await ended(await open(""))
    expect(two.map(({ destroyed }) => destroyed)).toEqual([false, false])
    const ends = two.map(ended)
    door.close()
    await Promise.all(ends)
  })

  it("that has ended its half still gets its answer", async () => {
    const { open } = await start()
    const socket = await open("")
    socket.end(get("/"))
    await expect.poll(() => socket.text()).toContain("answer")
  })
})

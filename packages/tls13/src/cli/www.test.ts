// `tls13 serve --www`: no client holds a connection by half a request, by a long one, or by not taking the answer.

import { once } from "node:events"
import { PassThrough } from "node:stream"
import { afterAll, describe, it } from "vitest"
import { connect } from "../adapters/node/connect.ts"
import type { Server } from "../adapters/node/server.ts"
import type { TLSSocket } from "../adapters/node/tls-socket.ts"
import { run } from "./run.ts"
import { serve } from "./serve.ts"
import { headTime, longestHead } from "./www.ts"

const servers: Server[] = []
const sockets: TLSSocket[] = []
afterAll(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function serving(...args: string[]) {
  const io = { input: new PassThrough(), output: new PassThrough(), say: () => undefined }
  const server = await serve(["0", "--www", ...args], io)
  servers.push(server)
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const open = async (): Promise<TLSSocket> => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, allowHalfOpen: true })
    sockets.push(socket)
    socket.on("error", () => undefined)
    await once(socket, "secureConnect")
    return socket
  }
  const connections = (): Promise<number> =>
    new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))))
  return { open, connections }
}

/** All that comes until the server has ended its half; ours stays open. */
async function answer(socket: TLSSocket): Promise<string> {
  let text = ""
  socket.on("data", (data: Buffer) => {
    text += data.toString("latin1")
  })
  await once(socket, "end")
  return text
}

async function gone({ connections }: Awaited<ReturnType<typeof serving>>): Promise<void> {
  for (const end = Date.now() + 20_000; (await connections()) > 0; ) {
    if (Date.now() > end) throw new Error("the connection is still there")
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A head of so many bytes, its empty line included. */
const head = (length: number): string => `GET / HTTP/1.0\r\nA: ${"a".repeat(length - 23)}\r\n\r\n`

// Each has a server of its own, and most of them wait.
describe.concurrent("tls13 serve --www", () => {
  it.for(["", "GET / HTTP/1.0\r\nHost: a\r\n"])(
    "%j and no more is answered 408, and closed",
    { timeout: 30_000 },
    async (part, { expect }) => {
      const server = await serving("--request-time", "1")
      const socket = await server.open()
      const begun = performance.now()
      if (part !== "") socket.write(part)
      expect(await answer(socket)).toMatch(
        /^HTTP\/1\.0 408 Request Timeout\r\n[\s\S]*No whole request came within 1 s\.\n$/,
      )
      expect(performance.now() - begun).toBeGreaterThan(500)
      await gone(server) // though we never close
    },
  )

  it("a request that drips does not begin its time anew", async ({ expect }) => {
    const server = await serving("--request-time", "1")
    const socket = await server.open()
    const dripping = setInterval(() => socket.write("a"), 20)
    socket.once("close", () => clearInterval(dripping))
    expect(await answer(socket)).toMatch(/^HTTP\/1\.0 408 /)
    await gone(server) // though we go on
    clearInterval(dripping)
  }, 30_000)

  it("a head is answered at the limit, and one past it with 431", async ({ expect }) => {
    const server = await serving()
    for (const [length, status] of [
      [longestHead, "200 OK"],
      [longestHead + 1, "431 Request Header Fields Too Large"],
    ] as const) {
      expect(head(length)).toHaveLength(length)
      const socket = await server.open()
      socket.write(head(length))
      expect(await answer(socket)).toMatch(new RegExp(`^HTTP/1\\.0 ${status}\r\n`))
    }
    const endless = await server.open()
    endless.write("x".repeat(longestHead + 1))
    expect(await answer(endless)).toMatch(/^HTTP\/1\.0 431 /)
    await gone(server)
  }, 30_000)

  it("a body of any length is no part of the head, and an empty line may come in parts", async ({ expect }) => {
    const server = await serving()
    const long = await server.open()
    long.write(`POST / HTTP/1.0\r\n\r\n${"x".repeat(3 * longestHead)}`)
    expect(await answer(long)).toMatch(/^HTTP\/1\.0 200 OK\r\n/)
    const slow = await server.open()
    for (const part of ["GET / HTTP/1.0\r", "\n\r", "\n"]) {
      slow.write(part)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(await answer(slow)).toMatch(/^HTTP\/1\.0 200 OK\r\n/)
  }, 30_000)

  it("--help and the code say the same", async ({ expect }) => {
    const output = new PassThrough()
    expect(await run(["serve", "--help"], { input: new PassThrough(), output, say: () => undefined })).toBe(0)
    const text = String(output.read())
    expect(text).toContain(`its head may have ${longestHead} bytes`)
    expect(text).toContain(`else 408; default ${headTime}`)
  })
})

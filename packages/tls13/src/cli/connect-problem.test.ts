import { createServer, type Server, type Socket } from "node:net"
import { PassThrough } from "node:stream"
import { afterEach, describe, expect, it } from "vitest"
import { portOf } from "../../tests/tools/sockets.ts"
import { connectProblem } from "./connect-problem.ts"
import { run } from "./run.ts"

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** What the command says of a server that does this with each connection. */
async function said(command: "connect" | "inspect", handle: (socket: Socket) => void): Promise<[string[], number]> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined)
    handle(socket)
  })
  servers.push(server)
  const port = await portOf(server)
  const lines: string[] = []
  const io = { input: new PassThrough(), output: new PassThrough(), say: (line: string) => void lines.push(line) }
  expect(await run([command, `127.0.0.1:${port}`], io)).toBe(1)
  return [lines, port]
}

describe.each(["connect", "inspect"] as const)("tls13 %s: one line with what, where and what to do", (command) => {
  it("a server that resets the connection", async () => {
    const [lines, port] = await said(command, (socket) => socket.once("data", () => socket.resetAndDestroy()))
    expect(lines).toEqual([
      `tls13: cannot connect to 127.0.0.1:${port}: the peer reset the connection; check host and port: is it a server that speaks TLS?`,
    ])
  })

  it("a server that closes the connection", async () => {
    const [lines, port] = await said(command, (socket) => socket.end())
    expect(lines).toEqual([
      `tls13: 127.0.0.1:${port}: peer closed the connection during the handshake; is it a server that speaks TLS 1.3?`,
    ])
  })
})

it.each([
  ["ECONNREFUSED", /nothing listens there; check host and port, or start a server/],
  ["ENOTFOUND", /no such host; check the name$/],
  ["EAI_AGAIN", /cannot be resolved now; check the network/],
  ["ETIMEDOUT", /no answer in time; check host and port, and whether a firewall/],
  ["EHOSTUNREACH", /the host cannot be reached; check host and network$/],
  ["ENETUNREACH", /the network cannot be reached; check host and network$/],
  ["EOTHER", /cannot connect to a\.example:1: the system's words$/],
])("%s", (code, expected) => {
  const error = Object.assign(new Error("the system's words"), { code })
  expect(connectProblem(error, "a.example:1")).toMatch(expected)
})

it("an error of several addresses, which has no words of its own", () => {
  const error = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" })
  expect(connectProblem(error, "localhost:1")).toMatch(/^cannot connect to localhost:1: nothing listens there; /)
})

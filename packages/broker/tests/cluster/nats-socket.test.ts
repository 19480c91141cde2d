// Servers of NATS that end a connection when nobody expects it.

import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { afterEach, expect, it } from "vitest"
import { openStreams } from "../../src/cluster/nats.ts"
import { connectNats } from "../../src/platform/nats-socket.ts"

const info = (more: object) =>
  `INFO ${JSON.stringify({ server_id: "x", version: "2.15.0", proto: 1, max_payload: 2 ** 20, headers: true, ...more })}\r\n`

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function server(accepted: (socket: Socket) => void): Promise<string> {
  const it = createServer((socket) => {
    socket.on("error", () => undefined)
    accepted(socket)
  })
  servers.push(it)
  await new Promise<void>((resolve) => it.listen(0, "127.0.0.1", resolve))
  return `nats://127.0.0.1:${(it.address() as AddressInfo).port}`
}

/** A server whose answer to each request is this, said to the inbox of who asks. */
function answering(answer: (reply: string, inbox: string | undefined) => string): Promise<string> {
  return server((socket) => {
    let inbox: string | undefined
    socket.write(info({}))
    socket.on("data", (data: Buffer) => {
      for (const line of data.toString().split("\r\n")) {
        const [command, subject = "", reply = ""] = line.split(" ")
        if (command === "PING") socket.write("PONG\r\n")
        else if (command === "SUB" && subject.startsWith("_INBOX.")) inbox = reply
        else if (command === "PUB") socket.write(answer(reply, inbox))
      }
    })
  })
}

const connectTo = (at: string) => connectNats({ servers: at, timeout: 60_000, maxReconnectAttempts: -1 })

// An error of a socket that nobody listens to ends the process. It is the first connection here: TLS is not loaded yet.
it("one that resets the connection while TLS is loaded is told of", async () => {
  const at = await server((socket) => {
    socket.write(info({ tls_available: true }))
    setTimeout(() => socket.resetAndDestroy(), 5)
  })
  await expect(connectTo(at)).rejects.toThrow(/^TLS: .*ECONNRESET/)
}, 60_000)

it.each([
  ["before its first line", "", /closed the connection/],
  ["in its first line", "INFO {", /is no server of NATS/],
])("one that closes the connection %s is told of", async (_, text, line) => {
  await expect(connectTo(await server((socket) => socket.end(text)))).rejects.toThrow(line)
})

it("takes a first line that comes byte by byte, with what is behind it", async () => {
  let ponged = false
  const at = await server((socket) => {
    socket.on("data", (data: Buffer) => {
      ponged ||= data.includes("PONG")
      if (data.includes("PING")) socket.write("PONG\r\n")
    })
    const bytes = Buffer.from(info({}))
    const next = (from: number) => {
      if (from === bytes.length - 1) {
        socket.write(`${bytes.toString("latin1", from)}PING\r\n`)
        return
      }
      socket.write(bytes.subarray(from, from + 1))
      setImmediate(next, from + 1)
    }
    next(0)
  })
  const nats = await connectTo(at)
  expect(nats.info?.version).toBe("2.15.0")
  await expect.poll(() => ponged).toBe(true)
  await nats.close()
})

it("one without JetStream is told of in words", async () => {
  const at = await answering((reply, inbox) => `HMSG ${reply} ${inbox} 16 16\r\nNATS/1.0 503\r\n\r\n\r\n`)
  const opened = openStreams({ connect: connectNats, servers: [at], patience: 0 })
  await expect(opened).rejects.toThrow(/cannot be made: nobody there answers: .*JetStream is not enabled/)
})

it.each([
  [10005, "no suitable peers for placement", /: 3 servers .* as "replicas" is 3: are all of them started/],
  [
    10074,
    "replicas > 1 not supported in non-clustered mode",
    /: 3 servers .* as "replicas" is 3: are all of them started/,
  ],
  [10047, "insufficient storage resources available", /: raise "max_file_store"/],
])("an error of the servers is told with what to do: %i", async (number, description, hint) => {
  const answer = JSON.stringify({ error: { code: 400, err_code: number, description } })
  const at = await answering((reply, inbox) => `MSG ${reply} ${inbox} ${answer.length}\r\n${answer}\r\n`)
  const opened = openStreams({ connect: connectNats, servers: [at], replicas: 3, patience: 0 })
  await expect(opened).rejects.toThrow(new RegExp(`cannot be made: ${description}${hint.source}`))
})

it.each(["2.12.15", "2.14.10", "1.99.0"])("one of version %s is too old", async (version) => {
  const at = await server((socket) => {
    socket.write(info({ version }))
    socket.on("data", (data: Buffer) => {
      if (data.includes("PING")) socket.write("PONG\r\n")
    })
  })
  const opened = openStreams({ connect: connectNats, servers: [at], patience: 0 })
  await expect(opened).rejects.toThrow(`nats-server has version ${version}, and 2.15 or newer is needed`)
})

// `puremq health` beside brokers that are well, that are not, and that are none.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { AdminWorld, pem, tokens } from "../../tests/admin-world.ts"
import { createBroker } from "../index.ts"
import { health } from "./health.ts"

const folder = mkdtempSync(join(tmpdir(), "puremq-health-"))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []]
  const status = await health(
    args,
    (line) => out.push(line),
    (line) => err.push(line),
  )
  return { status, out: out.join("\n"), err: err.join("\n") }
}

async function served(handle: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>()
  const server: Server = createServer((socket) => {
    open.add(socket)
    socket.on("error", () => undefined)
    handle(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

describe("a broker with an admin API", () => {
  let world: AdminWorld
  const token = file("token", `${tokens.read}\n`)
  beforeAll(async () => {
    world = await AdminWorld.start()
  })
  afterAll(() => world.close())

  it("that is well: status 0 and one line, with its numbers for a token", async () => {
    const url = `http://127.0.0.1:${world.port("admin")}`
    expect(await run(url)).toEqual({
      status: 0,
      out: expect.stringMatching(/^well: the broker at http:\/\/127\.0\.0\.1:\d+ says ok \(\d+ ms\)$/),
      err: "",
    })
    expect((await run(`${url}/`, "--token-file", token)).out).toMatch(/says ok: version \d+\.\d+\.\d+, 0 clients \(/)
    expect(await run(url, "--quiet")).toEqual({ status: 0, out: "", err: "" })
  })

  it("is found by the configuration, file names and all", async () => {
    file("tokens", "# tokens\n")
    const config = file(
      "puremq.json",
      JSON.stringify({
        listeners: [{ type: "tcp", port: world.port("tcp") }],
        admin: { port: world.port("admin"), tokenFile: "tokens" },
      }),
    )
    expect((await run("--config", config)).out).toMatch(/at http:\/\/127\.0\.0\.1:\d+ says ok/)
    expect((await run("--config", config, "--listener", "tcp")).out).toMatch(
      /at mqtt:\/\/127\.0\.0\.1:\d+ lets clients/,
    )
    await expect(run("--config", config, "--listener", "tls")).rejects.toThrow(
      /^--listener tls: .*puremq\.json has no such listener; it has tcp$/,
    )
  })

  it("that sends its clients away is not well, but alive", async () => {
    const url = `http://127.0.0.1:${world.port("admin")}`
    await world.ask("POST", "/api/v1/drain", { body: { server: "b2", seconds: 60 } })
    expect(await run(url)).toEqual({
      status: 1,
      out: "",
      err: expect.stringMatching(/^not well, but alive: .* says that it is not: .*--token-file FILE\)$/),
    })
    expect((await run(url, "--token-file", token)).err).toMatch(/is not: it sends its clients to another server$/)
    expect((await run(url, "--alive")).status).toBe(0)
    expect(await run(`mqtt://127.0.0.1:${world.port("tcp")}`)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/refused the connection: use another server/),
    })
    await world.ask("DELETE", "/api/v1/drain")
  })

  it("does not tell whose token is no good, and is well all the same", async () => {
    const url = `http://127.0.0.1:${world.port("admin")}`
    const { status, out } = await run(url, "--token-file", file("other", "puremq_unknown"))
    expect([status, out]).toEqual([0, expect.stringMatching(/the token is no good, so that is all \(HTTP 401\)/)])
  })
})

it("an admin API with TLS is asked under a name of its certificate, with the authority that lies beside it", async () => {
  const made = createDevelopmentCertificates({ names: ["broker.example"], now: Date.now() })
  file("ca.pem", made.caCert)
  file("server.pem", made.serverCert)
  file("server-key.pem", made.serverKey)
  const tls = { cert: made.serverCert, key: made.serverKey }
  const world = await AdminWorld.start({ admin: { port: 0, tokens: "# none", ...tls } })
  onTestFinished(() => world.close())
  const port = world.port("admin")
  const config = file(
    "tls.json",
    JSON.stringify({
      listeners: [{ type: "tls", port: world.port("tls"), cert: "server.pem", key: "server-key.pem" }],
      admin: { host: "0.0.0.0", port, tokenFile: "tokens", cert: "server.pem", key: "server-key.pem" },
    }),
  )
  expect(await run("--config", config)).toMatchObject({ err: "" })
  expect((await run("--config", config)).out).toMatch(/^well: the broker at https:\/\/127\.0\.0\.1:\d+ says ok/)
  const url = `https://127.0.0.1:${port}`
  expect((await run(url, "--cafile", join(folder, "ca.pem"))).err).toMatch(/certificate.*--server-name NAME$/)
  expect((await run(url, "--server-name", "broker.example")).err).toMatch(/--cafile FILE$/)
  const right = ["--cafile", join(folder, "ca.pem"), "--server-name", "broker.example"]
  expect((await run(url, ...right)).status).toBe(0)
  expect((await run(url.replace("https", "http"))).err).toMatch(/whether TLS is spoken there$/)
})

describe("a broker without one", () => {
  const ca = file("own-ca.pem", pem.caCert)

  it("over TLS and TCP is asked by CONNECT", async () => {
    const world = await AdminWorld.start({ admin: undefined })
    onTestFinished(() => world.close())
    expect((await run(`mqtts://localhost:${world.port("tls")}`, "--cafile", ca)).status).toBe(0)
    expect((await run(`mqtt://127.0.0.1:${world.port("tcp")}`)).out).toMatch(/^well: .* lets clients in \(\d+ ms\)$/)
    expect((await run(`mqtt://127.0.0.1:${world.port("tls")}`, "--timeout", "1")).err).toMatch(/TLS is spoken there$/)
  })

  it("that wants a login, or a certificate, is well: it answers", async () => {
    const tls = { cert: pem.serverCert, key: pem.serverKey, ca: pem.caCert, clientCertificate: "require" } as const
    const broker = createBroker({
      listeners: [
        { type: "tls", port: 0, ...tls },
        { type: "ws", port: 0 },
      ],
      login: { anonymous: false },
      sysInterval: 0,
    })
    onTestFinished(() => broker.close())
    const [secure, ws] = await broker.listen()
    expect((await run(`ws://127.0.0.1:${ws?.port}/mqtt`)).out).toMatch(/^well: .* answers, and asks for a login/)
    const asked = await run(`mqtts://127.0.0.1:${secure?.port}`, "--cafile", ca)
    expect(asked.out).toMatch(/^well: .* answers, and asks for a client certificate/)
    const own = [
      "--cert",
      file("client.pem", pem.clientCert ?? ""),
      "--key",
      file("client-key.pem", pem.clientKey ?? ""),
    ]
    expect((await run(`mqtts://127.0.0.1:${secure?.port}`, "--cafile", ca, ...own)).out).toMatch(/lets clients in/)
  })
})

describe("what is no broker, or not there: status 1, and what to do", () => {
  it.each(["http", "mqtt", "ws", "mqtts"])("nobody listens for %s", async (scheme) => {
    const { status, err } = await run(`${scheme}://127.0.0.1:1`)
    expect([status, err]).toEqual([1, expect.stringMatching(/nothing listens there; start it, or look in its log/)])
  })

  it.each([
    ["something that never answers", () => undefined, /within 1000 ms|within 1 s/],
    ["something that closes", (socket: Socket) => socket.end(), /closes the connection|closed the connection|ended/],
    ["noise", (socket: Socket) => socket.write("\u001b[2Jno\r\n\r\n"), /no HTTP|no MQTT/],
    ["another page", (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n{}"), /not as a broker|no MQTT/],
  ] as const)("%s", async (_, handle, says) => {
    const port = await served(handle)
    for (const scheme of ["http", "mqtt"]) {
      const { status, out, err } = await run(`${scheme}://127.0.0.1:${port}`, "--timeout", "1")
      expect([status, out]).toEqual([1, ""])
      expect(err).toMatch(says)
      expect(err).toMatch(/^not well: [^\n]+$/)
    }
  })
})

describe("a question that is wrong: status 2", () => {
  it.each([
    [["nonsense"], /"nonsense" is no address; write it like http/],
    [["http://broker.example:8884"], /plain http is for this machine only/],
    [["mqtts://a b"], /^the address must be like mqtts/],
    [["http://127.0.0.1", "http://127.0.0.1"], /one URL at most/],
    [["http://127.0.0.1", "--config", "x"], /leave out --config/],
    [["--config", "/nowhere.toml"], /cannot read the configuration \/nowhere\.toml/],
    [["http://127.0.0.1", "--token-file", "/nowhere"], /cannot read the token \/nowhere/],
    [["http://127.0.0.1", "--cafile", "/nowhere"], /\/nowhere/],
    [["--timeout", "0"], /--timeout must be a whole number from 1 to 300/],
  ])("%j", async (args, says) => {
    await expect(run(...args)).rejects.toMatchObject({ name: "UsageError", message: expect.stringMatching(says) })
  })

  it("a list of tokens in the place of one, and a free port, which nobody knows", async () => {
    const list = file("list", `me:read:${"0".repeat(64)}\n`)
    await expect(run("http://127.0.0.1:1", "--token-file", list)).rejects.toThrow(/what "puremq token" printed/)
    const config = file("free.json", JSON.stringify({ listeners: [{ type: "tcp", port: 0 }] }))
    await expect(run("--config", config)).rejects.toThrow(/takes a free port, so nobody knows it here: give the URL/)
  })
})

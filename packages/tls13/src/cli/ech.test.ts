import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import type { Server } from "../adapters/node/server.ts"
import { createDevelopmentCertificates } from "../devcert/index.ts"
import { run } from "./run.ts"
import { serve } from "./serve.ts"

const folder = mkdtempSync(join(tmpdir(), "tls13-ech-"))
const at = (name: string) => join(folder, name)
const servers: Server[] = []
const pem = createDevelopmentCertificates({ names: ["localhost", "public.test"], now: Date.now() })
for (const [name, text] of Object.entries({ ca: pem.caCert, cert: pem.serverCert, key: pem.serverKey })) {
  writeFileSync(at(name), text)
}
const own = ["--echo", "--cert", at("cert"), "--key", at("key")]

afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

function terminal() {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const said: string[] = []
  let shown = ""
  output.on("data", (data) => {
    shown += data.toString("latin1")
  })
  return { input, output, say: (line: string) => void said.push(line), told: () => said.join("\n"), shown: () => shown }
}

async function running(...args: string[]) {
  const io = terminal()
  io.input.end("hello\n")
  return { status: await run(args, io), told: io.told(), shown: io.shown() }
}

async function serving(...args: string[]): Promise<{ readonly port: number; readonly told: () => string }> {
  const { told, ...io } = terminal()
  const server = await serve(["0", ...own, ...args], io)
  servers.push(server)
  const address = server.address()
  if (typeof address !== "object" || address === null) throw new Error("no port")
  return { port: address.port, told }
}

const connecting = (port: number, ...args: string[]) =>
  running("connect", `localhost:${port}`, "--ca", at("ca"), ...args)

async function keyFile(name: string, ...args: string[]): Promise<string> {
  const { status, told } = await running("ech-key", "public.test", "--out", at(name), ...args)
  expect(status).toBe(0)
  return /\(--ech\): (\S+)$/.exec(told)![1]!
}

describe("tls13 ech-key", () => {
  it("writes a key for this user alone, and never over another", async () => {
    const configs = await keyFile("first.pem", "--config-id", "7", "--max-name-length", "64")
    expect(statSync(at("first.pem")).mode & 0o777).toBe(0o600)
    expect(readFileSync(at("first.pem"), "utf8")).toMatch(/BEGIN PRIVATE KEY[\s\S]*BEGIN ECHCONFIG/)
    expect(readFileSync(at("first.pem"), "utf8").replaceAll("\n", "")).toContain(configs)
    const again = await running("ech-key", "public.test", "--out", at("first.pem"))
    expect([again.status, again.told]).toEqual([1, `tls13: ${at("first.pem")} cannot be written: it is there already`])
  })

  it("writes to standard output, and for P-256", async () => {
    const { status, shown } = await running("ech-key", "public.test", "--kem", "p256")
    expect([status, shown]).toEqual([0, expect.stringMatching(/BEGIN PRIVATE KEY[\s\S]*BEGIN ECHCONFIG/)])
  })

  it.each([
    [["ech-key"], "give one PUBLIC-NAME"],
    [["ech-key", "192.0.2.1"], 'the public name "192.0.2.1" could be read as an IPv4 address'],
    [["ech-key", "a.example", "--config-id", "256"], "config-id"],
    [["ech-key", "a.example", "--kem", "x448"], "kem"],
  ])("%j is refused", async (args, why) => {
    const { status, told } = await running(...args)
    expect([status, told]).toEqual([2, expect.stringContaining(why)])
  })
})

describe("--ech and --ech-key", () => {
  it.each(["as base64", "as a file"])("hide the name: %s", async (how) => {
    const configs = await keyFile(`${how}.pem`)
    const { port, told } = await serving("--ech-key", at(`${how}.pem`))
    const client = await connecting(port, "--ech", how === "as a file" ? at(`${how}.pem`) : configs)
    expect([client.status, client.shown]).toEqual([0, "hello\n"])
    expect(client.told).toMatch(/hello {8}encrypted, accepted/)
    expect(told()).toMatch(/new for localhost encrypted hello/)
  })

  it("a key that is replaced: the client is told what to use, and that works", async () => {
    const [old] = [await keyFile("old.pem"), await keyFile("new.pem")]
    const { port } = await serving("--ech-key", at("new.pem"))
    const client = await connecting(port, "--ech", old)
    expect(client.status).toBe(1)
    const [, retry] = /has sent other ones to connect anew with: --ech (\S+)$/.exec(client.told)!
    expect((await connecting(port, "--ech", retry!)).told).toMatch(/encrypted, accepted/)
  })

  it("a certificate of the moment is for the public names, too: else nobody could learn of the new key", async () => {
    const [old] = [await keyFile("before.pem"), await keyFile("after.pem")]
    const { told, ...io } = terminal()
    const server = await serve(["0", "--echo", "--save-ca", at("moment"), "--ech-key", at("after.pem")], io)
    servers.push(server)
    const { port } = server.address() as AddressInfo
    expect(told()).toContain("made a certificate for localhost, 127.0.0.1, ::1, public.test,")
    const client = await running("connect", `localhost:${port}`, "--ca", at("moment"), "--ech", old)
    expect(client.told).toContain("has sent other ones to connect anew with: --ech ")
  })

  it("a server that has turned it off", async () => {
    const { port } = await serving()
    const { status, told } = await connecting(port, "--ech", await keyFile("off.pem"))
    expect([status, told]).toEqual([1, expect.stringMatching(/has turned it off: connect without --ech$/)])
  })

  it("--ech-grease hides nothing, and breaks nothing", async () => {
    await keyFile("grease.pem")
    const { port, told } = await serving("--ech-key", at("grease.pem"))
    expect((await connecting(port, "--ech-grease")).status).toBe(0)
    expect(told()).toMatch(/new for localhost \d+ ms/)
  })

  it.each([
    [["connect", "localhost:1", "--ech", "nonsense!"], 2, "--ech takes a file, or an ECHConfigList in base64"],
    [["connect", "localhost:1", "--ech", "AAAA"], 1, "--ech: ECHConfigList"],
    [["connect", "localhost:1", "--ech", "AAT+CgAA"], 1, "it has none of version 0xfe0d"],
    [["connect", "localhost:1", "--ech", at("ca")], 1, "has a block ECHCONFIG; this has CERTIFICATE"],
    [["connect", "localhost:1", "--ech", "AAAA", "--ech-grease"], 2, "exclude each other"],
    [["serve", "0", ...own, "--ech-key", at("ca")], 1, "has a block PRIVATE KEY; this has CERTIFICATE"],
  ])("%j is one line that says what is wrong", async (args, status, why) => {
    const result = await running(...args)
    expect([result.status, result.told]).toEqual([status, expect.stringContaining(why)])
    expect(result.told.split("\n")).toHaveLength(1)
  })
})

// `--record` of `tls13 connect` and `tls13 serve`, and `tls13 replay` of what it writes.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import type { Server } from "../adapters/node/server.ts"
import { createDevelopmentCertificates } from "../devcert/index.ts"
import { run } from "./run.ts"
import { serve } from "./serve.ts"

const folder = mkdtempSync(join(tmpdir(), "tls13-replay-"))
const at = (name: string) => join(folder, name)
const servers: Server[] = []
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

const pem = createDevelopmentCertificates({ names: ["127.0.0.1"], now: Date.now() })
for (const [name, text] of Object.entries(pem)) writeFileSync(at(`${name}.pem`), text)

function terminal() {
  const [said, written]: [string[], Buffer[]] = [[], []]
  const [input, output] = [new PassThrough(), new PassThrough()]
  output.on("data", (chunk: Buffer) => written.push(chunk))
  return {
    input,
    output,
    said,
    say: (line: string) => void said.push(line),
    text: () => Buffer.concat(written).toString(),
  }
}

async function command(...args: readonly string[]) {
  const io = terminal()
  io.input.end("a question that is private")
  const status = await run(args, io)
  return { status, said: io.said, text: io.text() }
}

async function connected(name: string, ...args: readonly string[]) {
  const io = terminal()
  const own = ["--cert", at("serverCert.pem"), "--key", at("serverKey.pem"), "--record", at(`server-${name}`)]
  const server = await serve(["0", "--echo", ...own], io)
  servers.push(server)
  const { port } = server.address() as { readonly port: number }
  const client = await command("connect", `127.0.0.1:${port}`, "--ca", at("caCert.pem"), "--record", at(name), ...args)
  expect(client.status).toBe(0)
  return { client, server: io }
}

describe("tls13 replay", () => {
  it("tells a recorded connection call by call, at both ends the same; files are told of, and for this user alone", async () => {
    const { client, server } = await connected("one.jsonl", "--quiet")
    const warning = (name: string) =>
      `WARNING: ${at(name)} holds all secrets: WHO HAS IT READS EVERYTHING. Not for production (RFC 9850 section 1.1); delete it afterwards`
    expect(client.said).toEqual([warning("one.jsonl")])
    expect(server.said).toContain(warning("server-one.jsonl"))
    for (const [name, role, first] of [
      ["one.jsonl", "client", "sent ClientHello (section 4.2.2)"],
      ["server-one.jsonl", "server", "received ClientHello (section 4.2.2)"],
    ] as const) {
      expect(statSync(at(name)).mode & 0o777).toBe(0o600)
      await expect.poll(() => readFileSync(at(name), "latin1")).toContain('"do":"destroy"')
      const { status, text, said } = await command("replay", at(name))
      expect({ status, said }).toEqual({ status: 0, said: [] })
      expect(text).toMatch(new RegExp(`^a ${role}'s connection of 20\\d\\d-`))
      expect(text).toContain(first)
      expect(text).toContain("told: offered")
      expect(text).toMatch(/the same: \d+ calls, \d+ bytes of output\n$/)
    }
    const secrets = await command("replay", at("one.jsonl"), "--trace=bytes,secrets")
    expect(secrets.text).toMatch(/ {4}\| random: [0-9a-f]{64}/)
    expect(secrets.text).toMatch(/ {4}derived main_secret: .*\n {8}[0-9a-f]{64}/)
  })

  it("says the first difference, and fails", async () => {
    await connected("other.jsonl")
    const text = readFileSync(at("other.jsonl"), "latin1")
    writeFileSync(at("changed.jsonl"), text.replace('"output":"1603', '"output":"1602'))
    const { status, text: told } = await command("replay", at("changed.jsonl"))
    expect(status).toBe(1)
    expect(told).toMatch(
      /ANOTHER than was recorded, in line \d+ \(start\): byte 2 of the output \(byte 2 of record 1, handshake\) is 0x03; recorded is 0x02/,
    )
  })

  it("waits for a line after each call", async () => {
    await connected("steps.jsonl")
    const io = terminal()
    const done = run(["replay", at("steps.jsonl"), "--step"], io)
    await expect.poll(io.text).toContain("start")
    expect(io.text()).not.toContain("receive of")
    io.input.write("\n")
    await expect.poll(io.text).toContain("receive of")
    io.input.end()
    expect(await done).toBe(0)
    expect(io.text()).toContain("the same")
  })

  it("writes the redacted form", async () => {
    await connected("private.jsonl")
    const { status, text } = await command("replay", at("private.jsonl"), "--redact", at("public.jsonl"))
    expect({ status, text }).toEqual({ status: 0, text: "" })
    const redacted = readFileSync(at("public.jsonl"), "latin1")
    expect(redacted).toContain('"name":"client_hello"')
    expect(redacted).not.toMatch(/[0-9a-f]{16}|127\.0\.0\.1/)
    expect((await command("replay", at("public.jsonl"))).said).toEqual([
      `tls13: ${at("public.jsonl")}: a redacted recording: its secrets are gone, so it can be read and not run`,
    ])
  })

  it("prints a test", async () => {
    await connected("tested.jsonl")
    const { text } = await command("replay", at("tested.jsonl"), "--test")
    expect(text).toContain('new URL("tested.jsonl", import.meta.url)')
    expect(text).toContain("expect(replay(recording, { provider: createFastProvider() }).difference).toBeUndefined()")
  })

  it("refuses what is no recording in a line", async () => {
    writeFileSync(at("no.jsonl"), "hello\n")
    expect(await command("replay", at("no.jsonl"))).toEqual({
      status: 1,
      said: [`tls13: ${at("no.jsonl")}: no recording: its first line is not JSON`],
      text: "",
    })
    writeFileSync(at("empty.jsonl"), "")
    expect((await command("replay", at("empty.jsonl"))).said).toEqual([
      `tls13: ${at("empty.jsonl")}: it is empty; wanted is what --record has written`,
    ])
    expect(await command("replay", at("no.jsonl"), "--redact", `${folder}/./no.jsonl`)).toMatchObject({
      status: 2,
      said: ["tls13: --redact OUT would be written over the recording; name another file"],
    })
    expect(readFileSync(at("no.jsonl"), "latin1")).toBe("hello\n")
    expect((await command("replay")).said).toEqual(['tls13: give one FILE; see "tls13 replay --help"'])
    for (const [args, one, other] of [
      [["--test", "--redact", "x"], "--redact", "--test"],
      [["--step", "--redact", "x"], "--redact", "--step"],
      [["--trace", "--redact", "x"], "--redact", "--trace"],
      [["--trace=bytes", "--step", "--redact", "x"], "--redact", "--step"],
      [["--test", "--step"], "--test", "--step"],
      [["--trace=secrets", "--test"], "--test", "--trace"],
    ] as const)
      expect((await command("replay", at("no.jsonl"), ...args)).said).toEqual([
        `tls13: ${one} and ${other} exclude each other`,
      ])
    expect((await command("replay", at("absent.jsonl"))).said).toEqual([
      `tls13: ${at("absent.jsonl")} cannot be read: it does not exist`,
    ])
  })

  it("each later connection has a file with a number", async () => {
    await connected("again.jsonl", "--reconnect", "1")
    for (const name of ["again.jsonl", "again-2.jsonl", "server-again.jsonl", "server-again-2.jsonl"]) {
      expect((await command("replay", at(name))).status).toBe(0)
    }
  })
})

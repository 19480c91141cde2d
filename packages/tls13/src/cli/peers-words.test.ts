// What peers choose, as far as `tls13` shows it; and what it does when nobody reads.

import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { makeIntermediate, makeLeaf, makeRoot, withExtension } from "../../tests/x509/pki.ts"
import { connect } from "../adapters/node/connect.ts"
import type { HandshakeReport } from "../adapters/node/handshake-report.ts"
import type { Server } from "../adapters/node/server.ts"
import { quotedText, utf8ToBytes, visibleText } from "../bytes/text.ts"
import { extendedKeyUsage, nameConstraints, subjectAltName } from "../devcert/extensions.ts"
import { createDevelopmentCertificates } from "../devcert/index.ts"
import { derOid, derSequence, derValue } from "../x509/der/der-writer.ts"
import * as Tag from "../x509/der/tags.ts"
import { Oid, toPem } from "../x509/index.ts"
import { show, type Terminal } from "./connect.ts"
import { run } from "./run.ts"
import { reportLine, serve } from "./serve.ts"

const folder = mkdtempSync(join(tmpdir(), "tls13-words-"))
const at = (name: string) => join(folder, name)
const program = at("tls13.mjs")
const patience = 120_000
const servers: Server[] = []
const pem = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], clientName: "device", now: Date.now() })

beforeAll(async () => {
  for (const [name, text] of Object.entries(pem)) writeFileSync(at(`${name}.pem`), text)
  const entry = fileURLToPath(new URL("main.ts", import.meta.url))
  await build({
    entryPoints: [entry],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
  })
}, patience)
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** Controls, C1, separators, bidi, zero-width: all in one. */
const nasty = `a\u0000\u0007\u0008\u001b[2J\r\n\u007f\u009b31m\u2028\u2029\u200e\u200f\u202e\u2066\u2069\u200b\ufeff\u{e0001}b`
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

function terminal(isTTY = false) {
  const [input, output] = [new PassThrough(), Object.assign(new PassThrough(), { isTTY })]
  const said: string[] = []
  let shown = ""
  output.on("data", (data) => {
    shown += data.toString("utf8")
  })
  const io: Terminal = { input, output, say: (line) => void said.push(line) }
  return { io, said, shown: () => shown }
}

const utf8 = (type: string, text: string) =>
  derSequence(derValue(Tag.set, derSequence(derOid(type), derValue(Tag.utf8String, utf8ToBytes(text)))))
const ascii = [...nasty].filter((character) => character <= "\u007f").join("")
const valid = { notBefore: Date.now() - 86_400_000, notAfter: Date.now() + 30 * 86_400_000 }

describe("characters that cannot be seen", () => {
  it("are escaped as JSON does it", () => {
    expect(visibleText(nasty)).not.toMatch(hidden)
    expect(JSON.parse(quotedText(`${nasty}\ud800`))).toBe(`${nasty}\ud800`)
    expect(visibleText("Zürich 東京 🙂")).toBe("Zürich 東京 🙂")
  })

  it("tls13 inspect: in every name of a chain, as text, as JSON and in a list", async () => {
    const names = [
      { type: "uri", value: ascii },
      { type: "email", value: ascii },
      { type: "dns", value: ascii },
    ] as const
    const root = makeRoot({ ...valid, subject: utf8(Oid.commonName, nasty) })
    const between = makeIntermediate(root, {
      ...valid,
      subject: utf8("2.5.4.10", nasty),
      change: withExtension(nameConstraints([{ type: "dns", value: ".lan" }])),
    })
    const leaf = makeLeaf(between, {
      ...valid,
      subject: utf8(Oid.commonName, nasty),
      extensions: [subjectAltName(names), extendedKeyUsage("serverAuth")],
    })
    const chain = [leaf, between, root].map(({ der }) => toPem("CERTIFICATE", der)).join("")
    writeFileSync(at("chain.pem"), chain)
    writeFileSync(at("leaf.pem"), toPem("CERTIFICATE", leaf.der) + toPem("CERTIFICATE", root.der))
    writeFileSync(at("list.pem"), toPem("CERTIFICATE", root.der) + toPem("CERTIFICATE", root.der))
    for (const file of ["chain.pem", "leaf.pem", "list.pem"]) {
      for (const more of [[], ["--json"]]) {
        const { io, said, shown } = terminal()
        await run(["inspect", at(file), ...more], io)
        expect(said).toEqual([])
        expect(shown().length).toBeGreaterThan(100)
        expect(shown().replaceAll("\n", "")).not.toMatch(hidden)
        if (file === "chain.pem" && more.length === 0) {
          // The constraint is the cause, and the missing issuer what comes of it.
          expect(shown()).toMatch(/not trusted.*: malformed\n +certificate 2 \(line \d+\) cannot be read: /)
          expect(shown()).toMatch(/\[1\] O=a.* cannot be read\n/)
        }
      }
    }
  })

  it("tls13 serve: in a line of its log", () => {
    const report: HandshakeReport = {
      ok: true,
      remoteAddress: "127.0.0.1",
      remotePort: 1,
      offeredVersions: nasty,
      serverName: nasty,
      offer: undefined,
      protocol: "TLSv1.3",
      cipherSuite: "x",
      group: "y",
      resumed: false,
      alpnProtocol: nasty,
      encryptedClientHello: "not offered",
      clientIdentity: nasty,
      authorized: false,
      authorizationProblem: nasty,
      milliseconds: 1,
      error: undefined,
    }
    const error = { kind: "PeerAlert", code: "x", message: nasty, receivedAlert: nasty, fault: "client" } as const
    for (const line of [reportLine(report), reportLine({ ...report, ok: false, error })])
      expect(line).not.toMatch(hidden)
  })

  it("tls13 serve and connect: application protocols, and errors of the other side", {
    timeout: patience,
  }, async () => {
    const { io, said } = terminal()
    const server = await serve(["0", "--echo", "--alpn", "mqtt"], io)
    servers.push(server)
    const address = server.address()
    const port = typeof address === "object" && address ? address.port : 0
    const ALPNProtocols = Buffer.concat([Buffer.from([4]), Buffer.from("\x9b\x1b\r\n", "latin1")])
    const socket = connect({ port, host: "127.0.0.1", ALPNProtocols, rejectUnauthorized: false })
    await new Promise((resolve) => socket.once("error", resolve))
    await expect.poll(() => said.join("\n"), { timeout: 20_000 }).toMatch(/no_application_protocol sent/)
    for (const line of said) expect(line).not.toMatch(hidden)
  })

  it("what a peer sends is its own in a pipe, and escaped on a terminal", () => {
    for (const isTTY of [false, true]) {
      const { io, shown } = terminal(isTTY)
      const socket = new PassThrough()
      show(socket as unknown as Parameters<typeof show>[0], io.output)
      socket.write(nasty)
      if (isTTY) expect(shown().replaceAll("\n", "")).not.toMatch(hidden)
      else expect(shown()).toBe(nasty)
    }
  })
})

describe("RFC 9846 6.2: a client that does not trust the certificate", () => {
  it("tls13 serve says so", { timeout: patience }, async () => {
    const { io, said } = terminal()
    const server = await serve(["0", "--echo"], io)
    servers.push(server)
    const address = server.address()
    const port = typeof address === "object" && address ? address.port : 0
    const trusting = { ca: toPem("CERTIFICATE", makeRoot().der), host: "127.0.0.1", port }
    const socket = connect(trusting)
    await new Promise((resolve) => socket.once("error", resolve))
    await expect.poll(() => said.join("\n"), { timeout: 20_000 }).toMatch(/alert unknown_ca received/)
    expect(said.join("\n")).toMatch(
      /the client does not trust our certificate: .*\(client's fault, alert unknown_ca received\)/,
    )
  })

  it("also when its alert comes in the clear, as OpenSSL sends it", () => {
    const error = {
      message: "cause",
      alert: "unexpected_message",
      receivedAlert: "unknown_ca",
      fault: "client",
    } as const
    const line = reportLine({ error, milliseconds: 1 } as HandshakeReport)
    expect(line).toBe("unknown:0 failed: cause (client's fault, alert unknown_ca received) 1 ms")
  })
})

describe("when nobody reads", () => {
  const start = (...args: string[]) => spawn(process.execPath, [program, ...args], { cwd: folder })

  it("tls13 serve goes on", { timeout: patience }, async () => {
    const child = start("serve", "0", "--cert", "serverCert.pem", "--key", "serverKey.pem")
    let told = ""
    child.stderr.on("data", (data) => (told += data))
    await expect.poll(() => told, { timeout: 60_000 }).toMatch(/listening on .*:(\d+)/)
    const port = Number(/listening on .*:(\d+)/.exec(told)?.[1])
    child.stdout.destroy()
    const talk = async () => {
      const { io, said } = terminal()
      const ended = run(["connect", `127.0.0.1:${port}`, "--ca", at("caCert.pem")], io)
      ;(io.input as PassThrough).end("x".repeat(300_000))
      return [await ended, said.join(" ")] as const
    }
    for (let i = 0; i < 2; i++) expect((await talk())[0]).toBe(0)
    child.stderr.destroy()
    for (let i = 0; i < 2; i++) expect((await talk())[0]).toBe(0)
    expect(child.exitCode).toBeNull()
    child.kill()
  })

  it("tls13 connect ends quietly", { timeout: patience }, async () => {
    const { io } = terminal()
    const server = await serve(["0", "--echo", "--cert", at("serverCert.pem"), "--key", at("serverKey.pem")], io)
    servers.push(server)
    const address = server.address()
    const port = typeof address === "object" && address ? address.port : 0
    const child = start("connect", `127.0.0.1:${port}`, "--ca", "caCert.pem", "--quiet")
    let told = ""
    child.stderr.on("data", (data) => (told += data))
    child.stdout.destroy()
    child.stdin.on("error", () => undefined)
    const timer = setInterval(() => child.stdin.write("hello\n"), 100)
    const status = await new Promise((resolve) => child.on("close", resolve))
    clearInterval(timer)
    expect([status, told]).toEqual([0, ""])
  })
})

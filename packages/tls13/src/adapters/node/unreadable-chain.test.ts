// A peer's chain with certificates that cannot be read, as the application sees it: over sockets, with real certificates.

import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { mutate } from "../../../fuzz/mutate.ts"
import { seeded } from "../../../fuzz/random.ts"
import { portOf } from "../../../tests/tools/sockets.ts"
import { fuzzCorpus } from "../../../tests/x509/fuzz-corpus.ts"
import { oddCertificates } from "../../../tests/x509/odd-certificates.ts"
import { makeIntermediate, makeRoot } from "../../../tests/x509/pki.ts"
import { run } from "../../cli/run.ts"
import { serve } from "../../cli/serve.ts"
import { createDevelopmentCertificates } from "../../devcert/index.ts"
import { keySigner, loadCredential } from "../../x509/certificate/credential.ts"
import type { Credential, CredentialResolver } from "../../x509/interfaces.ts"
import { connect } from "./connect.ts"
import { peerCertificate, readableChain } from "./peer-certificate.ts"
import { chooseProvider } from "./provider.ts"
import { createServer, type Server, type TlsServerOptions } from "./server.ts"
import type { TLSSocket } from "./tls-socket.ts"

const folder = mkdtempSync(join(tmpdir(), "tls13-unreadable-"))
const provider = chooseProvider()
const pem = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], clientName: "device", now: Date.now() })
for (const [name, text] of Object.entries(pem)) writeFileSync(join(folder, `${name}.pem`), text)
const file = (name: string) => join(folder, `${name}.pem`)
const servers: Server[] = []

afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** An INTEGER of -5 as the serial number; a byte alone; no DER at all; nothing. */
const unreadable = [
  makeIntermediate(makeRoot(), { serialDer: Uint8Array.of(2, 1, 0xfb) }).der,
  Uint8Array.of(0x30),
  new Uint8Array(300).fill(0xff),
]
const server = loadCredential({ cert: pem.serverCert, key: pem.serverKey, provider })
const client = loadCredential({ cert: pem.clientCert!, key: pem.clientKey!, provider })

function withExtras(credential: Credential, place: "behind" | "between"): CredentialResolver {
  const [leaf, ...others] = credential.chain
  const chain = place === "behind" ? [leaf!, ...others, ...unreadable] : [leaf!, ...unreadable, ...others]
  return { resolve: () => ({ ...credential, chain }) }
}

async function listening(options: TlsServerOptions, onSocket: (socket: TLSSocket) => void) {
  const started = createServer(options, onSocket)
  servers.push(started)
  started.listen(0, "127.0.0.1")
  return portOf(started)
}

/** What an application asks of a socket. */
function ask(socket: TLSSocket) {
  return {
    authorized: socket.authorized,
    names: socket.getPeerX509Chain().map(({ der }) => Buffer.from(der).equals(Buffer.from(socket.info!.peerChain[0]!))),
    subject: socket.getPeerCertificate().subject,
    detailed: socket.getPeerCertificate(true).subject,
    sent: socket.info!.peerChain.length,
  }
}

function terminal() {
  const said: string[] = []
  const [input, output] = [new PassThrough(), new PassThrough()]
  output.resume()
  return { input, output, said, say: (line: string) => void said.push(line) }
}

describe.each(["behind", "between"] as const)("a chain with unreadable certificates %s it", (place) => {
  it("of a server: the client's accessors show the ones that can be read, the leaf first", async () => {
    const port = await listening({ credentials: withExtras(server, place) }, (socket) => socket.end())
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: pem.caCert })
    await once(socket, "secureConnect")
    const seen = ask(socket)
    expect(seen).toMatchObject({ authorized: true, subject: { CN: "localhost" }, detailed: { CN: "localhost" } })
    expect(seen.names[0]).toBe(true)
    expect(seen.sent).toBe(seen.names.length + unreadable.length)
    socket.destroy()
  })

  it.each([true, false])("of a client, with rejectUnauthorized %s: so do the server's", async (rejectUnauthorized) => {
    const seenBy: ReturnType<typeof ask>[] = []
    const options = { cert: pem.serverCert, key: pem.serverKey, requestCert: true, rejectUnauthorized }
    const port = await listening({ ...options, ...(rejectUnauthorized && { ca: pem.caCert }) }, (socket) => {
      seenBy.push(ask(socket))
      socket.end()
    })
    const credentials = withExtras(client, place)
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: pem.caCert, credentials })
    socket.resume()
    await once(socket, "end")
    const seen = seenBy[0]!
    expect(seen).toMatchObject({ authorized: rejectUnauthorized, subject: { CN: "device" } })
    expect(seen.names[0]).toBe(true)
    expect(seen.sent).toBe(seen.names.length + unreadable.length)
    socket.destroy()
  })

  it("of a client: `tls13 serve --verify request --www` answers it, and the next one", async () => {
    const io = terminal()
    const args = ["0", "--cert", file("serverCert"), "--key", file("serverKey"), "--ca", file("caCert")]
    const started = await serve([...args, "--verify", "request", "--www"], io)
    servers.push(started)
    const { port } = started.address() as { port: number }
    for (let i = 0; i < 2; i++) {
      const credentials = withExtras(client, place)
      const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: pem.caCert, credentials })
      let answer = ""
      socket.on("data", (data) => {
        answer += data.toString("latin1")
      })
      socket.write("GET / HTTP/1.0\r\n\r\n")
      await once(socket, "end")
      expect(answer).toMatch(/client {7}CN=device, valid until/)
    }
  })

  it("of a server: `tls13 connect` shows the leaf", async () => {
    const port = await listening({ credentials: withExtras(server, place) }, (socket) => socket.end())
    const io = terminal()
    io.input.end()
    const status = await run(["connect", `127.0.0.1:${port}`, "--ca", file("caCert")], io)
    expect({ status, said: io.said.join("\n") }).toMatchObject({
      status: 0,
      said: expect.stringMatching(/server {7}CN=localhost, valid until/),
    })
  })
})

describe.each(oddCertificates("odd.test"))("a server's certificate with %s", (_, odd) => {
  const credentials = (key = odd.privateKey): CredentialResolver => ({
    resolve: () => ({ type: "X509", chain: [odd.der], publicKey: odd.publicKey, signer: keySigner(key) }),
  })
  const to = (port: number, options: object = {}) =>
    connect({ port, host: "127.0.0.1", servername: "odd.test", ca: pem.caCert, ...options })

  it("passes a client that verifies nothing, which says so; one that verifies refuses it", async () => {
    const port = await listening({ credentials: credentials() }, (socket) => socket.end())
    const socket = to(port, { rejectUnauthorized: false })
    await once(socket, "secureConnect")
    expect([socket.authorized, socket.authorizationError?.name]).toEqual([false, "AuthorizationError"])
    socket.destroy()
    const [error] = await once(to(port), "error")
    expect(error).toMatchObject({ kind: "CertificateRejected" })
  })

  it("RFC 9846 4.5.2: still needs its key: another's signature is a decrypt_error", async () => {
    const port = await listening({ credentials: credentials(makeRoot().privateKey) }, (socket) => socket.end())
    const [error] = await once(to(port, { rejectUnauthorized: false }), "error")
    expect(error).toMatchObject({ alert: "decrypt_error" })
  })

  it("`tls13 connect --insecure` goes on, and says what is wrong", async () => {
    const port = await listening({ credentials: credentials() }, (socket) => socket.end())
    const io = terminal()
    io.input.end()
    const status = await run(["connect", `127.0.0.1:${port}`, "--servername", "odd.test", "--insecure"], io)
    expect({ status, said: io.said.join("\n") }).toMatchObject({
      status: 0,
      said: expect.stringMatching(/verified {5}NO: /),
    })
  })
})

describe("what the accessors are made of", () => {
  const [leaf] = server.chain

  it("shows nothing where the leaf cannot be read: no other certificate stands in its place", () => {
    for (const bytes of unreadable) {
      expect(readableChain([bytes, leaf!])).toEqual([])
      expect(peerCertificate([bytes, leaf!], provider, true)).toEqual({})
    }
    expect(readableChain([])).toEqual([])
    expect(peerCertificate([], provider)).toEqual({})
  })

  it("never throws: 5,000 changed certificates of a fixed seed", () => {
    const made = JSON.parse(readFileSync(new URL("../../../tests/x509/openssl.json", import.meta.url), "utf8"))
    const { certificates } = fuzzCorpus(made)
    const random = seeded(20261128)
    let read = 0
    for (let i = 0; i < 5000; i++) {
      const changed = mutate(random.pick(certificates), random)
      const other = random.pick(certificates)
      if ("raw" in peerCertificate([changed, other], provider, true)) read++
      peerCertificate([other, changed], provider, true)
      readableChain([other, changed, other])
    }
    expect(read).toBeGreaterThan(100)
  })
})

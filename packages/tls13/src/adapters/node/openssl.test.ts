// Against the TLS that nobody here wrote: Node's own, which is OpenSSL, both ways.

import { randomBytes } from "node:crypto"
import { once } from "node:events"
import type { Server as NetServer } from "node:net"
import * as nodeTls from "node:tls"
import { afterEach, describe, expect, it } from "vitest"
import { portOf, readAll, until } from "../../../tests/tools/sockets.ts"
import {
  certificateToPem,
  createAuthority,
  createDevelopmentCertificates,
  createLeaf,
  type LeafOptions,
  privateKeyToPem,
} from "../../devcert/index.ts"
import { type ConnectOptions, connect } from "./connect.ts"
import type { HandshakeReport } from "./handshake-report.ts"
import { createServer, type TlsServerOptions } from "./server.ts"
import type { TLSSocket } from "./tls-socket.ts"

const pem = createDevelopmentCertificates({
  names: ["localhost", "127.0.0.1", "server.test"],
  clientName: "device-1",
  now: Date.now(),
})
const own = { cert: pem.serverCert, key: pem.serverKey }
const device = { cert: pem.clientCert!, key: pem.clientKey! }
const servers: NetServer[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function nodeServer(options: nodeTls.TlsOptions, handler = echo): Promise<number> {
  const server = nodeTls.createServer({ ...own, allowHalfOpen: true, ...options }, handler)
  // A test that has seen enough destroys its end.
  server.on("secureConnection", (socket) => socket.on("error", () => undefined))
  servers.push(server)
  return portOf(server)
}

async function ourServer(options: TlsServerOptions = {}, handler: (socket: TLSSocket) => void = echo) {
  const server = createServer({ ...own, allowHalfOpen: true, ...options }, handler)
  servers.push(server)
  const reports: HandshakeReport[] = []
  server.on("handshake", (report) => reports.push(report))
  return { server, reports, port: await portOf(server) }
}

function echo(socket: nodeTls.TLSSocket | TLSSocket): void {
  socket.on("error", () => undefined)
  socket.pipe(socket)
}

async function ourClient(port: number, options: ConnectOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, ca: pem.caCert, allowHalfOpen: true, ...options })
  await once(socket, "secureConnect")
  return socket
}

async function nodeClient(port: number, options: nodeTls.ConnectionOptions = {}): Promise<nodeTls.TLSSocket> {
  const socket = nodeTls.connect({ host: "127.0.0.1", port, ca: pem.caCert, ...options })
  await once(socket, "secureConnect")
  return socket
}

const suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]

describe("our client and Node's server", () => {
  for (const ciphers of suites) {
    it(`echoes 1 MiB with ${ciphers}`, async () => {
      const socket = await ourClient(await nodeServer({}), { ciphers })
      expect(socket.getCipher()).toEqual({ name: ciphers, standardName: ciphers, version: "TLSv1.3" })
      const sent = randomBytes(1 << 20)
      socket.end(sent)
      expect((await readAll(socket)).equals(sent)).toBe(true)
    })
  }

  it("says what was agreed, in the words of node:tls", async () => {
    const port = await nodeServer({ ALPNProtocols: ["mqtt"] })
    const socket = await ourClient(port, { ALPNProtocols: ["h2", "mqtt"], servername: "server.test" })
    expect(socket).toMatchObject({
      encrypted: true,
      authorized: true,
      authorizationError: null,
      alpnProtocol: "mqtt",
      servername: "server.test",
      remoteAddress: "127.0.0.1",
      remotePort: port,
      connecting: false,
    })
    expect(socket.getProtocol()).toBe("TLSv1.3")
    expect(socket.getEphemeralKeyInfo()).toEqual({ type: "ECDH", name: "X25519", size: 253 })
    expect(socket.isSessionReused()).toBe(false)
    socket.destroy()
  })

  it("describes the peer's certificate as node:tls does", async () => {
    const port = await nodeServer({})
    const [ours, theirs] = [await ourClient(port), await nodeClient(port)]
    const expected = theirs.getPeerCertificate()
    // OpenSSL's form of the key is the point alone, and a hash that no suite has is not carried for a fingerprint.
    const { pubkey: _, fingerprint512: __, raw: ___, ...comparable } = expected
    expect(ours.getPeerCertificate()).toMatchObject(JSON.parse(JSON.stringify(comparable)))
    expect(Buffer.compare(ours.getPeerCertificate()["raw"]!, expected.raw)).toBe(0)
    ours.destroy()
    theirs.destroy()
  })

  it("has no ALPN protocol when none was agreed", async () => {
    const socket = await ourClient(await nodeServer({}))
    expect(socket.alpnProtocol).toBe(false)
    socket.destroy()
  })

  it("RFC 9846 section 4.2.4: goes through a HelloRetryRequest", async () => {
    const socket = await ourClient(await nodeServer({ ecdhCurve: "P-384" }))
    expect(socket.info).toMatchObject({ helloRetryRequest: true, group: "secp384r1" })
    socket.end("after the retry")
    expect((await readAll(socket)).toString()).toBe("after the retry")
  })

  it("shows a client certificate", async () => {
    const seen = new Promise<string | readonly string[] | undefined>((resolve) => {
      void nodeServer({ requestCert: true, ca: pem.caCert }, (socket) => {
        resolve(socket.getPeerCertificate().subject.CN)
        socket.end()
      }).then((port) => ourClient(port, device))
    })
    expect(await seen).toBe("device-1")
  })

  it("RFC 9846 section 2.2: resumes by the session that the server gave", async () => {
    const port = await nodeServer({})
    const first = await ourClient(port)
    const [session] = await once(first, "session")
    first.destroy()
    const second = await ourClient(port, { session })
    expect(second.isSessionReused()).toBe(true)
    expect(second.authorized).toBe(true)
    second.end("resumed")
    expect((await readAll(second)).toString()).toBe("resumed")
  })

  it("RFC 9846 section 4.7.3: renews the keys of both sides in the middle of a transfer", async () => {
    const socket = await ourClient(await nodeServer({}))
    const sent = randomBytes(300_000)
    for (let at = 0; at < sent.length; at += 100_000) {
      socket.write(sent.subarray(at, at + 100_000))
      socket.updateKeys({ peer: true })
    }
    socket.end()
    expect((await readAll(socket)).equals(sent)).toBe(true)
  })

  it("RFC 9846 section 7.5: exports the same keying material", async () => {
    const theirs = new Promise<Buffer>((resolve) => {
      void nodeServer({}, (socket) => {
        resolve(socket.exportKeyingMaterial(32, "EXPORTER-test", Buffer.from("context")))
        socket.end()
      }).then(async (port) => {
        const socket = await ourClient(port)
        ours = socket.exportKeyingMaterial(32, "EXPORTER-test", Buffer.from("context"))
        socket.end()
      })
    })
    let ours: Buffer = Buffer.alloc(0)
    const expected = await theirs
    await until(() => ours.length > 0)
    expect(ours.equals(expected)).toBe(true)
  })

  it("refuses a server that it does not trust, and tells both sides", async () => {
    const server = nodeTls.createServer(own)
    servers.push(server)
    const told = once(server, "tlsClientError")
    const socket = connect({ host: "127.0.0.1", port: await portOf(server) })
    const [error] = await once(socket, "error")
    expect(error).toMatchObject({ kind: "CertificateRejected", code: "ERR_TLS_UNKNOWN_CA", reason: "unknown_issuer" })
    expect((await told)[0]).toMatchObject({ code: "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA" })
  })

  it("refuses a server of another name", async () => {
    const port = await nodeServer({})
    const socket = connect({ host: "127.0.0.1", port, ca: pem.caCert, servername: "other.test" })
    const [error] = await once(socket, "error")
    expect(error).toMatchObject({ kind: "CertificateRejected", reason: "name_mismatch" })
  })

  it("rejectUnauthorized: false goes on, and says what is wrong", async () => {
    const port = await nodeServer({})
    const socket = await ourClient(port, { rejectUnauthorized: false, servername: "other.test" })
    expect(socket.authorized).toBe(false)
    expect(socket.authorizationError).toMatchObject({ reason: "name_mismatch" })
    socket.destroy()
  })

  it("checkServerIdentity stands in the place of the check of the name, and of nothing else", async () => {
    const port = await nodeServer({})
    const asked: unknown[] = []
    const checkServerIdentity: ConnectOptions["checkServerIdentity"] = (host, certificate) => {
      asked.push([host, certificate.subjectaltname])
      return undefined
    }
    const socket = await ourClient(port, { servername: "other.test", checkServerIdentity })
    expect(socket.authorized).toBe(true)
    expect(asked).toEqual([["other.test", "DNS:localhost, IP Address:127.0.0.1, DNS:server.test"]])
    socket.destroy()
    const untrusted = connect({ host: "127.0.0.1", port, checkServerIdentity })
    expect((await once(untrusted, "error"))[0]).toMatchObject({ reason: "unknown_issuer" })
    const refused = connect({
      host: "127.0.0.1",
      port,
      ca: pem.caCert,
      checkServerIdentity: () => new Error("not you"),
    })
    expect((await once(refused, "error"))[0]).toMatchObject({ message: expect.stringContaining("not you") })
  })

  it("says of a server without TLS 1.3 what is wrong", async () => {
    const port = await nodeServer({ maxVersion: "TLSv1.2" })
    const socket = connect({ host: "127.0.0.1", port, ca: pem.caCert })
    const [error] = await once(socket, "error")
    expect(error.message).toMatch(/protocol_version|TLS 1\.2/)
  })
})

describe("our server and Node's client", () => {
  for (const ciphers of suites) {
    it(`echoes 1 MiB with ${ciphers}`, async () => {
      const { port, reports } = await ourServer()
      const socket = await nodeClient(port, { ciphers })
      expect(socket.getCipher().standardName).toBe(ciphers)
      const sent = randomBytes(1 << 20)
      socket.end(sent)
      expect((await readAll(socket)).equals(sent)).toBe(true)
      expect(reports).toMatchObject([{ ok: true, protocol: "TLSv1.3", cipherSuite: ciphers, resumed: false }])
    })
  }

  it("agrees on ALPN, and knows the name that was asked for", async () => {
    const names: unknown[] = []
    const { port } = await ourServer({ ALPNProtocols: ["mqtt"] }, (socket) => {
      names.push(socket.servername, socket.alpnProtocol)
      socket.end()
    })
    const socket = await nodeClient(port, { ALPNProtocols: ["h2", "mqtt"], servername: "server.test" })
    expect(socket.alpnProtocol).toBe("mqtt")
    await until(() => names.length > 0)
    expect(names).toEqual(["server.test", "mqtt"])
  })

  it("RFC 9846 section 4.2.4: asks for another group by HelloRetryRequest", async () => {
    const { port, reports } = await ourServer({ ecdhCurve: "P-521" })
    const socket = await nodeClient(port)
    socket.end("after the retry")
    expect((await readAll(socket)).toString()).toBe("after the retry")
    expect(reports).toMatchObject([{ group: "secp521r1" }])
  })

  it("RFC 9846 section 2.2: resumes", async () => {
    const { port, reports } = await ourServer()
    const first = await nodeClient(port)
    const [session] = await once(first, "session")
    first.destroy()
    const second = await nodeClient(port, { session })
    expect(second.isSessionReused()).toBe(true)
    second.end("resumed")
    expect((await readAll(second)).toString()).toBe("resumed")
    expect(reports.map(({ resumed }) => resumed)).toEqual([false, true])
  })

  it("requires a client certificate, and knows its subject", async () => {
    const sockets: TLSSocket[] = []
    const { port, reports } = await ourServer({ requestCert: true, ca: pem.caCert }, (socket) => {
      sockets.push(socket)
      echo(socket)
    })
    const socket = await nodeClient(port, device)
    socket.end("who am I")
    expect((await readAll(socket)).toString()).toBe("who am I")
    expect(sockets[0]!.authorized).toBe(true)
    expect(sockets[0]!.getPeerCertificate()["subject"]).toEqual({ CN: "device-1" })
    expect(reports).toMatchObject([{ ok: true, clientIdentity: "CN=device-1", authorized: true }])
  })

  it("a client whose certificate has no subject, or none that names it, is told by what there is", async () => {
    const now = Date.now()
    const issuer = createAuthority({ now, subject: { commonName: "Root" } })
    const { port, reports } = await ourServer({ requestCert: true, ca: certificateToPem(issuer) })
    const long = { organization: "A".repeat(300), commonName: "device" }
    const rows: [LeafOptions["subject"], string[], string][] = [
      [{}, ["device.example"], "device.example"],
      [{ organization: "Acme" }, ["d7@acme.example"], "O=Acme (email:d7@acme.example)"],
      [{ commonName: "" }, [], "serial number 5001 of CN=Root"],
      [{}, [], "serial number 5001 of CN=Root"],
      [long, [], `CN=device,O=${long.organization}`],
    ]
    for (const [subject, names] of rows) {
      const serialNumber = Uint8Array.of(0x50, 1)
      const leaf = createLeaf({ now, issuer, usage: "client", serialNumber, names, ...(subject && { subject }) })
      const own = { cert: certificateToPem(leaf), key: privateKeyToPem(leaf.privateKey) }
      const socket = await nodeClient(port, own)
      socket.end("x")
      await readAll(socket)
    }
    expect(reports.map(({ clientIdentity }) => clientIdentity)).toEqual(rows.map(([, , expected]) => expected))
  })

  it("RFC 9846 section 4.7.2: asks our own client for a certificate after the handshake", async () => {
    const sockets: TLSSocket[] = []
    const { port } = await ourServer({ requestCert: "post-handshake", ca: pem.caCert }, (socket) => {
      sockets.push(socket)
    })
    const core = { postHandshakeAuth: true }
    const withOne = await ourClient(port, { ...device, core })
    const without = await ourClient(port, { core })
    for (const socket of [withOne, without]) socket.on("error", () => undefined).resume()
    await until(() => sockets.length === 2)
    expect(sockets.map(({ authorized }) => authorized)).toEqual([false, false])
    expect(await Promise.all(sockets.map((socket) => socket.requestCertificate()))).toEqual([true, false])
    expect(sockets[0]!.getPeerCertificate()["subject"]).toEqual({ CN: "device-1" })
    expect(sockets[1]!.authorizationError).toMatchObject({ code: "ERR_TLS_CERTIFICATE_REQUIRED" })
    for (const socket of sockets) socket.destroy()
  })

  it("RFC 9846 section 4.5.1.3: refuses a client without a certificate", async () => {
    const { port, reports } = await ourServer({ requestCert: true, ca: pem.caCert })
    // The client believes that it is connected until the alert comes.
    const socket = await nodeClient(port)
    const [error] = await once(socket, "error")
    expect(error.message).toMatch(/certificate required/)
    expect(reports).toMatchObject([{ ok: false, error: { alert: "certificate_required", fault: "client" } }])
  })

  it("rejectUnauthorized: false takes clients with a strange certificate, or none, and says so", async () => {
    const sockets: TLSSocket[] = []
    const { port } = await ourServer({ requestCert: true, rejectUnauthorized: false, ca: pem.caCert }, (socket) => {
      sockets.push(socket)
      echo(socket)
    })
    const strange = createDevelopmentCertificates({ names: ["x.test"], clientName: "stranger", now: Date.now() })
    for (const options of [device, { cert: strange.clientCert!, key: strange.clientKey! }, {}]) {
      const socket = await nodeClient(port, options)
      socket.end("x")
      await readAll(socket)
    }
    expect(sockets.map(({ authorized }) => authorized)).toEqual([true, false, false])
    // Of another authority with the same name.
    expect(sockets[1]!.authorizationError).toMatchObject({ reason: "bad_signature" })
    expect(sockets[2]!.authorizationError).toMatchObject({ code: "ERR_TLS_CERTIFICATE_REQUIRED" })
  })

  it("a resumed client is what it was before", async () => {
    const sockets: TLSSocket[] = []
    const { port } = await ourServer({ requestCert: true, rejectUnauthorized: false, ca: pem.caCert }, (socket) => {
      sockets.push(socket)
      echo(socket)
    })
    const strange = createDevelopmentCertificates({ names: ["x.test"], clientName: "stranger", now: Date.now() })
    for (const options of [device, { cert: strange.clientCert!, key: strange.clientKey! }]) {
      const first = await nodeClient(port, options)
      const [session] = await once(first, "session")
      first.destroy()
      const second = await nodeClient(port, { ...options, session })
      second.end("x")
      await readAll(second)
    }
    expect(sockets.map((socket) => [socket.isSessionReused(), socket.authorized])).toEqual([
      [false, true],
      [true, true],
      [false, false],
      [true, false],
    ])
  })

  it("RFC 9846 section 4.7.3: renews keys under a client that reads and writes", async () => {
    const { port } = await ourServer({}, (socket) => {
      socket.on("data", (data) => {
        socket.write(data)
        socket.updateKeys({ peer: true })
      })
      socket.on("end", () => socket.end())
    })
    const socket = await nodeClient(port)
    const sent = randomBytes(400_000)
    for (let at = 0; at < sent.length; at += 50_000) socket.write(sent.subarray(at, at + 50_000))
    socket.end()
    expect((await readAll(socket)).equals(sent)).toBe(true)
  })

  it("tells a client of TLS 1.2 protocol_version, and says why in one line", async () => {
    const { port, reports } = await ourServer()
    const socket = nodeTls.connect({ host: "127.0.0.1", port, ca: pem.caCert, maxVersion: "TLSv1.2" })
    const [error] = await once(socket, "error")
    expect(error.code).toBe("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION")
    expect(reports).toMatchObject([
      {
        ok: false,
        offeredVersions: "TLSv1.2",
        error: {
          kind: "PeerIncompatible",
          code: "ERR_TLS_PROTOCOL_VERSION",
          alert: "protocol_version",
          fault: "client",
          message: "client offers TLS 1.2 at most; this listener speaks only TLS 1.3",
        },
      },
    ])
  })

  it("RFC 9846 section 6.1: the client may go on reading after it has ended its own half", async () => {
    const { port } = await ourServer({}, (socket) => {
      socket.resume()
      socket.on("end", () => setTimeout(() => socket.end("after your end"), 50))
    })
    const socket = await nodeClient(port, { allowHalfOpen: true } as nodeTls.ConnectionOptions)
    socket.end("my end")
    expect((await readAll(socket)).toString()).toBe("after your end")
  })

  it("chooses among certificates by the client's name and schemes", async () => {
    const other = createDevelopmentCertificates({ names: ["other.test"], keyType: "ed25519", now: Date.now() })
    const { port } = await ourServer({ cert: [own.cert, other.serverCert], key: [own.key, other.serverKey] })
    const ca = [pem.caCert, other.caCert]
    const names: unknown[] = []
    for (const servername of ["other.test", "server.test"]) {
      const socket = await nodeClient(port, { servername, ca })
      names.push(socket.getPeerCertificate().subjectaltname)
      socket.end()
      await readAll(socket)
    }
    expect(names).toEqual(["DNS:other.test", "DNS:localhost, IP Address:127.0.0.1, DNS:server.test"])
  })
})

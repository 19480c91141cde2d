import { randomBytes } from "node:crypto"
import { once } from "node:events"
import type { Socket } from "node:net"
import { Duplex } from "node:stream"
import { afterEach, describe, expect, it } from "vitest"
import { plainSocket, portOf, readAll, until } from "../../../tests/tools/sockets.ts"
import { Pause } from "../../bytes/pause.ts"
import { createFastProvider } from "../../crypto/fast/index.ts"
import type { CryptoProvider } from "../../crypto/provider.ts"
import { createDevelopmentCertificates } from "../../devcert/index.ts"
import { MemorySessionStore } from "../../session/client-store.ts"
import { DerivedTicketKeys } from "../../session/ticket-keys.ts"
import type { TraceEvent } from "../../trace/events.ts"
import { webCryptoKeyExchange } from "../webcrypto/key-exchange.ts"
import { type ConnectOptions, connect } from "./connect.ts"
import type { HandshakeReport } from "./handshake-report.ts"
import { createSecureContext, type SecureContext } from "./secure-context.ts"
import { createServer, type Server, type TlsServerOptions } from "./server.ts"
import type { TLSSocket } from "./tls-socket.ts"

const pem = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now: Date.now() })
const other = createDevelopmentCertificates({ names: ["other.test", "*.wild.test"], now: Date.now() })
const own = { cert: pem.serverCert, key: pem.serverKey }
const ca = [pem.caCert, other.caCert]
const psk = { identity: "sensor-7", key: randomBytes(32) }
/** Its key shares come later. */
const provider: CryptoProvider = {
  ...createFastProvider(),
  keyExchanges: [webCryptoKeyExchange(globalThis.crypto.subtle, "x25519")],
}
const servers: Server[] = []
const plain: Socket[] = []

afterEach(() => {
  for (const socket of plain.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function start(options: TlsServerOptions = own) {
  const server = createServer(options, (socket) => socket.pipe(socket))
  servers.push(server)
  const reports: HandshakeReport[] = []
  const errors: Error[] = []
  server.on("handshake", (report) => reports.push(report))
  server.on("tlsClientError", (error) => errors.push(error))
  const port = await portOf(server)
  const client = async (more: ConnectOptions = {}): Promise<TLSSocket> => {
    const socket = connect({ host: "127.0.0.1", port, ca, ...more })
    await once(socket, "secureConnect")
    // A server that closes while it waits for our Finished resets the connection.
    socket.on("error", () => undefined)
    return socket
  }
  const raw = async (): Promise<Socket> => {
    const socket = await plainSocket(port)
    socket.on("error", () => undefined)
    plain.push(socket)
    return socket
  }
  return { server, reports, errors, port, client, raw }
}

async function echoed(socket: TLSSocket): Promise<string> {
  socket.end("hello")
  return (await readAll(socket)).toString()
}

describe("reports", () => {
  it.each<[string, (socket: TLSSocket) => void, object]>([
    [
      "destroys",
      (socket) => socket.destroy(),
      { message: expect.stringContaining("the application destroyed the socket") },
    ],
    ["aborts", (socket) => socket.abort("access_denied"), { alert: "access_denied" }],
  ])("tells once of a handshake that the application %s, and of no error", async (_, end, expected) => {
    const trace = (event: TraceEvent, socket: TLSSocket) => {
      if (event.type === "message" && event.name === "client_hello") setImmediate(() => end(socket))
    }
    const credentials = { resolve: () => new Pause(new Promise<undefined>(() => undefined)) }
    const { port, reports, errors } = await start({ ...own, trace, credentials })
    const socket = connect({ host: "127.0.0.1", port, ca })
    await once(socket, "error")
    await until(() => reports.length > 0)
    expect(reports).toMatchObject([
      {
        ok: false,
        offeredVersions: "TLSv1.3",
        error: { kind: "Closed", code: "ERR_TLS_ABANDONED", fault: "server", ...expected },
      },
    ])
    expect(errors).toEqual([])
  })

  it("tells nothing more of one that is destroyed when it is over", async () => {
    const { port, server, reports } = await start()
    const closed = new Promise((resolve) => {
      server.once("secureConnection", (socket) => resolve(once(socket.destroy(), "close")))
    })
    connect({ host: "127.0.0.1", port, ca }).on("error", () => undefined)
    await closed
    expect(reports).toMatchObject([{ ok: true }])
  })

  it("tells of each handshake in one object", async () => {
    const { client, reports } = await start({ ...own, ALPNProtocols: ["mqtt"] })
    const socket = await client({ ALPNProtocols: ["mqtt"], servername: "localhost" })
    await echoed(socket)
    expect(reports).toEqual([
      {
        ok: true,
        remoteAddress: "127.0.0.1",
        remotePort: expect.any(Number),
        offeredVersions: "TLSv1.3",
        serverName: "localhost",
        protocol: "TLSv1.3",
        cipherSuite: expect.stringMatching(/^TLS_/),
        group: "X25519MLKEM768",
        resumed: false,
        alpnProtocol: "mqtt",
        encryptedClientHello: "not offered",
        clientIdentity: undefined,
        authorized: false,
        milliseconds: expect.any(Number),
        error: undefined,
      },
    ])
  })

  it("tells who was at fault when one fails", async () => {
    const { reports, errors, raw, port } = await start()
    const http = await raw()
    http.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await until(() => reports.length === 1)
    expect(reports[0]).toMatchObject({
      ok: false,
      remotePort: http.localPort,
      error: {
        kind: "PeerMisbehaved",
        alert: "unexpected_message",
        message: "peer speaks plain HTTP, not TLS",
        fault: "client",
      },
    })
    const untrusting = connect({ host: "127.0.0.1", port })
    await once(untrusting, "error")
    await until(() => reports.length === 2)
    expect(reports[1]).toMatchObject({
      offeredVersions: "TLSv1.3",
      error: { kind: "PeerAlert", receivedAlert: "unknown_ca", code: "ERR_TLS_PEER_UNKNOWN_CA", fault: "client" },
    })
    const aborting = await raw()
    aborting.resetAndDestroy()
    await until(() => reports.length === 3)
    expect(reports[2]).toMatchObject({ error: { kind: "Network", code: "ECONNRESET", fault: "network" } })
    expect(errors).toHaveLength(3)
  })

  it("a failure of ours is ours", async () => {
    const { reports, port } = await start({ SNICallback: (_, callback) => callback(new Error("the store is away")) })
    await once(connect({ host: "127.0.0.1", port, ca, servername: "localhost" }), "error")
    expect(reports).toMatchObject([{ error: { alert: "internal_error", fault: "server" } }])
    expect(reports[0]!.error!.message).toContain("the store is away")
  })
})

describe("hostile neighbours", () => {
  it("a silent connection ends after handshakeTimeout", async () => {
    const { raw, reports, server } = await start({ ...own, handshakeTimeout: 60 })
    const socket = await raw()
    await until(() => reports.length === 1)
    expect(reports[0]!.error).toMatchObject({ kind: "LimitExceeded", fault: "client" })
    socket.resume()
    await once(socket, "close")
    await until(() => server.handshakes.pending === 0)
  })

  it("a slow one too: a byte now and then buys no time", async () => {
    const { raw, reports } = await start({ ...own, handshakeTimeout: 150 })
    const socket = await raw()
    const timer = setInterval(() => socket.write(Uint8Array.of(22)), 20)
    await until(() => reports.length === 1)
    clearInterval(timer)
    expect(reports[0]!.ok).toBe(false)
  })

  it("closes connections over the limit of handshakes under way when none may wait, and takes more when there is room", async () => {
    const { server, raw, client, port } = await start({ ...own, maxPendingHandshakes: 2, maxWaitingHandshakes: 0 })
    const refused: unknown[] = []
    server.on("handshakeRefused", (event) => refused.push(event))
    const [first] = [await raw(), await raw()]
    await until(() => server.handshakes.pending === 2)
    const over = connect({ host: "127.0.0.1", port, ca })
    expect((await once(over, "error"))[0]).toBeInstanceOf(Error)
    expect(server.handshakes).toMatchObject({ pending: 2, refused: 1 })
    expect(refused).toMatchObject([{ remoteAddress: "127.0.0.1", limit: "total" }])
    first.destroy()
    await until(() => server.handshakes.pending === 1)
    expect(await echoed(await client())).toBe("hello")
    expect(server.handshakes).toMatchObject({ pending: 1, refused: 1 })
  })

  it("limits one address apart from the others", async () => {
    const { server, raw } = await start({
      ...own,
      maxPendingHandshakes: 100,
      maxPendingHandshakesPerAddress: 3,
      maxWaitingHandshakesPerAddress: 0,
    })
    for (let i = 0; i < 5; i++) await raw()
    await until(() => server.handshakes.refused === 2)
    expect(server.handshakes.pending).toBe(3)
  })

  it("500 of them, garbage, aborted and silent, leave nothing behind, and a good client gets through", async () => {
    const { server, raw, client, errors } = await start()
    const garbage = [
      (socket: Socket) => socket.write(randomBytes(300)),
      (socket: Socket) => socket.resetAndDestroy(),
      (socket: Socket) => socket.end(),
      (socket: Socket) => socket.end("GET / HTTP/1.0\r\n\r\n"),
      (socket: Socket) => socket.destroy(),
    ]
    for (let i = 0; i < 500; i++) garbage[i % garbage.length]!(await raw())
    for (const socket of plain) socket.resume()
    expect(await echoed(await client())).toBe("hello")
    await until(() => server.handshakes.pending === 0)
    expect(errors.length).toBe(500)
  })

  it("close does not wait for handshakes", async () => {
    const { server, raw } = await start()
    await raw()
    await until(() => server.handshakes.pending === 1)
    const begun = Date.now()
    await new Promise((resolve) => server.close(resolve))
    expect(Date.now() - begun).toBeLessThan(1000)
  })

  it("an error of an open connection that nobody listens for ends that connection alone", async () => {
    const { server, client } = await start()
    const accepted = once(server, "secureConnection")
    const socket = await client()
    const [mine] = await accepted
    socket.destroy()
    await until(() => mine.destroyed)
    expect(await echoed(await client())).toBe("hello")
  })
})

describe("certificates", () => {
  it("setSecureContext: new handshakes get the new one, open connections stay", async () => {
    const { server, client } = await start()
    const before = await client({ servername: "localhost" })
    server.setSecureContext({ cert: other.serverCert, key: other.serverKey })
    const after = await client({ servername: "other.test" })
    expect(after.getPeerCertificate()["subjectaltname"]).toBe("DNS:other.test, DNS:*.wild.test")
    expect(await echoed(before)).toBe("hello")
    expect(await echoed(after)).toBe("hello")
  })

  it("setSecureContext refuses a key of another certificate, and goes on with what there was", async () => {
    const { server, client } = await start()
    expect(() => server.setSecureContext({ cert: other.serverCert, key: pem.serverKey })).toThrow(/private key/)
    expect(await echoed(await client({ servername: "localhost" }))).toBe("hello")
  })

  it("addContext: by name, with wildcards", async () => {
    const { server, client } = await start()
    server.addContext("*.wild.test", { cert: other.serverCert, key: other.serverKey })
    const wild = await client({ servername: "a.wild.test" })
    expect(wild.getPeerCertificate()["subjectaltname"]).toContain("wild.test")
    const usual = await client({ servername: "localhost" })
    expect(usual.getPeerCertificate()["subjectaltname"]).toContain("localhost")
    wild.destroy()
    usual.destroy()
  })

  it("SNICallback: later, by callback or by promise", async () => {
    const context = createSecureContext({ cert: other.serverCert, key: other.serverKey })
    const later: TlsServerOptions["SNICallback"] = (_, callback) => setTimeout(callback, 10, null, context)
    const promised: TlsServerOptions["SNICallback"] = (name) =>
      new Promise<SecureContext | null>((resolve) => setTimeout(resolve, 10, name === "other.test" ? context : null))
    for (const SNICallback of [later, promised]) {
      const { client } = await start({ ...own, SNICallback })
      const socket = await client({ servername: "other.test" })
      expect(socket.getPeerCertificate()["subjectaltname"]).toContain("other.test")
      expect(await echoed(socket)).toBe("hello")
    }
    const { client } = await start({ ...own, SNICallback: promised })
    const usual = await client({ servername: "localhost" })
    expect(usual.getPeerCertificate()["subjectaltname"]).toContain("localhost")
    usual.destroy()
  })

  it("without certificate or PSK there is no server", () => {
    expect(() => createServer({})).toThrow(/needs `cert` and `key`/)
  })
})

describe("tickets", () => {
  it("resume on another server that has the same keys", async () => {
    const sessionStore = new MemorySessionStore()
    const first = await start()
    const second = await start({ ...own, ticketKeys: first.server.getTicketKeys() })
    const bare = randomBytes(48)
    const [third, fourth] = [await start({ ...own, ticketKeys: bare }), await start({ ...own, ticketKeys: bare })]
    for (const [from, to] of [
      [first, second],
      [third, fourth],
    ] as const) {
      const socket = await from.client()
      const [session] = await once(socket, "session")
      socket.destroy()
      const resumed = await to.client({ session })
      expect(resumed.isSessionReused()).toBe(true)
      expect(await echoed(resumed)).toBe("hello")
    }
    const stranger = await start()
    await echoed(await first.client({ sessionStore, servername: "localhost" }))
    expect((await stranger.client({ sessionStore, servername: "localhost" })).isSessionReused()).toBe(false)
  })

  it("resume on another server that derives its keys from the same secret", async () => {
    const { cipherSuites, random } = createFastProvider()
    const { aead, hash } = cipherSuites.find(({ name }) => name === "TLS_AES_256_GCM_SHA384")!
    const derived = (secret: Uint8Array) =>
      new DerivedTicketKeys({ aead, hash, random, secrets: [{ secret, from: 0 }] })
    const secret = randomBytes(32)
    const [first, second] = [
      await start({ ...own, ticketKeys: derived(secret) }),
      await start({ ...own, ticketKeys: derived(secret) }),
    ]
    const other = await start({ ...own, ticketKeys: derived(randomBytes(32)) })
    for (const [server, reused] of [
      [second, true],
      [other, false],
    ] as const) {
      const socket = await first.client()
      const [session] = await once(socket, "session")
      socket.destroy()
      expect((await server.client({ session })).isSessionReused()).toBe(reused)
    }
    expect(() => first.server.getTicketKeys()).toThrow("known to the value that it was given")
    expect(() => first.server.rotateTicketKeys()).toThrow("changed by the value that it was given")
    first.server.setTicketKeys(randomBytes(48))
    expect(first.server.getTicketKeys()).toHaveLength(56)
    first.server.setTicketKeys(derived(secret))
    expect(() => first.server.getTicketKeys()).toThrow(/known to/)
  })

  it("setTicketKeys forgets the others", async () => {
    const { server, client } = await start()
    const socket = await client()
    const [session] = await once(socket, "session")
    socket.destroy()
    server.setTicketKeys(randomBytes(48))
    expect((await client({ session })).isSessionReused()).toBe(false)
    expect(() => server.setTicketKeys(randomBytes(47))).toThrow(/47 bytes/)
  })

  it("none at all on request", async () => {
    const { server, client } = await start({ ...own, tickets: 0 })
    const socket = await client()
    let sessions = 0
    socket.on("session", () => sessions++)
    expect(await echoed(socket)).toBe("hello")
    expect(sessions).toBe(0)
    expect(() => server.getTicketKeys()).toThrow(/no tickets/)
  })
})

describe("pre-shared keys", () => {
  it("authenticate both sides without a certificate", async () => {
    const { client, reports } = await start({ externalPsks: [psk] })
    const socket = await client({ externalPsks: [psk] })
    expect(socket.authorized).toBe(true)
    expect(socket.info).toMatchObject({ authentication: "psk", resumed: false, group: "X25519MLKEM768" })
    expect(await echoed(socket)).toBe("hello")
    expect(reports).toMatchObject([{ clientIdentity: "sensor-7" }])
  })

  it("are looked up by pskCallback, also later", async () => {
    const asked: string[] = []
    const { client } = await start({
      pskCallback: async (socket, identity) => {
        asked.push(`${identity} from ${socket.remoteAddress}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
        return identity === psk.identity ? psk.key : null
      },
    })
    const socket = await client({ pskCallback: () => ({ identity: psk.identity, psk: psk.key }) })
    expect(await echoed(socket)).toBe("hello")
    expect(asked).toEqual(["sensor-7 from 127.0.0.1"])
  })

  it("RFC 9846 section 4.3.9: without a key exchange only when both sides choose so", async () => {
    const { client } = await start({ externalPsks: [psk], allowPskWithoutKeyExchange: true })
    const socket = await client({ externalPsks: [psk] })
    expect(socket.info?.group).toBe("X25519MLKEM768")
    socket.destroy()
  })

  it("RFC 9846 section 4.3.11: a wrong key is decrypt_error, an unknown one no handshake", async () => {
    const { port, reports } = await start({ externalPsks: [psk] })
    for (const wrong of [
      { ...psk, key: randomBytes(32) },
      { ...psk, identity: "stranger" },
    ]) {
      await once(connect({ host: "127.0.0.1", port, ca, externalPsks: [wrong] }), "error")
    }
    expect(reports.map(({ error }) => error?.alert)).toEqual(["decrypt_error", expect.stringMatching(/./)])
  })
})

describe("the server", () => {
  it("passes on what node:tls has no word for: RFC 9149, a number of tickets on request", async () => {
    const { client } = await start({ ...own, core: { ticketsOnRequest: 4 } })
    const socket = await client({ core: { ticketRequest: { newSessionCount: 4, resumptionCount: 1 } } })
    let sessions = 0
    socket.on("session", () => sessions++)
    expect(await echoed(socket)).toBe("hello")
    expect(sessions).toBe(4)
  })

  it("logs keys of all its connections", async () => {
    const { server, client } = await start()
    const lines: string[] = []
    server.on("keylog", (line, socket) => lines.push(`${socket.remoteAddress} ${line}`))
    await echoed(await client())
    expect(lines[0]).toMatch(/^127\.0\.0\.1 CLIENT_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]{64} [0-9a-f]{64}\n$/)
  })

  it("hands early data over apart, with its socket", async () => {
    const { server, client } = await start({ ...own, earlyData: { maxBytes: 100 } })
    const first = await client()
    const [session] = await once(first, "session")
    first.destroy()
    const early = once(server, "earlyData")
    const socket = await client({ session, earlyData: Buffer.from("0-RTT") })
    const [data, from] = await early
    expect([data.toString(), from.earlyData.length]).toEqual(["0-RTT", 1])
    expect(await echoed(socket)).toBe("hello")
  })

  it("and early data of no bytes is none", async () => {
    const { client } = await start({ ...own, earlyData: { maxBytes: 100 } })
    const first = await client({ earlyData: Buffer.alloc(0) })
    expect(await echoed(first)).toBe("hello")
  })

  it("RFC 9846 section 7.5: exports what goes with early data, and its own key ahead of the client's Finished", async () => {
    const { server, client } = await start({ ...own, earlyData: { maxBytes: 100 } })
    const first = await client()
    const [session] = await once(first, "session")
    first.destroy()
    const exported = (socket: TLSSocket) => [
      socket.exportEarlyKeyingMaterial(32, "EXPORTER-test").toString("hex"),
      socket.exportKeyingMaterial(32, "EXPORTER-test").toString("hex"),
    ]
    const atServer = new Promise<string[]>((resolve) => {
      server.once("earlyData", (_, from: TLSSocket) => {
        expect(from.info).toBe(undefined)
        resolve(exported(from))
      })
    })
    const socket = await client({ session, earlyData: Buffer.from("0-RTT") })
    expect(exported(socket)).toEqual(await atServer)
    expect(() => first.exportEarlyKeyingMaterial(32, "EXPORTER-test")).toThrow(/there is none/)
  })

  it("sends early data ahead of the handshake also where the key share takes its time", async () => {
    const { server, client } = await start({ ...own, earlyData: { maxBytes: 100 } })
    const first = await client()
    const [session] = await once(first, "session")
    first.destroy()
    const early = once(server, "earlyData")
    const socket = await client({ provider, session, earlyData: Buffer.from("0-RTT") })
    expect(socket.info?.earlyData).toBe("accepted")
    const [data] = await early
    expect(data.toString()).toBe("0-RTT")
    expect(await echoed(socket)).toBe("hello")
  })

  it("does not send early data again that was refused, also where the key share takes its time", async () => {
    const replayGuard = { take: () => false }
    const { client } = await start({ ...own, earlyData: { maxBytes: 100, replayGuard } })
    const first = await client()
    const [session] = await once(first, "session")
    first.destroy()
    const socket = await client({ provider, session, earlyData: Buffer.from("0-RTT") })
    expect(socket.info).toMatchObject({ resumed: true, earlyData: "rejected" })
    expect(await echoed(socket)).toBe("hello")
  })

  it.each([
    ["refused", false, "hello"],
    ["taken", true, "pay 10hello"],
  ])("of early data too long for its ticket is said what becomes of it: %s", async (_, fresh, comes) => {
    const replayGuard = { take: () => fresh }
    const { client } = await start({ ...own, earlyData: { maxBytes: 3, replayGuard } })
    const first = await client()
    const [session] = await once(first, "session")
    first.destroy()
    const socket = await client({ session, earlyData: Buffer.from("pay 10") })
    expect(socket.info?.earlyData).toBe(fresh ? "accepted" : "rejected")
    expect(await echoed(socket)).toBe(comes)
  })

  it("RFC 9846 section 8: a flight with early data that is sent again is not taken again", async () => {
    const { server, client, port, raw } = await start({ ...own, earlyData: { maxBytes: 100 } })
    const first = await client()
    const [session] = await once(first, "session")
    first.destroy()
    const taken: string[] = []
    server.on("earlyData", (data) => taken.push(data.toString()))
    const below = await raw()
    const flight: Buffer[] = []
    const recording = new Duplex({
      read: () => undefined,
      write(chunk, _encoding, done) {
        flight.push(chunk)
        below.write(chunk, done)
      },
    })
    connect({ socket: recording, host: "127.0.0.1", port, ca, session, earlyData: Buffer.from("pay 10") })
    await until(() => taken.length === 1)
    const { pending } = server.handshakes
    const replay = await raw()
    replay.write(Buffer.concat(flight))
    const [answer] = await once(replay, "data")
    expect(answer.length).toBeGreaterThan(100)
    expect([taken, server.handshakes.pending]).toEqual([["pay 10"], pending + 1])
  })
})

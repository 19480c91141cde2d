import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { createServer as createTcpServer, type Server as NetServer, type Socket } from "node:net"
import { Duplex, PassThrough } from "node:stream"
import { afterEach, describe, expect, it, vi } from "vitest"
import { portOf, readAll, until } from "../../../tests/tools/sockets.ts"
import { Pause } from "../../bytes/pause.ts"
import { createDevelopmentCertificates } from "../../devcert/index.ts"
import { MemorySessionStore } from "../../session/client-store.ts"
import type { CertificateVerdict } from "../../x509/interfaces.ts"
import { type ConnectOptions, connect } from "./connect.ts"
import { createServer, type TlsServerOptions } from "./server.ts"
import type { TLSSocket } from "./tls-socket.ts"

const pem = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now: Date.now() })
const own = { cert: pem.serverCert, key: pem.serverKey }
const servers: NetServer[] = []
const open: TLSSocket[] = []

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

async function serve(handler: (socket: TLSSocket) => void, options: TlsServerOptions = {}): Promise<number> {
  const server = createServer({ ...own, ...options }, (socket) => {
    open.push(socket)
    handler(socket)
  })
  servers.push(server)
  return portOf(server)
}

function client(port: number, options: ConnectOptions = {}): TLSSocket {
  const socket = connect({ host: "127.0.0.1", port, ca: pem.caCert, ...options })
  open.push(socket)
  return socket
}

/** Both ends, connected. */
async function pair(options: { client?: ConnectOptions; server?: TlsServerOptions } = {}) {
  let accepted: (socket: TLSSocket) => void = () => undefined
  const other = new Promise<TLSSocket>((resolve) => {
    accepted = resolve
  })
  const port = await serve((socket) => accepted(socket), options.server)
  const near = client(port, options.client)
  await once(near, "secureConnect")
  return { client: near, server: await other, port }
}

/** A TCP relay whose ends a test can touch. */
async function relay(port: number) {
  const sockets: { near: Socket; far: Socket }[] = []
  const { connect: connectTcp } = await import("node:net")
  const server = createTcpServer({ allowHalfOpen: true }, (near) => {
    const far = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("error", () => undefined)
      from.pipe(to)
    }
    sockets.push({ near, far })
  })
  servers.push(server)
  return { port: await portOf(server), sockets }
}

describe("writing", () => {
  it("may begin before the handshake is over", async () => {
    const port = await serve((socket) => socket.pipe(socket))
    const socket = client(port)
    socket.write("early ")
    socket.end("bird")
    expect((await readAll(socket)).toString()).toBe("early bird")
  })

  it("calls back when the bytes were taken, in order", async () => {
    const { client, server } = await pair()
    server.resume()
    const order: number[] = []
    for (let i = 0; i < 5; i++) client.write(`${i}`, () => order.push(i))
    await until(() => order.length === 5)
    expect(order).toEqual([0, 1, 2, 3, 4])
  })

  it("puts corked writes into one record", async () => {
    const { client, server } = await pair()
    const before = client.bytesWritten
    client.cork()
    for (let i = 0; i < 100; i++) client.write("0123456789")
    client.uncork()
    let got = 0
    server.on("data", (data) => {
      got += data.length
    })
    await until(() => got === 1000)
    // Header, content type and tag: 22 bytes for the one record.
    expect(client.bytesWritten - before).toBe(1000 + 22)
  })

  it("keeps to setMaxSendFragment", async () => {
    const { client, server } = await pair()
    expect(client.setMaxSendFragment(100)).toBe(false)
    expect(client.setMaxSendFragment(1024)).toBe(true)
    const before = client.bytesWritten
    client.write(Buffer.alloc(4096))
    let got = 0
    server.on("data", (data) => {
      got += data.length
    })
    await until(() => got === 4096)
    expect(client.bytesWritten - before).toBe(4096 + 4 * 22)
  })

  it("fails after the end", async () => {
    const { client, server } = await pair()
    server.resume()
    client.end()
    const failed = once(client, "error")
    client.write("too late")
    expect((await failed)[0]).toMatchObject({ code: "ERR_STREAM_WRITE_AFTER_END" })
  })

  it("calls back with an error when the socket is destroyed before the handshake is over", async () => {
    const silent = createTcpServer(() => undefined)
    servers.push(silent)
    const socket = client(await portOf(silent))
    const result = new Promise((resolve) => socket.write("x", resolve))
    socket.on("error", () => undefined)
    socket.destroy()
    expect(await result).toBeInstanceOf(Error)
  })
})

describe("backpressure", () => {
  it("keeps memory bounded in a transfer of 50 MB to a slow reader", async () => {
    const total = 50_000_000
    const block = randomBytes(50_000)
    let sending: TLSSocket | undefined
    const port = await serve(
      (socket) => {
        sending = socket
        let sent = 0
        const more = () => {
          while (sent < total) {
            sent += block.length
            if (!socket.write(block)) return
          }
          socket.end()
        }
        socket.on("drain", more)
        more()
      },
      { provider: "host" },
    )
    const socket = client(port, { provider: "host" })
    let got = 0
    let most = 0
    for await (const chunk of socket) {
      got += chunk.length
      most = Math.max(most, socket.readableLength + (sending?.writableLength ?? 0))
      if (got % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(got).toBe(total)
    // The two streams' own buffers (65,536 each), a block over, and what one read of TCP brings.
    expect(most).toBeLessThan(400_000)
  }, 60_000)

  it("stops reading when nobody takes the data", async () => {
    const { client, server } = await pair()
    let written = 0
    let stalled = false
    const block = Buffer.alloc(65_536)
    while (!stalled && written < 64_000_000) {
      if (!server.write(block)) {
        stalled = await Promise.race([
          once(server, "drain").then(() => false),
          new Promise<boolean>((resolve) => setTimeout(resolve, 300, true)),
        ])
      }
      written += block.length
    }
    expect(stalled).toBe(true)
    expect(client.readableLength).toBeLessThan(300_000)
    let got = 0
    client.on("data", (data) => {
      got += data.length
    })
    await until(() => got === written)
  })

  it("stops reading when nobody takes many small records, and goes on for who waits for all of them", async () => {
    const { client, server } = await pair()
    const count = 10_000
    server.pause()
    // Each write has a record of its own.
    for (let i = 0; i < count; i++) {
      if (!client.write("x")) await once(client, "drain")
      await new Promise((resolve) => setImmediate(resolve))
    }
    await new Promise((resolve) => setTimeout(resolve, 300))
    // Those of what was read at once come beside them.
    expect(server.readableLength).toBeLessThan(6000)
    let got = 0
    server.on("readable", () => {
      for (let data = server.read(1000) as Buffer | null; data !== null; data = server.read(1000) as Buffer | null)
        got += data.length
    })
    await until(() => got === count)
  })
})

describe("256 records that nobody has taken", () => {
  /** Both ends over streams that carry one record each time. */
  async function overStreams() {
    let accepted: (socket: TLSSocket) => void = () => undefined
    const other = new Promise<TLSSocket>((resolve) => {
      accepted = resolve
    })
    const server = createServer(own, (socket) => accepted(socket))
    const [near, far] = duplexPair()
    server.emit("connection", far)
    const socket = connect({ socket: near, servername: "localhost", ca: pem.caCert })
    open.push(socket)
    await once(socket, "secureConnect")
    const records = async (from: TLSSocket, count: number) => {
      for (let i = 0; i < count; i++) {
        from.write("x")
        await new Promise(setImmediate)
      }
    }
    return { near, far, client: socket, server: await other, records }
  }

  it.each(["client", "server"] as const)("are as many as the %s reads", async (who) => {
    const { near, far, records, ...ends } = await overStreams()
    const [reader, below] = who === "client" ? [ends.client, near] : [ends.server, far]
    const writer = who === "client" ? ends.server : ends.client
    reader.pause()
    await records(writer, 255)
    expect([reader.readableLength, below.isPaused()]).toEqual([255, false])
    await records(writer, 1)
    expect([reader.readableLength, below.isPaused()]).toEqual([256, true])
    await records(writer, 1)
    expect(reader.readableLength).toBe(256)
    // Taken: the one that waits below comes, and as many again.
    expect(reader.read(256)).toHaveLength(256)
    await records(writer, 254)
    expect([reader.readableLength, below.isPaused()]).toEqual([255, false])
    await records(writer, 2)
    expect([reader.readableLength, below.isPaused()]).toEqual([256, true])
  })

  it("are none for who takes each as it comes", async () => {
    const { near, client, server, records } = await overStreams()
    client.resume()
    await records(server, 600)
    expect([client.readableLength, near.isPaused()]).toEqual([0, false])
  })
})

describe("closing", () => {
  it("RFC 9846 6.2: a peer that goes on sending for longer than a second sees our alert when it reads at last", async () => {
    const port = await serve(() => undefined)
    const { connect: connectTcp } = await import("node:net")
    const peer = connectTcp({ host: "127.0.0.1", port })
    const errors: Error[] = []
    peer.on("error", (error) => errors.push(error))
    peer.pause()
    await once(peer, "connect")
    // A handshake message that no ClientHello is.
    peer.write(Uint8Array.of(22, 3, 1, 0, 4, 2, 0, 0, 0))
    for (let i = 0; i < 10; i++) {
      peer.write(new Uint8Array(100_000))
      await new Promise((resolve) => setTimeout(resolve, 250))
    }
    expect(errors).toEqual([])
    peer.resume()
    const [alert] = await once(peer, "data")
    expect([...alert]).toEqual([21, 3, 3, 0, 2, 2, 10])
    peer.destroy()
  }, 20_000)

  it("RFC 9846 section 6.1: end() sends close_notify, and the other side ends too", async () => {
    const { client, server } = await pair()
    server.resume()
    client.resume()
    client.end()
    await Promise.all([once(client, "close"), once(server, "close")])
    expect([client.errored, server.errored]).toEqual([null, null])
  })

  it("RFC 9846 section 6.1: each half ends alone with allowHalfOpen", async () => {
    const { client, server } = await pair({ client: { allowHalfOpen: true }, server: { allowHalfOpen: true } })
    client.end("question")
    expect((await readAll(server)).toString()).toBe("question")
    expect(client.readableEnded).toBe(false)
    server.end("answer")
    expect((await readAll(client)).toString()).toBe("answer")
  })

  it("without allowHalfOpen the end of reading ends writing", async () => {
    const { client, server } = await pair()
    server.resume()
    client.end()
    await once(server, "finish")
    expect(server.writableEnded).toBe(true)
  })

  it("RFC 9846 section 6.1: a stream that ends without close_notify is an error: data may be missing", async () => {
    const { port, sockets } = await relay(await serve((socket) => socket.write("half of it")))
    const socket = client(port)
    const failed = once(socket, "error")
    socket.once("data", () => {
      sockets[0]!.far.unpipe(sockets[0]!.near)
      sockets[0]!.near.end()
    })
    const [error] = await failed
    expect(error).toMatchObject({ kind: "Closed", code: "ERR_TLS_CLOSED" })
    // Where we noticed it tells nothing, and a server would write it down for each client that leaves so.
    expect(error.stack).toBe(`Closed: ${error.message}`)
    expect(socket.readableEnded).toBe(false)
  })

  it("a connection that is reset is an error with the system's code", async () => {
    const { port, sockets } = await relay(await serve(() => undefined))
    const socket = client(port)
    await once(socket, "secureConnect")
    const failed = once(socket, "error")
    sockets[0]!.near.resetAndDestroy()
    expect((await failed)[0]).toMatchObject({ code: "ECONNRESET" })
  })

  it("destroy() closes the connection below, and an error of the caller is the one that is told", async () => {
    const { client, server } = await pair()
    const failed = once(client, "error")
    client.destroy(new Error("of mine"))
    expect((await failed)[0].message).toBe("of mine")
    await until(() => server.destroyed)
  })

  it("destroySoon() sends everything first", async () => {
    const { client, server } = await pair()
    const sent = randomBytes(1_000_000)
    client.write(sent)
    client.destroySoon()
    expect((await readAll(server)).equals(sent)).toBe(true)
    await until(() => client.destroyed)
  })

  it("a garbled record is bad_record_mac for both", async () => {
    const { port, sockets } = await relay(await serve((socket) => socket.resume()))
    const socket = client(port)
    await once(socket, "secureConnect")
    await until(() => open.length === 2)
    const failed = once(socket, "error")
    sockets[0]!.near.write(Buffer.from([23, 3, 3, 0, 32, ...randomBytes(32)]))
    expect((await failed)[0]).toMatchObject({ code: "ERR_TLS_BAD_RECORD_MAC", kind: "PeerMisbehaved" })
    await until(() => open.every(({ destroyed }) => destroyed))
    expect(open.find((each) => each !== socket)!.errored).toMatchObject({ code: "ERR_TLS_PEER_BAD_RECORD_MAC" })
  })
})

describe("the socket's habits", () => {
  it("emits timeout after silence, and not while there is traffic", async () => {
    const { client, server } = await pair()
    server.pipe(server)
    client.resume()
    let timeouts = 0
    client.setTimeout(150, () => timeouts++)
    for (let i = 0; i < 6; i++) {
      client.write("x")
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(timeouts).toBe(0)
    await until(() => timeouts === 1)
    client.setTimeout(0)
    expect(client.timeout).toBe(0)
  })

  it("passes on what concerns the TCP socket", async () => {
    const { client, port } = await pair()
    expect(client.setNoDelay(true).setKeepAlive(true, 1000).ref().unref().ref()).toBe(client)
    expect(client.address()).toMatchObject({ address: "127.0.0.1", port: client.localPort })
    expect([client.remotePort, client.remoteFamily, client.pending]).toEqual([port, "IPv4", false])
    expect(client.bytesRead).toBeGreaterThan(500)
  })

  it("has no renegotiation, and says so", async () => {
    const { client } = await pair()
    const error = await new Promise<Error | null>((resolve) => {
      expect(client.renegotiate({}, resolve)).toBe(false)
    })
    expect(error?.message).toMatch(/TLS 1\.3 has no renegotiation/)
  })

  it("runs over any Duplex", async () => {
    const server = createServer(own, (socket) => socket.pipe(socket))
    const [near, far] = duplexPair()
    server.emit("connection", far)
    const socket = connect({ socket: near, servername: "localhost", ca: pem.caCert })
    socket.end("over a stream")
    expect((await readAll(socket)).toString()).toBe("over a stream")
    expect(socket.remoteAddress).toBeUndefined()
    expect(socket.address()).toEqual({})
  })

  it("sends tickets and the answer to what came with the Finished in one write, and waits for no end that is said", async () => {
    const server = createServer(own, (socket) => socket.pipe(socket))
    const sent: number[] = []
    let ended: unknown
    const closed = new Promise<void>((resolve) => {
      server.on("connection", (raw: Socket) => {
        const write = raw.write.bind(raw) as (bytes: Uint8Array, taken: () => void) => boolean
        vi.spyOn(raw, "write").mockImplementation(((bytes: Uint8Array, taken: () => void) => {
          sent.push(bytes.length)
          return write(bytes, taken)
        }) as Socket["write"])
        ended = vi.spyOn(raw, "end")
        raw.on("close", resolve)
      })
    })
    servers.push(server)
    const socket = client(await portOf(server))
    socket.end("with the Finished")
    expect((await readAll(socket)).toString()).toBe("with the Finished")
    await closed
    // The flight; tickets and answer; close_notify.
    expect(sent).toHaveLength(3)
    expect(ended).not.toHaveBeenCalled()
  })

  it("runs inside of another TLS connection", async () => {
    const inner = createServer(own, (socket) => socket.pipe(socket))
    const port = await serve((socket) => inner.emit("connection", socket))
    const socket = connect({ socket: client(port), servername: "localhost", ca: pem.caCert })
    socket.end("twice protected")
    expect((await readAll(socket)).toString()).toBe("twice protected")
  })

  it("logs keys on request (RFC 9850)", async () => {
    const lines: string[] = []
    const port = await serve((socket) => socket.resume())
    const socket = client(port, { keylog: (line) => lines.push(line) })
    const emitted: Buffer[] = []
    socket.on("keylog", (line) => emitted.push(line))
    await once(socket, "secureConnect")
    expect(lines.map((line) => line.split(" ")[0])).toEqual([
      "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
      "SERVER_HANDSHAKE_TRAFFIC_SECRET",
      "CLIENT_TRAFFIC_SECRET_0",
      "SERVER_TRAFFIC_SECRET_0",
      "EXPORTER_SECRET",
    ])
    expect(emitted.map(String)).toEqual(lines.map((line) => `${line}\n`))
  })

  it("traces on request", async () => {
    const names: string[] = []
    const port = await serve((socket) => socket.resume())
    const socket = client(port, {
      trace: (event) => {
        if (event.type === "message") names.push(event.name)
      },
    })
    await once(socket, "secureConnect")
    expect(names.slice(0, 3)).toEqual(["client_hello", "server_hello", "encrypted_extensions"])
  })
})

describe("sessions", () => {
  it("RFC 9846 section 2.2: a session store resumes, each ticket once", async () => {
    const port = await serve((socket) => socket.end("x"), { tickets: 1 })
    const sessionStore = new MemorySessionStore()
    const reused: boolean[] = []
    for (let i = 0; i < 3; i++) {
      const socket = client(port, { sessionStore })
      await readAll(socket)
      reused.push(socket.isSessionReused())
    }
    expect(reused).toEqual([false, true, true])
  })

  it("a session that was made without verification is not resumed where it is needed", async () => {
    const port = await serve((socket) => socket.end("x"))
    const sessionStore = new MemorySessionStore()
    await readAll(client(port, { sessionStore, rejectUnauthorized: false }))
    const strict = client(port, { sessionStore })
    await readAll(strict)
    expect(strict.isSessionReused()).toBe(false)
  })

  it("refuses what is no session", () => {
    expect(() => client(1, { session: Buffer.from("no session") })).toThrow(/`session` is not one/)
  })
})

describe("a verifier of one's own", () => {
  it("may answer by a thenable that returns nothing, also where nothing is enforced", async () => {
    const port = await serve((socket) => socket.end())
    const refused = {
      accepted: false,
      alert: "access_denied",
      reason: "not_on_the_list",
      message: "who is this",
    } as const
    // biome-ignore lint/suspicious/noThenProperty: not every thenable is a promise
    const work = { then: (resolved: (verdict: CertificateVerdict) => void) => void resolved(refused) }
    const verifier = { verify: () => new Pause(work as unknown as PromiseLike<CertificateVerdict>) }
    const socket = client(port, { verifier, rejectUnauthorized: false })
    await once(socket, "secureConnect")
    expect([socket.authorized, socket.authorizationError?.reason]).toEqual([false, "not_on_the_list"])
  })
})

describe("an alert of one's own (RFC 9846 section 6.2)", () => {
  it("ends this socket without an error, and tells the peer why", async () => {
    const { client: peer, server } = await pair()
    expect(() => server.abort("user_canceled")).toThrow(/no error alert/)
    const failed = once(peer, "error")
    const errors: Error[] = []
    server.on("error", (error) => errors.push(error))
    expect(server.abort("access_denied").destroyed).toBe(true)
    expect((await failed)[0]).toMatchObject({ kind: "PeerAlert", received: "access_denied" })
    server.abort("access_denied")
    expect(errors).toEqual([])
  })

  it("ends one that has not begun", async () => {
    const { readable, writable } = { readable: new PassThrough(), writable: new PassThrough() }
    const socket = connect({ socket: Duplex.from({ readable, writable }), ca: pem.caCert })
    expect(socket.abort("access_denied").destroyed).toBe(true)
  })
})

describe("early data (RFC 9846 section 4.3.10)", () => {
  async function twice(options: TlsServerOptions) {
    const early: string[] = []
    const got: string[] = []
    const port = await serve((socket) => {
      early.push(Buffer.concat(socket.earlyData).toString())
      socket.on("data", (data) => got.push(data.toString()))
      socket.on("end", () => socket.end("done"))
    }, options)
    const first = client(port)
    const [session] = await once(first, "session")
    first.end()
    await readAll(first)
    const second = client(port, { session, earlyData: Buffer.from("0-RTT"), allowHalfOpen: true })
    second.end(" and more")
    expect((await readAll(second)).toString()).toBe("done")
    return { early: early[1], got: got.join(""), info: second.info }
  }

  it("arrives apart from other data", async () => {
    const { early, got, info } = await twice({ earlyData: { maxBytes: 1000 } })
    expect(info?.earlyData).toBe("accepted")
    expect([early, got]).toEqual(["0-RTT", " and more"])
  })

  it("RFC 9846 4.3.10: is not sent again by itself when the server does not know the session any more", async () => {
    const server = createServer({ ...own, earlyData: { maxBytes: 1000 }, allowHalfOpen: true }, (socket) => {
      open.push(socket)
      socket.pipe(socket)
    })
    servers.push(server)
    const port = await portOf(server)
    const first = client(port)
    const [session] = await once(first, "session")
    first.destroy()
    server.setTicketKeys(randomBytes(48))
    const second = client(port, { session, earlyData: Buffer.from("0-RTT"), allowHalfOpen: true })
    const [accepted] = await once(second, "earlyDataDecided")
    second.end("and more")
    expect((await readAll(second)).toString()).toBe("and more")
    expect([accepted, second.info]).toMatchObject([false, { earlyData: "rejected", resumed: false }])
  })

  it("comes as ordinary data when the server takes none", async () => {
    const { early, got, info } = await twice({})
    expect(info?.earlyData).toBe("not offered")
    expect([early, got]).toEqual(["", "0-RTT and more"])
  })
})

describe("options that make no sense", () => {
  const cases: readonly [what: string, options: ConnectOptions, message: RegExp][] = [
    ["a version below TLS 1.3 at most", { maxVersion: "TLSv1.2" }, /maxVersion TLSv1\.2 leaves out TLS 1\.3/],
    ["a version that does not exist", { minVersion: "TLSv1.4" }, /minVersion is "TLSv1\.4"/],
    ["an old secureProtocol", { secureProtocol: "TLSv1_2_method" }, /leaves out TLS 1\.3/],
    ["a cipher of TLS 1.2", { ciphers: "ECDHE-RSA-AES128-GCM-SHA256" }, /no cipher suite ECDHE-RSA/],
    ["an unknown group", { ecdhCurve: "P-192" }, /no group P-192/],
    ["PKCS#12", { pfx: Buffer.alloc(1) }, /convert it to PEM/],
    ["a certificate without a key", { cert: pem.serverCert }, /1 of `cert` but 0 of `key`/],
    ["a short PSK", { externalPsks: [{ identity: "x", key: Buffer.alloc(8) }] }, /has 64 bits/],
    [
      "a PSK in the words of an older version",
      { externalPsks: [{ identity: "x", key: Buffer.alloc(16), ...{ imported: true } }] },
      /did you mean `kind: "imported"`/,
    ],
    ["no port", { host: "127.0.0.1" }, /needs a port/],
  ]
  for (const [what, options, message] of cases) {
    it(`${what}: one line at once`, () => {
      expect(() => connect({ ca: pem.caCert, ...(what === "no port" ? {} : { port: 1 }), ...options })).toThrow(message)
    })
  }

  it("minVersion below TLS 1.3 leaves it in", async () => {
    const { client } = await pair({ client: { minVersion: "TLSv1.2", maxVersion: "TLSv1.3" } })
    expect(client.getProtocol()).toBe("TLSv1.3")
  })
})

describe("connections that come to nothing", () => {
  it("a refused connection is an error with the system's code", async () => {
    const server = createTcpServer()
    const port = await portOf(server)
    server.close()
    await once(server, "close")
    expect((await once(client(port), "error"))[0]).toMatchObject({ code: "ECONNREFUSED" })
  })

  it("a peer that closes in the handshake is an error that says so", async () => {
    const server = createTcpServer((socket) => socket.end())
    servers.push(server)
    const [error] = await once(client(await portOf(server)), "error")
    expect(error).toMatchObject({ kind: "Closed", message: "peer closed the connection during the handshake" })
  })

  it("a peer that speaks HTTP is an error that says so", async () => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => undefined)
      socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")
    })
    servers.push(server)
    const [error] = await once(client(await portOf(server)), "error")
    expect(error).toMatchObject({ code: "ERR_TLS_UNEXPECTED_MESSAGE", message: "peer speaks plain HTTP, not TLS" })
  })

  it("a silent peer is an error after handshakeTimeout", async () => {
    const server = createTcpServer(() => undefined)
    servers.push(server)
    const [error] = await once(client(await portOf(server), { handshakeTimeout: 50 }), "error")
    expect(error).toMatchObject({ kind: "LimitExceeded", limit: "handshakeTime" })
  })
})

/** Two streams of which each reads what the other writes. */
function duplexPair(): [Duplex, Duplex] {
  const [a, b] = [new PassThrough(), new PassThrough()]
  return [Duplex.from({ readable: a, writable: b }), Duplex.from({ readable: b, writable: a })]
}

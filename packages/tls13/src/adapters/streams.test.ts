import { once } from "node:events"
import { connect as connectTcp, type Socket } from "node:net"
import { Duplex } from "node:stream"
import * as nodeTls from "node:tls"
import { describe, expect, it, vi } from "vitest"
import { portOf } from "../../tests/tools/sockets.ts"
import { utf8ToBytes } from "../bytes/text.ts"
import { createClientConfig, createServerConfig } from "../connection/config.ts"
import { createFastProvider } from "../crypto/fast/index.ts"
import { createDevelopmentCertificates } from "../devcert/index.ts"
import type { ClientOptions, ServerOptions } from "../handshake/options.ts"
import { loadCredential, sniResolver } from "../x509/certificate/credential.ts"
import { trustStoreFromPem } from "../x509/path/trust.ts"
import { createCertificateVerifier } from "../x509/path/verifier.ts"
import {
  acceptOverStreams,
  type ByteStreams,
  connectOverStreams,
  type TlsStreamOptions,
  type TlsStreamSocket,
} from "./streams.ts"

const provider = createFastProvider()
const pem = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
const credentials = sniResolver([loadCredential({ cert: pem.serverCert, key: pem.serverKey, provider })])
const verifier = createCertificateVerifier({ trust: trustStoreFromPem(pem.caCert) })

function clientConfig(options: Partial<ClientOptions> = {}) {
  return createClientConfig({ provider, serverName: "localhost", verifier, ...options })
}

function serverConfig(options: Partial<ServerOptions> = {}) {
  return createServerConfig({ provider, credentials, ...options })
}

/** Two byte streams in memory, one for each end; and a way to cut them. */
function cable(): [ByteStreams, ByteStreams] {
  const [there, back] = [new TransformStream<Uint8Array>(), new TransformStream<Uint8Array>()]
  return [
    { readable: back.readable, writable: there.writable },
    { readable: there.readable, writable: back.writable },
  ]
}

function pair(
  options: { client?: Partial<ClientOptions>; server?: Partial<ServerOptions>; both?: TlsStreamOptions } = {},
) {
  const [near, far] = cable()
  const server = acceptOverStreams(far, serverConfig(options.server), options.both)
  const client = connectOverStreams(near, clientConfig(options.client), options.both)
  return { client, server }
}

async function readAll({ readable }: TlsStreamSocket): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of readable) parts.push(part)
  return Buffer.concat(parts).toString()
}

async function write({ writable }: TlsStreamSocket, text: string, end = true): Promise<void> {
  const writer = writable.getWriter()
  await writer.write(utf8ToBytes(text))
  if (end) await writer.close()
  writer.releaseLock()
}

describe("TLS over WHATWG streams", () => {
  it("opens, carries data both ways, and closes", async () => {
    const { client, server } = pair({ client: { alpnProtocols: ["mqtt"] }, server: { alpnProtocols: ["mqtt"] } })
    const { alpn, handshake } = await client.opened
    expect([alpn, handshake.group, client.secureTransport]).toEqual(["mqtt", "x25519", "on"])
    expect((await server.opened).handshake.serverName).toBe("localhost")
    const echoed = server.readable.pipeTo(server.writable)
    const [, got] = await Promise.all([write(client, "hello"), readAll(client)])
    expect(got).toBe("hello")
    await Promise.all([echoed, client.closed, server.closed])
  })

  it("takes writes before it is open", async () => {
    const { client, server } = pair()
    void write(client, "at once")
    expect(await readAll(server)).toBe("at once")
  })

  it("RFC 9846 section 6.1: each half ends alone with allowHalfOpen", async () => {
    const { client, server } = pair({ both: { allowHalfOpen: true } })
    await Promise.all([write(client, "question"), expect(readAll(server)).resolves.toBe("question")])
    await Promise.all([write(server, "answer"), expect(readAll(client)).resolves.toBe("answer")])
    await Promise.all([client.closed, server.closed])
  })

  it("without it the peer's end ends our half", async () => {
    const { client, server } = pair()
    await Promise.all([write(client, "bye"), readAll(server)])
    await Promise.all([client.closed, server.closed])
    await expect(write(server, "too late")).rejects.toThrow()
  })

  it("close() ends both halves, whatever still comes", async () => {
    const { client, server } = pair()
    await Promise.all([client.opened, server.opened])
    await write(server, "nobody reads this", false)
    await Promise.all([client.close(), server.close()])
  })

  it("1 MB arrives whole, and a reader that waits slows the writer down", async () => {
    const { client, server } = pair()
    const writer = client.writable.getWriter()
    let written = 0
    const writing = (async () => {
      for (let i = 0; i < 100; i++) {
        await writer.ready
        await writer.write(new Uint8Array(10_000).fill(i))
        written += 10_000
      }
      await writer.close()
    })()
    await server.opened
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(written).toBeLessThan(300_000)
    expect(await readAll(server)).toHaveLength(1_000_000)
    await writing
    expect(written).toBe(1_000_000)
  })

  it("takes little of the stream below while nobody reads, and the rest afterwards", async () => {
    const [near, far] = cable()
    let taken = 0
    const below = far.readable.getReader()
    const readable = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await below.read()
          if (done) return controller.close()
          taken += value.length
          controller.enqueue(value)
        },
      },
      { highWaterMark: 0 },
    )
    const server = acceptOverStreams({ readable, writable: far.writable }, serverConfig())
    const client = connectOverStreams(near, clientConfig())
    void write(client, "x".repeat(1_000_000))
    await server.opened
    await new Promise((resolve) => setTimeout(resolve, 200))
    // Its own queue holds 65,536 bytes, and is over that by a piece at most.
    expect(taken).toBeLessThan(300_000)
    expect(await readAll(server)).toHaveLength(1_000_000)
    expect(taken).toBeGreaterThan(1_000_000)
  })

  it("a server that is not trusted: opened, closed, reading and writing all say so", async () => {
    const stranger = createCertificateVerifier({
      trust: trustStoreFromPem(createDevelopmentCertificates({ names: ["x.test"], now: Date.now() }).caCert),
    })
    const { client, server } = pair({ client: { verifier: stranger } })
    const expected = { kind: "CertificateRejected" }
    await expect(client.opened).rejects.toMatchObject(expected)
    await expect(client.closed).rejects.toMatchObject(expected)
    await expect(readAll(client)).rejects.toMatchObject(expected)
    await expect(write(client, "x")).rejects.toMatchObject(expected)
    await expect(server.opened).rejects.toMatchObject({ kind: "PeerAlert" })
  })

  it("RFC 9846 section 6.1: a stream below that ends without close_notify is an error", async () => {
    const [near, far] = cable()
    const { readable, writable } = far
    const server = acceptOverStreams({ readable, writable: new WritableStream() }, serverConfig())
    const client = connectOverStreams(near, clientConfig())
    await writable.close()
    await expect(client.opened).rejects.toMatchObject({ kind: "Closed" })
    await expect(server.closed).rejects.toThrow()
  })

  it("abort() of our half is the reason that closed tells", async () => {
    const { client, server } = pair()
    await client.opened
    await client.writable.abort(new Error("enough"))
    await expect(client.closed).rejects.toThrow("enough")
    await expect(server.closed).rejects.toThrow()
  })

  it("abort() while a write waits for a peer that does not read ends the stream below", async () => {
    let cut: unknown
    const [near, far] = cable()
    const server = acceptOverStreams(far, serverConfig())
    const writer = near.writable.getWriter()
    let stopped = false
    const writable = new WritableStream<Uint8Array>({
      // @ts-expect-error: TypeScript's types of streams lack it
      start: ({ signal }) => signal.addEventListener("abort", () => (cut = signal.reason)),
      write: (bytes) => (stopped ? new Promise<void>(() => undefined) : writer.write(bytes)),
    })
    const client = connectOverStreams({ readable: near.readable, writable }, clientConfig())
    await Promise.all([client.opened, server.opened])
    stopped = true
    const stream = client.writable.getWriter()
    stream.write(new Uint8Array(1000)).catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 5))
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    stream.abort(new Error("enough")).catch(() => undefined)
    await expect(client.closed).rejects.toThrow("enough")
    await vi.advanceTimersByTimeAsync(5000)
    vi.useRealTimers()
    expect(cut).toBeDefined()
  })

  it("a socket that nobody reads, and that has ended its half, does not wait for ever for the peer to end its own", async () => {
    const { client, server } = pair({ both: { allowHalfOpen: true } })
    await Promise.all([client.opened, server.opened])
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    let over = false
    void server.closed.then(() => {
      over = true
    })
    void server.close()
    expect(await readAll(client)).toBe("")
    await vi.advanceTimersByTimeAsync(4000)
    expect(over).toBe(false)
    await vi.advanceTimersByTimeAsync(1100)
    vi.useRealTimers()
    expect(over).toBe(true)
  })

  it("renews keys and exports keying material", async () => {
    const { client, server } = pair()
    await Promise.all([client.opened, server.opened])
    client.updateKeys({ peer: true })
    const [a, b] = [client, server].map((side) => side.exportKeyingMaterial("EXPORTER-x", new Uint8Array(0), 32))
    expect(a).toEqual(b)
    void write(client, "after")
    expect(await readAll(server)).toBe("after")
  })

  it("RFC 9846 section 6.2: an alert of one's own tells the other end why", async () => {
    const { client, server } = pair()
    await Promise.all([client.opened, server.opened])
    expect(() => server.abort("close_notify")).toThrow(/no error alert/)
    server.abort("access_denied")
    await expect(server.closed).rejects.toMatchObject({ kind: "Closed", alert: "access_denied" })
    await expect(client.closed).rejects.toMatchObject({ kind: "PeerAlert", received: "access_denied" })
  })

  it("talks to Node's TLS over a TCP socket", async () => {
    const server = nodeTls.createServer({ cert: pem.serverCert, key: pem.serverKey }, (socket) => socket.pipe(socket))
    const port = await portOf(server)
    const socket: Socket = connectTcp({ port, host: "127.0.0.1" })
    await once(socket, "connect")
    const { readable, writable } = Duplex.toWeb(socket)
    const client = connectOverStreams({ readable, writable }, clientConfig())
    void write(client, "hello OpenSSL")
    expect(await readAll(client)).toBe("hello OpenSSL")
    server.close()
  })
})

// TLS to servers of NATS: what is trusted, what is refused and in which words, and that nothing is taken in plain text.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { TLSSocket } from "node:tls"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { openStreams, type StreamsOptions } from "../../src/cluster/nats.ts"
import { connectNats } from "../../src/platform/nats-socket.ts"
import { NatsServers, type NatsTls, natsServer, withoutNats } from "./nats-server.ts"
import { answer } from "./real-time.ts"

const now = Date.now()
const named = createDevelopmentCertificates({ names: ["localhost"], clientName: "node", now })
const numbered = createDevelopmentCertificates({ names: ["127.0.0.1"], now })
const stranger = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], clientName: "node", now })

const folder = mkdtempSync(join(tmpdir(), "puremq-nats-tls-"))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const open = (servers: readonly string[], tls?: StreamsOptions["tls"]) =>
  openStreams({ connect: connectNats, servers, tls, partitions: 1 })

describe.skipIf(natsServer === undefined)(
  `TLS to nats-server${natsServer === undefined ? `: ${withoutNats}` : ""}`,
  () => {
    let plain: NatsServers
    let byName: NatsServers
    let byAddress: NatsServers
    let wantsCertificates: NatsServers
    const at = (servers: NatsServers, host: string) => servers.addresses.map((url) => url.replace("127.0.0.1", host))

    beforeAll(async () => {
      const ofName: NatsTls = { cert: file("named.pem", named.serverCert), key: file("named.key", named.serverKey) }
      const ofAddress = {
        cert: file("numbered.pem", numbered.serverCert),
        key: file("numbered.key", numbered.serverKey),
      }
      plain = await NatsServers.start(1)
      byName = await NatsServers.start(1, ofName)
      byAddress = await NatsServers.start(1, ofAddress)
      wantsCertificates = await NatsServers.start(1, { ...ofName, ca: file("ca.pem", named.caCert) })
    }, 60_000)

    afterAll(async () => {
      for (const servers of [plain, byName, byAddress, wantsCertificates]) await servers?.stop()
    })

    it.each([
      ["a name", () => at(byName, "localhost"), { ca: named.caCert }],
      ["an address", () => at(byAddress, "127.0.0.1"), { ca: numbered.caCert }],
      ["a name, where nats:// was written", () => at(byName, "localhost").map(inPlainWords), { ca: named.caCert }],
      [
        "a name, with a certificate of ours",
        () => at(wantsCertificates, "localhost"),
        { ca: named.caCert, cert: named.clientCert!, key: named.clientKey! },
      ],
    ])("goes to %s that the certificate is for", async (_, servers, tls) => {
      const streams = await open(servers(), tls)
      expect(streams.reachable).toBe(true)
      await answer(streams.close())
    })

    it("says once why a connection that was lost does not come back, and takes it up when it does", async () => {
      const ours = createDevelopmentCertificates({ names: ["localhost"], now })
      const write = ({ serverCert, serverKey }: typeof ours): NatsTls => ({
        cert: file("changes.pem", serverCert),
        key: file("changes.key", serverKey),
      })
      const servers = await NatsServers.start(1, write(ours))
      const again = async (certificates: typeof ours) => {
        await servers.kill(0)
        write(certificates)
        await servers.restart(0)
      }
      const lines: string[] = []
      const options = { servers: at(servers, "localhost"), tls: { ca: ours.caCert }, maxReconnectAttempts: -1 }
      const nats = await connectNats({ ...options, reconnectTimeWait: 50 }, (line) => lines.push(line))
      try {
        for (const turn of [1, 2]) {
          await again(stranger)
          await expect.poll(() => lines.length, { timeout: 10_000 }).toBe(turn)
          await new Promise((resolve) => setTimeout(resolve, 300))
          await again(ours)
          const isBack = () =>
            nats.flush().then(
              () => true,
              () => false,
            )
          await expect.poll(isBack, { timeout: 10_000 }).toBe(true)
        }
        expect(lines).toEqual([lines[0], lines[0]])
        expect(lines[0]).toMatch(/^NATS at \S+:\d+: TLS: .* is refused: /)
      } finally {
        await nats.close()
        await servers.stop()
      }
    }, 60_000)

    it.concurrent.each([
      [
        "no authority is given",
        () => at(byName, "localhost"),
        undefined,
        /TLS: .* issuer is neither trusted nor in the chain/,
      ],
      [
        "it is of another authority",
        () => at(byName, "localhost"),
        { ca: stranger.caCert },
        /TLS: .* is refused: .*"ca"/,
      ],
      ["it is for a name, not the address", () => at(byName, "127.0.0.1"), { ca: named.caCert }, /TLS: .*127\.0\.0\.1/],
      [
        "it is for an address, not the name",
        () => at(byAddress, "localhost"),
        { ca: numbered.caCert },
        /TLS: .*localhost/,
      ],
      [
        "tls:// is written, and there is none",
        () => at(plain, "localhost").map(inTls),
        undefined,
        /TLS: the server does not speak it/,
      ],
      [
        "ca is given, and there is no TLS",
        () => at(plain, "localhost"),
        { ca: named.caCert },
        /TLS: the server does not speak it/,
      ],
      [
        "one of two is written tls://",
        () => [...at(plain, "localhost"), "tls://localhost:1"],
        undefined,
        /cannot be used/,
      ],
      [
        "the server wants a certificate",
        () => at(wantsCertificates, "localhost"),
        { ca: named.caCert },
        /TLS: the server has ended the connection before it answered .* it may want a certificate/,
      ],
      [
        "the server does not know ours",
        () => at(wantsCertificates, "localhost"),
        { ca: named.caCert, cert: stranger.clientCert!, key: stranger.clientKey! },
        /TLS: the server has ended the connection before it answered/,
      ],
    ])("says in one line what is wrong when %s", async (_, servers, tls, line) => {
      await expect(open(servers(), tls)).rejects.toThrow(line)
    })
  },
)

const inPlainWords = (url: string) => url.replace("tls://", "nats://")
const inTls = (url: string) => url.replace("nats://", "tls://")

describe("a server that says something else", () => {
  let server: Server
  let said: (socket: Socket) => void = () => undefined
  const port = () => (server.address() as AddressInfo).port
  const sockets = new Set<Socket>()

  beforeAll(async () => {
    server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => undefined)
      said(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  })
  afterAll(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  const info = (more: object) =>
    JSON.stringify({ server_id: "x", version: "2.15.0", proto: 1, headers: true, max_payload: 1_048_576, ...more })
  const connect = (scheme: string) =>
    connectNats({
      servers: [`${scheme}://localhost:${port()}`],
      tls: { ca: named.caCert },
      noEcho: true,
      timeout: 2000,
    })

  it("gets nothing in plain text when it says that it has no TLS", async () => {
    let got = ""
    said = (socket) => {
      socket.write(`INFO ${info({})}\r\n`)
      socket.on("data", (bytes) => (got += String(bytes)))
    }
    await expect(connect("tls")).rejects.toThrow("TLS: the server does not speak it")
    expect(got).toBe("")
  })

  it("is not heard with what stands in plain text behind its first line", async () => {
    const commands: string[] = []
    said = (socket) => {
      // Who is between the two has put a line there.
      socket.write(`INFO ${info({ tls_required: true })}\r\nPING\r\n`)
      const { serverCert: cert, serverKey: key } = named
      const secure = new TLSSocket(socket, { isServer: true, cert, key })
      secure.on("error", () => undefined)
      secure.on("data", (bytes) => {
        for (const line of String(bytes).split("\r\n")) {
          const [command = ""] = line.split(" ")
          if (command !== "") commands.push(command)
          if (command === "PING") secure.write("PONG\r\n")
        }
      })
    }
    const nats = await connect("tls")
    await nats.flush()
    await nats.close()
    expect(commands).toEqual(["CONNECT", "PING", "PING"])
  })

  it("may take 65,536 bytes to say who it is, and not one more", async () => {
    const line = (length: number) => {
      const end = `${info({ padding: "" }).slice(0, -2)}`
      return `INFO ${end}${"x".repeat(length - 5 - end.length - 4)}"}\r\n`
    }
    const outcomes: unknown[] = []
    for (const length of [65_536, 65_537]) {
      expect(line(length).length).toBe(length)
      said = (socket) => socket.write(line(length))
      outcomes.push(await connect("nats").catch((error: Error) => error.message))
    }
    expect(outcomes).toEqual([expect.stringContaining("does not speak it"), "what answers there is no server of NATS"])
    // Without an end it is not waited for.
    said = (socket) => socket.write(`INFO ${"x".repeat(65_531)}`)
    await expect(connect("nats")).rejects.toThrow("no server of NATS")
  })

  it.each(["HTTP/1.1 400 Bad Request\r\n\r\n", "INFO null\r\n", "INFO {\r\n", "\r\n"])("is none: %j", async (text) => {
    said = (socket) => socket.write(text)
    await expect(connect("nats")).rejects.toThrow("what answers there is no server of NATS")
  })

  it("is none when it ends the connection at once", async () => {
    said = (socket) => socket.end()
    await expect(connect("nats")).rejects.toThrow("the server has closed the connection")
  })
})

// `--pcap` and `--explore` of `tls13 connect` and `tls13 serve`.

import { EventEmitter, once } from "node:events"
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { connect as connectTcp, createServer as createTcpServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { portOf } from "../../tests/tools/sockets.ts"
import { everyKindOfEvent } from "../../tests/tools/trace-events.ts"
import type { Server } from "../adapters/node/server.ts"
import type { TLSSocket } from "../adapters/node/tls-socket.ts"
import { createDevelopmentCertificates } from "../devcert/index.ts"
import { type CaptureFile, readCaptureFile } from "../trace/capture-file.ts"
import type { TraceSink } from "../trace/events.ts"
import { readSavedTrace } from "../trace/saved-trace.ts"
import { type CapturedConnection, unbrokenBytes } from "../trace/tcp-streams.ts"
import { readArguments } from "./command-line.ts"
import { serveCommand } from "./commands.ts"
import { mostTraces, numbered, Recording } from "./recording.ts"
import { run } from "./run.ts"
import { serve } from "./serve.ts"

const folder = mkdtempSync(join(tmpdir(), "tls13-recording-"))
const at = (name: string) => join(folder, name)
const servers: Server[] = []
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

const pem = createDevelopmentCertificates({ names: ["127.0.0.1"], now: Date.now() })
for (const [name, text] of Object.entries(pem)) writeFileSync(at(`${name}.pem`), text)
const own = ["--cert", at("serverCert.pem"), "--key", at("serverKey.pem")]
const trust = ["--ca", at("caCert.pem")]

function terminal() {
  const said: string[] = []
  const [input, output] = [new PassThrough(), new PassThrough()]
  output.resume()
  return { input, output, said, say: (line: string) => void said.push(line) }
}

async function serving(...args: string[]) {
  const io = terminal()
  const server = await serve(["0", "--echo", ...own, ...args], io)
  servers.push(server)
  const address = server.address()
  if (typeof address !== "object" || address === null) throw new Error("no port")
  return { ...io, port: address.port }
}

async function connecting(port: number, ...args: string[]) {
  const io = terminal()
  io.input.end("a question")
  const status = await run(["connect", `127.0.0.1:${port}`, ...args], io)
  return { ...io, status }
}

function captured(name: string): CaptureFile {
  return readCaptureFile(readFileSync(at(name)))
}

function streamsOf({ fromClient, fromServer }: CapturedConnection) {
  return [unbrokenBytes(fromClient), unbrokenBytes(fromServer)].map((bytes) => Buffer.from(bytes).toString("hex"))
}

function saved(name: string) {
  return readSavedTrace(readFileSync(at(name), "latin1"))
}

function modeOf(name: string): number {
  return statSync(at(name)).mode & 0o777
}

const warning = (name: string) =>
  `WARNING: ${at(name)} holds all secrets: WHO HAS IT READS EVERYTHING. Not for production (RFC 9850 section 1.1); delete it afterwards`

describe("--pcap", () => {
  it("has the bytes of a connection and its secrets, at both ends the same; is told of, and for this user alone", async () => {
    writeFileSync(at("client.pcapng"), "something old that others may read")
    chmodSync(at("client.pcapng"), 0o644)
    const server = await serving("--pcap", at("server.pcapng"))
    const client = await connecting(server.port, ...trust, "--pcap", at("client.pcapng"), "--quiet")
    expect([client.status, client.said]).toEqual([0, [warning("client.pcapng")]])
    expect(server.said).toContain(warning("server.pcapng"))
    expect([modeOf("client.pcapng"), modeOf("server.pcapng")]).toEqual([0o600, 0o600])
    for (const name of ["client.pcapng", "server.pcapng"])
      await expect.poll(() => captured(name).connections[0]?.fromServer.ended).toBe(true)
    const [ours, theirs] = [captured("client.pcapng"), captured("server.pcapng")]
    const [connection] = ours.connections
    expect(connection).toMatchObject({
      client: { address: "127.0.0.1" },
      server: { address: "127.0.0.1", port: server.port },
      opened: true,
      fromClient: { missing: [], ended: true },
      fromServer: { missing: [], ended: true },
    })
    expect(streamsOf(connection!)).toEqual(streamsOf(theirs.connections[0]!))
    expect(Math.abs(connection!.fromClient.pieces[0]!.at - Date.now())).toBeLessThan(60_000)
    expect(ours.keyLog.split("\n").sort()).toEqual(theirs.keyLog.split("\n").sort())
    expect(ours.keyLog).toMatch(/^CLIENT_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]{64,96}$/m)
  })

  it("one file has all connections: of --reconnect, and of a server whose clients may be anybody", async () => {
    const server = await serving("--pcap", at("all.pcapng"))
    const client = await connecting(server.port, ...trust, "--pcap", at("again.pcapng"), "--reconnect", "1")
    expect(client.status).toBe(0)
    const stranger = connectTcp({ port: server.port, host: "127.0.0.1" }).on("error", () => undefined)
    stranger.end("GET / HTTP/1.0\r\n\r\n").resume()
    await once(stranger, "close")
    expect(captured("again.pcapng").connections).toHaveLength(2)
    expect(captured("again.pcapng").keyLog.match(/^CLIENT_TRAFFIC_SECRET_0 /gm)).toHaveLength(2)
    await expect
      .poll(() => captured("all.pcapng").connections.filter(({ fromServer }) => fromServer.ended))
      .toHaveLength(3)
    const file = captured("all.pcapng")
    expect(file.keyLog.match(/^CLIENT_TRAFFIC_SECRET_0 /gm)).toHaveLength(2)
    const strange = file.connections.find(({ client }) => client.port === stranger.localPort) ?? file.connections[2]!
    expect(Buffer.from(unbrokenBytes(strange.fromClient)).toString()).toBe("GET / HTTP/1.0\r\n\r\n")
  })

  it("has what a peer said that speaks no TLS, and how a handshake failed", async () => {
    const web = createTcpServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
    const port = await portOf(web)
    expect((await connecting(port, "--pcap", at("web.pcapng"))).status).toBe(1)
    await expect.poll(() => captured("web.pcapng").connections).toHaveLength(1)
    expect(streamsOf(captured("web.pcapng").connections[0]!)[1]).toBe(
      Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n").toString("hex"),
    )
    web.close()
    const server = await serving()
    expect((await connecting(server.port, "--pcap", at("failed.pcapng"))).status).toBe(1)
    await expect.poll(() => captured("failed.pcapng").connections[0]?.fromClient.ended).toBe(true)
    expect(captured("failed.pcapng").keyLog).toContain("SERVER_HANDSHAKE_TRAFFIC_SECRET ")
  })

  it("has a handshake that does not go on after a second", async () => {
    const server = await serving("--pcap", at("slow.pcapng"))
    const silent = connectTcp({ port: server.port, host: "127.0.0.1" }).on("error", () => undefined)
    silent.write(Uint8Array.of(22, 3, 1, 2, 0, 1))
    await expect
      .poll(() => captured("slow.pcapng").connections.map((each) => streamsOf(each)[0]))
      .toEqual(["160301020001"])
    silent.destroy()
  })
})

describe("--explore", () => {
  it("has the events of a connection, at each end in a file of its own", async () => {
    const server = await serving("--explore", at("server.json"))
    const client = await connecting(server.port, ...trust, "--explore", at("client.json"), "--pcap", at("both.pcapng"))
    expect(client.said[0]).toBe(
      `WARNING: ${at("both.pcapng")} and ${at("client.json")} hold all secrets: WHO HAS THEM READS EVERYTHING. Not for production (RFC 9850 section 1.1); delete them afterwards`,
    )
    expect(server.said).toContain(warning("server.json"))
    expect([modeOf("client.json"), modeOf("server.json")]).toEqual([0o600, 0o600])
    const [ours, theirs] = [saved("client.json"), saved("server.json")]
    expect([ours.role, ours.omitted, theirs.role]).toEqual(["client", 0, "server"])
    expect(Math.abs(ours.started - Date.now())).toBeLessThan(60_000)
    const secretsOf = ({ events }: typeof ours) =>
      events.flatMap(({ event }) => (event.type === "secret" && event.name === "main_secret" ? [event.secret] : []))
    expect(secretsOf(ours)).toHaveLength(1)
    expect(secretsOf(theirs)).toEqual(secretsOf(ours))
    expect(ours.events.at(0)!.event).toMatchObject({ type: "message", name: "client_hello", direction: "sent" })
    expect(ours.events.map((each) => each.at)).toEqual(ours.events.map((each) => each.at).sort((a, b) => a - b))
  })

  it("each later connection has a file with a number", async () => {
    const server = await serving("--explore", at("served.json"))
    const client = await connecting(server.port, ...trust, "--explore", at("traced"), "--reconnect", "1")
    expect(client.status).toBe(0)
    // A client's first secrets are older than its ClientHello.
    const randoms = ["served.json", "served-2.json", "traced", "traced-2"].map((name) =>
      saved(name).events.flatMap(({ event }) =>
        event.type === "secret" ? [Buffer.from(event.clientRandom).toString("hex")] : [],
      ),
    )
    const [first, second] = [randoms[0]!.at(-1), randoms[1]!.at(-1)]
    expect(first).not.toBe(second)
    expect([randoms[2]!.at(-1), randoms[3]!.at(-1)]).toEqual([first, second])
  })

  it.each([
    ["trace.json", 1, "trace.json"],
    ["trace.json", 2, "trace-2.json"],
    ["a.b/trace", 3, "a.b/trace-3"],
    ["./x/.trace", 4, "./x/.trace-4"],
    ["/tmp/a.tar.gz", 10, "/tmp/a.tar-10.gz"],
  ])("%s, the file of connection %i is %s", (path, number, name) => {
    expect(numbered(path, number)).toBe(name)
  })

  it("a server writes so many files at most, and each is whole after each event", () => {
    const io = terminal()
    const recording = new Recording(readArguments(serveCommand, ["--explore", at("many.json")]), "server", io.say)
    const sinks: TraceSink[] = []
    for (let i = 0; i < mostTraces + 3; i++) {
      const sink = recording.trace(new EventEmitter() as TLSSocket)
      if (sink !== undefined) sinks.push(sink)
    }
    expect(sinks).toHaveLength(mostTraces)
    expect(existsSync(at(`many-${mostTraces}.json`))).toBe(true)
    expect(existsSync(at(`many-${mostTraces + 1}.json`))).toBe(false)
    expect(io.said.slice(1)).toEqual([
      `--explore has written ${mostTraces} files; the connections from here on are in none`,
    ])
    everyKindOfEvent.forEach((event, i) => {
      sinks[0]!(event)
      expect(saved("many.json").events).toHaveLength(i + 1)
    })
    expect(saved("many.json").events.map(({ event }) => event)).toEqual(everyKindOfEvent)
    expect(saved("many-2.json").events).toEqual([])
  })

  it("a file that is long enough counts what it has no more", () => {
    const recording = new Recording(
      readArguments(serveCommand, ["--explore", at("long.json")]),
      "server",
      () => undefined,
    )
    const sink = recording.trace(new EventEmitter() as TLSSocket)!
    // One of the longest that there can be; two are too many.
    const message = new Uint8Array(4 + 0xffffff)
    for (let i = 0; i < 2; i++) sink({ type: "message", direction: "sent", name: "certificate", message })
    sink(everyKindOfEvent[0]!)
    const { events, omitted } = saved("long.json")
    expect([events.length, omitted]).toEqual([1, 2])
  })
})

describe("files that cannot be written", () => {
  it("are refused before anything is connected", async () => {
    for (const option of ["--pcap", "--explore"]) {
      const absent = await connecting(1, option, join(folder, "no", "file"))
      expect([absent.status, absent.said]).toEqual([
        1,
        [`tls13: ${join(folder, "no", "file")} cannot be written: it does not exist`],
      ])
      const taken = await connecting(1, option, folder)
      expect([taken.status, taken.said]).toEqual([1, [`tls13: ${folder} cannot be written: it is a folder`]])
    }
  })

  it.skipIf(process.platform !== "linux")("or no longer, are told, once, and end no connection", async () => {
    const server = await serving()
    const { status, said } = await connecting(server.port, ...trust, "--pcap", "/dev/full", "--explore", "/dev/full")
    expect(status).toBe(0)
    const told = said.filter((line) => line.startsWith("/dev/full cannot be written: "))
    expect(told).toHaveLength(2)
    expect(told[0]).toMatch(/no space left on device.*; what comes now is not in it$/)
  })
})

// TLS sessions across the nodes of a cluster: two brokers on a nats-server, where there is one.

import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from "node:net"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { type ConnectOptions, connect, createServer, type Server, type TLSSocket } from "@puremq/tls13/node"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { openStreams } from "../../src/cluster/nats.ts"
import type { Streams } from "../../src/cluster/streams.ts"
import { ticketsSubject } from "../../src/cluster/ticket-secrets.ts"
import { decodeUtf8, encodeText } from "../../src/packet/bytes.ts"
import { connectNats } from "../../src/platform/nats-socket.ts"
import { createBroker, type PureMqBroker } from "../../src/platform/node.ts"
import type { Pause } from "../../src/ports/pause.ts"
import { NatsServers, natsServer, withoutNats } from "./nats-server.ts"

if (natsServer === undefined) it.skip(`TLS sessions go on at any node: ${withoutNats}`, () => {})

const answer = <Answer>(pause: Pause<Answer>) => new Promise<Answer>((resolve) => pause.onAnswer(resolve))
const pass = (time: number) => new Promise<void>((resolve) => setTimeout(resolve, time))

interface NodeOfTest {
  readonly broker: PureMqBroker
  /** Of its listener for MQTT. */
  readonly port: number
  /** A TLS server of the embedding program's own, which takes early data. */
  readonly own: Server
  readonly ownPort: number
  /** Early data that came there. */
  readonly early: string[]
}

describe.skipIf(natsServer === undefined)("two nodes on a nats-server", { timeout: 60_000 }, () => {
  const now = Date.now()
  const { serverCert, serverKey, caCert, clientCert, clientKey } = createDevelopmentCertificates({
    names: ["localhost"],
    clientName: "device-7",
    now,
  })
  const tls = { cert: serverCert, key: serverKey }
  let nats: NatsServers
  let streams: Streams
  let nodes: readonly NodeOfTest[] = []

  const start = async (): Promise<NodeOfTest> => {
    const broker = createBroker({
      cluster: { nats: nats.addresses, name: "tickets", partitions: 2 },
      listeners: [{ type: "tls", port: 0, ...tls, ca: caCert, clientCertificate: "require" }],
      sysInterval: 0,
    })
    const [listener] = await broker.listen()
    const { ticketKeys, replayGuard } = broker.resumption!
    const own = createServer({ ...tls, ticketKeys, earlyData: { maxBytes: 1000, replayGuard } })
    const early: string[] = []
    own.on("earlyData", (data) => early.push(data.toString()))
    own.on("secureConnection", (socket) => socket.resume())
    own.listen(0, "127.0.0.1")
    await once(own, "listening")
    return { broker, port: listener!.port, own, ownPort: (own.address() as AddressInfo).port, early }
  }

  beforeAll(async () => {
    nats = await NatsServers.start(1)
    nodes = await Promise.all([start(), start()])
    streams = await openStreams({ connect: connectNats, servers: nats.addresses, cluster: "tickets", partitions: 2 })
  }, 60_000)
  afterAll(async () => {
    for (const { broker, own } of nodes) {
      own.close()
      await broker.close()
    }
    if (streams !== undefined) await answer(streams.close())
    await nats?.stop()
  })

  const open = (port: number, options: ConnectOptions = {}): TLSSocket => {
    const socket = connect({ host: "127.0.0.1", servername: "localhost", port, ca: caCert, ...options })
    socket.on("error", () => {})
    return socket
  }
  const mutual = { cert: clientCert, key: clientKey, ALPNProtocols: ["mqtt"] }

  /** A ticket. */
  const visit = async (port: number, options: ConnectOptions = {}): Promise<Buffer> => {
    const socket = open(port, options)
    const [session] = await once(socket, "session")
    socket.destroy()
    return session
  }
  const resumes = async (port: number, session: Buffer, options: ConnectOptions = {}): Promise<boolean> => {
    const socket = open(port, { ...options, session })
    await once(socket, "secureConnect")
    const resumed = socket.isSessionReused()
    socket.destroy()
    return resumed
  }

  const record = async () => {
    const message = await answer(streams.last(0, ticketsSubject))
    if (message === undefined || "failed" in message) throw new Error("there is no record")
    return { sequence: message.sequence, value: JSON.parse(decodeUtf8(message.data, 0, message.data.length)) }
  }
  const write = async (change: (secrets: { secret: string; from: number }[]) => unknown[]) => {
    const { sequence: expected, value } = await record()
    const data = encodeText(JSON.stringify({ ...value, secrets: change(value.secrets) }))
    expect(
      await answer(streams.append(0, [{ subject: ticketsSubject, headers: {}, data, rollup: true, expected }])),
    ).toHaveProperty("last")
    streams.tell("tickets", {}, new Uint8Array(0))
    await pass(300)
  }

  /** The client's first flight, as anybody on the path can record it. */
  const recordFlight = async (session: Buffer, data: string): Promise<Buffer> => {
    const parts: Buffer[] = []
    const recorder = createTcpServer((socket) => socket.on("data", (bytes) => parts.push(bytes)).on("error", () => {}))
    recorder.listen(0, "127.0.0.1")
    await once(recorder, "listening")
    const socket = open((recorder.address() as AddressInfo).port, { session, earlyData: Buffer.from(data) })
    for (const end = performance.now() + 5000; performance.now() < end && !hasData(Buffer.concat(parts)); ) {
      await pass(10)
    }
    socket.destroy()
    recorder.close()
    return Buffer.concat(parts)
  }
  /** Plays it, and waits for the server's answer. */
  const play = async (port: number, flight: Buffer): Promise<void> => {
    const socket = connectTcp(port, "127.0.0.1")
    socket.write(flight)
    await once(socket, "data")
    await pass(100)
    socket.destroy()
  }

  it("a ticket of one resumes at the other, with its client's certificate", async () => {
    const [a, b] = nodes as [NodeOfTest, NodeOfTest]
    const session = await visit(a.port, mutual)
    expect(await resumes(b.port, session, mutual)).toBe(true)
    const back = await visit(b.port, mutual)
    expect(await resumes(a.port, back, mutual)).toBe(true)
  })

  it("a ticket of a listener with keys of its own is that listener's, and one of others no use to it", async () => {
    const [a, b] = nodes as [NodeOfTest, NodeOfTest]
    const shared = await visit(a.ownPort)
    expect(await resumes(b.ownPort, shared)).toBe(true)
    const alone = createBroker({
      cluster: { nats: nats.addresses, name: "tickets", partitions: 2 },
      listeners: [{ type: "tls", port: 0, ...tls, tickets: { keys: randomBytes(48) } }],
      sysInterval: 0,
    })
    const [listener] = await alone.listen()
    const options = { ALPNProtocols: ["mqtt"] }
    const own = await visit(listener!.port, options)
    expect(await resumes(listener!.port, own, options)).toBe(true)
    expect(await resumes(b.ownPort, own)).toBe(false)
    expect(await resumes(listener!.port, shared, options)).toBe(false)
    await alone.close()
  })

  it("tickets of before a change of the secret resume as long as the old one is kept", async () => {
    const [a, b] = nodes as [NodeOfTest, NodeOfTest]
    const before = [await visit(a.ownPort), await visit(a.ownPort), await visit(b.ownPort)] as const
    await write((secrets) => [{ secret: randomBytes(32).toString("hex"), from: Date.now() }, ...secrets])
    expect(await resumes(b.ownPort, before[0])).toBe(true)
    const after = await visit(a.ownPort)
    await write(([newer]) => [newer])
    expect(await resumes(b.ownPort, after)).toBe(true)
    expect(await resumes(b.ownPort, before[1])).toBe(false)
    expect(await resumes(a.ownPort, before[2])).toBe(false)
  })

  it("the same flight with early data is taken once, whichever gets it first", async () => {
    const [a, b] = nodes as [NodeOfTest, NodeOfTest]
    for (const [order, from] of [
      ["first", a],
      ["second", b],
    ] as const) {
      const flight = await recordFlight(await visit(from.ownPort), order)
      expect(hasData(flight)).toBe(true)
      await Promise.all([play(a.ownPort, flight), play(b.ownPort, flight)])
      await play(a.ownPort, flight)
      await play(b.ownPort, flight)
      expect([...a.early, ...b.early].filter((data) => data === order)).toEqual([order])
    }
  })

  it("while the servers are away tickets go on, and early data is refused and not lost with its handshake", async () => {
    const [a, b] = nodes as [NodeOfTest, NodeOfTest]
    const sessions = [await visit(a.ownPort), await visit(a.ownPort)] as const
    const early = async (session: Buffer, data: string) => {
      const socket = open(b.ownPort, { session, earlyData: Buffer.from(data) })
      await once(socket, "secureConnect")
      const { info } = socket
      socket.destroy()
      return info
    }
    await nats.kill(0)
    await pass(100)
    expect(await early(sessions[0], "away")).toMatchObject({ resumed: true, earlyData: "rejected" })
    expect(await resumes(a.ownPort, await visit(b.ownPort))).toBe(true)
    await nats.restart(0)
    for (const end = performance.now() + 10_000; performance.now() < end && !streams.reachable; ) await pass(20)
    await pass(1000)
    expect(await early(sessions[1], "back")).toMatchObject({ resumed: true, earlyData: "accepted" })
    expect([...a.early, ...b.early].filter((data) => data === "away" || data === "back")).toEqual(["back"])
  })
})

/** A whole record of application data (23) is among them. */
function hasData(records: Buffer): boolean {
  for (let at = 0; at + 5 <= records.length; ) {
    const end = at + 5 + records.readUInt16BE(at + 3)
    if (records[at] === 23 && end <= records.length) return true
    at = end
  }
  return false
}

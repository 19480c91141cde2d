// 0-RTT data that is refused or comes twice: RFC 9846 sections 4.3.10, 8.1 and 8.2.

import { once } from "node:events"
import { connect as connectTcp, createServer as createTcpServer } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import { connect } from "../src/adapters/node/connect.ts"
import { createServer, type Server, type TlsServerOptions } from "../src/adapters/node/server.ts"
import { ContentType } from "../src/bytes/code-points.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { createDevelopmentCertificates } from "../src/devcert/index.ts"
import { MemoryReplayGuard } from "../src/session/replay-guard.ts"
import { Pair, received } from "../src/testing/pair.ts"
import {
  type Cast,
  clientOptions,
  expectRefused,
  openGuard,
  serverOptions,
  serverUnderTest,
  sessionFor,
  start,
  storeOf,
  ticketer,
} from "./support.ts"
import { plainSocket, portOf, until } from "./tools/sockets.ts"

describe("RFC 9846 4.3.10: early data that the server refuses is skipped, up to max_early_data_size", () => {
  const refusing = { take: () => false }
  const maxBytes = 60_000
  const session = sessionFor({ server: { earlyData: { maxBytes, replayGuard: refusing } } })

  function send(length: number) {
    const client = createClientConfig({ ...clientOptions, earlyData: true, sessionStore: storeOf(session) })
    const server = createServerConfig({ ...serverOptions, ticketer, earlyData: { maxBytes, replayGuard: refusing } })
    const pair = new Pair(new ClientConnection(client, start), new ServerConnection(server, start), start)
    pair.take(pair.client, pair.client.connection.start())
    pair.take(pair.client, pair.client.connection.sendEarlyData(new Uint8Array(length)))
    return pair.run().server.connection
  }

  it("also where that is more than the skipping of a server that takes none", () => {
    const server = send(maxBytes)
    expect(server.failure).toBeUndefined()
    expect(server.info).toMatchObject({ resumed: true, earlyData: "rejected" })
  })
})

describe("RFC 8449 4: early data was sent before the client could know of a record_size_limit", () => {
  const recordSizeLimit = 512
  const session = sessionFor({ server: { earlyData: { maxBytes: 1000, replayGuard: openGuard } } })

  function send(accepted: boolean) {
    const earlyData = { maxBytes: 1000, replayGuard: { take: () => accepted } }
    const store = storeOf(session)
    const client = createClientConfig({ ...clientOptions, earlyData: true, sessionStore: store, recordSizeLimit })
    const server = createServerConfig({ ...serverOptions, ticketer, earlyData, recordSizeLimit })
    const pair = new Pair(new ClientConnection(client, start), new ServerConnection(server, start), start)
    pair.take(pair.client, pair.client.connection.start())
    pair.take(pair.client, pair.client.connection.sendEarlyData(new Uint8Array(900)))
    return pair.run()
  }

  it("so longer records of it are taken", () => {
    const { server } = send(true)
    expect(server.connection.failure).toBeUndefined()
    expect(received(server, "early-data")).toHaveLength(900)
  })

  it("so longer records of it are skipped, where it is refused", () => {
    const { server } = send(false)
    expect(server.connection.failure).toBeUndefined()
    expect(server.connection.info).toMatchObject({ earlyData: "rejected" })
  })

  it.each([true, false])("and what comes after it keeps to the limit (early data taken: %s)", (accepted) => {
    const given: Cast = {
      client: { earlyData: true, sessionStore: storeOf(session), recordSizeLimit },
      server: { ticketer, earlyData: { maxBytes: 1000, replayGuard: { take: () => accepted } }, recordSizeLimit },
    }
    const puppet = serverUnderTest(given).deliverUntil("finished")
    expect(puppet.state).toBe("WAIT_FINISHED")
    puppet.send(ContentType.handshake, new Uint8Array(recordSizeLimit))
    expectRefused(puppet, "record_overflow", "PeerMisbehaved")
  })
})

describe("RFC 9846 8.2: a clock that goes back brings back what was forgotten", () => {
  it("so nothing is let through until the clock has come again to where it was", () => {
    const guard = new MemoryReplayGuard()
    const [first, other] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const window = 20_001
    expect(guard.take(first, start + window, start)).toBe(true)
    // Somebody sets the clock an hour ahead, a handshake comes, and the clock is set right.
    const ahead = start + 3_600_000
    expect(guard.take(other, ahead + window, ahead)).toBe(true)
    expect(guard.take(first, start + 100 + window, start + 100)).toBe(false)
    expect(guard.take(new Uint8Array(32).fill(3), ahead + 1 + window, ahead + 1)).toBe(true)
  })
})

describe("RFC 9846 8.2: a server that was started anew with the ticket keys of before", () => {
  const pem = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
  const servers: Server[] = []
  const serve = async () => {
    const options: TlsServerOptions = {
      cert: pem.serverCert,
      key: pem.serverKey,
      ticketKeys: new Uint8Array(48).fill(9),
      earlyData: { maxBytes: 1000 },
    }
    const seen: string[] = []
    const reports: boolean[] = []
    const server = createServer(options, (socket) => socket.resume())
    server.on("earlyData", (data) => seen.push(data.toString()))
    server.on("handshake", ({ ok }) => reports.push(ok))
    servers.push(server)
    return { server, seen, reports, port: await portOf(server) }
  }
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  it("does not take 0-RTT data that the one before may have taken", async () => {
    const before = await serve()
    const first = connect({ port: before.port, ca: pem.caCert })
    const [session] = await once(first, "session")
    first.destroy()
    // What a network sees of the client's second connection, whose 0-RTT data never reaches the first server here.
    const recorded: Buffer[] = []
    const tap = createTcpServer((socket) => {
      socket.on("error", () => undefined)
      socket.on("data", (bytes: Buffer) => recorded.push(bytes))
    })
    tap.listen(0, "127.0.0.1")
    await once(tap, "listening")
    const address = tap.address()
    const raw = connectTcp({ port: typeof address === "object" ? address!.port : 0, host: "127.0.0.1" })
    const early = Buffer.from("pay 100")
    const second = connect({ socket: raw, host: "localhost", ca: pem.caCert, session, earlyData: early })
    second.on("error", () => undefined)
    await until(() => Buffer.concat(recorded).length > 300)
    second.destroy()
    tap.close()

    const after = await serve()
    const replay = await plainSocket(after.port)
    replay.on("error", () => undefined)
    replay.write(Buffer.concat(recorded))
    await once(replay, "data")
    replay.destroy()
    await until(() => after.reports.length > 0)
    expect(after.seen).toEqual([])
  })
})

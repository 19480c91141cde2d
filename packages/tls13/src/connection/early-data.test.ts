// 0-RTT between several servers, and its exporter: RFC 9846 sections 7.5 and 8.

import { describe, expect, it } from "vitest"
import { always, testCredential, testVerifier } from "../../tests/tools/credentials.ts"
import { toHex } from "../bytes/hex.ts"
import { asciiToBytes } from "../bytes/text.ts"
import { createNobleProvider, generateEcKey, publicKeyOf } from "../crypto/noble/index.ts"
import type { ServerOptions } from "../handshake/options.ts"
import { MemorySessionStore } from "../session/client-store.ts"
import { MemoryReplayGuard } from "../session/replay-guard.ts"
import { TicketKeyRing } from "../session/ticket-keys.ts"
import { MemoryTicketStore } from "../session/ticket-store.ts"
import { Pair, received } from "../testing/pair.ts"
import { ClientConnection } from "./client-connection.ts"
import { type ClientConfig, createClientConfig, createServerConfig, type ServerConfig } from "./config.ts"
import { ServerConnection } from "./server-connection.ts"

const provider = createNobleProvider()
const aead = provider.cipherSuites[0]!.aead
const key = generateEcKey("P-256", provider.random)
const start = 1_800_000_000_000
const order = asciiToBytes("order one")

function server(options: Partial<ServerOptions>): ServerConfig {
  const credentials = always(testCredential(key, publicKeyOf(key)))
  return createServerConfig({ provider, credentials, tickets: 1, ...options })
}

function client(sessionStore: MemorySessionStore): ClientConfig {
  const verifier = testVerifier(publicKeyOf(key))
  return createClientConfig({ provider, serverName: "server.test", verifier, sessionStore, earlyData: true })
}

/** A client that was at this server before. */
function known(at: ServerConfig): ClientConfig {
  const config = client(new MemorySessionStore())
  new Pair(new ClientConnection(config, start), new ServerConnection(at, start), start).handshake()
  return config
}

/** A client's first flight with 0-RTT data, as anybody on the path can record it. */
function recordFlight(config: ClientConfig): Uint8Array {
  const connection = new ClientConnection(config, start)
  const [hello, data] = [connection.start().output, connection.sendEarlyData(order).output]
  return Uint8Array.of(...hello, ...data)
}

/** What a server takes of a flight. */
function earlyDataOf(config: ServerConfig, flight: Uint8Array): Uint8Array[] {
  const { events } = new ServerConnection(config, start).receive(flight, start)
  return events.flatMap((event) => (event.type === "early-data" ? [event.data] : []))
}

describe("RFC 9846 8: a recorded 0-RTT flight", () => {
  // Requirement 8-2
  it("8.2: is taken once by servers that share a replay guard, whichever gets it", () => {
    const replayGuard = new MemoryReplayGuard()
    const ring = new TicketKeyRing({ aead, random: provider.random })
    const here = server({ ticketer: ring, earlyData: { maxBytes: 1000, replayGuard } })
    const config = known(here)
    const elsewhere = new TicketKeyRing({ aead, random: provider.random, keys: ring.keys })
    const there = server({ ticketer: elsewhere, earlyData: { maxBytes: 1000, replayGuard } })
    const flight = recordFlight(config)
    expect(earlyDataOf(there, flight)).toEqual([order])
    expect(earlyDataOf(here, flight)).toEqual([])
    expect(earlyDataOf(there, flight)).toEqual([])
  })

  it("8: is taken once by each of the servers that do not share one, which is why they must", () => {
    const ring = new TicketKeyRing({ aead, random: provider.random })
    const alone = () => server({ ticketer: ring, earlyData: { maxBytes: 1000, replayGuard: new MemoryReplayGuard() } })
    const [here, there] = [alone(), alone()]
    const flight = recordFlight(known(here))
    expect([earlyDataOf(here, flight), earlyDataOf(there, flight)]).toEqual([[order], [order]])
  })

  it("8.1: finds no ticket in a store of single-use ones", () => {
    const ticketer = new MemoryTicketStore({ random: provider.random })
    const config = server({ ticketer, earlyData: { maxBytes: 1000, replayGuard: { take: () => true } } })
    const flight = recordFlight(known(config))
    expect([earlyDataOf(config, flight), earlyDataOf(config, flight)]).toEqual([[order], []])
  })
})

describe("RFC 9846 7.5: the early exporter", () => {
  const ticketer = new TicketKeyRing({ aead, random: provider.random })
  const takes = server({ ticketer, earlyData: { maxBytes: 1000, replayGuard: { take: () => true } } })
  const ofEarly = (connection: ClientConnection | ServerConnection, label = "EXPORTER-test") =>
    toHex(connection.exportEarlyKeyingMaterial(label, asciiToBytes("context"), 24))

  function connect(clientConfig: ClientConfig, serverConfig: ServerConfig) {
    const pair = new Pair(new ClientConnection(clientConfig, start), new ServerConnection(serverConfig, start), start)
    pair.take(pair.client, pair.client.connection.start())
    pair.take(pair.client, pair.client.connection.sendEarlyData(order))
    return pair
  }

  it("gives both sides the same, the client before the server has answered", () => {
    const pair = connect(known(takes), takes)
    const early = ofEarly(pair.client.connection)
    expect(early).toHaveLength(48)
    pair.run()
    expect(received(pair.server, "early-data")).toEqual(order)
    expect(ofEarly(pair.server.connection)).toBe(early)
    expect(ofEarly(pair.client.connection)).toBe(early)
  })

  // Requirement 7.5-1
  it("gives something else for another label, and than the exporter", () => {
    const { server } = connect(known(takes), takes).run()
    const late = toHex(server.connection.exportKeyingMaterial("EXPORTER-test", asciiToBytes("context"), 24))
    expect(new Set([late, ofEarly(server.connection), ofEarly(server.connection, "EXPORTER-other")]).size).toBe(3)
  })

  it("gives nothing when the server refused the data", () => {
    const config = known(takes)
    const pair = connect(config, server({ ticketer }))
    ofEarly(pair.client.connection)
    pair.run()
    expect(pair.client.connection.info).toMatchObject({ resumed: true, earlyData: "rejected" })
    expect(() => ofEarly(pair.client.connection)).toThrow(/0-RTT/)
    expect(() => ofEarly(pair.server.connection)).toThrow(/0-RTT/)
  })

  it("gives nothing without 0-RTT data, and after the end", () => {
    const pair = new Pair(
      new ClientConnection(client(new MemorySessionStore()), start),
      new ServerConnection(takes, start),
      start,
    )
    expect(() => ofEarly(pair.handshake().client.connection)).toThrow(/0-RTT/)
    const early = connect(known(takes), takes).run()
    early.server.connection.destroy()
    expect(() => ofEarly(early.server.connection)).toThrow(/0-RTT/)
  })
})

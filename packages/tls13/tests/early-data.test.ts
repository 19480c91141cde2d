// 0-RTT data: RFC 9846 sections 2.3, 4.3.10, 4.6 and 8. Taken, refused for each reason there is, bounded by bytes, and never
// taken twice.

import { describe, expect, it } from "vitest"
import { ContentType } from "../src/bytes/code-points.ts"
import { Misuse } from "../src/bytes/errors.ts"
import { fromHex } from "../src/bytes/hex.ts"
import { utf8ToBytes } from "../src/bytes/text.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import type { ConnectionEvent } from "../src/connection/events.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import type { ClientOptions, ServerOptions } from "../src/handshake/options.ts"
import { MemoryPskStore } from "../src/session/psk-store.ts"
import { MemoryReplayGuard } from "../src/session/replay-guard.ts"
import type { ClientSession } from "../src/session/session.ts"
import {
  type Cast,
  clientOptions,
  clientUnderTest,
  early,
  expectRefused,
  openGuard,
  resumed,
  serverOptions,
  serverUnderTest,
  sessionFor,
  start,
  storeOf,
  takesEarlyData,
  ticketer,
} from "./support.ts"
import { editExtensions, editServerHello, setExtension } from "./tools/edit.ts"

const request = utf8ToBytes("GET /early")
const session = sessionFor({ server: { earlyData: takesEarlyData } })
const refusing = { maxBytes: 1000, replayGuard: { take: () => false } } as const

/* ---------------------------------------------------------------- two ends and their bytes */

interface Ends {
  readonly client: ClientConnection
  readonly server: ServerConnection
  readonly clientEvents: ConnectionEvent[]
  readonly serverEvents: ConnectionEvent[]
  /** ClientHello and early data. */
  readonly firstFlight: Uint8Array
}

interface Play {
  readonly client?: Partial<ClientOptions>
  readonly server?: Partial<ServerOptions>
  /** The server has no option for early data at all. */
  readonly takesNone?: true
  readonly session?: ClientSession
  readonly data?: Uint8Array
  readonly clientNow?: number
  readonly serverNow?: number
}

const clientConfig = ({ client, session: with_ = session }: Play) =>
  createClientConfig({ ...clientOptions, earlyData: true, sessionStore: storeOf(with_), ...client })
const serverConfig = ({ server, takesNone }: Play) =>
  createServerConfig({ ...serverOptions, ticketer, ...(!takesNone && { earlyData: takesEarlyData }), ...server })

/** A whole handshake over the real bytes, with early data as soon as it may be sent. */
function play(options: Play = {}): Ends {
  const { data = request, clientNow = start, serverNow = start } = options
  const client = new ClientConnection(clientConfig(options), clientNow)
  const server = new ServerConnection(serverConfig(options), serverNow)
  const [clientEvents, serverEvents]: [ConnectionEvent[], ConnectionEvent[]] = [[], []]
  const started = client.start()
  clientEvents.push(...started.events)
  let toServer = started.output
  if (client.earlyDataWritable >= data.length) toServer = join(toServer, client.sendEarlyData(data).output)
  const firstFlight = toServer
  while (toServer.length > 0) {
    const fromServer = server.receive(toServer, serverNow)
    serverEvents.push(...fromServer.events)
    const fromClient = client.receive(fromServer.output, clientNow)
    clientEvents.push(...fromClient.events)
    toServer = fromClient.output
  }
  return { client, server, clientEvents, serverEvents, firstFlight }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

const earlyDataOf = (events: readonly ConnectionEvent[]) =>
  join(...events.flatMap((event) => (event.type === "early-data" ? [event.data] : [])))
const dataOf = (events: readonly ConnectionEvent[]) =>
  join(...events.flatMap((event) => (event.type === "data" ? [event.data] : [])))

/** Both ends are connected, and can talk. */
function expectConnected({ client, server }: Ends): void {
  expect([client.failure, server.failure]).toEqual([undefined, undefined])
  const { output } = client.send(utf8ToBytes("later"))
  expect(dataOf(server.receive(output, start).events)).toEqual(utf8ToBytes("later"))
  expect(dataOf(client.receive(server.send(utf8ToBytes("answer")).output, start).events)).toEqual(utf8ToBytes("answer"))
}

/* ---------------------------------------------------------------- taken */

describe("early data is taken", () => {
  // Requirements 4.3.10-4, 4.6-1, F.5-4 (server)
  it("RFC 9846 2.3: and told apart from other data", () => {
    const ends = play()
    expectConnected(ends)
    expect(earlyDataOf(ends.serverEvents)).toEqual(request)
    expect(dataOf(ends.serverEvents)).toHaveLength(0)
    expect(ends.server.info).toMatchObject({ earlyData: "accepted", resumed: true })
    expect(ends.client.info).toMatchObject({ earlyData: "accepted", resumed: true })
    expect(ends.clientEvents).toContainEqual({ type: "early-data-decided", accepted: true })
    // It came before the client was authenticated: the application can see the order.
    const types = ends.serverEvents.map(({ type }) => type)
    expect(types.indexOf("early-data")).toBeLessThan(types.indexOf("connected"))
  })

  it("RFC 9846 4.7.1: up to max_early_data_size, to the byte", () => {
    const ends = play({ data: new Uint8Array(1000).fill(7) })
    expectConnected(ends)
    expect(earlyDataOf(ends.serverEvents)).toHaveLength(1000)
  })

  it("with the application protocol of its session", () => {
    const alpn = { client: { alpnProtocols: ["mqtt"] }, server: { alpnProtocols: ["mqtt"], earlyData: takesEarlyData } }
    const ends = play({ ...alpn, session: sessionFor(alpn) })
    expect(ends.server.info).toMatchObject({ earlyData: "accepted", alpnProtocol: "mqtt" })
  })

  // Requirement 4.3.10-3
  it("RFC 9846 8.3: when the ticket's age is off by no more than the window", () => {
    for (const skew of [-10_000, 10_000]) {
      expect(play({ clientNow: start + 60_000, serverNow: start + 60_000 + skew }).server.info).toMatchObject({
        earlyData: "accepted",
      })
    }
  })

  it("in a PSK handshake without early data, nothing is early", () => {
    const ends = play({ client: { earlyData: false } })
    expect(ends.server.info).toMatchObject({ earlyData: "not offered", resumed: true })
    expect(ends.client.earlyDataWritable).toBe(0)
  })
})

describe("the client", () => {
  it("RFC 9846 4.7.1: sends no more than the ticket allows", () => {
    const client = new ClientConnection(clientConfig({}), start)
    client.start()
    expect(client.earlyDataWritable).toBe(1000)
    client.sendEarlyData(new Uint8Array(600))
    expect(client.earlyDataWritable).toBe(400)
    expect(() => client.sendEarlyData(new Uint8Array(401))).toThrow(Misuse)
    client.sendEarlyData(new Uint8Array(400))
    expect(() => client.sendEarlyData(new Uint8Array(1))).toThrow(/no early data may be sent now/)
  })

  // Requirements 4.3.10-1, 5.5-2
  it("RFC 9846 5.5: sends no more than its early key may seal, as no key update can come in between", () => {
    const client = new ClientConnection(clientConfig({ client: { limits: { recordsPerKey: 8 } } }), start)
    const server = new ServerConnection(serverConfig({}), start)
    const flight = [client.start().output]
    let sent = 0
    while (client.earlyDataWritable > 0) {
      flight.push(client.sendEarlyData(Uint8Array.of(sent++)).output)
    }
    // Two are left: EndOfEarlyData, and an alert if need be.
    expect(sent).toBe(6)
    expect(() => client.sendEarlyData(request)).toThrow(Misuse)
    const answer = server.receive(join(...flight), start)
    expect(earlyDataOf(answer.events)).toHaveLength(6)
    server.receive(client.receive(answer.output, start).output, start)
    expect([client.info, server.info]).toMatchObject([{ earlyData: "accepted" }, { earlyData: "accepted" }])
  })

  it("sends none when its session allows none, was made for another protocol, or it does not want to", () => {
    const plain = sessionFor()
    const cases: Play[] = [{ session: plain }, { client: { alpnProtocols: ["h2"] } }, { client: { earlyData: false } }]
    for (const options of cases) {
      const client = new ClientConnection(clientConfig(options), start)
      client.start()
      expect(client.earlyDataWritable).toBe(0)
      expect(() => client.sendEarlyData(request)).toThrow(Misuse)
    }
  })

  it("RFC 9846 4.3.10: nor an empty record of it, when and where none may be sent", () => {
    const nothing = new Uint8Array(0)
    const none = /no early data may be sent now/
    const started = new ClientConnection(clientConfig({ client: { earlyData: false } }), start)
    started.start()
    expect(() => started.sendEarlyData(nothing)).toThrow(none)
    expect(started.failure).toBeUndefined()
    const unstarted = new ClientConnection(clientConfig({}), start)
    expect(() => unstarted.sendEarlyData(nothing)).toThrow(none)
    const serving = new ServerConnection(serverConfig({}), start)
    expect(() => serving.sendEarlyData(nothing)).toThrow(none)

    // Refused by EncryptedExtensions: a record now would be one of application data under handshake keys.
    const { subject } = clientUnderTest(early({ server: { earlyData: refusing } })).deliverUntil("finished")
    expect(subject.info).toBeUndefined()
    expect(() => subject.sendEarlyData(nothing)).toThrow(none)
    expect(subject.failure).toBeUndefined()
  })

  it("RFC 9846 4.6: EndOfEarlyData comes under the early keys, in a record of its own", () => {
    const puppet = serverUnderTest(early())
    puppet.deliver()
    const names = puppet.parts.map(({ name }) => name)
    expect(names).toEqual(["end_of_early_data", "finished"])
  })

  const acceptsEarlyData = (name: string, message: Uint8Array) =>
    name === "encrypted_extensions"
      ? editExtensions(message, (list) => setExtension(list, "early_data", new Uint8Array(0)))
      : message
  const forged = (edit: (name: string, message: Uint8Array) => Uint8Array, cast: Cast = {}) =>
    clientUnderTest({ ...early(cast), rewrite: edit })

  it("RFC 9846 4.3.10: refuses early_data with another suite than the ticket's: illegal_parameter", () => {
    // The client remembers ChaCha20-Poly1305; the server's ticket says AES-128-GCM, with the same hash.
    const { client, server } = early()
    const puppet = clientUnderTest({
      client: {
        ...client,
        cipherSuites: ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"],
        sessionStore: storeOf({ ...session, cipherSuite: 0x1303 }),
      },
      server: { ...server, earlyData: refusing },
      rewrite: acceptsEarlyData,
    }).run()
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /another cipher suite/)
  })

  it("RFC 9846 4.3.10: refuses early_data for another application protocol than the ticket's: illegal_parameter", () => {
    const alpn = { client: { alpnProtocols: ["mqtt", "h2"] }, server: { alpnProtocols: ["mqtt"] } }
    const puppet = forged(
      (name, message) =>
        name === "encrypted_extensions"
          ? editExtensions(message, (list) =>
              setExtension(list, "application_layer_protocol_negotiation", fromHex("0003026832")),
            )
          : message,
      alpn,
    ).run()
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /another application protocol/)
  })

  // Requirement 4.3.11-8
  it("RFC 9846 4.3.10: refuses early_data beside another PSK than the first: illegal_parameter", () => {
    const { client, server } = early()
    const psk = {
      identity: utf8ToBytes("device"),
      key: new Uint8Array(32).fill(1),
      hash: "sha256",
      kind: "external",
    } as const
    const strange = { ...session, ticket: Uint8Array.of(1, 2, 3) }
    const puppet = clientUnderTest({
      client: { ...client, sessionStore: storeOf(strange), externalPsks: [psk] },
      server: { ...server, externalPsks: new MemoryPskStore([psk]) },
      rewrite: acceptsEarlyData,
    }).run()
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /without selecting the first PSK/)
  })

  it("RFC 9846 4.3.10: refuses early_data when no PSK was selected: illegal_parameter", () => {
    const puppet = clientUnderTest({
      ...early({ server: { ticketer } }),
      server: { earlyData: takesEarlyData },
      rewrite: acceptsEarlyData,
    }).run()
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved")
  })

  it("RFC 9846 4.3.10: refuses early_data after a HelloRetryRequest: unsupported_extension", () => {
    const { client, server } = early({ client: { groups: ["x25519", "secp256r1"] } })
    const puppet = clientUnderTest({
      client: client!,
      server: { ...server, groups: ["secp256r1"] },
      rewrite: acceptsEarlyData,
    }).run()
    expectRefused(puppet, "unsupported_extension", "PeerMisbehaved")
  })

  it("RFC 9846 4.3.11: refuses a PSK in ServerHello beyond those it offered, with early data on its way", () => {
    const puppet = clientUnderTest(early())
    puppet.message(
      editServerHello(puppet.drop("server_hello"), ({ extensions }) =>
        setExtension(extensions, "pre_shared_key", fromHex("0001")),
      ),
    )
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved")
  })
})

/* ---------------------------------------------------------------- refused */

describe("early data is refused, the handshake is not", () => {
  const psk = {
    identity: utf8ToBytes("device"),
    key: new Uint8Array(32).fill(1),
    hash: "sha256",
    kind: "external",
  } as const
  const alpn = {
    client: { alpnProtocols: ["mqtt", "h2"] },
    server: { alpnProtocols: ["mqtt"], earlyData: takesEarlyData },
  }
  const reasons: readonly (readonly [why: string, options: Play, resumes: boolean])[] = [
    // Requirements 4.3.10-4, 4.6-2, 4.3.10-12
    ["when the server does not take any", { takesNone: true }, true],
    // Requirements 8.2-1, 4.3.10-9
    ["RFC 9846 8.1: when the replay guard says no", { server: { earlyData: refusing } }, true],
    // Requirements 4.3.10-3, 4.3.10-9
    [
      "RFC 9846 8.3: when the client's clock says that the ticket is older",
      { clientNow: start + 70_001, serverNow: start + 60_000 },
      true,
    ],
    // Requirement 4.3.10-3
    [
      "RFC 9846 8.3: when the client's clock says that the ticket is younger",
      { clientNow: start + 49_999, serverNow: start + 60_000 },
      true,
    ],
    [
      "when the window is narrower than the difference",
      { clientNow: start + 101, serverNow: start, server: { earlyData: { ...takesEarlyData, freshness: 100 } } },
      true,
    ],
    ["when the ticket itself allowed none", { session: { ...sessionFor(), maxEarlyDataSize: 1000 } }, true],
    // Requirement 4.3.10-7
    [
      "RFC 9846 4.3.10: when the server has no longer the suite",
      {
        client: { cipherSuites: ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"] },
        server: { cipherSuites: ["TLS_CHACHA20_POLY1305_SHA256"] },
      },
      false,
    ],
    // Requirements 4.3.10-7, 4.3.10-9, 4.3.10-12
    [
      "RFC 9846 4.3.10: when the application protocol is another",
      { client: alpn.client, session: sessionFor(alpn), server: { alpnProtocols: ["h2"] } },
      true,
    ],
    // Requirements 4.3.10-6, 4.3.10-9
    [
      "RFC 9846 4.3.10: when the first PSK is not the one selected",
      {
        session: { ...session, ticket: Uint8Array.of(9) },
        client: { externalPsks: [psk] },
        server: { externalPsks: new MemoryPskStore([psk]) },
      },
      false,
    ],
    ["when the ticket has expired", { clientNow: start + 7_199_000, serverNow: start + 7_201_000 }, false],
    ["when the ticket is unknown", { session: { ...session, ticket: new Uint8Array(100) } }, false],
    ["when the session was made under other rules", { server: { resumptionPartition: "strict" } }, false],
    // Requirements 4.3.10-4, 4.3.10-5
    [
      "RFC 9846 4.2.4: when a HelloRetryRequest is needed",
      { client: { groups: ["x25519", "secp256r1"] }, server: { groups: ["secp256r1"] } },
      true,
    ],
  ]

  it.each(reasons)("%s", (_why, options, resumes) => {
    const ends = play(options)
    expectConnected(ends)
    expect(earlyDataOf(ends.serverEvents)).toHaveLength(0)
    expect(dataOf(ends.serverEvents)).toHaveLength(0)
    expect(ends.client.info).toMatchObject({ earlyData: "rejected", resumed: resumes })
    expect(ends.server.info).toMatchObject({ earlyData: "rejected", resumed: resumes })
    expect(ends.clientEvents).toContainEqual({ type: "early-data-decided", accepted: false })
    expect(ends.client.earlyDataWritable).toBe(0)
  })

  it("RFC 9846 4.3.10: what is skipped is bounded, to the byte", () => {
    for (const [limit, ok] of [
      [request.length, true],
      [request.length - 1, false],
    ] as const) {
      const refuses = { earlyData: refusing, limits: { skippedEarlyData: limit } }
      const { server } = play({ server: refuses })
      if (ok) expect(server.failure).toBeUndefined()
      else
        expect(server.failure).toMatchObject({
          alert: "unexpected_message",
          kind: "LimitExceeded",
          limit: "skippedEarlyData",
        })
    }
  })

  it("RFC 9846 4.3.10: bounded after a HelloRetryRequest, too", () => {
    for (const [limit, ok] of [
      [request.length, true],
      [request.length - 1, false],
    ] as const) {
      const retries = {
        client: { groups: ["x25519", "secp256r1"] },
        server: { groups: ["secp256r1"], limits: { skippedEarlyData: limit } },
      }
      const { server } = play(retries)
      if (ok) expect(server.info).toMatchObject({ earlyData: "rejected", helloRetryRequest: true })
      else
        expect(server.failure).toMatchObject({
          alert: "unexpected_message",
          kind: "LimitExceeded",
          limit: "skippedEarlyData",
        })
    }
  })

  it("RFC 9846 4.3.10: a changed record of the second flight is no early data, once one has been read: bad_record_mac", () => {
    const puppet = serverUnderTest(early({ server: { earlyData: refusing } })).run()
    const record = puppet.record(ContentType.application_data, request)
    record[record.length - 1]! ^= 1
    puppet.receive(record)
    expectRefused(puppet, "bad_record_mac", "PeerMisbehaved")
  })
})

/* ---------------------------------------------------------------- bounds and order */

describe("the server", () => {
  it("RFC 9846 4.7.1: takes max_early_data_size bytes, and not one more: unexpected_message", () => {
    for (const parts of [[1000, 1], [1001], [500, 500, 1]]) {
      const puppet = serverUnderTest(early())
      puppet.deliver()
      for (const length of parts) puppet.send(ContentType.application_data, new Uint8Array(length))
      expectRefused(puppet, "unexpected_message", "LimitExceeded")
      expect(puppet.subject.failure).toMatchObject({ limit: "earlyData" })
    }
  })

  // Requirement 4-2 (server)
  it("RFC 9846 4.6: wants EndOfEarlyData: a Finished without it is an unexpected_message", () => {
    const puppet = serverUnderTest(early())
    puppet.deliver()
    puppet.drop("end_of_early_data")
    puppet.deliver()
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved", /finished in state WAIT_EOED/)
  })

  it("RFC 9846 4.6: records under the handshake keys before EndOfEarlyData: bad_record_mac", () => {
    const client = new ClientConnection(clientConfig({}), start)
    const server = new ServerConnection(serverConfig({}), start)
    const flight = server.receive(client.start().output, start).output
    const second = client.receive(flight, start).output
    // EndOfEarlyData is a record of 26 bytes; what follows it is Finished under the handshake keys.
    expect([second[0], second[4]]).toEqual([ContentType.application_data, 21])
    server.receive(second.subarray(26), start)
    expect(server.failure).toMatchObject({ alert: "bad_record_mac" })
  })

  // Requirement 5.1-5 (server)
  it("RFC 9846 5.1: bytes behind EndOfEarlyData in its record: unexpected_message", () => {
    const puppet = serverUnderTest(early())
    puppet.deliver()
    puppet.message(puppet.drop("end_of_early_data"), puppet.drop("finished"))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved", /key change/)
  })

  it("RFC 9846 4.6: data in EndOfEarlyData: decode_error", () => {
    const puppet = serverUnderTest(early())
    puppet.deliver()
    puppet.message(fromHex("0500000100"))
    expectRefused(puppet, "decode_error", "InvalidMessage")
  })

  it("RFC 9846 4.6: application data after EndOfEarlyData and before Finished: unexpected_message", () => {
    const puppet = serverUnderTest(early()).deliverUntil("finished")
    puppet.send(ContentType.application_data, request)
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
    expect(puppet.events.map(({ type }) => type)).not.toContain("data")
  })

  it("RFC 9846 4.6: EndOfEarlyData where none was taken: unexpected_message", () => {
    const puppet = serverUnderTest(resumed()).deliverUntil("finished")
    puppet.message(fromHex("05000000"))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })

  // Requirement 4.6-3 (client)
  it("RFC 9846 4.6: EndOfEarlyData of a server: unexpected_message", () => {
    const puppet = clientUnderTest(early()).deliverUntil("finished")
    puppet.message(fromHex("05000000"))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })
})

/* ---------------------------------------------------------------- replay (section 8) */

describe("a replayed first flight", () => {
  const replayTo = (firstFlight: Uint8Array, guard: MemoryReplayGuard, now = start) => {
    const server = new ServerConnection(
      serverConfig({ server: { earlyData: { maxBytes: 1000, replayGuard: guard } } }),
      now,
    )
    return earlyDataOf(server.receive(firstFlight, now).events)
  }

  // Requirement 8-2
  it("RFC 9846 8: gives its data once", () => {
    const guard = new MemoryReplayGuard()
    const { firstFlight, serverEvents } = play({ server: { earlyData: { maxBytes: 1000, replayGuard: guard } } })
    expect(earlyDataOf(serverEvents)).toEqual(request)
    for (let i = 0; i < 3; i++) expect(replayTo(firstFlight, guard)).toHaveLength(0)
  })

  // Requirement 8-2
  it("RFC 9846 8: gives its data once across two servers that share a guard", () => {
    const guard = new MemoryReplayGuard()
    const { firstFlight } = play({ server: { earlyData: { maxBytes: 1000, replayGuard: openGuard } } })
    const given = [1, 2].map(() => replayTo(firstFlight, guard).length)
    expect(given).toEqual([request.length, 0])
  })

  it("RFC 9846 8: would give it twice to servers that do not", () => {
    const { firstFlight } = play()
    const given = [1, 2].map(() => replayTo(firstFlight, new MemoryReplayGuard()).length)
    expect(given).toEqual([request.length, request.length])
  })

  it("RFC 9846 8.3: is refused once it is older than the window, whatever the guard has forgotten", () => {
    const { firstFlight } = play()
    for (const late of [10_001, 20_001, 3_600_000]) {
      expect(replayTo(firstFlight, new MemoryReplayGuard(), start + late)).toHaveLength(0)
    }
  })

  // Requirement 8-2
  it("RFC 9846 8.2: is remembered for as long as the window lets it through", () => {
    const guard = new MemoryReplayGuard()
    // The client's clock is ahead of the server's by the whole window: the flight stays fresh for two of them.
    const { firstFlight } = play({
      clientNow: start + 10_000,
      serverNow: start,
      server: { earlyData: { maxBytes: 1000, replayGuard: guard } },
    })
    for (const later of [1, 9_999, 10_000, 19_999, 20_000])
      expect(replayTo(firstFlight, guard, start + later), `${later} ms later`).toHaveLength(0)
  })
})

describe("MemoryReplayGuard", () => {
  const key = (number: number) => Uint8Array.from({ length: 32 }, (_, i) => (number >>> (8 * (i % 4))) & 0xff)

  it("100,000 takes keep it under its bound, and what it cannot remember it refuses", () => {
    const guard = new MemoryReplayGuard()
    let taken = 0
    for (let i = 0; i < 100_000; i++) if (guard.take(key(i), start + 20_000, start)) taken++
    expect(guard.size).toBe(65_536)
    expect(taken).toBe(65_536)
    for (let i = 0; i < 100_000; i += 997) expect(guard.take(key(i), start + 20_000, start + 1)).toBe(false)
    // All have expired: there is room again.
    expect(guard.take(key(1), start + 60_000, start + 20_000)).toBe(true)
    expect(guard.size).toBe(1)
  })

  it("RFC 9846 8.2: a guard that was freshly started lets nothing through that one before it may have taken", () => {
    const guard = new MemoryReplayGuard({ startedAt: start })
    for (const [now, taken] of [
      [start, false],
      [start + 19_999, false],
      [start + 20_000, true],
    ] as const) {
      expect(guard.take(key(now - start), now + 20_000, now)).toBe(taken)
    }
    // The whole way: a flight that the process before took is fresh for two windows, and the one after refuses it.
    const before = play({ clientNow: start + 10_000, serverNow: start })
    expect(earlyDataOf(before.serverEvents)).toEqual(request)
    for (const later of [1, 10_000, 20_000]) {
      const restarted = new MemoryReplayGuard({ startedAt: start + 1 })
      const options = serverConfig({ server: { earlyData: { maxBytes: 1000, replayGuard: restarted } } })
      const server = new ServerConnection(options, start + later)
      expect(earlyDataOf(server.receive(before.firstFlight, start + later).events)).toHaveLength(0)
    }
  })

  it("100,000 takes over an hour hold no more than the window's worth", () => {
    const guard = new MemoryReplayGuard({ entries: 1000 })
    let most = 0
    for (let i = 0; i < 100_000; i++) {
      const now = start + i * 36
      expect(guard.take(key(i), now + 20_000, now)).toBe(true)
      most = Math.max(most, guard.size)
    }
    expect(most).toBeLessThanOrEqual(20_000 / 36 + 1)
  })
})

// A live connection is exported and goes on elsewhere: `exportConnection` and `importConnection` of ./dangerous.

import { describe, expect, it } from "vitest"
import { copyOf } from "../../src/bytes/copy.ts"
import { Misuse } from "../../src/bytes/errors.ts"
import { Pause } from "../../src/bytes/pause.ts"
import { asciiToBytes } from "../../src/bytes/text.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import {
  type ClientConfig,
  createClientConfig,
  createServerConfig,
  type ServerConfig,
} from "../../src/connection/config.ts"
import type { Connection } from "../../src/connection/connection.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { publicKeyOf } from "../../src/crypto/noble/index.ts"
import { exportConnection, HandOverError, importConnection, longestExport } from "../../src/dangerous/index.ts"
import { MemorySessionStore } from "../../src/session/client-store.ts"
import { Pair, received } from "../../src/testing/pair.ts"
import type { TraceEvent } from "../../src/trace/events.ts"
import { keyLogLine } from "../../src/trace/keylog.ts"
import { acceptDelegatedCredentials, sniResolver } from "../../src/x509/index.ts"
import type { PeerIdentity } from "../../src/x509/interfaces.ts"
import * as delegation from "../delegated/scene.ts"
import {
  type Cast,
  clientCertificate,
  clientCredential,
  clientOptions,
  resumed,
  serverKey,
  serverOptions,
  start,
  ticketer,
} from "../support.ts"
import { always } from "../tools/credentials.ts"

const provider = createFastProvider()

interface Ends {
  readonly pair: Pair
  readonly clientConfig: ClientConfig
  readonly serverConfig: ServerConfig
}

function ends({ client, server, now = start }: Cast = {}): Ends {
  const clientConfig = createClientConfig({ ...clientOptions, provider, ...client })
  const serverConfig = createServerConfig({ ...serverOptions, provider, ...server })
  const [clientEnd, serverEnd] = [new ClientConnection(clientConfig, now), new ServerConnection(serverConfig, now)]
  return { pair: new Pair(clientEnd, serverEnd, now), clientConfig, serverConfig }
}

type SideName = "client" | "server"

/** The side goes on from what it is exported as. */
function handOver({ pair, clientConfig, serverConfig }: Ends, name: SideName): Connection {
  const side = pair[name]
  const config = name === "client" ? clientConfig : serverConfig
  const before = side.connection
  const bytes = exportConnection(before)
  const { connection, outcome } = importConnection(bytes, config, pair.now)
  // The pair does not look at what kind of connection it is.
  const replaced: { connection: Connection } = side
  replaced.connection = connection
  pair.take(side, outcome)
  return before
}

function say(pair: Pair, name: SideName, text: string): void {
  pair.take(pair[name], pair[name].connection.send(asciiToBytes(text)))
  pair.run()
}

const textOf = (pair: Pair, name: SideName) => Buffer.from(received(pair[name])).toString("latin1")

describe("a connection goes on where it is imported", () => {
  it.each(["client", "server"] as const)("of a %s: data, key updates by either side, exporter, and the end", (name) => {
    const both = ends({ client: { alpnProtocols: ["mqtt"] }, server: { alpnProtocols: ["mqtt"] } })
    const { pair } = both
    pair.handshake()
    say(pair, "client", "one ")
    say(pair, "server", "eins ")
    const { info } = pair[name].connection
    const exporter = pair[name].connection.exportKeyingMaterial("EXPORTER-test", new Uint8Array(0), 32)
    handOver(both, name)
    expect(pair[name].connection.info).toEqual(info)
    expect(pair[name].connection.exportKeyingMaterial("EXPORTER-test", new Uint8Array(0), 32)).toEqual(exporter)
    say(pair, "client", "two ")
    say(pair, "server", "zwei ")
    for (const by of ["client", "server"] as const) {
      pair.take(pair[by], pair[by].connection.updateKeys("update_requested"))
      pair.run()
      say(pair, "client", "three ")
      say(pair, "server", "drei ")
      handOver(both, name)
    }
    expect([textOf(pair, "server"), textOf(pair, "client")]).toEqual(["one two three three ", "eins zwei drei drei "])
    for (const by of ["client", "server"] as const) {
      pair.take(pair[by], pair[by].connection.close())
      pair.run()
    }
    expect([pair.client.events.at(-1), pair.server.events.at(-1)]).toEqual([{ type: "end" }, { type: "end" }])
  })

  it("knows what was proven of the peer, also of one with a certificate, and of one that resumed", () => {
    const delegated: Cast = {
      client: { verifier: acceptDelegatedCredentials(delegation.verifier) },
      server: { credentials: sniResolver([delegation.own()]) },
      now: delegation.now,
    }
    for (const cast of [clientCertificate as Cast, resumed(), delegated]) {
      const both = ends(cast)
      both.pair.handshake()
      for (const name of ["client", "server"] as const) {
        const { info } = both.pair[name].connection
        expect(info).toBeDefined()
        handOver(both, name)
        expect(both.pair[name].connection.info).toStrictEqual(info)
      }
      expect(both.pair.client.connection.info?.peer?.delegatedCredential !== undefined).toBe(cast === delegated)
      expect(both.pair.server.connection.info?.delegated === true).toBe(cast === delegated)
      say(both.pair, "client", "here")
      expect(textOf(both.pair, "server")).toBe("here")
    }
  })

  it("a KeyUpdate that is owed is sent there, and one that is awaited is not asked for twice", () => {
    const both = ends()
    const { pair } = both
    pair.handshake()
    pair.take(pair.client, pair.client.connection.updateKeys("update_requested"))
    pair.run()
    handOver(both, "server")
    handOver(both, "client")
    const asked: number[] = []
    const trace = (event: TraceEvent) => {
      if (event.type === "message" && event.name === "key_update") asked.push(event.message[4]!)
    }
    handOver({ ...both, clientConfig: { ...both.clientConfig, trace } }, "client")
    pair.take(pair.client, pair.client.connection.updateKeys("update_requested"))
    expect(asked).toEqual([0]) // update_not_requested
    pair.run()
    const { output } = pair.server.connection.send(asciiToBytes("answer"))
    expect(recordLengths(output)).toHaveLength(2)
    pair.take(pair.client, pair.client.connection.receive(output, start))
    expect(textOf(pair, "client")).toBe("answer")
  })

  it("a client takes tickets there, and they are good", () => {
    const store = new MemorySessionStore()
    const both = ends({ client: { sessionStore: store }, server: { ticketer, tickets: 1 } })
    const { pair } = both
    pair.take(pair.client, pair.client.connection.start())
    // Up to the client's Finished, which the server has not read: its ticket comes later.
    const [hello] = pair.client.outgoing.splice(0)
    pair.take(pair.server, pair.server.connection.receive(hello!, start))
    const [flight] = pair.server.outgoing.splice(0)
    pair.take(pair.client, pair.client.connection.receive(flight!, start))
    handOver(both, "client")
    pair.run()
    expect(pair.client.events.map(({ type }) => type)).toContain("ticket")
    const again = ends({ client: { sessionStore: store }, server: { ticketer, tickets: 1 } })
    again.pair.handshake()
    expect(again.pair.client.connection.info?.resumed).toBe(true)
  })

  it("the record size that was agreed holds there", () => {
    const both = ends({ client: { recordSizeLimit: 100 } })
    const { pair } = both
    pair.handshake()
    handOver(both, "server")
    pair.take(pair.server, pair.server.connection.send(new Uint8Array(300)))
    expect(Math.max(...recordLengths(pair.server.outgoing.at(-1)!))).toBeLessThanOrEqual(100 + 16)
    pair.run()
    handOver(both, "client")
    const tooLong = Uint8Array.of(23, 3, 3, 0, 117, ...new Uint8Array(117))
    pair.take(pair.client, pair.client.connection.receive(tooLong, start))
    expect(pair.client.connection.failure?.alert).toBe("record_overflow")
  })

  it("what a peer must not do is refused there as before", () => {
    for (const [bytes, alert] of [
      [Uint8Array.of(0x47, 0x45, 0x54, 0x20, 0x2f), "unexpected_message"],
      [Uint8Array.of(0x80, 0x2e, 0x01, 0x00, 0x02), "unexpected_message"],
      [Uint8Array.of(21, 3, 3, 0, 2, 2, 40), "unexpected_message"],
      [Uint8Array.of(20, 3, 3, 0, 1, 1), "unexpected_message"],
      [Uint8Array.of(23, 3, 3, 0, 17, ...new Uint8Array(17)), "bad_record_mac"],
    ] as const) {
      for (const name of ["client", "server"] as const) {
        const both = ends()
        both.pair.handshake()
        handOver(both, name)
        both.pair[name].connection.receive(bytes, start)
        expect(both.pair[name].connection.failure?.alert).toBe(alert)
      }
    }
  })

  it("the trace has a step to CONNECTED, and the key log no line that it does not know the client by", () => {
    const both = ends()
    both.pair.handshake()
    const events: TraceEvent[] = []
    const config = { ...both.clientConfig, trace: (event: TraceEvent) => void events.push(event) }
    const { connection } = importConnection(exportConnection(both.pair.client.connection), config, start)
    connection.updateKeys()
    expect(events.filter(({ type }) => type === "state")).toEqual([
      { type: "state", role: "client", from: "START", message: undefined, to: "CONNECTED" },
    ])
    expect(events.some(({ type }) => type === "secret")).toBe(true)
    expect(events.flatMap((event) => keyLogLine(event) ?? [])).toEqual([])
  })
})

function recordLengths(bytes: Uint8Array): number[] {
  const lengths: number[] = []
  for (let at = 0; at < bytes.length; at += 5 + lengths.at(-1)!) lengths.push((bytes[at + 3]! << 8) | bytes[at + 4]!)
  return lengths
}

describe("who the peer is", () => {
  it("goes along with all that a verifier says of it", () => {
    const identity: Required<PeerIdentity> = {
      type: "X509",
      chain: [Uint8Array.of(0x30, 0)],
      path: [Uint8Array.of(0x30, 0), Uint8Array.of(0x30, 1, 2)],
      subject: "CN=\u00fc",
      validUntil: start + 5,
      delegatedCredential: { scheme: "ed25519", validUntil: start + 4 },
      signedCertificateTimestamps: [
        { source: "certificate", logId: new Uint8Array(32).fill(1), log: "one", timestamp: start - 1 },
        { source: "handshake", logId: new Uint8Array(32).fill(2), log: "", timestamp: 0 },
      ],
      unchecked: ["validity", "ocsp_freshness"],
    }
    const publicKey = publicKeyOf(serverKey)
    const verifier = { leafKey: () => publicKey, verify: () => ({ accepted: true, publicKey, identity }) as const }
    const both = ends({ client: { verifier } })
    both.pair.handshake()
    handOver(both, "client")
    expect(both.pair.client.connection.info?.peer).toStrictEqual(identity)
  })
})

describe("no two ends are alive", () => {
  it("the exported one sends, receives and exports nothing more, and says why", () => {
    const both = ends()
    both.pair.handshake()
    const before = both.pair.client.connection as Connection
    const secrets = before["link"].reader.protection
    handOver(both, "client")
    const why = "the connection was exported: it goes on where it is imported"
    expect(before.failure).toMatchObject({ kind: "Closed", message: why, alert: undefined })
    expect(before.writable).toBe(false)
    for (const call of [
      () => before.send(Uint8Array.of(1)),
      () => before.updateKeys(),
      () => exportConnection(before),
    ]) {
      expect(call).toThrow(new Misuse(`the connection is over: ${why}`))
    }
    expect(() => before.exportKeyingMaterial("x", new Uint8Array(0), 1)).toThrow(Misuse)
    both.pair.take(both.pair.server, both.pair.server.connection.send(asciiToBytes("more")))
    const [bytes] = both.pair.server.outgoing
    expect(before.receive(bytes!, start)).toEqual({ output: new Uint8Array(0), events: [], waitsFor: "nothing" })
    expect(before.close().output).toHaveLength(0)
    expect([secrets, before["link"].reader.protection]).toEqual([expect.anything(), undefined])
  })

  it("its secrets are erased", () => {
    const both = ends()
    both.pair.handshake()
    const { connection } = both.pair.server
    let held: Uint8Array[] = []
    connection["perform"](({ exporterSecret, sending, receiving }) => {
      held = [exporterSecret, sending.secret, receiving.secret]
    })
    const bytes = exportConnection(connection)
    for (const secret of held) expect(secret.every((byte) => byte === 0)).toBe(true)
    expect(bytes.some((byte) => byte !== 0)).toBe(true)
  })

  it("the bytes are erased when they are imported, and not when they are refused", () => {
    const both = ends()
    both.pair.handshake()
    const bytes = exportConnection(both.pair.client.connection)
    const kept = copyOf(bytes)
    expect(() => importConnection(bytes, both.serverConfig, start)).toThrow(HandOverError)
    expect(bytes).toEqual(kept)
    importConnection(bytes, both.clientConfig, start)
    expect(bytes.every((byte) => byte === 0)).toBe(true)
    expect(() => importConnection(bytes, both.clientConfig, start)).toThrow("these bytes are no exported connection")
  })
})

describe("what cannot be exported says so, and goes on", () => {
  function refused(connection: Connection, message: string): void {
    expect(() => exportConnection(connection)).toThrow(new Misuse(message))
    expect(connection.failure).toBeUndefined()
  }

  it("during the handshake", () => {
    const { pair } = ends()
    pair.take(pair.client, pair.client.connection.start())
    refused(pair.client.connection, "the handshake is not complete")
    refused(pair.server.connection, "the handshake is not complete")
  })

  it("when one of the two has closed", () => {
    const { pair } = ends()
    pair.handshake()
    pair.take(pair.client, pair.client.connection.close())
    pair.run()
    refused(pair.client.connection, "the connection was closed")
    refused(pair.server.connection, "a connection cannot be exported when its peer has closed: close it, too")
  })

  it("in the middle of a handshake message", () => {
    const { pair } = ends({
      client: { sessionStore: new MemorySessionStore() },
      server: { ticketer, tickets: 1, maxFragment: 64 },
    })
    pair.take(pair.client, pair.client.connection.start())
    for (const bytes of pair.client.outgoing.splice(0))
      pair.take(pair.server, pair.server.connection.receive(bytes, start))
    for (const bytes of pair.server.outgoing.splice(0))
      pair.take(pair.client, pair.client.connection.receive(bytes, start))
    for (const bytes of pair.client.outgoing.splice(0))
      pair.take(pair.server, pair.server.connection.receive(bytes, start))
    const [ticket] = pair.server.outgoing.splice(0)
    const first = 5 + recordLengths(ticket!)[0]!
    pair.take(pair.client, pair.client.connection.receive(ticket!.subarray(0, first), start))
    refused(
      pair.client.connection,
      "a connection cannot be exported in the middle of a handshake message: receive the rest of it first",
    )
    pair.take(pair.client, pair.client.connection.receive(ticket!.subarray(first), start))
    expect(exportConnection(pair.client.connection).length).toBeGreaterThan(100)
  })

  it("with authentication after the handshake", () => {
    const { pair } = ends({
      client: { credentials: always(clientCredential), postHandshakeAuth: true },
      server: {
        clientAuthentication: {
          mode: "post-handshake",
          verifier: clientCertificate.server.clientAuthentication.verifier,
        },
      },
    })
    pair.handshake()
    refused(
      pair.client.connection,
      "a connection cannot be exported by a client that has offered authentication after the handshake: leave out postHandshakeAuth",
    )
    pair.take(pair.server, pair.server.connection.requestCertificate())
    refused(
      pair.server.connection,
      "a connection cannot be exported while a CertificateRequest waits for its answer: receive that first",
    )
    pair.run()
    expect(exportConnection(pair.server.connection).length).toBeGreaterThan(100)
  })

  it("in the middle of a client's authentication, and while a decision is due", () => {
    const { verifier } = clientCertificate.server.clientAuthentication
    const later = { ...verifier, verify: () => new Pause<never>() }
    const { pair } = ends({
      client: { credentials: always(clientCredential), postHandshakeAuth: true },
      server: { clientAuthentication: { mode: "post-handshake", verifier: later } },
    })
    pair.handshake()
    const { connection } = pair.server
    connection["perform"]((connected) => {
      connected.answer = { next: "finished", request: { context: new Uint8Array(0) } as never, signature: undefined }
    })
    refused(
      connection,
      "a connection cannot be exported in the middle of the client's authentication: receive the rest of it first",
    )
    connection["perform"]((connected) => {
      connected.answer = undefined
    })
    pair.take(pair.server, connection.requestCertificate())
    pair.run()
    refused(connection, "a connection that waits for VerifyPeer cannot be exported: answer it first")
  })
})

describe("bytes that are no export are refused", () => {
  const both = ends()
  both.pair.handshake()
  const whole = exportConnection(both.pair.client.connection)
  const refusal = (bytes: Uint8Array, config: ClientConfig | ServerConfig = both.clientConfig) => {
    try {
      importConnection(copyOf(bytes), config, start)
    } catch (error) {
      expect(error).toBeInstanceOf(HandOverError)
      return (error as HandOverError).message
    }
    return undefined
  }
  const changed = (at: number, ...values: readonly number[]) => {
    const bytes = copyOf(whole)
    bytes.set(values, at)
    return bytes
  }

  it("of another kind, version, role or suite", () => {
    expect(refusal(changed(0, 1))).toBe("these bytes are no exported connection")
    expect(refusal(changed(4, 2))).toBe(
      "an exported connection of version 2, of which 1 is read: both processes need the same",
    )
    expect(refusal(changed(5, 2))).toBe("an exported connection that is neither a client's nor a server's")
    expect(refusal(whole, both.serverConfig)).toBe("an exported client's connection cannot go on as a server's")
    expect(refusal(changed(5, 1), both.serverConfig)).toBe(
      "an exported connection whose resumption_secret is not that of its role",
    )
    expect(refusal(changed(6, 0x13, 2))).toBe(
      "the configuration has no cipher suite 0x1302 (it has TLS_AES_128_GCM_SHA256)",
    )
  })

  it("with secrets that are not as long as the hash of its suite", () => {
    const config = createClientConfig({
      ...clientOptions,
      provider,
      cipherSuites: ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"],
    })
    expect(refusal(changed(6, 0x13, 2), config)).toBe(
      "an exported connection with a secret of 32 bytes; its hash has 48",
    )
  })

  it("cut short anywhere, or with more behind it", () => {
    for (let length = 0; length < whole.length; length++)
      expect(refusal(whole.subarray(0, length))).toMatch(/^an exported connection that is cut short or was changed: /)
    expect(refusal(Uint8Array.of(...whole, 0))).toMatch(/cut short or was changed/)
  })

  it.each([longestExport, longestExport + 1])("of %d bytes", (length) => {
    expect(refusal(new Uint8Array(length))).toBe(
      length > longestExport
        ? "1048577 bytes are more than an exported connection has (1048576 at most)"
        : "these bytes are no exported connection",
    )
  })

  it("with numbers that nobody has", () => {
    const sending = 8 + 1 + 32
    expect(refusal(changed(sending, 1, 0, 0, 0, 0, 0, 0))).toMatch(/more key updates than there can be/)
    expect(refusal(changed(sending, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))).toBeUndefined()
    expect(refusal(changed(sending + 7, 0xff))).toMatch(/beyond 2\^53-1/)
    expect(refusal(changed(sending + 14, 0, 63))).toBe("an exported connection with records of 63")
    expect(refusal(changed(sending + 14, 0, 64))).toBeUndefined()
    expect(refusal(changed(sending + 14, 0x40, 1))).toBeUndefined()
    expect(refusal(changed(sending + 14, 0x40, 2))).toBe("an exported connection with records of 16386")
  })

  it("with any byte changed: it is refused, or fails with its peer; nothing else", () => {
    for (let at = 0; at < whole.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) refusal(changed(at, value))
    }
  })
})

describe("at any moment", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("both streams arrive whole (seed %d)", (first) => {
    let seed = first * 7919
    const draw = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return (seed >>> 10) % below
    }
    const both = ends({
      client: { sessionStore: new MemorySessionStore(), ...(first % 2 === 0 && { recordSizeLimit: 200 }) },
      server: { ticketer },
    })
    const { pair } = both
    pair.handshake()
    const sent = { client: "", server: "" }
    const onWay: Record<SideName, Uint8Array> = { client: new Uint8Array(0), server: new Uint8Array(0) }
    const other = { client: "server", server: "client" } as const
    const collect = (name: SideName) => {
      onWay[name] = Uint8Array.of(...onWay[name], ...pair[name].outgoing.splice(0).flatMap((bytes) => [...bytes]))
    }
    const deliver = (name: SideName, count: number) => {
      const bytes = onWay[name].subarray(0, count)
      onWay[name] = copyOf(onWay[name].subarray(bytes.length))
      const to = other[name]
      pair.take(pair[to], pair[to].connection.receive(copyOf(bytes), pair.now))
    }
    let handed = 0
    for (let step = 0; step < 400; step++) {
      const name = draw(2) === 0 ? "client" : "server"
      const side = pair[name]
      switch (draw(5)) {
        case 0: {
          const text = String.fromCharCode(97 + draw(26)).repeat(draw(600))
          sent[name] += text
          pair.take(side, side.connection.send(asciiToBytes(text)))
          break
        }
        case 1:
          pair.take(side, side.connection.updateKeys(draw(2) === 0 ? "update_requested" : "update_not_requested"))
          break
        case 2:
        case 3:
          deliver(name, draw(2) === 0 ? draw(40) : draw(2000))
          break
        default:
          handOver(both, name)
          handed++
      }
      collect("client")
      collect("server")
    }
    while (onWay.client.length + onWay.server.length > 0) {
      deliver("client", 1000)
      deliver("server", 1000)
      collect("client")
      collect("server")
    }
    expect([pair.client.connection.failure, pair.server.connection.failure]).toEqual([undefined, undefined])
    expect([textOf(pair, "server"), textOf(pair, "client")]).toEqual([sent.client, sent.server])
    expect(handed).toBeGreaterThan(40)
  })
})

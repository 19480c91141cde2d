// Every limit of handshake/limits.ts: taken at the limit, refused one past it. Then what a connection keeps in memory.

import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "vitest"
import { AlertDescription, AlertLevel, type AlertName } from "../src/bytes/alerts.ts"
import { ContentType, HandshakeType } from "../src/bytes/code-points.ts"
import { utf8ToBytes } from "../src/bytes/text.ts"
import { Writer } from "../src/bytes/writer.ts"
import { encodeKeyUpdate } from "../src/codec/key-update.ts"
import { encodeNewSessionTicket } from "../src/codec/new-session-ticket.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { publicKeyOf } from "../src/crypto/noble/index.ts"
import { defaultLimits, type Limits } from "../src/handshake/limits.ts"
import { MemorySessionStore } from "../src/session/client-store.ts"
import { MemoryPskStore } from "../src/session/psk-store.ts"
import type { ExternalPsk } from "../src/session/session.ts"
import { Pair, received } from "../src/testing/pair.ts"
import {
  clientCertificate,
  clientCredential,
  clientOptions,
  clientUnderTest,
  early,
  expectRefused,
  longestHello,
  serverKey,
  serverOptions,
  serverUnderTest,
  start,
  ticketer,
} from "./support.ts"
import { always, testCredential } from "./tools/credentials.ts"
import type { Puppet } from "./tools/puppet.ts"

const roles = { client: clientUnderTest, server: serverUnderTest }
const nothing = new Uint8Array(0)

function limited(limits: Partial<Limits>) {
  return { client: { limits }, server: { limits } }
}

function expectLimit(puppet: Puppet, limit: keyof Limits, alert: AlertName): void {
  expectRefused(puppet, alert, "LimitExceeded")
  expect(puppet.subject.failure).toMatchObject({ limit })
}

const start_ = (type: number, length: number) => new Writer().uint8(type).uint24(length).finish()

describe.each(["client", "server"] as const)("limits of a %s", (role) => {
  const underTest = roles[role]

  it("handshakeMessageSize: what is configured", () => {
    const handshakeMessageSize = 1000
    const first = role === "client" ? HandshakeType.server_hello : HandshakeType.client_hello
    const atLimit = underTest(limited({ handshakeMessageSize }))
    atLimit.message(start_(first, handshakeMessageSize))
    expect(atLimit.subject.failure).toBeUndefined()
    const past = underTest(limited({ handshakeMessageSize }))
    // Refused at its header: nothing of it is kept.
    past.message(start_(first, handshakeMessageSize + 1))
    expectLimit(past, "handshakeMessageSize", "illegal_parameter")
  })

  it("handshakeMessageSize: 131,396 bytes of a Certificate by default", () => {
    const reach = () =>
      role === "client"
        ? underTest().deliverUntil("certificate")
        : underTest(clientCertificate).deliverUntil("certificate")
    const atLimit = reach()
    atLimit.message(start_(HandshakeType.certificate, 131_396))
    expect(atLimit.subject.failure).toBeUndefined()
    const past = reach()
    past.message(start_(HandshakeType.certificate, 131_397))
    expectLimit(past, "handshakeMessageSize", "illegal_parameter")
  })

  // The bounds of the vectors of RFC 9846 appendix B.3: more bytes are in no message of that type.
  const bounds: readonly (readonly [keyof typeof HandshakeType, number, () => Puppet])[] =
    role === "server"
      ? [["client_hello", 131_396, () => underTest()]]
      : [
          ["server_hello", 65_607, () => underTest()],
          ["encrypted_extensions", 65_537, () => underTest().deliverUntil("encrypted_extensions")],
          ["certificate_request", 65_793, () => underTest().deliverUntil("certificate")],
          ["certificate_verify", 65_539, () => underTest().deliverUntil("certificate_verify")],
          ["new_session_ticket", 131_338, () => underTest().run()],
        ]
  it.each(bounds)(
    "RFC 9846 B.3, 6.2: a %s of %i bytes may come, a longer one is a decode_error",
    (type, most, reach) => {
      const atLimit = reach()
      atLimit.message(start_(HandshakeType[type], most))
      expect(atLimit.subject.failure).toBeUndefined()
      const past = reach()
      past.message(start_(HandshakeType[type], most + 1))
      expectRefused(past, "decode_error", "InvalidMessage")
    },
  )

  it("takes a chain of 32 certificates and 40 tickets at once, by default", () => {
    expect(defaultLimits).toMatchObject({ chainLength: 32, postHandshakeMessages: 64 })
    const credential = {
      ...testCredential(serverKey, publicKeyOf(serverKey)),
      chain: Array.from({ length: 32 }, () => new Uint8Array(4000)),
    }
    const puppet = underTest(
      role === "client"
        ? {
            client: { sessionStore: new MemorySessionStore() },
            server: { credentials: always(credential), ticketer, tickets: 40 },
          }
        : { ...clientCertificate, client: { credentials: always({ ...clientCredential, chain: credential.chain }) } },
    )
    expect(puppet.run().subject.info?.peerChain).toHaveLength(32)
    expect(puppet.subject.failure).toBeUndefined()
    if (role === "client") expect(puppet.events.filter(({ type }) => type === "ticket")).toHaveLength(40)
  })

  if (role === "server") {
    it.each([false, true])(
      "RFC 9846 4.2.2: takes the longest ClientHello of TLS 1.3 (HelloRetryRequest: %s)",
      (retried) => {
        const lengths: number[] = []
        const puppet = underTest({
          client: retried ? { groups: ["x25519", "secp256r1"], keyShares: ["x25519"] } : {},
          server: retried ? { groups: ["secp256r1"] } : {},
          rewrite(name, message) {
            if (name !== "client_hello") return message
            const longest = longestHello(message)
            lengths.push(longest.length - 4)
            return longest
          },
        })
        expect(puppet.run().subject.info?.helloRetryRequest).toBe(retried)
        // 131,396 but for compression methods, of which there is one.
        expect(lengths).toEqual(retried ? [131_142, 131_142] : [131_142])
      },
    )
  }

  it("chainLength", () => {
    const chainOf = (length: number) => {
      const credential = {
        ...testCredential(serverKey, publicKeyOf(serverKey)),
        chain: Array.from({ length }, () => Uint8Array.of(0x30, 0)),
      }
      return role === "client"
        ? underTest({ ...limited({ chainLength: 3 }), server: { credentials: always(credential) } })
        : underTest({
            client: { credentials: always(credential) },
            server: {
              ...clientCertificate.server,
              clientAuthentication: { mode: "require", verifier: clientOptions.verifier! },
              limits: { chainLength: 3 },
            },
          })
    }
    expect(chainOf(3).run().subject.info).toBeDefined()
    expectLimit(chainOf(4).run(), "chainLength", "bad_certificate")
  })

  it("handshakeTime, to the millisecond", () => {
    const reach = () =>
      role === "client"
        ? underTest(limited({ handshakeTime: 500 }))
        : underTest(limited({ handshakeTime: 500 })).deliverUntil("finished")
    expect(reach().subject.deadline).toBe(start + 500)
    const inTime = reach()
    inTime.take(inTime.subject.tick(start + 499))
    inTime.now = start + 499
    expect(inTime.run().subject.info).toBeDefined()
    // Once it is over there is no deadline.
    expect(inTime.subject.deadline).toBeUndefined()
    expect(inTime.subject.tick(start + 10_000).waitsFor).toBe("bytes")
    for (const late of [
      (puppet: Puppet) => puppet.take(puppet.subject.tick(start + 500)),
      (puppet: Puppet) => {
        puppet.now = start + 500
        puppet.deliver()
      },
    ]) {
      const puppet = reach()
      late(puppet)
      expect(puppet.subject.failure).toMatchObject({
        kind: "LimitExceeded",
        limit: "handshakeTime",
        alert: "user_canceled",
      })
    }
  })

  it("postHandshakeMessages, counted anew after application data", () => {
    const reach = () => underTest(limited({ postHandshakeMessages: 5 })).run()
    const message =
      role === "client"
        ? encodeNewSessionTicket({
            ticketLifetime: 1,
            ticketAgeAdd: 0,
            ticketNonce: nothing,
            ticket: Uint8Array.of(1),
            extensions: {},
          })
        : encodeKeyUpdate("update_not_requested")
    const puppet = reach()
    for (let i = 0; i < 5; i++) puppet.message(message)
    puppet.send(ContentType.application_data, utf8ToBytes("x"))
    for (let i = 0; i < 5; i++) puppet.message(message)
    expect(puppet.subject.failure).toBeUndefined()
    puppet.message(message)
    expectLimit(puppet, "postHandshakeMessages", "unexpected_message")
  })

  it("postHandshakeMessages: empty application data does not count anew for ever", () => {
    const puppet = underTest(limited({ postHandshakeMessages: 5, emptyRecords: 3 })).run()
    // Empty records are bounded in a row, and a message between them ends the row: together they must end, too.
    for (let i = 0; i < 1000 && puppet.subject.failure === undefined; i++) {
      puppet.send(ContentType.application_data, nothing)
      puppet.message(encodeKeyUpdate("update_not_requested"))
    }
    expect(puppet.subject.failure).toMatchObject({ kind: "LimitExceeded" })
  })

  it("emptyRecords", () => {
    const reach = () => underTest(limited({ emptyRecords: 3 })).run()
    const puppet = reach()
    for (let i = 0; i < 3; i++) puppet.send(ContentType.application_data, nothing)
    puppet.send(ContentType.application_data, utf8ToBytes("x"))
    for (let i = 0; i < 3; i++) puppet.send(ContentType.application_data, nothing)
    expect(puppet.subject.failure).toBeUndefined()
    puppet.send(ContentType.application_data, nothing)
    expectLimit(puppet, "emptyRecords", "unexpected_message")
  })

  it("changeCipherSpecs", () => {
    const ccs = Uint8Array.of(ContentType.change_cipher_spec, 3, 3, 0, 1, 1)
    const puppet =
      role === "client"
        ? underTest(limited({ changeCipherSpecs: 2 }))
        : underTest(limited({ changeCipherSpecs: 2 })).deliverUntil("finished")
    for (let i = 0; i < 2; i++) puppet.receive(ccs)
    expect(puppet.subject.failure).toBeUndefined()
    puppet.receive(ccs)
    expectLimit(puppet, "changeCipherSpecs", "unexpected_message")
  })

  it("warningAlerts", () => {
    for (const reach of [
      () => underTest(limited({ warningAlerts: 3 })),
      () => underTest(limited({ warningAlerts: 3 })).run(),
    ]) {
      const puppet = reach()
      const canceled = Uint8Array.of(AlertLevel.warning, AlertDescription.user_canceled)
      for (let i = 0; i < 3; i++) puppet.send(ContentType.alert, canceled)
      expect(puppet.subject.failure).toBeUndefined()
      puppet.send(ContentType.alert, canceled)
      expectLimit(puppet, "warningAlerts", "unexpected_message")
    }
  })

  // Requirements 5.5-1, 5.3-2
  it("recordsPerKey: no key seals more, and the peer reads on", () => {
    const recordsPerKey = 4
    const sealed: number[] = []
    const trace = (event: { type: string; direction?: string; protected?: boolean }) => {
      if (event.type === "keys" && event.direction === "sent") sealed.push(0)
      if (event.type === "record" && event.direction === "sent" && event.protected) sealed[sealed.length - 1]!++
    }
    const subject = { limits: { recordsPerKey }, trace }
    const pair = new Pair(
      new ClientConnection(createClientConfig({ ...clientOptions, ...(role === "client" && subject) }), start),
      new ServerConnection(createServerConfig({ ...serverOptions, ...(role === "server" && subject) }), start),
      start,
    ).handshake()
    const [own, peer] = role === "client" ? [pair.client, pair.server] : [pair.server, pair.client]
    for (let i = 0; i < 10; i++) {
      pair.take(own, own.connection.send(new Uint8Array(50_000).fill(i)))
      pair.run()
    }
    expect(peer.connection.failure).toBeUndefined()
    expect(received(peer)).toHaveLength(500_000)
    expect(Math.max(...sealed)).toBeLessThanOrEqual(recordsPerKey)
    expect(sealed.length).toBeGreaterThan(10)
    // An alert still fits when the last key is nearly used up.
    pair.take(own, own.connection.close())
    pair.run()
    expect(peer.events.at(-1)).toEqual({ type: "end" })
  })
})

describe("limits of a server", () => {
  it("pskIdentities: more are not looked at", () => {
    const psk = (number: number): ExternalPsk => ({
      identity: Uint8Array.of(1, number),
      key: new Uint8Array(32).fill(number),
      hash: "sha256",
      kind: "external",
    })
    let lookups = 0
    const store = new MemoryPskStore([psk(3), psk(4)])
    const externalPsks = {
      lookup(identity: Uint8Array) {
        lookups++
        return store.lookup(identity)
      },
    }
    const play = (offered: number[]) =>
      serverUnderTest({
        client: { externalPsks: offered.map(psk) },
        server: { externalPsks, limits: { pskIdentities: 3 } },
      }).run()
    expect(play([1, 2, 3]).subject.info).toMatchObject({ authentication: "psk" })
    lookups = 0
    expect(play([1, 2, 5, 4, 3]).subject.info).toMatchObject({ authentication: "none" })
    expect(lookups).toBe(3)
  })

  it("skippedEarlyData, in many small records as in one", () => {
    const refusing = { maxBytes: 1000, replayGuard: { take: () => false } }
    for (const [records, ok] of [
      [10, true],
      [11, false],
    ] as const) {
      const { client, server } = early()
      const actor = new ClientConnection(createClientConfig({ ...clientOptions, ...client }), start)
      const subject = new ServerConnection(
        createServerConfig({ ...serverOptions, ...server, earlyData: refusing, limits: { skippedEarlyData: 10 } }),
        start,
      )
      subject.receive(actor.start().output, start)
      for (let i = 0; i < records; i++) subject.receive(actor.sendEarlyData(Uint8Array.of(i)).output, start)
      if (ok) expect(subject.failure).toBeUndefined()
      else
        expect(subject.failure).toMatchObject({
          kind: "LimitExceeded",
          limit: "skippedEarlyData",
          alert: "unexpected_message",
        })
    }
  })
})

it("every limit has its test, here or where it is named", () => {
  // bufferedInput: pauses.test.ts. certificateRequests: src/connection/post-handshake-authentication.test.ts.
  const tested: readonly (keyof Limits)[] = [
    "handshakeMessageSize",
    "chainLength",
    "handshakeTime",
    "postHandshakeMessages",
    "emptyRecords",
    "changeCipherSpecs",
    "warningAlerts",
    "skippedEarlyData",
    "bufferedInput",
    "certificateRequests",
    "pskIdentities",
    "recordsPerKey",
  ]
  expect([...tested].sort()).toEqual(Object.keys(defaultLimits).sort())
})

/* ---------------------------------------------------------------- memory */

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void

/** Bytes of buffers that each of many connections keeps. Arrays of up to 64 bytes live in the heap and are not counted. */
function retainedBy(make: () => unknown, count = 100): number {
  const kept: unknown[] = []
  const bytes = () => {
    for (let i = 0; i < 3; i++) collectGarbage()
    return process.memoryUsage().arrayBuffers
  }
  make()
  const before = bytes()
  for (let i = 0; i < count; i++) kept.push(make())
  return Math.round((bytes() - before) / kept.length)
}

describe("buffers that a connection keeps", () => {
  const serverConfig = createServerConfig(serverOptions)
  const clientConfig = createClientConfig(clientOptions)
  /** The connections alone, without puppet and trace. */
  const connect = (): Pair =>
    new Pair(new ClientConnection(clientConfig, start), new ServerConnection(serverConfig, start), start).handshake()
  const clientHello = new ClientConnection(clientConfig, start).start().output

  /** A server in the handshake, and what it is sent then. */
  const flooded = (flood: (server: ServerConnection) => void, first: Uint8Array = clientHello) => {
    const server = new ServerConnection(serverConfig, start)
    server.receive(first, start)
    flood(server)
    return server
  }
  const drip = (server: ServerConnection, length: number) => {
    for (let i = 0; i < length; i++) server.receive(Uint8Array.of(i), start)
  }
  /** Records of a handshake message of the greatest length, but for its last byte. */
  const longMessage = (server: ServerConnection) => {
    const message = new Uint8Array(4 + defaultLimits.handshakeMessageSize - 1)
    message.set([HandshakeType.client_hello, 2, 1, 0x44])
    for (let at = 0; at < message.length; at += 1000) {
      const fragment = message.subarray(at, at + 1000)
      server.receive(
        Uint8Array.of(ContentType.handshake, 3, 3, fragment.length >> 8, fragment.length, ...fragment),
        start,
      )
    }
    expect(server.failure).toBeUndefined()
  }

  const stages: readonly (readonly [what: string, most: number, make: () => unknown])[] = [
    ["a server before ClientHello: none", 0, () => new ServerConnection(serverConfig, start)],
    [
      "a client before ServerHello: its ClientHello",
      1024,
      () => {
        const client = new ClientConnection(clientConfig, start)
        client.start()
        return client
      },
    ],
    ["a server before Finished: the ClientHello and its hash state", 2048, () => flooded(() => {})],
    ["an idle client and server, both together", 512, () => connect()],
    [
      "both after a megabyte each way and key updates",
      1024,
      () => {
        const pair = connect()
        for (const side of [pair.client, pair.server]) {
          pair.take(side, side.connection.send(new Uint8Array(100_000)))
          pair.take(side, side.connection.updateKeys("update_requested"))
          pair.run()
          // What the application was given is the application's.
          side.events.splice(0)
        }
        return [pair.client.connection, pair.server.connection]
      },
    ],
    [
      "a client and a server that failed: none",
      128,
      () => {
        const pair = connect()
        for (const { connection } of [pair.client, pair.server])
          connection.receive(Uint8Array.of(23, 3, 3, 0, 20, ...new Uint8Array(20)), start)
        expect(pair.server.connection.failure).toBeDefined()
        return pair
      },
    ],
    [
      "a header that announces 16 KiB reserves nothing",
      2048,
      () => flooded((server) => void server.receive(Uint8Array.of(23, 3, 3, 0x40, 0), start)),
    ],
    [
      "a record of 16 KiB, byte by byte: twice that at most",
      2048 + 2 * 16_384,
      () =>
        flooded((server) => {
          server.receive(Uint8Array.of(23, 3, 3, 0x40, 0), start)
          drip(server, 0x4000 - 1)
        }),
    ],
    [
      "a header that announces a message of 64 KiB reserves nothing",
      128,
      () => flooded(() => {}, Uint8Array.of(22, 3, 3, 0, 4, 1, 1, 0, 0)),
    ],
    ["a ClientHello of the greatest length: no more than that", 131_400, () => flooded(longMessage, nothing)],
    [
      "a flood of change_cipher_spec and what ends it",
      128,
      () =>
        flooded(
          (server) =>
            void server.receive(
              new Uint8Array(60_000).map((_, i) => [20, 3, 3, 0, 1, 1][i % 6]!),
              start,
            ),
        ),
    ],
  ]

  it.each(stages)("%s (at most %i bytes)", (_what, most, make) => {
    expect(retainedBy(make, 50)).toBeLessThanOrEqual(most)
  })
})

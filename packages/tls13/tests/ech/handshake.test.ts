// Encrypted Client Hello between our client and our server, and what each side does with a peer that keeps the rules.

import { describe, expect, it } from "vitest"
import { copyOf } from "../../src/bytes/copy.ts"
import { toHex } from "../../src/bytes/hex.ts"
import { utf8ToBytes } from "../../src/bytes/text.ts"
import { decodeClientHello } from "../../src/codec/client-hello.ts"
import { extensions as rows } from "../../src/codec/extensions/table.ts"
import { handshakeMessage } from "../../src/codec/message.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createServerConfig } from "../../src/connection/config.ts"
import { certificates, createLeanClientConfig } from "../../src/connection/lean.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import {
  EncryptedClientHelloRejected,
  generateEchKey,
  greaseEncryptedClientHello,
  offerEncryptedClientHello,
} from "../../src/ech/index.ts"
import type { ClientOptions } from "../../src/handshake/options.ts"
import { MemorySessionStore } from "../../src/session/client-store.ts"
import { MemoryPskStore } from "../../src/session/psk-store.ts"
import { Pair, received } from "../../src/testing/pair.ts"
import type { TraceEvent } from "../../src/trace/events.ts"
import { keyLogLine } from "../../src/trace/keylog.ts"
import { describe as describeEvent } from "../../src/trace/words.ts"
import { clientCertificate, start, takesEarlyData, ticketer } from "../support.ts"
import {
  clientOptions,
  key,
  listOf,
  notingVerifier,
  offerOf,
  otherKey,
  pairOf,
  provider,
  publicName,
  ringOf,
  serverOptions,
} from "./scenes.ts"

/** The ClientHellos that go over the wire. */
function hellosOf(pair: Pair): { readonly bytes: Uint8Array; readonly hello: ReturnType<typeof decodeClientHello> }[] {
  const sent: Uint8Array[] = []
  pair.take(pair.client, pair.client.connection.start())
  sent.push(...pair.client.outgoing)
  const { receive } = pair.client.connection
  pair.client.connection.receive = (...args) => {
    const outcome = receive.apply(pair.client.connection, args)
    if (outcome.output[0] === 22 && outcome.output[5] === 1) sent.push(outcome.output)
    if (outcome.output[0] === 20 && outcome.output[6] === 22 && outcome.output[11] === 1)
      sent.push(outcome.output.subarray(6))
    return outcome
  }
  pair.run()
  return sent.map(firstHello)
}

function firstHello(records: Uint8Array): {
  readonly bytes: Uint8Array
  readonly hello: ReturnType<typeof decodeClientHello>
} {
  const bytes = records.subarray(5, 9 + ((records[7]! << 8) | records[8]!))
  return { bytes, hello: decodeClientHello(handshakeMessage(bytes)) }
}

function echOf(hello: ReturnType<typeof decodeClientHello>) {
  const data = hello.extensions.encrypted_client_hello!
  const encLength = (data[6]! << 8) | data[7]!
  const payloadLength = (data[8 + encLength]! << 8) | data[9 + encLength]!
  return { suite: toHex(data.subarray(1, 5)), configId: data[5], encLength, payloadLength, data }
}

function expectAccepted({ client, server }: Pair, more: object = {}): void {
  expect([client.connection.failure, server.connection.failure]).toEqual([undefined, undefined])
  const expected = { encryptedClientHello: "accepted", serverName: "server.test", ...more }
  expect(client.connection.info).toMatchObject(expected)
  expect(server.connection.info).toMatchObject(expected)
}

function rejectionOf({ client, server }: Pair): EncryptedClientHelloRejected {
  const { failure, info } = client.connection
  expect(failure).toBeInstanceOf(EncryptedClientHelloRejected)
  expect(failure).toMatchObject({
    alert: "ech_required",
    kind: "EncryptedClientHelloRejected",
    code: "ERR_TLS_ECH_REQUIRED",
  })
  // Section 6.1.7: "The TLS implementation MUST NOT report such connections as successful to the application."
  expect(info).toBeUndefined()
  expect(client.events.some(({ type }) => type === "connected" || type === "ticket")).toBe(false)
  // The server has a handshake that is complete, and the alert under its keys.
  expect(server.connection.failure).toMatchObject({ kind: "PeerAlert", received: "ech_required" })
  return failure as EncryptedClientHelloRejected
}

describe("RFC 9849: a client and a server with the same configuration", () => {
  it("agree on ClientHelloInner, and carry data", () => {
    const pair = pairOf().handshake()
    expectAccepted(pair, { helloRetryRequest: false })
    const { client, server } = pair
    pair.take(client, client.connection.send(utf8ToBytes("to server")))
    pair.take(server, server.connection.send(utf8ToBytes("to client")))
    pair.run()
    expect(received(server)).toEqual(utf8ToBytes("to server"))
    expect(received(client)).toEqual(utf8ToBytes("to client"))
    expect(client.connection.exportKeyingMaterial("x", new Uint8Array(0), 32)).toEqual(
      server.connection.exportKeyingMaterial("x", new Uint8Array(0), 32),
    )
  })

  it("section 7.1: the server's application hears of ClientHelloInner alone", () => {
    const pair = pairOf({ alpnProtocols: ["mqtt"] }, { alpnProtocols: ["mqtt"] }).handshake()
    expectAccepted(pair, { alpnProtocol: "mqtt" })
    expect(pair.server.events[0]).toMatchObject({ type: "offered", offer: { serverName: "server.test" } })
  })

  it("section 6.1: what is seen has the public name, and nothing of the other", () => {
    const [sent] = hellosOf(pairOf())
    expect(sent!.hello.extensions.server_name).toBe(publicName)
    expect(toHex(sent!.bytes)).not.toContain(toHex(utf8ToBytes("server.test")))
    expect(echOf(sent!.hello)).toMatchObject({ suite: "00010001", configId: 1, encLength: 32 })
  })

  it("section 6.1.5: go on after a HelloRetryRequest with the same context", () => {
    const pair = pairOf({ keyShares: [] })
    const [first, second] = hellosOf(pair)
    expectAccepted(pair, { helloRetryRequest: true })
    const [a, b] = [first!.hello, second!.hello]
    expect(b.random).toEqual(a.random)
    expect(b.legacySessionId).toEqual(a.legacySessionId)
    expect(b.extensionTypes).toEqual(a.extensionTypes)
    expect(echOf(b)).toMatchObject({ suite: echOf(a).suite, configId: 1, encLength: 0 })
    expect(b.extensions.server_name).toBe(publicName)
  })

  it.each([
    ["permuted extensions", { permuteExtensions: true }],
    ["GREASE", { grease: true }],
    ["both", { grease: true, permuteExtensions: true }],
    ["no compatibility mode", { middleboxCompatibility: false }],
  ])("%s: at every draw, also after a HelloRetryRequest", (_, options) => {
    for (let draw = 0; draw < 20; draw++) {
      expectAccepted(pairOf(options).handshake())
      expectAccepted(pairOf({ ...options, keyShares: [] }).handshake(), { helloRetryRequest: true })
    }
  })

  it.each(["DHKEM(X25519, HKDF-SHA256)", "DHKEM(P-256, HKDF-SHA256)"] as const)("with %s", (kem) => {
    const own = generateEchKey({ provider, publicName, kem })
    expectAccepted(pairOf({ encryptedClientHello: offerOf(own) }, { encryptedClientHello: ringOf(own) }).handshake())
  })

  it("client certificates: shown under ClientHelloInner", () => {
    const pair = pairOf(clientCertificate.client, clientCertificate.server).handshake()
    expectAccepted(pair)
    expect(pair.server.connection.info?.authentication).toBe("certificate")
  })

  it("a client of chosen features has it when it is given it", () => {
    const options = { ...clientOptions, encryptedClientHello: offerOf(key) }
    const client = new ClientConnection(createLeanClientConfig(options, { certificates }), start)
    const config = createServerConfig({ ...serverOptions, encryptedClientHello: ringOf(key) })
    expectAccepted(new Pair(client, new ServerConnection(config, start), start).handshake())
    expect(createLeanClientConfig(options, { certificates }).extensions.rows["encrypted_client_hello"]).toBe(
      rows["encrypted_client_hello"],
    )
    expect(
      createLeanClientConfig(clientOptions, { certificates }).extensions.rows["encrypted_client_hello"],
    ).toBeUndefined()
  })
})

describe("RFC 9849 section 6.1.3: padding", () => {
  const payloadOf = (serverName: string | undefined, maximumNameLength: number): number => {
    const own = generateEchKey({ provider, publicName, maximumNameLength })
    const [sent] = hellosOf(pairOf({ serverName, encryptedClientHello: offerOf(own) }))
    return echOf(sent!.hello).payloadLength - 16
  }

  it("rounds to a multiple of 32", () => {
    for (const name of ["a.test", "ab.test", "a-longer-name.server.test", undefined])
      expect(payloadOf(name, 0) % 32).toBe(0)
  })

  it("hides the length of names up to the longest, and that there is none", () => {
    const lengths = ["a.test", `${"b".repeat(60)}.${"c".repeat(50)}.test`, undefined].map((name) =>
      payloadOf(name, 120),
    )
    expect(new Set(lengths).size).toBe(1)
  })

  it("takes longer names all the same", () => {
    expect(payloadOf(`${"b".repeat(60)}.${"c".repeat(50)}.test`, 10)).toBeGreaterThan(payloadOf("a.test", 10))
  })
})

describe("RFC 9849 section 5.1: what both hellos have is sent once", () => {
  it("so that a large key share costs its bytes once", () => {
    const groups = provider.keyExchanges.map(({ name }) => name)
    const all = hellosOf(pairOf({ keyShares: groups }))[0]!
    const one = hellosOf(pairOf({ keyShares: groups.slice(0, 1) }))[0]!
    expect(echOf(all.hello).payloadLength).toBe(echOf(one.hello).payloadLength)
  })

  it("but the name, even when it is the public name", () => {
    const pair = pairOf({ serverName: publicName })
    const [same] = hellosOf(pair)
    expectAccepted(pair, { serverName: publicName })
    const [other] = hellosOf(pairOf({ serverName: "private.sample" }))
    expect(echOf(same!.hello).payloadLength).toBe(echOf(other!.hello).payloadLength)
  })

  it("section 10.5: names of authorities, and application protocols on request, are in ClientHelloInner alone", () => {
    const encryptedClientHello = offerEncryptedClientHello({
      provider,
      configs: listOf(key),
      outerAlpnProtocols: ["h2"],
    })
    const authorities = [Uint8Array.of(0x30, 0x00)]
    const pair = pairOf({ encryptedClientHello, authorities, alpnProtocols: ["mqtt"] }, { alpnProtocols: ["mqtt"] })
    const [sent] = hellosOf(pair)
    expectAccepted(pair, { alpnProtocol: "mqtt" })
    expect(sent!.hello.extensions.certificate_authorities).toBeUndefined()
    expect(sent!.hello.extensions.application_layer_protocol_negotiation).toEqual(["h2"])
    const none = offerEncryptedClientHello({ provider, configs: listOf(key), outerAlpnProtocols: [] })
    const [silent] = hellosOf(
      pairOf({ encryptedClientHello: none, alpnProtocols: ["mqtt"] }, { alpnProtocols: ["mqtt"] }),
    )
    expect(silent!.hello.extensions.application_layer_protocol_negotiation).toBeUndefined()
  })
})

describe("RFC 9849 section 6.1.6: a client whose offer is rejected", () => {
  it.each([
    ["", {}],
    [", after a HelloRetryRequest", { keyShares: [] }],
  ])("authenticates the public name, and is told what to retry with%s", (_, options) => {
    const asked: (string | undefined)[] = []
    const keys = ringOf(otherKey, { ...generateEchKey({ provider, publicName, configId: 9 }), retry: false })
    expect(keys.configs).toEqual(listOf(otherKey))
    const pair = pairOf({ ...options, verifier: notingVerifier(asked) }, { encryptedClientHello: keys }).handshake()
    const { retryConfigs, message } = rejectionOf(pair)
    expect(asked).toEqual([publicName])
    expect(retryConfigs).toEqual(keys.configs)
    expect(message).toContain("has sent other ones to connect anew with")
    expect(pair.server.connection.info).toMatchObject({ encryptedClientHello: "rejected", serverName: publicName })
    // And that works.
    const encryptedClientHello = offerEncryptedClientHello({ provider, configs: retryConfigs! })
    expectAccepted(pairOf({ ...options, encryptedClientHello }, { encryptedClientHello: keys }).handshake())
  })

  it("is told that the server has turned it off", () => {
    const { retryConfigs, message } = rejectionOf(pairOf({}, { encryptedClientHello: undefined }).handshake())
    expect(retryConfigs).toBeUndefined()
    expect(message).toContain("has turned it off: connect without")
  })

  it("is told nothing by a server that is not that of the public name", () => {
    const verifier: ClientOptions["verifier"] = {
      verify: ({ serverName }) =>
        serverName === publicName
          ? { accepted: false, alert: "bad_certificate", reason: "name_mismatch", message: "not its name" }
          : clientOptions.verifier!.verify({ serverName } as never),
    }
    const { client } = pairOf({ verifier }, { encryptedClientHello: ringOf(otherKey) }).handshake()
    expect(client.connection.failure).toMatchObject({ kind: "CertificateRejected", alert: "bad_certificate" })
    expect(client.connection.failure).not.toHaveProperty("retryConfigs")
  })

  it("section 6.1.7: shows no certificate of its own", () => {
    const request = { ...clientCertificate.server.clientAuthentication, mode: "request" } as const
    const server = { clientAuthentication: request, encryptedClientHello: ringOf(otherKey) }
    const pair = pairOf(clientCertificate.client, server).handshake()
    rejectionOf(pair)
    expect(pair.server.connection.info).toMatchObject({ authentication: "none", peerChain: [] })
  })

  it("takes no ticket, and sends no data", () => {
    const sessionStore = new MemorySessionStore()
    const pair = pairOf({ sessionStore }, { encryptedClientHello: ringOf(otherKey), ticketer, tickets: 2 }).handshake()
    rejectionOf(pair)
    expect(sessionStore.take("server.test", start)).toBeUndefined()
    expect(() => pair.client.connection.send(utf8ToBytes("secret"))).toThrow()
  })
})

describe("RFC 9849 section 6.1.2: pre-shared keys", () => {
  const externalPsks = [
    { identity: utf8ToBytes("sensor-7"), key: new Uint8Array(32).fill(1), hash: "sha256", kind: "external" },
  ] as const

  function withSession(): { readonly sessionStore: MemorySessionStore } {
    const sessionStore = new MemorySessionStore()
    expectAccepted(pairOf({ sessionStore }, { ticketer, tickets: 1, earlyData: takesEarlyData }).handshake())
    return { sessionStore }
  }

  it.each([
    ["", {}],
    [", after a HelloRetryRequest", { keyShares: [] }],
  ])("a session is resumed, and the outer hello has a made-up one of the same lengths%s", (_, options) => {
    const { sessionStore } = withSession()
    const session = sessionStore.take("server.test", start)!
    sessionStore.put("server.test", session)
    const pair = pairOf({ sessionStore, ...options }, { ticketer })
    const [sent, again] = hellosOf(pair)
    expectAccepted(pair, { resumed: true })
    const { pre_shared_key: outer, psk_key_exchange_modes: modes } = sent!.hello.extensions
    expect(modes).toEqual([1])
    expect(outer!.identities.map(({ identity }) => identity.length)).toEqual([session.ticket.length])
    expect(outer!.binders.map(({ length }) => length)).toEqual([32])
    expect(toHex(sent!.bytes)).not.toContain(toHex(session.ticket))
    if (again)
      expect(again.hello.extensions.pre_shared_key!.identities[0]!.identity).toEqual(outer!.identities[0]!.identity)
  })

  it("an external one is not named outside", () => {
    const pair = pairOf({ externalPsks }, { externalPsks: new MemoryPskStore(externalPsks) })
    const [sent] = hellosOf(pair)
    expectAccepted(pair, { authentication: "psk" })
    expect(toHex(sent!.bytes)).not.toContain(toHex(externalPsks[0].identity))
  })

  it.each([
    ["", {}],
    [", after a HelloRetryRequest", { keyShares: [] }],
  ])("are of no use when it is rejected%s", (_, options) => {
    const pair = pairOf(
      { ...options, ...withSession() },
      { ticketer, encryptedClientHello: ringOf(otherKey) },
    ).handshake()
    rejectionOf(pair)
    expect(pair.server.connection.info).toMatchObject({ resumed: false })
  })

  it("section 6.1: early data goes under ClientHelloInner, and the outer hello says that there is some", () => {
    const pair = pairOf({ ...withSession(), earlyData: true }, { ticketer, earlyData: takesEarlyData })
    pair.take(pair.client, pair.client.connection.start())
    const outer = firstHello(pair.client.outgoing[0]!)
    expect(outer.hello.extensions.early_data).toBe(true)
    pair.take(pair.client, pair.client.connection.sendEarlyData(utf8ToBytes("early")))
    pair.run()
    expectAccepted(pair, { earlyData: "accepted" })
    expect(received(pair.server, "early-data")).toEqual(utf8ToBytes("early"))
  })

  it("section 6.1: a server that rejects skips early data", () => {
    const keys = ringOf(otherKey)
    const pair = pairOf(
      { ...withSession(), earlyData: true },
      { ticketer, earlyData: takesEarlyData, encryptedClientHello: keys },
    )
    pair.take(pair.client, pair.client.connection.start())
    pair.take(pair.client, pair.client.connection.sendEarlyData(utf8ToBytes("early")))
    pair.run()
    expect(rejectionOf(pair).retryConfigs).toEqual(keys.configs)
    expect(received(pair.server, "early-data")).toHaveLength(0)
    expect(pair.client.events).toContainEqual({ type: "early-data-decided", accepted: false })
  })
})

describe("RFC 9849 section 6.2: a made-up offer", () => {
  const encryptedClientHello = greaseEncryptedClientHello({ provider })

  it.each([
    ["a server that knows nothing of it", undefined, "not offered"],
    ["one that has keys, and cannot tell", ringOf(key), "rejected"],
  ])("hides nothing and breaks nothing: %s", (_, keys, seen) => {
    for (const options of [{}, { keyShares: [] }, { permuteExtensions: true, grease: true }]) {
      const pair = pairOf({ encryptedClientHello, ...options }, { encryptedClientHello: keys })
      const [first, second] = hellosOf(pair)
      const { client, server } = pair
      expect([client.connection.failure, server.connection.failure]).toEqual([undefined, undefined])
      expect(client.connection.info).toMatchObject({ encryptedClientHello: "not offered", serverName: "server.test" })
      expect(server.connection.info).toMatchObject({ encryptedClientHello: seen })
      // "the client copies the entire "encrypted_client_hello" extension from the first ClientHello."
      if (second) expect(echOf(second.hello).data).toEqual(echOf(first!.hello).data)
    }
  })

  it("looks like a real one", () => {
    const own = generateEchKey({ provider, publicName: "server.test" })
    const [real] = hellosOf(pairOf({ encryptedClientHello: offerOf(own) }))
    const suites = new Set<string>()
    const ids = new Set<number | undefined>()
    for (let at = 0; at < 40; at++) {
      const [made] = hellosOf(pairOf({ encryptedClientHello }))
      const { suite, configId, encLength, payloadLength } = echOf(made!.hello)
      suites.add(suite)
      ids.add(configId)
      expect({ encLength, payloadLength }).toEqual({ encLength: 32, payloadLength: echOf(real!.hello).payloadLength })
    }
    expect(suites).toEqual(new Set(["00010001", "00010003"]))
    expect(ids.size).toBeGreaterThan(20)
  })

  it("may go with sessions of connections without it", () => {
    const sessionStore = new MemorySessionStore()
    pairOf({ sessionStore, encryptedClientHello: undefined }, { ticketer }).handshake()
    const pair = pairOf({ sessionStore, encryptedClientHello }, { ticketer }).handshake()
    expect(pair.client.connection.info).toMatchObject({ resumed: true })
  })
})

describe("a trace", () => {
  it("tells of ClientHelloInner at both ends, ahead of what it came in or goes out in", () => {
    const [sent, came]: [TraceEvent[], TraceEvent[]] = [[], []]
    const trace = (events: TraceEvent[]) => (event: TraceEvent) => {
      if ("message" in event && event.type !== "state") events.push({ ...event, message: copyOf(event.message) })
    }
    expectAccepted(pairOf({ keyShares: [], trace: trace(sent) }, { trace: trace(came) }).handshake())
    const inner = (events: TraceEvent[]) =>
      events.flatMap((event) => (event.type === "inner-hello" ? [event.message] : []))
    expect(inner(sent)).toHaveLength(2)
    expect(inner(came)).toEqual(inner(sent))
    const [first] = inner(sent)
    expect(decodeClientHello(handshakeMessage(first!)).extensions.server_name).toBe("server.test")
    const told = describeEvent({ type: "inner-hello", direction: "sent", message: first! })
    expect(told).toMatch(/^sent ClientHelloInner \(RFC 9849 section 5\.1\), \d+ bytes: what is meant/)
    expect(told).toContain("server.test")
  })
})

describe("RFC 9850 section 2: the key log names the hello that was agreed on", () => {
  function logged(options: Partial<ClientOptions>, keys = ringOf(key)) {
    const lines = { client: new Set<string>(), server: new Set<string>() }
    const note = (side: Set<string>) => (event: TraceEvent) => {
      const line = keyLogLine(event)
      if (line !== undefined) side.add(line.split(" ").slice(1).join(" "))
    }
    const pair = pairOf(
      { trace: note(lines.client), ...options },
      { trace: note(lines.server), encryptedClientHello: keys },
    )
    const [sent] = hellosOf(pair)
    expect([...lines.client].sort()).toEqual([...lines.server].sort())
    expect(lines.client.size).toBeGreaterThanOrEqual(2)
    return { lines: [...lines.client], outer: toHex(sent!.hello.random) }
  }

  it.each([{}, { keyShares: [] }])("ClientHelloInner when it is accepted, else ClientHelloOuter", (options) => {
    const accepted = logged(options)
    expect(accepted.lines.some((line) => line.startsWith(accepted.outer))).toBe(false)
    const rejected = logged(options, ringOf(otherKey))
    expect(rejected.lines.every((line) => line.startsWith(rejected.outer))).toBe(true)
  })
})

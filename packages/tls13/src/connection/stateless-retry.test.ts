// HelloRetryRequest without state (RFC 9846 section 4.3.2): what goes well, and each way to come back wrong.

import { describe, expect, it } from "vitest"
import { always, testCredential, testVerifier } from "../../tests/tools/credentials.ts"
import {
  editClientHello,
  extension,
  extensionData,
  type RawClientHello,
  removeExtension,
  setExtension,
} from "../../tests/tools/edit.ts"
import { fromHex } from "../bytes/hex.ts"
import { asciiToBytes } from "../bytes/text.ts"
import { createNobleProvider, generateEcKey, publicKeyOf } from "../crypto/noble/index.ts"
import type { ClientOptions, ServerOptions } from "../handshake/options.ts"
import { MemorySessionStore } from "../session/client-store.ts"
import { CookieKeyRing } from "../session/cookie-keys.ts"
import { MemoryPskStore } from "../session/psk-store.ts"
import type { ExternalPsk } from "../session/session.ts"
import { TicketKeyRing } from "../session/ticket-keys.ts"
import { MemoryTicketStore } from "../session/ticket-store.ts"
import { Pair, received } from "../testing/pair.ts"
import { ClientConnection } from "./client-connection.ts"
import { createClientConfig, createServerConfig } from "./config.ts"
import { ServerConnection } from "./server-connection.ts"

const provider = createNobleProvider()
const aead = provider.cipherSuites[0]!.aead
const key = generateEcKey("P-256", provider.random)
const start = 1_800_000_000_000
const changeCipherSpec = fromHex("140303000101")

const ring = (keys: CookieKeyRing["keys"] = []) => new CookieKeyRing({ aead, random: provider.random, keys })
const cookies = ring()

type Edit = (hello: RawClientHello) => void

interface Cast {
  readonly client?: Partial<ClientOptions>
  readonly server?: Partial<ServerOptions>
  /** Changes the second ClientHello. */
  readonly edit?: Edit
}

/** A client that has no share of the server's group, and a server that keeps nothing of it. */
function cast({ client, server, edit }: Cast = {}) {
  let hellos = 0
  const clientConfig = createClientConfig(
    {
      provider,
      serverName: "server.test",
      verifier: testVerifier(publicKeyOf(key)),
      groups: ["x25519", "secp256r1"],
      ...client,
    },
    (name, message) =>
      edit !== undefined && name === "client_hello" && ++hellos === 2 ? editClientHello(message, edit) : message,
  )
  const serverConfig = createServerConfig({
    provider,
    credentials: always(testCredential(key, publicKeyOf(key))),
    groups: ["secp256r1"],
    statelessRetry: { cookies },
    ...server,
  })
  return { clientConfig, serverConfig }
}

function pair(options?: Cast): Pair {
  const { clientConfig, serverConfig } = cast(options)
  return new Pair(new ClientConnection(clientConfig, start), new ServerConnection(serverConfig, start), start)
}

function sendsData(connected: Pair): void {
  connected.take(connected.client, connected.client.connection.send(asciiToBytes("hello")))
  connected.run()
  expect(received(connected.server)).toEqual(asciiToBytes("hello"))
}

/** The first ClientHello goes to one connection, all that follows to another. */
function moved(options: Cast = {}, answers: Partial<ServerOptions> = options.server ?? {}): Pair {
  const { clientConfig, serverConfig } = cast(options)
  const client = new ClientConnection(clientConfig, start)
  const first = new ServerConnection(serverConfig, start)
  const retry = first.receive(client.start().output, start)
  const second = new ServerConnection(cast({ server: answers }).serverConfig, start)
  const rest = new Pair(client, second, start)
  rest.take(rest.client, client.receive(retry.output, start))
  return rest.run()
}

describe("RFC 9846 4.3.2: a stateless HelloRetryRequest", () => {
  it("asks for a share, and the handshake goes on from the cookie alone", () => {
    const connected = pair().handshake()
    expect(connected.client.connection.info).toMatchObject({ group: "secp256r1", helloRetryRequest: true })
    expect(connected.server.connection.info).toMatchObject({ group: "secp256r1", helloRetryRequest: true })
    sendsData(connected)
  })

  // Requirement 4.3.2-1
  it("goes on in another connection", () => {
    const connected = moved()
    expect(connected.server.connection.info).toMatchObject({ group: "secp256r1", helloRetryRequest: true })
    expect(connected.server.events.map(({ type }) => type)).toEqual(["offered", "connected"])
    sendsData(connected)
  })

  it("goes on at another server that has the keys", () => {
    sendsData(moved({}, { statelessRetry: { cookies: ring(cookies.keys) } }))
  })

  it("is not sent to a client with a share that fits", () => {
    const connected = pair({ server: { groups: ["x25519"] } }).handshake()
    expect(connected.client.connection.info).toMatchObject({ helloRetryRequest: false })
    sendsData(connected)
  })

  it("can ask each client for a cookie, without another share", () => {
    const server = { groups: ["x25519"], statelessRetry: { cookies, requireCookie: true } }
    const connected = pair({ server }).handshake()
    expect(connected.client.connection.info).toMatchObject({ group: "x25519", helloRetryRequest: true })
    sendsData(connected)
    sendsData(moved({ server }))
  })

  it("can ask for cookies under load only", () => {
    let underLoad = false
    const server = { groups: ["x25519"], statelessRetry: { cookies, requireCookie: () => underLoad } }
    expect(pair({ server }).handshake().client.connection.info?.helloRetryRequest).toBe(false)
    underLoad = true
    expect(pair({ server }).handshake().client.connection.info?.helloRetryRequest).toBe(true)
  })

  it("works with records cut at every byte", () => {
    const connected = pair()
    connected.chunk = 1
    sendsData(connected.handshake())
  })

  it("a single-use ticket is not looked up, and so not used up, before the cookie is back", () => {
    const ticketer = new MemoryTicketStore({ random: provider.random })
    const sessionStore = new MemorySessionStore()
    pair({ client: { sessionStore }, server: { ticketer, tickets: 1 } }).handshake()
    const again = moved({ client: { sessionStore }, server: { ticketer, tickets: 0 } })
    expect(again.server.connection.info).toMatchObject({ resumed: true, helloRetryRequest: true })
    sendsData(again)
  })

  it("a PSK's binder tells which hash goes with it", () => {
    const psk: ExternalPsk = {
      identity: asciiToBytes("a"),
      key: new Uint8Array(48).fill(1),
      hash: "sha384",
      kind: "external",
    }
    const server = { externalPsks: new MemoryPskStore([psk]) }
    const connected = pair({ client: { externalPsks: [psk] }, server }).handshake()
    expect(connected.server.connection.info).toMatchObject({
      authentication: "psk",
      cipherSuite: "TLS_AES_256_GCM_SHA384",
      helloRetryRequest: true,
    })
  })
})

describe("RFC 9846 4.3.2: between the two ClientHellos", () => {
  // Requirement 4.3.2-3
  // Requirement 4.3.2-3
  it("change_cipher_spec is ignored though it comes first", () => {
    const { serverConfig } = cast()
    const server = new ServerConnection(serverConfig, start)
    expect(server.receive(changeCipherSpec, start)).toMatchObject({ waitsFor: "bytes", events: [] })
  })

  it("RFC 9846 5: not so for a server with state", () => {
    const { serverConfig } = cast()
    const stateful = new ServerConnection({ ...serverConfig, statelessRetry: undefined }, start)
    stateful.receive(changeCipherSpec, start)
    expect(stateful.failure).toMatchObject({ alert: "unexpected_message" })
  })

  it("RFC 9846 4.3.10: early data of the first ClientHello is skipped, also in another connection", () => {
    const ticketer = new TicketKeyRing({ aead, random: provider.random })
    const earlyData = { maxBytes: 1000, replayGuard: { take: () => true } }
    const sessionStore = new MemorySessionStore()
    const server = { ticketer, tickets: 1, earlyData, groups: ["x25519"] }
    pair({ client: { sessionStore }, server }).handshake()

    const strict = { ...server, statelessRetry: { cookies, requireCookie: true } }
    const { clientConfig, serverConfig } = cast({ client: { sessionStore, earlyData: true }, server: strict })
    const client = new ClientConnection(clientConfig, start)
    const retry = new ServerConnection(serverConfig, start).receive(client.start().output, start)
    const early = client.sendEarlyData(asciiToBytes("replayable")).output
    const rest = new Pair(client, new ServerConnection(serverConfig, start), start)
    rest.take(rest.client, { output: early, events: [], waitsFor: "bytes" })
    rest.take(rest.client, client.receive(retry.output, start))
    rest.run()
    expect(rest.server.connection.info).toMatchObject({ resumed: true, earlyData: "rejected", helloRetryRequest: true })
    expect(received(rest.server, "early-data")).toHaveLength(0)
    expect(rest.client.events).toContainEqual({ type: "early-data-decided", accepted: false })
    sendsData(rest)
  })
})

describe("RFC 9846 4.3.2: a second ClientHello that is not as it should be", () => {
  const cookieOf =
    (edit: (cookie: Uint8Array) => Uint8Array): Edit =>
    ({ extensions }) => {
      const cookie = edit(extensionData(extensions, "cookie").slice(2))
      setExtension(extensions, "cookie", Uint8Array.of(cookie.length >>> 8, cookie.length, ...cookie))
    }
  const flipped = (at: number): Edit =>
    cookieOf((cookie) => {
      cookie[at]! ^= 1
      return cookie
    })
  const set =
    (name: Parameters<typeof setExtension>[1], hex: string): Edit =>
    ({ extensions }) =>
      setExtension(extensions, name, fromHex(hex))
  const assign =
    (fields: Partial<RawClientHello>): Edit =>
    (hello) =>
      void Object.assign(hello, fields)
  const refused: readonly (readonly [what: string, edit: Edit])[] = [
    ["no cookie", ({ extensions }) => removeExtension(extensions, "cookie")],
    ["a cookie with another key's name", flipped(0)],
    ["a cookie with another nonce", flipped(16)],
    ["a cookie with other content", flipped(30)],
    [
      "a cookie with another tag",
      cookieOf((cookie) => cookie.map((byte, i) => (i === cookie.length - 1 ? byte ^ 1 : byte))),
    ],
    ["a short cookie", cookieOf((cookie) => cookie.subarray(0, 20))],
    ["a cookie of one byte", cookieOf(() => Uint8Array.of(1))],
    ["another random", assign({ random: new Uint8Array(32) })],
    ["another legacy_session_id", assign({ legacySessionId: new Uint8Array(32) })],
    ["fewer cipher suites", assign({ cipherSuites: fromHex("1301") })],
    ["another server_name", set("server_name", "000e00000b6f746865722e746573742e")],
    ["other supported_groups", set("supported_groups", "00020017")],
    ["other signature_algorithms", set("signature_algorithms", "00020403")],
    ["an extension less", ({ extensions }) => removeExtension(extensions, "signature_algorithms_cert")],
    ["an extension more", ({ extensions }) => void extensions.unshift(extension(0x1234))],
    ["another order", ({ extensions }) => void extensions.splice(0, 2, extensions[1]!, extensions[0]!)],
    ["early_data", ({ extensions }) => void extensions.unshift(extension("early_data"))],
    ["no new share", ({ extensions }) => setExtension(extensions, "key_share", fromHex("0000"))],
  ]

  for (const [what, edit] of refused) {
    it(`${what}: illegal_parameter, in this connection and in another`, () => {
      const here = pair({ edit }).handshake()
      expect(here.server.connection.failure).toMatchObject({ kind: "PeerMisbehaved", alert: "illegal_parameter" })
      expect(here.client.connection.failure).toMatchObject({ received: "illegal_parameter" })
      if (what === "no cookie") return // to another connection that is a first ClientHello
      const there = moved({ edit })
      expect(there.server.connection.failure).toMatchObject({ kind: "PeerMisbehaved", alert: "illegal_parameter" })
    })
  }

  it("4.2.2: padding may change", () => {
    sendsData(
      pair({ edit: ({ extensions }) => void extensions.unshift(extension("padding", new Uint8Array(9))) }).handshake(),
    )
  })

  it("4.2.2: key_share may not change when only a cookie was asked for", () => {
    const server = { groups: ["x25519"], statelessRetry: { cookies, requireCookie: true } }
    const edit: Edit = ({ extensions }) => {
      const share = extensionData(extensions, "key_share").slice()
      share[20]! ^= 1
      setExtension(extensions, "key_share", share)
    }
    expect(pair({ server, edit }).handshake().server.connection.failure).toMatchObject({ alert: "illegal_parameter" })
  })

  it("a cookie of a server with other keys: illegal_parameter", () => {
    const { failure } = moved({}, { statelessRetry: { cookies: ring() } }).server.connection
    expect(failure).toMatchObject({ alert: "illegal_parameter", message: expect.stringMatching(/not made with a key/) })
  })

  it("a ticket is no cookie, though the key is the same", () => {
    const tickets = new TicketKeyRing({ aead, random: provider.random })
    const session = {
      cipherSuite: 0x1301,
      psk: new Uint8Array(32),
      issuedAt: start,
      authenticatedAt: start,
      ticketLifetime: 7200,
    }
    const more = {
      ticketAgeAdd: 0,
      maxEarlyDataSize: 0,
      alpnProtocol: undefined,
      serverName: undefined,
      peerChain: [],
      partition: "",
    }
    const ticket = tickets.seal({ ...session, ...more }, start)
    expect(ring(tickets.keys).open(ticket, start)).toBeUndefined()
  })

  it("an old cookie: illegal_parameter that says so", () => {
    const connected = pair()
    const { client, server } = connected
    connected.take(server, server.connection.receive(client.connection.start().output, start))
    // Not the whole time of a handshake has passed, but the cookie's.
    const short = new CookieKeyRing({ aead, random: provider.random, keys: cookies.keys, lifetime: 5000 })
    const late = new ServerConnection(
      cast({ server: { statelessRetry: { cookies: short } } }).serverConfig,
      start + 5001,
    )
    late.receive(client.connection.receive(server.outgoing[0]!, start).output, start + 5001)
    expect(late.failure).toMatchObject({ alert: "illegal_parameter", message: expect.stringMatching(/too old/) })
  })

  it("a server without the suite or group that another chose: handshake_failure", () => {
    for (const answers of [{ groups: ["x25519"] }, { cipherSuites: ["TLS_AES_256_GCM_SHA384"] }]) {
      const first = { cipherSuites: ["TLS_AES_128_GCM_SHA256"] }
      expect(moved({ server: first }, answers).server.connection.failure).toMatchObject({ alert: "handshake_failure" })
    }
  })

  it("RFC 9846 4.2.4: no second HelloRetryRequest, though this server would ask for another share", () => {
    const server = { groups: ["x25519"], statelessRetry: { cookies, requireCookie: true } }
    expect(moved({ server }, { groups: ["secp256r1"] }).server.connection.failure).toMatchObject({
      alert: "handshake_failure",
    })
  })
})

describe("cookie keys", () => {
  const content = asciiToBytes("content")

  it("open what they sealed for half a minute, by clocks that differ either way", () => {
    const keys = ring()
    const cookie = keys.seal(content, start)
    expect(keys.open(cookie, start + 30_000)).toEqual(content)
    expect(keys.open(cookie, start - 30_000)).toEqual(content)
    expect(keys.open(cookie, start + 30_001)).toBe("expired")
    expect(keys.open(cookie, start - 30_001)).toBe("expired")
  })

  it("rotate by themselves", () => {
    const keys = ring()
    keys.seal(content, start)
    keys.seal(content, start + 3600 * 1000)
    expect(keys.keys).toHaveLength(2)
  })
})

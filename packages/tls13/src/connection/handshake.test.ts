import { describe, expect, it } from "vitest"
import { always, testCredential, testVerifier } from "../../tests/tools/credentials.ts"
import { utf8ToBytes } from "../bytes/text.ts"
import { createNobleProvider, generateEcKey, generateEd25519Key, publicKeyOf } from "../crypto/noble/index.ts"
import type { ClientOptions, ServerOptions } from "../handshake/options.ts"
import { MemorySessionStore } from "../session/client-store.ts"
import { TicketKeyRing } from "../session/ticket-keys.ts"
import { Pair, received } from "../testing/pair.ts"
import { ClientConnection } from "./client-connection.ts"
import { createClientConfig, createServerConfig } from "./config.ts"
import { ServerConnection } from "./server-connection.ts"

const provider = createNobleProvider()
const serverKey = generateEcKey("P-256", provider.random)
const clientKey = generateEd25519Key(provider.random)
const start = 1_800_000_000_000

const hello = utf8ToBytes("hello")
const clientOptions: ClientOptions = {
  provider,
  serverName: "server.test",
  verifier: testVerifier(publicKeyOf(serverKey)),
}
const serverOptions: ServerOptions = {
  provider,
  credentials: always(testCredential(serverKey, publicKeyOf(serverKey))),
}

function pair(client: Partial<ClientOptions> = {}, server: Partial<ServerOptions> = {}, now = start): Pair {
  return new Pair(
    new ClientConnection(createClientConfig({ ...clientOptions, ...client }), now),
    new ServerConnection(createServerConfig({ ...serverOptions, ...server }), now),
    now,
  )
}

function echoBothWays(connected: Pair): void {
  const { client, server } = connected
  connected.take(client, client.connection.send(hello))
  connected.take(server, server.connection.send(utf8ToBytes("world")))
  connected.run()
  expect(received(server)).toEqual(hello)
  expect(received(client)).toEqual(utf8ToBytes("world"))
}

describe("a full handshake", () => {
  for (const suite of ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]) {
    it(`agrees on ${suite} and carries data both ways`, () => {
      const connected = pair({ cipherSuites: [suite] }).handshake()
      expect(connected.client.connection.info).toMatchObject({
        cipherSuite: suite,
        group: "x25519",
        authentication: "certificate",
      })
      expect(connected.server.connection.info).toMatchObject({
        cipherSuite: suite,
        authentication: "none",
        serverName: "server.test",
      })
      echoBothWays(connected)
    })
  }

  for (const group of ["x25519", "secp256r1", "secp384r1", "secp521r1"]) {
    it(`agrees on ${group}`, () => {
      const connected = pair({ groups: [group] }, { groups: [group] }).handshake()
      expect(connected.client.connection.info?.group).toBe(group)
      echoBothWays(connected)
    })
  }

  it("RFC 9846 section 9.1: a server takes P-384 and P-521, which cost it dearly, only when its groups name them", () => {
    for (const group of ["secp384r1", "secp521r1"]) {
      const { client, server } = pair({ groups: [group] }).handshake()
      expect(server.connection.failure).toMatchObject({ alert: "handshake_failure" })
      expect(client.connection.failure?.message).toContain("handshake_failure")
    }
    // A client that leads with one is asked for a share that the server takes (section 4.2.4).
    const asked = pair({ groups: ["secp521r1", "secp256r1"] }).handshake()
    expect(asked.client.connection.info).toMatchObject({ group: "secp256r1", helloRetryRequest: true })
    echoBothWays(asked)
  })

  it("RFC 9846 section 5.1: works with records cut at every byte", () => {
    const connected = pair()
    connected.chunk = 1
    echoBothWays(connected.handshake())
  })

  // Requirements 4.2.1-3, 4.2.4-6
  it("RFC 9846 section 4.2.4: HelloRetryRequest when there is no share of a common group", () => {
    const connected = pair({ groups: ["x25519", "secp384r1"] }, { groups: ["secp384r1"] }).handshake()
    expect(connected.client.connection.info).toMatchObject({ group: "secp384r1", helloRetryRequest: true })
    echoBothWays(connected)
  })

  it("authenticates the client by certificate", () => {
    const verifier = testVerifier(publicKeyOf(clientKey))
    const credentials = always(testCredential(clientKey, publicKeyOf(clientKey)))
    const connected = pair({ credentials }, { clientAuthentication: { mode: "require", verifier } }).handshake()
    expect(connected.server.connection.info).toMatchObject({
      authentication: "certificate",
      peerSignatureScheme: "ed25519",
    })
    echoBothWays(connected)
  })

  it("RFC 9846 section 4.5.1.3: certificate_required when the client has none", () => {
    const verifier = testVerifier(publicKeyOf(clientKey))
    const { client, server } = pair({}, { clientAuthentication: { mode: "require", verifier } }).handshake()
    expect(server.connection.failure).toMatchObject({ alert: "certificate_required" })
    expect(client.connection.failure).toMatchObject({ received: "certificate_required" })
  })

  it("RFC 7301: selects an application protocol", () => {
    const connected = pair({ alpnProtocols: ["h2", "mqtt"] }, { alpnProtocols: ["mqtt"] }).handshake()
    expect(connected.client.connection.info?.alpnProtocol).toBe("mqtt")
    expect(connected.server.connection.info?.alpnProtocol).toBe("mqtt")
  })
})

describe("resumption", () => {
  const ticketer = new TicketKeyRing({ aead: provider.cipherSuites[0]!.aead, random: provider.random })

  it("RFC 9846 section 2.2: resumes by ticket, with a key exchange", () => {
    const sessionStore = new MemorySessionStore()
    const first = pair({ sessionStore }, { ticketer }).handshake()
    expect(first.client.connection.info?.resumed).toBe(false)
    const second = pair({ sessionStore }, { ticketer }).handshake()
    expect(second.client.connection.info).toMatchObject({ resumed: true, authentication: "psk", group: "x25519" })
    expect(second.server.connection.info).toMatchObject({ resumed: true })
    echoBothWays(second)
  })

  it("RFC 9846 section 4.2.4: resumes through a HelloRetryRequest", () => {
    const sessionStore = new MemorySessionStore()
    pair({ sessionStore }, { ticketer }).handshake()
    const second = pair({ sessionStore }, { ticketer, groups: ["secp256r1"] }).handshake()
    expect(second.client.connection.info).toMatchObject({ resumed: true, helloRetryRequest: true, group: "secp256r1" })
    echoBothWays(second)
  })
})

describe("key update", () => {
  // Requirements 4.7.3-2, 4.7.3-3, 4.7.3-7
  it("RFC 9846 section 4.7.3: both sides renew their keys", () => {
    const connected = pair().handshake()
    const { client, server } = connected
    connected.take(client, client.connection.updateKeys("update_requested"))
    echoBothWays(connected.run())
    connected.take(server, server.connection.updateKeys("update_not_requested"))
    connected.run()
    connected.take(server, server.connection.send(hello))
    connected.run()
    expect(client.connection.failure).toBeUndefined()
  })

  // Requirement 5.5-1 (client)
  it("RFC 9846 section 5.5: comes by itself before a key is used up", () => {
    const connected = pair({ limits: { recordsPerKey: 8 } }).handshake()
    const { client, server } = connected
    const long = new Uint8Array(400_000).map((_, i) => i)
    connected.take(client, client.connection.send(long))
    connected.run()
    expect(server.connection.failure).toBeUndefined()
    expect(received(server)).toEqual(long)
  })
})

describe("closing", () => {
  // Requirement 6.1-4
  it("RFC 9846 section 6.1: each side closes its own direction", () => {
    const connected = pair().handshake()
    const { client, server } = connected
    connected.take(client, client.connection.close())
    connected.run()
    expect(server.events.at(-1)).toEqual({ type: "end" })
    connected.take(server, server.connection.send(hello))
    connected.take(server, server.connection.close())
    connected.run()
    expect(received(client)).toEqual(hello)
    expect(client.events.at(-1)).toEqual({ type: "end" })
  })
})

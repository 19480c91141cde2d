// RFC 7250: a server that takes only raw public keys is shown no X.509 certificate, not after the handshake either, and what
// is said of a peer is the type that it has shown.

import { describe, expect, it } from "vitest"
import { Misuse } from "../src/bytes/errors.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { publicKeyOf } from "../src/crypto/noble/index.ts"
import type { ClientOptions, ServerOptions } from "../src/handshake/options.ts"
import { MemorySessionStore } from "../src/session/client-store.ts"
import { Pair } from "../src/testing/pair.ts"
import { clientCredential, clientKey, clientOptions, serverOptions, start, ticketer } from "./support.ts"
import { always, testVerifier } from "./tools/credentials.ts"

function pairOf(client: Partial<ClientOptions>, server: Partial<ServerOptions>): Pair {
  return new Pair(
    new ClientConnection(createClientConfig({ ...clientOptions, ...client }), start),
    new ServerConnection(createServerConfig({ ...serverOptions, ...server }), start),
    start,
  ).handshake()
}

const verifier = testVerifier(publicKeyOf(clientKey))
const rawKey = { ...clientCredential, type: "RawPublicKey" } as const
const onlyRaw = { client: ["RawPublicKey"] } as const
const asksLater = { clientAuthentication: { mode: "post-handshake", verifier }, certificateTypes: onlyRaw } as const

describe("a server that takes only raw public keys, and asks after the handshake", () => {
  it("does not ask a client that offered none", () => {
    const pair = pairOf({ postHandshakeAuth: true, credentials: always(clientCredential) }, asksLater)
    expect(() => pair.server.connection.requestCertificate()).toThrow(Misuse)
    expect(pair.server.connection.failure).toBeUndefined()
  })

  it("asks one that offered them, and says what it was shown", () => {
    const client = { postHandshakeAuth: true, credentials: always(rawKey), certificateTypes: onlyRaw }
    const pair = pairOf(client, asksLater)
    pair.take(pair.server, pair.server.connection.requestCertificate())
    pair.run()
    const who = { authentication: "certificate", peerCertificateType: "RawPublicKey", peer: { type: "RawPublicKey" } }
    expect(pair.server.connection.info).toMatchObject(who)
  })

  it("does not ask a client that has resumed, for which no type was agreed", () => {
    const sessionStore = new MemorySessionStore()
    const client = { postHandshakeAuth: true, credentials: always(rawKey), certificateTypes: onlyRaw, sessionStore }
    pairOf(client, { ...asksLater, ticketer })
    const pair = pairOf({ ...client, credentials: always(clientCredential) }, { ...asksLater, ticketer })
    expect(pair.server.connection.info?.resumed).toBe(true)
    expect(() => pair.server.connection.requestCertificate()).toThrow(Misuse)
  })
})

describe("a client that shows another type of certificate after the handshake than its session has", () => {
  it("is known by what it has shown last", () => {
    const sessionStore = new MemorySessionStore()
    const both = { client: ["RawPublicKey", "X509"] } as const
    const client = { postHandshakeAuth: true, certificateTypes: both, sessionStore }
    const server = { clientAuthentication: { mode: "request", verifier }, certificateTypes: both, ticketer } as const
    pairOf({ ...client, credentials: always(rawKey) }, server)
    const pair = pairOf({ ...client, credentials: always(clientCredential) }, server)
    expect(pair.server.connection.info).toMatchObject({ resumed: true, peerCertificateType: "RawPublicKey" })
    pair.take(pair.server, pair.server.connection.requestCertificate())
    pair.run()
    expect(pair.server.connection.info).toMatchObject({ peer: { type: "X509" }, peerCertificateType: "X509" })
  })
})

// Delegated credentials (RFC 9345) in whole handshakes: a server's and a client's, taken, and not asked for.

import { describe, expect, it } from "vitest"
import { Pause } from "../../src/bytes/pause.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import { certificates, createLeanClientConfig } from "../../src/connection/lean.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import type { SignatureSchemeInfo } from "../../src/crypto/signature-schemes.ts"
import { generateKeyPair } from "../../src/devcert/index.ts"
import type { ClientOptions, ServerOptions } from "../../src/handshake/options.ts"
import { MemorySessionStore } from "../../src/session/client-store.ts"
import { TicketKeyRing } from "../../src/session/ticket-keys.ts"
import { Pair } from "../../src/testing/pair.ts"
import { acceptDelegatedCredentials, keySigner, sniResolver } from "../../src/x509/index.ts"
import type { Signer } from "../../src/x509/interfaces.ts"
import { certificateOf, extension } from "../tools/edit.ts"
import { hour, leaf, now, own, ownCredential, provider, verifier } from "./scene.ts"

const takes = acceptDelegatedCredentials(verifier)

function shake(client: Partial<ClientOptions> = {}, server: Partial<ServerOptions> = {}, at = now): Pair {
  const clientConfig = createClientConfig({ provider, serverName: "server.test", verifier: takes, ...client })
  const serverConfig = createServerConfig({ provider, credentials: sniResolver([own(), ownCredential()]), ...server })
  return new Pair(new ClientConnection(clientConfig, at), new ServerConnection(serverConfig, at), at).handshake()
}

/** A Certificate with a delegated credential that nobody asked for. */
const unasked = (name: string, message: Uint8Array): Uint8Array => {
  if (name !== "certificate") return message
  const data = extension("delegated_credential", own().delegated!.credential)
  return certificateOf(new Uint8Array(0), [{ data: leaf.certificate, extensions: [data] }])
}

describe("a server's delegated credential", () => {
  it("authenticates it to a client that takes such ones, and both are told so", () => {
    const { client, server } = shake()
    expect(client.connection.info?.peer?.delegatedCredential).toEqual({
      scheme: "ecdsa_secp256r1_sha256",
      validUntil: now + 24 * hour,
    })
    expect(client.connection.info?.peerChain).toEqual(leaf.chain)
    expect(client.connection.info?.peer?.validUntil).toBe(now + 24 * hour)
    expect(server.connection.info?.delegated).toBe(true)
    expect(client.connection.info?.delegated).toBeUndefined()
  })

  it.each(["p384", "ed25519", "rsa-pss"] as const)("may have a key of %s", (type) => {
    const { client } = shake({}, { credentials: sniResolver([own({}, generateKeyPair(type, provider.random))]) })
    expect(client.connection.failure).toBeUndefined()
    expect(client.connection.info?.peer?.delegatedCredential).toBeDefined()
  })

  it("is not shown to a client that takes none: the certificate's own key signs", () => {
    const { client, server } = shake({ verifier })
    expect(client.connection.failure).toBeUndefined()
    expect(client.connection.info?.peer?.delegatedCredential).toBeUndefined()
    expect(server.connection.info?.delegated).toBeUndefined()
  })

  it("is not shown once it has expired", () => {
    const { client } = shake({}, {}, now + 24 * hour)
    expect(client.connection.info?.peer?.delegatedCredential).toBeDefined()
    const late = shake({}, {}, now + 24 * hour + 1000)
    expect(late.client.connection.failure).toBeUndefined()
    expect(late.client.connection.info?.peer?.delegatedCredential).toBeUndefined()
  })

  it("is not shown to a client that does not take its scheme, or the one in which it was signed", () => {
    const ed25519 = own({}, generateKeyPair("ed25519", provider.random))
    for (const [client, credential] of [
      [{ verifier: acceptDelegatedCredentials(verifier, { schemes: ["ed25519"] }) }, own()],
      [{ signatureSchemes: ["ed25519", "rsa_pss_rsae_sha256"] }, ed25519],
    ] as const) {
      const {
        client: { connection: end },
      } = shake(client, { credentials: sniResolver([credential]) })
      expect(end.failure).toMatchObject({ kind: "PeerAlert", received: "handshake_failure" })
    }
  })

  it("alone is nothing for a client that takes none: handshake_failure, and the server says why", () => {
    const { server } = shake({ verifier }, { credentials: sniResolver([own()]) })
    expect(server.connection.failure).toMatchObject({ kind: "PeerIncompatible", alert: "handshake_failure" })
    expect(server.connection.failure?.message).toMatch(/takes no delegated credential/)
  })

  it("an application's resolver cannot show one to who did not ask", () => {
    const { server } = shake({ verifier }, { credentials: { resolve: () => own() } })
    expect(server.connection.failure).toMatchObject({ kind: "PeerIncompatible", alert: "handshake_failure" })
  })

  it("signs later when its key is elsewhere", () => {
    const key = generateKeyPair("p256", provider.random)
    const near = keySigner(key.privateKey)
    let asked: readonly [SignatureSchemeInfo, Uint8Array] | undefined
    const signer: Signer = {
      sign(scheme, message) {
        asked = [scheme, message]
        return new Pause<Uint8Array>()
      },
    }
    const pair = shake({}, { credentials: { resolve: () => ({ ...own({}, key), signer }) } })
    expect(pair.client.connection.info).toBeUndefined()
    const signature = near.sign(asked![0], asked![1], provider)
    pair.take(pair.server, pair.server.connection.answer(signature, now))
    expect(pair.run().client.connection.info?.peer?.delegatedCredential).toBeDefined()
  })

  it("RFC 9345 4.1.1: is refused by a client that has not asked for it: unexpected_message", () => {
    const clientConfig = createClientConfig({ provider, serverName: "server.test", verifier })
    const serverConfig = createServerConfig({ provider, credentials: sniResolver([ownCredential()]) }, unasked)
    const pair = new Pair(
      new ClientConnection(clientConfig, now),
      new ServerConnection(serverConfig, now),
      now,
    ).handshake()
    expect(pair.client.connection.failure).toMatchObject({ kind: "PeerMisbehaved", alert: "unexpected_message" })
  })

  it("bounds how long its session may be resumed", () => {
    const store = new MemorySessionStore()
    const ticketer = new TicketKeyRing({ aead: provider.cipherSuites[0]!.aead, random: provider.random })
    const short = { credentials: sniResolver([own({ hours: 1 })]), ticketer }
    shake({ sessionStore: store }, short)
    const session = store.take("server.test", now)
    expect(session?.peerValidUntil).toBe(now + hour)
  })

  it("bounds those of later, too, whose certificates are verified anew", () => {
    const store = new MemorySessionStore()
    const ticketer = new TicketKeyRing({ aead: provider.cipherSuites[0]!.aead, random: provider.random })
    const short = { credentials: sniResolver([own({ hours: 1 })]), ticketer }
    const client = { sessionStore: store, reverifyOnResumption: true }
    shake(client, short)
    expect(shake(client, short, now + hour / 2).client.connection.info?.resumed).toBe(true)
    expect(store.take("server.test", now + hour)?.peerValidUntil).toBe(now + hour)
  })

  it("is asked for by a lean client alike", () => {
    const config = createLeanClientConfig({ provider, serverName: "server.test", verifier: takes }, { certificates })
    const server = createServerConfig({ provider, credentials: sniResolver([own(), ownCredential()]) })
    const pair = new Pair(new ClientConnection(config, now), new ServerConnection(server, now), now).handshake()
    expect(pair.client.connection.info?.peer?.delegatedCredential).toBeDefined()
  })
})

describe("a client's delegated credential", () => {
  const ofClient = (verifierOfClients = takes): Partial<ServerOptions> => ({
    clientAuthentication: { mode: "require", verifier: verifierOfClients },
  })

  it("authenticates it to a server that takes such ones, and both are told so", () => {
    const { client, server } = shake({ credentials: sniResolver([own({ role: "client" })]) }, ofClient())
    expect(server.connection.failure).toBeUndefined()
    expect(server.connection.info?.peer?.delegatedCredential?.scheme).toBe("ecdsa_secp256r1_sha256")
    expect(client.connection.info?.delegated).toBe(true)
  })

  it("is not shown to a server that takes none", () => {
    const credentials = sniResolver([own({ role: "client" }), ownCredential()])
    const { client, server } = shake({ credentials }, ofClient(verifier))
    expect(server.connection.info?.authentication).toBe("certificate")
    expect(server.connection.info?.peer?.delegatedCredential).toBeUndefined()
    expect(client.connection.info?.delegated).toBeUndefined()
  })

  it("RFC 9345 4: cannot be one that was made for a server: illegal_parameter", () => {
    const asServer = own()
    const { server } = shake({ credentials: { resolve: () => asServer } }, ofClient())
    expect(server.connection.failure).toMatchObject({ kind: "CertificateRejected", alert: "illegal_parameter" })
  })

  it("RFC 9345 4.1.2: is refused by a server that has not asked for it: unexpected_message", () => {
    const clientConfig = createClientConfig(
      { provider, serverName: "server.test", verifier, credentials: sniResolver([ownCredential()]) },
      unasked,
    )
    const serverConfig = createServerConfig({
      provider,
      credentials: sniResolver([ownCredential()]),
      ...ofClient(verifier),
    })
    const pair = new Pair(
      new ClientConnection(clientConfig, now),
      new ServerConnection(serverConfig, now),
      now,
    ).handshake()
    expect(pair.server.connection.failure).toMatchObject({ kind: "PeerMisbehaved", alert: "unexpected_message" })
  })

  it("is shown after the handshake, too", () => {
    const credentials = sniResolver([own({ role: "client" })])
    const pair = shake(
      { credentials, postHandshakeAuth: true },
      { clientAuthentication: { mode: "post-handshake", verifier: takes } },
    )
    pair.take(pair.server, pair.server.connection.requestCertificate())
    pair.run()
    expect(pair.server.connection.failure).toBeUndefined()
    const told = pair.server.events.find(({ type }) => type === "client-authenticated")
    expect(told).toMatchObject({ peer: { delegatedCredential: { scheme: "ecdsa_secp256r1_sha256" } } })
  })
})

// `./lean`: a client of chosen features. With a feature it does, byte for byte, what the usual client does; without it the
// feature is not offered, and a server that uses it all the same is refused.

import { describe, expect, it } from "vitest"
import { ExtensionType } from "../src/bytes/code-points.ts"
import { utf8ToBytes } from "../src/bytes/text.ts"
import { decodeClientHello } from "../src/codec/client-hello.ts"
import { extensions as rows } from "../src/codec/extensions/table.ts"
import { handshakeMessage } from "../src/codec/message.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import * as lean from "../src/connection/lean.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { allFeatures } from "../src/handshake/client/features.ts"
import type { ClientOptions, ServerOptions } from "../src/handshake/options.ts"
import { MemorySessionStore } from "../src/session/client-store.ts"
import { MemoryPskStore } from "../src/session/psk-store.ts"
import type { ExternalPsk } from "../src/session/session.ts"
import { Pair, received } from "../src/testing/pair.ts"
import {
  clientCertificate,
  clientCredential,
  clientOptions,
  provider,
  serverOptions,
  start,
  takesEarlyData,
  ticketer,
} from "./support.ts"
import { always } from "./tools/credentials.ts"

const { createLeanClientConfig, certificates, clientCertificates, preSharedKeys, ...optional } = lean
const psk: ExternalPsk = {
  identity: utf8ToBytes("a"),
  key: new Uint8Array(32).fill(1),
  hash: "sha256",
  kind: "external",
}
const { verifier, ...withoutVerifier } = clientOptions
const pskOptions: ClientOptions = { ...withoutVerifier, externalPsks: [psk] }
const pskServer: ServerOptions = { provider, externalPsks: new MemoryPskStore([psk]) }

function pair(options: ClientOptions, features: lean.ClientFeatures, server: Partial<ServerOptions> = {}): Pair {
  const config = createServerConfig({ ...serverOptions, ...server })
  return new Pair(
    new ClientConnection(createLeanClientConfig(options, features), start),
    new ServerConnection(config, start),
    start,
  )
}

function expectData({ client, server }: Pair, connected: Pair): void {
  expect(client.connection.failure).toBeUndefined()
  connected.take(client, client.connection.send(utf8ToBytes("to server")))
  connected.take(server, server.connection.send(utf8ToBytes("to client")))
  connected.run()
  expect(received(server, "data")).toEqual(utf8ToBytes("to server"))
  expect(received(client, "data")).toEqual(utf8ToBytes("to client"))
}

/** The ClientHello with random bytes that are all alike. */
function hello(config: ReturnType<typeof createClientConfig>): Uint8Array {
  return new ClientConnection(config, start).start().output
}

describe("a lean client", () => {
  it("with pre-shared keys and nothing else connects to who has the key", () => {
    const connected = pair(pskOptions, { preSharedKeys }, { ...pskServer, credentials: undefined }).handshake()
    expect(connected.client.connection.info).toMatchObject({ authentication: "psk", pskIdentity: psk.identity })
    expectData(connected, connected)
    const bytes = hello(createLeanClientConfig(pskOptions, { preSharedKeys })).subarray(5)
    expect(decodeClientHello(handshakeMessage(bytes)).extensions.signature_algorithms).toBeUndefined()
  })

  it("with pre-shared keys and nothing else refuses who wants to be known by a certificate", () => {
    const { connection } = pair(pskOptions, { preSharedKeys }).handshake().client
    // A server with certificates cannot answer a ClientHello that has no signature_algorithms (section 4.3.3).
    expect(connection.failure).toMatchObject({ kind: "PeerAlert", received: "missing_extension" })
  })

  it("with certificates and nothing else connects, ignores tickets and answers a HelloRetryRequest", () => {
    const connected = pair({ ...clientOptions, keyShares: [] }, { certificates }, { ticketer }).handshake()
    expect(connected.client.connection.info).toMatchObject({ authentication: "certificate", helloRetryRequest: true })
    expect(connected.client.events.map(({ type }) => type)).not.toContain("ticket")
    expectData(connected, connected)
  })

  it("RFC 9846 4.5.1.3: without a certificate of its own says that it has none", () => {
    const asks = {
      clientAuthentication: { ...clientCertificate.server.clientAuthentication, mode: "request" },
    } as const
    const connected = pair(clientOptions, { certificates }, asks).handshake()
    expect(connected.server.connection.info).toMatchObject({ authentication: "none" })
    expectData(connected, connected)
    const refused = pair(clientOptions, { certificates }, clientCertificate.server).handshake()
    expect(refused.client.connection.failure).toMatchObject({ received: "certificate_required" })
  })

  it("with a certificate of its own shows it, in the handshake and after it", () => {
    const options = { ...clientOptions, credentials: always(clientCredential) }
    const connected = pair(options, { certificates, clientCertificates }, clientCertificate.server).handshake()
    expect(connected.server.connection.info).toMatchObject({ authentication: "certificate" })
    const { postHandshakeAuthentication } = optional
    const later = pair(
      { ...options, postHandshakeAuth: true },
      { certificates, clientCertificates, postHandshakeAuthentication },
      { clientAuthentication: { ...clientCertificate.server.clientAuthentication, mode: "post-handshake" } },
    ).handshake()
    later.take(later.server, later.server.connection.requestCertificate())
    later.run()
    expect(later.server.connection.info).toMatchObject({ authentication: "certificate" })
  })

  it("with sessions resumes, and sends early data when it has that too", () => {
    const sessionStore = new MemorySessionStore()
    const { earlyData } = optional
    const server = { ticketer, tickets: 1, earlyData: takesEarlyData }
    const options = { ...clientOptions, sessionStore }
    pair(options, { certificates, preSharedKeys }, server).handshake()
    const again = pair(options, { certificates, preSharedKeys }, server).handshake()
    expect(again.client.connection.info).toMatchObject({ resumed: true, earlyData: "not offered" })
    const early = pair({ ...options, earlyData: true }, { certificates, preSharedKeys, earlyData }, server)
    early.take(early.client, early.client.connection.start())
    early.take(early.client, early.client.connection.sendEarlyData(utf8ToBytes("early")))
    early.run()
    expect(early.client.connection.info).toMatchObject({ resumed: true, earlyData: "accepted" })
    expect(received(early.server, "early-data")).toEqual(utf8ToBytes("early"))
  })

  it("says less of a peer that ends the connection without explanations, and as much with them", () => {
    const ended = (features: lean.ClientFeatures) =>
      pair(clientOptions, features, { cipherSuites: ["TLS_AES_256_GCM_SHA384"] }).handshake().client.connection.failure
        ?.message
    const short = "peer ended the connection with the alert handshake_failure"
    expect(ended({ certificates })).toBe(short)
    expect(ended({ certificates, explanations: optional.explanations })).toBe(
      `${short}: the server has nothing in common with us, or could not agree`,
    )
    const config = createLeanClientConfig(clientOptions, { certificates })
    const client = new ClientConnection(config, start)
    client.start()
    client.receive(utf8ToBytes("HTTP/1.1 400"), start)
    expect(client.failure).toMatchObject({
      alert: "unexpected_message",
      message: "peer does not speak TLS: its first byte is 0x48",
    })
  })

  const random = (length: number) => new Uint8Array(length).fill(7)
  const certificateCompression = [
    { code: 1, name: "none", compress: (bytes: Uint8Array) => bytes, decompress: (bytes: Uint8Array) => bytes },
  ]
  const rich: ClientOptions = {
    ...clientOptions,
    ...{ random, certificateCompression, grease: true, permuteExtensions: true, postHandshakeAuth: true },
    credentials: always(clientCredential),
    certificateTypes: { client: ["RawPublicKey", "X509"], server: ["X509", "RawPublicKey"] },
    externalPsks: [psk],
    sessionStore: new MemorySessionStore(),
    ticketRequest: { newSessionCount: 1, resumptionCount: 1 },
    ...{ requestOcspResponse: true, requestSignedCertificateTimestamps: true },
    authorities: [Uint8Array.of(0x30, 0)],
    recordSizeLimit: 16_000,
    alpnProtocols: ["mqtt"],
  }

  it("with all features sends what the usual client sends", () => {
    const { rewriting: _, ...features } = allFeatures
    expect(new Set(Object.keys({ ...optional, certificates, clientCertificates, preSharedKeys }))).toEqual(
      new Set(Object.keys(features)),
    )
    const sent = hello(createLeanClientConfig(rich, features))
    expect(sent).toEqual(hello(createClientConfig(rich)))
    expect(sent.length).toBeGreaterThan(300)
  })

  it.each([
    ["verifier", "certificates"],
    ["credentials", "clientCertificates"],
    ["postHandshakeAuth", "postHandshakeAuthentication"],
    ["certificateCompression", "certificateCompression"],
    ["certificateTypes", "rawPublicKeys"],
    ["sessionStore", "preSharedKeys"],
    ["grease", "grease"],
    ["permuteExtensions", "extensionOrder"],
  ] as const)("%s needs the feature %s: Misuse", (option, feature) => {
    const usual: Partial<ClientOptions> = option === "verifier" ? { externalPsks: [psk] } : { verifier }
    const options = { ...withoutVerifier, ...usual, [option]: rich[option] } as ClientOptions
    expect(() => createLeanClientConfig(options, allFeatures)).not.toThrow()
    expect(() => createLeanClientConfig(options, { ...allFeatures, [feature]: undefined })).toThrow(
      `${option} needs the feature ${feature}`,
    )
  })

  it("externalPsks and earlyData need their features: Misuse", () => {
    expect(() => createLeanClientConfig(pskOptions, {})).toThrow("externalPsks needs the feature preSharedKeys")
    const early = { ...clientOptions, earlyData: true }
    expect(() => createLeanClientConfig(early, { certificates })).toThrow("earlyData needs the feature earlyData")
  })

  it("RFC 9846 4.3: an extension of a feature that it has not is one that it did not ask for: unsupported_extension", () => {
    for (const [name, body] of [
      ["early_data", []],
      ["client_certificate_type", [0]],
      ["ticket_request", [1]],
    ] as const) {
      const config = createServerConfig(serverOptions, (message, bytes) => {
        if (message !== "encrypted_extensions") return bytes
        const type = ExtensionType[name]
        const block = [...bytes.subarray(6), type >>> 8, type & 0xff, 0, body.length, ...body]
        return Uint8Array.of(8, 0, 0, block.length + 2, 0, block.length, ...block)
      })
      const client = new ClientConnection(createLeanClientConfig(clientOptions, { certificates }), start)
      const connected = new Pair(client, new ServerConnection(config, start), start).handshake()
      expect(connected.client.connection.failure).toMatchObject({ alert: "unsupported_extension" })
    }
  })
})

it("RFC 9846 4.3: each row of the table of extensions has its number of the registry", () => {
  for (const [name, { type }] of Object.entries(rows))
    expect({ name, type }).toEqual({ name, type: ExtensionType[name as keyof typeof ExtensionType] })
})

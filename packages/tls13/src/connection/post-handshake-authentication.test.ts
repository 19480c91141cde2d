// Client authentication after the handshake: RFC 9846 sections 4.3.6, 4.4.2 and 4.7.2.

import { describe, expect, it } from "vitest"
import { always, paused, testCredential, testVerifier } from "../../tests/tools/credentials.ts"
import { certificateOf, editBody, editExtensions, extension, removeExtension } from "../../tests/tools/edit.ts"
import { Puppet } from "../../tests/tools/puppet.ts"
import { ContentType, HandshakeType } from "../bytes/code-points.ts"
import { asciiToBytes } from "../bytes/text.ts"
import { encodeCertificateRequest } from "../codec/certificate-request.ts"
import { encodeKeyUpdate } from "../codec/key-update.ts"
import { createNobleProvider, generateEcKey, generateEd25519Key, publicKeyOf } from "../crypto/noble/index.ts"
import type { ClientOptions, ServerOptions } from "../handshake/options.ts"
import { MemorySessionStore } from "../session/client-store.ts"
import { MemoryPskStore } from "../session/psk-store.ts"
import type { ExternalPsk } from "../session/session.ts"
import { TicketKeyRing } from "../session/ticket-keys.ts"
import { Pair, received } from "../testing/pair.ts"
import type { TraceEvent } from "../trace/events.ts"
import type { Credential } from "../x509/interfaces.ts"
import { ClientConnection } from "./client-connection.ts"
import { createClientConfig, createServerConfig } from "./config.ts"
import type { Connection } from "./connection.ts"
import { ServerConnection } from "./server-connection.ts"

const provider = createNobleProvider()
const serverKey = generateEcKey("P-256", provider.random)
const clientKey = generateEd25519Key(provider.random)
const clientCredential = testCredential(clientKey, publicKeyOf(clientKey), Uint8Array.of(0x30, 1, 7))
const verifier = testVerifier(publicKeyOf(clientKey))
const start = 1_800_000_000_000
const hello = asciiToBytes("hello")

const clientOptions: ClientOptions = {
  provider,
  cipherSuites: ["TLS_AES_128_GCM_SHA256"],
  serverName: "server.test",
  verifier: testVerifier(publicKeyOf(serverKey)),
  credentials: always(clientCredential),
  postHandshakeAuth: true,
}
const serverOptions: ServerOptions = {
  provider,
  credentials: always(testCredential(serverKey, publicKeyOf(serverKey))),
  clientAuthentication: { mode: "post-handshake", verifier },
}
const psk: ExternalPsk = {
  identity: asciiToBytes("a"),
  key: new Uint8Array(32).fill(1),
  hash: "sha256",
  kind: "external",
}

function connect(client: Partial<ClientOptions> = {}, server: Partial<ServerOptions> = {}): Pair {
  const clientConfig = createClientConfig({ ...clientOptions, ...client })
  const serverConfig = createServerConfig({ ...serverOptions, ...server })
  return new Pair(
    new ClientConnection(clientConfig, start),
    new ServerConnection(serverConfig, start),
    start,
  ).handshake()
}

function request(pair: Pair): Pair {
  pair.take(pair.server, pair.server.connection.requestCertificate())
  return pair
}

const outcomes = (pair: Pair) => pair.server.events.map(({ type }) => type).filter((type) => type.startsWith("client-"))

function sendsBothWays(pair: Pair): void {
  pair.take(pair.client, pair.client.connection.send(hello))
  pair.take(pair.server, pair.server.connection.send(hello))
  pair.run()
  expect([received(pair.client), received(pair.server)]).toEqual([hello, hello])
}

describe("RFC 9846 4.7.2: a client authenticates after the handshake", () => {
  // Requirements 4.7.2-1, 4.7.2-2
  // Requirement 4.7.2-1
  // Requirement 4.7.2-2
  it("and the server knows who it is", () => {
    const pair = connect()
    expect(pair.server.connection.info).toMatchObject({ authentication: "none", peer: undefined })
    request(pair).run()
    const peer = { type: "X509", subject: "CN=test", chain: clientCredential.chain }
    expect(pair.server.events.at(-1)).toMatchObject({
      type: "client-authenticated",
      peer,
      peerSignatureScheme: "ed25519",
    })
    expect(pair.server.connection.info).toMatchObject({ authentication: "certificate", peer, peerChain: peer.chain })
    sendsBothWays(pair)
  })

  // Requirement 4.7.2-3
  // Requirement 4.7.2-3
  // Requirement 4.5.1-3
  // Requirement 4.5.1-4
  it("or says that it has no certificate", () => {
    const pair = request(connect({ credentials: always(undefined) })).run()
    expect(outcomes(pair)).toEqual(["client-declined"])
    expect(pair.server.connection.info).toMatchObject({ authentication: "none" })
    sendsBothWays(pair)
  })

  it("RFC 9846 4.5.1.3: a listener that requires one ends the connection with certificate_required", () => {
    let choices = 0
    const credentials = { resolve: () => (choices++ === 0 ? clientCredential : undefined) }
    const pair = request(connect({ credentials }, { clientAuthentication: { mode: "require", verifier } })).run()
    expect(pair.server.connection.failure).toMatchObject({ kind: "PeerMisbehaved", alert: "certificate_required" })
    expect(pair.client.connection.failure).toMatchObject({ received: "certificate_required" })
  })

  // Requirement 4.4.2-2
  // Requirement 4.4.2-2
  it("several times over, with requests of unlike and unpredictable contexts", () => {
    const contexts: Uint8Array[] = []
    const trace = (event: TraceEvent) => {
      if (event.type === "message" && event.name === "certificate_request") contexts.push(event.message.slice(5, 37))
    }
    const pair = request(request(request(connect({}, { trace })))).run()
    expect(outcomes(pair)).toEqual(["client-authenticated", "client-authenticated", "client-authenticated"])
    expect(contexts.map(({ length }) => length)).toEqual([32, 32, 32])
    expect(new Set(contexts.map((context) => context.join())).size).toBe(3)
    sendsBothWays(pair)
  })

  it("RFC 9846 4.5: under the traffic secret of that moment, after key updates on both sides", () => {
    const pair = connect()
    pair.take(pair.client, pair.client.connection.updateKeys("update_requested"))
    request(pair.run())
    pair.take(pair.server, pair.server.connection.updateKeys("update_requested"))
    request(pair).run()
    expect(outcomes(pair)).toEqual(["client-authenticated", "client-authenticated"])
    sendsBothWays(pair)
  })

  it("in records cut at every byte", () => {
    const pair = connect()
    pair.chunk = 1
    expect(outcomes(request(pair).run())).toEqual(["client-authenticated"])
  })

  it("also after the handshake has asked for a certificate", () => {
    const pair = request(connect({}, { clientAuthentication: { mode: "require", verifier } })).run()
    expect(outcomes(pair)).toEqual(["client-authenticated"])
  })

  it("RFC 9846 4.7.1: tickets from then on remember it; a resumed connection may be asked too (section 4.4.2)", () => {
    const ticketer = new TicketKeyRing({ aead: provider.cipherSuites[0]!.aead, random: provider.random })
    const sessionStore = new MemorySessionStore()
    const first = connect({ sessionStore }, { ticketer, tickets: 1 })
    request(first).run()
    expect(first.client.events.filter(({ type }) => type === "ticket")).toHaveLength(2)
    const second = connect({ sessionStore }, { ticketer, tickets: 0 })
    expect(second.server.connection.info).toMatchObject({ resumed: true, peerChain: clientCredential.chain })
    expect(outcomes(request(second).run())).toEqual(["client-authenticated"])
  })

  it("RFC 9846 4.3.4, 4.3.5: what the server asks of the certificate reaches the client's choice", () => {
    const asked: unknown[] = []
    const credentials = {
      resolve(request: unknown) {
        asked.push(request)
        return clientCredential
      },
    }
    const authorities = [Uint8Array.of(0x30, 0)]
    const oidFilters = [{ oid: Uint8Array.of(6, 3, 0x55, 0x1d, 0x0f), values: Uint8Array.of(3, 2, 7, 0x80) }]
    request(
      connect({ credentials }, { clientAuthentication: { mode: "require", verifier, authorities, oidFilters } }),
    ).run()
    expect(asked).toMatchObject([
      { authorities, oidFilters },
      { authorities, oidFilters },
    ])
  })
})

describe("RFC 9846 4.7.2: while the client takes its time", () => {
  // Requirements 4.7.2-4, 4.7.2-6
  // Requirement 4.7.2-4
  // Requirement 4.7.2-6
  it("for the choice of a certificate and the signature, its data flows; the answer is in one piece", () => {
    const contents: string[] = []
    const trace = (event: TraceEvent) => {
      if (event.type === "record" && event.direction === "sent" && event.protected)
        contents.push(String(event.innerType))
    }
    let content = new Uint8Array(0)
    const signer: Credential["signer"] = {
      sign(_scheme, message) {
        content = message.slice()
        return paused<Uint8Array>()
      },
    }
    const pair = connect({ trace, credentials: { resolve: () => paused<Credential | undefined>() } })
    contents.length = 0
    const { client, server } = pair
    request(pair).run()
    const talk = () => {
      pair.take(client, client.connection.send(hello))
      pair.run()
    }
    talk()
    const signs = client.connection.answer({ ...clientCredential, signer }, start)
    expect(signs.waitsFor).toMatchObject({ name: "Sign" })
    expect(signs.output).toHaveLength(0)
    talk()
    const ed25519 = provider.signatures.find(({ name }) => name === "ed25519")!
    pair.take(client, client.connection.answer(ed25519.sign(clientKey, content, provider.random), start))
    talk()
    expect(contents).toEqual(["23", "23", "22", "23"])
    expect(server.events.map(({ type }) => type).slice(-4)).toEqual(["data", "data", "client-authenticated", "data"])
  })

  it("the server's data waits with the client", () => {
    const pair = connect({ credentials: { resolve: () => paused<Credential | undefined>() } })
    request(pair).run()
    pair.take(pair.server, pair.server.connection.send(hello))
    expect(received(pair.run().client)).toHaveLength(0)
    pair.take(pair.client, pair.client.connection.answer(clientCredential, start))
    expect(received(pair.run().client)).toEqual(hello)
    expect(outcomes(pair)).toEqual(["client-authenticated"])
  })

  it("for its verdict, the server reads nothing that came behind", () => {
    const pair = connect({}, { clientAuthentication: { mode: "post-handshake", verifier: { verify: () => paused() } } })
    request(pair).run()
    pair.take(pair.client, pair.client.connection.send(hello))
    expect(received(pair.run().server)).toHaveLength(0)
    const verdict = testVerifier(publicKeyOf(clientKey)).verify({
      role: "client",
      type: "X509",
      chain: clientCredential.chain,
      serverName: undefined,
      ocspResponse: undefined,
      signedCertificateTimestamps: undefined,
      now: start,
      provider,
    })
    pair.take(pair.server, pair.server.connection.answer(verdict, start))
    expect(pair.server.events.slice(-2)).toMatchObject([
      { type: "client-authenticated" },
      { type: "data", data: hello },
    ])
  })
})

describe("requestCertificate is refused", () => {
  const refusal = (client: Partial<ClientOptions>, server: Partial<ServerOptions>) => () =>
    request(connect(client, server))

  // Requirement 4.3.6-1
  // Requirement 4.3.6-1
  it("RFC 9846 4.3.6: for a client that did not offer it", () => {
    expect(refusal({ postHandshakeAuth: false }, {})).toThrow(/did not offer/)
  })

  // Requirement 4.4.2-7
  // Requirement 4.4.2-7
  it("RFC 9846 4.4.2: for one that authenticates by an external PSK", () => {
    expect(refusal({ externalPsks: [psk] }, { externalPsks: new MemoryPskStore([psk]) })).toThrow(/external PSK/)
  })

  it("for a server that could not verify the answer", () => {
    const { clientAuthentication: _, ...plain } = serverOptions
    const server = new ServerConnection(createServerConfig(plain), start)
    const pair = new Pair(new ClientConnection(createClientConfig(clientOptions), start), server, start).handshake()
    expect(() => request(pair)).toThrow(/clientAuthentication/)
  })

  it("before the handshake is complete", () => {
    expect(() => new ServerConnection(createServerConfig(serverOptions), start).requestCertificate()).toThrow(
      /not complete/,
    )
  })

  it("limits.certificateRequests: at the limit, and one past it", () => {
    const pair = connect({}, { limits: { certificateRequests: 2 } })
    request(request(pair))
    expect(() => request(pair)).toThrow(/2 CertificateRequests wait/)
    expect(outcomes(pair.run())).toHaveLength(2)
    expect(outcomes(request(pair).run())).toHaveLength(3)
  })
})

/* ---------------------------------------------------------------- what servers refuse */

describe("RFC 9846 4.7.2: a server refuses", () => {
  /** A server that has asked `requests` times, with the client's answers ready: Certificate, CertificateVerify, Finished. */
  function asked(requests = 1, client: Partial<ClientOptions> = {}, server: Partial<ServerOptions> = {}): Puppet {
    const scene = { client: { ...clientOptions, ...client }, server: { ...serverOptions, ...server }, now: start }
    const puppet = Puppet.ofServer(scene).run()
    const { subject } = puppet
    if (subject instanceof ServerConnection)
      for (let i = 0; i < requests; i++) puppet.take(subject.requestCertificate())
    return puppet
  }
  const alert = (puppet: Puppet) => puppet.subject.failure?.alert
  const keyUpdate = encodeKeyUpdate("update_not_requested")

  it("a Certificate that it did not ask for: unexpected_message", () => {
    const puppet = asked(1).run()
    expect(alert(puppet)).toBeUndefined()
    puppet.message(certificateOf(new Uint8Array(0), []))
    expect(alert(puppet)).toBe("unexpected_message")
  })

  it("a Certificate for another context: illegal_parameter", () => {
    const puppet = asked()
    puppet.message(editBody(puppet.drop("certificate"), (body) => body.map((byte, i) => (i === 5 ? byte ^ 1 : byte))))
    expect(alert(puppet)).toBe("illegal_parameter")
  })

  it("a second answer to one request: illegal_parameter while another is open", () => {
    const puppet = asked(2)
    const certificate = puppet.parts[0]!.content
    puppet.deliverUntil("finished").deliver()
    puppet.message(certificate)
    expect(alert(puppet)).toBe("illegal_parameter")
  })

  it("takes answers in another order than it asked", () => {
    const puppet = asked(2)
    puppet.parts.push(...puppet.parts.splice(0, 3))
    puppet.run()
    expect(puppet.events.filter(({ type }) => type === "client-authenticated")).toHaveLength(2)
  })

  for (const next of ["certificate_verify", "finished"] as const) {
    it(`application data before ${next}: unexpected_message`, () => {
      const puppet = asked().deliverUntil(next)
      puppet.send(ContentType.application_data, hello)
      expect(alert(puppet)).toBe("unexpected_message")
    })

    it(`empty application data before ${next}: unexpected_message`, () => {
      const puppet = asked().deliverUntil(next)
      puppet.send(ContentType.application_data, new Uint8Array(0))
      expect(alert(puppet)).toBe("unexpected_message")
    })

    it(`KeyUpdate before ${next}: unexpected_message`, () => {
      const puppet = asked().deliverUntil(next)
      puppet.message(keyUpdate)
      expect(alert(puppet)).toBe("unexpected_message")
    })
  }

  it("another answer's Certificate in the middle: unexpected_message", () => {
    const puppet = asked(2)
    puppet.deliver()
    puppet.message(puppet.parts[2]!.content)
    expect(alert(puppet)).toBe("unexpected_message")
  })

  it("an answer without CertificateVerify: unexpected_message", () => {
    const puppet = asked()
    puppet.deliver()
    puppet.drop("certificate_verify")
    puppet.deliver()
    expect(alert(puppet)).toBe("unexpected_message")
  })

  it("an answer without Finished: the client is not authenticated, and its data is unexpected_message", () => {
    const puppet = asked().deliverUntil("finished")
    puppet.drop("finished")
    expect(puppet.events.some(({ type }) => type === "client-authenticated")).toBe(false)
    puppet.send(ContentType.application_data, hello)
    expect(alert(puppet)).toBe("unexpected_message")
  })

  it("CertificateVerify after an empty Certificate: unexpected_message", () => {
    const verify = asked().parts[1]!.content
    const puppet = asked(1, { credentials: always(undefined) })
    puppet.deliver()
    puppet.message(verify)
    expect(alert(puppet)).toBe("unexpected_message")
  })

  // Requirement 4.5.2-8 (server)
  it("RFC 9846 4.5.2: a CertificateVerify for another request: decrypt_error", () => {
    const puppet = asked(2)
    const other = puppet.parts[4]!.content
    puppet.deliver()
    puppet.drop("certificate_verify")
    puppet.message(other)
    expect(alert(puppet)).toBe("decrypt_error")
  })

  // Requirement 4.5.3-1 (server)
  it("RFC 9846 4.5.3: a Finished that is wrong: decrypt_error", () => {
    const puppet = asked().deliverUntil("finished")
    puppet.message(editBody(puppet.drop("finished"), (body) => body.map((byte, i) => (i === 31 ? byte ^ 1 : byte))))
    expect(alert(puppet)).toBe("decrypt_error")
  })

  it("RFC 9846 4.5: a Finished made with the secret before a KeyUpdate: decrypt_error", () => {
    const puppet = asked()
    puppet.message(keyUpdate)
    puppet.run()
    expect(alert(puppet)).toBe("decrypt_error")
  })

  it("RFC 9846 4.5.1: an extension in CertificateEntry that it did not ask for: unsupported_extension", () => {
    const puppet = asked()
    const context = puppet.drop("certificate").slice(5, 37)
    const entry = {
      data: clientCredential.chain[0]!,
      extensions: [extension("signed_certificate_timestamp", Uint8Array.of(0, 4, 0, 2, 1, 1))],
    }
    puppet.message(certificateOf(context, [entry]))
    expect(alert(puppet)).toBe("unsupported_extension")
  })

  it("a certificate that its verifier refuses, with the verifier's alert", () => {
    const refuses = testVerifier(publicKeyOf(clientKey), {
      accepted: false,
      alert: "certificate_revoked",
      reason: "revoked",
      message: "it was revoked",
    })
    const puppet = asked(1, {}, { clientAuthentication: { mode: "post-handshake", verifier: refuses } }).run()
    expect(puppet.subject.failure).toMatchObject({ kind: "CertificateRejected", alert: "certificate_revoked" })
  })
})

/* ---------------------------------------------------------------- what clients refuse */

describe("RFC 9846 4.7.2: a client refuses", () => {
  const unasked = encodeCertificateRequest(new Uint8Array(32), { signature_algorithms: [0x0807] })

  function connected(client: Partial<ClientOptions> = {}, server: Partial<ServerOptions> = {}): Puppet {
    const scene = { client: { ...clientOptions, ...client }, server: { ...serverOptions, ...server }, now: start }
    return Puppet.ofClient(scene).run()
  }
  const ask = (puppet: Puppet) =>
    puppet.act((actor: Connection) => {
      if (!(actor instanceof ServerConnection)) throw new Error("the actor is no server")
      return actor.requestCertificate()
    })

  // Requirement 4.7.2-5
  // Requirement 4.7.2-5
  it("a CertificateRequest without having offered post_handshake_auth: unexpected_message", () => {
    const puppet = connected({ postHandshakeAuth: false })
    puppet.message(unasked)
    expect(puppet.subject.failure).toMatchObject({ kind: "PeerMisbehaved", alert: "unexpected_message" })
    expect(puppet.alerts).toMatchObject([{ level: 2, description: "unexpected_message", protected: true }])
  })

  it("RFC 9846 4.4.2: one where an external PSK authenticates: unexpected_message", () => {
    const puppet = connected({ externalPsks: [psk] }, { externalPsks: new MemoryPskStore([psk]) })
    expect(puppet.subject.info?.authentication).toBe("psk")
    puppet.message(unasked)
    expect(puppet.subject.failure).toMatchObject({ alert: "unexpected_message" })
  })

  it("RFC 9846 4.4.2: one without signature_algorithms: missing_extension", () => {
    const puppet = ask(connected())
    puppet.message(
      editExtensions(puppet.drop("certificate_request"), (list) => removeExtension(list, "signature_algorithms")),
    )
    expect(puppet.subject.failure).toMatchObject({ alert: "missing_extension" })
  })

  it("limits.postHandshakeMessages: as many requests in a row as the limit, and no more", () => {
    const puppet = connected({ limits: { postHandshakeMessages: 2 } })
    puppet.message(unasked)
    puppet.message(unasked)
    expect(puppet.subject.failure).toBeUndefined()
    expect(puppet.sent.filter(({ message }) => message[0] === HandshakeType.certificate_verify)).toHaveLength(2)
    puppet.message(unasked)
    expect(puppet.subject.failure).toMatchObject({ kind: "LimitExceeded", alert: "unexpected_message" })
  })
})

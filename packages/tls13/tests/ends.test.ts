// The end of a connection: what may follow close_notify (RFC 9846 section 6.1), and an end that comes while a decision is due.

import { describe, expect, it } from "vitest"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { publicKeyOf } from "../src/crypto/noble/index.ts"
import { Pair, received } from "../src/testing/pair.ts"
import type { CertificateVerdict } from "../src/x509/interfaces.ts"
import {
  type Cast,
  clientCertificate,
  clientCredential,
  clientKey,
  clientOptions,
  serverOptions,
  start,
  ticketer,
} from "./support.ts"
import { always, paused, testVerifier } from "./tools/credentials.ts"

function pairOf({ client, server }: Cast = {}): Pair {
  return new Pair(
    new ClientConnection(createClientConfig({ ...clientOptions, ...client }), start),
    new ServerConnection(createServerConfig({ ...serverOptions, ...server }), start),
    start,
  )
}

const verifier = testVerifier(publicKeyOf(clientKey))
const later: Cast = {
  client: { postHandshakeAuth: true, credentials: always(clientCredential) },
  server: { clientAuthentication: { mode: "post-handshake", verifier } },
}

describe("RFC 9846 6.1: nothing follows our close_notify", () => {
  it("no answer to a CertificateRequest", () => {
    const pair = pairOf(later).handshake()
    pair.take(pair.client, pair.client.connection.close())
    pair.run()
    // The server has not closed its half: it may still ask.
    const { output } = pair.server.connection.requestCertificate()
    const answer = pair.client.connection.receive(output, start)
    expect({ output: answer.output.length, waitsFor: answer.waitsFor }).toEqual({ output: 0, waitsFor: "bytes" })
    pair.take(pair.server, pair.server.connection.send(Uint8Array.of(1)))
    pair.run()
    expect(received(pair.client)).toEqual(Uint8Array.of(1))
  })

  it("no ticket for a client that authenticates after it", () => {
    const sessions = { take: () => undefined, put: () => undefined }
    const pair = pairOf({ client: { ...later.client, sessionStore: sessions }, server: { ...later.server, ticketer } })
    pair.handshake()
    pair.take(pair.server, pair.server.connection.requestCertificate())
    const asked = pair.server.outgoing.splice(0)[0]!
    pair.take(pair.server, pair.server.connection.close())
    const answer = pair.client.connection.receive(asked, start)
    const { output, events } = pair.server.connection.receive(answer.output, start)
    expect(events.map(({ type }) => type)).toEqual(["client-authenticated"])
    expect(output.length).toBe(0)
  })
})

describe("the end of the stream waits while a decision is due", () => {
  it("and what came before it is read: data, then close_notify", () => {
    const pause = paused<CertificateVerdict>()
    const { client, server } = pairOf({
      ...clientCertificate,
      server: { clientAuthentication: { mode: "require", verifier: { verify: () => pause } } },
    })
    const hello = client.connection.start()
    const flight = server.connection.receive(hello.output, start)
    const finished = client.connection.receive(flight.output, start)
    const data = client.connection.send(Uint8Array.of(1, 2, 3))
    const close = client.connection.close()
    for (const { output } of [finished, data, close]) server.connection.receive(output, start)
    expect(server.connection.receiveEnd(start)).toMatchObject({ events: [], waitsFor: { name: "VerifyPeer" } })
    const chain = clientCredential.chain
    const verdict = verifier.verify({
      role: "client",
      type: "X509",
      chain,
      serverName: undefined,
      ocspResponse: undefined,
      signedCertificateTimestamps: undefined,
      now: start,
      provider: clientOptions.provider,
    })
    const { events } = server.connection.answer(verdict, start)
    expect(events.map(({ type }) => type)).toEqual(["connected", "data", "end"])
    expect(server.connection.failure).toBeUndefined()
  })

  it("and without close_notify it is a failure as ever", () => {
    const pause = paused<CertificateVerdict>()
    const { client, server } = pairOf({
      ...clientCertificate,
      server: { clientAuthentication: { mode: "require", verifier: { verify: () => pause } } },
    })
    const flight = server.connection.receive(client.connection.start().output, start)
    server.connection.receive(client.connection.receive(flight.output, start).output, start)
    server.connection.receiveEnd(start)
    const refused = { accepted: false, alert: "bad_certificate", reason: "test", message: "no" } as const
    const { events } = server.connection.answer(refused, start)
    expect(events).toMatchObject([{ type: "failed", error: { kind: "CertificateRejected" } }])
  })
})

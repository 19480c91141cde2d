// What the protocol tests share: keys, options that agree with each other, and how a refusal is checked.

import { expect } from "vitest"
import { AlertLevel, type AlertName } from "../src/bytes/alerts.ts"
import type { TlsErrorKind } from "../src/bytes/errors.ts"
import { Writer } from "../src/bytes/writer.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createNobleProvider, generateEcKey, generateEd25519Key, publicKeyOf } from "../src/crypto/noble/index.ts"
import type { ImmediateCryptoProvider } from "../src/crypto/provider.ts"
import type { ClientOptions, ServerOptions } from "../src/handshake/options.ts"
import { MemorySessionStore } from "../src/session/client-store.ts"
import type { ClientSession, ClientSessionStore, ReplayGuard } from "../src/session/session.ts"
import { TicketKeyRing } from "../src/session/ticket-keys.ts"
import { always, testCredential, testVerifier } from "./tools/credentials.ts"
import { editClientHello, setExtension } from "./tools/edit.ts"
import { Puppet, type Scene } from "./tools/puppet.ts"

export const provider: ImmediateCryptoProvider = createNobleProvider()
export const start = 1_800_000_000_000

export const serverKey = generateEcKey("P-256", provider.random)
export const clientKey = generateEd25519Key(provider.random)
export const serverCredential = testCredential(serverKey, publicKeyOf(serverKey))
export const clientCredential = testCredential(clientKey, publicKeyOf(clientKey))

export const clientOptions: ClientOptions = {
  provider,
  cipherSuites: ["TLS_AES_128_GCM_SHA256"],
  serverName: "server.test",
  verifier: testVerifier(publicKeyOf(serverKey)),
}
export const serverOptions: ServerOptions = { provider, credentials: always(serverCredential) }

/** What both sides need so that the client shows a certificate. */
export const clientCertificate = {
  client: { credentials: always(clientCredential) },
  server: { clientAuthentication: { mode: "require", verifier: testVerifier(publicKeyOf(clientKey)) } },
} as const

export interface Cast {
  readonly client?: Partial<ClientOptions>
  readonly server?: Partial<ServerOptions>
  readonly rewrite?: Scene["rewrite"]
  readonly rewriteSubject?: Scene["rewriteSubject"]
  readonly now?: number
}

export function scene({ client, server, rewrite, rewriteSubject, now = start }: Cast = {}): Scene {
  return {
    client: { ...clientOptions, ...client },
    server: { ...serverOptions, ...server },
    ...(rewrite && { rewrite }),
    ...(rewriteSubject && { rewriteSubject }),
    now,
  }
}

export const clientUnderTest = (cast?: Cast): Puppet => Puppet.ofClient(scene(cast))
export const serverUnderTest = (cast?: Cast): Puppet => Puppet.ofServer(scene(cast))

/* ---------------------------------------------------------------- resumption */

export const ticketer = new TicketKeyRing({ aead: provider.cipherSuites[0]!.aead, random: provider.random })
/** Lets everything through once: the tests of replay use a real one. */
export const openGuard: ReplayGuard = { take: () => true }
export const takesEarlyData = { maxBytes: 1000, replayGuard: openGuard } as const

/** A session of these rules, as a handshake made it. */
export function sessionFor({ client, server }: Cast = {}): ClientSession {
  const store = new MemorySessionStore()
  const first = serverUnderTest({
    client: { ...client, sessionStore: store },
    server: { ticketer, tickets: 1, ...server },
  }).run()
  // The puppet lets the actor read what the server sends: the ticket is in the store.
  const session = store.take("server.test", start)
  if (session === undefined) throw new Error(`no ticket came: ${first.subject.failure?.message}`)
  return session
}

/** A store that gives one session for ever. */
export function storeOf(session: ClientSession): ClientSessionStore {
  return { take: () => session, put: () => {} }
}

/** Client and server that know each other. */
export function resumed({ client, server, ...rest }: Cast = {}): Cast {
  const session = sessionFor({ client: client ?? {}, server: server ?? {} })
  return {
    ...rest,
    client: { ...client, sessionStore: storeOf(session) },
    server: { ticketer, tickets: 1, ...server },
  }
}

/** The same with 0-RTT data on. */
export function early({ client, server, ...rest }: Cast = {}): Cast {
  return resumed({ ...rest, client: { ...client, earlyData: true }, server: { earlyData: takesEarlyData, ...server } })
}

/* ---------------------------------------------------------------- refusals */

/** The subject ended the connection with this alert, alone, at the right level and under its keys, and says whose fault it was. */
export function expectRefused(puppet: Puppet, alert: AlertName, kind: TlsErrorKind, message?: RegExp): void {
  const { failure } = puppet.subject
  expect({ alert: failure?.alert, kind: failure?.kind, message: failure?.message }).toMatchObject({
    alert,
    kind,
    message: message === undefined ? expect.any(String) : expect.stringMatching(message),
  })
  expect(puppet.alerts).toMatchObject([{ level: AlertLevel.fatal, description: alert }])
  // The peer, a real one, can read it: it went out under the right keys. But a client that has no keys yet sends it in the
  // clear, to a server that has; and one whose early data is on its way, under keys that the server may have refused.
  const hasEarlyKeys = puppet.secret("client_early_traffic_secret") !== undefined
  if (puppet.actor instanceof ClientConnection || (puppet.alerts[0]?.protected && !hasEarlyKeys)) {
    expect(puppet.actor.failure).toMatchObject({ kind: "PeerAlert", received: alert })
  }
  expect(puppet.outcome?.waitsFor).toBe("nothing")
  // Section 6.2: nothing is read or sent afterwards.
  const { output, events } = puppet.subject.receive(Uint8Array.of(22, 3, 3, 0, 1, 1), puppet.now)
  expect({ output: output.length, events }).toEqual({ output: 0, events: [] })
}

/** Cipher suites that nobody has, and padding, up to the bounds of their vectors. */
export function longestHello(message: Uint8Array): Uint8Array {
  return editClientHello(message, (hello) => {
    const suites = new Writer().bytes(hello.cipherSuites)
    for (let i = hello.cipherSuites.length; i < 65_534; i += 2) suites.uint16(0x5a5a)
    hello.cipherSuites = suites.finish()
    const taken = hello.extensions.reduce((sum, { data }) => sum + 4 + data.length, 0)
    setExtension(hello.extensions, "padding", new Uint8Array(65_535 - taken - 4))
  })
}

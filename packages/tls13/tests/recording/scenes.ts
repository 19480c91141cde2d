// Connections of every kind, recorded at both ends: what the tests of recordings share.

import { Pause } from "../../src/bytes/pause.ts"
import { asciiToBytes } from "../../src/bytes/text.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import type { Connection } from "../../src/connection/connection.ts"
import type { ConnectionRecorder } from "../../src/connection/recorder.ts"
import { createHostProvider } from "../../src/crypto/host/index.ts"
import { createX25519MLKEM768 } from "../../src/crypto/noble-pq/index.ts"
import type { ClientOptions, ServerOptions } from "../../src/handshake/options.ts"
import { createRecorder, type RecorderOptions, type RecordingSink } from "../../src/recording/index.ts"
import { MemoryPskStore } from "../../src/session/psk-store.ts"
import type { ExternalPsk } from "../../src/session/session.ts"
import { Pair, type Side } from "../../src/testing/pair.ts"
import type { TraceSink } from "../../src/trace/events.ts"
import { acceptDelegatedCredentials, sniResolver } from "../../src/x509/index.ts"
import type { CertificateVerifier, Credential } from "../../src/x509/interfaces.ts"
import * as delegation from "../delegated/scene.ts"
import { key, offerOf, otherKey, ringOf } from "../ech/scenes.ts"
import {
  type Cast,
  clientCertificate,
  clientCredential,
  clientOptions,
  early,
  provider,
  resumed,
  serverCredential,
  serverOptions,
  start,
  takesEarlyData,
  ticketer,
} from "../support.ts"
import { always } from "../tools/credentials.ts"

export { provider, start }

/** The lines of one recording. */
export class Lines {
  text = ""
  write(text: string): void {
    this.text += text
  }
}

export function recorderInto(lines: RecordingSink, options?: RecorderOptions): ConnectionRecorder {
  return createRecorder(() => lines, options)
}

export interface Recorded {
  readonly pair: Pair
  readonly client: Lines
  readonly server: Lines
}

/** A connection of which both ends are recorded, at its beginning. */
export function recordedPair(
  client: Partial<ClientOptions> = {},
  server: Partial<ServerOptions> = {},
  options?: RecorderOptions,
  clientSink?: RecordingSink,
  now: number = start,
): Recorded {
  const [clientLines, serverLines] = [new Lines(), new Lines()]
  const clientConfig = createClientConfig({ ...clientOptions, ...client })
  const serverConfig = createServerConfig({ ...serverOptions, ...server })
  const pair = new Pair(
    recorderInto(clientSink ?? clientLines, options).client(clientConfig, now),
    recorderInto(serverLines, options).server(serverConfig, now),
    now,
  )
  return { pair, client: clientLines, server: serverLines }
}

/** Answers the decisions that a side waits for, until it waits for none. */
export async function settle(pair: Pair): Promise<void> {
  for (;;) {
    const waiting = [pair.client, pair.server].flatMap((side) => {
      const outcome = pending.get(side.connection)
      return outcome === undefined ? [] : [{ side, pause: outcome }]
    })
    if (waiting.length === 0) return
    for (const { side, pause } of waiting) {
      pending.delete(side.connection)
      const answered = await Promise.resolve(pause.work).then(
        (value) => () => side.connection.answer(value, pair.now),
        (error: unknown) => () => side.connection.reject(error, pair.now),
      )
      pair.take(side, answered())
    }
    pair.run()
  }
}

const pending = new Map<Connection, Pause<unknown>>()

/** A pair whose sides tell which decisions they wait for. */
export function watchDecisions(pair: Pair): void {
  const take = pair.take.bind(pair)
  pair.take = (side: Side<Connection>, outcome) => {
    take(side, outcome)
    if (typeof outcome.waitsFor === "object") pending.set(side.connection, outcome.waitsFor.pause)
    else pending.delete(side.connection)
  }
}

const later = <Value>(value: Value): Pause<Value> => new Pause(Promise.resolve(value))

/** As a signer outside answers. */
const laterCredential: Credential = {
  ...serverCredential,
  signer: { sign: (...args) => later(serverCredential.signer.sign(...args)) as Pause<Uint8Array> },
}
const laterVerifier: CertificateVerifier = {
  leafKey: clientOptions.verifier!.leafKey!,
  verify: (verification) => later(clientOptions.verifier!.verify(verification)) as Pause<never>,
}

const psk: ExternalPsk = {
  identity: asciiToBytes("device 7"),
  key: new Uint8Array(32).fill(7),
  hash: "sha256",
  kind: "external",
}
const psks = new MemoryPskStore([psk])

export interface Scenario {
  readonly cast: () => Cast
  /** Goes on after the handshake. */
  readonly after?: (pair: Pair) => void
  /** Ahead of it. */
  readonly before?: (pair: Pair) => void
  readonly fails?: true
}

const say = (pair: Pair, side: Side<Connection>, text: string) => {
  pair.take(side, side.connection.send(asciiToBytes(text)))
  pair.run()
}

const talk = (pair: Pair) => {
  say(pair, pair.client, "a question that is private")
  say(pair, pair.server, "an answer that is private")
}

/** SignedCertificateTimestampList of one that says nothing. */
const oneTimestamp = Uint8Array.of(0, 3, 0, 1, 7)
const host = createHostProvider()
const hostOnly = { provider: host, cipherSuites: undefined }

export const scenarios: Readonly<Record<string, Scenario>> = {
  full: { cast: () => ({}), after: talk },
  HelloRetryRequest: {
    cast: () => ({ client: { keyShares: ["x25519"] }, server: { groups: ["secp256r1"] } }),
    after: talk,
  },
  "stateless retry with a cookie": {
    cast: () => ({
      server: {
        statelessRetry: {
          requireCookie: true,
          cookies: { seal: (content) => Uint8Array.of(7, ...content), open: (cookie) => cookie.subarray(1) },
        },
      },
    }),
    after: talk,
  },
  "resumption with a ticket": { cast: () => resumed(), after: talk },
  "0-RTT": {
    cast: () => early({ server: { earlyData: takesEarlyData } }),
    before: (pair) => {
      pair.take(pair.client, pair.client.connection.start())
      pair.take(pair.client, pair.client.connection.sendEarlyData(asciiToBytes("early and private")))
    },
    after: talk,
  },
  "external PSK": {
    cast: () => ({
      client: { externalPsks: [psk], verifier: undefined },
      server: { externalPsks: { lookup: (identity) => later(psks.lookup(identity)) as Pause<ExternalPsk> } },
    }),
    after: talk,
  },
  "client certificate": { cast: () => clientCertificate, after: talk },
  "post-handshake authentication": {
    cast: () => ({
      client: { credentials: always(clientCredential), postHandshakeAuth: true },
      server: {
        ticketer,
        clientAuthentication: {
          mode: "post-handshake",
          verifier: clientCertificate.server.clientAuthentication.verifier,
        },
      },
    }),
    after: (pair) => {
      pair.take(pair.server, pair.server.connection.requestCertificate())
      pair.run()
      talk(pair)
    },
  },
  "KeyUpdate, and close": {
    cast: () => ({}),
    after: (pair) => {
      pair.take(pair.client, pair.client.connection.updateKeys("update_requested"))
      pair.run()
      talk(pair)
      pair.take(pair.client, pair.client.connection.close())
      pair.run()
      pair.take(pair.server, pair.server.connection.close())
      pair.run()
      pair.take(pair.client, pair.client.connection.receiveEnd(pair.now))
      pair.client.connection.destroy()
    },
  },
  "everything answered later": {
    cast: () => ({
      client: { verifier: laterVerifier },
      server: { credentials: { resolve: () => later(laterCredential) as Pause<Credential> } },
    }),
    after: talk,
  },
  "the host's own randomness": { cast: () => ({ client: hostOnly, server: hostOnly }), after: talk },
  "hybrid key exchange": {
    cast: () => {
      const pq = { ...provider, keyExchanges: [createX25519MLKEM768(), ...provider.keyExchanges] }
      return { client: { provider: pq }, server: { provider: pq } }
    },
    after: talk,
  },
  "GREASE, padding and extensions in any order": {
    cast: () => ({
      client: { grease: true, permuteExtensions: true, padding: (_, length) => (64 - (length % 64)) % 64 },
      server: { grease: true, ticketer, recordSizeLimit: 512 },
    }),
    after: talk,
  },
  "Encrypted Client Hello": {
    cast: () => ({ client: { encryptedClientHello: offerOf(key) }, server: { encryptedClientHello: ringOf(key) } }),
    after: talk,
  },
  "Encrypted Client Hello with HelloRetryRequest": {
    cast: () => ({
      client: { encryptedClientHello: offerOf(key), keyShares: ["x25519"] },
      server: { encryptedClientHello: ringOf(key), groups: ["secp256r1"] },
    }),
    after: talk,
  },
  "Encrypted Client Hello that is rejected": {
    cast: () => ({
      client: { encryptedClientHello: offerOf(otherKey) },
      server: { encryptedClientHello: ringOf(key) },
    }),
    fails: true,
  },
  "delegated credentials of both": {
    cast: () => ({
      now: delegation.now,
      client: {
        verifier: acceptDelegatedCredentials(delegation.verifier),
        credentials: sniResolver([delegation.own({ role: "client" })]),
      },
      server: {
        credentials: sniResolver([delegation.own()]),
        clientAuthentication: { mode: "require", verifier: acceptDelegatedCredentials(delegation.verifier) },
      },
    }),
    after: talk,
  },
  "timestamps that a verifier asks for": {
    cast: () => ({
      client: { verifier: { ...clientOptions.verifier!, asks: { signedCertificateTimestamps: true } } },
      server: { credentials: always({ ...serverCredential, signedCertificateTimestamps: oneTimestamp }) },
    }),
    after: talk,
  },
  "a certificate that is refused": {
    cast: () => ({
      client: {
        verifier: {
          leafKey: clientOptions.verifier!.leafKey!,
          verify: () => ({ accepted: false, alert: "unknown_ca", reason: "unknown_issuer", message: "no anchor" }),
        },
      },
    }),
    fails: true,
  },
  "a signer that is away": {
    cast: () => ({
      server: {
        credentials: always({
          ...serverCredential,
          signer: { sign: () => new Pause(Promise.reject(new Error("the HSM is away"))) },
        }),
      },
    }),
    fails: true,
  },
  "no suite in common": {
    cast: () => ({ server: { cipherSuites: ["TLS_AES_256_GCM_SHA384"] } }),
    fails: true,
  },
  "a record that was changed": {
    cast: () => ({}),
    after: (pair) => {
      pair.take(pair.client, pair.client.connection.send(asciiToBytes("x")))
      const [sent] = pair.client.outgoing
      sent![sent!.length - 1]! ^= 1
      pair.run()
    },
    fails: true,
  },
  "the application ends it": {
    cast: () => ({}),
    after: (pair) => {
      pair.take(pair.server, pair.server.connection.abort("access_denied"))
      pair.run()
    },
    fails: true,
  },
  "time is up": {
    cast: () => ({}),
    before: (pair) => {
      pair.take(pair.server, pair.server.connection.tick(start + 10_000))
      pair.take(pair.client, pair.client.connection.start())
    },
    fails: true,
  },
}

/** @param trace is told what the ends tell while they are recorded */
export async function record(
  name: string,
  options?: RecorderOptions,
  trace: { readonly client?: TraceSink; readonly server?: TraceSink } = {},
): Promise<Recorded> {
  const { cast, before, after } = scenarios[name]!
  const { client, server, now } = cast()
  const traced = [
    { ...client, trace: trace.client },
    { ...server, trace: trace.server },
  ] as const
  const recorded = recordedPair(...traced, options, undefined, now)
  const { pair } = recorded
  watchDecisions(pair)
  if (before) before(pair)
  else pair.take(pair.client, pair.client.connection.start())
  pair.run()
  await settle(pair)
  after?.(pair)
  await settle(pair)
  return recorded
}

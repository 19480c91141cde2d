// Handshakes of @puremq/tls13 in memory: client and server in one thread, what one sends is what the other receives.

import {
  type ClientConfig,
  ClientConnection,
  type ClientOptions,
  type ClientSession,
  type CryptoProvider,
  createClientConfig,
  createServerConfig,
  type ServerConfig,
  ServerConnection,
  type ServerOptions,
} from "@puremq/tls13"
import { MemoryReplayGuard, TicketKeyRing } from "@puremq/tls13/session"
import { createCertificateVerifier, loadCredential, singleCredential, trustStoreFromPem } from "@puremq/tls13/x509"
import { type Identities, serverName } from "./identities.ts"
import { Absent } from "./subjects.ts"
import type { HandshakeWork } from "./work.ts"

/** Of 0-RTT data in each handshake. */
const earlyData = new Uint8Array(64).fill(0x61)

/** What makes one handshake, of two connections of its own, and throws unless both sides say that it is what was asked for. */
export function ourHandshakes(work: HandshakeWork, provider: CryptoProvider, identities: Identities): () => void {
  const { client, server, remembered } = optionsOf(work, provider, identities)
  const serverConfig = createServerConfig(server)
  if (work.kind === "full") {
    const config = createClientConfig(client)
    return () => check(work, handshake(config, serverConfig))
  }
  // A session of a full handshake, offered again and again: a server with stateless tickets takes it as often as it comes.
  const first = handshake(createClientConfig(client), serverConfig)
  const session = remembered()
  if (session === undefined) throw new Error(`the server gave no ticket: ${first.client.failure?.message}`)
  const sessionStore = { take: () => session, put: () => undefined }
  const config = createClientConfig({ ...client, sessionStore, earlyData: work.kind === "0-rtt" })
  return () => check(work, handshake(config, serverConfig, work.kind === "0-rtt" ? earlyData : undefined))
}

function optionsOf(work: HandshakeWork, provider: CryptoProvider, identities: Identities) {
  if (!provider.keyExchanges.some(({ name }) => name === work.group)) {
    throw new Absent(`${provider.name} has no group ${work.group}`)
  }
  const trust = trustStoreFromPem(identities.ca)
  let session: ClientSession | undefined
  const common = { provider, cipherSuites: [work.suite], groups: [work.group] }
  const client: ClientOptions = {
    ...common,
    serverName,
    verifier: createCertificateVerifier({ trust }),
    sessionStore: {
      take: () => undefined,
      put: (_, made) => {
        session = made
      },
    },
    ...(work.retry && { keyShares: [] }),
    ...(work.mutual && { credentials: credentials(identities.client, provider) }),
  }
  const aead = provider.cipherSuites.find(({ name }) => name === work.suite)!.aead
  const server: ServerOptions = {
    ...common,
    credentials: credentials(identities.server, provider),
    ticketer: new TicketKeyRing({ aead, random: provider.random }),
    ...(work.mutual && { clientAuthentication: { mode: "require", verifier: createCertificateVerifier({ trust }) } }),
    ...(work.kind === "0-rtt" && {
      earlyData: { maxBytes: 16_384, replayGuard: new MemoryReplayGuard({ entries: 1_000_000 }) },
    }),
  }
  return { client, server, remembered: () => session }
}

function credentials({ cert, key }: Identities["server"], provider: CryptoProvider) {
  return singleCredential(loadCredential({ cert, key, provider }))
}

interface Ends {
  readonly client: ClientConnection
  readonly server: ServerConnection
  /** Of 0-RTT data, that the server took. */
  readonly early: number
}

function handshake(client: ClientConfig, server: ServerConfig, data?: Uint8Array): Ends {
  const now = Date.now()
  const ends = { client: new ClientConnection(client, now), server: new ServerConnection(server, now) }
  let early = 0
  let flights = [ends.client.start().output]
  if (data !== undefined) flights.push(ends.client.sendEarlyData(data).output)
  for (let to: "server" | "client" = "server"; flights.length > 0; to = to === "server" ? "client" : "server") {
    const answers: Uint8Array[] = []
    for (const flight of flights) {
      const { output, events } = ends[to].receive(flight, now)
      if (output.length > 0) answers.push(output)
      for (const event of events) if (event.type === "early-data") early += event.data.length
    }
    flights = answers
  }
  return { ...ends, early }
}

function check({ kind, group, retry, mutual }: HandshakeWork, { client, server, early }: Ends): void {
  const info = client.info
  if (info === undefined || server.info === undefined) {
    throw new Error(
      `the handshake failed: ${server.failure?.message ?? client.failure?.message ?? "no failure is known"}`,
    )
  }
  const wanted = { resumed: kind !== "full", group, helloRetryRequest: retry }
  for (const [name, value] of Object.entries(wanted)) {
    const is = info[name as keyof typeof info]
    if (is !== value) throw new Error(`the handshake's ${name} is ${String(is)}, not ${value}`)
  }
  if (kind === "0-rtt" && early !== earlyData.length) throw new Error("the server did not take the 0-RTT data")
  if (mutual && kind === "full" && server.info.peer === undefined) throw new Error("the client showed no certificate")
}

// The handshakes that the model is read from: between them they have every message and every secret, and those that come with a
// wrong proof.

import { copyOf } from "../src/bytes/copy.ts"
import { toHex } from "../src/bytes/hex.ts"
import { asciiToBytes } from "../src/bytes/text.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import type { ConnectionEvent } from "../src/connection/events.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { createNobleProvider, generateEcKey, publicKeyOf } from "../src/crypto/noble/index.ts"
import type { ClientOptions, MessageRewriter, ServerOptions } from "../src/handshake/options.ts"
import { MemorySessionStore } from "../src/session/client-store.ts"
import { MemoryPskStore } from "../src/session/psk-store.ts"
import { MemoryReplayGuard } from "../src/session/replay-guard.ts"
import type { ExternalPsk, ReplayGuard } from "../src/session/session.ts"
import { TicketKeyRing } from "../src/session/ticket-keys.ts"
import { Pair } from "../src/testing/pair.ts"
import type { TraceEvent } from "../src/trace/events.ts"
import { always, testCredential, testVerifier } from "../tests/tools/credentials.ts"
import { type Proof, proofs, type Run } from "./observe.ts"
import { Terms } from "./terms.ts"

const provider = createNobleProvider()
const [serverKey, clientKey] = [generateEcKey("P-256", provider.random), generateEcKey("P-256", provider.random)]
const serverCredential = testCredential(serverKey, publicKeyOf(serverKey), asciiToBytes("server"))
const clientCredential = testCredential(clientKey, publicKeyOf(clientKey), asciiToBytes("client"))
const verifiesClient = testVerifier(publicKeyOf(clientKey))
const start = 1_800_000_000_000
const external: ExternalPsk = {
  identity: asciiToBytes("device"),
  key: new Uint8Array(32).fill(7),
  hash: "sha256",
  kind: "external",
}
const withPsk = { client: { externalPsks: [external] }, server: { externalPsks: new MemoryPskStore([external]) } }
const asksLate: Both = {
  client: { credentials: always(clientCredential), postHandshakeAuth: true },
  server: { clientAuthentication: { mode: "post-handshake", verifier: verifiesClient } },
}

interface Both {
  readonly client?: Partial<ClientOptions>
  readonly server?: Partial<ServerOptions>
}

/** Handshakes in which nothing is wrong. @throws Error for one that does not complete */
export function* runs(): Generator<Run> {
  const asks: Both = {
    client: { credentials: always(clientCredential) },
    server: { clientAuthentication: { mode: "require", verifier: verifiesClient } },
  }
  yield run(asks, (pair) => {
    pair.take(pair.client, pair.client.connection.updateKeys("update_requested"))
    pair.take(pair.client, pair.client.connection.updateKeys())
    pair.run()
    pair.take(pair.server, pair.server.connection.updateKeys())
    pair.run()
  })
  yield run({ ...asks, server: { ...asks.server, groups: ["secp256r1"] } })
  yield run(withPsk)
  yield run({ ...withPsk, server: { ...withPsk.server, groups: ["secp256r1"] } })
  yield run(asksLate, askLate)
  yield run({ ...asksLate, server: { ...asksLate.server, groups: ["secp256r1"] } }, askLate)
  yield resumed({})
  yield resumed({ groups: ["secp256r1"] })
}

/* ---------------------------------------------------------------- what is checked */

/** Which proofs are refused when they are wrong, and what else a peer is held to. */
export function probe(): ReadonlyMap<string, boolean> {
  const checks = new Map<string, boolean>()
  for (const proof of proofs) checks.set(proof, !isTaken(proof))
  const unknown = testVerifier(publicKeyOf(serverKey), {
    accepted: false,
    alert: "bad_certificate",
    reason: "name",
    message: "another name",
  })
  checks.set("server_identity", !reaches(connect({ client: { verifier: unknown } }), "client"))
  checks.set("replay_guard", !isReplayed())
  checks.set("key_update", renewsKeys())
  return checks
}

/** Whether the receiver takes the proof with its last byte changed. */
function isTaken(proof: Proof): boolean {
  const late = proof.startsWith("late_")
  const [sender, message] = [proof.startsWith("server_") ? "server" : "client", proof.replace(/^[a-z]+_/, "")]
  if (proof === "binder") {
    const { client, server } = pairOf(withPsk)
    // A ClientHello ends with its binder.
    const { events } = server.connection.receive(lastByteChanged(client.connection.start().output), start)
    return !has(events, "failed")
  }
  let isConnected = false
  const rewrite: MessageRewriter = (name, bytes) =>
    name === message && isConnected === late ? lastByteChanged(bytes) : bytes
  const asks: Both = late
    ? asksLate
    : {
        client: { credentials: always(clientCredential) },
        server: { clientAuthentication: { mode: "require", verifier: verifiesClient } },
      }
  const pair = pairOf(
    asks,
    sender === "client" ? rewrite : undefined,
    sender === "server" ? rewrite : undefined,
  ).handshake()
  isConnected = true
  if (late) askLate(pair)
  const receiver = sender === "client" ? pair.server : pair.client
  return late ? has(receiver.events, "client-authenticated") : has(receiver.events, "connected")
}

/** Whether two servers that share a guard both take a recorded 0-RTT flight. */
function isReplayed(): boolean {
  const { client, server } = ticketed(new MemoryReplayGuard())
  const connection = new ClientConnection(client, start)
  const flight = [connection.start().output, connection.sendEarlyData(asciiToBytes("order")).output]
  const taken = [1, 2].map(() => {
    const end = new ServerConnection(server, start)
    return flight.some((bytes) => end.receive(copyOf(bytes), start).events.some(({ type }) => type === "early-data"))
  })
  return taken.every((one) => one)
}

/** Whether both ends go on under keys that were not there before. */
function renewsKeys(): boolean {
  const traces = { client: [] as TraceEvent[], server: [] as TraceEvent[] }
  const pair = pairOf({}, undefined, undefined, traces).handshake()
  const before = traces.client.length
  pair.take(pair.client, pair.client.connection.updateKeys())
  pair.take(pair.client, pair.client.connection.send(asciiToBytes("data")))
  pair.run()
  const keys = (events: readonly TraceEvent[]) =>
    events.flatMap((event) => (event.type === "keys" ? [toHex(event.key)] : []))
  const fresh = keys(traces.client.slice(before))
  const old = keys(traces.client.slice(0, before))
  return fresh.length > 0 && fresh.every((key) => !old.includes(key)) && has(pair.server.events, "data")
}

/* ---------------------------------------------------------------- tools */

function run(options: Both, then?: (pair: Pair) => void): Run {
  const [terms, traces] = [new Terms(), { client: [] as TraceEvent[], server: [] as TraceEvent[] }]
  const pair = pairOf(options, undefined, undefined, traces, terms).handshake()
  checked(pair)
  then?.(pair)
  checked(pair)
  return {
    terms,
    ...traces,
    hasPsk: options === withPsk || options.client === withPsk.client,
    psks: () => [external.key],
  }
}

/** A ticket, and 0-RTT with it. */
function resumed(server: Partial<ServerOptions>): Run {
  const [terms, traces] = [new Terms(), { client: [] as TraceEvent[], server: [] as TraceEvent[] }]
  const sessions = new MemorySessionStore()
  const psks: Uint8Array[] = []
  const put = sessions.put.bind(sessions)
  sessions.put = (key, session) => {
    psks.push(copyOf(session.psk))
    put(key, session)
  }
  const configs = ticketed(new MemoryReplayGuard(), sessions, traces, terms, server)
  traces.client.length = traces.server.length = 0
  const client = new ClientConnection(configs.client, start)
  const pair = new Pair(client, new ServerConnection(configs.server, start), start)
  pair.take(pair.client, client.start())
  pair.take(pair.client, client.sendEarlyData(asciiToBytes("order")))
  pair.run()
  checked(pair)
  return { terms, ...traces, hasPsk: true, psks: () => psks }
}

/** A client that has a ticket of the server. */
function ticketed(
  replayGuard: ReplayGuard,
  sessionStore = new MemorySessionStore(),
  traces = { client: [] as TraceEvent[], server: [] as TraceEvent[] },
  terms = new Terms(),
  later: Partial<ServerOptions> = {},
) {
  const ticketer = new TicketKeyRing({ aead: provider.cipherSuites[0]!.aead, random: provider.random })
  const options: Both = {
    client: { sessionStore, earlyData: true },
    server: { ticketer, tickets: 1, earlyData: { maxBytes: 1000, replayGuard } },
  }
  const first = configsOf(options, undefined, undefined, traces, terms)
  new Pair(new ClientConnection(first.client, start), new ServerConnection(first.server, start), start).handshake()
  return configsOf(
    { client: options.client!, server: { ...options.server, ...later } },
    undefined,
    undefined,
    traces,
    terms,
  )
}

function askLate(pair: Pair): void {
  pair.take(pair.server, pair.server.connection.requestCertificate())
  pair.run()
}

function configsOf(
  { client, server }: Both,
  clientRewrites?: MessageRewriter,
  serverRewrites?: MessageRewriter,
  traces?: { readonly client: TraceEvent[]; readonly server: TraceEvent[] },
  terms: Terms = new Terms(),
) {
  const common = { provider: terms.watch(provider), cipherSuites: ["TLS_AES_128_GCM_SHA256"] } as const
  return {
    client: createClientConfig(
      {
        ...common,
        groups: ["x25519", "secp256r1"],
        keyShares: ["x25519"],
        serverName: "server.test",
        verifier: testVerifier(publicKeyOf(serverKey)),
        ...(traces && { trace: (event) => traces.client.push(keep(event)) }),
        ...client,
      },
      clientRewrites,
    ),
    server: createServerConfig(
      {
        ...common,
        credentials: always(serverCredential),
        ...(traces && { trace: (event) => traces.server.push(keep(event)) }),
        ...server,
      },
      serverRewrites,
    ),
  }
}

function connect(options: Both): Pair {
  return pairOf(options).handshake()
}

function pairOf(...given: Parameters<typeof configsOf>): Pair {
  const { client, server } = configsOf(...given)
  return new Pair(new ClientConnection(client, start), new ServerConnection(server, start), start)
}

function checked({ client, server }: Pair): void {
  for (const { events } of [client, server])
    for (const event of events)
      if (event.type === "failed") throw new Error(`a handshake of the model's failed: ${event.error.message}`)
  if (!has(client.events, "connected") || !has(server.events, "connected"))
    throw new Error("a handshake of the model's does not come to its end")
}

function reaches(pair: Pair, side: "client" | "server"): boolean {
  return has(pair[side].events, "connected")
}

function has(events: readonly ConnectionEvent[], type: ConnectionEvent["type"]): boolean {
  return events.some((event) => event.type === type)
}

function lastByteChanged(bytes: Uint8Array): Uint8Array {
  const changed = copyOf(bytes)
  changed[changed.length - 1]! ^= 1
  return changed
}

/** A copy of an event whose bytes are views. */
function keep(event: TraceEvent): TraceEvent {
  if (event.type === "message") return { ...event, message: copyOf(event.message) }
  if (event.type === "secret") return { ...event, secret: copyOf(event.secret) }
  if (event.type === "keys") return { ...event, key: copyOf(event.key) }
  return event
}

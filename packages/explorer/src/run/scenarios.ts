// What can be played: each scenario is a conversation of a client and a server, or of two one after another.

import type { ClientOptions, CryptoProvider, ServerOptions } from "@puremq/tls13"
import { ClientConnection, createClientConfig, createServerConfig, ServerConnection } from "@puremq/tls13"
import { chainToPem, encodePkcs8, type Identity, privateKeyToPem } from "@puremq/tls13/devcert"
import {
  decodeEchConfigList,
  EchKeyRing,
  EncryptedClientHelloRejected,
  greaseEncryptedClientHello,
  offerEncryptedClientHello,
} from "@puremq/tls13/ech"
import {
  CookieKeyRing,
  MemoryPskStore,
  MemoryReplayGuard,
  MemorySessionStore,
  TicketKeyRing,
} from "@puremq/tls13/session"
import {
  createCertificateVerifier,
  loadCredential,
  loadRawPublicKey,
  singleCredential,
  sniResolver,
  spkiHash,
} from "@puremq/tls13/x509"
import type { Rewriting } from "./breaks.ts"
import { type Cast, serverName } from "./cast.ts"
import { mqttConnack, mqttConnect, mqttPublish, mqttSuback, mqttSubscribe } from "./mqtt.ts"
import { observed } from "./providers.ts"
import { externalPsk } from "./psks.ts"
import type { Stage } from "./stage.ts"
import { zlib } from "./zlib.ts"

/** What a scenario is given: the cast, and a stage for each connection that it makes. */
export interface Play {
  readonly cast: Cast
  /** Opens the next connection. @param later milliseconds after the scenario began */
  stage(later?: number): Stage
  /** What a break changes of a configuration, and of messages; nothing otherwise. */
  readonly change: {
    readonly client?: Partial<ClientOptions>
    readonly server?: Partial<ServerOptions>
    readonly rewriting?: Rewriting
    readonly serverProvider?: (provider: CryptoProvider) => CryptoProvider
  }
}

export interface Scenario {
  /** As it stands in the address. */
  readonly id: string
  readonly title: string
  /** One sentence: what there is to see. */
  readonly about: string
  /** The sections of RFC 9846, or other documents. */
  readonly source: string
  /** The connection that the scenario is about: those before it only make the ground for it. */
  readonly focus?: number
  play(play: Play): void
}

/* ---------------------------------------------------------------- parts of scenarios */

interface Options {
  readonly client?: Partial<ClientOptions>
  readonly server?: Partial<ServerOptions>
  readonly later?: number
}

/** Two ends that know each other by the usual certificates, unless it is said otherwise. */
function meet({ cast, stage, change }: Play, { client = {}, server = {}, later = 0 }: Options = {}): Stage {
  const here = stage(later)
  const clientRandom = cast.random(`client ${here.nextId}`)
  const serverRandom = cast.random(`server ${here.nextId}`)
  const clientOptions: ClientOptions = {
    provider: observed({ ...cast.provider, random: clientRandom }, here.exchangeOf("client")),
    random: clientRandom,
    cipherSuites: ["TLS_AES_128_GCM_SHA256"],
    groups: ["x25519", "secp256r1"],
    signatureSchemes: ["ecdsa_secp256r1_sha256", "ed25519"],
    serverName,
    alpnProtocols: ["mqtt"],
    verifier: createCertificateVerifier({ trust: cast.trustIn(cast.root) }),
    trace: here.traceOf("client"),
    ...client,
    ...change.client,
  }
  const { serverProvider = (provider) => provider } = change
  const serverOptions: ServerOptions = {
    provider: observed(serverProvider({ ...cast.provider, random: serverRandom }), here.exchangeOf("server")),
    random: serverRandom,
    groups: ["x25519", "secp256r1"],
    alpnProtocols: ["mqtt"],
    credentials: cast.credentialsOf(cast.server),
    tickets: 0,
    trace: here.traceOf("server"),
    ...server,
    ...change.server,
  }
  const { rewriting } = change
  here.open(
    new ClientConnection(createClientConfig(clientOptions, rewriting?.client?.(here)), here.now),
    new ServerConnection(createServerConfig(serverOptions, rewriting?.server?.(here)), here.now),
  )
  return here
}

function shakeHands(stage: Stage): Stage {
  stage.act("client", "opens the connection", () => stage.client.start())
  stage.run()
  return stage
}

/** An MQTT client that subscribes, and gets a message. Nothing when the handshake has failed. @param early CONNECT was 0-RTT data */
function speakMqtt(stage: Stage, early = false): Stage {
  const say = (end: "client" | "server", text: string, bytes: Uint8Array) => {
    const connection = end === "client" ? stage.client : stage.server
    if (!connection.writable) return
    stage.act(end, text, () => connection.send(bytes))
    stage.run()
  }
  if (!early) say("client", "sends CONNECT", mqttConnect.bytes)
  say("server", "answers CONNACK", mqttConnack.bytes)
  say("client", "sends SUBSCRIBE", mqttSubscribe.bytes)
  say("server", "answers SUBACK", mqttSuback.bytes)
  say("server", "sends PUBLISH", mqttPublish.bytes)
  return stage
}

function part(stage: Stage): void {
  for (const end of ["client", "server"] as const) {
    const connection = end === "client" ? stage.client : stage.server
    if (!connection.writable) continue
    stage.act(end, "has nothing more to say", () => connection.close())
    stage.run()
  }
}

function ticketsOf({ cast }: Play): TicketKeyRing {
  return new TicketKeyRing({ aead: cast.provider.cipherSuites[0]!.aead, random: cast.random("ticket keys") })
}

/** A first connection that leaves the client with a ticket, and what both sides need for the second. */
function firstOfTwo(
  play: Play,
  earlyData: boolean,
): { readonly client: Partial<ClientOptions>; readonly server: Partial<ServerOptions> } {
  const sessionStore = new MemorySessionStore()
  const replayGuard = new MemoryReplayGuard()
  const client: Partial<ClientOptions> = { sessionStore, earlyData }
  const server: Partial<ServerOptions> = {
    ticketer: ticketsOf(play),
    tickets: 1,
    ...(earlyData && { earlyData: { maxBytes: 16_384, replayGuard } }),
  }
  const { change, ...unchanged } = play
  const first = meet({ ...unchanged, change: {} }, { client, server })
  part(shakeHands(first))
  return { client, server }
}

/* ---------------------------------------------------------------- the table */

export const scenarios: readonly Scenario[] = [
  {
    id: "full",
    title: "Full handshake",
    about: "One round trip: hello, keys, a certificate, and MQTT inside.",
    source: "section 2",
    play: (play) => part(speakMqtt(shakeHands(meet(play)))),
  },
  {
    id: "hello-retry",
    title: "HelloRetryRequest",
    about: "The client's key share is of a group that the server does not take: it asks for another.",
    source: "section 2.1",
    play: (play) => part(speakMqtt(shakeHands(meet(play, { server: { groups: ["secp256r1"] } })))),
  },
  {
    id: "resumption",
    title: "Resumption",
    about: "A ticket of the first connection is the pre-shared key of the second: no certificate.",
    source: "section 2.2",
    focus: 1,
    play: (play) => part(speakMqtt(shakeHands(meet(play, { ...firstOfTwo(play, false), later: 60_000 })))),
  },
  {
    id: "psk-ke",
    title: "Resumption without a key exchange",
    about:
      "The ends have no group in common, and do with the ticket's key alone (psk_ke): it is all that there is to steal.",
    source: "section 4.3.9",
    focus: 1,
    play(play) {
      const first = firstOfTwo(play, false)
      const allowPskWithoutKeyExchange = true
      const client = { ...first.client, allowPskWithoutKeyExchange, groups: ["x25519"] }
      const server = { ...first.server, allowPskWithoutKeyExchange, groups: ["secp256r1"] }
      part(speakMqtt(shakeHands(meet(play, { client, server, later: 60_000 }))))
    },
  },
  {
    id: "0-rtt",
    title: "0-RTT data, accepted",
    about: "The client's first flight has data already, protected by a key of the ticket.",
    source: "section 2.3",
    focus: 1,
    play(play) {
      const stage = meet(play, { ...firstOfTwo(play, true), later: 60_000 })
      stage.act("client", "opens the connection", () => stage.client.start())
      if (stage.client.earlyDataWritable > 0)
        stage.act("client", "sends CONNECT as 0-RTT data", () => stage.client.sendEarlyData(mqttConnect.bytes))
      stage.run()
      part(speakMqtt(stage, true))
    },
  },
  {
    id: "0-rtt-rejected",
    title: "0-RTT data, rejected",
    about: "The server resumes, but takes no early data: it skips what it cannot read, and the client sends it again.",
    source: "section 4.3.10",
    focus: 1,
    play(play) {
      const both = firstOfTwo(play, true)
      const { earlyData: _, ...server } = both.server
      const stage = meet(play, { client: both.client, server, later: 60_000 })
      stage.act("client", "opens the connection", () => stage.client.start())
      if (stage.client.earlyDataWritable > 0)
        stage.act("client", "sends CONNECT as 0-RTT data", () => stage.client.sendEarlyData(mqttConnect.bytes))
      stage.run()
      part(speakMqtt(stage))
    },
  },
  {
    id: "0-rtt-replayed",
    title: "0-RTT data, replayed",
    about: "Somebody sends the same first flight to the server again: the replay guard knows it.",
    source: "section 8",
    focus: 2,
    play(play) {
      const both = firstOfTwo(play, true)
      const stage = meet(play, { ...both, later: 60_000 })
      stage.act("client", "opens the connection", () => stage.client.start())
      if (stage.client.earlyDataWritable > 0)
        stage.act("client", "sends CONNECT as 0-RTT data", () => stage.client.sendEarlyData(mqttConnect.bytes))
      const flight = stage.onTheWay("client")
      stage.run()
      part(speakMqtt(stage, true))
      const again = meet(play, { ...both, later: 61_000 })
      again.note(undefined, "somebody who has listened sends the client's first flight again")
      again.replay("client", flight)
      again.run()
    },
  },
  {
    id: "client-certificate",
    title: "Client certificate",
    about: "The server asks, and the client proves who it is in the same round trip.",
    source: "section 4.4.2",
    play: (play) => part(speakMqtt(shakeHands(meet(play, mutual(play, "require"))))),
  },
  {
    id: "post-handshake",
    title: "Post-handshake authentication",
    about: "The server asks for the certificate only when it needs it.",
    source: "section 4.7.2",
    play(play) {
      const options = mutual(play, "post-handshake")
      const stage = shakeHands(meet(play, { ...options, client: { ...options.client, postHandshakeAuth: true } }))
      if (stage.server.writable) {
        stage.act("server", "asks for a certificate", () => stage.server.requestCertificate())
        stage.run()
      }
      part(speakMqtt(stage))
    },
  },
  {
    id: "external-psk",
    title: "External PSK",
    about: "A key that both were given beforehand: no certificate, and still a fresh key exchange.",
    source: "section 2.2, RFC 9257",
    play(play) {
      const client = { externalPsks: [externalPsk], verifier: undefined }
      const server = { externalPsks: new MemoryPskStore([externalPsk]), credentials: undefined }
      part(speakMqtt(shakeHands(meet(play, { client, server }))))
    },
  },
  {
    id: "key-update",
    title: "KeyUpdate",
    about: "New keys in the middle of a connection, first one way, then the other.",
    source: "section 4.7.3",
    play(play) {
      const stage = speakMqtt(shakeHands(meet(play)))
      if (stage.client.writable) {
        stage.act("client", "takes new keys, and asks the server to", () => stage.client.updateKeys("update_requested"))
        stage.run()
      }
      if (stage.client.writable) {
        stage.act("client", "sends PUBLISH under the new keys", () => stage.client.send(mqttPublish.bytes))
        stage.run()
      }
      if (stage.server.writable) {
        // The client has subscribed to it.
        const send = () => stage.server.send(mqttPublish.bytes)
        stage.act("server", "passes the PUBLISH on under new keys of its own", send)
        stage.run()
      }
      part(stage)
    },
  },
  {
    id: "compression",
    title: "Certificate compression",
    about: "The same certificates in fewer bytes.",
    source: "RFC 8879",
    play: (play) =>
      part(
        speakMqtt(
          shakeHands(
            meet(play, { client: { certificateCompression: [zlib] }, server: { certificateCompression: [zlib] } }),
          ),
        ),
      ),
  },
  {
    id: "raw-public-key",
    title: "Raw public key",
    about: "A key that the client knows already, without a certificate around it.",
    source: "RFC 7250",
    play(play) {
      const { cast } = play
      const { privateKey, publicKey } = cast.server
      const credential = loadRawPublicKey({ key: encodePkcs8(privateKey), publicKey })
      const pin = spkiHash(credential.chain[0]!, cast.provider)!
      const types = { server: ["RawPublicKey"] } as const
      const verifier = createCertificateVerifier({ trust: cast.trustIn(), rawPublicKeys: [pin] })
      part(
        speakMqtt(
          shakeHands(
            meet(play, {
              client: { certificateTypes: types, verifier },
              server: { certificateTypes: types, credentials: singleCredential(credential) },
            }),
          ),
        ),
      )
    },
  },
  {
    id: "hybrid",
    title: "X25519MLKEM768",
    about: "A key exchange that a quantum computer does not break, and what it costs in bytes.",
    source: "draft-ietf-tls-ecdhe-mlkem",
    play: (play) =>
      part(speakMqtt(shakeHands(meet(play, { client: { groups: hybridFirst }, server: { groups: hybridFirst } })))),
  },
  {
    id: "stateless-retry",
    title: "Stateless retry",
    about: "The server keeps nothing of a client that has proven nothing: it puts all it needs into a cookie.",
    source: "section 4.3.2",
    play(play) {
      const aead = play.cast.provider.cipherSuites[0]!.aead
      const cookies = new CookieKeyRing({ aead, random: play.cast.random("cookie keys") })
      part(speakMqtt(shakeHands(meet(play, { server: { statelessRetry: { cookies, requireCookie: true } } }))))
    },
  },
  {
    id: "ech",
    title: "Encrypted Client Hello",
    about:
      "The name that is meant stands in a hello that is encrypted in another: Who reads what has both beside each other.",
    source: "RFC 9849",
    play(play) {
      const { keys, server } = hiddenServer(play)
      part(speakMqtt(shakeHands(meet(play, { client: hiding(play, keys.configs), server }))))
    },
  },
  {
    id: "ech-retry",
    title: "Encrypted Client Hello, with a HelloRetryRequest",
    about: "Both hellos hide another; the second under the next nonce of the first one's key.",
    source: "RFC 9849 section 6.1.5",
    play(play) {
      const { keys, server } = hiddenServer(play)
      const client = hiding(play, keys.configs)
      part(speakMqtt(shakeHands(meet(play, { client, server: { ...server, groups: ["secp256r1"] } }))))
    },
  },
  {
    id: "ech-rejected",
    title: "Encrypted Client Hello, rejected",
    about:
      "The client has the configuration of a key that the server has no more: it learns another one, and comes again with that.",
    source: "RFC 9849 section 6.1.6",
    play(play) {
      const { keys, server } = hiddenServer(play)
      const old = new EchKeyRing({ provider: play.cast.provider, keys: [play.cast.echKey("old ECH key", idsOf(keys))] })
      const first = shakeHands(meet(play, { client: hiding(play, old.configs), server }))
      const rejection = first.client.failure
      if (!(rejection instanceof EncryptedClientHelloRejected) || rejection.retryConfigs === undefined) return
      const client = hiding(play, rejection.retryConfigs)
      part(speakMqtt(shakeHands(meet(play, { client, server, later: 1_000 }))))
    },
  },
  {
    id: "ech-grease",
    title: "Encrypted Client Hello, made up",
    about: "The client knows no configuration, hides nothing, and looks as if it did (GREASE).",
    source: "RFC 9849 section 6.2",
    play(play) {
      const { server } = hiddenServer(play)
      const encryptedClientHello = greaseEncryptedClientHello({ provider: play.cast.provider })
      part(speakMqtt(shakeHands(meet(play, { client: { encryptedClientHello }, server }))))
    },
  },
  {
    id: "close",
    title: "Close and truncation",
    about: "close_notify says that nothing is missing; a stream that only stops does not.",
    source: "section 6.1",
    play(play) {
      const first = speakMqtt(shakeHands(meet(play)))
      part(first)
      const second = speakMqtt(shakeHands(meet(play, { later: 60_000 })))
      second.cutStream("server")
    },
  },
]

const hybridFirst = ["X25519MLKEM768", "x25519"]

function mutual(
  { cast }: Play,
  mode: "require" | "post-handshake",
): { readonly client: Partial<ClientOptions>; readonly server: Partial<ServerOptions> } {
  const verifier = createCertificateVerifier({ trust: cast.trustIn(cast.root) })
  return {
    client: { credentials: cast.credentialsOf(cast.client) },
    server: { clientAuthentication: { mode, verifier } },
  }
}

/** A server that has a certificate for the public name, too. */
function hiddenServer({ cast }: Play): { readonly keys: EchKeyRing; readonly server: Partial<ServerOptions> } {
  const keys = new EchKeyRing({ provider: cast.provider, keys: [cast.echKey("ECH key")] })
  const credential = (identity: Identity) =>
    loadCredential({ cert: chainToPem(identity), key: privateKeyToPem(identity.privateKey) })
  const credentials = sniResolver([credential(cast.server), credential(cast.publicServer())])
  return { keys, server: { encryptedClientHello: keys, credentials } }
}

function idsOf(keys: EchKeyRing): readonly number[] {
  return decodeEchConfigList(keys.configs).map(({ configId }) => configId)
}

/** A client that hides its server's name, and what is to be spoken. */
function hiding({ cast }: Play, configs: Uint8Array): Partial<ClientOptions> {
  const { provider } = cast
  return { encryptedClientHello: offerEncryptedClientHello({ provider, configs, outerAlpnProtocols: [] }) }
}

/** @throws RangeError for an id that there is not */
export function scenarioOf(id: string): Scenario {
  const scenario = scenarios.find((candidate) => candidate.id === id)
  if (scenario === undefined) throw new RangeError(`there is no scenario ${JSON.stringify(id)}`)
  return scenario
}

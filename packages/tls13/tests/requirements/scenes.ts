// Whole connections of many kinds between two real ends, and everything that each of them sent.

import { expect } from "vitest"
import type { ExtensionName } from "../../src/bytes/code-points.ts"
import { ExtensionType } from "../../src/bytes/code-points.ts"
import { Reader } from "../../src/bytes/reader.ts"
import { utf8ToBytes } from "../../src/bytes/text.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import { MemoryPskStore } from "../../src/session/psk-store.ts"
import type { ExternalPsk } from "../../src/session/session.ts"
import { Pair } from "../../src/testing/pair.ts"
import type { TraceEvent } from "../../src/trace/events.ts"
import { encodeSpki } from "../../src/x509/keys/spki.ts"
import {
  type Cast,
  clientCertificate,
  clientCredential,
  clientOptions,
  early,
  resumed,
  serverCredential,
  serverOptions,
  start,
  ticketer,
} from "../support.ts"
import { always, testVerifier } from "../tools/credentials.ts"
import type { MessageName } from "../tools/puppet.ts"

export type Role = "client" | "server"

export interface SentRecord {
  readonly contentType: number
  readonly innerType: number
  /** As on the wire. */
  readonly record: Uint8Array
  readonly content: Uint8Array
  readonly protected: boolean
  /** Counts the changes of the sender's keys; 0: in the clear. */
  readonly epoch: number
}

export interface SentMessage {
  readonly name: MessageName
  readonly message: Uint8Array
}

export interface Sent {
  readonly records: SentRecord[]
  readonly messages: SentMessage[]
}

/** What a connection of one cast sent, from ClientHello to close_notify. */
export interface Played {
  readonly pair: Pair
  readonly client: Sent
  readonly server: Sent
}

function recorder(): { sent: Sent; trace: (event: TraceEvent) => void } {
  const sent: Sent = { records: [], messages: [] }
  let epoch = 0
  const trace = (event: TraceEvent) => {
    if (event.type === "keys" && event.direction === "sent") epoch++
    if (event.type === "message" && event.direction === "sent")
      sent.messages.push({ name: event.name, message: event.message.slice() })
    if (event.type === "record" && event.direction === "sent") {
      const { contentType, innerType, record, content } = event
      const copies = { record: record.slice(), content: content.slice() }
      sent.records.push({ contentType, innerType, ...copies, protected: event.protected, epoch })
    }
  }
  return { sent, trace }
}

/** Client and server of a cast, not started. */
export function ends({ client, server, now = start }: Cast = {}): Played {
  const [one, other] = [recorder(), recorder()]
  const pair = new Pair(
    new ClientConnection(createClientConfig({ ...clientOptions, ...client, trace: one.trace }), now),
    new ServerConnection(createServerConfig({ ...serverOptions, ...server, trace: other.trace }), now),
    now,
  )
  return { pair, client: one.sent, server: other.sent }
}

/** The handshake, with early data where the cast has it. */
export function shakeHands(cast?: Cast): Played {
  const played = ends(cast)
  const { pair } = played
  pair.take(pair.client, pair.client.connection.start())
  if (pair.client.connection.earlyDataWritable > 0)
    pair.take(pair.client, pair.client.connection.sendEarlyData(utf8ToBytes("early")))
  pair.run()
  return played
}

/** The handshake, data and a key update both ways, and the end. */
export function play(cast?: Cast): Played {
  const played = shakeHands(cast)
  const { pair } = played
  expect([pair.client.connection.failure, pair.server.connection.failure]).toEqual([undefined, undefined])
  for (const side of [pair.client, pair.server]) {
    pair.take(side, side.connection.send(new Uint8Array(40_000)))
    pair.take(side, side.connection.updateKeys("update_requested"))
    pair.run()
    pair.take(side, side.connection.send(utf8ToBytes("bye")))
    pair.take(side, side.connection.close())
    pair.run()
  }
  expect([pair.client.connection.failure, pair.server.connection.failure]).toEqual([undefined, undefined])
  return played
}

/* ---------------------------------------------------------------- casts */

const twoGroups = { groups: ["x25519", "secp256r1"] }
const oneGroup = { groups: ["secp256r1"] }

export const psk: ExternalPsk = {
  identity: utf8ToBytes("device"),
  key: new Uint8Array(32).fill(1),
  hash: "sha256",
  kind: "external",
}

/** A server that has an answer to everything, and a client that asks for nothing beyond what it must. */
const answers = {
  ocspResponse: Uint8Array.of(1, 2, 3),
  signedCertificateTimestamps: Uint8Array.of(0, 3, 0, 1, 7),
}
const richCredential = { ...serverCredential, ...answers }
const rich = {
  credentials: always(richCredential),
  alpnProtocols: ["mqtt"],
  recordSizeLimit: 2000,
  ticketer,
  earlyData: early().server!.earlyData!,
  groups: ["secp256r1", "x25519"],
}
const asking = {
  alpnProtocols: ["mqtt"],
  recordSizeLimit: 1000,
  requestOcspResponse: true,
  requestSignedCertificateTimestamps: true,
  sessionStore: { take: () => undefined, put: () => {} },
  ticketRequest: { newSessionCount: 1, resumptionCount: 1 },
  postHandshakeAuth: true,
}
const longChain = {
  ...serverCredential,
  chain: [new Uint8Array(20_000).fill(1), new Uint8Array(20_000).fill(2)],
}
const rawServer = {
  ...serverCredential,
  type: "RawPublicKey",
  chain: [encodeSpki(serverCredential.publicKey)],
} as const
const rawClient = {
  ...clientCredential,
  type: "RawPublicKey",
  chain: [encodeSpki(clientCredential.publicKey)],
} as const

export const casts = {
  "a full handshake": {},
  "client authentication": {
    client: { credentials: always({ ...clientCredential, ...answers }) },
    server: clientCertificate.server,
  },
  "a client without a certificate": {
    server: {
      clientAuthentication: { mode: "request", verifier: testVerifier(clientCredential.publicKey) },
    },
  },
  HelloRetryRequest: { client: twoGroups, server: oneGroup },
  "HelloRetryRequest and client authentication": {
    client: { ...twoGroups, ...clientCertificate.client },
    server: { ...oneGroup, ...clientCertificate.server },
  },
  resumption: resumed(),
  "resumption through HelloRetryRequest": (() => {
    const { client, server } = resumed({ client: twoGroups })
    return { client: client!, server: { ...server, ...oneGroup } }
  })(),
  "early data that is taken": early(),
  "early data that is refused": (() => {
    const { client, server } = early()
    const { earlyData: _, ...refuses } = server!
    return { client: client!, server: refuses }
  })(),
  "early data that is refused by HelloRetryRequest": (() => {
    const { client, server } = early({ client: twoGroups })
    return { client: client!, server: { ...server, ...oneGroup } }
  })(),
  "an external PSK": { client: { externalPsks: [psk] }, server: { externalPsks: new MemoryPskStore([psk]) } },
  "a PSK without key exchange": {
    client: { externalPsks: [psk], allowPskWithoutKeyExchange: true, groups: ["x25519"] },
    server: { externalPsks: new MemoryPskStore([psk]), allowPskWithoutKeyExchange: true, ...oneGroup },
  },
  "no middlebox compatibility": { client: { middleboxCompatibility: false } },
  "a server with all, a client that asks for nothing": { server: rich },
  "a server with all, a client that asks for all": { client: asking, server: rich },
  "a long chain": { server: { credentials: always(longChain) } },
  "raw public keys": {
    client: {
      credentials: always(rawClient),
      certificateTypes: { client: ["RawPublicKey"], server: ["RawPublicKey"] },
    },
    server: {
      credentials: always(rawServer),
      certificateTypes: { client: ["RawPublicKey"] },
      clientAuthentication: { mode: "require", verifier: testVerifier(clientCredential.publicKey) },
    },
  },
} as const satisfies Record<string, Cast>

export type CastName = keyof typeof casts

/* ---------------------------------------------------------------- messages taken apart */

export function messagesOf(sent: Sent, name: MessageName): Uint8Array[] {
  return sent.messages.filter((each) => each.name === name).map(({ message }) => message)
}

/** Names of the extensions of a message that has one block of them; of a Certificate, those of each entry. */
export function extensionBlocks(message: Uint8Array, name: MessageName): (ExtensionName | number)[][] {
  const reader = new Reader(message.subarray(4), name)
  const block = () => {
    const extensions = new Reader(reader.vector16("extensions"), name)
    const names: (ExtensionName | number)[] = []
    while (extensions.remaining > 0) {
      const type = extensions.uint16()
      extensions.vector16("extension_data")
      const known = Object.entries(ExtensionType).find(([, code]) => code === type)?.[0]
      names.push((known as ExtensionName | undefined) ?? type)
    }
    return names
  }
  switch (name) {
    case "client_hello":
      reader.bytes(34)
      reader.vector8("legacy_session_id")
      reader.vector16("cipher_suites")
      reader.vector8("legacy_compression_methods")
      return [block()]
    case "server_hello":
    case "hello_retry_request":
      reader.bytes(34)
      reader.vector8("legacy_session_id_echo")
      reader.bytes(3)
      return [block()]
    case "encrypted_extensions":
      return [block()]
    case "certificate_request":
      reader.vector8("certificate_request_context")
      return [block()]
    case "new_session_ticket":
      reader.bytes(8)
      reader.vector8("ticket_nonce")
      reader.vector16("ticket")
      return [block()]
    case "certificate": {
      reader.vector8("certificate_request_context")
      const list = reader.vector24("certificate_list")
      const entries = new Reader(list, name)
      const blocks: (ExtensionName | number)[][] = []
      while (entries.remaining > 0) {
        entries.vector24("cert_data")
        const each = new Reader(entries.vector16("extensions"), name)
        const names: (ExtensionName | number)[] = []
        while (each.remaining > 0) {
          const type = each.uint16()
          each.vector16("extension_data")
          names.push((Object.entries(ExtensionType).find(([, code]) => code === type)?.[0] as ExtensionName) ?? type)
        }
        blocks.push(names)
      }
      return blocks
    }
    default:
      return []
  }
}

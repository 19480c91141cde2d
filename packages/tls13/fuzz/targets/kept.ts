// What others hand over beside a connection: a log's timestamps (RFC 6962), recordings, and connections of another process. Each is
// refused by the one error that its reader names, or is taken; and a connection that goes on ends with an alert of its own, if it ends.

import { AlertDescription } from "../../src/bytes/alerts.ts"
import { concatBytes } from "../../src/bytes/concat.ts"
import { fromHex } from "../../src/bytes/hex.ts"
import { asciiToBytes, bytesToLatin1 } from "../../src/bytes/text.ts"
import { type ClientConfig, createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import type { Outcome } from "../../src/connection/events.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import type { CryptoProvider } from "../../src/crypto/provider.ts"
import { exportConnection, HandOverError, importConnection } from "../../src/dangerous/index.ts"
import { createRecorder, RecordingError, redact, replay } from "../../src/recording/index.ts"
import { MemoryPskStore } from "../../src/session/psk-store.ts"
import { Pair } from "../../src/testing/pair.ts"
import { decodeTimestampList } from "../../src/x509/transparency/timestamp.ts"
import { type Target, Violation, wordsOf } from "../target.ts"
import { ofBytes, refusing } from "./decoders.ts"

const now = 1_800_000_000_000
const externalPsk = {
  identity: asciiToBytes("device"),
  key: new Uint8Array(32).fill(3),
  hash: "sha256",
  kind: "external",
} as const

/** A SignedCertificateTimestamp of version v1, with a signature that nobody made. */
const timestamp = fromHex(`00${"df".repeat(32)}0000013ddb27ded9000004030004a0b1c2d3`)

export function timestamps(corpus: readonly Uint8Array[]): Target {
  const listOf = (...all: readonly Uint8Array[]) => {
    const list = concatBytes(...all.flatMap((one) => [Uint8Array.of(0, one.length), one]))
    return concatBytes(Uint8Array.of(list.length >>> 8, list.length & 0xff), list)
  }
  const later = Uint8Array.of(1, ...timestamp.subarray(1))
  const lists = [listOf(timestamp), listOf(timestamp, later, timestamp)]
  return ofBytes("timestamps", [...lists, ...corpus], (input) => {
    let found = 0
    const words = refusing(() => {
      found = decodeTimestampList(input).length
    })
    return `${words} with ${found > 1 ? "some" : found}`
  })
}

/** A handshake with a PSK, of a client whose recording is kept, and application data each way. */
function connected(provider: CryptoProvider): {
  readonly pair: Pair
  readonly clientConfig: ClientConfig
  readonly recording: string
} {
  let recording = ""
  const write = (text: string) => {
    recording += text
  }
  const recorder = createRecorder(() => ({ write }))
  const externalPsks = [externalPsk]
  const clientConfig = createClientConfig({ provider, serverName: "private.example", externalPsks })
  const serverConfig = createServerConfig({ provider, externalPsks: new MemoryPskStore(externalPsks) })
  const client = recorder.client(clientConfig, now)
  const pair = new Pair(client, new ServerConnection(serverConfig, now), now).handshake()
  pair.take(pair.client, client.send(asciiToBytes("hello")))
  pair.take(pair.server, pair.server.connection.send(asciiToBytes("hello to you")))
  pair.run()
  return { pair, clientConfig, recording }
}

export function recordings(corpus: readonly Uint8Array[]): Target {
  const provider = createFastProvider()
  const { recording } = connected({ ...provider, random: (length) => new Uint8Array(length).fill(9) })
  const refused = (run: () => void): string => {
    try {
      run()
      return "taken"
    } catch (error) {
      if (error instanceof RecordingError && !error.message.includes("\n")) return wordsOf(error)
      throw error
    }
  }
  return ofBytes("recordings", [asciiToBytes(recording), ...corpus], (input) => {
    const text = bytesToLatin1(input)
    let difference = "the same"
    const words = refused(() => {
      const found = replay(text, { provider }).difference
      if (found !== undefined) difference = wordsOf({ name: found.call, message: found.message })
    })
    const redacted = refused(() => void redact(text, { provider }))
    // Both run it: it is refused by both or by none.
    if ((words === "taken") !== (redacted === "taken")) throw new Violation(`${words}, and redacted ${redacted}`)
    return `${words} ${difference}`
  })
}

export function exported(corpus: readonly Uint8Array[]): Target {
  const provider = createFastProvider()
  const { pair, clientConfig } = connected({ ...provider, random: (length) => new Uint8Array(length).fill(9) })
  pair.take(pair.server, pair.server.connection.send(asciiToBytes("what is on its way")))
  const onItsWay = concatBytes(...pair.server.outgoing)
  const bytes = exportConnection(pair.client.connection)
  return ofBytes("exported", [bytes, ...corpus], (input, random) => {
    const given = input.slice()
    try {
      const { connection, outcome } = importConnection(given, clientConfig, now)
      if (given.some((byte) => byte !== 0)) throw new Violation("what was imported is not erased")
      const first = answered(outcome)
      if (first !== "goes on") return `imported, ${first}`
      const next = random.oneIn(4) ? random.bytes(random.integer(64)) : onItsWay.slice()
      return `imported, then ${answered(connection.receive(next, now))}`
    } catch (error) {
      if (!(error instanceof HandOverError) || error.message.includes("\n")) throw error
      if (given.some((byte, at) => byte !== input[at])) throw new Violation("what was refused is erased")
      return wordsOf(error)
    }
  })
}

function answered({ events }: Outcome): string {
  const failed = events.find((event) => event.type === "failed")
  if (failed?.type !== "failed") return events.some(({ type }) => type === "data") ? "goes on with data" : "goes on"
  const { error } = failed
  if (error.alert === "internal_error" || !(error.alert === undefined || error.alert in AlertDescription)) throw error
  return wordsOf(error)
}

// A client and a server in memory whose connection is captured, and the MQTT that they may speak.

import { utf8ToBytes } from "../../src/bytes/text.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import type { Connection } from "../../src/connection/connection.ts"
import type { Outcome } from "../../src/connection/events.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import { Pair, type Side } from "../../src/testing/pair.ts"
import { type ConnectionCapture, type Endpoint, type PcapngOptions, PcapngWriter } from "../../src/trace/pcapng.ts"
import { type Cast, scene } from "../support.ts"

export interface CaptureCast extends Cast {
  /** Whose secrets are in the file; default: the client's. */
  readonly secretsOf?: "client" | "server"
  readonly ends?: readonly [client: Endpoint, server: Endpoint]
  readonly capture?: PcapngOptions
  /** Of a file that others write into, too: `file()` is empty then. */
  readonly writer?: PcapngWriter
}

export const usualEnds = [
  { address: "192.0.2.1", port: 49_152 },
  { address: "192.0.2.2", port: 8883 },
] as const

export interface CapturedRun {
  readonly pair: Pair
  readonly capture: ConnectionCapture
  /** What was written so far, and what is held. */
  file(): Uint8Array
}

/** Nothing has happened yet. */
export function capturedRun(cast: CaptureCast = {}): CapturedRun {
  const { client, server, now } = scene(cast)
  const blocks: Uint8Array[] = []
  const writer = cast.writer ?? new PcapngWriter((block) => blocks.push(block), cast.capture)
  const capture = writer.connection(...(cast.ends ?? usualEnds))
  const trace = (event: Parameters<ConnectionCapture["trace"]>[0]) => capture.trace(event)
  const traced =
    cast.secretsOf === "server" ? { server: { ...server, trace }, client } : { client: { ...client, trace }, server }
  const pair = new CapturedPair(
    new ClientConnection(createClientConfig(traced.client), now),
    new ServerConnection(createServerConfig(traced.server), now),
    now,
    capture,
  )
  return {
    pair,
    capture,
    file() {
      capture.flush()
      return Buffer.concat(blocks)
    },
  }
}

class CapturedPair extends Pair {
  readonly #capture: ConnectionCapture
  #at: number

  constructor(client: ClientConnection, server: ServerConnection, now: number, capture: ConnectionCapture) {
    super(client, server, now)
    this.#capture = capture
    this.#at = now
  }

  override take(side: Side<Connection>, outcome: Outcome): void {
    // A quarter of a millisecond later, each time.
    this.#at += 0.25
    this.#capture.data(side === this.client ? "client" : "server", outcome.output, this.#at)
    super.take(side, outcome)
  }
}

/** MQTT 5.0 control packets. */
export const mqtt = {
  connect: Uint8Array.of(0x10, 15, 0, 4, ...utf8ToBytes("MQTT"), 5, 2, 0, 60, 0, 0, 2, ...utf8ToBytes("d1")),
  connack: Uint8Array.of(0x20, 3, 0, 0, 0),
  subscribe: Uint8Array.of(0x82, 9, 0, 1, 0, 0, 3, ...utf8ToBytes("a/+"), 0),
  suback: Uint8Array.of(0x90, 4, 0, 1, 0, 0),
  publish: Uint8Array.of(0x30, 11, 0, 3, ...utf8ToBytes("a/b"), 0, ...utf8ToBytes("hello")),
  disconnect: Uint8Array.of(0xe0, 0),
} as const

/** A PUBLISH with so many bytes of payload, 128 to 16,000 or more. */
export function mqttPublish(topic: string, length: number): Uint8Array {
  const rest = 3 + topic.length + length
  const head = [0x30, (rest & 0x7f) | 0x80, ((rest >> 7) & 0x7f) | 0x80, rest >> 14, 0, topic.length]
  return Uint8Array.of(...head, ...utf8ToBytes(topic), 0, ...new Uint8Array(length))
}

/** A conversation of MQTT over a pair whose handshake is done. */
export function speakMqtt({ pair }: CapturedRun): void {
  const { client, server } = pair
  for (const [side, packet] of [
    [client, mqtt.connect],
    [server, mqtt.connack],
    [client, mqtt.subscribe],
    [server, mqtt.suback],
    [client, mqtt.publish],
    [server, mqtt.publish],
  ] as const) {
    pair.take(side, side.connection.send(packet))
    pair.run()
  }
}

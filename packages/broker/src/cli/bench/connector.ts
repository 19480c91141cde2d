// What connects the clients of one process: one after the other, each with an identifier of its own.

import type { Duplex } from "node:stream"
import { TLSSocket } from "node:tls"
import { now } from "@puremq/tls13/bench"
import type { Arguments } from "@puremq/tls13/command-line"
import { checkLength } from "../../mqtt-client/broker-limits.ts"
import type { ConnackPacket, ProtocolVersion } from "../../packet/packets.ts"
import type { TopicTable } from "../../packet/topic.ts"
import { isSecure, type Opener, type Place, type Stages } from "../../platform/dial.ts"
import { addressOf } from "../client/address.ts"
import { connectionError } from "../client/connection-error.ts"
import { explained } from "../client/errors.ts"
import { type ConnectRequest, StreamClient } from "../client/mqtt-client.ts"
import { streamOpener } from "../client/open-stream.ts"
import { type Handlers, LoadClient } from "./load-client.ts"
import type { ClientTask, Look } from "./messages.ts"
import { commonRequest, engineOf } from "./plan.ts"

export class Connector {
  readonly place: Place
  readonly #open: Opener
  readonly #request: ConnectRequest
  readonly #sources: readonly string[]
  readonly #prefix: string
  readonly #insecure: boolean
  #next: number

  /** Throws UsageError, ConfigError. */
  static async of(read: Arguments, task: ClientTask): Promise<Connector> {
    const address = addressOf(read, task.word)
    const place = task.own?.place ?? address.place
    const engine = engineOf(read)
    const opener = await streamOpener(read, place, { trusted: task.own?.trusted, address: task.address, engine })
    return new Connector(read, task, place, opener, commonRequest(read, address))
  }

  private constructor(read: Arguments, task: ClientTask, place: Place, open: Opener, request: ConnectRequest) {
    this.place = place
    this.#open = open
    this.#request = request
    this.#sources = task.sources
    this.#next = task.worker
    this.#insecure = read.flag("insecure")
    // 23 bytes are what every broker takes [MQTT-3.1.3-5].
    this.#prefix = read.text("id-prefix") ?? `pb${task.run.toString(36)}`
  }

  get version(): ProtocolVersion {
    return this.#request.version
  }

  /** @param name what tells it from the others */
  open(name: string, topics: TopicTable, handlers: Handlers): LoadClient {
    const ready = () => {
      client.readyAt = now()
    }
    const stream = this.#open({ ready }, this.#source())
    const client = new LoadClient(stream, this.#requestOf(name), topics, this.#explain, handlers)
    return client
  }

  /** A client of the commands, of which one connection is all that is wanted. @param localAddress in the place of the next one */
  openWhole(name: string, stages: Stages, localAddress: string | undefined): StreamClient {
    const stream = this.#open(stages, localAddress)
    const request = this.#requestOf(name)
    return new StreamClient(stream, { request, onMessage: () => false, explain: this.#explain })
  }

  /** @throws ClientError for a packet that the broker does not take */
  checkSize(length: number, connack: ConnackPacket): void {
    explained(connack, () => checkLength("a message makes a packet", length, connack))
  }

  /** Makes a connection, before all others: what fails for it fails for all. Rejects when it does. */
  async look(timeout: number): Promise<Look> {
    let info: TlsInfo | undefined
    const ready = (stream: Duplex) => {
      info = stream instanceof TLSSocket ? hostInfo(stream) : ownInfo(stream)
    }
    const client = this.openWhole("look", { ready }, undefined)
    const connack = await client.during(() => client.connect(timeout))
    client.end()
    await client.closed
    const { version } = this
    const receiveMaximum = connack.receiveMaximum ?? 0xffff
    return { version, receiveMaximum, agreed: this.#agreed(info, connack), authenticated: this.#authenticated() }
  }

  #agreed(info: TlsInfo | undefined, { receiveMaximum, maximumQos }: ConnackPacket): Record<string, string> {
    const { version, mqtt31 } = this.#request
    const mqtt = version === 5 ? "MQTT 5.0" : mqtt31 ? "MQTT 3.1" : "MQTT 3.1.1"
    const below = { tls: "TLS 1.3", tcp: "TCP", ws: "WebSocket", wss: "WebSocket over TLS 1.3" }[this.place.transport]
    return {
      protocol: `${mqtt} over ${below}`,
      ...(info?.cipherSuite && { "cipher suite": info.cipherSuite }),
      ...(info?.group && { "key exchange": info.group }),
      ...(info?.peerSignatureScheme && { signature: info.peerSignatureScheme }),
      ...(receiveMaximum !== undefined && { "Receive Maximum": String(receiveMaximum) }),
      ...(maximumQos !== undefined && { "Maximum QoS": String(maximumQos) }),
    }
  }

  #authenticated(): Look["authenticated"] {
    if (!isSecure(this.place)) return { verified: true, words: "no TLS: there is nothing to verify" }
    return this.#insecure
      ? { verified: false, words: "the broker was NOT verified (--insecure)" }
      : { verified: true, words: "the broker's certificate was verified" }
  }

  #requestOf(name: string): ConnectRequest {
    return { ...this.#request, clientId: `${this.#prefix}-${name}` }
  }

  #source(): string | undefined {
    return this.#sources[this.#next++ % Math.max(1, this.#sources.length)]
  }

  readonly #explain = (error: Error | undefined, answered: boolean): Error =>
    connectionError(error, this.place, answered)
}

interface TlsInfo {
  readonly cipherSuite?: string
  readonly group?: string | undefined
  readonly peerSignatureScheme?: string | undefined
}

function ownInfo(stream: Duplex): TlsInfo | undefined {
  return "info" in stream ? (stream.info as TlsInfo | undefined) : undefined
}

/** What node:tls tells of it. */
function hostInfo(socket: TLSSocket): TlsInfo {
  const key = socket.getEphemeralKeyInfo()
  return { cipherSuite: socket.getCipher().standardName, group: key !== null && "name" in key ? key.name : undefined }
}

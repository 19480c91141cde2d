// A client of the benchmark's load: as StreamClient on the broker's own packet code, but made for many messages. It makes no promise
// and no object of a message, and all that a read makes it send leaves in one write. What is measured is in its handlers.

import type { Duplex } from "node:stream"
import { readServerPacket } from "../../codecs/plain-answers.ts"
import { type ConnectRequest, connectBytes, disconnectBytes, subscribeBytes } from "../../mqtt-client/packets.ts"
import { reasonText, returnTexts } from "../../mqtt-client/reasons.ts"
import { packetIdOf, readAcknowledgement, reasonCodeOf, writeAcknowledgement } from "../../packet/acknowledgements.ts"
import { PacketError } from "../../packet/errors.ts"
import { Framer } from "../../packet/framer.ts"
import { type ConnackPacket, PacketType, type SubackPacket } from "../../packet/packets.ts"
import { PublishReader } from "../../packet/publish.ts"
import type { TopicTable } from "../../packet/topic.ts"
import { ClientError, type Explain, NoAnswer } from "../client/errors.ts"

/** The largest packet of MQTT, in bytes. */
const largestPacket = 0x1000_0004
const pingreq = Uint8Array.of(0xc0, 0)

export interface Handlers {
  /** A message came: its payload is [start, end) of `bytes`, which `view` is of. */
  readonly onMessage?: (view: DataView, start: number, end: number) => void
  /** PUBACK or PUBCOMP, or a PUBREC that refuses. */
  readonly onAcknowledged?: (packetId: number, reasonCode: number) => void
  /** Of `ask`. */
  readonly onPong?: () => void
  /** All that a read brought has been told. */
  readonly onRead?: () => void
  /** The connection is no more, and nobody wanted that; also before `connect` or `subscribe` has an answer. */
  readonly onLost: (error: Error) => void
}

export class LoadClient {
  /** When CONNECT could leave: TCP, TLS and WebSocket were there. On the clock of the load. */
  readyAt: number = Number.NaN
  readonly #stream: Duplex
  readonly #request: ConnectRequest
  readonly #explain: Explain
  readonly #handlers: Handlers
  readonly #framer = new Framer(largestPacket)
  readonly #reader: PublishReader
  #bytes: Uint8Array | undefined
  #view: DataView = new DataView(new ArrayBuffer(0))
  /** Acknowledgements of what is being read. */
  #out: Uint8Array = new Uint8Array(256)
  #outLength = 0
  #waiting: { readonly resolve: (value: never) => void; readonly reject: (error: Error) => void } | undefined
  #answered = false
  #ended = false
  #keepAlive: NodeJS.Timeout | undefined
  /** Of each PINGREQ that has no answer: whether it was asked for, or is a sign of life. */
  readonly #pings: boolean[] = []

  /** @param topics those that were read of late; many clients may share one */
  constructor(stream: Duplex, request: ConnectRequest, topics: TopicTable, explain: Explain, handlers: Handlers) {
    this.#stream = stream
    this.#request = request
    this.#explain = explain
    this.#handlers = handlers
    this.#reader = new PublishReader(topics)
    this.#framer.connectOnly = false
    this.#framer.loggedIn = true
    stream.on("error", (error) => this.#fail(error))
    stream.on("close", () => this.#fail(undefined))
    stream.on("data", (chunk: Uint8Array) => this.#receive(chunk))
  }

  /** @param milliseconds that the broker has. Rejects when it does not let the client in. */
  async connect(milliseconds: number): Promise<ConnackPacket> {
    this.#stream.write(connectBytes(this.#request))
    const timer = setTimeout(
      () => this.#fail(new NoAnswer(`does not answer in ${milliseconds / 1000} s`)),
      milliseconds,
    )
    const connack = await this.#answer<ConnackPacket>().finally(() => clearTimeout(timer))
    const { reasonCode, reasonString } = connack
    if (reasonCode !== 0) {
      const words =
        this.#request.version === 5
          ? reasonText(reasonCode, reasonString)
          : (returnTexts[reasonCode] ?? String(reasonCode))
      this.end()
      throw new ClientError(`CONNACK: the broker refused the connection: ${words}`)
    }
    const seconds = connack.serverKeepAlive ?? this.#request.keepAlive
    if (seconds > 0) this.#keepAlive = setInterval(() => this.#ping(false), seconds * 750)
    this.#keepAlive?.unref()
    return connack
  }

  /** Rejects when the broker refuses, or grants less. */
  async subscribe(filter: string, qos: 0 | 1 | 2): Promise<void> {
    const { version } = this.#request
    const wanted = { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 2 } as const
    this.#stream.write(subscribeBytes(1, [wanted], [], version))
    const { reasonCodes, reasonString } = await this.#answer<SubackPacket>()
    const code = reasonCodes[0] ?? 0x80
    if (code >= 0x80) {
      const words = version === 5 ? reasonText(code, reasonString) : "failure"
      throw new ClientError(`SUBACK: the broker refused the subscription to ${filter}: ${words}`)
    }
    if (code < qos) throw new ClientError(`SUBACK: the broker grants no more than QoS ${code}`)
  }

  /** Whether the stream wants no more now. */
  get full(): boolean {
    return this.#stream.writableNeedDrain
  }

  get lost(): boolean {
    return this.#ended
  }

  /** Whole packets. */
  write(packets: Uint8Array): void {
    if (!this.#ended) this.#stream.write(packets)
  }

  /** Sends a PINGREQ. */
  ask(): void {
    this.#ping(true)
  }

  onceDrained(then: () => void): void {
    this.#stream.once("drain", then)
  }

  /** Says goodbye. */
  end(): void {
    if (this.#ended) return
    this.#close()
    this.#stream.end(disconnectBytes(0, [], this.#request.version))
    this.#stream.resume()
    const timer = setTimeout(() => this.#stream.destroy(), 1000)
    this.#stream.once("close", () => clearTimeout(timer))
  }

  #ping(asked: boolean): void {
    this.#pings.push(asked)
    this.write(pingreq)
  }

  #close(): void {
    this.#ended = true
    clearInterval(this.#keepAlive)
  }

  #fail(why: Error | undefined): void {
    if (this.#ended) return
    this.#close()
    this.#stream.destroy()
    const error = this.#explain(why, this.#answered)
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting === undefined) this.#handlers.onLost(error)
    else waiting.reject(error)
  }

  #answer<T>(): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#ended) reject(new ClientError("the connection is closed"))
      else this.#waiting = { resolve: resolve as (value: never) => void, reject }
    })
  }

  #settle(value: ConnackPacket | SubackPacket): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(value as never)
  }

  #receive(chunk: Uint8Array): void {
    if (this.#ended) return
    try {
      this.#framer.push(chunk)
      while (!this.#ended && this.#framer.next()) this.#packet()
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      const what = `sends what is not MQTT: ${error.message}`
      this.#fail(this.#answered ? new ClientError(`the broker ${what}`) : new NoAnswer(what))
      return
    }
    this.#flush()
    this.#handlers.onRead?.()
  }

  #packet(): void {
    const { bytes, bodyStart, end, header } = this.#framer
    const type = header >> 4
    const { version } = this.#request
    switch (type) {
      case PacketType.Publish:
        this.#message()
        return
      case PacketType.Puback:
      case PacketType.Pubcomp:
      case PacketType.Pubrec:
      case PacketType.Pubrel: {
        const read = readAcknowledgement(type, bytes, bodyStart, end, version, "server")
        const [id, code] = [packetIdOf(read), reasonCodeOf(read)]
        if (type === PacketType.Pubrel) this.#acknowledge(PacketType.Pubcomp, id)
        else if (type === PacketType.Pubrec && code < 0x80) this.#acknowledge(PacketType.Pubrel, id)
        else this.#handlers.onAcknowledged?.(id, code)
        return
      }
      case PacketType.Pingresp:
        if (this.#pings.shift() === true) this.#handlers.onPong?.()
        return
      default: {
        const packet = readServerPacket(type, bytes, bodyStart, end, version)
        if (packet.type === "connack") {
          this.#answered = true
          this.#settle(packet)
        } else if (packet.type === "suback") this.#settle(packet)
        else if (packet.type === "disconnect")
          this.#fail(new ClientError(`the broker disconnected: ${reasonText(packet.reasonCode, packet.reasonString)}`))
      }
    }
  }

  #message(): void {
    const { bytes, start, bodyStart, end, owned } = this.#framer
    const reader = this.#reader
    reader.read(bytes, start, bodyStart, end, owned, this.#request.version, true)
    if (this.#bytes !== bytes) {
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    }
    this.#handlers.onMessage?.(this.#view, end - reader.payloadLength, end)
    if (reader.qos === 1) this.#acknowledge(PacketType.Puback, reader.packetId)
    else if (reader.qos === 2) this.#acknowledge(PacketType.Pubrec, reader.packetId)
  }

  #acknowledge(type: number, id: number): void {
    if (this.#outLength + 4 > this.#out.length) {
      const larger = new Uint8Array(2 * this.#out.length)
      larger.set(this.#out)
      this.#out = larger
    }
    this.#outLength = writeAcknowledgement(this.#out, this.#outLength, type, id, 0, this.#request.version)
  }

  #flush(): void {
    if (this.#outLength === 0 || this.#ended) return
    const packets = new Uint8Array(this.#outLength)
    packets.set(this.#out.subarray(0, this.#outLength))
    this.#outLength = 0
    // A broker that takes no acknowledgements gets none to make: nothing more is read until it does.
    if (this.#stream.write(packets) || this.#stream.isPaused()) return
    this.#stream.pause()
    this.#stream.once("drain", () => this.#stream.resume())
  }
}

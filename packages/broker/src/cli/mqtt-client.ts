// A small MQTT client for `puremq pub` and `puremq sub`, on the broker's own packet code.

import type { Duplex } from "node:stream"
import { packetIdOf, readAcknowledgement, reasonCodeOf, writeAcknowledgement } from "../packet/acknowledgements.ts"
import {
  type ConnectRequest,
  readServerPacket,
  writeConnect,
  writeServerPacket,
  writeSubscribe,
} from "../packet/codec.ts"
import { PacketError } from "../packet/errors.ts"
import { Framer } from "../packet/framer.ts"
import { firstByte, Message } from "../packet/message.ts"
import { type ConnackPacket, PacketType, type Qos, type SubscriptionRequest } from "../packet/packets.ts"
import { PublishReader } from "../packet/publish.ts"
import { reasonName } from "../packet/reason-codes.ts"
import { TopicTable } from "../packet/topic.ts"

/** The broker refused, or the connection ended; the message is one line. */
export class ClientError extends Error {
  constructor(message: string) {
    super(message)
    this.name = "ClientError"
  }
}

/** What answers is no broker, or does not answer; the message is a clause that lacks who. */
export class NoAnswer extends Error {}

/** Makes a line of what ended the connection. `error`: undefined when it just ended; `answered`: whether CONNACK had come. */
export type Explain = (error: Error | undefined, answered: boolean) => Error

/** Milliseconds that a broker has for CONNACK, from the first byte sent on. */
const patience = 60_000

export interface Received {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
}

interface Waiter {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

const returnTexts = [
  "accepted",
  "protocol version",
  "client identifier",
  "server unavailable",
  "user name or password",
  "not authorized",
]

export class MqttClient {
  readonly #stream: Duplex
  readonly #request: ConnectRequest
  readonly #framer = new Framer(0x1000_0004)
  readonly #topics = new TopicTable(1000, 64)
  readonly #reader = new PublishReader(this.#topics)
  /** By packet type and identifier. */
  readonly #waiting: Map<number, Waiter> = new Map()
  readonly #released: Set<number> = new Set()
  readonly #onMessage: (message: Received) => void
  readonly #explain: Explain
  #answered = false
  #lastId = 0
  #failure: Error | undefined
  #ping: NodeJS.Timeout | undefined
  /** Rejects when the connection fails. */
  readonly closed: Promise<void>

  constructor(stream: Duplex, request: ConnectRequest, onMessage: (message: Received) => void, explain: Explain) {
    this.#explain = explain
    this.#stream = stream
    this.#request = request
    this.#onMessage = onMessage
    this.#framer.connectOnly = false
    this.closed = new Promise((resolve, reject) => {
      stream.on("error", (error) => this.#fail(explain(error, this.#answered)))
      stream.on("close", () => {
        clearInterval(this.#ping)
        this.#fail(explain(undefined, this.#answered))
        if (this.#failure === ended) resolve()
        else reject(this.#failure ?? new ClientError("closed"))
      })
    })
    this.closed.catch(() => undefined) // also told to whoever waits for an answer
    stream.on("data", (chunk: Uint8Array) => this.#receive(chunk))
  }

  /** Sends CONNECT; resolves with the CONNACK. */
  async connect(milliseconds: number = patience): Promise<ConnackPacket> {
    this.#stream.write(writeConnect(this.#request))
    const timer = setTimeout(() => {
      this.#refuse(new NoAnswer(`does not answer in ${Math.ceil(milliseconds / 1000)} s`))
    }, milliseconds)
    const packet = await this.#answer<ConnackPacket>(PacketType.Connack, 0).finally(() => clearTimeout(timer))
    const { keepAlive } = this.#request
    if (keepAlive > 0) {
      this.#ping = setInterval(() => this.#stream.write(Uint8Array.of(0xc0, 0)), keepAlive * 800)
      this.#ping.unref()
    }
    return packet
  }

  async subscribe(subscriptions: readonly SubscriptionRequest[]): Promise<readonly number[]> {
    const id = this.#nextId()
    this.#stream.write(writeSubscribe(id, subscriptions, this.#request.protocolVersion))
    return this.#answer<readonly number[]>(PacketType.Suback, id)
  }

  /** Resolves when the broker has taken the message (QoS 0: when it is written). */
  async publish(topic: string, payload: Uint8Array, qos: Qos, retain: boolean): Promise<void> {
    const id = qos === 0 ? 0 : this.#nextId()
    const message = Message.of(this.#topics.of(topic), payload, qos, retain)
    const template = message.template(this.#request.protocolVersion, qos > 0)
    template.bytes[0] = firstByte(qos, retain, false)
    if (template.idAt > 0) {
      template.bytes[template.idAt] = id >> 8
      template.bytes[template.idAt + 1] = id & 0xff
    }
    if (!this.#stream.write(template.bytes)) await this.#drained()
    if (qos === 0) return
    const code = await this.#answer<number>(qos === 1 ? PacketType.Puback : PacketType.Pubcomp, id)
    if (code >= 0x80) throw new ClientError(`the broker refused the message: ${reasonName(code)}`)
  }

  /** Reads nothing until `resume`. */
  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  /** Sends DISCONNECT and ends the connection. */
  end(): void {
    this.#failure ??= ended
    this.#stream.end(writeServerPacket({ type: "disconnect", reasonCode: 0 }, this.#request.protocolVersion))
  }

  /** Does `work`; when it fails, drops the connection, so that the process can end. */
  async during(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#stream.destroy()
      throw error
    }
  }

  #nextId(): number {
    this.#lastId = this.#lastId === 0xffff ? 1 : this.#lastId + 1
    return this.#lastId
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.once("drain", resolve)
      this.#stream.once("close", () => reject(this.#failure ?? new ClientError("the connection is closed")))
    })
  }

  #answer<T>(type: number, id: number): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set((type << 16) | id, { resolve, reject })
    }) as Promise<T>
  }

  #settle(type: number, id: number, value: unknown): void {
    const key = (type << 16) | id
    this.#waiting.get(key)?.resolve(value)
    this.#waiting.delete(key)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const waiter of this.#waiting.values()) waiter.reject(this.#failure)
    this.#waiting.clear()
  }

  #refuse(error: Error): void {
    this.#fail(this.#explain(error, this.#answered))
    this.#stream.destroy()
  }

  #receive(chunk: Uint8Array): void {
    try {
      this.#framer.push(chunk)
      while (this.#framer.next()) this.#packet()
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      const what = `sends what is not MQTT: ${error.message}`
      this.#refuse(this.#answered ? new ClientError(`the broker ${what}`) : new NoAnswer(what))
    }
  }

  #packet(): void {
    const { bytes, start, bodyStart, end, header } = this.#framer
    const type = header >> 4
    const version = this.#request.protocolVersion
    switch (type) {
      case PacketType.Publish:
        this.#message()
        return
      case PacketType.Puback:
      case PacketType.Pubcomp:
      case PacketType.Pubrec:
      case PacketType.Pubrel: {
        const read = readAcknowledgement(type, bytes, bodyStart, end, version)
        this.#acknowledged(type, packetIdOf(read), reasonCodeOf(read))
        return
      }
      case PacketType.Pingresp:
        return
      default: {
        const packet = readServerPacket(type, bytes, start, bodyStart, end, version)
        if (packet.type === "connack") this.#connack(packet)
        else if (packet.type === "suback") this.#settle(type, packet.packetId, packet.reasonCodes)
        else if (packet.type === "disconnect") {
          const why = packet.reasonString === undefined ? "" : ` (${packet.reasonString})`
          this.#fail(new ClientError(`the broker disconnected: ${reasonName(packet.reasonCode)}${why}`))
        }
      }
    }
  }

  #connack(packet: ConnackPacket): void {
    this.#answered = true
    if (packet.reasonCode === 0) {
      this.#settle(PacketType.Connack, 0, packet)
      return
    }
    const v5 = this.#request.protocolVersion === 5
    const what = v5 ? reasonName(packet.reasonCode) : (returnTexts[packet.reasonCode] ?? String(packet.reasonCode))
    const why = packet.reasonString === undefined ? "" : ` (${packet.reasonString})`
    this.#fail(new ClientError(`the broker refused the connection: ${what}${why}`))
  }

  #message(): void {
    const { bytes, start, bodyStart, end, owned } = this.#framer
    const reader = this.#reader
    reader.read(bytes, start, bodyStart, end, owned, this.#request.protocolVersion, true)
    const { qos, packetId, topic } = reader
    if (topic === undefined) throw new PacketError(0x94, "MQTT-3.1.2-27", "a Topic Alias, though none was allowed")
    if (qos === 2 && this.#released.has(packetId)) {
      this.#acknowledge(PacketType.Pubrec, packetId)
      return
    }
    const payload = reader.message(topic, 0).payload
    this.#onMessage({ topic: topic.name, payload, qos, retain: reader.retain })
    if (qos === 1) this.#acknowledge(PacketType.Puback, packetId)
    else if (qos === 2) {
      this.#released.add(packetId)
      this.#acknowledge(PacketType.Pubrec, packetId)
    }
  }

  #acknowledged(type: number, id: number, code: number): void {
    if (type === PacketType.Pubrel) {
      this.#released.delete(id)
      this.#acknowledge(PacketType.Pubcomp, id)
    } else if (type === PacketType.Pubrec) {
      if (code >= 0x80) this.#settle(PacketType.Pubcomp, id, code)
      else this.#acknowledge(PacketType.Pubrel, id)
    } else this.#settle(type, id, code)
  }

  #acknowledge(type: number, id: number): void {
    const out = new Uint8Array(4)
    writeAcknowledgement(out, 0, type, id, 0, this.#request.protocolVersion)
    this.#stream.write(out)
  }
}

const ended = new ClientError("ended by us")

// A small MQTT client for the commands, on the broker's own packet code. It keeps to what the broker says it takes: Receive
// Maximum, Maximum Packet Size, Maximum QoS, Retain Available, Server Keep Alive.

import type { Duplex } from "node:stream"
import { ScramError, scramMethod } from "../../access/scram-messages.ts"
import { readServerPacket } from "../../codecs/plain-answers.ts"
import { packetIdOf, readAcknowledgement, reasonCodeOf, writeAcknowledgement } from "../../packet/acknowledgements.ts"
import { PacketError } from "../../packet/errors.ts"
import { Framer } from "../../packet/framer.ts"
import { type ConnackPacket, PacketType, type SubackPacket, type SubscriptionRequest } from "../../packet/packets.ts"
import { PropertyId } from "../../packet/properties.ts"
import { numberOf, type PropertyValue, reasonStringIn } from "../../packet/property-values.ts"
import { reasonName } from "../../packet/reason-codes.ts"
import { checkLength, checkPublish, checkSubscribe } from "./broker-limits.ts"
import { ClientError, type Explain, NoAnswer } from "./errors.ts"
import { PacketWriter } from "./packet-writer.ts"
import {
  authBytes,
  type ConnectRequest,
  connectBytes,
  disconnectBytes,
  type PublishRequest,
  publishHead,
  subscribeBytes,
  unsubscribeBytes,
} from "./packets.ts"
import { MessageReader, type Received } from "./received.ts"
import { Window } from "./window.ts"

/** Milliseconds that a broker has for CONNACK, from the first byte sent on. */
const patience = 60_000
/** Milliseconds that a broker has to close the connection after DISCONNECT. */
const goodbye = 5000
/** The largest packet of MQTT, in bytes. */
const largestPacket = 0x1000_0004

export interface ClientOptions {
  readonly request: ConnectRequest
  /** Says whether it took the message: one that it did not is not acknowledged, so that a session keeps it. */
  readonly onMessage: (message: Received) => boolean
  readonly explain: Explain
  /** Messages of QoS 1 and 2 that may be unacknowledged at once; the broker may want fewer. */
  readonly maximumInFlight?: number
}

export interface Acknowledged {
  /** Below 0x80. */
  readonly reasonCode: number
}

interface Answer {
  readonly reasonCode: number
  readonly reasonString: string | undefined
}

interface Waiter {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

export const returnTexts: readonly string[] = [
  "accepted",
  "protocol version",
  "client identifier",
  "server unavailable",
  "user name or password",
  "not authorized",
]

const pingreq = Uint8Array.of(0xc0, 0)

export class MqttClient {
  readonly #stream: Duplex
  readonly #writer: PacketWriter
  readonly #request: ConnectRequest
  readonly #framer: Framer
  readonly #messages: MessageReader
  /** By packet type and identifier. */
  readonly #waiting: Map<number, Waiter> = new Map()
  /** Packet Identifiers of QoS 2 messages that came, and whose PUBREL has not. */
  readonly #unreleased: Set<number> = new Set()
  readonly #onMessage: ClientOptions["onMessage"]
  readonly #explain: Explain
  readonly #window: Window
  #connack: ConnackPacket = { type: "connack", sessionPresent: false, reasonCode: 0 }
  #answered = false
  #lastId = 0
  /** The AUTH of the broker has been answered. */
  #proven = false
  #failure: Error | undefined
  #ping: NodeJS.Timeout | undefined
  /** A PINGREQ has not been answered. */
  #pinged = false
  /** Why nothing is read: the reader of messages is slow, or the broker does not take our acknowledgements. */
  readonly #held: Set<"reader" | "broker"> = new Set()
  /** Rejects when the connection fails. */
  readonly closed: Promise<void>

  constructor(stream: Duplex, { request, onMessage, explain, maximumInFlight = 20 }: ClientOptions) {
    this.#explain = explain
    this.#stream = stream
    this.#writer = new PacketWriter(stream)
    this.#request = request
    this.#onMessage = onMessage
    this.#window = new Window(maximumInFlight)
    const ours = request.version === 5 ? request.properties : []
    this.#framer = new Framer(Math.min(numberOf(ours, PropertyId.MaximumPacketSize) ?? largestPacket, largestPacket))
    this.#framer.connectOnly = false
    this.#framer.loggedIn = true
    this.#messages = new MessageReader(numberOf(ours, PropertyId.TopicAliasMaximum) ?? 0)
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
    this.#writer.write(connectBytes(this.#request))
    const timer = setTimeout(() => {
      this.#refuse(new NoAnswer(`does not answer in ${Math.ceil(milliseconds / 1000)} s`))
    }, milliseconds)
    const packet = await this.#answer<ConnackPacket>(PacketType.Connack, 0).finally(() => clearTimeout(timer))
    this.#connack = packet
    this.#window.limit(packet.receiveMaximum ?? 0xffff)
    // Identifiers of an earlier connection may still be taken in a session that goes on.
    if (packet.sessionPresent) this.#lastId = Math.floor(Math.random() * 0xffff)
    this.#keepAlive(packet.serverKeepAlive ?? this.#request.keepAlive)
    return packet
  }

  /** Resolves with what the broker grants, or refuses, in the order of the subscriptions. */
  async subscribe(
    subscriptions: readonly SubscriptionRequest[],
    properties: readonly PropertyValue[] = [],
  ): Promise<SubackPacket> {
    checkSubscribe(
      subscriptions,
      properties.some(({ id }) => id === PropertyId.SubscriptionIdentifier),
      this.#connack,
    )
    const id = this.#nextId()
    const packet = subscribeBytes(id, subscriptions, properties, this.#request.version)
    checkLength("the subscriptions make a packet", packet.length, this.#connack)
    this.#writer.write(packet)
    return this.#answer<SubackPacket>(PacketType.Suback, id)
  }

  /** Resolves with a Reason Code for each filter; MQTT 3.1.1 has none. */
  async unsubscribe(
    filters: readonly string[],
    properties: readonly PropertyValue[] = [],
  ): Promise<{ readonly reasonCodes: readonly number[]; readonly reasonString: string | undefined }> {
    const id = this.#nextId()
    const packet = unsubscribeBytes(id, filters, properties, this.#request.version)
    checkLength("the filters make a packet", packet.length, this.#connack)
    this.#writer.write(packet)
    return this.#answer(PacketType.Unsuback, id)
  }

  /**
   * Resolves when the message is written and another one may be: the connection takes more, and fewer are unacknowledged than
   * the broker allows. `acknowledged` resolves when the broker has taken it (QoS 0: at once).
   */
  async send(request: PublishRequest): Promise<{ readonly acknowledged: Promise<Acknowledged> }> {
    const { qos, payload } = request
    const { version } = this.#request
    checkPublish(request, this.#connack, version)
    if (this.#failure !== undefined) throw this.#failure
    if (qos > 0) await this.#window.enter()
    if (this.#failure !== undefined) throw this.#failure
    const id = qos === 0 ? 0 : this.#nextId()
    const head = publishHead(request, id, version)
    if (head === undefined)
      throw new ClientError(`a message of ${payload.length} bytes is longer than MQTT has room for`)
    const acknowledged = qos === 0 ? Promise.resolve({ reasonCode: 0 }) : this.#acknowledgement(qos, id)
    acknowledged.catch(() => undefined) // whoever waits for it is told
    try {
      await this.#writer.send(head, payload)
    } catch (error) {
      // A part of a packet is nothing that another one may follow.
      this.#stream.destroy()
      throw this.#failure ?? error
    }
    return { acknowledged }
  }

  /** Resolves when the broker has taken the message (QoS 0: when it is written). */
  async publish(request: PublishRequest): Promise<Acknowledged> {
    const { acknowledged } = await this.send(request)
    return acknowledged
  }

  /** Reads nothing until `resume`. */
  pause(): void {
    this.#hold("reader")
  }

  resume(): void {
    this.#release("reader")
  }

  /** Sends DISCONNECT and ends the connection. MQTT 3.1.1 has neither reason nor properties. */
  end(reasonCode: number = 0, properties: readonly PropertyValue[] = []): void {
    if (this.#failure !== undefined) return
    this.#failure = ended
    const stream = this.#stream
    if (!this.#answered) {
      stream.destroy()
      return
    }
    stream.end(disconnectBytes(reasonCode, properties, this.#request.version), () => {
      const timer = setTimeout(() => stream.destroy(), goodbye)
      stream.once("close", () => clearTimeout(timer))
    })
    stream.resume()
  }

  /** Ends the connection without a word. */
  destroy(): void {
    this.#failure ??= ended
    this.#stream.destroy()
  }

  /** Does `work`; when it fails, ends the connection, so that the process can end. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      // With a DISCONNECT, unless it is lost: the broker would send the will.
      this.end()
      throw error
    }
  }

  async #acknowledgement(qos: 1 | 2, id: number): Promise<Acknowledged> {
    const wanted = qos === 1 ? PacketType.Puback : PacketType.Pubcomp
    const { reasonCode, reasonString } = await this.#answer<Answer>(wanted, id).finally(() => this.#window.leave())
    if (reasonCode >= 0x80)
      throw new ClientError(`the broker refused the message: ${reasonText(reasonCode, reasonString)}`)
    return { reasonCode }
  }

  #nextId(): number {
    do this.#lastId = this.#lastId === 0xffff ? 1 : this.#lastId + 1
    while (acknowledging.some((type) => this.#waiting.has((type << 16) | this.#lastId)))
    return this.#lastId
  }

  #keepAlive(seconds: number): void {
    if (seconds === 0) return
    this.#ping = setInterval(() => {
      // What is on its way, or waits to be read, is a sign of life too.
      if (this.#writer.busy || this.#held.size > 0) return
      if (this.#pinged)
        return this.#refuse(new ClientError(`the broker has not answered for ${Math.ceil(seconds * 0.8)} s`))
      this.#pinged = true
      this.#writer.write(pingreq)
    }, seconds * 800)
    this.#ping.unref()
  }

  #hold(why: "reader" | "broker"): void {
    this.#held.add(why)
    this.#stream.pause()
  }

  #release(why: "reader" | "broker"): void {
    this.#held.delete(why)
    if (this.#held.size === 0) this.#stream.resume()
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
    this.#window.open()
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
        const reasonString = version === 5 ? reasonStringIn(bytes, bodyStart + 3, end, type) : undefined
        this.#acknowledged(type, packetIdOf(read), { reasonCode: reasonCodeOf(read), reasonString })
        return
      }
      case PacketType.Pingresp:
        this.#pinged = false
        return
      case PacketType.Auth:
        this.#prove(this.#framer)
        return
      default: {
        const packet = readServerPacket(type, bytes, bodyStart, end, version)
        if (packet.type === "connack") this.#connected(packet)
        else if (packet.type === "suback") this.#settle(type, packet.packetId, packet)
        else if (packet.type === "unsuback") {
          const reasonString = version === 5 ? reasonStringIn(bytes, bodyStart + 2, end, type) : undefined
          this.#settle(type, packet.packetId, { reasonCodes: packet.reasonCodes, reasonString })
        } else if (packet.type === "disconnect") {
          const { reasonCode, reasonString, serverReference } = packet
          this.#disconnected(reasonText(reasonCode, reasonString, serverReference))
        }
      }
    }
  }

  /** Answers the broker's AUTH, once. */
  #prove({ header, bytes, bodyStart, end }: Framer): void {
    const { version, scram } = this.#request
    const packet = readServerPacket(header >> 4, bytes, bodyStart, end, version)
    if (packet.type !== "auth" || scram === undefined || this.#proven) {
      const what = scram === undefined ? ", which was not asked for (--scram)" : " once more than SCRAM has it"
      this.#refuse(new ClientError(`the broker asks for enhanced authentication (AUTH)${what}`))
      return
    }
    this.#proven = true
    scram.final(packet.authenticationData ?? new Uint8Array(0)).then(
      (data) => this.#writer.write(authBytes(scramMethod, data)),
      (error: unknown) => this.#refuse(withoutProof(error)),
    )
  }

  #connected(packet: ConnackPacket): void {
    this.#answered = true
    const { reasonCode, reasonString, serverReference } = packet
    if (reasonCode === 0) {
      try {
        this.#request.scram?.verify(packet.authenticationData)
      } catch (error) {
        this.#refuse(withoutProof(error))
        return
      }
      this.#settle(PacketType.Connack, 0, packet)
      return
    }
    const what =
      this.#request.version === 5
        ? reasonText(reasonCode, reasonString, serverReference)
        : (returnTexts[reasonCode] ?? String(reasonCode))
    this.#refuse(new ClientError(`the broker refused the connection: ${what}`))
  }

  #disconnected(why: string): void {
    const error = new ClientError(`the broker disconnected: ${why}`)
    // It came before our own DISCONNECT did: what was sent at QoS 0 may be the reason.
    if (this.#failure === ended) this.#failure = error
    this.#refuse(error)
  }

  #message(): void {
    const message = this.#messages.read(this.#framer, this.#request.version)
    const { qos, packetId } = message
    if (qos === 2 && this.#unreleased.has(packetId)) {
      this.#acknowledge(PacketType.Pubrec, packetId)
      return
    }
    if (this.#failure !== undefined || !this.#onMessage(message) || qos === 0) return
    if (qos === 2) this.#unreleased.add(packetId)
    this.#acknowledge(qos === 1 ? PacketType.Puback : PacketType.Pubrec, packetId)
  }

  #acknowledged(type: number, id: number, answer: Answer): void {
    if (type === PacketType.Pubrel) {
      this.#unreleased.delete(id)
      this.#acknowledge(PacketType.Pubcomp, id)
    } else if (type === PacketType.Pubrec) {
      if (answer.reasonCode >= 0x80) this.#settle(PacketType.Pubcomp, id, answer)
      else this.#acknowledge(PacketType.Pubrel, id)
    } else this.#settle(type, id, answer)
  }

  #acknowledge(type: number, id: number): void {
    if (this.#failure !== undefined) return
    const out = new Uint8Array(4)
    writeAcknowledgement(out, 0, type, id, 0, this.#request.version)
    this.#writer.write(out)
    if (!this.#stream.writableNeedDrain || this.#held.has("broker")) return
    this.#hold("broker")
    this.#writer.drained().then(
      () => this.#release("broker"),
      () => undefined,
    )
  }
}

/** Packets that may be waited for by a Packet Identifier of ours. */
const acknowledging = [PacketType.Puback, PacketType.Pubcomp, PacketType.Suback, PacketType.Unsuback]

/** Somebody else may be in the broker's place. */
function withoutProof(error: unknown): Error {
  return error instanceof ScramError
    ? new ClientError(`the login by SCRAM failed: ${error.message}`)
    : new Error("the login by SCRAM failed", { cause: error })
}

/** A Reason Code by its name, with what the broker says of it. */
export function reasonText(reasonCode: number, reasonString?: string, serverReference?: string): string {
  const name = reasonName(reasonCode)
  const where = serverReference === undefined ? "" : `: ${serverReference}`
  return `${name}${where}${reasonString === undefined ? "" : ` (${reasonString})`}`
}

const ended = new ClientError("ended by us")

// Everything a connection sends, as bytes: acknowledgements and PUBLISH straight on bytes, the rest through the codec; Topic
// Aliases towards the client; its Maximum Packet Size. When it leaves is a matter of the outflow.

import { acknowledgementLength, acknowledgementWithReason, writeAcknowledgement } from "../packet/acknowledgements.ts"
import { copy } from "../packet/bytes.ts"
import type { Codec } from "../packet/codec.ts"
import { type Delivery, firstByte, type Message } from "../packet/message.ts"
import { PacketType, type ProtocolVersion, type Qos, type ServerPacket } from "../packet/packets.ts"
import type { Topic } from "../packet/topic.ts"
import type { Counters } from "../session/counters.ts"
import { aliasBytes, aliasCost } from "../session/memory.ts"
import { byReference, type Outbox } from "./outbox.ts"
import type { Outflow } from "./outflow.ts"

/** Section 2.1.4: what a Variable Byte Integer can say, and the fixed header. Properties of ours may add to a PUBLISH. */
const largestPacket = 0x0fff_ffff + 5

/** What it needs of the broker. */
export interface WriterNeeds {
  readonly counters: Counters
  readonly codec: Codec
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export class Writer {
  version: ProtocolVersion = 4
  /** The client's Maximum Packet Size in bytes ([MQTT-3.1.2-24]). */
  maximumPacketSize: number = largestPacket
  /** [MQTT-3.1.2-29] false: the client wants them in CONNACK and DISCONNECT at most. */
  reasonStrings = true
  /** An answer, which is no PUBLISH, was above that and could not be written: the connection has to end. */
  owes = false
  readonly #counters: Counters
  readonly #codec: Codec
  readonly #outflow: Outflow
  readonly #outbox: Outbox
  readonly #delivery: Mutable<Delivery>
  #aliasMaximum = 0
  #aliases: Map<string, number> | undefined
  /** Bytes of Topic Names that they stand for. */
  #aliasBytes = 0
  #holdAlias: (bytes: number) => boolean = () => false
  /** What has said the last of them leaves when this turn is committed. */
  #aliasTurn = 0

  constructor({ counters, codec }: WriterNeeds, outflow: Outflow) {
    this.#counters = counters
    this.#codec = codec
    this.#outflow = outflow
    this.#outbox = outflow.outbox
    this.#delivery = {
      version: 4,
      qos: 0,
      retain: false,
      dup: false,
      packetId: 0,
      identifiers: none,
      topicAlias: 0,
      aliasOnly: false,
    }
  }

  /** @param hold counts so many bytes for another one; false when there is no room for it */
  useAliases(maximum: number, hold: (bytes: number) => boolean): void {
    this.#aliasMaximum = maximum
    this.#holdAlias = hold
  }

  /** Whether the client takes a packet of this size. */
  fits(packet: ServerPacket): boolean {
    return this.#codec.writeServerPacket(packet, this.version, this.maximumPacketSize).length <= this.maximumPacketSize
  }

  packet(packet: ServerPacket): void {
    const silent = packet.type === "suback" && !this.reasonStrings
    const told = silent ? { ...packet, reasonString: undefined } : packet
    const bytes = this.#codec.writeServerPacket(told, this.version, this.maximumPacketSize)
    if (!this.#takes(bytes.length)) return
    this.#counters.othersSent++
    this.#outbox.bytes(bytes)
    if (packet.type === "disconnect" || packet.type === "auth") this.#outflow.wrote()
    else this.#outflow.wroteAnswer(packet.type === "connack")
  }

  /** [MQTT-3.1.2-24] even an answer may be too large for a client with a very small limit; it cannot be served then. */
  #takes(length: number): boolean {
    if (length <= this.maximumPacketSize) return true
    this.#counters.dropped["too large"]++
    this.owes = true
    return false
  }

  /** @param reasonString of at most 120 bytes; left out where the client wants none, or has no room for it */
  acknowledge(type: number, packetId: number, reasonCode: number, reasonString?: string): void {
    if (reasonString !== undefined && reasonCode > 0 && this.version === 5 && this.reasonStrings) {
      const bytes = acknowledgementWithReason(type, packetId, reasonCode, reasonString)
      if (bytes.length <= this.maximumPacketSize) {
        this.#outbox.bytes(bytes)
        this.#acknowledge(type)
        return
      }
    }
    const length = acknowledgementLength(reasonCode, this.version)
    if (!this.#takes(length)) return
    const at = this.#outbox.reserve(length)
    writeAcknowledgement(this.#outbox.buffer, at, type, packetId, reasonCode, this.version)
    this.#acknowledge(type)
  }

  #acknowledge(type: number): void {
    this.#counters.othersSent++
    this.#outflow.wroteInOrder(type)
  }

  pingresp(): void {
    if (!this.#takes(2)) return
    this.#counters.othersSent++
    const at = this.#outbox.reserve(2)
    this.#outbox.buffer[at] = 0xd0
    this.#outbox.buffer[at + 1] = 0
    this.#outflow.wrote()
  }

  /** Writes a PUBLISH; false when it is above the client's Maximum Packet Size and was discarded ([MQTT-3.1.2-25]). */
  publish(
    message: Message,
    qos: Qos,
    retain: boolean,
    dup: boolean,
    packetId: number,
    identifiers: readonly number[],
    now: number,
  ): boolean {
    const { version } = this
    const plain =
      version === 4 ||
      (identifiers.length === 0 && this.#aliasMaximum === 0 && message.expiresAt === Number.POSITIVE_INFINITY)
    // A large payload goes by reference: no second copy of it for subscribers of another version or QoS.
    const large = message.payloadEnd - message.payloadStart >= byReference
    const shared = plain && !(large && message.owned && !message.hasTemplate(version, qos > 0))
    if (shared) {
      if (!this.#publishShared(message, qos, firstByte(qos, retain, dup), packetId)) return this.#tooLarge()
    } else if (!this.#publishAlone(message, qos, retain, dup, packetId, identifiers, now)) return this.#tooLarge()
    if (message.sample !== undefined) this.#outflow.follow(message.sample)
    this.#counters.publishSent++
    this.#counters.publishBytesSent += message.payloadEnd - message.payloadStart
    if (qos === 0) this.#outflow.wrote()
    else this.#outflow.wroteInOrder(PacketType.Publish)
    return true
  }

  /** The same bytes as every other subscriber of this version, but for first byte and Packet Identifier. */
  #publishShared(message: Message, qos: Qos, first: number, packetId: number): boolean {
    const limit = this.maximumPacketSize
    const outbox = this.#outbox
    const length = message.payloadEnd - message.frameStart
    const isAsItCame = !message.owned && qos === 0 && message.qos === 0 && message.frameVersion === this.version
    if (isAsItCame && length > limit) return false
    // Straight from the publisher's chunk to the subscriber's buffer.
    if (isAsItCame && (length < byReference || outbox.hasRoom(length))) {
      const at = outbox.reserve(length)
      copy(outbox.buffer, at, message.bytes, message.frameStart, message.payloadEnd)
      outbox.buffer[at] = first
      return true
    }
    if (length >= byReference) message.own()
    const template = message.template(this.version, qos > 0)
    if (template.bytes.length > limit) return false
    outbox.template(template, first, packetId)
    return true
  }

  #publishAlone(
    message: Message,
    qos: Qos,
    retain: boolean,
    dup: boolean,
    packetId: number,
    identifiers: readonly number[],
    now: number,
  ): boolean {
    const delivery = this.#delivery
    delivery.version = this.version
    delivery.qos = qos
    delivery.retain = retain
    delivery.dup = dup
    delivery.packetId = packetId
    delivery.identifiers = identifiers
    const known = this.#aliases?.get(message.topic.name)
    // At QoS 0 it may leave before what says the alias (section 3.3.2.3.4).
    const alias = qos === 0 && !this.#outflow.isCommitted(this.#aliasTurn) ? undefined : known
    const free = known === undefined && this.#mayAlias(message.topic)
    // [MQTT-3.1.2-26] never above the client's Topic Alias Maximum
    delivery.topicAlias = alias ?? (free ? (this.#aliases?.size ?? 0) + 1 : 0)
    delivery.aliasOnly = alias !== undefined
    const length = message.encodedLength(delivery)
    if (length > this.maximumPacketSize) {
      if (free) this.#holdAlias(-aliasCost(message.topic))
      return false
    }
    if (free) {
      this.#aliases ??= new Map()
      this.#aliases.set(message.topic.name, delivery.topicAlias)
      this.#aliasBytes += message.topic.bytes.length
      if (qos > 0) this.#aliasTurn = this.#outflow.nextTurn
    }
    const payload = message.payloadEnd - message.payloadStart
    const at = this.#outbox.reserve(length - payload)
    message.encodeHead(this.#outbox.buffer, at, delivery, now)
    this.#outbox.payload(message)
    delivery.identifiers = none
    return true
  }

  #mayAlias(topic: Topic): boolean {
    if ((this.#aliases?.size ?? 0) >= this.#aliasMaximum) return false
    return this.#aliasBytes + topic.bytes.length <= aliasBytes && this.#holdAlias(aliasCost(topic))
  }

  #tooLarge(): false {
    this.#counters.dropped["too large"]++
    return false
  }
}

const none: readonly number[] = []

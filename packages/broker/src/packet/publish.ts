// Reads PUBLISH straight from bytes (MQTT 5.0 section 3.3, MQTT 3.1.1 section 3.3). Topic Alias and Message Expiry
// Interval are taken out of the forwarded properties, because each subscriber gets its own; everything else stays as it came.
// Refuses a Subscription Identifier from a client. The payload is checked against the Payload Format Indicator by who wants that.

import { Cursor, copy } from "./bytes.ts"
import { malformed, protocolError } from "./errors.ts"
import { guardResponseTopic } from "./guard.ts"
import { Message } from "./message.ts"
import { PacketType, type ProtocolVersion, type Qos } from "./packets.ts"
import { checkProperties, PropertyId } from "./properties.ts"
import type { Topic, TopicTable } from "./topic.ts"
import { isWellFormed } from "./utf8.ts"

/** One PUBLISH as read; the object is used again for the next one. */
export class PublishReader {
  readonly #topics: TopicTable
  qos: Qos = 0
  dup = false
  retain = false
  /** 0 for QoS 0. */
  packetId = 0
  /** Undefined when the Topic Name is empty. */
  topic: Topic | undefined = undefined
  /** 0 when absent. */
  topicAlias = 0
  /** Seconds; -1 when absent. */
  messageExpiryInterval = -1
  /** Its Payload Format Indicator says that the payload is text in UTF-8. */
  textPayload = false
  /** Subscription Identifiers, only where `fromServer` allows them. */
  subscriptionIdentifiers: readonly number[] = none

  #bytes: Uint8Array = nothing
  #frameStart = 0
  /** Offset of the Property Length. */
  #propertiesAt = 0
  #propertiesStart = 0
  #propertiesEnd = 0
  #payloadStart = 0
  #end = 0
  #version: ProtocolVersion = 4
  #owned = false
  /** True when a property had to be cut out, so that the frame cannot be sent on as it is. */
  #cut = false

  constructor(topics: TopicTable) {
    this.#topics = topics
  }

  /** Reads the PUBLISH at [start, end) of `bytes`. Throws PacketError. */
  read(
    bytes: Uint8Array,
    start: number,
    bodyStart: number,
    end: number,
    owned: boolean,
    version: ProtocolVersion,
    fromServer = false,
  ): void {
    const header = bytes[start]!
    this.qos = ((header >> 1) & 3) as Qos // QoS 3 was refused with the fixed header
    this.dup = (header & 8) !== 0
    this.retain = (header & 1) !== 0
    this.topicAlias = 0
    this.messageExpiryInterval = -1
    this.textPayload = false
    this.subscriptionIdentifiers = none
    this.#bytes = bytes
    this.#frameStart = start
    this.#end = end
    this.#version = version
    this.#owned = owned
    this.#cut = false

    let at = bodyStart
    if (at + 2 > end) throw malformed("MQTT-3.3.2-1", "PUBLISH without Topic Name")
    const topicLength = (bytes[at]! << 8) | bytes[at + 1]!
    at += 2
    if (at + topicLength > end) throw malformed("MQTT-3.3.2-1", "the packet ends inside Topic Name")
    if (topicLength === 0 && version === 5) this.topic = undefined
    else this.topic = this.#topics.read(bytes, at, at + topicLength)
    at += topicLength

    this.packetId = 0
    if (this.qos > 0) {
      if (at + 2 > end) throw malformed("2.2.1", "the packet ends inside Packet Identifier")
      this.packetId = (bytes[at]! << 8) | bytes[at + 1]!
      if (this.packetId === 0) throw protocolError("MQTT-2.2.1-3", "Packet Identifier is 0")
      at += 2
    }

    this.#propertiesStart = at
    this.#propertiesEnd = at
    if (version === 5) {
      if (at >= end) throw malformed("MQTT-2.2.2-1", "PUBLISH without Property Length")
      if (bytes[at] === 0) {
        at++
        this.#propertiesStart = at
        this.#propertiesEnd = at
      } else at = this.#readProperties(bytes, at, end, fromServer)
    }
    this.#payloadStart = at
    // A Topic Name of length zero needs a Topic Alias (section 3.3.2.1)
    if (this.topic === undefined && this.topicAlias === 0) {
      throw protocolError("3.3.2.1", "PUBLISH with neither Topic Name nor Topic Alias")
    }
  }

  #readProperties(bytes: Uint8Array, at: number, end: number, fromServer: boolean): number {
    this.#propertiesAt = at
    let identifiers: number[] | undefined
    const cursor = new Cursor(bytes, at, end)
    checkProperties(cursor, PacketType.Publish, (id, start, stop) => {
      switch (id) {
        case PropertyId.TopicAlias:
          this.topicAlias = (bytes[start + 1]! << 8) | bytes[start + 2]!
          this.#cut = true
          break
        case PropertyId.MessageExpiryInterval: {
          const high = (bytes[start + 1]! << 8) | bytes[start + 2]!
          this.messageExpiryInterval = high * 0x1_0000 + ((bytes[start + 3]! << 8) | bytes[start + 4]!)
          this.#cut = true
          break
        }
        case PropertyId.SubscriptionIdentifier:
          // [MQTT-3.3.4-6] a client must not send a Subscription Identifier
          if (!fromServer) throw protocolError("MQTT-3.3.4-6", "PUBLISH from a client with a Subscription Identifier")
          identifiers ??= []
          identifiers.push(variable(bytes, start + 1))
          this.#cut = true
          break
        case PropertyId.PayloadFormatIndicator:
          this.textPayload = bytes[start + 1] === 1
          break
        case PropertyId.ResponseTopic:
          guardResponseTopic(bytes, start, stop)
          break
        default:
      }
    })
    this.subscriptionIdentifiers = identifiers ?? none
    let first = at + 1
    while ((bytes[first - 1]! & 0x80) !== 0) first++
    this.#propertiesStart = first
    this.#propertiesEnd = cursor.at
    return cursor.at
  }

  /** Bytes of properties and payload. */
  get contentLength(): number {
    return this.#end - this.#propertiesStart
  }

  get payloadLength(): number {
    return this.#end - this.#payloadStart
  }

  /** The payload is text in UTF-8, whatever the packet says of it. */
  get payloadIsText(): boolean {
    return isWellFormed(this.#bytes, this.#payloadStart, this.#end)
  }

  /** The message that was read, on `topic` (the one read, or the one its alias stands for). `now` in milliseconds. */
  message(topic: Topic, now: number): Message {
    const expiresAt =
      this.messageExpiryInterval < 0 ? Number.POSITIVE_INFINITY : now + this.messageExpiryInterval * 1000
    if (this.#cut) return this.#cutMessage(topic, expiresAt)
    return new Message(
      topic,
      this.qos,
      this.retain,
      expiresAt,
      this.#bytes,
      this.#propertiesStart,
      this.#propertiesEnd,
      this.#payloadStart,
      this.#end,
      this.#version,
      this.#frameStart,
      false,
    ).adopt(this.#owned)
  }

  /** Copies properties and payload to new memory without the properties that each hop sets anew. */
  #cutMessage(topic: Topic, expiresAt: number): Message {
    const from = this.#bytes
    const out = new Uint8Array(this.#end - this.#propertiesStart)
    let length = 0
    const cursor = new Cursor(from, this.#propertiesAt, this.#end)
    checkProperties(cursor, PacketType.Publish, (id, start, end) => {
      if (id === PropertyId.TopicAlias || id === PropertyId.MessageExpiryInterval) return
      if (id === PropertyId.SubscriptionIdentifier) return
      length = copy(out, length, from, start, end)
    })
    const end = copy(out, length, from, this.#payloadStart, this.#end)
    return new Message(topic, this.qos, this.retain, expiresAt, out, 0, length, length, end, 0, 0, true)
  }
}

function variable(bytes: Uint8Array, at: number): number {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!
    value |= (byte & 0x7f) << shift
    if ((byte & 0x80) === 0) return value
  }
}

const nothing = new Uint8Array(0)
const none: readonly number[] = []

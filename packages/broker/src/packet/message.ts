// An Application Message on its way through the broker (MQTT 5.0 section 3.3), kept as the bytes it came in.
// The raw property bytes are forwarded as they are, which keeps User Property order ([MQTT-3.3.2-17], [MQTT-3.3.2-18]).

import { copy, variableByteIntegerLength, writeVariableByteInteger } from "./bytes.ts"
import type { Position } from "./change.ts"
import type { ProtocolVersion, Qos } from "./packets.ts"
import type { Topic } from "./topic.ts"

/** A PUBLISH with Packet Identifier 0 that is copied for each subscriber, who writes its first byte and identifier. */
export interface Template {
  readonly bytes: Uint8Array
  /** Offset of the Packet Identifier, 0 for QoS 0. */
  readonly idAt: number
}

/** How one subscriber gets a message. */
export interface Delivery {
  readonly version: ProtocolVersion
  readonly qos: Qos
  readonly retain: boolean
  readonly dup: boolean
  readonly packetId: number
  /** Subscription Identifiers of the matching subscriptions ([MQTT-3.3.4-4]). */
  readonly identifiers: readonly number[]
  /** 0 for none. */
  readonly topicAlias: number
  /** True when the client knows the alias already and the Topic Name is left empty. */
  readonly aliasOnly: boolean
}

/** A message whose way to its subscribers is timed; see session/sampling.ts. */
export interface Sample {
  /** Milliseconds: when it came. */
  readonly at: number
  /** Copies that were written. */
  copies: number
}

export class Message {
  readonly topic: Topic
  readonly qos: Qos
  readonly retain: boolean
  /** Milliseconds; Infinity when the message does not expire. */
  readonly expiresAt: number
  /** Bytes [propertiesStart, propertiesEnd) are the properties to forward, [payloadStart, payloadEnd) the payload. */
  bytes: Uint8Array
  propertiesStart: number
  propertiesEnd: number
  payloadStart: number
  payloadEnd: number
  /** When `bytes` from `frameStart` is itself a PUBLISH in a shape that can be sent again: its version, else 0. */
  frameVersion: ProtocolVersion | 0
  frameStart: number
  /** True when `bytes` belongs to this message alone. */
  owned: boolean
  /** Its number in the store; 0: nobody there has heard of it. */
  sequence = 0
  /** Where a cluster keeps it. */
  position: Position | undefined = undefined
  /** Milliseconds: when it was published on another node, which nobody keeps; see Session. */
  publishedAt: number | undefined = undefined
  /** Places of sessions that keep it; counted by session/memory.ts. */
  holders = 0
  /** Whose memory it is on while somebody keeps it. */
  account: { queued: number } | undefined = undefined
  /** Undefined: nobody looks how long it takes. */
  sample: Sample | undefined = undefined
  #templates: (Template | undefined)[] | undefined

  constructor(
    topic: Topic,
    qos: Qos,
    retain: boolean,
    expiresAt: number,
    bytes: Uint8Array,
    propertiesStart: number,
    propertiesEnd: number,
    payloadStart: number,
    payloadEnd: number,
    frameVersion: ProtocolVersion | 0,
    frameStart: number,
    owned: boolean,
  ) {
    this.topic = topic
    this.qos = qos
    this.retain = retain
    this.expiresAt = expiresAt
    this.bytes = bytes
    this.propertiesStart = propertiesStart
    this.propertiesEnd = propertiesEnd
    this.payloadStart = payloadStart
    this.payloadEnd = payloadEnd
    this.frameVersion = frameVersion
    this.frameStart = frameStart
    this.owned = owned
    this.#templates = undefined
  }

  /** A message of the broker's own or a Will Message. `expiresAt` is in milliseconds, Infinity for never. */
  static of(
    topic: Topic,
    payload: Uint8Array,
    qos: Qos,
    retain: boolean,
    properties: Uint8Array = empty,
    expiresAt: number = Number.POSITIVE_INFINITY,
  ): Message {
    const bytes = new Uint8Array(properties.length + payload.length)
    bytes.set(properties)
    bytes.set(payload, properties.length)
    const middle = properties.length
    return new Message(topic, qos, retain, expiresAt, bytes, 0, middle, middle, bytes.length, 0, 0, true)
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.payloadEnd)
  }

  get properties(): Uint8Array {
    return this.bytes.subarray(this.propertiesStart, this.propertiesEnd)
  }

  /** Bytes a queue counts for this message: topic, properties and payload. */
  get size(): number {
    return this.topic.bytes.length + this.propertiesEnd - this.propertiesStart + this.payloadEnd - this.payloadStart
  }

  expired(now: number): boolean {
    return now >= this.expiresAt
  }

  /** Takes the bytes out of the chunk they arrived in. Whoever keeps a message past the current turn calls this first. */
  own(): this {
    if (this.owned) return this
    const start = this.frameVersion === 0 ? Math.min(this.propertiesStart, this.payloadStart) : this.frameStart
    const bytes = new Uint8Array(this.payloadEnd - start)
    copy(bytes, 0, this.bytes, start, this.payloadEnd)
    this.bytes = bytes
    this.propertiesStart -= start
    this.propertiesEnd -= start
    this.payloadStart -= start
    this.payloadEnd -= start
    this.frameStart = 0
    this.owned = true
    if (this.frameVersion !== 0) this.#setTemplate(this.frameVersion, this.qos > 0, bytes)
    return this
  }

  /** The same message on the same bytes, without the encodings that were made for subscribers: for who keeps it. */
  bare(): Message {
    const message = new Message(
      this.topic,
      this.qos,
      this.retain,
      this.expiresAt,
      this.bytes,
      this.propertiesStart,
      this.propertiesEnd,
      this.payloadStart,
      this.payloadEnd,
      this.frameVersion,
      this.frameStart,
      this.owned,
    )
    message.sequence = this.sequence
    message.position = this.position
    return message
  }

  /** The same message on the same bytes, for delivering: what is made for subscribers goes with it. */
  fresh(): Message {
    const message = this.bare()
    if (this.owned && this.frameVersion !== 0 && this.frameStart === 0) {
      message.#setTemplate(this.frameVersion, this.qos > 0, this.bytes)
    }
    return message
  }

  /** Says whether `bytes` is exactly this message's frame in memory that nobody else uses; then owning costs nothing. */
  adopt(owned: boolean): this {
    if (!owned || this.owned || this.frameStart !== 0) return this
    this.owned = true
    if (this.frameVersion !== 0) this.#setTemplate(this.frameVersion, this.qos > 0, this.bytes)
    return this
  }

  /** The shared encoding for that version, with or without a Packet Identifier; made once. */
  template(version: ProtocolVersion, withId: boolean): Template {
    const key = (version === 5 ? 2 : 0) + (withId ? 1 : 0)
    const known = this.#templates?.[key]
    if (known !== undefined) return known
    const length = this.#plainLength(version, withId)
    const bytes = new Uint8Array(length)
    this.#writePlain(bytes, 0, version, withId)
    return this.#setTemplate(version, withId, bytes)
  }

  hasTemplate(version: ProtocolVersion, withId: boolean): boolean {
    return this.#templates?.[(version === 5 ? 2 : 0) + (withId ? 1 : 0)] !== undefined
  }

  #setTemplate(version: ProtocolVersion, withId: boolean, bytes: Uint8Array): Template {
    let at = 1
    while ((bytes[at]! & 0x80) !== 0) at++
    const template = { bytes, idAt: withId ? at + 3 + this.topic.bytes.length : 0 }
    this.#templates ??= [undefined, undefined, undefined, undefined]
    this.#templates[(version === 5 ? 2 : 0) + (withId ? 1 : 0)] = template
    return template
  }

  /** Length of the PUBLISH without expiry, alias and identifiers. */
  #plainLength(version: ProtocolVersion, withId: boolean): number {
    const properties = this.propertiesEnd - this.propertiesStart
    let remaining = 2 + this.topic.bytes.length + (withId ? 2 : 0) + this.payloadEnd - this.payloadStart
    if (version === 5) remaining += variableByteIntegerLength(properties) + properties
    return 1 + variableByteIntegerLength(remaining) + remaining
  }

  #writePlain(out: Uint8Array, at: number, version: ProtocolVersion, withId: boolean): number {
    const topic = this.topic.bytes
    const properties = this.propertiesEnd - this.propertiesStart
    let remaining = 2 + topic.length + (withId ? 2 : 0) + this.payloadEnd - this.payloadStart
    if (version === 5) remaining += variableByteIntegerLength(properties) + properties
    out[at] = 0x30
    at = writeVariableByteInteger(out, at + 1, remaining)
    out[at] = topic.length >> 8
    out[at + 1] = topic.length & 0xff
    at = copy(out, at + 2, topic, 0, topic.length)
    if (withId) {
      out[at] = 0
      out[at + 1] = 0
      at += 2
    }
    if (version === 5) {
      at = writeVariableByteInteger(out, at, properties)
      at = copy(out, at, this.bytes, this.propertiesStart, this.propertiesEnd)
    }
    return copy(out, at, this.bytes, this.payloadStart, this.payloadEnd)
  }

  /** Bytes of properties this delivery adds to the forwarded ones. */
  #extraProperties(delivery: Delivery): number {
    let extra = this.expiresAt === Number.POSITIVE_INFINITY ? 0 : 5
    if (delivery.topicAlias !== 0) extra += 3
    for (const identifier of delivery.identifiers) extra += 1 + variableByteIntegerLength(identifier)
    return extra
  }

  /** Size in bytes of the whole PUBLISH for this delivery. */
  encodedLength(delivery: Delivery): number {
    const topic = delivery.aliasOnly ? 0 : this.topic.bytes.length
    let remaining = 2 + topic + (delivery.qos > 0 ? 2 : 0) + this.payloadEnd - this.payloadStart
    if (delivery.version === 5) {
      const properties = this.propertiesEnd - this.propertiesStart + this.#extraProperties(delivery)
      remaining += variableByteIntegerLength(properties) + properties
    }
    return 1 + variableByteIntegerLength(remaining) + remaining
  }

  /**
   * Writes everything before the payload for this delivery at `at` and returns the offset after it; the caller then
   * writes the payload. `now` in milliseconds gives the rest of the Message Expiry Interval ([MQTT-3.3.2-6]).
   */
  encodeHead(out: Uint8Array, at: number, delivery: Delivery, now: number): number {
    const topic = this.topic.bytes
    const topicLength = delivery.aliasOnly ? 0 : topic.length
    const forwarded = this.propertiesEnd - this.propertiesStart
    const properties = delivery.version === 5 ? forwarded + this.#extraProperties(delivery) : 0
    let remaining = 2 + topicLength + (delivery.qos > 0 ? 2 : 0) + this.payloadEnd - this.payloadStart
    if (delivery.version === 5) remaining += variableByteIntegerLength(properties) + properties
    out[at] = firstByte(delivery.qos, delivery.retain, delivery.dup)
    at = writeVariableByteInteger(out, at + 1, remaining)
    out[at] = topicLength >> 8
    out[at + 1] = topicLength & 0xff
    at = copy(out, at + 2, topic, 0, topicLength)
    if (delivery.qos > 0) {
      out[at] = delivery.packetId >> 8
      out[at + 1] = delivery.packetId & 0xff
      at += 2
    }
    if (delivery.version === 4) return at
    at = writeVariableByteInteger(out, at, properties)
    if (this.expiresAt !== Number.POSITIVE_INFINITY) {
      const seconds = secondsLeft(this.expiresAt - now)
      out[at] = 0x02
      out[at + 1] = Math.floor(seconds / 0x100_0000)
      out[at + 2] = (seconds >>> 16) & 0xff
      out[at + 3] = (seconds >>> 8) & 0xff
      out[at + 4] = seconds & 0xff
      at += 5
    }
    if (delivery.topicAlias !== 0) {
      out[at] = 0x23
      out[at + 1] = delivery.topicAlias >> 8
      out[at + 2] = delivery.topicAlias & 0xff
      at += 3
    }
    for (const identifier of delivery.identifiers) {
      out[at] = 0x0b
      at = writeVariableByteInteger(out, at + 1, identifier)
    }
    return copy(out, at, this.bytes, this.propertiesStart, this.propertiesEnd)
  }
}

/** First byte of a PUBLISH. DUP says only whether this very packet is sent again ([MQTT-3.3.1-3]). */
export function firstByte(qos: Qos, retain: boolean, dup: boolean): number {
  return 0x30 | (dup ? 0x08 : 0) | (qos << 1) | (retain ? 1 : 0)
}

const empty = new Uint8Array(0)

/**
 * Milliseconds as seconds of a Message Expiry Interval, rounded up. Clocks tell fractions of milliseconds, and sums of them are
 * not exact: a tenth of one too much is no second more, nor more than an interval can be, which would come out as 0.
 */
function secondsLeft(milliseconds: number): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.ceil((milliseconds - 0.1) / 1000)))
}

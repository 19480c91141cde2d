// Everything a connection sends: acknowledgements and PUBLISH straight on bytes, the rest through the codec; Topic Aliases
// towards the client; its Maximum Packet Size; and the bound of what may wait for a slow transport.

import { acknowledgementLength, writeAcknowledgement } from "../packet/acknowledgements.ts"
import { copy } from "../packet/bytes.ts"
import { writeServerPacket } from "../packet/codec.ts"
import { type Delivery, firstByte, type Message } from "../packet/message.ts"
import type { ProtocolVersion, Qos, ServerPacket } from "../packet/packets.ts"
import type { Sink } from "../transport/peer.ts"
import type { Counters } from "./counters.ts"
import type { Limits } from "./limits.ts"
import type { OutboundMemory } from "./memory.ts"
import { byReference, Outbox } from "./outbox.ts"

/** From this size on a turn's output does not wait for the end of the turn. */
const flushEarly = 65_536

/** What waits for one client while too much waits for all of them together. */
const littleOutput = 65_536

/** Section 2.1.4: what a Variable Byte Integer can say, and the fixed header. Properties of ours may add to a PUBLISH. */
const largestPacket = 0x0fff_ffff + 5

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export class Writer {
  version: ProtocolVersion = 4
  /** The client's Maximum Packet Size in bytes ([MQTT-3.1.2-24]). */
  maximumPacketSize: number = largestPacket
  readonly #most: number
  readonly #memory: OutboundMemory
  /** Bytes that are counted there. */
  #counted = 0
  /** Copies that the transport took while it was full and has not reported as gone. */
  #copiesInTransport = 0
  readonly #counters: Counters
  readonly #sink: Sink
  readonly #markDirty: () => void
  readonly #outbox = new Outbox()
  readonly #delivery: Mutable<Delivery>
  #dirty = false
  #blocked = false
  #closed = false
  /** Bytes the transport took while it was full and has not reported as gone. */
  #inTransport = 0
  /** Bytes of the outbox that are whole packets. */
  #whole = 0
  #aliasMaximum = 0
  #aliases: Map<string, number> | undefined

  constructor(limits: Limits, counters: Counters, sink: Sink, markDirty: () => void, memory: OutboundMemory) {
    this.#most = limits.maximumOutboundBytes
    this.#memory = memory
    this.#counters = counters
    this.#sink = sink
    this.#markDirty = markDirty
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

  get size(): number {
    return this.#outbox.size + this.#inTransport
  }

  get #limit(): number {
    return this.#memory.full ? Math.min(this.#most, littleOutput) : this.#most
  }

  #account(): void {
    const copies = this.#outbox.copied + this.#copiesInTransport
    this.#memory.used += copies - this.#counted
    this.#counted = copies
  }

  get writable(): boolean {
    return this.size < this.#limit
  }

  get congested(): boolean {
    return this.size * 2 > this.#limit
  }

  get roomy(): boolean {
    return this.size * 4 < this.#limit
  }

  useAliases(maximum: number): void {
    this.#aliasMaximum = maximum
  }

  packet(packet: ServerPacket): void {
    const bytes = writeServerPacket(packet, this.version, this.maximumPacketSize)
    // [MQTT-3.1.2-24] even a SUBACK may be too large for a client with a very small limit
    if (bytes.length > this.maximumPacketSize) {
      this.#counters.dropped["too large"]++
      return
    }
    this.#outbox.bytes(bytes)
    this.#wrote()
  }

  acknowledge(type: number, packetId: number, reasonCode: number): void {
    const at = this.#outbox.reserve(acknowledgementLength(reasonCode, this.version))
    writeAcknowledgement(this.#outbox.buffer, at, type, packetId, reasonCode, this.version)
    this.#wrote()
  }

  pingresp(): void {
    const at = this.#outbox.reserve(2)
    this.#outbox.buffer[at] = 0xd0
    this.#outbox.buffer[at + 1] = 0
    this.#wrote()
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
    this.#outbox.receivers = message.receivers
    if (shared) {
      if (!this.#publishShared(message, qos, firstByte(qos, retain, dup), packetId)) return this.#tooLarge()
    } else if (!this.#publishAlone(message, qos, retain, dup, packetId, identifiers, now)) return this.#tooLarge()
    this.#counters.publishSent++
    this.#wrote()
    return true
  }

  /** The same bytes as every other subscriber of this version, but for first byte and Packet Identifier. */
  #publishShared(message: Message, qos: Qos, first: number, packetId: number): boolean {
    const limit = this.maximumPacketSize
    const outbox = this.#outbox
    const length = message.payloadEnd - message.frameStart
    if (length >= byReference) message.own()
    // Small and for one subscriber only: straight from the publisher's chunk to the subscriber's buffer.
    if (!message.owned && qos === 0 && message.qos === 0 && message.frameVersion === this.version) {
      if (length > limit) return false
      const at = outbox.reserve(length)
      copy(outbox.buffer, at, message.bytes, message.frameStart, message.payloadEnd)
      outbox.buffer[at] = first
      return true
    }
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
    const alias = this.#aliases?.get(message.topic.name)
    const free = alias === undefined && (this.#aliases?.size ?? 0) < this.#aliasMaximum
    // [MQTT-3.1.2-26] never above the client's Topic Alias Maximum
    delivery.topicAlias = alias ?? (free ? (this.#aliases?.size ?? 0) + 1 : 0)
    delivery.aliasOnly = alias !== undefined
    const length = message.encodedLength(delivery)
    if (length > this.maximumPacketSize) return false
    if (free) {
      this.#aliases ??= new Map()
      this.#aliases.set(message.topic.name, delivery.topicAlias)
    }
    const payload = message.payloadEnd - message.payloadStart
    const at = this.#outbox.reserve(length - payload)
    message.encodeHead(this.#outbox.buffer, at, delivery, now)
    this.#outbox.payload(message)
    delivery.identifiers = none
    return true
  }

  #tooLarge(): false {
    this.#counters.dropped["too large"]++
    return false
  }

  #wrote(): void {
    this.#whole = this.#outbox.size
    if (this.#closed) return
    if (!this.#blocked && this.#outbox.size >= flushEarly) this.flush()
    else if (!this.#dirty) {
      this.#dirty = true
      this.#markDirty()
    }
  }

  /** Hands what waits to the transport, unless that is full. */
  flush(): void {
    this.#dirty = false
    if (this.#blocked || this.#outbox.size === 0) {
      this.#account()
      return
    }
    const { size, copied } = this.#outbox
    this.#whole = 0
    this.#counters.bytesSent += size
    if (!this.#sink.write(this.#outbox.take())) {
      this.#blocked = true
      this.#inTransport = size
      this.#copiesInTransport = copied
    }
    this.#account()
  }

  /** After writing threw: takes back what there is of a packet that was not written to its end. */
  dropUnfinished(): void {
    this.#outbox.cut(this.#whole)
  }

  drained(): void {
    this.#blocked = false
    this.#inTransport = 0
    this.#copiesInTransport = 0
    this.flush()
  }

  /** Sends what waits if the transport takes it, and ends it. A transport that is full is dropped at once. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const stuck = this.#blocked
    try {
      this.flush()
    } finally {
      this.#outbox.clear()
      this.#copiesInTransport = 0
      this.#account()
    }
    if (stuck) this.#sink.destroy()
    else this.#sink.end()
  }
}

const none: readonly number[] = []

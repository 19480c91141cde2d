// Everything a connection sends: acknowledgements and PUBLISH straight on bytes, the rest through the codec; Topic Aliases
// towards the client; its Maximum Packet Size; and the bound of what may wait for a slow transport.

import { acknowledgementLength, acknowledgementWithReason, writeAcknowledgement } from "../packet/acknowledgements.ts"
import { copy, copyOf } from "../packet/bytes.ts"
import type { Codec } from "../packet/codec.ts"
import { type Delivery, firstByte, type Message } from "../packet/message.ts"
import { PacketType, type ProtocolVersion, type Qos, type ServerPacket } from "../packet/packets.ts"
import type { Topic } from "../packet/topic.ts"
import type { Sink } from "../ports/peer.ts"
import type { Counters } from "../session/counters.ts"
import type { Limits } from "../session/limits.ts"
import { aliasBytes, aliasCost, type OutboundMemory } from "../session/memory.ts"
import type { Recorder } from "../session/recorder.ts"
import { LateOutput } from "./late-output.ts"
import { byReference, Outbox } from "./outbox.ts"
import { type SpareBuffers, spareBytes } from "./spare-buffers.ts"

/** From this size on a turn's output does not wait for the end of the turn, unless others had much. */
export const flushEarly = 65_536

/** What waits for one client while too much waits for all of them together. */
const littleOutput = 65_536

/** Section 2.1.4: what a Variable Byte Integer can say, and the fixed header. Properties of ours may add to a PUBLISH. */
const largestPacket = 0x0fff_ffff + 5

/** What it needs of the broker. */
export interface WriterNeeds {
  readonly limits: Limits
  readonly counters: Counters
  readonly codec: Codec
  readonly outbound: OutboundMemory
  readonly spares: SpareBuffers
  readonly recorder: Pick<Recorder, "committed" | "failing">
}

/** What it asks of its connection. */
export interface WriterAsks {
  /** Asks that `flush` be called at the end of the turn. */
  readonly dirty: () => void
  /** Whether so many bytes may go to the transport before. */
  readonly mayFlush: (bytes: number) => boolean
  /** The turn that an answer written now depends on; 0: none. */
  readonly depends: () => number
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
  readonly #limits: Limits
  readonly #memory: OutboundMemory
  readonly #spares: SpareBuffers
  /** Bytes that are counted there. */
  #counted = 0
  /** Copies that the transport took while it was full and has not reported as gone. */
  #copiesInTransport = 0
  /** Other bytes that it has taken and may still hold. */
  #referredInTransport: readonly Uint8Array[] = []
  readonly #counters: Counters
  readonly #codec: Codec
  readonly #sink: Sink
  readonly #asks: WriterAsks
  readonly #recorder: Pick<Recorder, "committed" | "failing">
  readonly #late = new LateOutput()
  /** What that refers to, and what has left beside it, until that turn is committed. */
  #lateReferences: { readonly bytes: Uint8Array; readonly turn: number }[] = []
  /**
   * By packet type, the turn of the last. Acknowledgements are sent in the order of what they answer ([MQTT-4.6.0-2] to
   * [MQTT-4.6.0-4]), messages of QoS 1 and 2 in that in which they were written ([MQTT-4.6.0-5]).
   */
  readonly #last: number[] = [0, 0, 0, 0, 0, 0, 0, 0]
  /** It is to be ended when all of that has left. */
  #ending = false
  readonly #outbox: Outbox
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
  /** Bytes of Topic Names that they stand for. */
  #aliasBytes = 0
  #holdAlias: (bytes: number) => boolean = () => false
  /** What has said the last of them leaves when this turn is committed. */
  #aliasTurn = 0

  constructor({ limits, counters, codec, outbound, spares, recorder }: WriterNeeds, sink: Sink, asks: WriterAsks) {
    this.#recorder = recorder
    this.#asks = asks
    this.#limits = limits
    this.#memory = outbound
    this.#spares = spares
    this.#outbox = new Outbox(
      (bytes) => outbound.refer(bytes),
      // What is to wait has no more memory than it needs.
      () => (this.#blocked || this.waits ? undefined : spares.take()),
    )
    this.#counters = counters
    this.#codec = codec
    this.#sink = sink
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
    return this.#outbox.size + this.#inTransport + this.#late.size
  }

  /** Bytes that `flush` would hand to the transport. */
  get waiting(): number {
    return this.#blocked ? 0 : this.#outbox.size + this.#late.size
  }

  /** It has ended, and nothing is left to leave. */
  get done(): boolean {
    return this.#closed && !this.#ending
  }

  /** The transport has not taken what it was given: it will say when. */
  get blocked(): boolean {
    return this.#blocked
  }

  get #limit(): number {
    const { maximumOutboundBytes } = this.#limits
    return this.#memory.full ? Math.min(maximumOutboundBytes, littleOutput) : maximumOutboundBytes
  }

  /** Counts what waits; `flush` does so too. */
  account(): void {
    const copies = this.#outbox.copied + this.#copiesInTransport + this.#late.size
    this.#memory.used += copies - this.#counted
    this.#counted = copies
  }

  get writable(): boolean {
    return this.size < this.#limit
  }

  /** False for a large message while too much waits for all clients together: for QoS 0, of which nothing else counts it. */
  takes({ payloadStart, payloadEnd }: Message): boolean {
    return payloadEnd - payloadStart <= littleOutput || !this.#memory.full
  }

  get congested(): boolean {
    return this.size * 2 > this.#limit
  }

  get roomy(): boolean {
    return this.size * 4 < this.#limit
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
    if (packet.type === "disconnect" || packet.type === "auth") this.#wrote()
    else this.#wroteAnswer(packet.type === "connack")
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
    this.#wroteInOrder(type)
  }

  #wroteInOrder(type: number): void {
    const turn = Math.max(this.#last[type]!, this.#asks.depends())
    this.#last[type] = turn
    this.#wroteAnswer(false, turn)
  }

  pingresp(): void {
    if (!this.#takes(2)) return
    this.#counters.othersSent++
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
    if (shared) {
      if (!this.#publishShared(message, qos, firstByte(qos, retain, dup), packetId)) return this.#tooLarge()
    } else if (!this.#publishAlone(message, qos, retain, dup, packetId, identifiers, now)) return this.#tooLarge()
    this.#counters.publishSent++
    this.#counters.publishBytesSent += message.payloadEnd - message.payloadStart
    if (qos === 0) this.#wrote()
    else this.#wroteInOrder(PacketType.Publish)
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
    const alias = qos === 0 && this.#aliasTurn > this.#recorder.committed ? undefined : known
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
      if (qos > 0) this.#aliasTurn = Math.max(this.#asks.depends(), this.#late.last)
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

  /** What was written leaves when what it depends on is kept. */
  #wroteAnswer(connack = false, turn: number = this.#asks.depends()): void {
    if (turn > this.#recorder.committed && !this.#closed) {
      this.#late.mark(this.#whole, this.#outbox.size, turn, connack)
    }
    this.#wrote()
  }

  #wrote(): void {
    this.#whole = this.#outbox.size
    if (this.#closed) {
      this.#discard()
      return
    }
    const early = !this.#blocked && this.#outbox.size >= flushEarly && !this.waits
    if (early && this.#asks.mayFlush(this.#outbox.size)) this.flush()
    else this.#flushLater()
  }

  #flushLater(): void {
    if (this.#dirty) return
    this.#dirty = true
    this.#asks.dirty()
  }

  /** Something of what was written waits for its turn to be committed. */
  get waits(): boolean {
    return this.#late.waits(this.#recorder.committed)
  }

  /** [MQTT-3.2.0-1] Of that is CONNACK, and with it all else. */
  get holdsConnack(): boolean {
    return this.#late.holdsConnack(this.#recorder.committed)
  }

  /** Hands what may leave to the transport, unless that is full. */
  flush(): void {
    this.#dirty = false
    if (this.#blocked || (this.#outbox.size === 0 && this.#late.size === 0)) {
      this.account()
      return
    }
    const { copied } = this.#outbox
    const chunks = this.waits ? this.#takeCommitted() : this.#takeAll()
    if (chunks.length > 0) this.#send(chunks, copied)
    this.account()
    if (this.#ending && (this.#blocked || !this.waits)) this.#end(this.#blocked && this.waits)
  }

  #send(chunks: readonly Uint8Array[], copied: number): void {
    let size = 0
    for (const chunk of chunks) size += chunk.length
    this.#counters.bytesSent += size
    const spares = this.#outbox.takeSpares()
    let [hasRoom, isKept] = [false, true]
    try {
      hasRoom = this.#sink.write(chunks)
      isKept = this.#sink.keeps !== false
    } finally {
      for (const spare of spares) {
        if (isKept) this.#spares.lose()
        else this.#spares.give(spare)
      }
    }
    if (hasRoom || (this.#closed && !this.#ending)) this.#transportDone()
    else {
      this.#blocked = true
      this.#inTransport = size
      const least = isKept ? spares.length * spareBytes : 0
      this.#copiesInTransport = Math.max(least, Math.min(size, copied))
    }
  }

  #takeAll(): readonly Uint8Array[] {
    this.#whole = 0
    this.#late.clear()
    // What the transport has not taken because it threw is still there.
    const references = this.#outbox.takeReferences()
    if (references.length > 0) this.#referredInTransport = [...this.#referredInTransport, ...references]
    return this.#outbox.take()
  }

  /** What depends on no turn that is not committed, and what has waited for one that is now. The rest goes aside. */
  #takeCommitted(): readonly Uint8Array[] {
    this.#whole = 0
    const references = this.#outbox.takeReferences()
    const { committed } = this.#recorder
    const leaving = this.#late.take(this.#withoutSpares(this.#outbox.take()), committed)
    const turn = this.#late.lastTurn
    for (const bytes of references) this.#lateReferences.push({ bytes, turn })
    const left = this.#lateReferences.findIndex((one) => one.turn > committed)
    const gone = this.#lateReferences.splice(0, left < 0 ? this.#lateReferences.length : left)
    if (gone.length > 0) this.#referredInTransport = [...this.#referredInTransport, ...gone.map(({ bytes }) => bytes)]
    return leaving
  }

  /** What may wait for long is not in memory that others wait for. */
  #withoutSpares(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
    const spares = this.#outbox.takeSpares()
    if (spares.length === 0) return chunks
    const own = chunks.map((chunk) => (spares.some(({ buffer }) => buffer === chunk.buffer) ? copyOf(chunk) : chunk))
    for (const spare of spares) this.#spares.give(spare)
    return own
  }

  /** After writing threw: takes back what there is of a packet that was not written to its end. */
  dropUnfinished(): void {
    this.#outbox.cut(this.#whole)
    this.#late.cut(this.#whole)
  }

  /** The transport holds nothing any more. */
  #transportDone(): void {
    this.#inTransport = 0
    this.#copiesInTransport = 0
    for (const bytes of this.#referredInTransport) this.#memory.release(bytes)
    this.#referredInTransport = []
  }

  #discard(): void {
    this.#outbox.clear()
    for (const spare of this.#outbox.takeSpares()) this.#spares.give(spare)
    for (const bytes of this.#outbox.takeReferences()) this.#memory.release(bytes)
    for (const { bytes } of this.#lateReferences) this.#memory.release(bytes)
    this.#lateReferences = []
    this.#late.clear()
    this.#transportDone()
    this.account()
  }

  drained(): void {
    this.#blocked = false
    this.#transportDone()
    const { size } = this.#outbox
    if (size < flushEarly || this.#asks.mayFlush(size)) this.flush()
    else this.#flushLater()
  }

  /**
   * Sends what waits if the transport takes it, and ends it: when that is committed which it depends on. A transport that is
   * full is dropped at once.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#blocked || !this.waits || this.#recorder.failing) this.#end(this.#blocked)
    else {
      this.#ending = true
      this.#flushLater()
    }
  }

  /** Nothing more is sent, whatever waits. */
  drop(): void {
    const ending = this.#ending
    this.#closed = true
    this.#ending = false
    this.#discard()
    if (ending) this.#sink.end()
  }

  /** The store does not keep what it waits for: it ends without that. */
  giveUp(): void {
    if (this.#ending) this.#end(false)
  }

  #end(stuck: boolean): void {
    this.#ending = false
    try {
      if (!stuck) this.flush()
    } finally {
      this.#discard()
    }
    if (stuck) this.#sink.destroy()
    else this.#sink.end()
  }
}

const none: readonly number[] = []

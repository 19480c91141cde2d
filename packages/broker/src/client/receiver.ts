// What a connected client may ask for: the receiving side of PUBLISH and acknowledgements (MQTT 5.0 sections 3.3 to 3.7,
// 4.3), SUBSCRIBE and UNSUBSCRIBE (3.8, 3.10). Topic Aliases of the client live and end with this object.

import { packetIdOf, readAcknowledgement, reasonCodeOf } from "../packet/acknowledgements.ts"
import { PacketError, protocolError } from "../packet/errors.ts"
import type { Frame } from "../packet/framer.ts"
import {
  PacketType,
  type ProtocolVersion,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
} from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Topic } from "../packet/topic.ts"
import type { Identity } from "../ports/access.ts"
import type { Standing } from "../ports/cluster.ts"
import type { PeerInfo } from "../ports/peer.ts"
import { checkOffered, notOffered } from "../session/features.ts"
import type { ToldLimits } from "../session/limits.ts"
import { aliasBytes, aliasCost } from "../session/memory.ts"
import type { Session } from "../session/session.ts"
import type { Hub } from "./hub.ts"
import {
  clusterFails,
  payloadIsNoText,
  payloadTooLarge,
  publishReason,
  storeFails,
  subscribeReason,
  tooLargeToKeep,
  tooManyCopiesToKeep,
} from "./reason-strings.ts"
import { noRoom, publishRefusal, tellRefusal, tellRefused } from "./refusals.ts"
import type { Writer } from "./writer.ts"

/** What it costs to look at so many bytes of a payload, in the units of routing. */
export function lookCost(bytes: number): number {
  return Math.ceil(bytes / 512)
}

/** Why a payload goes to nobody. */
interface Flaw {
  readonly code: number
  readonly counted: "payload too large" | "payload format invalid"
  readonly why: string
}

/** Bytes in a store of a message, beside what is in it, and of its sender's Packet Identifier and its topic. */
const messageBytes = 512

/** What one filter of SUBSCRIBE or UNSUBSCRIBE costs, in the units of routing. */
const filterCost = 20

/** The connection whose packets these are. */
export interface Receiving {
  readonly peer: PeerInfo
  readonly clientId: string
  readonly version: ProtocolVersion
  readonly writer: Writer
  readonly told: ToldLimits
}

export class Receiver<Client extends Receiving> {
  readonly #host: Hub<Client>
  readonly #told: ToldLimits
  readonly #connection: Client
  readonly #session: Session
  #identity: Identity
  readonly #writer: Writer
  readonly #clientId: string
  readonly #version: ProtocolVersion
  readonly #mqtt31: boolean
  /** [MQTT-3.3.2-7] of this connection only. */
  #aliases: (Topic | undefined)[] | undefined
  #aliasBytes = 0
  /** Of the PUBLISH that is handled. */
  #flaw: Flaw | undefined
  /** The topic that was last allowed: publishers repeat themselves. */
  #allowedTopic: Topic | undefined

  constructor(host: Hub<Client>, connection: Client, session: Session, identity: Identity, mqtt31: boolean) {
    this.#mqtt31 = mqtt31
    this.#host = host
    this.#told = connection.told
    this.#connection = connection
    this.#session = session
    this.#identity = identity
    this.#writer = connection.writer
    this.#clientId = session.clientId
    this.#version = connection.version
  }

  /** False, and nothing is done: a PUBLISH of an MQTT 3.1.1 client that cannot be kept, for which that version has no word. */
  publish(frame: Frame, now: number): boolean {
    const host = this.#host
    const reader = host.reader
    const session = this.#session
    reader.read(frame.bytes, frame.start, frame.bodyStart, frame.end, frame.owned, this.#version)
    // Each 128 bytes of Topic Name and properties cost about as much to read as a node of the tree to look at.
    host.cost((frame.end - frame.bodyStart - reader.payloadLength) >> 7)
    const topic = reader.topicAlias === 0 ? reader.topic! : this.#alias(reader.topic, reader.topicAlias)
    const { qos, packetId } = reader
    checkOffered(host.features, "a PUBLISH", qos, reader.retain)
    const again = qos === 2 && session.hasReceived(packetId)
    const refused = qos > 0 && !again && !this.#canKeep(topic) && this.#wouldKeep(topic)
    if (refused && this.#version === 4) return false
    host.counters.publishReceived++
    host.counters.publishBytesReceived += reader.payloadLength
    this.#flaw = undefined
    if (qos === 2) {
      // [MQTT-4.3.3-10] the same Packet Identifier again, before PUBREL: acknowledge, do not deliver again
      if (again) {
        session.receiveAgain(packetId)
        this.#writer.acknowledge(PacketType.Pubrec, packetId, ReasonCode.Success)
        return true
      }
      if (refused) return this.#refuse(qos, packetId)
      // [MQTT-3.3.4-7] more than Receive Maximum (QoS 1 is acknowledged at once and never counts)
      if (session.receivedNow >= this.#told.receiveMaximum) {
        const what = `more than ${this.#told.receiveMaximum} unacknowledged PUBLISH`
        throw new PacketError(ReasonCode.ReceiveMaximumExceeded, "MQTT-3.3.4-7", what)
      }
      // Before it is published: what cannot be remembered cannot be delivered once.
      if (!session.receive(packetId)) {
        host.counters.dropped["memory full"]++
        if (this.#version === 4)
          throw new PacketError(ReasonCode.QuotaExceeded, "4.13", "no room for another Packet Identifier")
        const code = ReasonCode.QuotaExceeded
        this.#writer.acknowledge(PacketType.Pubrec, packetId, code, publishReason(code, topic.name))
        return true
      }
    }
    if (qos === 1 && refused) return this.#refuse(qos, packetId)
    let code: number
    try {
      code = this.#forward(topic, now)
    } catch (error) {
      // It was not published: what the client sends again is to be.
      if (qos === 2) session.releaseReceived(packetId)
      throw error
    }
    const reason = this.#reason(code, topic)
    if (qos === 1)
      this.#writer.acknowledge(PacketType.Puback, packetId, code, reason) // [MQTT-4.3.2-4]
    else if (qos === 2) {
      // [MQTT-4.3.3-9] after an error the identifier is free again; MQTT 3.1.1 knows no error and goes on
      if (code >= 0x80 && this.#version === 5) session.releaseReceived(packetId)
      this.#writer.acknowledge(PacketType.Pubrec, packetId, code, reason) // [MQTT-4.3.3-8]
    }
    return true
  }

  #refuse(qos: 1 | 2, packetId: number): true {
    this.#host.counters.dropped["not kept"]++
    const type = qos === 1 ? PacketType.Puback : PacketType.Pubrec
    this.#writer.acknowledge(type, packetId, ReasonCode.QuotaExceeded, storeFails)
    return true
  }

  /** Nothing is acknowledged that cannot be kept. */
  #canKeep(topic: Topic): boolean {
    const { recorder } = this.#host
    if (recorder.failing) return this.#makesRoom(topic)
    return recorder.takes(this.#keptBytes(topic)) || this.#makesRoom(topic)
  }

  /** Once there is room: what is not to be published, or never has room, is answered now. Nobody is told of it here. */
  #wouldKeep(topic: Topic): boolean {
    if (topic !== this.#allowedTopic && publishRefusal(this.#host.access, this.#identity, this.#clientId, topic.name))
      return false
    return this.#payloadFlaw(topic) === undefined
  }

  /** Of the PUBLISH that was read, with its copies; 0: nothing is kept of it. */
  #keptBytes(topic: Topic): number {
    const { reader } = this.#host
    const copies = this.#host.keptBytes(topic)
    if (copies === 0 && !(reader.retain && reader.payloadLength > 0)) return 0
    return messageBytes + 2 * topic.bytes.length + reader.contentLength + copies
  }

  /** The PUBLISH that was read takes away a retained message: a store that is only full has room for that. */
  #makesRoom(topic: Topic): boolean {
    const { reader, recorder } = this.#host
    if (recorder.broken || !reader.retain || reader.payloadLength > 0 || !this.#host.retains(topic)) return false
    return recorder.mayGrow(this.#keptBytes(topic))
  }

  #forward(topic: Topic, now: number): number {
    const host = this.#host
    const { reader } = host
    if (!this.#mayPublish(topic)) {
      host.counters.dropped["not authorized"]++
      return ReasonCode.NotAuthorized
    }
    this.#flaw = this.#payloadFlaw(topic)
    if (this.#flaw !== undefined) {
      host.counters.dropped[this.#flaw.counted]++
      tellRefused(host, this.#connection, this.#identity, topic.name, this.#flaw.why)
      return this.#flaw.code
    }
    if (!reader.retain && host.nobody(topic)) return ReasonCode.NoMatchingSubscribers
    const message = reader.message(topic, now)
    if (host.sampling.armed) host.sampling.take(message, now)
    const code = host.publish(message, this.#session, this.#connection, now)
    if (code === ReasonCode.QuotaExceeded) tellRefused(host, this.#connection, this.#identity, topic.name, noRoom)
    return code
  }

  #reason(code: number, topic: Topic): string | undefined {
    return this.#flaw?.why ?? publishReason(code, topic.name)
  }

  #payloadFlaw(topic: Topic): Flaw | undefined {
    const host = this.#host
    const { reader, limits } = host
    // Section 3.4.2.1 has no "packet too large" for PUBACK: this is an administrative limit.
    if (reader.payloadLength > limits.maximumPayloadSize)
      return { code: ReasonCode.QuotaExceeded, counted: "payload too large", why: payloadTooLarge(limits) }
    const { largest } = host.recorder
    if (largest !== undefined && (reader.qos > 0 || reader.retain) && reader.contentLength > largest)
      return { code: ReasonCode.QuotaExceeded, counted: "payload too large", why: tooLargeToKeep(largest) }
    // Not even an empty store has room for so many copies, beside that for folding them.
    if (largest !== undefined && reader.qos > 0 && this.#keptBytes(topic) > 6 * largest)
      return { code: ReasonCode.QuotaExceeded, counted: "payload too large", why: tooManyCopiesToKeep }
    if (!reader.textPayload || !host.checksPayloadFormat) return undefined
    host.cost(lookCost(reader.payloadLength))
    if (reader.payloadIsText) return undefined
    return { code: ReasonCode.PayloadFormatInvalid, counted: "payload format invalid", why: payloadIsNoText }
  }

  #mayPublish(topic: Topic): boolean {
    if (topic === this.#allowedTopic) return true
    const refusal = publishRefusal(this.#host.access, this.#identity, this.#clientId, topic.name)
    if (refusal !== undefined) {
      tellRefusal(this.#host, this.#connection, this.#identity, "publish", topic.name, refusal)
      return false
    }
    this.#allowedTopic = topic
    return true
  }

  /** The client has logged in anew. */
  becomes(identity: Identity): void {
    this.#identity = identity
    this.rulesChanged()
  }

  /** The rules have changed: what was allowed may not be any more. */
  rulesChanged(): void {
    this.#allowedTopic = undefined
  }

  #alias(topic: Topic | undefined, alias: number): Topic {
    const maximum = this.#told.topicAliasMaximum
    // [MQTT-3.3.2-9] not above the Topic Alias Maximum we sent
    if (alias > maximum) {
      throw new PacketError(ReasonCode.TopicAliasInvalid, "MQTT-3.3.2-9", `Topic Alias ${alias} is above ${maximum}`)
    }
    this.#aliases ??= new Array<Topic | undefined>(maximum + 1).fill(undefined)
    if (topic !== undefined) {
      const before = this.#aliases[alias]
      if (topic === before) return topic
      this.#aliasBytes += topic.bytes.length - (before?.bytes.length ?? 0)
      if (this.#aliasBytes > aliasBytes) {
        const what = `Topic Aliases for more than ${aliasBytes} bytes of Topic Names`
        throw new PacketError(ReasonCode.QuotaExceeded, "3.3.2.3.4", what)
      }
      if (!this.#session.holdAlias(aliasCost(topic) - (before === undefined ? 0 : aliasCost(before)))) {
        throw new PacketError(ReasonCode.QuotaExceeded, "3.3.2.3.4", "no room for another Topic Alias")
      }
      this.#aliases[alias] = topic
      return topic
    }
    const known = this.#aliases[alias]
    if (known === undefined) throw protocolError("3.3.4", `Topic Alias ${alias} is not known`)
    return known
  }

  acknowledgement(type: number, frame: Frame, now: number): void {
    const session = this.#session
    const read = readAcknowledgement(type, frame.bytes, frame.bodyStart, frame.end, this.#version, "client")
    const packetId = packetIdOf(read)
    const code = reasonCodeOf(read)
    switch (type) {
      case PacketType.Puback:
        session.puback(packetId, code, now)
        break
      case PacketType.Pubrec:
        session.pubrec(packetId, code, now)
        break
      case PacketType.Pubcomp:
        session.pubcomp(packetId, now)
        break
      default: {
        const known = session.releaseReceived(packetId)
        // [MQTT-4.3.3-11]
        const answer = known ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound
        this.#writer.acknowledge(PacketType.Pubcomp, packetId, answer)
        return
      }
    }
    session.wake(now)
  }

  /** @param failed why nothing can be subscribed to at the moment */
  subscribe(packet: SubscribePacket, standing: Standing = "standing"): void {
    const session = this.#session
    if (standing !== "standing") {
      const full = standing.quota === true
      const code = full ? ReasonCode.QuotaExceeded : ReasonCode.UnspecifiedError
      const codes = packet.subscriptions.map((request) => this.#answerTo(request, code))
      const why = full ? subscribeReason(codes, this.#host.limits) : clusterFails
      const reasonString = this.#version === 5 ? why : undefined
      this.#writer.packet({ type: "suback", packetId: packet.packetId, reasonCodes: codes, reasonString })
      return
    }
    this.#host.cost(filterCost * packet.subscriptions.length)
    const codes: number[] = []
    // By filter: one that stands there twice is replaced, and its retained messages come once.
    const owed = new Set<string>()
    for (const request of packet.subscriptions) {
      // Twice: what it is owed of retained messages is kept, too.
      const bytes = 2 * (messageBytes + 3 * request.filter.length)
      if (session.kept && !this.#host.recorder.takes(bytes)) {
        codes.push(this.#answerTo(request, ReasonCode.QuotaExceeded))
        continue
      }
      const lacking = notOffered(this.#host.features, request, packet.subscriptionIdentifier)
      if (lacking !== undefined) {
        if (this.#version === 5) throw lacking
        codes.push(this.#answerTo(request, lacking.reasonCode))
        continue
      }
      const { reasonCode, retained, refusal } = this.#host.subscribe(
        session,
        this.#identity,
        request,
        packet.subscriptionIdentifier,
      )
      if (refusal !== undefined)
        tellRefusal(this.#host, this.#connection, this.#identity, "subscribe", request.filter, refusal)
      codes.push(this.#answerTo(request, reasonCode))
      if (retained) owed.add(request.filter)
    }
    // [MQTT-3.8.4-1], [MQTT-3.8.4-6]
    const reasonString = this.#version === 5 ? subscribeReason(codes, this.#host.limits) : undefined
    this.#writer.packet({ type: "suback", packetId: packet.packetId, reasonCodes: codes, reasonString })
    for (const filter of owed) this.#host.sendRetained(this.#connection, session, filter)
  }

  /** MQTT 3.1.1 [MQTT-3.9.3-2] has one failure code, MQTT 3.1 has none: there only the log says so. */
  #answerTo({ qos }: SubscriptionRequest, reasonCode: number): number {
    if (reasonCode < 0x80 || this.#version === 5) return reasonCode
    return this.#mqtt31 ? qos : 0x80
  }

  unsubscribe(packet: UnsubscribePacket): void {
    this.#host.cost(filterCost * packet.filters.length)
    const codes = packet.filters.map((filter) => this.#host.unsubscribe(this.#session, filter))
    // [MQTT-3.10.4-4], [MQTT-3.10.4-5]
    this.#writer.packet({ type: "unsuback", packetId: packet.packetId, reasonCodes: this.#version === 5 ? codes : [] })
  }
}

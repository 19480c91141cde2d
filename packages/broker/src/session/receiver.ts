// What a connected client may ask for: the receiving side of PUBLISH and acknowledgements (MQTT 5.0 sections 3.3 to 3.7,
// 4.3), SUBSCRIBE and UNSUBSCRIBE (3.8, 3.10). Topic Aliases of the client live and end with this object.

import type { Identity } from "../access/access.ts"
import { packetIdOf, readAcknowledgement, reasonCodeOf } from "../packet/acknowledgements.ts"
import { PacketError, protocolError } from "../packet/errors.ts"
import type { Framer } from "../packet/framer.ts"
import { PacketType, type ProtocolVersion, type SubscribePacket, type UnsubscribePacket } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Topic } from "../packet/topic.ts"
import type { Connection } from "./connection.ts"
import type { Host } from "./host.ts"
import { publishRefusal, tellNoRoom, tellRefusal } from "./refusals.ts"
import type { Session } from "./session.ts"
import type { Writer } from "./writer.ts"

/** Bytes of Topic Names that the Topic Aliases of a connection may stand for, together. */
const aliasBytes = 16_384

/** What one filter of SUBSCRIBE or UNSUBSCRIBE costs, in the units of routing. */
const filterCost = 20

export class Receiver {
  readonly #host: Host
  readonly #connection: Connection
  readonly #session: Session
  readonly #identity: Identity
  readonly #writer: Writer
  readonly #clientId: string
  readonly #version: ProtocolVersion
  /** [MQTT-3.3.2-7] of this connection only. */
  #aliases: (Topic | undefined)[] | undefined
  #aliasBytes = 0
  /** The topic that was last allowed: publishers repeat themselves. */
  #allowedTopic: Topic | undefined

  constructor(host: Host, connection: Connection, session: Session, identity: Identity) {
    this.#host = host
    this.#connection = connection
    this.#session = session
    this.#identity = identity
    this.#writer = connection.writer
    this.#clientId = session.clientId
    this.#version = connection.version
  }

  publish(framer: Framer, now: number): void {
    const host = this.#host
    const reader = host.reader
    const session = this.#session
    host.counters.publishReceived++
    reader.read(framer.bytes, framer.start, framer.bodyStart, framer.end, framer.owned, this.#version)
    const topic = reader.topicAlias === 0 ? reader.topic! : this.#alias(reader.topic, reader.topicAlias)
    const { qos, packetId } = reader
    if (qos === 2) {
      // [MQTT-4.3.3-10] the same Packet Identifier again, before PUBREL: acknowledge, do not deliver again
      if (session.hasReceived(packetId)) {
        this.#writer.acknowledge(PacketType.Pubrec, packetId, ReasonCode.Success)
        return
      }
      // [MQTT-3.3.4-7] more than Receive Maximum (QoS 1 is acknowledged at once and never counts)
      if (session.receivedCount >= host.limits.receiveMaximum) {
        const what = `more than ${host.limits.receiveMaximum} unacknowledged PUBLISH`
        throw new PacketError(ReasonCode.ReceiveMaximumExceeded, "MQTT-3.3.4-7", what)
      }
      // Before it is published: what cannot be remembered cannot be delivered once.
      if (!session.receive(packetId)) {
        host.counters.dropped["memory full"]++
        if (this.#version === 4)
          throw new PacketError(ReasonCode.QuotaExceeded, "4.13", "no room for another Packet Identifier")
        this.#writer.acknowledge(PacketType.Pubrec, packetId, ReasonCode.QuotaExceeded)
        return
      }
    }
    let code: number
    try {
      code = this.#forward(topic, now)
    } catch (error) {
      // It was not published: what the client sends again is to be.
      if (qos === 2) session.releaseReceived(packetId)
      throw error
    }
    if (qos === 1)
      this.#writer.acknowledge(PacketType.Puback, packetId, code) // [MQTT-4.3.2-4]
    else if (qos === 2) {
      // [MQTT-4.3.3-9] after an error the identifier is free again; MQTT 3.1.1 knows no error and goes on
      if (code >= 0x80 && this.#version === 5) session.releaseReceived(packetId)
      this.#writer.acknowledge(PacketType.Pubrec, packetId, code) // [MQTT-4.3.3-8]
    }
  }

  #forward(topic: Topic, now: number): number {
    const host = this.#host
    const { reader } = host
    if (!this.#mayPublish(topic)) {
      host.counters.dropped["not authorized"]++
      return ReasonCode.NotAuthorized
    }
    if (!reader.retain && host.nobody(topic)) return ReasonCode.NoMatchingSubscribers
    const code = host.publish(reader.message(topic, now), this.#session, this.#connection, now)
    if (code === ReasonCode.QuotaExceeded) tellNoRoom(host, this.#connection, this.#identity, topic.name)
    return code
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

  /** The rules have changed: what was allowed may not be any more. */
  rulesChanged(): void {
    this.#allowedTopic = undefined
  }

  #alias(topic: Topic | undefined, alias: number): Topic {
    const maximum = this.#host.limits.topicAliasMaximum
    // [MQTT-3.3.2-9] not above the Topic Alias Maximum we sent
    if (alias > maximum) {
      throw new PacketError(ReasonCode.TopicAliasInvalid, "MQTT-3.3.2-9", `Topic Alias ${alias} is above ${maximum}`)
    }
    this.#aliases ??= new Array<Topic | undefined>(maximum + 1).fill(undefined)
    if (topic !== undefined) {
      this.#aliasBytes += topic.bytes.length - (this.#aliases[alias]?.bytes.length ?? 0)
      if (this.#aliasBytes > aliasBytes) {
        const what = `Topic Aliases for more than ${aliasBytes} bytes of Topic Names`
        throw new PacketError(ReasonCode.QuotaExceeded, "3.3.2.3.4", what)
      }
      this.#aliases[alias] = topic
      return topic
    }
    const known = this.#aliases[alias]
    if (known === undefined) throw protocolError("3.3.4", `Topic Alias ${alias} is not known`)
    return known
  }

  acknowledgement(type: number, framer: Framer, now: number): void {
    const session = this.#session
    const read = readAcknowledgement(type, framer.bytes, framer.bodyStart, framer.end, this.#version)
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

  subscribe(packet: SubscribePacket): void {
    const session = this.#session
    this.#host.cost(filterCost * packet.subscriptions.length)
    const codes: number[] = []
    // By filter: one that stands there twice is replaced, and its retained messages come once.
    const owed = new Set<string>()
    for (const request of packet.subscriptions) {
      const { reasonCode, retained, refusal } = this.#host.subscribe(
        session,
        this.#identity,
        request,
        packet.subscriptionIdentifier,
      )
      if (refusal !== undefined)
        tellRefusal(this.#host, this.#connection, this.#identity, "subscribe", request.filter, refusal)
      // MQTT 3.1.1 [MQTT-3.9.3-2] has one failure code
      codes.push(this.#version === 4 && reasonCode >= 0x80 ? 0x80 : reasonCode)
      if (retained) owed.add(request.filter)
    }
    // [MQTT-3.8.4-1], [MQTT-3.8.4-6]
    this.#writer.packet({ type: "suback", packetId: packet.packetId, reasonCodes: codes })
    for (const filter of owed) this.#host.sendRetained(this.#connection, session, filter)
  }

  unsubscribe(packet: UnsubscribePacket): void {
    this.#host.cost(filterCost * packet.filters.length)
    const codes = packet.filters.map((filter) => this.#host.unsubscribe(this.#session, filter))
    // [MQTT-3.10.4-4], [MQTT-3.10.4-5]
    this.#writer.packet({ type: "unsuback", packetId: packet.packetId, reasonCodes: this.#version === 5 ? codes : [] })
  }
}

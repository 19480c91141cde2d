// Messages that come from the broker.

import { PacketError } from "../packet/errors.ts"
import type { Frame } from "../packet/framer.ts"
import { PacketType, type ProtocolVersion, type Qos } from "../packet/packets.ts"
import { decodeProperties, type PropertyValue } from "../packet/property-values.ts"
import { PublishReader } from "../packet/publish.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { type Topic, TopicTable } from "../packet/topic.ts"

export interface Received {
  readonly topic: string
  /** Of the broker's bytes: to be used before the next message comes. */
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
  /** 0 for QoS 0. */
  readonly packetId: number
  /** It has been sent before. */
  readonly dup: boolean
  /** In the order in which they came; empty for MQTT 3.1.1. */
  readonly properties: readonly PropertyValue[]
}

export class MessageReader {
  /** A Topic Name of 65,535 bytes has one level more at most. */
  readonly #topics = new TopicTable(0x1_0000, 64)
  readonly #reader = new PublishReader(this.#topics)
  readonly #aliases = new Map<number, Topic>()
  readonly #topicAliasMaximum: number

  /** @param topicAliasMaximum what CONNECT allowed the broker */
  constructor(topicAliasMaximum: number) {
    this.#topicAliasMaximum = topicAliasMaximum
  }

  /** Throws PacketError. */
  read({ bytes, start, bodyStart, end, owned }: Frame, version: ProtocolVersion): Received {
    const reader = this.#reader
    reader.read(bytes, start, bodyStart, end, owned, version, true)
    const topic = this.#topicOf(reader)
    const { qos, retain, packetId, dup } = reader
    const { payload } = reader.message(topic, 0)
    const properties =
      version === 5 ? decodeProperties(bytes, propertiesAt(bytes, bodyStart, qos), end, PacketType.Publish) : []
    return { topic: topic.name, payload, qos, retain, packetId, dup, properties }
  }

  #topicOf({ topic, topicAlias }: PublishReader): Topic {
    // [MQTT-3.1.2-26], [MQTT-3.1.2-27]: not more than was allowed, and none without
    if (topicAlias > this.#topicAliasMaximum)
      throw new PacketError(ReasonCode.TopicAliasInvalid, "MQTT-3.1.2-26", `Topic Alias ${topicAlias} was not allowed`)
    const found = topic ?? this.#aliases.get(topicAlias)
    if (found === undefined)
      throw new PacketError(ReasonCode.ProtocolError, "3.3.2.3.4", `Topic Alias ${topicAlias} stands for no topic`)
    if (topicAlias > 0) this.#aliases.set(topicAlias, found)
    return found
  }
}

/** Where the Property Length of a PUBLISH is that was read already. */
function propertiesAt(bytes: Uint8Array, bodyStart: number, qos: Qos): number {
  const topicLength = (bytes[bodyStart]! << 8) | bytes[bodyStart + 1]!
  return bodyStart + 2 + topicLength + (qos > 0 ? 2 : 0)
}

// One direction of a bridge: what one broker sends goes to the other by the same Packet Identifier and at the same QoS, and what the
// other answers goes back. So the bridge keeps nothing: what is under way is in the sessions of both brokers, and when a connection
// is lost on either side each of them sends again what it has no answer for (MQTT 5.0 section 4.4).

import type { MqttClient } from "../mqtt-client/client.ts"
import { MqttClientError } from "../mqtt-client/errors.ts"
import type { AcknowledgementCame, MessageCame } from "../mqtt-client/events.ts"
import { copyOf } from "../packet/bytes.ts"
import { PropertyId } from "../packet/properties.ts"
import type { PropertyValue } from "../packet/property-values.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { goneOver } from "./origin.ts"
import { type Route, TopicMap } from "./topics.ts"

export interface LaneOptions {
  readonly map: TopicMap
  readonly from: MqttClient
  readonly to: MqttClient
  /** Of the broker whose bridge this is; see origin.ts. */
  readonly origin: string
  /** A message that is not handed on, and why. */
  readonly onDropped: (topic: string, why: string) => void
}

/** Bytes of messages that wait to be handed on. */
export const mostWaiting = 16_777_216

export class Lane {
  readonly #options: LaneOptions
  /**
   * Packet Identifiers that are free at the receiving broker, when its session may have some of a session of the other that has
   * ended: a message by one of those would be taken for one that it has got already. Undefined: all are.
   */
  #free: Set<number> | undefined
  /** Messages that wait until their Packet Identifiers are. */
  readonly #held: Map<number, MessageCame> = new Map()
  /**
   * Messages of QoS 1 and 2 that wait, in their order, because the first of them does: for the answer to a SUBSCRIBE or UNSUBSCRIBE
   * that has its Packet Identifier, or until fewer are unacknowledged. The sender's PUBRELs may be what that takes, so it is read on.
   */
  #waiting: MessageCame[] = []
  #waitingBytes = 0

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** Both brokers have let the bridge in. @param free those that are free, where not all are known to be; it is added to */
  begin(free: Set<number> | undefined): void {
    this.#free = free
    this.#held.clear()
    this.#waiting = []
    this.#waitingBytes = 0
  }

  /** An answer of `to` has come, for which messages may have waited. */
  goOn(): void {
    let first = 0
    for (const message of this.#waiting) {
      if (this.#mustWait(message)) break
      first++
      this.#waitingBytes -= sizeOf(message)
      this.#handOn(message)
    }
    this.#waiting.splice(0, first)
  }

  /** A message of `from`. Throws MqttClientError when there is no room for it. */
  message(message: MessageCame): void {
    if (message.qos === 0 || (this.#waiting.length === 0 && !this.#mustWait(message))) {
      this.#handOn(message)
      return
    }
    // With MQTT 5.0 there are as many as the Receive Maximum of the bridge; MQTT 3.1.1 has none.
    this.#waitingBytes += sizeOf(message)
    if (this.#waitingBytes > mostWaiting) {
      const what = `${this.#waiting.length} messages wait to be handed on, ${mostWaiting} bytes: let fewer be unacknowledged`
      throw new MqttClientError("limit", what, { limit: "maximumInFlight" })
    }
    this.#waiting.push(lasting(message))
  }

  #mustWait({ packetId }: MessageCame): boolean {
    const { to } = this.#options
    const awaited = to.awaits(packetId)
    return awaited === undefined ? to.room === 0 : awaited === "suback" || awaited === "unsuback"
  }

  #handOn(message: MessageCame): void {
    const { map, to } = this.#options
    const { topic, qos, packetId } = message
    // It comes again on the same connection, which brokers once did: it is under way.
    if (qos > 0 && to.awaits(packetId) !== undefined) return
    const route = map.routeOf(topic)
    if (route === undefined) {
      this.#drop(message, ReasonCode.Success, "no rule of the bridge is about it; a subscription of before may be")
      return
    }
    if (qos === 2 && this.#free !== undefined && !this.#free.has(packetId)) {
      this.#held.set(packetId, lasting(message))
      to.acknowledge("pubrel", packetId)
      return
    }
    this.#send(message, route)
  }

  /** What `to` says about a message. */
  answered({ type, packetId, reasonCode }: AcknowledgementCame): void {
    const held = type === "pubcomp" ? this.#held.get(packetId) : undefined
    if (held === undefined) {
      // Only servers may say that nobody has subscribed (sections 3.4.2.1, 3.5.2.1).
      const isNobody = reasonCode === ReasonCode.NoMatchingSubscribers
      this.#options.from.acknowledge(type, packetId, isNobody ? ReasonCode.Success : reasonCode)
      return
    }
    this.#held.delete(packetId)
    this.#free?.add(packetId)
    this.message(held)
  }

  /** PUBREL of `from`. */
  released({ packetId, reasonCode }: AcknowledgementCame): void {
    this.#options.to.acknowledge("pubrel", packetId, reasonCode)
  }

  #send(message: MessageCame, route: Route): void {
    const { to, origin } = this.#options
    const { topic, payload, qos, packetId } = message
    const properties = goneOver(message.properties.filter(isOfMessage), origin)
    if (properties === undefined) {
      this.#drop(message, ReasonCode.Success, undefined)
      return
    }
    try {
      to.publish({
        topic: TopicMap.across(topic, route),
        payload,
        qos,
        retain: message.retain && route.retain && to.connack.retainAvailable !== false,
        properties: to.version === 5 ? properties : [],
        ...(qos > 0 && (message.dup && to.connack.sessionPresent ? { again: packetId } : { packetId })),
      })
    } catch (error) {
      if (!(error instanceof MqttClientError) || !isOfOne(error)) throw error
      this.#drop(message, ReasonCode.ImplementationSpecificError, error.message)
    }
  }

  /** It ends here: the sender is told that it has arrived, or, by a Reason Code of 0x80 or above, why not. */
  #drop({ topic, qos, packetId }: MessageCame, reasonCode: number, why: string | undefined): void {
    if (why !== undefined) this.#options.onDropped(topic, why)
    if (qos > 0) this.#options.from.acknowledge(qos === 1 ? "puback" : "pubrec", packetId, reasonCode)
  }
}

/** Bytes that a message takes here, about. */
function sizeOf({ topic, payload, properties }: MessageCame): number {
  return payload.length + 3 * topic.length + 200 * (properties.length + 1)
}

/** What belongs to a message, and not to the connection that it came by. */
function isOfMessage({ id }: PropertyValue): boolean {
  return id !== PropertyId.TopicAlias && id !== PropertyId.SubscriptionIdentifier
}

/** The message is what is wrong, and not that there is no room for one more. */
function isOfOne({ kind, limit }: MqttClientError): boolean {
  return kind === "misuse" || (limit !== undefined && limit !== "maximumInFlight" && limit !== "maximumWaiting")
}

/** A copy that outlives the bytes that it came by. */
export function lasting(message: MessageCame): MessageCame {
  const { payload, properties } = message
  return {
    ...message,
    payload: copyOf(payload),
    properties: properties.map(({ id, value }) => ({ id, value: value instanceof Uint8Array ? copyOf(value) : value })),
  }
}

// One direction of a bridge: what one broker sends goes to the other by the same Packet Identifier and at the same QoS, and what the
// other answers goes back. So the bridge keeps nothing: what is under way is in the sessions of both brokers, and when a connection
// is lost on either side each of them sends again what it has no answer for (MQTT 5.0 section 4.4).
//
// A message that the receiving broker refuses ends here, and is told and counted. Two answers may be others later, 0x97 and 0x91: for
// those, and for a message that the connection ends for, the bridge comes again, so many times that are fixed.

import type { MqttClient } from "../mqtt-client/client.ts"
import { MqttClientError } from "../mqtt-client/errors.ts"
import type { AcknowledgementCame, MessageCame } from "../mqtt-client/events.ts"
import { copyOf } from "../packet/bytes.ts"
import { PropertyId } from "../packet/properties.ts"
import type { PropertyValue } from "../packet/property-values.ts"
import { ReasonCode, reasonName } from "../packet/reason-codes.ts"
import type { LaneMemory, Offered } from "./lane-memory.ts"
import { goneOver } from "./origin.ts"
import { type Route, TopicMap } from "./topics.ts"

export interface LaneOptions {
  readonly map: TopicMap
  readonly from: MqttClient
  readonly to: MqttClient
  /** Of the broker whose bridge this is; see origin.ts. */
  readonly origin: string
  readonly memory: LaneMemory
  /** How often a message is offered at most, before it is dropped. */
  readonly attempts: number
  /** Messages that may be under way: as many as those may be among which one is that is not taken. */
  readonly window: number
  /** A message that is not handed on: in a few words, which are counted, and in a sentence. */
  readonly onDropped: (topic: string, reason: string, why: string) => void
}

/** What an answer that refuses a message does: it has gone to the sender, or another connection is to be made. */
export type Answered = "told" | "again"

interface UnderWay {
  /** At the broker that it comes from. */
  readonly topic: string
  /** An earlier connection has sent it to the session that goes on. */
  readonly again: boolean
}

/** Bytes of messages that wait to be handed on. */
export const mostWaiting = 16_777_216

export class Lane {
  readonly #options: LaneOptions
  /** Messages that wait until their Packet Identifiers are. */
  readonly #held: Map<number, MessageCame> = new Map()
  /**
   * Messages of QoS 1 and 2 that wait, in their order, because the first of them does: for the answer to a SUBSCRIBE or UNSUBSCRIBE
   * that has its Packet Identifier, or until fewer are unacknowledged. The sender's PUBRELs may be what that takes, so it is read on.
   */
  #waiting: MessageCame[] = []
  #waitingBytes = 0
  /** What was sent and has no answer, by Packet Identifier, in the order in which it was sent. */
  readonly #underWay: Map<number, UnderWay> = new Map()
  /** Answers until more than one message may be under way. */
  #aloneFor = 0
  /** Messages of QoS 2 that are given up, until the receiving broker has freed their Packet Identifiers. */
  readonly #givenUp: Map<number, MessageCame> = new Map()

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** Both brokers have let the bridge in. */
  begin(): void {
    this.#held.clear()
    this.#givenUp.clear()
    this.#underWay.clear()
    this.#waiting = []
    this.#waitingBytes = 0
    this.#aloneFor = this.#options.memory.offered?.among ?? 0
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
    if (awaited !== undefined) return awaited === "suback" || awaited === "unsuback"
    return to.room === 0 || (this.#aloneFor > 0 && this.#underWay.size > 0)
  }

  #handOn(message: MessageCame): void {
    const { map, to, memory } = this.#options
    const { topic, qos, packetId } = message
    // It comes again on the same connection, which brokers once did: it is under way.
    if (qos > 0 && to.awaits(packetId) !== undefined) return
    const route = map.routeOf(topic)
    if (route === undefined) {
      const why = "no rule of the bridge is about it; a subscription of before may be"
      this.#drop(message, ReasonCode.Success, "no rule", why)
      return
    }
    if (qos > 0 && this.#isTriedEnough(message)) {
      this.#giveUp(message)
      return
    }
    if (qos === 2 && memory.free !== undefined && !memory.free.has(packetId)) {
      this.#held.set(packetId, lasting(message))
      to.acknowledge("pubrel", packetId)
      return
    }
    this.#send(message, route)
  }

  /** What `to` says about a message. */
  answered(answer: AcknowledgementCame): Answered {
    const { type, packetId, reasonCode } = answer
    const { from, memory } = this.#options
    if (type === "pubcomp") {
      const [held, givenUp] = [this.#held.get(packetId), this.#givenUp.get(packetId)]
      this.#held.delete(packetId)
      this.#givenUp.delete(packetId)
      if (held !== undefined) {
        memory.free?.add(packetId)
        this.message(held)
      } else if (givenUp !== undefined) this.#dropTried(givenUp)
      else from.acknowledge(type, packetId, reasonCode)
      return "told"
    }
    const sent = this.#underWay.get(packetId)
    this.#underWay.delete(packetId)
    // Of one that was sent again: it has come before, which some brokers say so, and not by a Reason Code below 0x80.
    const isThere = type === "pubrec" && reasonCode === ReasonCode.PacketIdentifierInUse && sent?.again === true
    if (isThere) memory.handedOn++
    else if (sent !== undefined && this.#counted(answer, sent.topic) === "again") return "again"
    if (this.#aloneFor > 0 && (--this.#aloneFor === 0 || this.#isKnown(packetId))) this.#goTogether()
    // Only servers may say that nobody has subscribed (sections 3.4.2.1, 3.5.2.1).
    const isTaken = isThere || reasonCode === ReasonCode.NoMatchingSubscribers
    from.acknowledge(type, packetId, isTaken ? ReasonCode.Success : reasonCode)
    return "told"
  }

  /** The receiving broker has ended the connection, or sent what ends it: it may be for the message that it has not answered. */
  ended(): void {
    const { memory } = this.#options
    const [first] = this.#underWay
    if (first === undefined) return
    const [packetId, { topic }] = first
    // Of several it may be any: the next time they go one at a time.
    if (this.#underWay.size === 1) this.#countOffer(packetId, topic)
    else memory.offered = { packetId, topic, times: 0, among: this.#underWay.size }
  }

  /** PUBREL of `from`. */
  released({ packetId, reasonCode }: AcknowledgementCame): void {
    this.#options.to.acknowledge("pubrel", packetId, reasonCode)
  }

  /** Counts an answer to a message. "again": it is one that may be another later. */
  #counted({ packetId, reasonCode, reasonString }: AcknowledgementCame, topic: string): Answered {
    const { memory, attempts, onDropped } = this.#options
    if (reasonCode < 0x80) {
      memory.handedOn++
      return "told"
    }
    const reason = reasonName(reasonCode)
    const why = reasonString === undefined ? reason : `${reason}: ${reasonString}`
    if (!mayPass.has(reasonCode)) {
      onDropped(topic, reason, why)
      return "told"
    }
    const { times } = this.#countOffer(packetId, topic)
    if (times < attempts) return "again"
    onDropped(topic, reason, `${why}, ${timesText(times)}`)
    this.#goTogether()
    return "told"
  }

  /** Whether it is the one that others go alone for. */
  #isKnown(packetId: number): boolean {
    const { offered } = this.#options.memory
    return offered !== undefined && offered.times > 0 && offered.packetId === packetId
  }

  #goTogether(): void {
    this.#aloneFor = 0
    this.#options.memory.offered = undefined
  }

  #countOffer(packetId: number, topic: string): Offered {
    const { memory, window } = this.#options
    const { offered } = memory
    const isSame = offered?.packetId === packetId && offered.topic === topic
    memory.offered = { packetId, topic, times: isSame ? offered.times + 1 : 1, among: window }
    return memory.offered
  }

  #isTriedEnough({ packetId, topic }: MessageCame): boolean {
    const { memory, attempts } = this.#options
    const { offered } = memory
    return offered?.packetId === packetId && offered.topic === topic && offered.times >= attempts
  }

  /** The receiving broker may have it, and takes the next one by its Packet Identifier for it, unless that is freed. */
  #giveUp(message: MessageCame): void {
    const { to } = this.#options
    if (message.qos === 2) {
      this.#givenUp.set(message.packetId, lasting(message))
      to.acknowledge("pubrel", message.packetId)
    } else this.#dropTried(message)
  }

  #dropTried(message: MessageCame): void {
    const why = `the connection has ended ${timesText(this.#options.attempts)} when it was sent`
    this.#drop(message, ReasonCode.ImplementationSpecificError, "connection ended", why)
    this.#goTogether()
  }

  #send(message: MessageCame, route: Route): void {
    const { to, origin, memory } = this.#options
    const { topic, payload, qos, packetId } = message
    const properties = goneOver(message.properties.filter(isOfMessage), origin)
    if (properties === undefined) {
      this.#end(message, ReasonCode.Success)
      return
    }
    const again = message.dup && to.connack.sessionPresent === true
    try {
      to.publish({
        topic: TopicMap.across(topic, route),
        payload,
        qos,
        retain: message.retain && route.retain && to.connack.retainAvailable !== false,
        properties: to.version === 5 ? properties : [],
        ...(qos > 0 && (again ? { again: packetId } : { packetId })),
      })
    } catch (error) {
      if (!(error instanceof MqttClientError) || !isOfOne(error)) throw error
      this.#drop(message, ReasonCode.ImplementationSpecificError, shortOf(error), error.message)
      return
    }
    if (qos > 0) this.#underWay.set(packetId, { topic, again })
    else memory.handedOn++
  }

  /** It ends here, and somebody should know. */
  #drop(message: MessageCame, reasonCode: number, reason: string, why: string): void {
    this.#options.onDropped(message.topic, reason, why)
    this.#end(message, reasonCode)
  }

  /** The sender is told that it has arrived, or, by a Reason Code of 0x80 or above, that it has not. */
  #end({ qos, packetId }: MessageCame, reasonCode: number): void {
    if (qos > 0) this.#options.from.acknowledge(qos === 1 ? "puback" : "pubrec", packetId, reasonCode)
  }
}

/** Of PUBACK and PUBREC: there may be room later, and an identifier may become free. */
const mayPass: ReadonlySet<number> = new Set([ReasonCode.QuotaExceeded, ReasonCode.PacketIdentifierInUse])

function timesText(times: number): string {
  return times === 1 ? "once" : `${times} times`
}

/** Why a message cannot be sent, as it is counted. */
function shortOf({ kind, limit }: MqttClientError): string {
  if (kind === "misuse") return reasonName(ReasonCode.MalformedPacket)
  return limit === "maximumPacketSize" ? reasonName(ReasonCode.PacketTooLarge) : "not supported"
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

// A client of MQTT 3.1.1 and 5.0 without I/O: bytes of the broker and the time go in, bytes for the broker and events come out. It
// keeps to what the broker says it takes, and keeps no more than its options allow. It is one connection: messages that were not
// acknowledged when that ends are their sender's, who may give them to the next one again.

import { readServerPacket } from "../codecs/plain-answers.ts"
import {
  acknowledgementLength,
  packetIdOf,
  readAcknowledgement,
  reasonCodeOf,
  writeAcknowledgement,
} from "../packet/acknowledgements.ts"
import { ByteWriter } from "../packet/byte-writer.ts"
import { Cursor, checkText, encodeText, joined } from "../packet/bytes.ts"
import { malformed, PacketError } from "../packet/errors.ts"
import { Framer } from "../packet/framer.ts"
import { guard, guardConnect, guardResponseTopic, guardTopicName } from "../packet/guard.ts"
import {
  type ConnackPacket,
  PacketType,
  type ProtocolVersion,
  type Qos,
  type SubscriptionRequest,
} from "../packet/packets.ts"
import { checkProperties, PropertyId } from "../packet/properties.ts"
import { type PropertyValue, reasonStringIn } from "../packet/property-values.ts"
import { checkLength, checkPublish, checkSubscribe } from "./broker-limits.ts"
import { MqttClientError } from "./errors.ts"
import type { AcknowledgementCame, AcknowledgementType, ClientEvent, ClientEventSink } from "./events.ts"
import { type Asked, type Awaited, Exchanges } from "./exchanges.ts"
import { defaultLimits, identifiers, maximumAsked, maximumOwed } from "./limits.ts"
import { type Bounds, boundsOf, bytesOf, type MqttClientOptions, requestOf } from "./options.ts"
import {
  authBytes,
  type ConnectRequest,
  connectBytes,
  disconnectBytes,
  propertyBytes,
  publishHead,
  subscribeBytes,
  unsubscribeBytes,
} from "./packets.ts"
import { reasonText, returnTexts } from "./reasons.ts"
import { MessageReader } from "./received.ts"

export interface PublishOptions {
  /** Empty: the one that its Topic Alias stands for. */
  readonly topic: string
  readonly payload: string | Uint8Array
  /** Default 0. */
  readonly qos?: Qos | undefined
  readonly retain?: boolean | undefined
  /** In MQTT 5.0. */
  readonly properties?: readonly PropertyValue[] | undefined
  /**
   * In a session that goes on: the Packet Identifier by which an earlier connection has sent this message, which nobody
   * acknowledged there ([MQTT-4.4.0-1]).
   */
  readonly again?: number | undefined
  /** Its Packet Identifier, which stands for nothing else now. Default: the client chooses one. */
  readonly packetId?: number | undefined
}

/** The same without the payload, which the caller sends behind the head. */
export type HeadOptions = Omit<PublishOptions, "payload"> & { readonly payload: { readonly length: number } }

/** What of a subscription is left out is 0 or false. */
export type SubscribeOptions = Pick<SubscriptionRequest, "filter"> & Partial<SubscriptionRequest>

/** Part of the Keep Alive after which a PINGREQ is sent, and after which again one that was not answered is the end. */
const pingShare = 0.8

export class MqttClient {
  readonly #request: ConnectRequest
  readonly #bounds: Bounds
  readonly #onEvent: ClientEventSink
  readonly #framer: Framer
  readonly #messages: MessageReader
  readonly #maximumWaiting: number
  readonly #patience: number
  readonly #byHand: boolean
  /** What has a Packet Identifier of ours. */
  readonly #exchanges: Exchanges
  /** Packet Identifiers of QoS 2 messages that came, and whose PUBREL has not. */
  readonly #unreleased: Set<number> = new Set()
  #maximumInFlight: number
  #state: "new" | "connecting" | "connected" | "ending" | "closed" = "new"
  #connack: ConnackPacket = { type: "connack", sessionPresent: false, reasonCode: 0 }
  #out: Uint8Array[] = []
  /** Acknowledgements, which leave before the rest. */
  #owed = new ByteWriter()
  #waiting = 0
  #tickAt: number = Number.POSITIVE_INFINITY
  /** Milliseconds. */
  #pingEvery = 0
  /** A PINGREQ has not been answered. */
  #pinged = false

  /** @throws MqttClientError `misuse` for options that make no CONNECT */
  constructor(options: MqttClientOptions, onEvent: ClientEventSink) {
    this.#bounds = boundsOf(options)
    this.#request = requestOf(options, this.#bounds)
    misuse("CONNECT", () => {
      const bytes = connectBytes(this.#request)
      guardConnect(bytes, bodyStartOf(bytes), bytes.length)
    })
    this.#onEvent = onEvent
    this.#framer = new Framer(this.#bounds.maximumPacketSize)
    this.#framer.connectOnly = false
    this.#messages = new MessageReader(this.#bounds.topicAliasMaximum)
    this.#maximumInFlight = Math.min(
      options.maximumInFlight ?? defaultLimits.maximumInFlight,
      identifiers - maximumAsked,
    )
    this.#maximumWaiting = options.maximumWaiting ?? defaultLimits.maximumWaiting
    this.#patience = options.patience ?? defaultLimits.patience
    this.#byHand = options.byHand ?? false
    this.#exchanges = new Exchanges(options.firstPacketId ?? 1)
  }

  get version(): ProtocolVersion {
    return this.#request.version
  }

  /** What the broker said when it let the client in. */
  get connack(): ConnackPacket {
    return this.#connack
  }

  get state(): "new" | "connecting" | "connected" | "ending" | "closed" {
    return this.#state
  }

  /** Messages of QoS 1 and 2 that may be published now. */
  get room(): number {
    return this.#state === "connected" ? Math.max(0, this.#maximumInFlight - this.#exchanges.inFlight) : 0
  }

  /** Bytes that `take` would give. */
  get waiting(): number {
    return this.#waiting
  }

  /** When `tick` is to be called, on the clock of `now`; never: Infinity. */
  get tickAt(): number {
    return this.#tickAt
  }

  /** What is to be sent now: a new array that is the caller's, empty when there is nothing. */
  take(): Uint8Array {
    const [first, ...others] = this.#owed.length > 0 ? [this.#owed.take(), ...this.#out] : this.#out
    this.#out = []
    if (this.#owed.length > 0) this.#owed = new ByteWriter()
    this.#waiting = 0
    return others.length === 0 && first !== undefined ? first : joined(first === undefined ? [] : [first, ...others])
  }

  /** Sends CONNECT. @param now milliseconds of any clock that does not run backwards */
  connect(now: number): void {
    if (this.#state !== "new")
      throw new MqttClientError("misuse", "a client is one connection, which was begun already")
    this.#state = "connecting"
    this.#tickAt = now + this.#patience
    this.#write(connectBytes(this.#request))
  }

  /**
   * Takes what has come from the broker; the array is the caller's again afterwards. Tells events on the way. Never throws but what
   * the receiver of the events throws.
   */
  receive(bytes: Uint8Array, now: number): void {
    if (!this.#listens) return
    this.#framer.push(bytes)
    try {
      while (this.#listens) {
        const event = this.#next(now)
        if (event === "none") break
        if (event !== undefined) this.#tell(event)
      }
    } finally {
      this.#framer.settle()
    }
  }

  /** Pings, and ends what is not answered. To be called at `tickAt`. */
  tick(now: number): void {
    if (now < this.#tickAt) return
    if (this.#state === "connecting") {
      this.#close(new MqttClientError("silent", `the broker does not answer in ${Math.ceil(this.#patience / 1000)} s`))
      return
    }
    this.#tickAt = now + this.#pingEvery
    // What is on its way is a sign of life, too, and what the transport does not take is no silence of the broker's.
    if (this.#waiting > 0) return
    if (this.#pinged) {
      const seconds = Math.ceil(this.#pingEvery / 1000)
      this.#close(new MqttClientError("silent", `the broker has not answered for ${seconds} s`))
      return
    }
    this.#pinged = true
    this.#write(Uint8Array.of(0xc0, 0))
  }

  /** The transport has ended. */
  lost(): void {
    const ended = this.#state === "ending"
    this.#close(ended ? undefined : new MqttClientError("lost", "the broker closed the connection"))
  }

  /**
   * Sends a message. Returns its Packet Identifier, which "acknowledged" names; 0 for QoS 0.
   *
   * @throws MqttClientError `misuse`; `limit` where there is no room for it, or the broker takes none like it
   */
  publish(message: PublishOptions): number {
    const payload = bytesOf(message.payload)
    const { packetId, head } = this.publishHead({ ...message, payload })
    this.#write(joined([head, payload]))
    return packetId
  }

  /**
   * The same for a payload that the caller sends: the head has to leave after what `take` gives now, and before what it gives
   * later, and so has the payload, of just so many bytes, behind it.
   */
  publishHead({ topic, payload, qos = 0, retain = false, properties = [], again, ...given }: HeadOptions): {
    readonly packetId: number
    readonly head: Uint8Array
  } {
    this.#mayAsk()
    const { version } = this.#request
    misuse("PUBLISH", () => {
      const name = encodeText(topic)
      checkText(name, 0, name.length)
      if (topic !== "" || !properties.some(({ id }) => id === PropertyId.TopicAlias)) guardTopicName(topic)
      checkOwnProperties(propertyBytes(version === 5 ? properties : []))
      if (again !== undefined && (qos === 0 || !this.#exchanges.isFree(again)))
        throw new RangeError("no message to send again")
      const { packetId } = given
      if (packetId !== undefined && (qos === 0 || !this.#exchanges.isFree(packetId)))
        throw new RangeError("its Packet Identifier is none, or stands for something else")
    })
    const request = { topic, payload, qos, retain, properties }
    misuse("PUBLISH", () => checkPublish(request, this.#connack, version))
    if (qos > 0 && this.room === 0) {
      const most = `${this.#exchanges.inFlight} messages are unacknowledged, which is as many as may be`
      throw new MqttClientError("limit", most, { limit: "maximumInFlight" })
    }
    const packetId = qos === 0 ? 0 : (again ?? given.packetId ?? this.#exchanges.next())
    const head = misuse("PUBLISH", () => publishHead(request, packetId, version, again !== undefined))
    if (head === undefined)
      throw new MqttClientError("misuse", `a message of ${payload.length} bytes is longer than MQTT has room for`)
    if (qos !== 0) this.#exchanges.published(packetId, qos)
    return { packetId, head }
  }

  /** Returns the Packet Identifier that "subscribed" names. Throws MqttClientError: `misuse`, `limit`. */
  subscribe(subscriptions: readonly SubscribeOptions[] | string, properties: readonly PropertyValue[] = []): number {
    this.#mayAsk()
    const list = typeof subscriptions === "string" ? [{ filter: subscriptions }] : subscriptions
    const whole = list.map((one) => ({ ...plainSubscription, ...one }))
    const hasIdentifier = properties.some(({ id }) => id === PropertyId.SubscriptionIdentifier)
    checkSubscribe(whole, hasIdentifier, this.#connack)
    const { version } = this.#request
    return this.#ask({ answer: "suback", filters: whole.length }, "the subscriptions make a packet", (id) =>
      subscribeBytes(id, whole, properties, version),
    )
  }

  /** Returns the Packet Identifier that "unsubscribed" names. Throws MqttClientError: `misuse`, `limit`. */
  unsubscribe(filters: readonly string[], properties: readonly PropertyValue[] = []): number {
    this.#mayAsk()
    const { version } = this.#request
    return this.#ask({ answer: "unsuback", filters: filters.length }, "the filters make a packet", (id) =>
      unsubscribeBytes(id, filters, properties, version),
    )
  }

  /** Goes on with the Authentication Method of CONNECT (MQTT 5.0 section 4.12). */
  authenticate(data: Uint8Array): void {
    const method = this.#method
    if (method === undefined || !this.#listens || this.#state === "ending")
      throw new MqttClientError("misuse", "no authentication is under way")
    const bytes = misuse("AUTH", () => authBytes(method, data))
    checkLength("the data make a packet", bytes.length, this.#connack)
    this.#write(bytes)
  }

  /** What the broker has to answer that has this Packet Identifier of ours; undefined: nothing. */
  awaits(packetId: number): Awaited | Asked["answer"] | undefined {
    return this.#exchanges.awaits(packetId)
  }

  /**
   * With `byHand`: sends an acknowledgement. MQTT 3.1.1 has no Reason Code in it.
   *
   * @param type of QoS 1 PUBACK; of QoS 2 PUBREC and PUBCOMP for what the broker has sent, PUBREL for what was sent to it
   * @throws MqttClientError `misuse`
   */
  acknowledge(type: AcknowledgementType, packetId: number, reasonCode: number = 0): void {
    if (!this.#byHand) throw new MqttClientError("misuse", "the client acknowledges by itself: see byHand")
    if (this.#state !== "connected") return
    if (type === "pubrel") this.#exchanges.released(packetId)
    misuse("acknowledgement", () => this.#acknowledge(packetTypes[type], packetId, reasonCode))
  }

  /**
   * Sends DISCONNECT, after which `take` gives nothing more: the transport is to be ended behind it, and `lost` to be called. MQTT
   * 3.1.1 has neither reason nor properties. Before the broker has let the client in, the connection just ends.
   */
  disconnect(reasonCode: number = 0, properties: readonly PropertyValue[] = []): void {
    if (this.#state === "connected") {
      const bytes = misuse("DISCONNECT", () => {
        const made = disconnectBytes(reasonCode, properties, this.#request.version)
        guard(PacketType.Disconnect, made, bodyStartOf(made), made.length, this.#request.version, 0, "client")
        return made
      })
      if (properties.length > 0) checkLength("the properties make a packet", bytes.length, this.#connack)
      this.#write(bytes)
      this.#state = "ending"
      this.#tickAt = Number.POSITIVE_INFINITY
    } else if (this.#state !== "ending") this.#close(undefined)
  }

  // --- inside ---

  get #listens(): boolean {
    return this.#state === "connecting" || this.#state === "connected" || this.#state === "ending"
  }

  /** Of CONNECT. */
  get #method(): string | undefined {
    const value = this.#request.properties.find(({ id }) => id === PropertyId.AuthenticationMethod)?.value
    return typeof value === "string" ? value : undefined
  }

  #write(bytes: Uint8Array): void {
    this.#out.push(bytes)
    this.#waiting += bytes.length
  }

  #tell(event: ClientEvent): boolean {
    return this.#onEvent(event) !== false
  }

  #close(error: MqttClientError | undefined): void {
    if (this.#state === "closed") return
    this.#state = "closed"
    this.#tickAt = Number.POSITIVE_INFINITY
    this.#exchanges.clear()
    this.#unreleased.clear()
    this.#tell({ event: "closed", error })
  }

  #mayAsk(): void {
    if (this.#state !== "connected") throw new MqttClientError("misuse", `the client is not connected: ${this.#state}`)
    if (this.#waiting >= this.#maximumWaiting) {
      const what = `${this.#waiting} bytes wait to be sent: take them first`
      throw new MqttClientError("limit", what, { limit: "maximumWaiting" })
    }
  }

  #ask(asked: Asked, what: string, make: (id: number) => Uint8Array): number {
    if (this.#exchanges.requests >= maximumAsked)
      throw new MqttClientError("limit", `${maximumAsked} requests have no answer yet`, { limit: "maximumAsked" })
    const packetId = this.#exchanges.next()
    const type = asked.answer === "suback" ? PacketType.Subscribe : PacketType.Unsubscribe
    const bytes = misuse(asked.answer === "suback" ? "SUBSCRIBE" : "UNSUBSCRIBE", () => {
      const made = make(packetId)
      guard(type, made, bodyStartOf(made), made.length, this.#request.version, Number.POSITIVE_INFINITY, "client")
      return made
    })
    checkLength(what, bytes.length, this.#connack)
    this.#exchanges.asked(packetId, asked)
    this.#write(bytes)
    return packetId
  }

  /** Of the packet that has come, if it is one to tell of; "none": none has come as a whole. */
  #next(now: number): ClientEvent | "none" | undefined {
    try {
      return this.#framer.next() ? this.#packet(now) : "none"
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      const what = `the broker sends what is not MQTT: ${error.message}`
      this.#close(new MqttClientError("malformed", what, { cause: error }))
      return undefined
    }
  }

  /** Reads the packet that the framer has. Throws PacketError. */
  #packet(now: number): ClientEvent | undefined {
    const { bytes, bodyStart, end, header } = this.#framer
    const type = header >> 4
    const { version } = this.#request
    if (this.#state === "connecting" && type !== PacketType.Connack && type !== PacketType.Auth)
      throw malformed("MQTT-3.2.0-1", "something comes before CONNACK")
    switch (type) {
      case PacketType.Publish:
        this.#message()
        return undefined
      case PacketType.Puback:
      case PacketType.Pubcomp:
      case PacketType.Pubrec:
      case PacketType.Pubrel: {
        const read = readAcknowledgement(type, bytes, bodyStart, end, version, "server")
        const reasonString = version === 5 ? reasonStringIn(bytes, bodyStart + 3, end, type) : undefined
        return this.#acknowledged(type, packetIdOf(read), reasonCodeOf(read), reasonString)
      }
      case PacketType.Pingresp:
        this.#pinged = false
        return undefined
      default: {
        const packet = readServerPacket(type, bytes, bodyStart, end, version)
        switch (packet.type) {
          case "connack":
            return this.#welcomed(packet, now)
          case "suback": {
            const { packetId, reasonCodes, reasonString } = packet
            if (!this.#exchanges.answered(packetId, packet.type, reasonCodes, version)) return undefined
            return { event: "subscribed", packetId, reasonCodes, reasonString }
          }
          case "unsuback": {
            const { packetId, reasonCodes } = packet
            if (!this.#exchanges.answered(packetId, packet.type, reasonCodes, version)) return undefined
            const reasonString = version === 5 ? reasonStringIn(bytes, bodyStart + 2, end, type) : undefined
            return { event: "unsubscribed", packetId, reasonCodes, reasonString }
          }
          case "disconnect": {
            const { reasonCode, reasonString, serverReference } = packet
            const why = reasonText(reasonCode, reasonString, serverReference)
            this.#close(new MqttClientError("disconnected", `the broker disconnected: ${why}`, { reasonCode }))
            return undefined
          }
          case "auth": {
            const { reasonCode, authenticationMethod, authenticationData: data } = packet
            if (this.#method === undefined) {
              this.#close(unasked())
              return undefined
            }
            this.#checkMethod(authenticationMethod ?? this.#method)
            return { event: "authentication", reasonCode, data }
          }
        }
      }
    }
  }

  #welcomed(packet: ConnackPacket, now: number): ClientEvent | undefined {
    if (this.#state !== "connecting") throw malformed("3.2", "CONNACK comes twice")
    const { reasonCode, reasonString, serverReference, receiveMaximum = 0xffff } = packet
    if (reasonCode !== 0) {
      const why =
        this.#request.version === 5
          ? reasonText(reasonCode, reasonString, serverReference)
          : (returnTexts[reasonCode] ?? String(reasonCode))
      this.#close(new MqttClientError("refused", `the broker refused the connection: ${why}`, { reasonCode }))
      return undefined
    }
    if (packet.sessionPresent && this.#request.cleanStart)
      throw malformed("MQTT-3.2.2-4", "CONNACK says that there is a session, and none was asked for")
    if (packet.authenticationMethod !== undefined) this.#checkMethod(packet.authenticationMethod)
    this.#state = "connected"
    this.#connack = packet
    this.#framer.loggedIn = true
    this.#maximumInFlight = Math.min(this.#maximumInFlight, receiveMaximum)
    // [MQTT-3.2.2-21] the broker's goes before ours
    this.#pingEvery = (packet.serverKeepAlive ?? this.#request.keepAlive) * 1000 * pingShare
    this.#tickAt = this.#pingEvery === 0 ? Number.POSITIVE_INFINITY : now + this.#pingEvery
    return { event: "connected", connack: packet }
  }

  /** [MQTT-4.12.0-5] it is that of CONNECT all the time. Throws PacketError. */
  #checkMethod(method: string): void {
    if (method !== this.#method) throw malformed("MQTT-4.12.0-5", "the Authentication Method is not that of CONNECT")
  }

  #message(): void {
    const message = this.#messages.read(this.#framer, this.#request.version)
    if (this.#state !== "connected") return
    const { qos, packetId } = message
    if (this.#byHand) {
      this.#tell({ event: "message", ...message })
      return
    }
    const known = qos === 2 && this.#unreleased.has(packetId)
    if (qos === 2 && !known && this.#unreleased.size >= this.#bounds.receiveMaximum)
      throw malformed("MQTT-3.3.4-9", `more than ${this.#bounds.receiveMaximum} messages of QoS 2 are unacknowledged`)
    if (!known && (!this.#tell({ event: "message", ...message }) || qos === 0)) return
    if (qos === 2) this.#unreleased.add(packetId)
    this.#acknowledge(qos === 1 ? PacketType.Puback : PacketType.Pubrec, packetId)
  }

  #acknowledged(
    type: number,
    packetId: number,
    reasonCode: number,
    reasonString: string | undefined,
  ): ClientEvent | undefined {
    if (this.#byHand) return this.#came(type, packetId, reasonCode, reasonString)
    if (type === PacketType.Pubrel) {
      this.#unreleased.delete(packetId)
      this.#acknowledge(PacketType.Pubcomp, packetId)
      return undefined
    }
    if (type === PacketType.Pubrec && reasonCode < 0x80) {
      this.#exchanges.received(packetId)
      this.#acknowledge(PacketType.Pubrel, packetId)
      return undefined
    }
    const wanted = type === PacketType.Puback ? "puback" : type === PacketType.Pubrec ? "pubrec" : "pubcomp"
    if (!this.#exchanges.settled(packetId, wanted)) return undefined
    return { event: "acknowledged", packetId, reasonCode, reasonString }
  }

  /** An acknowledgement that the caller answers, or hands on. */
  #came(
    packetType: number,
    packetId: number,
    reasonCode: number,
    reasonString: string | undefined,
  ): AcknowledgementCame {
    const type = acknowledgementTypes.get(packetType)!
    const goesOn = type === "pubrel" || (type === "pubrec" && reasonCode < 0x80)
    if (!goesOn) this.#exchanges.settled(packetId, type)
    if (type === "pubcomp") this.#exchanges.completed(packetId)
    return { event: "acknowledgement", type, packetId, reasonCode, reasonString }
  }

  #acknowledge(type: number, packetId: number, reasonCode: number = 0): void {
    if (this.#state !== "connected") return
    if (this.#owed.length >= maximumOwed)
      throw malformed("MQTT-2.2.1-4", "more is to be acknowledged than there are Packet Identifiers")
    const { version } = this.#request
    const out = new Uint8Array(acknowledgementLength(reasonCode, version))
    writeAcknowledgement(out, 0, type, packetId, reasonCode, version)
    this.#owed.bytes(out)
    this.#waiting += out.length
  }
}

const plainSubscription = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const

/** Of a PUBLISH of ours. Throws PacketError. */
function checkOwnProperties(bytes: Uint8Array): void {
  checkProperties(new Cursor(bytes, 0, bytes.length), PacketType.Publish, (id, start, end) => {
    if (id === PropertyId.SubscriptionIdentifier)
      throw malformed("MQTT-3.3.4-6", "a Subscription Identifier is the broker's to send")
    if (id === PropertyId.ResponseTopic) guardResponseTopic(bytes, start, end)
  })
}

const packetTypes: Readonly<Record<AcknowledgementType, number>> = {
  puback: PacketType.Puback,
  pubrec: PacketType.Pubrec,
  pubrel: PacketType.Pubrel,
  pubcomp: PacketType.Pubcomp,
}

const acknowledgementTypes: ReadonlyMap<number, AcknowledgementType> = new Map([
  [PacketType.Puback, "puback"],
  [PacketType.Pubrec, "pubrec"],
  [PacketType.Pubrel, "pubrel"],
  [PacketType.Pubcomp, "pubcomp"],
])

/** [MQTT-4.12.0-6] there is no AUTH where CONNECT has named no method */
function unasked(): MqttClientError {
  const what = "the broker asks for enhanced authentication (AUTH), which was not asked for"
  return new MqttClientError("malformed", what, { cause: malformed("MQTT-4.12.0-6", "AUTH without a method") })
}

/** What the guard refuses, or has no room in MQTT, is not sent. */
function misuse<T>(packet: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof PacketError || error instanceof RangeError)) throw error
    throw new MqttClientError("misuse", `this makes no ${packet}: ${error.message}`, { cause: error })
  }
}

/** Where the body of a packet begins, behind its Remaining Length. */
function bodyStartOf(packet: Uint8Array): number {
  let at = 1
  while ((packet[at]! & 0x80) !== 0) at++
  return at + 1
}

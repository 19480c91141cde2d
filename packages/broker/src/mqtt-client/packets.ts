// What a client sends, as bytes (MQTT 5.0 and 3.1.1 chapter 3), with the properties that it was given in their order.

import { ByteWriter } from "../packet/byte-writer.ts"
import { variableByteIntegerLength } from "../packet/bytes.ts"
import { firstByte } from "../packet/message.ts"
import { PacketType, type ProtocolVersion, type Qos, type SubscriptionRequest } from "../packet/packets.ts"
import { type Property, PropertyId, propertyTable } from "../packet/properties.ts"
import { encodeProperties, type PropertyValue } from "../packet/property-values.ts"
import { ReasonCode } from "../packet/reason-codes.ts"

export interface ConnectRequest {
  readonly version: ProtocolVersion
  /** MQTT 3.1, which the version 4 is then. */
  readonly mqtt31: boolean
  readonly clientId: string
  readonly cleanStart: boolean
  /** Seconds; 0: none. */
  readonly keepAlive: number
  readonly username: string | undefined
  readonly password: Uint8Array | undefined
  readonly will: WillRequest | undefined
  readonly properties: readonly PropertyValue[]
}

export interface WillRequest {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
  readonly properties: readonly PropertyValue[]
}

/** A message without the bytes of its payload. */
export interface PublishHead {
  /** Empty: the one that its Topic Alias stands for. */
  readonly topic: string
  /** Its payload has so many bytes. */
  readonly payload: { readonly length: number }
  readonly qos: Qos
  readonly retain: boolean
  readonly properties: readonly PropertyValue[]
}

/** The largest Remaining Length (section 2.1.4). */
const longest = 268_435_455

/** What a number of each kind may be at most. */
const mostOf: Readonly<Partial<Record<Property["kind"], number>>> = {
  byte: 0xff,
  flag: 1,
  uint16: 0xffff,
  uint32: 0xffff_ffff,
  variable: longest,
}

export function isWholeTo(most: number, value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most
}

/** The bytes of a property set, with its Property Length. Throws RangeError for a number that has no room there. */
export function propertyBytes(properties: readonly PropertyValue[]): Uint8Array {
  for (const { id, value } of properties) {
    const property = propertyTable.get(id)
    const most = property && mostOf[property.kind]
    if (typeof value === "number" && most !== undefined && !isWholeTo(most, value))
      throw new RangeError(`${property?.name} is ${value}, and may be ${most} at most`)
  }
  return encodeProperties(properties)
}

/** Throws RangeError for what has no room in it. */
export function connectBytes(request: ConnectRequest): Uint8Array {
  const { version, mqtt31, clientId, cleanStart, keepAlive, username, password, will, properties } = request
  if (!isWholeTo(0xffff, keepAlive)) throw new RangeError(`Keep Alive is ${keepAlive} s, and may be 65535 at most`)
  const flags =
    (cleanStart ? 0x02 : 0) |
    (will === undefined ? 0 : 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0)) |
    (password === undefined ? 0 : 0x40) |
    (username === undefined ? 0 : 0x80)
  const out = new ByteWriter()
    .text(mqtt31 ? "MQIsdp" : "MQTT")
    .byte(mqtt31 ? 3 : version)
    .byte(flags)
    .uint16(keepAlive)
  if (version === 5) out.bytes(propertyBytes(properties))
  out.text(clientId)
  if (will !== undefined) {
    if (version === 5) out.bytes(propertyBytes(will.properties))
    out.text(will.topic).binary(will.payload)
  }
  if (username !== undefined) out.text(username)
  if (password !== undefined) out.binary(password)
  return out.take(PacketType.Connect << 4)
}

/**
 * Everything before the payload of a PUBLISH; undefined when the packet would be longer than MQTT has numbers for.
 * @param again whether it has been sent before (DUP)
 */
export function publishHead(
  { topic, payload, qos, retain, properties }: PublishHead,
  packetId: number,
  version: ProtocolVersion,
  again: boolean = false,
): Uint8Array | undefined {
  const variable = new ByteWriter().text(topic)
  if (qos > 0) variable.uint16(packetId)
  if (version === 5) variable.bytes(propertyBytes(properties))
  const head = variable.take()
  const length = head.length + payload.length
  if (length > longest) return undefined
  return new ByteWriter()
    .byte(firstByte(qos, retain, again))
    .variable(length)
    .bytes(head)
    .take()
}

/** Bytes of the whole PUBLISH. */
export function publishLength(request: PublishHead, version: ProtocolVersion): number {
  const properties = version === 5 ? propertyBytes(request.properties).length : 0
  const topic = new ByteWriter().text(request.topic).take().length
  const length = topic + (request.qos > 0 ? 2 : 0) + properties + request.payload.length
  return 1 + variableByteIntegerLength(length) + length
}

export function subscribeBytes(
  packetId: number,
  subscriptions: readonly SubscriptionRequest[],
  properties: readonly PropertyValue[],
  version: ProtocolVersion,
): Uint8Array {
  const out = new ByteWriter().uint16(packetId)
  if (version === 5) out.bytes(propertyBytes(properties))
  for (const { filter, qos, noLocal, retainAsPublished, retainHandling } of subscriptions) {
    const options = (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | (retainHandling << 4)
    out.text(filter).byte(version === 5 ? qos | options : qos)
  }
  return out.take((PacketType.Subscribe << 4) | 2)
}

export function unsubscribeBytes(
  packetId: number,
  filters: readonly string[],
  properties: readonly PropertyValue[],
  version: ProtocolVersion,
): Uint8Array {
  const out = new ByteWriter().uint16(packetId)
  if (version === 5) out.bytes(propertyBytes(properties))
  for (const filter of filters) out.text(filter)
  return out.take((PacketType.Unsubscribe << 4) | 2)
}

/** Goes on with an Authentication Method (section 3.15). */
export function authBytes(method: string, data: Uint8Array): Uint8Array {
  const properties = [
    { id: PropertyId.AuthenticationMethod, value: method },
    { id: PropertyId.AuthenticationData, value: data },
  ]
  return new ByteWriter()
    .byte(ReasonCode.ContinueAuthentication)
    .bytes(propertyBytes(properties))
    .take(PacketType.Auth << 4)
}

/** MQTT 3.1.1 has neither Reason Code nor properties. */
export function disconnectBytes(
  reasonCode: number,
  properties: readonly PropertyValue[],
  version: ProtocolVersion,
): Uint8Array {
  const out = new ByteWriter()
  if (version === 5 && (reasonCode !== 0 || properties.length > 0)) out.byte(reasonCode)
  if (version === 5 && properties.length > 0) out.bytes(propertyBytes(properties))
  return out.take(PacketType.Disconnect << 4)
}

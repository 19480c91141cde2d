// Properties of MQTT 5.0 section 2.2.2, Table 2-4: which packet each may appear in, its type and the values it may have.

import { Cursor, copy, variableByteIntegerLength, writeVariableByteInteger } from "./bytes.ts"
import { malformed, PacketError, protocolError } from "./errors.ts"
import { PacketType } from "./packets.ts"
import { ReasonCode } from "./reason-codes.ts"

/** Will Properties have their own column in Table 2-4; packet type 0 is free for them. */
export const willProperties = 0

type Kind = "byte" | "flag" | "uint16" | "uint32" | "variable" | "text" | "binary" | "pair"

export interface Property {
  /** As Table 2-4 has it, such as "Content Type". */
  readonly name: string
  readonly kind: Kind
  /** Bit n is set when packet type n may carry the property. */
  readonly packets: number
  /** May the value be 0? */
  readonly zero: boolean
}

const { Connect, Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe, Suback, Unsubscribe, Unsuback } =
  PacketType
const { Disconnect, Auth } = PacketType

function row(name: string, kind: Kind, packets: readonly number[], zero = true): Property {
  return { name, kind, zero, packets: packets.reduce((mask, type) => mask | (1 << type), 0) }
}

const acknowledgements = [Puback, Pubrec, Pubrel, Pubcomp, Suback, Unsuback]

/** Property Identifiers, by the names Table 2-4 gives them. */
export const PropertyId = {
  PayloadFormatIndicator: 0x01,
  MessageExpiryInterval: 0x02,
  ContentType: 0x03,
  ResponseTopic: 0x08,
  CorrelationData: 0x09,
  SubscriptionIdentifier: 0x0b,
  SessionExpiryInterval: 0x11,
  AssignedClientIdentifier: 0x12,
  ServerKeepAlive: 0x13,
  AuthenticationMethod: 0x15,
  AuthenticationData: 0x16,
  RequestProblemInformation: 0x17,
  WillDelayInterval: 0x18,
  RequestResponseInformation: 0x19,
  ResponseInformation: 0x1a,
  ServerReference: 0x1c,
  ReasonString: 0x1f,
  ReceiveMaximum: 0x21,
  TopicAliasMaximum: 0x22,
  TopicAlias: 0x23,
  MaximumQos: 0x24,
  RetainAvailable: 0x25,
  UserProperty: 0x26,
  MaximumPacketSize: 0x27,
  WildcardSubscriptionAvailable: 0x28,
  SubscriptionIdentifierAvailable: 0x29,
  SharedSubscriptionAvailable: 0x2a,
} as const

/** Table 2-4, by Property Identifier. */
export const propertyTable: ReadonlyMap<number, Property> = new Map<number, Property>([
  [0x01, row("Payload Format Indicator", "flag", [Publish, willProperties])],
  [0x02, row("Message Expiry Interval", "uint32", [Publish, willProperties])],
  [0x03, row("Content Type", "text", [Publish, willProperties])],
  [0x08, row("Response Topic", "text", [Publish, willProperties])],
  [0x09, row("Correlation Data", "binary", [Publish, willProperties])],
  [0x0b, row("Subscription Identifier", "variable", [Publish, Subscribe], false)],
  [0x11, row("Session Expiry Interval", "uint32", [Connect, Connack, Disconnect])],
  [0x12, row("Assigned Client Identifier", "text", [Connack])],
  [0x13, row("Server Keep Alive", "uint16", [Connack])],
  [0x15, row("Authentication Method", "text", [Connect, Connack, Auth])],
  [0x16, row("Authentication Data", "binary", [Connect, Connack, Auth])],
  [0x17, row("Request Problem Information", "flag", [Connect])],
  [0x18, row("Will Delay Interval", "uint32", [willProperties])],
  [0x19, row("Request Response Information", "flag", [Connect])],
  [0x1a, row("Response Information", "text", [Connack])],
  [0x1c, row("Server Reference", "text", [Connack, Disconnect])],
  [0x1f, row("Reason String", "text", [Connack, ...acknowledgements, Disconnect, Auth])],
  [0x21, row("Receive Maximum", "uint16", [Connect, Connack], false)],
  [0x22, row("Topic Alias Maximum", "uint16", [Connect, Connack])],
  [0x23, row("Topic Alias", "uint16", [Publish], false)],
  [0x24, row("Maximum QoS", "flag", [Connack])],
  [0x25, row("Retain Available", "flag", [Connack])],
  [
    0x26,
    row("User Property", "pair", [
      ...[Connect, Connack, Publish, willProperties, Subscribe, Unsubscribe, Disconnect, Auth],
      ...acknowledgements,
    ]),
  ],
  [0x27, row("Maximum Packet Size", "uint32", [Connect, Connack], false)],
  [0x28, row("Wildcard Subscription Available", "flag", [Connack])],
  [0x29, row("Subscription Identifier Available", "flag", [Connack])],
  [0x2a, row("Shared Subscription Available", "flag", [Connack])],
])

/** Called for each property: its identifier, the offset of the identifier and the offset after the value. */
export type PropertyVisitor = (id: number, start: number, end: number) => void

/**
 * Walks one property set (Property Length and properties) at the cursor and checks every rule of Table 2-4.
 * Throws PacketError: 0x81 for an identifier that is not of this packet or a value that is not of its type,
 * 0x82 for a repeated property or a forbidden value, 0x94 for Topic Alias 0.
 */
export function checkProperties(cursor: Cursor, packetType: number, visit?: PropertyVisitor): void {
  const length = cursor.variableByteInteger("Property Length")
  const end = cursor.at + length
  if (end > cursor.end) throw malformed("2.2.2.1", "Property Length is longer than the packet")
  const packetEnd = cursor.end
  cursor.end = end // a property may not run into the payload
  let seenLow = 0
  let seenHigh = 0
  while (cursor.at < end) {
    const start = cursor.at
    const id = cursor.byte("a property")
    const property = propertyTable.get(id)
    if (property === undefined)
      throw malformed("2.2.2.2", `property 0x${id.toString(16).padStart(2, "0")} does not exist`)
    if ((property.packets & (1 << packetType)) === 0) {
      throw malformed("2.2.2.2", `${property.name} is not a property of this packet`)
    }
    const bit = 1 << (id & 31)
    const seen = id < 32 ? seenLow & bit : seenHigh & bit
    const repeatable = property.kind === "pair" || (id === PropertyId.SubscriptionIdentifier && packetType === Publish)
    if (seen !== 0 && !repeatable) throw protocolError("2.2.2.2", `${property.name} appears more than once`)
    if (id < 32) seenLow |= bit
    else seenHigh |= bit
    checkValue(cursor, id, property)
    visit?.(id, start, cursor.at)
  }
  cursor.end = packetEnd
}

function checkValue(cursor: Cursor, id: number, property: Property): void {
  switch (property.kind) {
    case "byte":
      cursor.byte(property.name)
      return
    case "flag":
      if (cursor.byte(property.name) > 1) throw protocolError("2.2.2.2", `${property.name} is neither 0 nor 1`)
      return
    case "text":
      cursor.skipText(property.name)
      return
    case "binary":
      cursor.binary(property.name)
      return
    case "pair":
      cursor.skipText(property.name) // [MQTT-1.5.7-1] both strings are UTF-8 Encoded Strings
      cursor.skipText(property.name)
      return
    default: {
      const value =
        property.kind === "uint16"
          ? cursor.uint16(property.name)
          : property.kind === "uint32"
            ? cursor.uint32(property.name)
            : cursor.variableByteInteger(property.name)
      if (value === 0 && !property.zero) {
        // [MQTT-3.3.2-8] Topic Alias 0 has a reason of its own
        if (id === PropertyId.TopicAlias) {
          throw new PacketError(ReasonCode.TopicAliasInvalid, "MQTT-3.3.2-8", "Topic Alias is 0")
        }
        throw protocolError("2.2.2.2", `${property.name} is 0`)
      }
    }
  }
}

/** Where a packet has properties: the offset of the Property Length, and what they are properties of. */
export interface PropertiesAt {
  readonly at: number
  /** A packet type, or willProperties. */
  readonly of: number
}

/**
 * The packet at [start, end), which the guard let through, without its User Properties; undefined when it has none. Nobody
 * asks for them, a packet may hold a hundred thousand, and the packet library takes seconds to make objects of those.
 */
export function withoutUserProperties(
  bytes: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
  fields: readonly PropertiesAt[],
): Uint8Array | undefined {
  const body = new Uint8Array(end - bodyStart)
  let length = 0
  let from = bodyStart
  let found = false
  for (const { at, of } of fields) {
    const cursor = new Cursor(bytes, at, end)
    const kept: number[] = []
    let size = 0
    checkProperties(cursor, of, (id, first, last) => {
      if (id === PropertyId.UserProperty) {
        found = true
        return
      }
      kept.push(first, last)
      size += last - first
    })
    length = copy(body, length, bytes, from, at)
    length = writeVariableByteInteger(body, length, size)
    for (let i = 0; i < kept.length; i += 2) length = copy(body, length, bytes, kept[i]!, kept[i + 1]!)
    from = cursor.at
  }
  if (!found) return undefined
  length = copy(body, length, bytes, from, end)
  const head = new Uint8Array(1 + variableByteIntegerLength(length) + length)
  head[0] = bytes[start]!
  head.set(body.subarray(0, length), writeVariableByteInteger(head, 1, length))
  return head
}

// What a server sends, apart from PUBLISH, the acknowledgements and PINGRESP, as a client reads it: straight on bytes, behind the
// guard.

import { Cursor } from "../packet/bytes.ts"
import { malformed } from "../packet/errors.ts"
import { guard } from "../packet/guard.ts"
import {
  type ConnackPacket,
  PacketType,
  type ProtocolVersion,
  type ServerPacket,
  type SubackPacket,
  type UnsubackPacket,
} from "../packet/packets.ts"
import { PropertyId } from "../packet/properties.ts"
import { PropertySet } from "../packet/property-values.ts"
import { readAuth, readDisconnect, skipProperties } from "./plain.ts"

/** Reads the packet of that type whose body is [bodyStart, end) of `bytes`. Throws PacketError. */
export function readServerPacket(
  type: number,
  bytes: Uint8Array,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
): ServerPacket {
  guard(type, bytes, bodyStart, end, version, 0, "server") // a server sends no Topic Filters
  const cursor = new Cursor(bytes, bodyStart, end)
  switch (type) {
    case PacketType.Connack:
      return readConnack(cursor, version)
    case PacketType.Suback:
      return readSuback(cursor, version)
    case PacketType.Unsuback:
      return readUnsuback(cursor, version)
    case PacketType.Disconnect:
      return readDisconnect(cursor, version)
    case PacketType.Auth:
      return readAuth(cursor)
    default:
      throw malformed("2.1.2", `a server may not send packet type ${type}`)
  }
}

function readConnack(cursor: Cursor, version: ProtocolVersion): ConnackPacket {
  const sessionPresent = cursor.byte("Connect Acknowledge Flags") === 1
  const reasonCode = cursor.byte("Connect Reason Code")
  if (version === 4) return { type: "connack", sessionPresent, reasonCode }
  const properties = new PropertySet(cursor, PacketType.Connack)
  const maximumQos = properties.number(PropertyId.MaximumQos)
  return {
    type: "connack",
    sessionPresent,
    reasonCode,
    sessionExpiryInterval: properties.number(PropertyId.SessionExpiryInterval),
    receiveMaximum: properties.number(PropertyId.ReceiveMaximum),
    maximumPacketSize: properties.number(PropertyId.MaximumPacketSize),
    assignedClientIdentifier: properties.text(PropertyId.AssignedClientIdentifier),
    topicAliasMaximum: properties.number(PropertyId.TopicAliasMaximum),
    maximumQos: maximumQos === 0 ? 0 : maximumQos === 1 ? 1 : undefined,
    retainAvailable: properties.flag(PropertyId.RetainAvailable),
    wildcardSubscriptionAvailable: properties.flag(PropertyId.WildcardSubscriptionAvailable),
    subscriptionIdentifierAvailable: properties.flag(PropertyId.SubscriptionIdentifierAvailable),
    sharedSubscriptionAvailable: properties.flag(PropertyId.SharedSubscriptionAvailable),
    reasonString: properties.text(PropertyId.ReasonString),
    serverKeepAlive: properties.number(PropertyId.ServerKeepAlive),
    responseInformation: properties.text(PropertyId.ResponseInformation),
    serverReference: properties.text(PropertyId.ServerReference),
    authenticationMethod: properties.text(PropertyId.AuthenticationMethod),
    authenticationData: properties.binary(PropertyId.AuthenticationData),
  }
}

function readSuback(cursor: Cursor, version: ProtocolVersion): SubackPacket {
  const packetId = cursor.uint16("Packet Identifier")
  const properties = version === 5 ? new PropertySet(cursor, PacketType.Suback) : undefined
  return {
    type: "suback",
    packetId,
    reasonCodes: restOf(cursor),
    reasonString: properties?.text(PropertyId.ReasonString),
  }
}

function readUnsuback(cursor: Cursor, version: ProtocolVersion): UnsubackPacket {
  const packetId = cursor.uint16("Packet Identifier")
  if (version === 5) skipProperties(cursor)
  return { type: "unsuback", packetId, reasonCodes: restOf(cursor) }
}

function restOf({ bytes, at, end }: Cursor): number[] {
  return Array.from(bytes.subarray(at, end))
}

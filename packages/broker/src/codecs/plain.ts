// The codec for any engine: it reads what the guard let through, and writes what the broker sends, straight on bytes. It is held
// to the bytes and values of mqtt-packet.ts, which stays the codec on Node (docs/decisions/0014-a-codec-for-any-engine.md).

import { ByteWriter } from "../packet/byte-writer.ts"
import { Cursor, copyOf } from "../packet/bytes.ts"
import { type Codec, longestReasonString, longestText, upTo } from "../packet/codec.ts"
import { malformed } from "../packet/errors.ts"
import { guard, guardConnect } from "../packet/guard.ts"
import {
  type AuthPacket,
  type ClientPacket,
  type ConnackPacket,
  type ConnectPacket,
  type DisconnectPacket,
  PacketType,
  type ProtocolVersion,
  type Qos,
  type ServerPacket,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
  type Will,
} from "../packet/packets.ts"
import { PropertyId, willProperties } from "../packet/properties.ts"
import { encodeProperties, PropertySet, type PropertyValue } from "../packet/property-values.ts"

// --- reading ---

function readConnect(bytes: Uint8Array, _start: number, bodyStart: number, end: number): ConnectPacket {
  const shape = guardConnect(bytes, bodyStart, end)
  const version = shape.protocolVersion
  const cursor = new Cursor(bytes, bodyStart, end)
  cursor.binary("Protocol Name")
  cursor.byte("Protocol Version")
  const flags = cursor.byte("Connect Flags") & ~shape.absent
  const cleanStart = (flags & 0x02) !== 0
  const keepAlive = cursor.uint16("Keep Alive")
  const properties = version === 5 ? new PropertySet(cursor, PacketType.Connect) : undefined
  const clientId = cursor.text("Client Identifier")
  const will = (flags & 0x04) === 0 ? undefined : readWill(cursor, flags, version, shape.willProperties)
  // MQTT 3.1.1 has no Session Expiry Interval: CleanSession 0 keeps the session (section 3.1.2.11.2, comment)
  const expiry = version === 5 ? (properties?.number(PropertyId.SessionExpiryInterval) ?? 0) : cleanStart ? 0 : never
  return {
    type: "connect",
    protocolVersion: version,
    mqtt31: shape.mqtt31,
    clientId,
    cleanStart,
    keepAlive,
    username: (flags & 0x80) === 0 ? undefined : cursor.text("User Name"),
    password: (flags & 0x40) === 0 ? undefined : readBinary(cursor, "Password"),
    will: will?.will,
    textWill: will?.isText === true,
    sessionExpiryInterval: expiry,
    receiveMaximum: properties?.number(PropertyId.ReceiveMaximum) ?? 65_535,
    maximumPacketSize: properties?.number(PropertyId.MaximumPacketSize),
    topicAliasMaximum: properties?.number(PropertyId.TopicAliasMaximum) ?? 0,
    requestResponseInformation: properties?.flag(PropertyId.RequestResponseInformation) === true,
    requestProblemInformation: properties?.flag(PropertyId.RequestProblemInformation) !== false,
    authenticationMethod: properties?.text(PropertyId.AuthenticationMethod),
    authenticationData: properties?.binary(PropertyId.AuthenticationData),
  }
}

const never = 0xffff_ffff

/** @param kept its properties as they are handed on */
function readWill(
  cursor: Cursor,
  flags: number,
  version: ProtocolVersion,
  kept: Uint8Array,
): { readonly will: Will; readonly isText: boolean } {
  const properties = version === 5 ? new PropertySet(cursor, willProperties) : undefined
  const will: Will = {
    topic: cursor.text("Will Topic"),
    payload: readBinary(cursor, "Will Payload"),
    qos: qosOf(flags >> 3),
    retain: (flags & 0x20) !== 0,
    properties: kept,
    delayInterval: properties?.number(PropertyId.WillDelayInterval) ?? 0,
    messageExpiryInterval: properties?.number(PropertyId.MessageExpiryInterval),
  }
  return { will, isText: properties?.flag(PropertyId.PayloadFormatIndicator) === true }
}

function readClientPacket(
  type: number,
  bytes: Uint8Array,
  _start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
  maximumFilters: number,
): Exclude<ClientPacket, ConnectPacket> {
  guard(type, bytes, bodyStart, end, version, maximumFilters, "client")
  const cursor = new Cursor(bytes, bodyStart, end)
  switch (type) {
    case PacketType.Subscribe:
      return readSubscribe(cursor, version)
    case PacketType.Unsubscribe:
      return readUnsubscribe(cursor, version)
    case PacketType.Disconnect:
      return readDisconnect(cursor, version)
    case PacketType.Auth:
      return readAuth(cursor)
    default:
      throw malformed("2.1.2", `a client may not send packet type ${type}`)
  }
}

function readSubscribe(cursor: Cursor, version: ProtocolVersion): SubscribePacket {
  const packetId = cursor.uint16("Packet Identifier")
  const properties = version === 5 ? new PropertySet(cursor, PacketType.Subscribe) : undefined
  const subscriptions: SubscriptionRequest[] = []
  while (!cursor.done) {
    const filter = cursor.text("Topic Filter")
    const options = cursor.byte("Subscription Options") // MQTT 3.1.1 has bits 2 to 5 at 0
    const handling = (options >> 4) & 0x03
    subscriptions.push({
      filter,
      qos: qosOf(options),
      noLocal: (options & 0x04) !== 0,
      retainAsPublished: (options & 0x08) !== 0,
      retainHandling: handling === 1 ? 1 : handling === 2 ? 2 : 0,
    })
  }
  const subscriptionIdentifier = properties?.number(PropertyId.SubscriptionIdentifier)
  return { type: "subscribe", packetId, subscriptionIdentifier, subscriptions }
}

function readUnsubscribe(cursor: Cursor, version: ProtocolVersion): UnsubscribePacket {
  const packetId = cursor.uint16("Packet Identifier")
  if (version === 5) skipProperties(cursor)
  const filters: string[] = []
  while (!cursor.done) filters.push(cursor.text("Topic Filter"))
  return { type: "unsubscribe", packetId, filters }
}

/** Of either side; the guard let it through. */
export function readDisconnect(cursor: Cursor, version: ProtocolVersion): DisconnectPacket {
  const reasonCode = cursor.done ? 0 : cursor.byte("Disconnect Reason Code")
  if (version === 4 || cursor.done) return { type: "disconnect", reasonCode }
  const properties = new PropertySet(cursor, PacketType.Disconnect)
  return {
    type: "disconnect",
    reasonCode,
    sessionExpiryInterval: properties.number(PropertyId.SessionExpiryInterval),
    reasonString: properties.text(PropertyId.ReasonString),
    serverReference: properties.text(PropertyId.ServerReference),
  }
}

/** Of either side; the guard let it through. */
export function readAuth(cursor: Cursor): AuthPacket {
  const reasonCode = cursor.done ? 0 : cursor.byte("Authenticate Reason Code")
  const properties = cursor.done ? undefined : new PropertySet(cursor, PacketType.Auth)
  return {
    type: "auth",
    reasonCode,
    authenticationMethod: properties?.text(PropertyId.AuthenticationMethod),
    authenticationData: properties?.binary(PropertyId.AuthenticationData),
  }
}

/** Those of a packet that has none but User Properties, or none that anybody reads. */
export function skipProperties(cursor: Cursor): void {
  const length = cursor.variableByteInteger("Property Length")
  cursor.at += length
}

/** The two lowest bits; the guard has refused 3. */
function qosOf(bits: number): Qos {
  const qos = bits & 0x03
  return qos === 1 ? 1 : qos === 2 ? 2 : 0
}

function readBinary(cursor: Cursor, what: string): Uint8Array {
  const start = cursor.binary(what)
  return copyOf(cursor.bytes.subarray(start, cursor.at))
}

// --- writing ---

function writeServerPacket(packet: ServerPacket, version: ProtocolVersion, maximumPacketSize?: number): Uint8Array {
  const bytes = write(packet, version, true)
  if (maximumPacketSize === undefined || bytes.length <= maximumPacketSize) return bytes
  // Section 3.14.2.1: without properties DISCONNECT needs no Property Length.
  if (packet.type === "disconnect" && maximumPacketSize === 3) return Uint8Array.of(0xe0, 1, packet.reasonCode)
  return write(packet, version, false)
}

/** @param withReason with what may be left out */
function write(packet: ServerPacket, version: ProtocolVersion, withReason: boolean): Uint8Array {
  const out = new ByteWriter()
  switch (packet.type) {
    case "connack":
      out.byte(packet.sessionPresent ? 1 : 0).byte(packet.reasonCode)
      if (version === 5) out.bytes(present(connackProperties(packet, withReason)))
      return out.take(PacketType.Connack << 4)
    case "suback":
      out.uint16(packet.packetId)
      if (version === 5) out.bytes(present([[PropertyId.ReasonString, reasonOf(packet, withReason)]]))
      return out.bytes(Uint8Array.from(packet.reasonCodes)).take(PacketType.Suback << 4)
    case "unsuback":
      out.uint16(packet.packetId)
      if (version === 5) out.bytes(present([])).bytes(Uint8Array.from(packet.reasonCodes))
      return out.take(PacketType.Unsuback << 4)
    case "auth":
      out.byte(packet.reasonCode).bytes(
        present([
          [PropertyId.AuthenticationMethod, packet.authenticationMethod],
          [PropertyId.AuthenticationData, packet.authenticationData],
        ]),
      )
      return out.take(PacketType.Auth << 4)
    case "disconnect":
      if (version === 5)
        out.byte(packet.reasonCode).bytes(
          present([
            [PropertyId.SessionExpiryInterval, packet.sessionExpiryInterval],
            [PropertyId.ReasonString, reasonOf(packet, withReason)],
            [PropertyId.ServerReference, withReason ? upTo(longestText, packet.serverReference) : undefined],
          ]),
        )
      return out.take(PacketType.Disconnect << 4)
  }
}

/** Identifier and value; one that is undefined is left out. */
type Given = readonly [id: number, value: PropertyValue["value"] | boolean | undefined]

function connackProperties(packet: ConnackPacket, withReason: boolean): readonly Given[] {
  return [
    [PropertyId.SessionExpiryInterval, packet.sessionExpiryInterval],
    [PropertyId.ReceiveMaximum, packet.receiveMaximum],
    [PropertyId.MaximumPacketSize, packet.maximumPacketSize],
    [PropertyId.AssignedClientIdentifier, packet.assignedClientIdentifier],
    [PropertyId.TopicAliasMaximum, packet.topicAliasMaximum],
    [PropertyId.MaximumQos, packet.maximumQos === 2 ? undefined : packet.maximumQos],
    [PropertyId.RetainAvailable, packet.retainAvailable],
    [PropertyId.WildcardSubscriptionAvailable, packet.wildcardSubscriptionAvailable],
    [PropertyId.SubscriptionIdentifierAvailable, packet.subscriptionIdentifierAvailable],
    [PropertyId.SharedSubscriptionAvailable, packet.sharedSubscriptionAvailable],
    [PropertyId.ReasonString, reasonOf(packet, withReason)],
    [PropertyId.ServerKeepAlive, packet.serverKeepAlive],
    [PropertyId.ResponseInformation, withReason ? upTo(longestText, packet.responseInformation) : undefined],
    [PropertyId.ServerReference, withReason ? upTo(longestText, packet.serverReference) : undefined],
    [PropertyId.AuthenticationMethod, packet.authenticationMethod],
    [PropertyId.AuthenticationData, packet.authenticationData],
  ]
}

function reasonOf(packet: { readonly reasonString?: string | undefined }, withReason: boolean): string | undefined {
  return withReason ? upTo(longestReasonString, packet.reasonString) : undefined
}

/** A property set of those that are not undefined, with its Property Length. */
function present(given: readonly Given[]): Uint8Array {
  const properties: PropertyValue[] = []
  for (const [id, value] of given) {
    if (value !== undefined) properties.push({ id, value: typeof value === "boolean" ? Number(value) : value })
  }
  return encodeProperties(properties)
}

/** Needs nothing of the engine but the language. */
export const plainCodec: Codec = { readConnect, readClientPacket, writeServerPacket }

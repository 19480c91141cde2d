// The guard in front of the packet library: walks each packet's bytes and refuses what MQTT forbids, so that a packet
// which passes means exactly one thing. Covers CONNECT, CONNACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, DISCONNECT, AUTH.

import { Cursor } from "./bytes.ts"
import { malformed, PacketError, protocolError } from "./errors.ts"
import { filterFault } from "./filter-form.ts"
import { PacketType, type ProtocolVersion } from "./packets.ts"
import { checkProperties, type PropertiesAt, PropertyId, willProperties } from "./properties.ts"
import { allowedReasonCodes, ReasonCode, type Sender } from "./reason-codes.ts"

/** What the guard learns from a CONNECT that the packet library would lose or not tell. */
export interface ConnectShape {
  readonly protocolVersion: ProtocolVersion
  readonly mqtt31: boolean
  /** Connect Flags of fields that are not there, which MQTT 3.1 lets be. */
  readonly absent: number
  /** Will Properties in their order, without Will Delay Interval and Message Expiry Interval. */
  readonly willProperties: Uint8Array
  /** Offsets of the Property Lengths of CONNECT and of the will, each with the kind of its properties. */
  readonly properties: readonly PropertiesAt[]
}

/**
 * Checks the body of a packet (the bytes after the fixed header). Throws PacketError; its Reason Code is 0x97 for a
 * SUBSCRIBE or UNSUBSCRIBE of more than `maximumFilters` Topic Filters, found before anything is made of them.
 */
export function guard(
  type: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  version: ProtocolVersion,
  maximumFilters: number,
  from: Sender,
): void {
  const cursor = new Cursor(bytes, start, end)
  switch (type) {
    case PacketType.Connack:
      guardConnack(cursor, version)
      break
    case PacketType.Subscribe:
      guardSubscribe(cursor, version, maximumFilters)
      break
    case PacketType.Suback:
      guardCodes(cursor, type, version)
      break
    case PacketType.Unsubscribe:
      guardUnsubscribe(cursor, version, maximumFilters)
      break
    case PacketType.Unsuback:
      packetId(cursor)
      if (version === 5) {
        cursor.at -= 2
        guardCodes(cursor, type, version)
      }
      break
    case PacketType.Disconnect:
      guardDisconnect(cursor, version, from)
      break
    case PacketType.Auth:
      guardAuth(cursor, version, from)
      break
    default:
      throw malformed("2.1.2", `packet type ${type} is not checked here`)
  }
  if (!cursor.done) throw malformed("4.13.1", "the packet has bytes after its last field")
}

/** Checks the body of a CONNECT (section 3.1). Reason Code 0x84 when the name or version is not one we speak. */
export function guardConnect(bytes: Uint8Array, start: number, end: number): ConnectShape {
  const cursor = new Cursor(bytes, start, end)
  const name = cursor.text("Protocol Name")
  const level = cursor.byte("Protocol Version")
  // [MQTT-3.1.2-1], [MQTT-3.1.2-2]; bridge versions (0x83, 0x84) are not spoken here
  if (name !== "MQTT" && name !== "MQIsdp") {
    throw new PacketError(ReasonCode.UnsupportedProtocolVersion, "MQTT-3.1.2-1", "the Protocol Name is not MQTT")
  }
  const mqtt31 = name === "MQIsdp" && level === 3
  if (!mqtt31 && (name !== "MQTT" || (level !== 4 && level !== 5))) {
    const what = `the client speaks ${name} version ${level}; this broker speaks MQTT 3.1, 3.1.1 and 5.0`
    throw new PacketError(ReasonCode.UnsupportedProtocolVersion, "MQTT-3.1.2-2", what)
  }
  const version = level === 5 ? 5 : 4
  const flags = cursor.byte("Connect Flags")
  // [MQTT-3.1.2-3] the reserved flag must be 0
  if ((flags & 0x01) !== 0) throw malformed("MQTT-3.1.2-3", "the reserved Connect Flag is set")
  const will = (flags & 0x04) !== 0
  const willQos = (flags >> 3) & 0x03
  if (!will && willQos !== 0) throw malformed("MQTT-3.1.2-11", "Will QoS without Will Flag")
  if (willQos === 3) throw malformed("MQTT-3.1.2-12", "Will QoS is 3")
  if (!will && (flags & 0x20) !== 0) throw malformed("MQTT-3.1.2-13", "Will Retain without Will Flag")
  // MQTT 3.1.1 [MQTT-3.1.2-22]: no Password without User Name; 5.0 allows it
  if (version === 4 && (flags & 0xc0) === 0x40) throw malformed("MQTT-3.1.2-22", "Password without User Name")
  cursor.uint16("Keep Alive")
  const properties: PropertiesAt[] = []
  if (version === 5) {
    properties.push({ at: cursor.at, of: PacketType.Connect })
    guardConnectProperties(cursor)
  }
  cursor.skipText("Client Identifier") // [MQTT-3.1.3-4]
  let kept = new Uint8Array(0)
  if (will) {
    if (version === 5) {
      properties.push({ at: cursor.at, of: willProperties })
      kept = guardWillProperties(cursor)
    }
    guardTopicName(cursor.text("Will Topic"), "Will Topic") // [MQTT-3.1.3-11]
    cursor.binary("Will Payload")
  }
  // MQTT 3.1 section 3.1: the Remaining Length "takes precedence" over these flags, for clients of before it
  let absent = 0
  if (mqtt31 && cursor.done) absent = flags & 0xc0
  else if ((flags & 0x80) !== 0) cursor.skipText("User Name") // [MQTT-3.1.3-12]
  if (mqtt31 && cursor.done) absent |= flags & 0x40
  else if ((flags & 0x40) !== 0) cursor.binary("Password")
  if (!cursor.done) throw malformed("MQTT-3.1.3-1", "CONNECT has bytes after its last field")
  return { protocolVersion: version, mqtt31, absent, willProperties: kept, properties }
}

/**
 * A Topic Name that may be published to: not empty, no wildcards. Throws PacketError 0x81: 0x90 is for one that "is correctly
 * formed, but is not accepted" (Tables 3-1 and 3-10).
 */
export function guardTopicName(topic: string, what = "Topic Name"): void {
  if (topic.length === 0) {
    throw malformed("MQTT-4.7.3-1", `${what} is empty`)
  }
  if (topic.includes("#") || topic.includes("+")) {
    throw malformed("MQTT-3.3.2-2", `${what} contains a wildcard`)
  }
}

function guardConnectProperties(cursor: Cursor): void {
  let method = false
  let data = false
  checkProperties(cursor, PacketType.Connect, (id) => {
    if (id === 0x15) method = true
    if (id === 0x16) data = true
  })
  if (data && !method) throw protocolError("3.1.2.11.10", "Authentication Data without Authentication Method")
}

function guardWillProperties(cursor: Cursor): Uint8Array<ArrayBuffer> {
  const keep: number[] = []
  let length = 0
  checkProperties(cursor, willProperties, (id, start, end) => {
    if (id === PropertyId.WillDelayInterval || id === PropertyId.MessageExpiryInterval) return
    if (id === PropertyId.ResponseTopic) guardResponseTopic(cursor.bytes, start, end)
    keep.push(start, end)
    length += end - start
  })
  const kept = new Uint8Array(length)
  let at = 0
  for (let i = 0; i < keep.length; i += 2) {
    kept.set(cursor.bytes.subarray(keep[i], keep[i + 1]), at)
    at += keep[i + 1]! - keep[i]!
  }
  return kept
}

/** [MQTT-3.3.2-14] a Response Topic has no wildcards. `start` is the offset of the property's identifier. */
export function guardResponseTopic(bytes: Uint8Array, start: number, end: number): void {
  // [MQTT-4.7.3-1] it is a Topic Name
  if (end === start + 3) throw protocolError("MQTT-4.7.3-1", "Response Topic is empty")
  for (let i = start + 3; i < end; i++) {
    if (bytes[i] === 0x23 || bytes[i] === 0x2b)
      throw protocolError("MQTT-3.3.2-14", "Response Topic contains a wildcard")
  }
}

function guardConnack(cursor: Cursor, version: ProtocolVersion): void {
  const flags = cursor.byte("Connect Acknowledge Flags")
  if (flags > 1) throw malformed("MQTT-3.2.2-1", "reserved Connect Acknowledge Flags are set")
  const code = cursor.byte("Connect Reason Code")
  if (version === 5) {
    guardReasonCode(PacketType.Connack, code, "server")
    checkProperties(cursor, PacketType.Connack)
  } else if (code > 5) throw malformed("3.2.2.3", `return code ${code} does not exist`)
}

function guardSubscribe(cursor: Cursor, version: ProtocolVersion, maximumFilters: number): void {
  packetId(cursor)
  if (version === 5) checkProperties(cursor, PacketType.Subscribe)
  // [MQTT-3.8.3-2] at least one Topic Filter
  if (cursor.done) throw protocolError("MQTT-3.8.3-2", "SUBSCRIBE without Topic Filter")
  for (let count = 1; !cursor.done; count++) {
    if (count > maximumFilters) throw tooManyFilters("3.8.3", "SUBSCRIBE", maximumFilters)
    guardFilter(cursor, version) // [MQTT-3.8.3-1]
    const options = cursor.byte("Subscription Options")
    // [MQTT-3.8.3-5]; MQTT 3.1.1 [MQTT-3-8.3-4] reserves bits 2 to 7
    if ((options & (version === 5 ? 0xc0 : 0xfc)) !== 0) {
      throw malformed("MQTT-3.8.3-5", "reserved Subscription Options are set")
    }
    if ((options & 0x03) === 3) throw protocolError("3.8.3.1", "Maximum QoS of a subscription is 3")
    if ((options & 0x30) === 0x30) throw protocolError("3.8.3.1", "Retain Handling is 3")
  }
}

function guardUnsubscribe(cursor: Cursor, version: ProtocolVersion, maximumFilters: number): void {
  packetId(cursor)
  if (version === 5) checkProperties(cursor, PacketType.Unsubscribe)
  // [MQTT-3.10.3-2] at least one Topic Filter
  if (cursor.done) throw protocolError("MQTT-3.10.3-2", "UNSUBSCRIBE without Topic Filter")
  for (let count = 1; !cursor.done; count++) {
    if (count > maximumFilters) throw tooManyFilters("3.10.3", "UNSUBSCRIBE", maximumFilters)
    guardFilter(cursor, version) // [MQTT-3.10.3-1]
  }
}

/** Sections 4.7 and 4.8: what is no Topic Filter makes the packet malformed. */
function guardFilter(cursor: Cursor, version: ProtocolVersion): void {
  const start = cursor.skipText("Topic Filter")
  const fault = filterFault(cursor.bytes, start, cursor.at, version)
  if (fault !== undefined) throw malformed(fault.rule, fault.what)
}

function tooManyFilters(rule: string, packet: string, maximum: number): PacketError {
  return new PacketError(ReasonCode.QuotaExceeded, rule, `${packet} has more than ${maximum} Topic Filters`)
}

function guardCodes(cursor: Cursor, type: number, version: ProtocolVersion): void {
  packetId(cursor)
  if (version === 5) checkProperties(cursor, type)
  if (cursor.done) throw malformed("3.9.3", "an acknowledgement without Reason Codes")
  while (!cursor.done) {
    const code = cursor.byte("Reason Code")
    if (version === 5) guardReasonCode(type, code, "server")
    else if (code > 2 && code !== 0x80) throw malformed("3.9.3", `return code ${code} does not exist`)
  }
}

function guardDisconnect(cursor: Cursor, version: ProtocolVersion, from: Sender): void {
  if (version === 4 || cursor.done) return
  guardReasonCode(PacketType.Disconnect, cursor.byte("Disconnect Reason Code"), from) // [MQTT-3.14.2-1]
  if (!cursor.done) checkProperties(cursor, PacketType.Disconnect)
}

function guardAuth(cursor: Cursor, version: ProtocolVersion, from: Sender): void {
  if (version === 4) throw protocolError("2.1.2", "packet type 15 does not exist in MQTT 3.1.1")
  const code = cursor.done ? ReasonCode.Success : cursor.byte("Authenticate Reason Code")
  guardReasonCode(PacketType.Auth, code, from) // [MQTT-3.15.2-1]
  if (!cursor.done) checkProperties(cursor, PacketType.Auth)
}

/** Throws when `code` is not one that this packet type may carry when that side sends it. */
export function guardReasonCode(type: number, code: number, from: Sender): void {
  if (allowedReasonCodes[from].get(type)?.has(code) !== true) {
    const what = `Reason Code 0x${code.toString(16).padStart(2, "0")} is not one of this packet's, sent by a ${from}`
    throw protocolError("2.4", what)
  }
}

/** [MQTT-2.2.1-3], MQTT 3.1.1 [MQTT-2.3.1-1]: a Packet Identifier is never 0. */
function packetId(cursor: Cursor): number {
  const id = cursor.uint16("Packet Identifier")
  if (id === 0) throw protocolError("MQTT-2.2.1-3", "Packet Identifier is 0")
  return id
}

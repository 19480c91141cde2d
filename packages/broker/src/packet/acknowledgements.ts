// PUBACK, PUBREC, PUBREL and PUBCOMP (MQTT 5.0 sections 3.4 to 3.7), straight on bytes because every QoS 1 and 2 message needs them.

import { Cursor, copy, encodeText } from "./bytes.ts"
import { malformed, protocolError } from "./errors.ts"
import { guardReasonCode } from "./guard.ts"
import { PacketType, type ProtocolVersion } from "./packets.ts"
import { checkProperties } from "./properties.ts"
import type { Sender } from "./reason-codes.ts"

/** Packet Identifier (bits 0 to 15) and Reason Code (bits 16 to 23) of an acknowledgement. */
export type Acknowledgement = number

export function packetIdOf(acknowledgement: Acknowledgement): number {
  return acknowledgement & 0xffff
}

export function reasonCodeOf(acknowledgement: Acknowledgement): number {
  return acknowledgement >>> 16
}

/** Reads the body [start, end) of an acknowledgement of `type`. Throws PacketError. */
export function readAcknowledgement(
  type: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  version: ProtocolVersion,
  from: Sender,
): Acknowledgement {
  const length = end - start
  if (length < 2) throw malformed("2.2.1", "an acknowledgement without Packet Identifier")
  const id = (bytes[start]! << 8) | bytes[start + 1]!
  if (id === 0) throw protocolError("MQTT-2.2.1-3", "Packet Identifier is 0")
  if (length === 2) return id
  if (version === 4) throw malformed("3.4.2", "an acknowledgement of MQTT 3.1.1 has two bytes")
  const code = bytes[start + 2]!
  guardReasonCode(type, code, from) // [MQTT-3.4.2-1], [MQTT-3.5.2-1], [MQTT-3.6.2-1], [MQTT-3.7.2-1]
  if (length > 3) {
    const cursor = new Cursor(bytes, start + 3, end)
    checkProperties(cursor, type)
    if (!cursor.done) throw malformed("4.13.1", "the packet has bytes after its last field")
  }
  return id | (code << 16)
}

/** Number of bytes writeAcknowledgement writes: 4, or 5 with a Reason Code. */
export function acknowledgementLength(reasonCode: number, version: ProtocolVersion): number {
  return reasonCode === 0 || version === 4 ? 4 : 5
}

/** Writes an acknowledgement at `at`; returns the offset after it. Success leaves the Reason Code out (section 3.4.2.1). */
export function writeAcknowledgement(
  out: Uint8Array,
  at: number,
  type: number,
  packetId: number,
  reasonCode: number,
  version: ProtocolVersion,
): number {
  const withCode = reasonCode !== 0 && version === 5
  out[at] = type === PacketType.Pubrel ? 0x62 : type << 4
  out[at + 1] = withCode ? 3 : 2
  out[at + 2] = packetId >> 8
  out[at + 3] = packetId & 0xff
  if (!withCode) return at + 4
  out[at + 4] = reasonCode
  return at + 5
}

/**
 * An acknowledgement of MQTT 5.0 with a Reason String (section 3.4.2.2.2) of at most 120 bytes: so its lengths take a byte each.
 */
export function acknowledgementWithReason(
  type: number,
  packetId: number,
  reasonCode: number,
  reasonString: string,
): Uint8Array {
  const text = encodeText(reasonString)
  const out = new Uint8Array(9 + text.length)
  writeAcknowledgement(out, 0, type, packetId, reasonCode, 5)
  out[1] = 7 + text.length
  out[5] = 3 + text.length
  out[6] = 0x1f
  out[8] = text.length
  copy(out, 9, text, 0, text.length)
  return out
}

// The Handshake structure: RFC 9846 section 4.

import { HandshakeType, type HandshakeTypeName } from "../bytes/code-points.ts"
import { Reader } from "../bytes/reader.ts"
import { Writer } from "../bytes/writer.ts"

/** msg_type (1 byte) and length (3 bytes). */
export const handshakeHeaderLength = 4

/** A whole handshake message as it was on the wire, and its parts. */
export interface HandshakeMessage {
  readonly type: number
  /** Header and body: what the transcript hash takes in. */
  readonly bytes: Uint8Array
  readonly body: Uint8Array
}

export function handshakeMessage(bytes: Uint8Array): HandshakeMessage {
  return { type: bytes[0]!, bytes, body: bytes.subarray(handshakeHeaderLength) }
}

/** @param capacity bytes that it comes to, about: too few of them cost time */
export function encodeHandshake(
  name: HandshakeTypeName,
  body: (writer: Writer) => void,
  capacity?: number,
): Uint8Array {
  return new Writer(capacity).uint8(HandshakeType[name]).vector24(body).finish()
}

/** Reads a whole body; whatever is left over is a decode_error (RFC 9846 section 4.3, 6.2). */
export function decodeBody<T>(message: HandshakeMessage, name: string, read: (reader: Reader) => T): T {
  const reader = new Reader(message.body, name)
  const value = read(reader)
  reader.expectEnd()
  return value
}

// A server session as bytes, for inside a ticket. The first byte is the format: a ticket of another format is unknown.

import { copyOf } from "../bytes/copy.ts"
import { Reader } from "../bytes/reader.ts"
import { asciiToBytes, bytesToLatin1, bytesToUtf8, utf8ToBytes } from "../bytes/text.ts"
import { Writer } from "../bytes/writer.ts"
import type { ServerSession } from "./session.ts"

const format = 3

export function encodeSession(session: ServerSession): Uint8Array {
  const writer = new Writer(256).uint8(format).uint16(session.cipherSuite).vector8(session.psk)
  writeTime(writer, session.issuedAt)
  writeTime(writer, session.authenticatedAt)
  writer.uint32(session.ticketLifetime).uint32(session.ticketAgeAdd).uint32(session.maxEarlyDataSize)
  writeOptional(writer, session.alpnProtocol, (name) => Uint8Array.from(name, (octet) => octet.charCodeAt(0)))
  writeOptional(writer, session.serverName, asciiToBytes)
  writer.vector16(utf8ToBytes(session.partition))
  writer.uint8(session.peerCertificateType === "RawPublicKey" ? 1 : 0)
  writer.uint8(session.peerValidUntil === undefined ? 0 : 1)
  if (session.peerValidUntil !== undefined) writeTime(writer, session.peerValidUntil)
  writer.uint8(session.pskIdentity === undefined ? 0 : 1)
  if (session.pskIdentity !== undefined) writer.vector16(session.pskIdentity)
  writer.vector24((list) => {
    for (const certificate of session.peerChain) list.vector24(certificate)
  })
  return writer.finish()
}

/** @throws InvalidMessage for bytes that are no session */
export function decodeSession(bytes: Uint8Array): ServerSession | undefined {
  const reader = new Reader(bytes, "session")
  if (reader.uint8() !== format) return undefined
  const cipherSuite = reader.uint16()
  const psk = copyOf(reader.vector8("psk"))
  const issuedAt = readTime(reader)
  const authenticatedAt = readTime(reader)
  const [ticketLifetime, ticketAgeAdd, maxEarlyDataSize] = [reader.uint32(), reader.uint32(), reader.uint32()]
  const alpnProtocol = readOptional(reader, bytesToLatin1)
  const serverName = readOptional(reader, bytesToLatin1)
  const partition = bytesToUtf8(reader.vector16("partition")) ?? ""
  const isRawKey = reader.uint8() === 1
  const peerValidUntil = reader.uint8() === 0 ? undefined : readTime(reader)
  const pskIdentity = reader.uint8() === 0 ? undefined : copyOf(reader.vector16("pskIdentity"))
  const list = new Reader(reader.vector24("peerChain"), "session.peerChain")
  const peerChain: Uint8Array[] = []
  while (list.remaining > 0) peerChain.push(copyOf(list.vector24("certificate")))
  reader.expectEnd()
  return {
    cipherSuite,
    psk,
    issuedAt,
    authenticatedAt,
    ticketLifetime,
    ticketAgeAdd,
    maxEarlyDataSize,
    alpnProtocol,
    serverName,
    partition,
    peerChain,
    ...(isRawKey && { peerCertificateType: "RawPublicKey" }),
    ...(peerValidUntil !== undefined && { peerValidUntil }),
    ...(pskIdentity !== undefined && { pskIdentity }),
  }
}

/** Milliseconds since 1970 in 48 bits: enough until the year 10889. */
export function writeTime(writer: Writer, milliseconds: number): void {
  const whole = Math.floor(milliseconds)
  writer.uint16(Math.floor(whole / 2 ** 32) & 0xffff).uint32(whole % 2 ** 32)
}

export function readTime(reader: Reader): number {
  return reader.uint16() * 2 ** 32 + reader.uint32()
}

function writeOptional(writer: Writer, value: string | undefined, encode: (text: string) => Uint8Array): void {
  writer.uint8(value === undefined ? 0 : 1)
  if (value !== undefined) writer.vector16(encode(value))
}

function readOptional(reader: Reader, decode: (bytes: Uint8Array) => string): string | undefined {
  return reader.uint8() === 0 ? undefined : decode(reader.vector16("text"))
}

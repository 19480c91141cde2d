// A ClientHello taken apart no further than to its extensions: what EncodedClientHelloInner is made of and made into (RFC 9849
// section 5.1), and the bytes that ClientHelloOuterAAD is (section 5.2).

import type { Reader } from "../bytes/reader.ts"
import { Reader as BodyReader } from "../bytes/reader.ts"
import { Writer } from "../bytes/writer.ts"
import type { RawExtension } from "../codec/extensions/block.ts"
import { encodeHandshake } from "../codec/message.ts"

/** All arrays are views of what was read. */
export interface RawClientHello {
  /** legacy_version and random */
  readonly head: Uint8Array
  readonly legacySessionId: Uint8Array
  readonly cipherSuites: Uint8Array
  readonly legacyCompressionMethods: Uint8Array
  readonly extensions: readonly RawExtension[]
}

/** The fields of a ClientHello, up to its end and no further. @throws InvalidMessage decode_error */
export function readRawHello(reader: Reader, what: string): RawClientHello {
  const head = reader.bytes(2 + 32)
  const legacySessionId = reader.vector8("legacy_session_id", 0, 32)
  const cipherSuites = reader.vector16("cipher_suites", 2)
  const legacyCompressionMethods = reader.vector8("legacy_compression_methods", 1)
  const block = new BodyReader(reader.vector16("extensions"), `${what}.extensions`)
  const extensions: RawExtension[] = []
  while (block.remaining > 0) extensions.push({ type: block.uint16(), data: block.vector16("extension_data") })
  return { head, legacySessionId, cipherSuites, legacyCompressionMethods, extensions }
}

/** Those of a whole message. @throws InvalidMessage decode_error */
export function rawHelloOf(message: Uint8Array): RawClientHello {
  const reader = new BodyReader(message.subarray(4), "ClientHello")
  const hello = readRawHello(reader, "ClientHello")
  reader.expectEnd()
  return hello
}

/** The structure, without the header of a handshake message. */
export function writeRawHello(hello: RawClientHello, writer: Writer = new Writer(1024)): Writer {
  writer.bytes(hello.head).vector8(hello.legacySessionId).vector16(hello.cipherSuites)
  return writer.vector8(hello.legacyCompressionMethods).vector16((block) => {
    for (const { type, data } of hello.extensions) block.uint16(type).vector16(data)
  })
}

/** A whole message. */
export function rawHelloMessage(hello: RawClientHello): Uint8Array {
  return encodeHandshake("client_hello", (writer) => void writeRawHello(hello, writer), 1024)
}

export function extensionOf({ extensions }: RawClientHello, type: number): RawExtension | undefined {
  return extensions.find((extension) => extension.type === type)
}

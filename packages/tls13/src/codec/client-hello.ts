// ClientHello: RFC 9846 section 4.2.2.

import { KnownExtensionType } from "../bytes/code-points.ts"
import { InvalidMessage } from "../bytes/errors.ts"
import { nothing } from "../bytes/nothing.ts"
import { Reader } from "../bytes/reader.ts"
import type { Writer } from "../bytes/writer.ts"
import { decodeExtensions, type RawExtension, writeExtensions, writeRawExtension } from "./extensions/block.ts"
import type { ExtensionTable } from "./extensions/codec.ts"
import type { ClientHelloExtensions } from "./extensions/messages.ts"
import { bindersLength } from "./extensions/pre-shared-key.ts"
import { allExtensions } from "./extensions/table.ts"
import { decodeBody, encodeHandshake, type HandshakeMessage } from "./message.ts"

export interface ClientHello {
  readonly legacyVersion: number
  /** 32 bytes */
  readonly random: Uint8Array
  /** 0 to 32 bytes */
  readonly legacySessionId: Uint8Array
  readonly cipherSuites: readonly number[]
  readonly legacyCompressionMethods: Uint8Array
  readonly extensions: ClientHelloExtensions
  /** All extension types in the order on the wire, the unknown ones included. */
  readonly extensionTypes: readonly number[]
}

/** What a client composes: the decoder adds the list of types. */
export interface ClientHelloContent extends Omit<ClientHello, "extensionTypes"> {
  /** RFC 8701: one ahead of all extensions, and one behind all but pre_shared_key, which is the last. */
  readonly greaseExtensions?: readonly [RawExtension, RawExtension]
}

export function encodeClientHello(hello: ClientHelloContent): Uint8Array {
  return encodeClientHelloBy(allExtensions, hello)
}

export function encodeClientHelloBy(table: ExtensionTable, hello: ClientHelloContent): Uint8Array {
  return encodeHandshake("client_hello", (writer) => {
    writeFixedPart(hello, writer)
    const { pre_shared_key, ...others } = hello.extensions
    writer.vector16((block) => {
      if (hello.greaseExtensions) writeRawExtension(hello.greaseExtensions[0], block)
      writeExtensions(others, "CH", block, table)
      if (hello.greaseExtensions) writeRawExtension(hello.greaseExtensions[1], block)
      if (pre_shared_key) writeExtensions({ pre_shared_key }, "CH", block, table)
    })
  })
}

function writeFixedPart(hello: ClientHelloContent, writer: Writer): void {
  writer.uint16(hello.legacyVersion).bytes(hello.random).vector8(hello.legacySessionId)
  writer.vector16((suites) => {
    for (const suite of hello.cipherSuites) suites.uint16(suite)
  })
  writer.vector8(hello.legacyCompressionMethods)
}

export function decodeClientHello(message: HandshakeMessage): ClientHello {
  return decodeBody(message, "ClientHello", (reader) => {
    const fixed = {
      legacyVersion: reader.uint16(),
      random: reader.bytes(32),
      legacySessionId: reader.vector8("legacy_session_id", 0, 32),
      cipherSuites: reader.uint16List("cipher_suites", 2, 0xfffe),
      legacyCompressionMethods: reader.vector8("legacy_compression_methods", 1),
    }
    // "The presence of extensions can be detected by determining whether there are bytes following
    // the compression_methods field": a ClientHello of TLS 1.2 or before may have none.
    const block = reader.remaining === 0 ? nothing : reader.vector16("extensions")
    const { values, types } = decodeExtensions(block, "CH", "ClientHello", allExtensions)
    requirePreSharedKeyLast(types)
    return { extensions: values, extensionTypes: types, ...fixed }
  })
}

/** Section 4.3.11: "Servers MUST check that it is the last extension and otherwise fail the handshake with an "illegal_parameter" alert." */
function requirePreSharedKeyLast(types: readonly number[]): void {
  const at = types.indexOf(KnownExtensionType.pre_shared_key)
  if (at !== -1 && at !== types.length - 1) {
    throw new InvalidMessage("pre_shared_key is not the last extension of ClientHello", "illegal_parameter")
  }
}

/** The types of a ClientHello's extensions, in the order on the wire. */
export function extensionTypesOf({ body }: HandshakeMessage): readonly number[] {
  const reader = new Reader(body, "ClientHello")
  reader.bytes(34)
  reader.vector8("legacy_session_id")
  reader.vector16("cipher_suites")
  reader.vector8("legacy_compression_methods")
  const block = new Reader(reader.vector16("extensions"), "ClientHello.extensions")
  const types: number[] = []
  while (block.remaining > 0) {
    types.push(block.uint16())
    block.vector16("extension_data")
  }
  return types
}

/** Truncate() of section 4.3.11.2: the message without its binders list, its length fields as if the list were there. */
export function truncateBinders(message: Uint8Array, extensions: ClientHelloExtensions): Uint8Array {
  const psks = extensions.pre_shared_key
  return psks === undefined ? message : message.subarray(0, message.length - bindersLength(psks))
}

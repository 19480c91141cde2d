// Handshake messages taken apart without judgement, changed and put together again: any field may become anything.

import { type ExtensionName, ExtensionType } from "../../src/bytes/code-points.ts"
import { copyOf } from "../../src/bytes/copy.ts"
import { Reader } from "../../src/bytes/reader.ts"
import { Writer } from "../../src/bytes/writer.ts"

export interface RawExtension {
  type: number
  data: Uint8Array
}

export interface RawClientHello {
  legacyVersion: number
  random: Uint8Array
  legacySessionId: Uint8Array
  /** As on the wire, without their length. */
  cipherSuites: Uint8Array
  legacyCompressionMethods: Uint8Array
  extensions: RawExtension[]
}

export interface RawServerHello {
  legacyVersion: number
  random: Uint8Array
  legacySessionIdEcho: Uint8Array
  cipherSuite: number
  legacyCompressionMethod: number
  extensions: RawExtension[]
}

/** A message of a type and a body: its length is right. */
export function handshake(type: number, body: Uint8Array): Uint8Array {
  return new Writer().uint8(type).vector24(body).finish()
}

/** The same message with its body changed and its length made right. */
export function editBody(message: Uint8Array, edit: (body: Uint8Array) => Uint8Array): Uint8Array {
  return handshake(message[0]!, edit(copyOf(message.subarray(4))))
}

export function editClientHello(message: Uint8Array, edit: (hello: RawClientHello) => void): Uint8Array {
  const reader = new Reader(message.subarray(4), "ClientHello")
  const hello: RawClientHello = {
    legacyVersion: reader.uint16(),
    random: copyOf(reader.bytes(32)),
    legacySessionId: copyOf(reader.vector8("legacy_session_id")),
    cipherSuites: copyOf(reader.vector16("cipher_suites")),
    legacyCompressionMethods: copyOf(reader.vector8("legacy_compression_methods")),
    extensions: readExtensions(reader),
  }
  edit(hello)
  const body = new Writer().uint16(hello.legacyVersion).bytes(hello.random).vector8(hello.legacySessionId)
  body.vector16(hello.cipherSuites).vector8(hello.legacyCompressionMethods)
  writeExtensions(hello.extensions, body)
  return handshake(message[0]!, body.finish())
}

/** ServerHello and HelloRetryRequest. */
export function editServerHello(message: Uint8Array, edit: (hello: RawServerHello) => void): Uint8Array {
  const reader = new Reader(message.subarray(4), "ServerHello")
  const hello: RawServerHello = {
    legacyVersion: reader.uint16(),
    random: copyOf(reader.bytes(32)),
    legacySessionIdEcho: copyOf(reader.vector8("legacy_session_id_echo")),
    cipherSuite: reader.uint16(),
    legacyCompressionMethod: reader.uint8(),
    extensions: readExtensions(reader),
  }
  edit(hello)
  const body = new Writer().uint16(hello.legacyVersion).bytes(hello.random).vector8(hello.legacySessionIdEcho)
  body.uint16(hello.cipherSuite).uint8(hello.legacyCompressionMethod)
  writeExtensions(hello.extensions, body)
  return handshake(message[0]!, body.finish())
}

/** The extensions at the end of EncryptedExtensions, CertificateRequest and NewSessionTicket. */
export function editExtensions(
  message: Uint8Array,
  edit: (extensions: RawExtension[]) => void,
  fixedLength: number = fixedLengthOf(message),
): Uint8Array {
  const fixed = message.subarray(4, 4 + fixedLength)
  const extensions = readExtensions(new Reader(message.subarray(4 + fixedLength), "extensions"))
  edit(extensions)
  const body = new Writer().bytes(fixed)
  writeExtensions(extensions, body)
  return handshake(message[0]!, body.finish())
}

/** A Certificate of entries, each a certificate and its extensions. */
export function certificateOf(
  context: Uint8Array,
  entries: readonly { readonly data: Uint8Array; readonly extensions: readonly RawExtension[] }[],
): Uint8Array {
  const body = new Writer().vector8(context)
  body.vector24((list) => {
    for (const { data, extensions } of entries) {
      list.vector24(data)
      writeExtensions(extensions, list)
    }
  })
  return handshake(11, body.finish())
}

/* ---------------------------------------------------------------- extensions */

export function extension(name: ExtensionName | number, data: Uint8Array = new Uint8Array(0)): RawExtension {
  return { type: typeof name === "number" ? name : ExtensionType[name], data }
}

/** Puts an extension in the place of the one of its type, or before pre_shared_key at the end. */
export function setExtension(extensions: RawExtension[], name: ExtensionName | number, data: Uint8Array): void {
  const added = extension(name, data)
  const at = extensions.findIndex(({ type }) => type === added.type)
  if (at !== -1) extensions[at] = added
  else if (extensions.at(-1)?.type === ExtensionType.pre_shared_key) extensions.splice(-1, 0, added)
  else extensions.push(added)
}

export function removeExtension(extensions: RawExtension[], name: ExtensionName): void {
  const at = extensions.findIndex(({ type }) => type === ExtensionType[name])
  if (at === -1) throw new Error(`there is no ${name} to take away`)
  extensions.splice(at, 1)
}

/** extension_data of one that is there. */
export function extensionData(extensions: readonly RawExtension[], name: ExtensionName): Uint8Array {
  const found = extensions.find(({ type }) => type === ExtensionType[name])
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found.data
}

function readExtensions(reader: Reader): RawExtension[] {
  const block = new Reader(reader.vector16("extensions"), "extensions")
  const extensions: RawExtension[] = []
  while (block.remaining > 0) extensions.push({ type: block.uint16(), data: copyOf(block.vector16("extension_data")) })
  return extensions
}

function writeExtensions(extensions: readonly RawExtension[], writer: Writer): void {
  writer.vector16((block) => {
    for (const { type, data } of extensions) block.uint16(type).vector16(data)
  })
}

/** Bytes of the body before the extensions. */
function fixedLengthOf(message: Uint8Array): number {
  const reader = new Reader(message.subarray(4), "message")
  // CertificateRequest: the context. NewSessionTicket: lifetime, age_add, nonce, ticket. EncryptedExtensions: nothing.
  if (message[0] === 13) reader.vector8("certificate_request_context")
  else if (message[0] === 4) {
    reader.bytes(8)
    reader.vector8("ticket_nonce")
    reader.vector16("ticket")
  }
  return reader.position
}

// EncryptedExtensions: RFC 9846 section 4.4.1.

import type { Writer } from "../bytes/writer.ts"
import { decodeExtensions, type ExtensionsBlock, encodeExtensions } from "./extensions/block.ts"
import type { ExtensionTable } from "./extensions/codec.ts"
import type { EncryptedExtensionsExtensions } from "./extensions/messages.ts"
import { allExtensions } from "./extensions/table.ts"
import { decodeBody, encodeHandshake, type HandshakeMessage } from "./message.ts"

export function encodeEncryptedExtensions(extensions: EncryptedExtensionsExtensions): Uint8Array {
  const body = (writer: Writer) => encodeExtensions(extensions, "EE", writer, allExtensions)
  return encodeHandshake("encrypted_extensions", body, 64)
}

export function decodeEncryptedExtensions(message: HandshakeMessage): ExtensionsBlock<EncryptedExtensionsExtensions> {
  return decodeEncryptedExtensionsBy(allExtensions, message)
}

export function decodeEncryptedExtensionsBy(
  table: ExtensionTable,
  message: HandshakeMessage,
): ExtensionsBlock<EncryptedExtensionsExtensions> {
  return decodeBody(message, "EncryptedExtensions", (reader) =>
    decodeExtensions(reader.vector16("extensions"), "EE", "EncryptedExtensions", table),
  )
}

// Certificate: RFC 9846 section 4.5.1.

import { Reader } from "../bytes/reader.ts"
import type { Writer } from "../bytes/writer.ts"
import { decodeExtensions, encodeExtensions } from "./extensions/block.ts"
import type { ExtensionTable } from "./extensions/codec.ts"
import type { CertificateEntryExtensions } from "./extensions/messages.ts"
import { allExtensions } from "./extensions/table.ts"
import { decodeBody, encodeHandshake, type HandshakeMessage } from "./message.ts"

export interface CertificateEntry {
  /** A DER certificate, or a SubjectPublicKeyInfo for RawPublicKey: 1 to 2^24-1 bytes. */
  readonly data: Uint8Array
  readonly extensions: CertificateEntryExtensions
  readonly extensionTypes: readonly number[]
}

export interface Certificate {
  readonly certificateRequestContext: Uint8Array
  readonly certificateList: readonly CertificateEntry[]
}

export function encodeCertificate(
  context: Uint8Array,
  entries: readonly Pick<CertificateEntry, "data" | "extensions">[],
): Uint8Array {
  return encodeCertificateBy(allExtensions, context, entries)
}

export function encodeCertificateBy(
  table: ExtensionTable,
  context: Uint8Array,
  entries: readonly Pick<CertificateEntry, "data" | "extensions">[],
): Uint8Array {
  const capacity = entries.reduce((sum, { data }) => sum + data.length + 8, 16 + context.length)
  const body = (writer: Writer) => {
    writer.vector8(context)
    writer.vector24((list) => {
      for (const entry of entries) {
        list.vector24(entry.data)
        encodeExtensions(entry.extensions, "CT", list, table)
      }
    })
  }
  return encodeHandshake("certificate", body, capacity)
}

export function decodeCertificate(message: HandshakeMessage): Certificate {
  return decodeCertificateBy(allExtensions, message)
}

export function decodeCertificateBy(table: ExtensionTable, message: HandshakeMessage): Certificate {
  return decodeBody(message, "Certificate", (reader) => {
    const certificateRequestContext = reader.vector8("certificate_request_context")
    const list = new Reader(reader.vector24("certificate_list"), "Certificate.certificate_list")
    const certificateList: CertificateEntry[] = []
    while (list.remaining > 0) {
      const data = list.vector24("cert_data", 1)
      const { values, types } = decodeExtensions(list.vector16("extensions"), "CT", "CertificateEntry", table)
      certificateList.push({ data, extensions: values, extensionTypes: types })
    }
    return { certificateRequestContext, certificateList }
  })
}

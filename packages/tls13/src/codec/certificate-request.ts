// CertificateRequest: RFC 9846 section 4.4.2.

import { InvalidMessage } from "../bytes/errors.ts"
import { decodeExtensions, encodeExtensions } from "./extensions/block.ts"
import type { ExtensionTable } from "./extensions/codec.ts"
import type { CertificateRequestExtensions } from "./extensions/messages.ts"
import { allExtensions } from "./extensions/table.ts"
import { decodeBody, encodeHandshake, type HandshakeMessage } from "./message.ts"

export interface CertificateRequest {
  /** Empty in the main handshake; 1 to 255 bytes in post-handshake authentication. */
  readonly certificateRequestContext: Uint8Array
  readonly extensions: CertificateRequestExtensions & { readonly signature_algorithms: readonly number[] }
  readonly extensionTypes: readonly number[]
}

export function encodeCertificateRequest(
  context: Uint8Array,
  extensions: CertificateRequest["extensions"],
): Uint8Array {
  return encodeHandshake("certificate_request", (writer) => {
    writer.vector8(context)
    encodeExtensions(extensions, "CR", writer, allExtensions)
  })
}

export function decodeCertificateRequest(message: HandshakeMessage): CertificateRequest {
  return decodeCertificateRequestBy(allExtensions, message)
}

export function decodeCertificateRequestBy(table: ExtensionTable, message: HandshakeMessage): CertificateRequest {
  return decodeBody(message, "CertificateRequest", (reader) => {
    const certificateRequestContext = reader.vector8("certificate_request_context")
    const block = reader.vector16("extensions")
    const { values, types } = decodeExtensions(block, "CR", "CertificateRequest", table)
    const { signature_algorithms } = values
    // "The "signature_algorithms" extension MUST be specified"; missing_extension as section 9.2 and 6.2 name it.
    if (signature_algorithms === undefined) {
      throw new InvalidMessage("CertificateRequest lacks signature_algorithms", "missing_extension")
    }
    return { certificateRequestContext, extensions: { ...values, signature_algorithms }, extensionTypes: types }
  })
}

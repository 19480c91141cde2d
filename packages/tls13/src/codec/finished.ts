// Finished: RFC 9846 section 4.5.3.

import { decodeBody, encodeHandshake, type HandshakeMessage } from "./message.ts"

export function encodeFinished(verifyData: Uint8Array): Uint8Array {
  return encodeHandshake("finished", (writer) => writer.bytes(verifyData), 4 + verifyData.length)
}

/** verify_data: Hash.length bytes; another length is a decode_error. */
export function decodeFinished(message: HandshakeMessage, hashLength: number): Uint8Array {
  return decodeBody(message, "Finished", (reader) => reader.bytes(hashLength))
}

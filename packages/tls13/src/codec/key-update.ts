// KeyUpdate: RFC 9846 section 4.7.3, and EndOfEarlyData: section 4.6, which is empty.

import { InvalidMessage } from "../bytes/errors.ts"
import { decodeBody, encodeHandshake, type HandshakeMessage } from "./message.ts"

export type KeyUpdateRequest = "update_not_requested" | "update_requested"

export function encodeKeyUpdate(request: KeyUpdateRequest): Uint8Array {
  return encodeHandshake("key_update", (writer) => writer.uint8(request === "update_requested" ? 1 : 0))
}

export function decodeKeyUpdate(message: HandshakeMessage): KeyUpdateRequest {
  return decodeBody(message, "KeyUpdate", (reader) => {
    const value = reader.uint8()
    // "If an implementation receives any other value, it MUST terminate the connection with an "illegal_parameter" alert."
    if (value > 1) throw new InvalidMessage(`request_update is ${value}`, "illegal_parameter")
    return value === 1 ? "update_requested" : "update_not_requested"
  })
}

export function encodeEndOfEarlyData(): Uint8Array {
  return encodeHandshake("end_of_early_data", () => {})
}

export function decodeEndOfEarlyData(message: HandshakeMessage): void {
  decodeBody(message, "EndOfEarlyData", () => {})
}

// How a handshake message is called: as the stack's own trace does it.

import type { TraceEvent } from "@puremq/tls13"
import { codePointName, decodeServerHello, HandshakeType, handshakeMessage } from "@puremq/tls13/explore"

type MessageName = Extract<TraceEvent, { type: "message" }>["name"]

/** Never throws: a type that is not known has its number for a name. */
export function messageName(message: Uint8Array): MessageName {
  const name = codePointName(HandshakeType, message[0]!) as MessageName
  if (name !== "server_hello") return name
  try {
    return decodeServerHello(handshakeMessage(message)).kind === "hello_retry_request" ? "hello_retry_request" : name
  } catch {
    return name
  }
}

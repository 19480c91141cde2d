// START of RFC 9846 appendix A.2: ClientHello (section 4.2.2), the first and the second.

import { type ClientHello, decodeClientHello } from "../../codec/client-hello.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { checkClientHello, offeredVersions } from "./client-hello-rules.ts"
import type { ServerHandshake } from "./server.ts"

export interface ClientHelloRead {
  readonly hello: ClientHello
  readonly bytes: Uint8Array
}

/** @param which of this connection: the application is told of the first */
export function readClientHello(
  { link }: ServerHandshake,
  which: "first" | "second",
  message: HandshakeMessage,
): ClientHelloRead {
  const hello = decodeClientHello(message)
  if (which === "first") {
    link.offered({
      versions: offeredVersions(hello),
      serverName: hello.extensions.server_name,
      alpnProtocols: hello.extensions.application_layer_protocol_negotiation ?? [],
      cipherSuites: hello.cipherSuites,
      groups: hello.extensions.supported_groups ?? [],
      signatureSchemes: hello.extensions.signature_algorithms ?? [],
    })
  }
  checkClientHello(hello)
  return { hello, bytes: message.bytes }
}

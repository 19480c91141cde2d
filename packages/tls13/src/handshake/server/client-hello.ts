// START of RFC 9846 appendix A.2: ClientHello (section 4.2.2), the first and the second.

import { type ClientHello, decodeClientHello } from "../../codec/client-hello.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { checkClientHello, offeredVersions } from "./client-hello-rules.ts"
import type { ServerHandshake } from "./server.ts"

/** What the server answers: of an accepted encrypted one (RFC 9849) ClientHelloInner. */
export interface ClientHelloRead {
  readonly hello: ClientHello
  readonly bytes: Uint8Array
}

/** @param which of this connection: the application is told of the first */
export function readClientHello(
  { link, ech }: ServerHandshake,
  which: "first" | "second",
  received: HandshakeMessage,
): ClientHelloRead {
  const message = ech?.read(received) ?? received
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

// The client's answer to a CertificateRequest after the handshake: RFC 9846 section 4.7.2.

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import { decodeCertificateRequestBy } from "../../codec/certificate-request.ts"
import { postHandshakeAuth } from "../../codec/extensions/post-handshake-auth.ts"
import { encodeFinished } from "../../codec/finished.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { finishedMac } from "../../schedule/traffic.ts"
import type { Decides } from "../coroutine.ts"
import type { Client, ClientConnected, PostHandshakeAuthenticationFeature } from "./client.ts"

export const postHandshakeAuthentication: PostHandshakeAuthenticationFeature = {
  extensions: { post_handshake_auth: postHandshakeAuth },
  message: "certificate_request",
  // Without the offer of post_handshake_auth it is an unexpected_message.
  isDue: (_, { transcript }) => transcript !== undefined,
  take: authenticateLate,
}

/** "All of the client's messages for a given response MUST appear consecutively on the wire": they leave when all are made. */
function* authenticateLate(client: Client, connected: ClientConnected, message: HandshakeMessage): Decides<undefined> {
  const { link, features } = client
  const { suite, sending, certificateType } = connected
  const transcript = connected.transcript!.clone()
  transcript.add(message.bytes)
  const messages: Uint8Array[] = []
  const send = (name: HandshakeTypeName, bytes: Uint8Array) => {
    const composed = link.compose(name, bytes)
    messages.push(composed)
    return composed
  }
  yield* features.certificates!.answerRequest(
    client,
    decodeCertificateRequestBy(client.extensions, message),
    certificateType,
    transcript,
    send,
  )
  // Section 4.5: the Base Key is client_application_traffic_secret_N, of the keys that the answer goes out under.
  send("finished", encodeFinished(finishedMac(suite.hash, sending.secret, transcript.hash())))
  link.queue(...messages)
}

// CONNECTED of RFC 9846 appendix A.1: NewSessionTicket (section 4.7.1), CertificateRequest (section 4.7.2) and KeyUpdate
// (section 4.7.3) come in, in any order.

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import { copyOf } from "../../bytes/copy.ts"
import { decodeCertificateRequest } from "../../codec/certificate-request.ts"
import { encodeFinished } from "../../codec/finished.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { decodeNewSessionTicket } from "../../codec/new-session-ticket.ts"
import { finishedMac, resumptionPsk } from "../../schedule/traffic.ts"
import { longestTicketLifetime } from "../../session/session.ts"
import type { Decides } from "../coroutine.ts"
import { receiveKeyUpdate } from "../key-update.ts"
import type { PostHandshakeRow } from "../post-handshake.ts"
import { authenticate } from "./authenticate.ts"
import type { Client } from "./client.ts"
import type { ClientConnected } from "./connected.ts"

export const clientPostHandshake: readonly PostHandshakeRow<"client", Client, ClientConnected>[] = [
  { message: "new_session_ticket", take: rememberTicket },
  { message: "key_update", take: ({ link }, connected, message) => receiveKeyUpdate(link, connected, message) },
  {
    message: "certificate_request",
    // Without the offer of post_handshake_auth it is an unexpected_message.
    isDue: (_, { transcript }) => transcript !== undefined,
    take: authenticateLate,
  },
]

function rememberTicket({ link, settings }: Client, connected: ClientConnected, message: HandshakeMessage): undefined {
  const { suite, resumptionSecret, forTickets } = connected
  const ticket = decodeNewSessionTicket(message)
  // "Clients which receive a NewSessionTicket message but do not support resumption MUST silently ignore this message."
  // "The value of zero indicates that the ticket should be discarded immediately."
  if (settings.sessionStore === undefined || ticket.ticketLifetime === 0) return
  const session = {
    ...forTickets.peer,
    alpnProtocol: forTickets.alpnProtocol,
    cipherSuite: suite.code,
    psk: resumptionPsk(suite.hash, resumptionSecret, ticket.ticketNonce),
    ticket: copyOf(ticket.ticket),
    issuedAt: link.now,
    ticketLifetime: Math.min(ticket.ticketLifetime, longestTicketLifetime),
    ticketAgeAdd: ticket.ticketAgeAdd,
    maxEarlyDataSize: ticket.extensions.early_data ?? 0,
    serverName: settings.serverName,
    partition: settings.resumptionPartition,
  }
  settings.sessionStore.put(settings.sessionKey, session)
  link.ticketReceived(session)
}

/** "All of the client's messages for a given response MUST appear consecutively on the wire": they leave when all are made. */
function* authenticateLate(client: Client, connected: ClientConnected, message: HandshakeMessage): Decides<undefined> {
  const { link } = client
  const { suite, sending, certificateType } = connected
  const transcript = connected.transcript!.clone()
  transcript.add(message.bytes)
  const messages: Uint8Array[] = []
  const send = (name: HandshakeTypeName, bytes: Uint8Array) => {
    const composed = link.compose(name, bytes)
    messages.push(composed)
    return composed
  }
  yield* authenticate(client, decodeCertificateRequest(message), certificateType, transcript, send)
  // Section 4.5: the Base Key is client_application_traffic_secret_N, of the keys that the answer goes out under.
  send("finished", encodeFinished(finishedMac(suite.hash, sending.secret, transcript.hash())))
  link.queue(...messages)
}

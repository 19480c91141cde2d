// CONNECTED of RFC 9846 appendix A.1: NewSessionTicket (section 4.7.1), CertificateRequest (section 4.7.2) and KeyUpdate
// (section 4.7.3) come in, in any order.

import { receiveKeyUpdate } from "../key-update.ts"
import type { PostHandshakeRow } from "../post-handshake.ts"
import type { Client, ClientConnected, ClientFeatures } from "./client.ts"

const usual: readonly PostHandshakeRow<"client", Client, ClientConnected>[] = [
  {
    message: "new_session_ticket",
    // "Clients which receive a NewSessionTicket message but do not support resumption MUST silently ignore this message."
    take: (client, connected, message) => client.features.preSharedKeys?.takeTicket(client, connected, message),
  },
  { message: "key_update", take: ({ link }, connected, message) => receiveKeyUpdate(link, connected, message) },
]

export function clientPostHandshake({
  postHandshakeAuthentication: authentication,
}: ClientFeatures): readonly PostHandshakeRow<"client", Client, ClientConnected>[] {
  return authentication === undefined ? usual : [...usual, authentication]
}

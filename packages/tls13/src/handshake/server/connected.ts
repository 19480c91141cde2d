// CONNECTED of RFC 9846 appendix A.2: NewSessionTicket (section 4.7.1) goes out, KeyUpdate comes in.

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { encodeNewSessionTicket } from "../../codec/new-session-ticket.ts"
import { resumptionPsk } from "../../schedule/traffic.ts"
import { type ApplicationSecrets, Connected, type Proofs } from "../connected.ts"
import type { ClientAuthentication } from "../proofs.ts"
import type { ServerHandshake } from "./expect-client-hello.ts"
import { pskModes } from "./psk-selection.ts"
import type { Flight } from "./server-flight.ts"

export class ServerConnected extends Connected<ClientAuthentication> {
  readonly accepts: readonly HandshakeTypeName[] = ["key_update"]

  constructor(
    server: ServerHandshake,
    flight: Flight,
    secrets: ApplicationSecrets,
    resumptionSecret: Uint8Array,
    proofs: Proofs<ClientAuthentication>,
  ) {
    super("server", server.link, flight.suite, secrets, proofs)
    const { peer } = proofs
    const { hello, psk, group, suite, alpnProtocol, earlyData, retry, certificateTypes } = flight
    const peerChain = peerChainOf(peer)
    server.link.connected({
      protocol: "TLSv1.3",
      cipherSuite: suite.name,
      group: group?.name,
      peerSignatureScheme: peer.by === "certificate" ? peer.signature.scheme.name : undefined,
      alpnProtocol,
      serverName: hello.extensions.server_name,
      authentication: peer.by,
      resumed: psk?.session !== undefined,
      pskIdentity: psk !== undefined && psk.session === undefined ? psk.identity.slice() : undefined,
      helloRetryRequest: retry !== undefined,
      earlyData: retry?.first.extensions.early_data ? "rejected" : earlyData,
      peer: peer.by === "certificate" ? peer.signature.identity : undefined,
      peerChain,
      peerCertificateType: certificateTypes.client,
    })
    sendTickets(server, flight, resumptionSecret, peerChain)
    resumptionSecret.fill(0)
  }

  receive(message: HandshakeMessage): this {
    return this.receiveKeyUpdate(message)
  }
}

function peerChainOf(peer: ClientAuthentication): readonly Uint8Array[] {
  if (peer.by === "certificate") return peer.signature.identity.chain
  return peer.by === "psk" ? peer.psk.peerChain : []
}

/** Only to a client that can resume with a key exchange: "servers MUST NOT ... select a key exchange mode that is not listed" (section 4.3.9). */
function sendTickets(
  { link, settings }: ServerHandshake,
  { hello, suite, alpnProtocol, psk }: Flight,
  resumptionSecret: Uint8Array,
  peerChain: readonly Uint8Array[],
): void {
  const { ticketer, earlyData, ticketLifetime } = settings
  const modes = pskModes(hello, settings)
  if (ticketer === undefined || !(modes.dhe || modes.pskOnly)) return
  for (let number = 0; number < settings.tickets; number++) {
    const ticketNonce = Uint8Array.of(number)
    const ageAdd = link.random(4)
    const ticketAgeAdd = ((ageAdd[0]! << 24) | (ageAdd[1]! << 16) | (ageAdd[2]! << 8) | ageAdd[3]!) >>> 0
    const maxEarlyDataSize = earlyData?.maxBytes ?? 0
    const session = {
      cipherSuite: suite.code,
      psk: resumptionPsk(suite.hash, resumptionSecret, ticketNonce),
      issuedAt: link.now,
      ticketLifetime,
      ticketAgeAdd,
      maxEarlyDataSize,
      alpnProtocol,
      serverName: hello.extensions.server_name,
      peerChain,
      partition: settings.partition,
      authenticatedAt: psk?.session?.authenticatedAt ?? link.now,
    }
    const ticket = ticketer.seal(session, link.now)
    session.psk.fill(0)
    if (ticket === undefined) return
    const extensions = maxEarlyDataSize > 0 ? { early_data: maxEarlyDataSize } : {}
    link.send(
      "new_session_ticket",
      encodeNewSessionTicket({ ticketLifetime, ticketAgeAdd, ticketNonce, ticket, extensions }),
    )
  }
}

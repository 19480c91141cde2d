// CONNECTED of RFC 9846 appendix A.1: NewSessionTicket (section 4.7.1) and KeyUpdate.

import { codePointName, HandshakeType, type HandshakeTypeName, NamedGroup } from "../../bytes/code-points.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { decodeNewSessionTicket } from "../../codec/new-session-ticket.ts"
import { resumptionPsk } from "../../schedule/traffic.ts"
import { longestTicketLifetime } from "../../session/session.ts"
import { type ApplicationSecrets, Connected, type Proofs } from "../connected.ts"
import type { PeerAuthentication } from "../proofs.ts"
import type { ClientHandshake } from "./client-hello.ts"
import type { ServerParametersAgreed } from "./expect-encrypted-extensions.ts"

/** What a ticket remembers of this connection. */
type ForTickets = {
  readonly alpnProtocol: string | undefined
  readonly peerChain: readonly Uint8Array[]
  readonly authenticatedAt: number
}

export class ClientConnected extends Connected<PeerAuthentication> {
  readonly accepts: readonly HandshakeTypeName[] = ["new_session_ticket", "key_update"]
  readonly #client: ClientHandshake
  readonly #resumptionSecret: Uint8Array
  readonly #forTickets: ForTickets

  constructor(
    client: ClientHandshake,
    agreed: ServerParametersAgreed,
    secrets: ApplicationSecrets,
    resumptionSecret: Uint8Array,
    proofs: Proofs<PeerAuthentication>,
  ) {
    super("client", client.link, agreed.suite, secrets, proofs)
    const { peer } = proofs
    const { alpnProtocol, offer, selected, group, suite, earlyData, certificateTypes } = agreed
    const identity = peer.by === "certificate" ? peer.signature.identity : undefined
    const peerChain = peer.by === "certificate" ? peer.signature.identity.chain : peer.psk.peerChain
    this.#client = client
    this.#resumptionSecret = resumptionSecret
    this.#forTickets = {
      alpnProtocol,
      peerChain,
      authenticatedAt: selected?.psk.session?.authenticatedAt ?? client.link.now,
    }
    client.link.connected({
      protocol: "TLSv1.3",
      cipherSuite: suite.name,
      group: group === undefined ? undefined : codePointName(NamedGroup, group),
      peerSignatureScheme: peer.by === "certificate" ? peer.signature.scheme.name : undefined,
      alpnProtocol,
      serverName: client.settings.serverName,
      authentication: peer.by,
      resumed: selected?.psk.session !== undefined,
      pskIdentity: selected !== undefined && selected.psk.session === undefined ? selected.psk.identity : undefined,
      helloRetryRequest: offer.retry !== undefined,
      earlyData,
      peer: identity,
      peerChain,
      peerCertificateType: certificateTypes.server,
    })
  }

  receive(message: HandshakeMessage): this {
    if (message.type === HandshakeType.key_update) return this.receiveKeyUpdate(message)
    this.#remember(message)
    return this
  }

  override wipe(): void {
    super.wipe()
    this.#resumptionSecret.fill(0)
  }

  #remember(message: HandshakeMessage): void {
    const { link, settings } = this.#client
    const ticket = decodeNewSessionTicket(message)
    // "Clients which receive a NewSessionTicket message but do not support resumption MUST silently ignore this message."
    // "The value of zero indicates that the ticket should be discarded immediately."
    if (settings.sessions === undefined || ticket.ticketLifetime === 0) return
    const session = {
      ...this.#forTickets,
      cipherSuite: this.suite.code,
      psk: resumptionPsk(this.suite.hash, this.#resumptionSecret, ticket.ticketNonce),
      ticket: ticket.ticket.slice(),
      issuedAt: link.now,
      ticketLifetime: Math.min(ticket.ticketLifetime, longestTicketLifetime),
      ticketAgeAdd: ticket.ticketAgeAdd,
      maxEarlyDataSize: ticket.extensions.early_data ?? 0,
      serverName: settings.referenceName,
      partition: settings.partition,
    }
    settings.sessions.store.put(settings.sessions.key, session)
    link.ticketReceived(session)
  }
}

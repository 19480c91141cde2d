// CONNECTED of RFC 9846 appendix A.1: NewSessionTicket (section 4.7.1), KeyUpdate and CertificateRequest (section 4.7.2).

import { codePointName, HandshakeType, type HandshakeTypeName, NamedGroup } from "../../bytes/code-points.ts"
import { copyOf } from "../../bytes/copy.ts"
import { decodeCertificateRequest } from "../../codec/certificate-request.ts"
import { encodeFinished } from "../../codec/finished.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { decodeNewSessionTicket } from "../../codec/new-session-ticket.ts"
import { finishedMac, resumptionPsk } from "../../schedule/traffic.ts"
import type { Transcript } from "../../schedule/transcript.ts"
import { longestTicketLifetime } from "../../session/session.ts"
import type { CertificateType } from "../../x509/interfaces.ts"
import { type ApplicationSecrets, Connected, type Proofs } from "../connected.ts"
import type { PeerAuthentication } from "../proofs.ts"
import { authenticatedPeer, type SessionPeer, unsignedPeer } from "../session-peer.ts"
import type { Transition } from "../state.ts"
import { authenticate } from "./authenticate.ts"
import type { ClientHandshake } from "./client-hello.ts"
import type { ServerParametersAgreed } from "./expect-encrypted-extensions.ts"

/** What a ticket remembers of this connection. */
type ForTickets = SessionPeer & { readonly alpnProtocol: string | undefined }

export class ClientConnected extends Connected<PeerAuthentication> {
  readonly accepts: readonly HandshakeTypeName[]
  readonly #client: ClientHandshake
  readonly #resumptionSecret: Uint8Array
  readonly #forTickets: ForTickets
  readonly #certificateType: CertificateType
  /** ClientHello ... client Finished, when the server may ask for a certificate later; undefined: it may not. */
  readonly #handshake: Transcript | undefined

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
    const sessionPeer =
      peer.by === "certificate"
        ? authenticatedPeer(peer.signature.identity, client.link.now)
        : unsignedPeer(selected?.psk, client.link.now)
    this.#client = client
    this.#resumptionSecret = resumptionSecret
    this.#certificateType = certificateTypes.client
    // Section 4.4.2: no CertificateRequest where an external PSK authenticates, "post-handshake" neither.
    const isExternalPsk = selected !== undefined && selected.psk.session === undefined
    this.#handshake = offer.hello.extensions.post_handshake_auth && !isExternalPsk ? agreed.transcript : undefined
    // Section 4.7.2: without the offer, CertificateRequest is an unexpected_message.
    this.accepts = this.#handshake
      ? ["new_session_ticket", "key_update", "certificate_request"]
      : ["new_session_ticket", "key_update"]
    this.#forTickets = { ...sessionPeer, alpnProtocol }
    client.link.connected({
      protocol: "TLSv1.3",
      cipherSuite: suite.name,
      group: group === undefined ? undefined : codePointName(NamedGroup, group),
      peerSignatureScheme: peer.by === "certificate" ? peer.signature.scheme.name : undefined,
      alpnProtocol,
      serverName: client.settings.serverName,
      authentication: peer.by,
      resumed: selected?.psk.session !== undefined,
      pskIdentity: sessionPeer.pskIdentity,
      helloRetryRequest: offer.retry !== undefined,
      earlyData,
      peer: peer.by === "certificate" ? peer.signature.identity : selected?.psk.peer,
      peerChain: sessionPeer.peerChain,
      peerCertificateType: selected?.psk.session?.peerCertificateType ?? certificateTypes.server,
    })
  }

  receive(message: HandshakeMessage): Transition {
    switch (message.type) {
      case HandshakeType.key_update:
        return this.receiveKeyUpdate(message)
      case HandshakeType.certificate_request:
        return this.#authenticate(message)
      default:
        this.#remember(message)
        return this
    }
  }

  /** "All of the client's messages for a given response MUST appear consecutively on the wire": they leave when all are made. */
  #authenticate(message: HandshakeMessage): Transition {
    const { link } = this.#client
    const transcript = this.#handshake!.clone()
    transcript.add(message.bytes)
    const messages: Uint8Array[] = []
    const send = (name: HandshakeTypeName, bytes: Uint8Array) => {
      const composed = link.compose(name, bytes)
      messages.push(composed)
      return composed
    }
    const asked = {
      request: decodeCertificateRequest(message),
      certificateType: this.#certificateType,
      transcript,
      send,
    }
    return authenticate(this.#client, asked, () => {
      // Section 4.5: the Base Key is client_application_traffic_secret_N, of the keys that the answer goes out under.
      send("finished", encodeFinished(finishedMac(this.suite.hash, this.sending.secret, transcript.hash())))
      link.queue(...messages)
      return this
    })
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
      ticket: copyOf(ticket.ticket),
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

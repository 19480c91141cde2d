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
import type { Decides } from "../coroutine.ts"
import type { HandshakeInfo } from "../info.ts"
import type { PeerAuthentication } from "../proofs.ts"
import { authenticatedPeer, type SessionPeer, unsignedPeer } from "../session-peer.ts"
import { authenticate } from "./authenticate.ts"
import type { Client } from "./client.ts"
import type { ClientOffer } from "./client-hello.ts"
import type { ServerParameters } from "./encrypted-extensions.ts"

/** What a ticket remembers of this connection. */
type ForTickets = SessionPeer & { readonly alpnProtocol: string | undefined }

/** What a finished handshake is told as. */
export function describeHandshake(
  { link, settings }: Client,
  offer: ClientOffer,
  agreed: ServerParameters,
  peer: PeerAuthentication,
): HandshakeInfo {
  const { alpnProtocol, selected, group, suite, earlyData, certificateTypes } = agreed
  const { pskIdentity, peerChain } = sessionPeerOf(peer, agreed, link.now)
  return {
    protocol: "TLSv1.3",
    cipherSuite: suite.name,
    group: group === undefined ? undefined : codePointName(NamedGroup, group),
    peerSignatureScheme: peer.by === "certificate" ? peer.signature.scheme.name : undefined,
    alpnProtocol,
    serverName: settings.serverName,
    authentication: peer.by,
    resumed: selected?.psk.session !== undefined,
    pskIdentity,
    helloRetryRequest: offer.retry !== undefined,
    earlyData,
    peer: peer.by === "certificate" ? peer.signature.identity : selected?.psk.peer,
    peerChain,
    peerCertificateType: selected?.psk.session?.peerCertificateType ?? certificateTypes.server,
  }
}

function sessionPeerOf(peer: PeerAuthentication, { selected }: ServerParameters, now: number): SessionPeer {
  return peer.by === "certificate" ? authenticatedPeer(peer.signature.identity, now) : unsignedPeer(selected?.psk, now)
}

export class ClientConnected extends Connected<PeerAuthentication> {
  readonly accepts: readonly HandshakeTypeName[]
  readonly #client: Client
  readonly #resumptionSecret: Uint8Array
  readonly #forTickets: ForTickets
  readonly #certificateType: CertificateType
  /** ClientHello ... client Finished, when the server may ask for a certificate later; undefined: it may not. */
  readonly #handshake: Transcript | undefined

  /** @param secrets become its own, and so does `resumptionSecret` */
  constructor(
    client: Client,
    offer: ClientOffer,
    agreed: ServerParameters,
    secrets: ApplicationSecrets,
    resumptionSecret: Uint8Array,
    proofs: Proofs<PeerAuthentication>,
  ) {
    super("client", client.link, agreed.suite, secrets, proofs)
    const { alpnProtocol, selected, certificateTypes } = agreed
    // No more of the handshake than what comes after it needs.
    this.#client = { link: client.link, settings: client.settings }
    this.#resumptionSecret = resumptionSecret
    this.#certificateType = certificateTypes.client
    // Section 4.4.2: no CertificateRequest where an external PSK authenticates, "post-handshake" neither.
    const isExternalPsk = selected !== undefined && selected.psk.session === undefined
    this.#handshake = offer.hello.extensions.post_handshake_auth && !isExternalPsk ? agreed.transcript : undefined
    // Section 4.7.2: without the offer, CertificateRequest is an unexpected_message.
    this.accepts = this.#handshake
      ? ["new_session_ticket", "key_update", "certificate_request"]
      : ["new_session_ticket", "key_update"]
    this.#forTickets = { ...sessionPeerOf(proofs.peer, agreed, client.link.now), alpnProtocol }
  }

  *receive(message: HandshakeMessage): Decides<void> {
    if (message.type === HandshakeType.key_update) this.receiveKeyUpdate(message)
    else if (message.type === HandshakeType.certificate_request) yield* this.#authenticate(message)
    else this.#remember(message)
  }

  /** "All of the client's messages for a given response MUST appear consecutively on the wire": they leave when all are made. */
  *#authenticate(message: HandshakeMessage): Decides<void> {
    const { link } = this.#client
    const transcript = this.#handshake!.clone()
    transcript.add(message.bytes)
    const messages: Uint8Array[] = []
    const send = (name: HandshakeTypeName, bytes: Uint8Array) => {
      const composed = link.compose(name, bytes)
      messages.push(composed)
      return composed
    }
    yield* authenticate(this.#client, decodeCertificateRequest(message), this.#certificateType, transcript, send)
    // Section 4.5: the Base Key is client_application_traffic_secret_N, of the keys that the answer goes out under.
    send("finished", encodeFinished(finishedMac(this.suite.hash, this.sending.secret, transcript.hash())))
    link.queue(...messages)
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

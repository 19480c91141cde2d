// CONNECTED of RFC 9846 appendix A.2: NewSessionTicket (section 4.7.1) and CertificateRequest (section 4.7.2) go out, KeyUpdate
// and the client's authentication come in.

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import { HandshakeType } from "../../bytes/code-points.ts"
import { Misuse } from "../../bytes/errors.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { type ApplicationSecrets, Connected, type Proofs } from "../connected.ts"
import type { Decides } from "../coroutine.ts"
import type { HandshakeInfo } from "../info.ts"
import type { ClientAuthentication } from "../proofs.ts"
import { authenticatedPeer, type SessionPeer, unsignedPeer } from "../session-peer.ts"
import { PostHandshakeAuthentication } from "./post-handshake.ts"
import type { Server } from "./server.ts"
import type { Flight } from "./server-flight.ts"
import type { TicketIssuer } from "./tickets.ts"

/** What a finished handshake is told as. */
export function describeHandshake({ link }: Server, flight: Flight, peer: ClientAuthentication): HandshakeInfo {
  const { hello, psk, group, suite, alpnProtocol, earlyData, retry, certificateTypes } = flight
  const sessionPeer = sessionPeerOf(peer, flight, link.now)
  return {
    protocol: "TLSv1.3",
    cipherSuite: suite.name,
    group: group?.name,
    peerSignatureScheme: peer.by === "certificate" ? peer.signature.scheme.name : undefined,
    alpnProtocol,
    serverName: hello.extensions.server_name,
    authentication: authenticationOf(peer, sessionPeer),
    resumed: psk?.session !== undefined,
    pskIdentity: sessionPeer.pskIdentity,
    helloRetryRequest: retry !== undefined,
    earlyData: retry?.offersEarlyData ? "rejected" : earlyData,
    peer: peer.by === "certificate" ? peer.signature.identity : psk?.peer,
    peerChain: sessionPeer.peerChain,
    peerCertificateType: psk?.session?.peerCertificateType ?? certificateTypes.client,
  }
}

export function sessionPeerOf(peer: ClientAuthentication, { psk }: Flight, now: number): SessionPeer {
  return peer.by === "certificate" ? authenticatedPeer(peer.signature.identity, now) : unsignedPeer(psk, now)
}

export class ServerConnected extends Connected<ClientAuthentication> {
  /** What asking for a certificate needs; undefined: this client may not be asked. An idle connection keeps no more of its handshake. */
  readonly #authentication: PostHandshakeAuthentication | undefined

  /** @param secrets become its own; `tickets` too when it will issue more of them */
  constructor(
    server: Server,
    flight: Flight,
    secrets: ApplicationSecrets,
    tickets: TicketIssuer,
    proofs: Proofs<ClientAuthentication>,
  ) {
    super("server", server.link, flight.suite, secrets, proofs)
    this.#authentication = mayAskLater(server, flight)
      ? new PostHandshakeAuthentication(server, flight, tickets)
      : undefined
  }

  /** After a client has authenticated late, that is. */
  get mayIssueTickets(): boolean {
    return this.#authentication !== undefined
  }

  get accepts(): readonly HandshakeTypeName[] {
    if (this.isMidAnswer) return this.#authentication!.accepts
    return ["key_update", ...(this.#authentication?.accepts ?? [])]
  }

  override get isMidAnswer(): boolean {
    return this.#authentication?.isMidAnswer ?? false
  }

  *receive(message: HandshakeMessage): Decides<void> {
    if (message.type === HandshakeType.key_update) this.receiveKeyUpdate(message)
    else yield* this.#authentication!.receive(message, this.receiving.secret)
  }

  /** Section 4.7.2. @throws Misuse when this client may not be asked, or is asked too often */
  requestCertificate(): void {
    if (this.#authentication === undefined) {
      throw new Misuse(
        "this client cannot be asked for a certificate: it did not offer post_handshake_auth, has an external PSK, or agreed " +
          "on no certificate type with this server; or the server has no clientAuthentication",
      )
    }
    this.#authentication.request()
  }

  override wipe(): void {
    super.wipe()
    this.#authentication?.wipe()
  }
}

/** Resuming proves that it is the client of the first connection: one that was nobody then is nobody now. */
function authenticationOf({ by }: ClientAuthentication, { peerChain, pskIdentity }: SessionPeer) {
  return by === "psk" && peerChain.length === 0 && pskIdentity === undefined ? "none" : by
}

/**
 * Sections 4.3.6 and 4.4.2: the client has offered it, and no external PSK authenticates. RFC 7250: what it would show is of a
 * type that is taken here; where none was agreed it is X.509.
 */
function mayAskLater({ settings }: Server, { hello, psk, certificateTypes }: Flight): boolean {
  const isExternalPsk = psk !== undefined && psk.session === undefined
  return (
    settings.clientAuthentication !== undefined &&
    hello.extensions.post_handshake_auth === true &&
    !isExternalPsk &&
    settings.certificateTypes.client.includes(certificateTypes.client)
  )
}

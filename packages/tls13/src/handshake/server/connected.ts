// What the server's handshake leaves behind, and what the application is told of it.

import type { Transcript } from "../../schedule/transcript.ts"
import type { CertificateType, Credential } from "../../x509/interfaces.ts"
import type { PeerCertificate } from "../authentication.ts"
import { type ApplicationSecrets, type Connected, connectedOf, type Proofs } from "../connected.ts"
import type { HandshakeInfo } from "../info.ts"
import type { ClientAuthentication, PeerSignatureVerified } from "../proofs.ts"
import { authenticatedPeer, type SessionPeer, unsignedPeer } from "../session-peer.ts"
import type { Server } from "./server.ts"
import type { Flight } from "./server-flight.ts"
import type { Tickets } from "./tickets.ts"

/** A CertificateRequest that was sent after the handshake (section 4.7.2). */
export interface LateRequest {
  readonly context: Uint8Array
  /** ClientHello...client Finished, CertificateRequest; then what the client answers. */
  readonly transcript: Transcript
}

/** How far the client's answer is that is coming in. */
export type LateAnswer =
  | { readonly next: "certificate_verify"; readonly request: LateRequest; readonly certificate: PeerCertificate }
  | { readonly next: "finished"; readonly request: LateRequest; readonly signature: PeerSignatureVerified | undefined }

export interface ServerConnected extends Connected<ClientAuthentication> {
  answer: LateAnswer | undefined
  /** What asking for a certificate needs; undefined: this client may not be asked. */
  readonly late: LateAuthentication | undefined
}

/** Client authentication after the handshake. */
export interface LateAuthentication {
  readonly certificateType: CertificateType
  /** ClientHello...client Finished */
  readonly transcript: Transcript
  /** For "a new ticket after post-handshake authentication". */
  readonly tickets: Tickets
  /** Those that wait for their answer. */
  requests: readonly LateRequest[]
}

/** @param secrets become its own, and so does `resumptionSecret` where the client may be asked for a certificate later */
export function serverConnected(
  server: Server,
  flight: Flight,
  secrets: ApplicationSecrets,
  tickets: Tickets,
  resumptionSecret: Uint8Array,
  proofs: Proofs<ClientAuthentication>,
): ServerConnected {
  const { suite, transcript, certificateTypes } = flight
  const mayAsk = mayAskLater(server, flight)
  const { exporterSecret, sending, receiving } = connectedOf("server", secrets)
  return {
    proofs,
    suite,
    exporterSecret,
    sending,
    receiving,
    keyUpdateOwed: false,
    keyUpdateAwaited: false,
    answer: undefined,
    resumptionSecret: mayAsk ? resumptionSecret : undefined,
    late: mayAsk ? { certificateType: certificateTypes.client, transcript, tickets, requests: [] } : undefined,
  }
}

/** What a finished handshake is told as. */
export function describeHandshake(
  { link }: Server,
  flight: Flight,
  own: Credential | undefined,
  peer: ClientAuthentication,
): HandshakeInfo {
  const { hello, psk, group, suite, alpnProtocol, earlyData, retry, ech, certificateTypes } = flight
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
    encryptedClientHello: ech?.verdict ?? "not offered",
    delegated: own?.delegated && true,
    peer: peer.by === "certificate" ? peer.signature.identity : psk?.peer,
    peerChain: sessionPeer.peerChain,
    peerCertificateType: psk?.session?.peerCertificateType ?? certificateTypes.client,
  }
}

export function sessionPeerOf(peer: ClientAuthentication, { psk }: Flight, now: number): SessionPeer {
  return peer.by === "certificate" ? authenticatedPeer(peer.signature.identity, now) : unsignedPeer(psk, now)
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

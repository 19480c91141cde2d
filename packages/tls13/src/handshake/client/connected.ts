// What the client's handshake leaves behind, and what the application is told of it.

import { codePointName, NamedGroup } from "../../bytes/code-points.ts"
import type { Transcript } from "../../schedule/transcript.ts"
import type { CertificateType } from "../../x509/interfaces.ts"
import { type ApplicationSecrets, type Connected, connectedOf, type Proofs } from "../connected.ts"
import type { HandshakeInfo } from "../info.ts"
import type { PeerAuthentication } from "../proofs.ts"
import { authenticatedPeer, type SessionPeer, unsignedPeer } from "../session-peer.ts"
import type { Client } from "./client.ts"
import type { ClientOffer } from "./client-hello.ts"
import type { ServerParameters } from "./encrypted-extensions.ts"

export interface ClientConnected extends Connected<PeerAuthentication> {
  readonly resumptionSecret: Uint8Array
  /** What a ticket remembers of this connection. */
  readonly forTickets: { readonly peer: SessionPeer; readonly alpnProtocol: string | undefined }
  readonly certificateType: CertificateType
  /** ClientHello...client Finished, when the server may ask for a certificate later; undefined: it may not. */
  readonly transcript: Transcript | undefined
}

/** @param secrets become its own, and so does `resumptionSecret` */
export function clientConnected(
  { link }: Client,
  { hello }: ClientOffer,
  agreed: ServerParameters,
  secrets: ApplicationSecrets,
  resumptionSecret: Uint8Array,
  proofs: Proofs<PeerAuthentication>,
): ClientConnected {
  const { suite, alpnProtocol, selected, certificateTypes, transcript } = agreed
  // Section 4.4.2: no CertificateRequest where an external PSK authenticates, "post-handshake" neither.
  const isExternalPsk = selected !== undefined && selected.psk.session === undefined
  const { exporterSecret, sending, receiving } = connectedOf("client", secrets)
  // Written out: what is made by a spread takes several times the memory, for as long as the connection lasts.
  return {
    proofs,
    suite,
    exporterSecret,
    sending,
    receiving,
    keyUpdateOwed: false,
    keyUpdateAwaited: false,
    answer: undefined,
    resumptionSecret,
    forTickets: { peer: sessionPeerOf(proofs.peer, agreed, link.now), alpnProtocol },
    certificateType: certificateTypes.client,
    transcript: hello.extensions.post_handshake_auth && !isExternalPsk ? transcript : undefined,
  }
}

/** What a finished handshake is told as. */
export function describeHandshake(
  { link }: Client,
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
    serverName: offer.hello.extensions.server_name,
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

// What the client's handshake leaves behind, and what the application is told of it.

import { copyOf } from "../../bytes/copy.ts"
import type { Credential } from "../../x509/interfaces.ts"
import { type ApplicationSecrets, connectedOf, type Proofs } from "../connected.ts"
import type { HandshakeInfo } from "../info.ts"
import type { PeerAuthentication } from "../proofs.ts"
import type { Client, ClientConnected, ClientOffer, ServerParameters } from "./client.ts"

/** @param secrets become its own, and so does `resumptionSecret` */
export function clientConnected(
  { link, features }: Client,
  { hello }: ClientOffer,
  agreed: ServerParameters,
  secrets: ApplicationSecrets,
  resumptionSecret: Uint8Array,
  proofs: Proofs<PeerAuthentication>,
): ClientConnected {
  const { suite, selected, certificateTypes, transcript } = agreed
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
    forTickets: features.preSharedKeys?.forTickets(proofs.peer, agreed, link.now),
    certificateType: certificateTypes.client,
    transcript: hello.extensions.post_handshake_auth && !isExternalPsk ? transcript : undefined,
  }
}

/** What a finished handshake is told as. */
export function describeHandshake(
  offer: ClientOffer,
  agreed: ServerParameters,
  own: Credential | undefined,
  peer: PeerAuthentication,
): HandshakeInfo {
  const { alpnProtocol, selected, group, suite, earlyData, certificateTypes } = agreed
  const psk = selected?.psk
  const session = psk?.session
  return {
    protocol: "TLSv1.3",
    cipherSuite: suite.name,
    group,
    peerSignatureScheme: peer.by === "certificate" ? peer.signature.scheme.name : undefined,
    alpnProtocol,
    serverName: offer.hello.extensions.server_name,
    authentication: peer.by,
    resumed: session !== undefined,
    pskIdentity: psk && (session === undefined ? copyOf(psk.identity) : session.pskIdentity),
    helloRetryRequest: offer.retry !== undefined,
    earlyData,
    encryptedClientHello: offer.ech?.verdict ?? "not offered",
    peer: peer.by === "certificate" ? peer.signature.identity : psk?.peer,
    peerChain: peer.by === "certificate" ? peer.signature.identity.chain : (session?.peerChain ?? []),
    peerCertificateType: session?.peerCertificateType ?? certificateTypes.server,
    delegated: own?.delegated && true,
  }
}

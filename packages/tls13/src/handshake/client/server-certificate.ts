// WAIT_CERT and WAIT_CV of RFC 9846 appendix A.1: the server's Certificate (section 4.5.1) and CertificateVerify (section 4.5.2).

import { InvalidMessage, PeerIncompatible } from "../../bytes/errors.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import type { Transcript } from "../../schedule/transcript.ts"
import { authenticatePeer, type PeerCertificate, readCertificate, readCertificateVerify } from "../authentication.ts"
import type { Decides } from "../coroutine.ts"
import type { PeerSignatureVerified } from "../proofs.ts"
import type { ClientHandshake } from "./client.ts"
import type { ClientOffer } from "./client-hello.ts"
import type { ServerParameters } from "./encrypted-extensions.ts"

const noContext = new Uint8Array(0)

export function readServerCertificate(
  { settings }: ClientHandshake,
  offer: ClientOffer,
  { transcript, certificateTypes }: ServerParameters,
  message: HandshakeMessage,
): PeerCertificate {
  const certificate = readCertificate(message, noContext, certificateTypes.server, offer.hello.extensionTypes, settings)
  // Section 4.5.1.3: "If the server supplies an empty Certificate message, the client MUST abort the handshake with a "decode_error" alert."
  if (certificate.chain.length === 0) throw new InvalidMessage("server sent an empty Certificate")
  transcript.add(message.bytes)
  return certificate
}

/** Whom are we talking to? The signature is over everything up to the certificate. */
export function* authenticateServer(
  { link, settings }: ClientHandshake,
  transcript: Transcript,
  certificate: PeerCertificate,
  message: HandshakeMessage,
): Decides<PeerSignatureVerified> {
  const { verifier, serverName, provider, signatureSchemes } = settings
  if (verifier === undefined) {
    throw new PeerIncompatible(
      "certificate_unknown",
      "server wants to be known by a certificate; this client only takes PSKs",
    )
  }
  const peerSignature = readCertificateVerify(message, "server", signatureSchemes)
  const authentication = { verifier, serverName, now: link.now, provider }
  const verified = yield* authenticatePeer(authentication, certificate, peerSignature, transcript.hash())
  transcript.add(message.bytes)
  return verified
}

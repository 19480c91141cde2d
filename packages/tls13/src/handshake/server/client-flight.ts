// The client's second flight, as the server takes it: WAIT_EOED and WAIT_FLIGHT2 of RFC 9846 appendix A.2.
// [EndOfEarlyData] [Certificate [CertificateVerify]] Finished (sections 4.6 and 4.5).

import { PeerMisbehaved } from "../../bytes/errors.ts"
import { allExtensions } from "../../codec/extensions/table.ts"
import { decodeFinished } from "../../codec/finished.ts"
import { decodeEndOfEarlyData } from "../../codec/key-update.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import type { Transcript } from "../../schedule/transcript.ts"
import { authenticatePeer, type PeerCertificate, readCertificate, readCertificateVerify } from "../authentication.ts"
import { decompressed } from "../certificate-compression.ts"
import type { Decides } from "../coroutine.ts"
import { FinishedVerified, type PeerSignatureVerified } from "../proofs.ts"
import { requestedWithCertificate } from "./certificate-request.ts"
import type { Server, ServerHandshake } from "./server.ts"
import type { Flight } from "./server-flight.ts"

export function readEndOfEarlyData({ transcript }: Flight, message: HandshakeMessage): void {
  decodeEndOfEarlyData(message)
  transcript.add(message.bytes)
}

/** @throws PeerMisbehaved certificate_required when it is empty and may not be */
export function readClientCertificate(
  { settings }: ServerHandshake,
  { transcript, certificateTypes }: Flight,
  message: HandshakeMessage,
): PeerCertificate {
  const requested = requestedWithCertificate(settings)
  const plain = decompressed(message, settings)
  const certificate = readCertificate(
    allExtensions,
    plain,
    new Uint8Array(0),
    certificateTypes.client,
    requested,
    settings,
  )
  transcript.add(message.bytes)
  if (certificate.chain.length === 0 && settings.clientAuthentication?.mode === "require") {
    throw new PeerMisbehaved("certificate_required", "client has no certificate, and this listener requires one")
  }
  return certificate
}

/** @param transcript takes in the CertificateVerify */
export function* authenticateClient(
  { link, settings }: Server,
  transcript: Transcript,
  certificate: PeerCertificate,
  message: HandshakeMessage,
): Decides<PeerSignatureVerified> {
  const { provider, signatureSchemes, clientAuthentication } = settings
  const { verifier } = clientAuthentication!
  const peerSignature = readCertificateVerify(message, "client", signatureSchemes)
  const authentication = { verifier, serverName: undefined, now: link.now, provider, signatureSchemes }
  const verified = yield* authenticatePeer(authentication, certificate, peerSignature, transcript.hash())
  transcript.add(message.bytes)
  return verified
}

/** @throws PeerMisbehaved decrypt_error, InvalidMessage */
export function checkFinished(
  { suite, transcript, clientSecret }: Flight,
  message: HandshakeMessage,
): FinishedVerified {
  const verifyData = decodeFinished(message, suite.hash.length)
  const finished = FinishedVerified.check(suite.hash, clientSecret, transcript.hash(), verifyData)
  transcript.add(message.bytes)
  return finished
}

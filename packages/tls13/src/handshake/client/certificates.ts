// WAIT_CERT_CR, WAIT_CERT and WAIT_CV of RFC 9846 appendix A.1: CertificateRequest (section 4.4.2), the server's Certificate
// (section 4.5.1) and CertificateVerify (section 4.5.2).

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import { InvalidMessage, PeerIncompatible } from "../../bytes/errors.ts"
import { encodeCertificateBy } from "../../codec/certificate.ts"
import { type CertificateRequest, decodeCertificateRequestBy } from "../../codec/certificate-request.ts"
import { authoritiesLength, certificateAuthorities } from "../../codec/extensions/certificate-authorities.ts"
import { signatureAlgorithms, signatureAlgorithmsCert } from "../../codec/extensions/code-point-list.ts"
import { delegatedCredential } from "../../codec/extensions/delegated-credential.ts"
import type { ClientHelloExtensions } from "../../codec/extensions/messages.ts"
import { signedCertificateTimestamp, statusRequest } from "../../codec/extensions/status-request.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { signatureSchemes } from "../../crypto/signature-schemes.ts"
import type { Transcript } from "../../schedule/transcript.ts"
import type { ClientSession } from "../../session/session.ts"
import type { CertificateType, Credential } from "../../x509/interfaces.ts"
import {
  authenticatePeer,
  type PeerCertificate,
  readCertificate,
  readCertificateVerify,
  verifyStoredChain,
} from "../authentication.ts"
import type { Decides } from "../coroutine.ts"
import type { PeerSignatureVerified } from "../proofs.ts"
import { type ClientSettings, clientHelloShare } from "../settings.ts"
import type {
  CertificatesFeature,
  Client,
  ClientHandshake,
  ClientOffer,
  ResumableSession,
  ServerParameters,
} from "./client.ts"

export const certificates: CertificatesFeature = {
  extensions: {
    signature_algorithms: signatureAlgorithms,
    signature_algorithms_cert: signatureAlgorithmsCert,
    status_request: statusRequest,
    signed_certificate_timestamp: signedCertificateTimestamp,
    certificate_authorities: certificateAuthorities,
    delegated_credential: delegatedCredential,
  },
  schemes: signatureSchemes,
  offer,
  readRequest,
  readCertificate: readServerCertificate,
  authenticateServer,
  answerRequest,
  verifyAgain,
}

function offer(settings: ClientSettings): ClientHelloExtensions {
  const { signatureSchemes, signatureSchemesCert, authorities, verifier } = settings
  const delegatedSchemes = verifier?.asks?.delegatedSchemes?.(signatureSchemes) ?? []
  return {
    signature_algorithms: signatureSchemes,
    ...(signatureSchemesCert.length > 0 && { signature_algorithms_cert: signatureSchemesCert }),
    ...(settings.requestOcspResponse && { status_request: true }),
    ...((settings.requestSignedCertificateTimestamps || verifier?.asks?.signedCertificateTimestamps) && {
      signed_certificate_timestamp: true,
    }),
    ...(delegatedSchemes.length > 0 && { delegated_credential: delegatedSchemes }),
    ...(authorities.length > 0 &&
      authoritiesLength(authorities) <= clientHelloShare && { certificate_authorities: authorities }),
  }
}

const noContext = /* @__PURE__ */ new Uint8Array(0)

/** Reads the CertificateRequest of the handshake (section 4.4.2). */
function readRequest({ extensions }: Client, message: HandshakeMessage, transcript: Transcript): CertificateRequest {
  const request = decodeCertificateRequestBy(extensions, message)
  // "This field SHALL be zero length unless used for the post-handshake authentication exchanges"
  if (request.certificateRequestContext.length > 0) {
    throw new InvalidMessage("certificate_request_context is not empty in the handshake", "illegal_parameter")
  }
  transcript.add(message.bytes)
  return request
}

function readServerCertificate(
  { settings, features, extensions }: ClientHandshake,
  offer: ClientOffer,
  { transcript, certificateTypes }: ServerParameters,
  message: HandshakeMessage,
): PeerCertificate {
  const plain = features.certificateCompression?.decompressed(message, settings) ?? message
  const certificate = readCertificate(
    extensions,
    plain,
    noContext,
    certificateTypes.server,
    offer.hello.extensionTypes,
    settings,
  )
  // Section 4.5.1.3: "If the server supplies an empty Certificate message, the client MUST abort the handshake with a "decode_error" alert."
  if (certificate.chain.length === 0) throw new InvalidMessage("server sent an empty Certificate")
  transcript.add(message.bytes)
  return certificate
}

/** Whom are we talking to? The signature is over everything up to the certificate. */
function* authenticateServer(
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
  const authentication = { verifier, serverName, now: link.now, provider, signatureSchemes }
  const verified = yield* authenticatePeer(authentication, certificate, peerSignature, transcript.hash())
  transcript.add(message.bytes)
  return verified
}

/** With what `clientCertificates` says, else that there is none. @param send as for `clientCertificates` */
function* answerRequest(
  client: Client,
  request: CertificateRequest,
  certificateType: CertificateType,
  transcript: Transcript,
  send?: (name: HandshakeTypeName, message: Uint8Array) => Uint8Array,
): Decides<Credential | undefined> {
  const { link, features, extensions } = client
  if (features.clientCertificates !== undefined) {
    return yield* features.clientCertificates.authenticate(client, request, certificateType, transcript, send)
  }
  // "If the server requests client authentication but no suitable certificate is available" it is empty (section 4.5.1.3).
  const none = encodeCertificateBy(extensions, request.certificateRequestContext, [])
  transcript.add(send ? send("certificate", none) : link.send("certificate", none))
  return undefined
}

/** Section 4.7.1, "the likelihood of intervening revocation": not a session whose certificates are refused now. */
function* verifyAgain({ link, settings }: Client, session: ClientSession): Decides<ResumableSession | undefined> {
  const { verifier, serverName, provider } = settings
  const authentication = { verifier: verifier!, serverName, now: link.now, provider }
  const peer = yield* verifyStoredChain(authentication, "server", session)
  return peer && { session, peer }
}

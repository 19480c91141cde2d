// The client's Certificate and CertificateVerify (RFC 9846 sections 4.5.1 and 4.5.2), in answer to a CertificateRequest of
// the handshake or of later (section 4.7.2).

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import { PeerIncompatible } from "../../bytes/errors.ts"
import type { CertificateRequest } from "../../codec/certificate-request.ts"
import { oidFilters } from "../../codec/extensions/certificate-authorities.ts"
import type { Transcript } from "../../schedule/transcript.ts"
import type { CertificateType, Credential } from "../../x509/interfaces.ts"
import { certificateMessage, certificateVerifyMessage, chooseScheme, signTranscript } from "../authentication.ts"
import { type Decides, decide } from "../coroutine.ts"
import type { Client, ClientCertificatesFeature } from "./client.ts"

export const clientCertificates: ClientCertificatesFeature = { extensions: { oid_filters: oidFilters }, authenticate }

/**
 * Sends Certificate and, with a certificate in it, CertificateVerify.
 * "The client MUST send a Certificate message if and only if the server has requested" it (section 4.5.1).
 * @param transcript Handshake Context (section 4.5): it takes in what is sent
 * @returns what it shows; undefined: it has nothing
 * @param send sends a message, now or with the others of the answer, and returns the bytes that are sent
 */
function* authenticate(
  { link, settings, features, extensions }: Client,
  request: CertificateRequest,
  certificateType: CertificateType,
  transcript: Transcript,
  send: (name: HandshakeTypeName, message: Uint8Array) => Uint8Array = (name, message) => link.send(name, message),
): Decides<Credential | undefined> {
  const schemes = request.extensions.signature_algorithms
  const choice = settings.credentials?.resolve({
    serverName: undefined,
    alpnProtocols: [],
    signatureSchemes: schemes,
    signatureSchemesCert: request.extensions.signature_algorithms_cert ?? schemes,
    authorities: request.extensions.certificate_authorities ?? [],
    oidFilters: request.extensions.oid_filters ?? [],
    certificateTypes: [certificateType],
    delegatedSchemes: request.extensions.delegated_credential,
    now: link.now,
  })
  const chosen = yield* decide("SelectCertificate", choice)
  // "If the server requests client authentication but no suitable certificate is available" it is empty (section 4.5.1.3).
  const credential = chosen !== undefined && "none" in chosen ? undefined : chosen
  const asked = {
    ocsp: request.extensions.status_request === true,
    signedCertificateTimestamps: request.extensions.signed_certificate_timestamp === true,
  }
  if (credential !== undefined && credential.type !== certificateType) {
    throw new PeerIncompatible(
      "handshake_failure",
      `server takes the certificate type ${certificateType}, and the client has a ${credential.type}`,
    )
  }
  const scheme = credential && chooseScheme(credential, request.extensions, settings.provider)
  if (credential !== undefined && scheme === undefined) {
    throw new PeerIncompatible(
      "handshake_failure",
      "server accepts no signature scheme that the client's key can sign with",
    )
  }
  const certificate = certificateMessage(extensions, request.certificateRequestContext, credential, asked)
  const offered = request.extensions.compress_certificate
  const sent = features.certificateCompression?.compressed(certificate, offered, settings)
  transcript.add(sent ? send(sent.name, sent.message) : send("certificate", certificate))
  if (credential === undefined || scheme === undefined) return undefined
  const signature = signTranscript(credential, scheme, "client", transcript.hash(), settings.provider)
  const bytes = yield* decide("Sign", signature)
  transcript.add(send("certificate_verify", certificateVerifyMessage(scheme, bytes)))
  return credential
}

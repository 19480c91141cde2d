// The client's Certificate and CertificateVerify (RFC 9846 sections 4.5.1 and 4.5.2), in answer to a CertificateRequest of
// the handshake or of later (section 4.7.2).

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import { PeerIncompatible } from "../../bytes/errors.ts"
import type { CertificateRequest } from "../../codec/certificate-request.ts"
import type { Transcript } from "../../schedule/transcript.ts"
import type { CertificateType, Credential } from "../../x509/interfaces.ts"
import { certificateMessage, certificateVerifyMessage, chooseScheme, signTranscript } from "../authentication.ts"
import { compressed } from "../certificate-compression.ts"
import { decide, type Transition } from "../state.ts"
import type { ClientHandshake } from "./client-hello.ts"

export interface AuthenticationAsked {
  readonly request: CertificateRequest
  readonly certificateType: CertificateType
  /** Handshake Context (section 4.5): it takes in what is sent. */
  readonly transcript: Transcript
  /** Sends a message, now or with the others of the answer. Returns the bytes that are sent. */
  readonly send: (name: HandshakeTypeName, message: Uint8Array) => Uint8Array
}

/** "The client MUST send a Certificate message if and only if the server has requested" it (section 4.5.1). */
export function authenticate(
  client: ClientHandshake,
  asked: AuthenticationAsked,
  finish: () => Transition,
): Transition {
  const { request, certificateType } = asked
  const schemes = request.extensions.signature_algorithms
  const choice = client.settings.credentials?.resolve({
    serverName: undefined,
    alpnProtocols: [],
    signatureSchemes: schemes,
    signatureSchemesCert: request.extensions.signature_algorithms_cert ?? schemes,
    authorities: request.extensions.certificate_authorities ?? [],
    oidFilters: request.extensions.oid_filters ?? [],
    certificateTypes: [certificateType],
  })
  return decide("SelectCertificate", choice, (chosen) =>
    // "If the server requests client authentication but no suitable certificate is available" it is empty (section 4.5.1.3).
    showCertificate(client, asked, chosen !== undefined && "none" in chosen ? undefined : chosen, finish),
  )
}

function showCertificate(
  { settings }: ClientHandshake,
  { request, certificateType, transcript, send }: AuthenticationAsked,
  credential: Credential | undefined,
  finish: () => Transition,
): Transition {
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
  const scheme = credential && chooseScheme(credential, request.extensions.signature_algorithms, settings.provider)
  if (credential !== undefined && scheme === undefined) {
    throw new PeerIncompatible(
      "handshake_failure",
      "server accepts no signature scheme that the client's key can sign with",
    )
  }
  const certificate = certificateMessage(request.certificateRequestContext, credential, asked)
  const { name, message } = compressed(certificate, request.extensions.compress_certificate, settings)
  transcript.add(send(name, message))
  if (credential === undefined || scheme === undefined) return finish()
  const signature = signTranscript(credential, scheme, "client", transcript.hash(), settings.provider)
  return decide("Sign", signature, (bytes) => {
    transcript.add(send("certificate_verify", certificateVerifyMessage(scheme, bytes)))
    return finish()
  })
}

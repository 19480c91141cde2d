// CertificateRequest, the server's side: RFC 9846 section 4.4.2.

import { ExtensionType } from "../../bytes/code-points.ts"
import { encodeCertificateRequest } from "../../codec/certificate-request.ts"
import { compressionOffer } from "../certificate-compression.ts"
import type { ServerSettings } from "../settings.ts"

/** Whether a client that authenticates by certificate is asked for one in the handshake. */
export function asksInHandshake({ clientAuthentication }: ServerSettings): boolean {
  return clientAuthentication !== undefined && clientAuthentication.mode !== "post-handshake"
}

/** @param context empty in the handshake, unpredictable after it */
export function certificateRequest(settings: ServerSettings, context: Uint8Array): Uint8Array {
  const { clientAuthentication, signatureSchemes, signatureSchemesCert } = settings
  const {
    authorities = [],
    oidFilters = [],
    requestOcsp,
    requestSignedCertificateTimestamps,
  } = clientAuthentication ?? {}
  return encodeCertificateRequest(context, {
    signature_algorithms: signatureSchemes,
    ...(signatureSchemesCert.length > 0 && { signature_algorithms_cert: signatureSchemesCert }),
    ...(authorities.length > 0 && { certificate_authorities: authorities }),
    ...(oidFilters.length > 0 && { oid_filters: oidFilters }),
    ...(requestOcsp && { status_request: true }),
    ...(requestSignedCertificateTimestamps && { signed_certificate_timestamp: true }),
    ...compressionOffer(settings),
  })
}

/** The extensions of our CertificateRequest that a client may answer in its CertificateEntries (section 4.5.1.1). */
export function requestedWithCertificate({ clientAuthentication }: ServerSettings): readonly number[] {
  return [
    ...(clientAuthentication?.requestOcsp ? [ExtensionType.status_request] : []),
    ...(clientAuthentication?.requestSignedCertificateTimestamps ? [ExtensionType.signed_certificate_timestamp] : []),
  ]
}

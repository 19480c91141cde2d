// CertificateRequest, the server's side: RFC 9846 section 4.4.2.

import { ExtensionType } from "../../bytes/code-points.ts"
import { Writer } from "../../bytes/writer.ts"
import { encodeCertificateRequest } from "../../codec/certificate-request.ts"
import { writeExtensions } from "../../codec/extensions/block.ts"
import { authoritiesLength } from "../../codec/extensions/certificate-authorities.ts"
import type { CertificateRequestExtensions } from "../../codec/extensions/messages.ts"
import { allExtensions } from "../../codec/extensions/table.ts"
import { compressionOffer } from "../certificate-compression.ts"
import type { ServerSettings } from "../settings.ts"

/** Whether a client that authenticates by certificate is asked for one in the handshake. */
export function asksInHandshake({ clientAuthentication }: ServerSettings): boolean {
  return clientAuthentication !== undefined && clientAuthentication.mode !== "post-handshake"
}

/** @param context empty in the handshake, unpredictable after it */
export function certificateRequest(settings: ServerSettings, context: Uint8Array): Uint8Array {
  const { clientAuthentication, signatureSchemes, signatureSchemesCert } = settings
  const { authorities = [], oidFilters = [], requestOcspResponse } = clientAuthentication ?? {}
  const delegatedSchemes = delegatedSchemesOf(settings)
  const extensions: CertificateRequestExtensions & { readonly signature_algorithms: readonly number[] } = {
    signature_algorithms: signatureSchemes,
    ...(signatureSchemesCert.length > 0 && { signature_algorithms_cert: signatureSchemesCert }),
    ...(oidFilters.length > 0 && { oid_filters: oidFilters }),
    ...(requestOcspResponse && { status_request: true }),
    ...(wantsTimestamps(settings) && { signed_certificate_timestamp: true }),
    ...(delegatedSchemes.length > 0 && { delegated_credential: delegatedSchemes }),
    ...compressionOffer(settings),
  }
  return encodeCertificateRequest(context, {
    ...extensions,
    ...(authorities.length > 0 && fit(authorities, extensions, context) && { certificate_authorities: authorities }),
  })
}

/**
 * Section 4.4.2: `Extension extensions<0..2^16-1>`, and a message of more than 2^16 bytes is refused by many clients, ours
 * among them (`limits.handshakeMessageSize`). Section 4.3.4 leaves it to the server whether it names authorities: when they
 * are too many it names none, and clients choose among their certificates as if it took any.
 */
function fit(
  authorities: readonly Uint8Array[],
  others: CertificateRequestExtensions,
  { length: contextLength }: Uint8Array,
): boolean {
  const block = new Writer()
  writeExtensions(others, "CR", block, allExtensions)
  return 1 + contextLength + 2 + block.length + authoritiesLength(authorities) <= 0xffff
}

/** The extensions of our CertificateRequest that a client may answer in its CertificateEntries (section 4.5.1.1). */
export function requestedWithCertificate(settings: ServerSettings): readonly number[] {
  const { clientAuthentication } = settings
  return [
    ...(clientAuthentication?.requestOcspResponse ? [ExtensionType.status_request] : []),
    ...(wantsTimestamps(settings) ? [ExtensionType.signed_certificate_timestamp] : []),
    ...(delegatedSchemesOf(settings).length > 0 ? [ExtensionType.delegated_credential] : []),
  ]
}

function wantsTimestamps({ clientAuthentication }: ServerSettings): boolean {
  const { requestSignedCertificateTimestamps = false, verifier } = clientAuthentication ?? {}
  return requestSignedCertificateTimestamps || verifier?.asks?.signedCertificateTimestamps === true
}

/** RFC 9345 section 4.1.2. */
function delegatedSchemesOf({ clientAuthentication, signatureSchemes }: ServerSettings): readonly number[] {
  return clientAuthentication?.verifier.asks?.delegatedSchemes?.(signatureSchemes) ?? []
}

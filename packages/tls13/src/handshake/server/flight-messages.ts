// Messages of the server's flight that are known before its key share is: EncryptedExtensions (RFC 9846 section 4.4.1) and
// Certificate (section 4.5.1).

import type { ClientHello } from "../../codec/client-hello.ts"
import { encodeEncryptedExtensions } from "../../codec/encrypted-extensions.ts"
import { allExtensions } from "../../codec/extensions/table.ts"
import type { KeyExchange } from "../../crypto/provider.ts"
import type { Credential } from "../../x509/interfaces.ts"
import { certificateMessage } from "../authentication.ts"
import { compressed } from "../certificate-compression.ts"
import { certificateTypeCode } from "../certificate-type.ts"
import type { ServerSettings } from "../settings.ts"
import type { CertificateTypes } from "./credential.ts"
import type { Negotiated } from "./negotiate.ts"
import { ticketCount } from "./tickets.ts"

type Agreed = Negotiated & { readonly certificateTypes: CertificateTypes }

export function encryptedExtensions(settings: ServerSettings, flight: Agreed): Uint8Array {
  const { hello, alpnProtocol, psk, earlyData, certificateTypes, ech } = flight
  const { extensions } = hello
  return encodeEncryptedExtensions({
    // Section 4.3.7: "it SHOULD send "supported_groups" to update the client's view of its preferences".
    supported_groups: prefersAnotherGroup(flight, settings.groups)
      ? settings.groups.map(({ code }) => code)
      : undefined,
    record_size_limit: extensions.record_size_limit && settings.recordSizeLimit,
    // RFC 6066 section 3: the server that used the name answers with an empty server_name.
    server_name: extensions.server_name !== undefined && psk === undefined ? true : undefined,
    application_layer_protocol_negotiation: alpnProtocol,
    // RFC 7250 section 4.2: what was chosen of the offered types; that of the client only when a certificate is asked for.
    client_certificate_type:
      extensions.client_certificate_type && settings.clientAuthentication && psk === undefined
        ? certificateTypeCode(certificateTypes.client)
        : undefined,
    server_certificate_type: extensions.server_certificate_type?.find(
      (code) => code === certificateTypeCode(certificateTypes.server),
    ),
    // RFC 9149 section 3: expected_count, of what was asked for.
    ticket_request: extensions.ticket_request && settings.ticketer && ticketCount({ settings }, flight),
    early_data: earlyData === "accepted" ? true : undefined,
    encrypted_client_hello: ech?.retryConfigs,
  })
}

export function certificate(
  settings: ServerSettings,
  { extensions }: ClientHello,
  credential: Credential,
): ReturnType<typeof compressed> {
  const asked = {
    ocsp: extensions.status_request === true,
    signedCertificateTimestamps: extensions.signed_certificate_timestamp === true,
  }
  const message = certificateMessage(allExtensions, new Uint8Array(0), credential, asked)
  return compressed(message, extensions.compress_certificate, settings)
}

function prefersAnotherGroup({ hello, group }: Agreed, ours: readonly KeyExchange[]): boolean {
  return group !== undefined && hello.extensions.supported_groups !== undefined && ours[0] !== group
}

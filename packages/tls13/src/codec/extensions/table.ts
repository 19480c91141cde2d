// The table of RFC 9846 section 4.3, by the extensions' numbers. A row says which messages may have the extension, and how it is
// read and written in each: `server_name` in ClientHello (CH) and EncryptedExtensions (EE), and so on.
// A new extension is one file beside this one, which says what it is in the messages that have it, and its row here: the type of
// the row, of which the messages are made (messages.ts), and the row.

import { applicationLayerProtocolNegotiation } from "./alpn.ts"
import { certificateAuthorities, oidFilters } from "./certificate-authorities.ts"
import { clientCertificateType, serverCertificateType } from "./certificate-type.ts"
import { signatureAlgorithms, signatureAlgorithmsCert, supportedGroups } from "./code-point-list.ts"
import { type ExtensionRows, type ExtensionTable, extensionTable } from "./codec.ts"
import { compressCertificate } from "./compress-certificate.ts"
import { cookie } from "./cookie.ts"
import { delegatedCredential } from "./delegated-credential.ts"
import { earlyData } from "./early-data.ts"
import { encryptedClientHello } from "./encrypted-client-hello.ts"
import { keyShare } from "./key-share.ts"
import { postHandshakeAuth } from "./post-handshake-auth.ts"
import { preSharedKey } from "./pre-shared-key.ts"
import { pskKeyExchangeModes } from "./psk-key-exchange-modes.ts"
import { recordSizeLimit } from "./record-size-limit.ts"
import { serverName } from "./server-name.ts"
import { signedCertificateTimestamp, statusRequest } from "./status-request.ts"
import { supportedVersions } from "./supported-versions.ts"
import { ticketRequest } from "./ticket-request.ts"

/** The extensions that some message may have: those that this implementation recognizes. */
export type Extensions = {
  readonly server_name: typeof serverName
  readonly status_request: typeof statusRequest
  readonly supported_groups: typeof supportedGroups
  readonly signature_algorithms: typeof signatureAlgorithms
  readonly application_layer_protocol_negotiation: typeof applicationLayerProtocolNegotiation
  readonly signed_certificate_timestamp: typeof signedCertificateTimestamp
  readonly client_certificate_type: typeof clientCertificateType
  readonly server_certificate_type: typeof serverCertificateType
  readonly compress_certificate: typeof compressCertificate
  readonly record_size_limit: typeof recordSizeLimit
  readonly delegated_credential: typeof delegatedCredential
  readonly pre_shared_key: typeof preSharedKey
  readonly early_data: typeof earlyData
  readonly supported_versions: typeof supportedVersions
  readonly cookie: typeof cookie
  readonly psk_key_exchange_modes: typeof pskKeyExchangeModes
  readonly certificate_authorities: typeof certificateAuthorities
  readonly oid_filters: typeof oidFilters
  readonly post_handshake_auth: typeof postHandshakeAuth
  readonly signature_algorithms_cert: typeof signatureAlgorithmsCert
  readonly key_share: typeof keyShare
  readonly ticket_request: typeof ticketRequest
  readonly encrypted_client_hello: typeof encryptedClientHello
}

const table: Extensions = {
  server_name: serverName,
  status_request: statusRequest,
  supported_groups: supportedGroups,
  signature_algorithms: signatureAlgorithms,
  application_layer_protocol_negotiation: applicationLayerProtocolNegotiation,
  signed_certificate_timestamp: signedCertificateTimestamp,
  client_certificate_type: clientCertificateType,
  server_certificate_type: serverCertificateType,
  compress_certificate: compressCertificate,
  record_size_limit: recordSizeLimit,
  delegated_credential: delegatedCredential,
  pre_shared_key: preSharedKey,
  early_data: earlyData,
  supported_versions: supportedVersions,
  cookie: cookie,
  psk_key_exchange_modes: pskKeyExchangeModes,
  certificate_authorities: certificateAuthorities,
  oid_filters: oidFilters,
  post_handshake_auth: postHandshakeAuth,
  signature_algorithms_cert: signatureAlgorithmsCert,
  key_share: keyShare,
  ticket_request: ticketRequest,
  encrypted_client_hello: encryptedClientHello,
}

export const extensions: ExtensionRows = table

/** What a server knows, and a client with all features. */
export const allExtensions: ExtensionTable = /* @__PURE__ */ extensionTable(extensions)

// The table of RFC 9846 section 4.3: which extension may appear in which message, and as what.
// A new extension is one file beside this one, a line in the interfaces, and a row in the tables.

import type { ExtensionName } from "../../bytes/code-points.ts"
import { alpnProtocol, alpnProtocols } from "./alpn.ts"
import { certificateAuthorities, type OidFilter, oidFilters } from "./certificate-authorities.ts"
import { certificateType, certificateTypes } from "./certificate-type.ts"
import { signatureAlgorithms, supportedGroups } from "./code-point-list.ts"
import { type ExtensionCodec, flag } from "./codec.ts"
import { compressCertificate } from "./compress-certificate.ts"
import { cookie } from "./cookie.ts"
import { maxEarlyDataSize } from "./early-data.ts"
import { type KeyShareEntry, keyShareClientHello, keyShareHelloRetryRequest, keyShareServerHello } from "./key-share.ts"
import { type OfferedPsks, offeredPsks, selectedIdentity } from "./pre-shared-key.ts"
import { pskKeyExchangeModes } from "./psk-key-exchange-modes.ts"
import { recordSizeLimit } from "./record-size-limit.ts"
import { serverName } from "./server-name.ts"
import { certificateStatus, signedCertificateTimestamps, statusRequest } from "./status-request.ts"
import { selectedVersion, supportedVersions } from "./supported-versions.ts"
import { type TicketRequest, ticketRequest, ticketRequestAnswer } from "./ticket-request.ts"

/** CH. pre_shared_key stands last, as it must on the wire (section 4.3.11). */
export interface ClientHelloExtensions {
  readonly server_name?: string
  readonly status_request?: true
  readonly supported_groups?: readonly number[]
  readonly signature_algorithms?: readonly number[]
  readonly application_layer_protocol_negotiation?: readonly string[]
  readonly signed_certificate_timestamp?: true
  readonly client_certificate_type?: readonly number[]
  readonly server_certificate_type?: readonly number[]
  readonly compress_certificate?: readonly number[]
  readonly record_size_limit?: number
  readonly supported_versions?: readonly number[]
  readonly cookie?: Uint8Array
  readonly psk_key_exchange_modes?: readonly number[]
  readonly certificate_authorities?: readonly Uint8Array[]
  readonly post_handshake_auth?: true
  readonly signature_algorithms_cert?: readonly number[]
  readonly key_share?: readonly KeyShareEntry[]
  readonly ticket_request?: TicketRequest
  readonly early_data?: true
  readonly pre_shared_key?: OfferedPsks
}

/** SH */
export interface ServerHelloExtensions {
  readonly supported_versions?: number
  readonly key_share?: KeyShareEntry
  readonly pre_shared_key?: number
}

/** HRR */
export interface HelloRetryRequestExtensions {
  readonly supported_versions?: number
  readonly key_share?: number
  readonly cookie?: Uint8Array
}

/** EE */
export interface EncryptedExtensionsExtensions {
  readonly server_name?: true
  readonly supported_groups?: readonly number[]
  readonly application_layer_protocol_negotiation?: string
  readonly client_certificate_type?: number
  readonly server_certificate_type?: number
  readonly record_size_limit?: number
  readonly ticket_request?: number
  readonly early_data?: true
}

/** CT */
export interface CertificateEntryExtensions {
  readonly status_request?: Uint8Array
  readonly signed_certificate_timestamp?: Uint8Array
}

/** CR */
export interface CertificateRequestExtensions {
  readonly status_request?: true
  readonly signature_algorithms?: readonly number[]
  readonly signed_certificate_timestamp?: true
  readonly compress_certificate?: readonly number[]
  readonly certificate_authorities?: readonly Uint8Array[]
  readonly oid_filters?: readonly OidFilter[]
  readonly signature_algorithms_cert?: readonly number[]
}

/** NST */
export interface NewSessionTicketExtensions {
  readonly early_data?: number
}

/** A row for every extension of the message, and no other. */
export type ExtensionTable<Values> = ExtensionRows & {
  readonly [Name in Extract<keyof Values, ExtensionName>]-?: ExtensionCodec<Exclude<Values[Name], undefined>>
}

/** A table as the block reader sees it: a name may or may not have a row. */
export type ExtensionRows = Readonly<Partial<Record<ExtensionName, ExtensionCodec<unknown>>>>

export const clientHelloExtensions: ExtensionTable<ClientHelloExtensions> = {
  server_name: serverName,
  status_request: statusRequest,
  supported_groups: supportedGroups,
  signature_algorithms: signatureAlgorithms,
  application_layer_protocol_negotiation: alpnProtocols,
  signed_certificate_timestamp: flag,
  client_certificate_type: certificateTypes,
  server_certificate_type: certificateTypes,
  compress_certificate: compressCertificate,
  record_size_limit: recordSizeLimit,
  supported_versions: supportedVersions,
  cookie,
  psk_key_exchange_modes: pskKeyExchangeModes,
  certificate_authorities: certificateAuthorities,
  post_handshake_auth: flag,
  signature_algorithms_cert: signatureAlgorithms,
  key_share: keyShareClientHello,
  ticket_request: ticketRequest,
  early_data: flag,
  pre_shared_key: offeredPsks,
}

export const serverHelloExtensions: ExtensionTable<ServerHelloExtensions> = {
  supported_versions: selectedVersion,
  key_share: keyShareServerHello,
  pre_shared_key: selectedIdentity,
}

export const helloRetryRequestExtensions: ExtensionTable<HelloRetryRequestExtensions> = {
  supported_versions: selectedVersion,
  key_share: keyShareHelloRetryRequest,
  cookie,
}

export const encryptedExtensionsExtensions: ExtensionTable<EncryptedExtensionsExtensions> = {
  server_name: flag,
  supported_groups: supportedGroups,
  application_layer_protocol_negotiation: alpnProtocol,
  client_certificate_type: certificateType,
  server_certificate_type: certificateType,
  record_size_limit: recordSizeLimit,
  ticket_request: ticketRequestAnswer,
  early_data: flag,
}

export const certificateEntryExtensions: ExtensionTable<CertificateEntryExtensions> = {
  status_request: certificateStatus,
  signed_certificate_timestamp: signedCertificateTimestamps,
}

export const certificateRequestExtensions: ExtensionTable<CertificateRequestExtensions> = {
  // Section 4.5.1.1: empty here, unlike in ClientHello.
  status_request: flag,
  signature_algorithms: signatureAlgorithms,
  signed_certificate_timestamp: flag,
  compress_certificate: compressCertificate,
  certificate_authorities: certificateAuthorities,
  oid_filters: oidFilters,
  signature_algorithms_cert: signatureAlgorithms,
}

export const newSessionTicketExtensions: ExtensionTable<NewSessionTicketExtensions> = {
  early_data: maxEarlyDataSize,
}

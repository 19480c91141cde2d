// What a handshake message says, field by field, for words.ts.

import {
  CipherSuite,
  codePointName,
  ExtensionType,
  type HandshakeTypeName,
  NamedGroup,
  ProtocolVersion,
  PskKeyExchangeMode,
  SignatureScheme,
} from "../bytes/code-points.ts"
import { TlsError } from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import { quotedText, visibleText } from "../bytes/text.ts"
import { decodeCertificate } from "../codec/certificate.ts"
import { decodeCertificateRequest } from "../codec/certificate-request.ts"
import { decodeCertificateVerify } from "../codec/certificate-verify.ts"
import { decodeClientHello } from "../codec/client-hello.ts"
import { decodeEncryptedExtensions } from "../codec/encrypted-extensions.ts"
import { CertificateTypeCode } from "../codec/extensions/certificate-type.ts"
import type { KeyShareEntry } from "../codec/extensions/key-share.ts"
import type { ClientHelloExtensions } from "../codec/extensions/messages.ts"
import { decodeKeyUpdate } from "../codec/key-update.ts"
import { type HandshakeMessage, handshakeHeaderLength, handshakeMessage } from "../codec/message.ts"
import { decodeNewSessionTicket } from "../codec/new-session-ticket.ts"
import { decodeServerHello } from "../codec/server-hello.ts"

/** One line a field; a message that cannot be read gives the one line that says why. */
export function messageDetails(name: HandshakeTypeName | "hello_retry_request", bytes: Uint8Array): string[] {
  try {
    return detailsOf(name, handshakeMessage(bytes))
  } catch (error) {
    if (error instanceof TlsError) return [`cannot be read: ${visibleText(error.message)}`]
    throw error
  }
}

function detailsOf(name: HandshakeTypeName | "hello_retry_request", message: HandshakeMessage): string[] {
  switch (name) {
    case "client_hello":
      return clientHello(message)
    case "server_hello":
    case "hello_retry_request":
      return serverHello(message)
    case "encrypted_extensions":
      return encryptedExtensions(message)
    case "certificate_request":
      return certificateRequest(message)
    case "certificate":
      return certificate(message)
    case "certificate_verify": {
      const { algorithm, signature } = decodeCertificateVerify(message)
      return [`signed with: ${codePointName(SignatureScheme, algorithm)}, ${signature.length} bytes`]
    }
    case "finished":
      return [`verify_data: ${message.bytes.length - handshakeHeaderLength} bytes`]
    case "new_session_ticket":
      return newSessionTicket(message)
    case "key_update":
      return decodeKeyUpdate(message) === "update_requested" ? ["asks the receiver to update its own keys too"] : []
    default:
      return []
  }
}

function clientHello(message: HandshakeMessage): string[] {
  const hello = decodeClientHello(message)
  const { extensions } = hello
  const lines = [`random: ${toHex(hello.random)}`]
  const versions = extensions.supported_versions
  lines.push(`versions: ${versions ? names(ProtocolVersion, versions) : "TLS 1.2 or before"}`)
  lines.push(`cipher suites: ${names(CipherSuite, hello.cipherSuites)}`)
  lines.push(...offers(extensions))
  lines.push(`extensions, in order: ${names(ExtensionType, hello.extensionTypes)}`)
  return lines
}

function offers(extensions: ClientHelloExtensions): string[] {
  const lines: string[] = []
  if (extensions.server_name !== undefined) lines.push(`server name: ${quotedText(extensions.server_name)}`)
  if (extensions.application_layer_protocol_negotiation) {
    lines.push(`protocols (ALPN): ${extensions.application_layer_protocol_negotiation.map(quotedText).join(", ")}`)
  }
  if (extensions.supported_groups) lines.push(`groups: ${names(NamedGroup, extensions.supported_groups)}`)
  if (extensions.key_share) lines.push(`key shares: ${extensions.key_share.map(keyShare).join(", ") || "none"}`)
  if (extensions.signature_algorithms) {
    lines.push(`signatures: ${names(SignatureScheme, extensions.signature_algorithms)}`)
  }
  if (extensions.delegated_credential) {
    lines.push(`delegated credentials taken: ${names(SignatureScheme, extensions.delegated_credential)}`)
  }
  const psks = extensions.pre_shared_key
  if (psks) {
    const lengths = psks.identities.map(({ identity }) => `${identity.length} bytes`).join(", ")
    lines.push(`pre-shared keys: ${psks.identities.length}, with an identity of ${lengths}`)
  }
  if (extensions.psk_key_exchange_modes) {
    lines.push(`ways to use them: ${names(PskKeyExchangeMode, extensions.psk_key_exchange_modes)}`)
  }
  if (extensions.cookie) lines.push(`cookie: ${extensions.cookie.length} bytes`)
  if (extensions.record_size_limit !== undefined) lines.push(`record size limit: ${extensions.record_size_limit} bytes`)
  if (extensions.early_data) lines.push("0-RTT data follows")
  return lines
}

function serverHello(message: HandshakeMessage): string[] {
  const hello = decodeServerHello(message)
  if (hello.kind === "legacy") {
    return [`version: ${codePointName(ProtocolVersion, hello.legacyVersion)}, not TLS 1.3`]
  }
  const lines = [`cipher suite: ${codePointName(CipherSuite, hello.cipherSuite)}`]
  const version = hello.extensions.supported_versions
  if (version !== undefined) lines.push(`version: ${codePointName(ProtocolVersion, version)}`)
  if (hello.kind === "hello_retry_request") {
    const { key_share, cookie } = hello.extensions
    if (key_share !== undefined) lines.push(`wants a key share of: ${codePointName(NamedGroup, key_share)}`)
    if (cookie) lines.push(`cookie: ${cookie.length} bytes`)
    return lines
  }
  const { key_share, pre_shared_key } = hello.extensions
  if (key_share) lines.push(`key share: ${keyShare(key_share)}`)
  if (pre_shared_key !== undefined) lines.push(`takes the pre-shared key at index ${pre_shared_key}`)
  return lines
}

function encryptedExtensions(message: HandshakeMessage): string[] {
  const { values, types } = decodeEncryptedExtensions(message)
  const lines: string[] = []
  const protocol = values.application_layer_protocol_negotiation
  if (protocol !== undefined) lines.push(`protocol (ALPN): ${quotedText(protocol)}`)
  if (values.server_name) lines.push("the server name was used")
  if (values.supported_groups) lines.push(`groups it prefers: ${names(NamedGroup, values.supported_groups)}`)
  if (values.client_certificate_type !== undefined) {
    lines.push(`client certificate type: ${codePointName(CertificateTypeCode, values.client_certificate_type)}`)
  }
  if (values.server_certificate_type !== undefined) {
    lines.push(`server certificate type: ${codePointName(CertificateTypeCode, values.server_certificate_type)}`)
  }
  if (values.record_size_limit !== undefined) lines.push(`record size limit: ${values.record_size_limit} bytes`)
  if (values.early_data) lines.push("0-RTT data is accepted")
  lines.push(`extensions, in order: ${names(ExtensionType, types)}`)
  return lines
}

function certificateRequest(message: HandshakeMessage): string[] {
  const { extensions } = decodeCertificateRequest(message)
  const lines = [`signatures: ${names(SignatureScheme, extensions.signature_algorithms)}`]
  if (extensions.delegated_credential) {
    lines.push(`delegated credentials taken: ${names(SignatureScheme, extensions.delegated_credential)}`)
  }
  if (extensions.certificate_authorities) {
    lines.push(`certificate authorities: ${extensions.certificate_authorities.length} names`)
  }
  return lines
}

function certificate(message: HandshakeMessage): string[] {
  const { certificateList } = decodeCertificate(message)
  if (certificateList.length === 0) return ["no certificate"]
  return certificateList.map(({ data, extensions }, index) => {
    const extras = []
    if (extensions.status_request) extras.push("an OCSP response")
    if (extensions.signed_certificate_timestamp) extras.push("certificate timestamps")
    if (extensions.delegated_credential) extras.push("a delegated credential")
    const what = index === 0 ? "end entity" : `issuer ${index}`
    return `${what}: ${data.length} bytes${extras.length > 0 ? `, with ${extras.join(" and ")}` : ""}`
  })
}

function newSessionTicket(message: HandshakeMessage): string[] {
  const ticket = decodeNewSessionTicket(message)
  const lines = [`ticket: ${ticket.ticket.length} bytes, good for ${ticket.ticketLifetime} seconds`]
  const earlyData = ticket.extensions.early_data
  if (earlyData !== undefined) lines.push(`0-RTT data: at most ${earlyData} bytes`)
  return lines
}

function keyShare({ group, keyExchange }: KeyShareEntry): string {
  return `${codePointName(NamedGroup, group)} (${keyExchange.length} bytes)`
}

function names(registry: Readonly<Record<string, number>>, codes: readonly number[]): string {
  return codes.map((code) => codePointName(registry, code)).join(", ") || "none"
}

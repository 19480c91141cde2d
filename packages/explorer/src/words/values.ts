// The value of a field, as people read it: by its registry's name, as text, or as a number.

import { alertName } from "@puremq/tls13"
import {
  CipherSuite,
  ContentType,
  codePointName,
  ExtensionType,
  HandshakeType,
  NamedGroup,
  ProtocolVersion,
  SignatureScheme,
  toHex,
} from "@puremq/tls13/explore"
import type { TextField } from "../reading/subjects.ts"
import { bytesText } from "./names.ts"

type Registry = Readonly<Record<string, number>>

const registries: Readonly<Record<string, Registry>> = {
  "TLSPlaintext.type": ContentType,
  "TLSCiphertext.opaque_type": ContentType,
  "TLSInnerPlaintext.type": ContentType,
  "TLSPlaintext.legacy_record_version": ProtocolVersion,
  "TLSCiphertext.legacy_record_version": ProtocolVersion,
  "Handshake.msg_type": HandshakeType,
  "ClientHello.legacy_version": ProtocolVersion,
  "ServerHello.legacy_version": ProtocolVersion,
  "ClientHello.cipher_suites": CipherSuite,
  "ServerHello.cipher_suite": CipherSuite,
  "CertificateVerify.algorithm": SignatureScheme,
  "signature_algorithms.element": SignatureScheme,
  "signature_algorithms_cert.element": SignatureScheme,
  "supported_groups.element": NamedGroup,
  "key_share.group": NamedGroup,
  "key_share.value": NamedGroup,
  "supported_versions.element": ProtocolVersion,
  "supported_versions.value": ProtocolVersion,
  "Extension.type": ExtensionType,
  "Alert.level": { warning: 1, fatal: 2 },
  "KeyUpdate.value": { update_not_requested: 0, update_requested: 1 },
  "server_certificate_type.value": { X509: 0, RawPublicKey: 2 },
  "client_certificate_type.value": { X509: 0, RawPublicKey: 2 },
  "compress_certificate.element": { zlib: 1, brotli: 2, zstd: 3 },
  "CompressedCertificate.algorithm": { zlib: 1, brotli: 2, zstd: 3 },
}

/** Fields whose bytes are text. */
const texts: ReadonlySet<string> = new Set([
  "application_layer_protocol_negotiation.ProtocolName",
  "server_name.server_name_list",
])

export function fieldValue(field: TextField, bytes: Uint8Array): string {
  if (field.text !== undefined) return field.text
  const { kind, value, start, end } = field
  const structure = field.structure.replace(/^\w+\.extensions$/, "Extension")
  const key = `${structure}.${field.name === "" ? "value" : field.name}`
  const raw = bytes.subarray(start, end)
  if (kind === "length") return bytesText(value ?? 0)
  if (key === "Alert.description") return `${alertName(value ?? 0)} (${value})`
  const registry = registries[kind === "element" ? elementKey(structure, key) : key]
  if (registry !== undefined && value !== undefined) return `${codePointName(registry, value)} (0x${toHex(raw)})`
  if (value !== undefined) return numberText(key, value)
  if (texts.has(key))
    return JSON.stringify(String.fromCharCode(...raw.filter((byte) => byte >= 0x20 && byte < 0x7f)).trim())
  if (field.fields.length > 0) return bytesText(end - start)
  return `${toHex(raw.subarray(0, 32))}${raw.length > 32 ? "…" : ""}`
}

function elementKey(structure: string, key: string): string {
  return structure === "ClientHello" ? key : `${structure}.element`
}

function numberText(key: string, value: number): string {
  if (key === "NewSessionTicket.ticket_lifetime") return `${value} seconds`
  if (key === "early_data.value") return bytesText(value)
  return `${value}`
}

/** Whether there is nothing to say of the value but its bytes. */
export function isOpaque(field: TextField): boolean {
  if (field.text !== undefined || field.fields.length > 0 || texts.has(`${field.structure}.${field.name}`)) return false
  return field.kind === "bytes" || field.kind === "vector"
}

// The IANA TLS registries, as far as this stack knows them. Where the RFC has a table, here is the table.

/** RFC 9846 section 5.1. */
export const ContentType = { change_cipher_spec: 20, alert: 21, handshake: 22, application_data: 23 } as const

/** RFC 9846 section 4, and RFC 8879 for CompressedCertificate. */
export const HandshakeType = {
  client_hello: 1,
  server_hello: 2,
  new_session_ticket: 4,
  end_of_early_data: 5,
  encrypted_extensions: 8,
  certificate: 11,
  certificate_request: 13,
  certificate_verify: 15,
  finished: 20,
  key_update: 24,
  compressed_certificate: 25,
  message_hash: 254,
} as const
export type HandshakeTypeName = keyof typeof HandshakeType

/** RFC 9846 section 4.3 and the IANA registry of extensions: those that mean something here. */
export const KnownExtensionType = {
  server_name: 0,
  status_request: 5,
  supported_groups: 10,
  signature_algorithms: 13,
  application_layer_protocol_negotiation: 16,
  signed_certificate_timestamp: 18,
  client_certificate_type: 19,
  server_certificate_type: 20,
  compress_certificate: 27,
  record_size_limit: 28,
  pre_shared_key: 41,
  early_data: 42,
  supported_versions: 43,
  cookie: 44,
  psk_key_exchange_modes: 45,
  certificate_authorities: 47,
  oid_filters: 48,
  post_handshake_auth: 49,
  signature_algorithms_cert: 50,
  key_share: 51,
  ticket_request: 58,
} as const

/** Of TLS 1.2 and before, without a meaning, or for those alone who deal with certificates or use `ech/`. */
const otherExtensionType = {
  max_fragment_length: 1,
  ec_point_formats: 11,
  padding: 21,
  extended_master_secret: 23,
  delegated_credential: 34,
  session_ticket: 35,
  ech_outer_extensions: 0xfd00,
  encrypted_client_hello: 0xfe0d,
  renegotiation_info: 0xff01,
} as const

/** All that have a name here: a client's core has no use for the others. */
export const ExtensionType: typeof KnownExtensionType & typeof otherExtensionType = /* @__PURE__ */ Object.assign(
  {},
  KnownExtensionType,
  otherExtensionType,
)
export type ExtensionName = keyof typeof ExtensionType

/** RFC 9846 section 4.3.7, draft-ietf-tls-ecdhe-mlkem: those that a provider has, or that are put in front of its own. */
export const KnownNamedGroup = {
  secp256r1: 0x0017,
  secp384r1: 0x0018,
  secp521r1: 0x0019,
  x25519: 0x001d,
  SecP256r1MLKEM768: 0x11eb,
  X25519MLKEM768: 0x11ec,
  SecP384r1MLKEM1024: 0x11ed,
} as const
export type KnownNamedGroupName = keyof typeof KnownNamedGroup

/** Others of RFC 9846 section 4.3.7, and RFC 8734: who uses them brings their names (`crypto/more`). */
const otherNamedGroup = {
  x448: 0x001e,
  brainpoolP256r1tls13: 0x001f,
  brainpoolP384r1tls13: 0x0020,
  brainpoolP512r1tls13: 0x0021,
  ffdhe2048: 0x0100,
  ffdhe3072: 0x0101,
  ffdhe4096: 0x0102,
  ffdhe6144: 0x0103,
  ffdhe8192: 0x0104,
  MLKEM512: 0x0200,
  MLKEM768: 0x0201,
  MLKEM1024: 0x0202,
} as const

/** All that have a name here. */
export const NamedGroup: typeof KnownNamedGroup & typeof otherNamedGroup = /* @__PURE__ */ Object.assign(
  {},
  KnownNamedGroup,
  otherNamedGroup,
)
export type NamedGroupName = keyof typeof NamedGroup

/** RFC 9846 section 4.3.3, RFC 8734, draft-ietf-tls-mldsa. */
export const SignatureScheme = {
  rsa_pkcs1_sha256: 0x0401,
  rsa_pkcs1_sha384: 0x0501,
  rsa_pkcs1_sha512: 0x0601,
  ecdsa_secp256r1_sha256: 0x0403,
  ecdsa_secp384r1_sha384: 0x0503,
  ecdsa_secp521r1_sha512: 0x0603,
  rsa_pss_rsae_sha256: 0x0804,
  rsa_pss_rsae_sha384: 0x0805,
  rsa_pss_rsae_sha512: 0x0806,
  ed25519: 0x0807,
  ed448: 0x0808,
  rsa_pss_pss_sha256: 0x0809,
  rsa_pss_pss_sha384: 0x080a,
  rsa_pss_pss_sha512: 0x080b,
  ecdsa_brainpoolP256r1tls13_sha256: 0x081a,
  ecdsa_brainpoolP384r1tls13_sha384: 0x081b,
  ecdsa_brainpoolP512r1tls13_sha512: 0x081c,
  mldsa44: 0x0904,
  mldsa65: 0x0905,
  mldsa87: 0x0906,
} as const
export type SignatureSchemeName = keyof typeof SignatureScheme

/** RFC 9846 appendix B.4. */
export const CipherSuite = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_AES_128_CCM_SHA256: 0x1304,
  TLS_AES_128_CCM_8_SHA256: 0x1305,
} as const
export type CipherSuiteName = keyof typeof CipherSuite

/** RFC 9846 section 4.3.9. */
export const PskKeyExchangeMode = { psk_ke: 0, psk_dhe_ke: 1 } as const

export const ProtocolVersion = { tls10: 0x0301, tls11: 0x0302, tls12: 0x0303, tls13: 0x0304 } as const

/** The registry's name of a code point, or its number in hexadecimal: for errors, traces and logs. */
export function codePointName(registry: Readonly<Record<string, number>>, code: number): string {
  for (const [name, value] of Object.entries(registry)) if (value === code) return name
  return `0x${code.toString(16).padStart(4, "0")}`
}

// ClientHellos that every TLS 1.3 server refuses, each one edit of a good one: RFC 9846 sections 4.2.2, 4.3 and 9.2.

import type { AlertName } from "../../src/bytes/alerts.ts"
import type { TlsErrorKind } from "../../src/bytes/errors.ts"
import { fromHex } from "../../src/bytes/hex.ts"
import { extension, extensionData, type RawClientHello, removeExtension, setExtension } from "../tools/edit.ts"

/** What the good one has besides the plain. `plain` is left out. */
export type BaseName = "alpn" | "two shares" | "psk" | "early data"
export type Edit = (hello: RawClientHello) => void
export type Case = readonly [rule: string, alert: AlertName, kind: TlsErrorKind, edit: Edit, hello?: BaseName]

export const set =
  (name: Parameters<typeof setExtension>[1], hex: string): Edit =>
  ({ extensions }) =>
    setExtension(extensions, name, fromHex(hex))
export const without =
  (name: Parameters<typeof removeExtension>[1]): Edit =>
  ({ extensions }) =>
    removeExtension(extensions, name)

export const fixed =
  (fields: Partial<RawClientHello>): Edit =>
  (hello) =>
    void Object.assign(hello, fields)

export const cases: readonly Case[] = [
  // ---- legacy_version, versions
  // Requirements 4.2.2-7, E.5-7 (server)
  ["4.2.2: legacy_version 0x0304", "protocol_version", "PeerMisbehaved", fixed({ legacyVersion: 0x0304 })],
  // Requirement 4.2.2-7
  ["4.2.2: legacy_version 0x0302", "protocol_version", "PeerMisbehaved", fixed({ legacyVersion: 0x0302 })],
  ["4.2.2: legacy_version 0x0300", "protocol_version", "PeerMisbehaved", fixed({ legacyVersion: 0x0300 })],
  // Requirements E.2-3, E.5-3 (server)
  ["E.2: no supported_versions", "protocol_version", "PeerIncompatible", without("supported_versions")],
  // Requirements 4.3.1-4, 4.3.1-5, 4.3.1-3
  [
    "4.3.1: supported_versions without TLS 1.3",
    "protocol_version",
    "PeerIncompatible",
    set("supported_versions", "0403030302"),
  ],
  // Requirement E.5-3 (server)
  [
    "E.5: supported_versions of SSL 3.0 only",
    "protocol_version",
    "PeerIncompatible",
    set("supported_versions", "020300"),
  ],
  ["4.3.1: an empty supported_versions", "decode_error", "InvalidMessage", set("supported_versions", "00")],
  ["4.3.1: supported_versions of odd length", "decode_error", "InvalidMessage", set("supported_versions", "03030403")],
  // Requirement 4.3-2 (server)
  [
    "4.3: data left over in supported_versions",
    "decode_error",
    "InvalidMessage",
    set("supported_versions", "02030400"),
  ],

  // ---- the fixed part
  // Requirement 6-5 (server)
  [
    "4.2.2: legacy_session_id of 33 bytes",
    "decode_error",
    "InvalidMessage",
    fixed({ legacySessionId: new Uint8Array(33) }),
  ],
  ["4.2.2: no cipher suites", "decode_error", "InvalidMessage", fixed({ cipherSuites: fromHex("") })],
  ["4.2.2: half a cipher suite", "decode_error", "InvalidMessage", fixed({ cipherSuites: fromHex("130113") })],
  // Requirements 4.2.1-4, E.5-1 (server)
  [
    "4.2.1: no cipher suite in common",
    "handshake_failure",
    "PeerIncompatible",
    fixed({ cipherSuites: fromHex("0a0ac02f1305") }),
  ],
  ["4.2.2: no compression method", "decode_error", "InvalidMessage", fixed({ legacyCompressionMethods: fromHex("") })],
  // Requirement 4.2.2-12
  [
    "4.2.2: compression beside null",
    "illegal_parameter",
    "PeerMisbehaved",
    fixed({ legacyCompressionMethods: fromHex("0100") }),
  ],
  // Requirement 4.2.2-12
  [
    "4.2.2: null compression twice",
    "illegal_parameter",
    "PeerMisbehaved",
    fixed({ legacyCompressionMethods: fromHex("0000") }),
  ],
  // Requirement 4.2.2-12
  [
    "4.2.2: compression without null",
    "illegal_parameter",
    "PeerMisbehaved",
    fixed({ legacyCompressionMethods: fromHex("01") }),
  ],

  // ---- the extension block
  // Requirement 4.3-7 (server)
  [
    "4.3: a known extension twice",
    "illegal_parameter",
    "InvalidMessage",
    ({ extensions }) => void extensions.push(extensions[0]!),
  ],
  // Requirement 4.3-7 (server)
  [
    "4.3: an unknown extension twice",
    "illegal_parameter",
    "InvalidMessage",
    ({ extensions }) => void extensions.push(extension(0xfafa), extension(0xfafa)),
  ],
  // Requirement 4.3-5 (server)
  [
    "4.3: oid_filters, which is for CertificateRequest",
    "illegal_parameter",
    "InvalidMessage",
    set("oid_filters", "0000"),
  ],
  // Requirements 4.3.3-3, 9.2-12
  ["9.2: no signature_algorithms", "missing_extension", "PeerMisbehaved", without("signature_algorithms")],
  // Requirement 9.2-12
  ["9.2: no supported_groups", "missing_extension", "PeerMisbehaved", without("supported_groups")],
  // Requirement 9.2-12
  ["9.2: no key_share", "missing_extension", "PeerMisbehaved", without("key_share")],
  [
    "9.2: neither supported_groups nor key_share",
    "missing_extension",
    "PeerMisbehaved",
    (hello) => {
      without("supported_groups")(hello)
      without("key_share")(hello)
    },
  ],

  // ---- groups and shares
  ["4.3.7: a group twice", "illegal_parameter", "PeerMisbehaved", set("supported_groups", "0006001d0017001d")],
  ["4.3.7: no groups", "decode_error", "InvalidMessage", set("supported_groups", "0000")],
  ["4.3.7: half a group", "decode_error", "InvalidMessage", set("supported_groups", "0003001d00")],
  // Requirement 4.2.1-1
  [
    "4.2.1: no group in common",
    "handshake_failure",
    "PeerIncompatible",
    (hello) => {
      set("supported_groups", "0004001e0100")(hello)
      set("key_share", "0000")(hello)
    },
  ],
  [
    "4.3.8: a share of a group that supported_groups lacks",
    "illegal_parameter",
    "PeerMisbehaved",
    set("supported_groups", "00020017"),
  ],
  [
    "4.3.8: two shares of one group",
    "illegal_parameter",
    "PeerMisbehaved",
    ({ extensions }) => {
      const entry = extensionData(extensions, "key_share").subarray(2)
      setExtension(extensions, "key_share", Uint8Array.of(0, 2 * entry.length, ...entry, ...entry))
    },
  ],
  [
    "4.3.8: shares in another order than supported_groups",
    "illegal_parameter",
    "PeerMisbehaved",
    set("supported_groups", "00040017001d"),
    "two shares",
  ],
  ["4.3.8: an empty key_exchange", "decode_error", "InvalidMessage", set("key_share", "0004001d0000")],
  ["4.3.8: a share that ends early", "decode_error", "InvalidMessage", set("key_share", "0006001d0020aaaa")],
  ["4.3.8: data after the shares", "decode_error", "InvalidMessage", set("key_share", "000000")],

  // ---- signature algorithms
  ["4.3.3: no schemes", "decode_error", "InvalidMessage", set("signature_algorithms", "0000")],
  ["4.3.3: half a scheme", "decode_error", "InvalidMessage", set("signature_algorithms", "0003040308")],
  // Requirements 4.2.1-4, 4.5.2-4
  [
    "4.2.1: no scheme that our key can sign with",
    "handshake_failure",
    "PeerIncompatible",
    set("signature_algorithms", "000208ff"),
  ],
  // Requirements 4.3.3-13 (server), 4.3.3-14 (server), 4.5.2-7 (server)
  [
    "4.3.3: SHA-1 and MD5 schemes only",
    "handshake_failure",
    "PeerIncompatible",
    set("signature_algorithms", "0006020302010101"),
  ],
  // Requirement 4.5.2-4
  [
    "4.3.3: RSASSA-PKCS1-v1_5 only, for CertificateVerify",
    "handshake_failure",
    "PeerIncompatible",
    set("signature_algorithms", "00020401"),
  ],

  // ---- PSK
  // Requirement 4.3.11-11
  [
    "4.3.11: pre_shared_key is not last",
    "illegal_parameter",
    "InvalidMessage",
    ({ extensions }) => void extensions.push(extension(0xfafa)),
    "psk",
  ],
  // Requirement 4.3.11-5
  [
    "4.3.11: more identities than binders",
    "illegal_parameter",
    "InvalidMessage",
    set("pre_shared_key", `000e${"0001aa00000000".repeat(2)}002120${"00".repeat(32)}`),
    "psk",
  ],
  [
    "4.3.11: more binders than identities",
    "illegal_parameter",
    "InvalidMessage",
    set("pre_shared_key", `00070001aa000000000042${`20${"00".repeat(32)}`.repeat(2)}`),
    "psk",
  ],
  [
    "4.3.11: no identities",
    "decode_error",
    "InvalidMessage",
    set("pre_shared_key", `0000002120${"00".repeat(32)}`),
    "psk",
  ],
  [
    "4.3.11: an empty identity",
    "decode_error",
    "InvalidMessage",
    set("pre_shared_key", `0007000000000000aa002120${"00".repeat(32)}`),
    "psk",
  ],
  ["4.3.11: no binders", "decode_error", "InvalidMessage", set("pre_shared_key", "00070001aa000000000000"), "psk"],
  [
    "4.3.11: a binder of 31 bytes",
    "decode_error",
    "InvalidMessage",
    set("pre_shared_key", `00070001aa0000000000211f${"00".repeat(31)}00`),
    "psk",
  ],
  // Requirement 4.3.9-3
  [
    "4.3.9: pre_shared_key without psk_key_exchange_modes",
    "missing_extension",
    "PeerMisbehaved",
    without("psk_key_exchange_modes"),
    "psk",
  ],
  ["4.3.9: no modes", "decode_error", "InvalidMessage", set("psk_key_exchange_modes", "00")],
  ["4.3: data in early_data", "decode_error", "InvalidMessage", set("early_data", "00"), "early data"],
  ["4.3.2: an empty cookie", "decode_error", "InvalidMessage", set("cookie", "0000")],

  // ---- the others
  ["RFC 6066 3: an empty server_name", "decode_error", "InvalidMessage", set("server_name", "")],
  ["RFC 6066 3: an empty host_name", "decode_error", "InvalidMessage", set("server_name", "0003000000")],
  ["RFC 6066 3: two host_names", "decode_error", "InvalidMessage", set("server_name", "0008000001610000 0162")],
  ["RFC 6066 3: a name of another type", "decode_error", "InvalidMessage", set("server_name", "00040100 0161")],
  ["RFC 6066 3: U+0000 in the name", "illegal_parameter", "InvalidMessage", set("server_name", "00060000036100 62")],
  ["RFC 6066 3: a name that is not ASCII", "illegal_parameter", "InvalidMessage", set("server_name", "0004000001ff")],
  [
    "RFC 7301 3.1: no protocols",
    "decode_error",
    "InvalidMessage",
    set("application_layer_protocol_negotiation", "0000"),
    "alpn",
  ],
  [
    "RFC 7301 3.1: an empty protocol name",
    "decode_error",
    "InvalidMessage",
    set("application_layer_protocol_negotiation", "000200016d"),
    "alpn",
  ],
  [
    "RFC 7301 3.2: no protocol in common",
    "no_application_protocol",
    "PeerIncompatible",
    set("application_layer_protocol_negotiation", "0003026832"),
    "alpn",
  ],
  ["RFC 8449 4: a record_size_limit of 63", "illegal_parameter", "InvalidMessage", set("record_size_limit", "003f")],
  ["RFC 8449 4: a record_size_limit of one byte", "decode_error", "InvalidMessage", set("record_size_limit", "40")],
  [
    "RFC 8879 3: a compression algorithm twice",
    "illegal_parameter",
    "InvalidMessage",
    set("compress_certificate", "0400010001"),
  ],
  ["RFC 7250 3: no certificate types", "decode_error", "InvalidMessage", set("server_certificate_type", "00")],
  [
    "RFC 7250 4.1: X.509 as the only type of server certificate",
    "illegal_parameter",
    "PeerMisbehaved",
    set("server_certificate_type", "0100"),
  ],
  [
    "RFC 7250 4.1: X.509 as the only type of client certificate",
    "illegal_parameter",
    "PeerMisbehaved",
    set("client_certificate_type", "0100"),
  ],
  ["RFC 6066 8: a status_request that ends early", "decode_error", "InvalidMessage", set("status_request", "010000")],
  ["4.3.4: no authorities", "decode_error", "InvalidMessage", set("certificate_authorities", "0000")],
  ["4.3: data in post_handshake_auth", "decode_error", "InvalidMessage", set("post_handshake_auth", "00")],
]

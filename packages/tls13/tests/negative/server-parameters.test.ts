// What a client refuses in EncryptedExtensions (RFC 9846 section 4.4.1) and CertificateRequest (section 4.4.2).

import { describe, expect, it } from "vitest"
import type { AlertName } from "../../src/bytes/alerts.ts"
import type { TlsErrorKind } from "../../src/bytes/errors.ts"
import { fromHex } from "../../src/bytes/hex.ts"
import { type Cast, clientCertificate, clientUnderTest, early, expectRefused, resumed } from "../support.ts"
import { editBody, editExtensions, type RawExtension, removeExtension, setExtension } from "../tools/edit.ts"

type Edit = (extensions: RawExtension[]) => void
type Case = readonly [rule: string, alert: AlertName, kind: TlsErrorKind, edit: Edit, cast?: Cast]
const set =
  (name: Parameters<typeof setExtension>[1], hex: string): Edit =>
  (extensions) =>
    setExtension(extensions, name, fromHex(hex))

const alpn: Cast = { client: { alpnProtocols: ["mqtt", "h2"] }, server: { alpnProtocols: ["mqtt"] } }
const limited: Cast = { client: { recordSizeLimit: 1000 }, server: { recordSizeLimit: 1000 } }
const rawKeys: Cast = { client: { certificateTypes: { server: ["X509", "RawPublicKey"] } } }

describe("EncryptedExtensions is refused for", () => {
  const misplaced = [
    "supported_versions",
    "key_share",
    "pre_shared_key",
    "cookie",
    "signature_algorithms",
    "psk_key_exchange_modes",
    "status_request",
    "signature_algorithms_cert",
    "certificate_authorities",
    "oid_filters",
    "post_handshake_auth",
    "signed_certificate_timestamp",
    "compress_certificate",
  ] as const
  const cases: readonly Case[] = [
    // Requirements 4.4.1-2, 4.3-5 (client)
    ...misplaced.map(
      (name): Case => [
        `4.3: ${name}, which has no place there`,
        "illegal_parameter",
        "InvalidMessage",
        set(name, "0000"),
      ],
    ),
    ["4.3: an extension that nobody knows", "unsupported_extension", "PeerMisbehaved", set(0xfafa, "")],
    // Requirement 4.3-4 (client)
    [
      "4.3: ALPN that was not asked for",
      "unsupported_extension",
      "PeerMisbehaved",
      set("application_layer_protocol_negotiation", "0003026832"),
    ],
    // Requirement 4.3-4 (client)
    ["4.3: early_data that was not asked for", "unsupported_extension", "PeerMisbehaved", set("early_data", "")],
    [
      "4.3: record_size_limit that was not asked for",
      "unsupported_extension",
      "PeerMisbehaved",
      set("record_size_limit", "1000"),
    ],
    [
      "4.3: a certificate type that was not asked for",
      "unsupported_extension",
      "PeerMisbehaved",
      set("server_certificate_type", "02"),
    ],
    ["RFC 8449 5: max_fragment_length", "unsupported_extension", "PeerMisbehaved", set("max_fragment_length", "01")],
    [
      "4.3: an extension twice",
      "illegal_parameter",
      "InvalidMessage",
      (extensions) => void extensions.push(extensions[0]!),
    ],
    [
      "RFC 7301 3.1: a protocol that was not offered",
      "illegal_parameter",
      "PeerMisbehaved",
      set("application_layer_protocol_negotiation", "000403666f6f"),
      alpn,
    ],
    [
      "RFC 7301 3.1: two protocols",
      "decode_error",
      "InvalidMessage",
      set("application_layer_protocol_negotiation", "0008026832046d717474"),
      alpn,
    ],
    [
      "RFC 7301 3.1: no protocol",
      "decode_error",
      "InvalidMessage",
      set("application_layer_protocol_negotiation", "0000"),
      alpn,
    ],
    ["RFC 6066 3: data in server_name", "decode_error", "InvalidMessage", set("server_name", "00")],
    ["4.3.10: data in early_data", "decode_error", "InvalidMessage", set("early_data", "00000001"), early()],
    [
      "RFC 8449 4: a record_size_limit of 63",
      "illegal_parameter",
      "InvalidMessage",
      set("record_size_limit", "003f"),
      limited,
    ],
    [
      "RFC 7250 4.2: a certificate type that was not offered",
      "illegal_parameter",
      "PeerMisbehaved",
      set("server_certificate_type", "01"),
      rawKeys,
    ],
    [
      "RFC 7250 4.2: a list of certificate types",
      "decode_error",
      "InvalidMessage",
      set("server_certificate_type", "0102"),
      rawKeys,
    ],
  ]

  it.for(cases)("RFC 9846 %s: %s, %s", ([_rule, alert, kind, edit, cast]) => {
    const puppet = clientUnderTest(cast).deliverUntil("encrypted_extensions")
    puppet.message(editExtensions(puppet.drop("encrypted_extensions"), edit))
    expectRefused(puppet, alert, kind)
  })

  it.each([
    ["data after its end", (body: Uint8Array) => Uint8Array.of(...body, 0)],
    ["no extensions field", () => new Uint8Array(0)],
    ["a length beyond its end", () => fromHex("0004000000")],
  ])("RFC 9846 6: %s: decode_error", (_what, edit) => {
    const puppet = clientUnderTest().deliverUntil("encrypted_extensions")
    puppet.message(editBody(puppet.drop("encrypted_extensions"), edit))
    expectRefused(puppet, "decode_error", "InvalidMessage")
  })

  // Requirement 4.3.7-2
  it("is taken without any extension, and with supported_groups", () => {
    for (const edit of [(list: RawExtension[]) => void list.splice(0), set("supported_groups", "0004001d0017")]) {
      const rewrite = (name: string, message: Uint8Array) =>
        name === "encrypted_extensions" ? editExtensions(message, edit) : message
      expect(clientUnderTest({ rewrite }).run().subject.info).toBeDefined()
    }
  })
})

describe("CertificateRequest is refused for", () => {
  const cases: readonly Case[] = [
    [
      "4.4.2: no signature_algorithms",
      "missing_extension",
      "InvalidMessage",
      (list) => removeExtension(list, "signature_algorithms"),
    ],
    ["4.3.3: no schemes", "decode_error", "InvalidMessage", set("signature_algorithms", "0000")],
    ["4.3: server_name, which has no place there", "illegal_parameter", "InvalidMessage", set("server_name", "")],
    ["4.3: key_share, which has no place there", "illegal_parameter", "InvalidMessage", set("key_share", "")],
    ["4.3: an extension twice", "illegal_parameter", "InvalidMessage", (list) => void list.push(list[0]!)],
    [
      "4.3.5: the same OID twice",
      "illegal_parameter",
      "InvalidMessage",
      set("oid_filters", "000d 03 551d0f 0000 03 551d0f 0001 aa"),
    ],
    ["4.3.4: an empty name", "decode_error", "InvalidMessage", set("certificate_authorities", "0003 0000 00")],
  ]

  it.for(cases)("RFC 9846 %s: %s, %s", ([_rule, alert, kind, edit]) => {
    const puppet = clientUnderTest(clientCertificate).deliverUntil("certificate_request")
    puppet.message(editExtensions(puppet.drop("certificate_request"), edit))
    expectRefused(puppet, alert, kind)
  })

  it("RFC 9846 4.4.2: a context, in the handshake: illegal_parameter", () => {
    const puppet = clientUnderTest(clientCertificate).deliverUntil("certificate_request")
    puppet.message(editBody(puppet.drop("certificate_request"), (body) => Uint8Array.of(1, 0xaa, ...body.subarray(1))))
    expectRefused(puppet, "illegal_parameter", "InvalidMessage", /certificate_request_context/)
  })

  it("RFC 9846 4.4.2: coming after a PSK was agreed: unexpected_message", () => {
    const request = clientUnderTest(clientCertificate).deliverUntil("certificate_request").drop("certificate_request")
    const puppet = clientUnderTest(resumed()).deliverUntil("finished")
    puppet.message(request)
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })

  it("RFC 9846 4.4.2: coming twice: unexpected_message", () => {
    const puppet = clientUnderTest(clientCertificate).deliverUntil("certificate_request")
    const request = puppet.deliver().content
    puppet.message(request)
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })

  // Requirements 4.4.2-5, 9.3-5
  it("RFC 9846 4.4.2: unknown extensions are ignored", () => {
    const rewrite = (name: string, message: Uint8Array) =>
      name === "certificate_request" ? editExtensions(message, set(0xfafa, "0102")) : message
    const puppet = clientUnderTest({ ...clientCertificate, rewrite }).run()
    expect(puppet.subject.info).toBeDefined()
    expect(puppet.actor.info).toMatchObject({ authentication: "certificate" })
  })
})

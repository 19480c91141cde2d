// What a client refuses in a ServerHello: RFC 9846 sections 4.2.3, 4.3, 4.3.1, 4.3.8 and 4.3.11, appendix E.1.

import { describe, expect, it } from "vitest"
import type { AlertName } from "../../src/bytes/alerts.ts"
import type { TlsErrorKind } from "../../src/bytes/errors.ts"
import { fromHex } from "../../src/bytes/hex.ts"
import { type Cast, clientUnderTest, expectRefused, resumed } from "../support.ts"
import {
  editBody,
  editServerHello,
  extensionData,
  handshake,
  type RawServerHello,
  removeExtension,
  setExtension,
} from "../tools/edit.ts"

type Edit = (hello: RawServerHello) => void
const set =
  (name: Parameters<typeof setExtension>[1], hex: string): Edit =>
  ({ extensions }) =>
    setExtension(extensions, name, fromHex(hex))
const without =
  (name: Parameters<typeof removeExtension>[1]): Edit =>
  ({ extensions }) =>
    removeExtension(extensions, name)
const fixed =
  (fields: Partial<RawServerHello>): Edit =>
  (hello) =>
    void Object.assign(hello, fields)

const psk = resumed()
const sentinel = (last: string) => fromHex(`${"11".repeat(24)}444f574e475244${last}`)

const cases: readonly (readonly [rule: string, alert: AlertName, kind: TlsErrorKind, edit: Edit, cast?: Cast])[] = [
  // Requirements 4.2.3-2, E.5-7 (client)
  ["4.2.3: another legacy_version", "protocol_version", "InvalidMessage", fixed({ legacyVersion: 0x0304 })],
  // Requirement 4.2.3-5
  [
    "4.2.3: another session id",
    "illegal_parameter",
    "InvalidMessage",
    fixed({ legacySessionIdEcho: new Uint8Array(32) }),
  ],
  // Requirement 4.2.3-5
  ["4.2.3: no session id", "illegal_parameter", "InvalidMessage", fixed({ legacySessionIdEcho: new Uint8Array(0) })],
  // Requirement 6-5 (client)
  [
    "4.2.3: a session id of 33 bytes",
    "decode_error",
    "InvalidMessage",
    fixed({ legacySessionIdEcho: new Uint8Array(33) }),
  ],
  // Requirement 4.2.3-6
  ["4.2.3: a suite that was not offered", "illegal_parameter", "PeerMisbehaved", fixed({ cipherSuite: 0x1302 })],
  // Requirements 4.2.3-6, E.5-1 (client), E.5-2 (client)
  ["4.2.3: a suite of TLS 1.2", "illegal_parameter", "PeerMisbehaved", fixed({ cipherSuite: 0xc02f })],
  ["RFC 8701 4: a GREASE suite", "illegal_parameter", "PeerMisbehaved", fixed({ cipherSuite: 0x0a0a })],
  // Requirement 4.2.3-8
  ["4.2.3: compression", "illegal_parameter", "InvalidMessage", fixed({ legacyCompressionMethod: 1 })],

  // Requirements 4.3.1-11, E.5-3 (client)
  ["4.3.1: TLS 1.2 in supported_versions", "illegal_parameter", "PeerMisbehaved", set("supported_versions", "0303")],
  // Requirements 4.3.1-11, 4.3.1-10
  ["4.3.1: a version that was not offered", "illegal_parameter", "PeerMisbehaved", set("supported_versions", "0305")],
  ["RFC 8701 4: a GREASE version", "illegal_parameter", "PeerMisbehaved", set("supported_versions", "3a3a")],
  // Requirement 4.3-2 (client)
  ["4.3: data after selected_version", "decode_error", "InvalidMessage", set("supported_versions", "030400")],
  // Requirements E.1-1, 4.3.1-9, E.5-3 (client)
  ["E.1: a ServerHello of TLS 1.2", "protocol_version", "PeerIncompatible", without("supported_versions")],
  // Requirements 4.2.3-15, 4.2.3-16
  [
    "4.2.3: the downgrade sentinel of TLS 1.2",
    "illegal_parameter",
    "PeerMisbehaved",
    (hello) => {
      without("supported_versions")(hello)
      fixed({ random: sentinel("01") })(hello)
    },
  ],
  // Requirements 4.2.3-15, 4.2.3-16
  [
    "4.2.3: the downgrade sentinel of TLS 1.1",
    "illegal_parameter",
    "PeerMisbehaved",
    (hello) => {
      without("supported_versions")(hello)
      fixed({ random: sentinel("00"), legacyVersion: 0x0302 })(hello)
    },
  ],

  ["6.2: no key_share", "missing_extension", "PeerMisbehaved", without("key_share")],
  [
    "4.3.8: a share of a group without a share of ours",
    "illegal_parameter",
    "PeerMisbehaved",
    set("key_share", `00170041${"04".repeat(65)}`),
  ],
  ["4.3.8: a share of an unknown group", "illegal_parameter", "PeerMisbehaved", set("key_share", "2a2a0001aa")],
  ["4.3.8: an empty share", "decode_error", "InvalidMessage", set("key_share", "001d0000")],
  ["4.3.8: a group in place of a share", "decode_error", "InvalidMessage", set("key_share", "001d")],
  [
    "4.3: data after the share",
    "decode_error",
    "InvalidMessage",
    ({ extensions }) => {
      setExtension(extensions, "key_share", Uint8Array.of(...extensionData(extensions, "key_share"), 0))
    },
  ],

  // Requirement 4.3-4 (client)
  [
    "4.3: pre_shared_key that was not offered",
    "unsupported_extension",
    "PeerMisbehaved",
    set("pre_shared_key", "0000"),
  ],
  // Requirement 4.3.11-6
  ["4.3.11: a PSK beyond those offered", "illegal_parameter", "PeerMisbehaved", set("pre_shared_key", "0001"), psk],
  // Requirement 4.3.11-6
  [
    "4.3.9: no key_share, though psk_ke was not offered",
    "illegal_parameter",
    "PeerMisbehaved",
    without("key_share"),
    psk,
  ],
  ["4.3: an extension that nobody knows", "unsupported_extension", "PeerMisbehaved", set(0xfafa, "")],
  // Requirement 4.3-5 (client)
  [
    "4.3: ALPN, which is for EncryptedExtensions",
    "illegal_parameter",
    "InvalidMessage",
    set("application_layer_protocol_negotiation", "0003026832"),
  ],
  ["4.3: status_request", "illegal_parameter", "InvalidMessage", set("status_request", "")],
  ["4.3: cookie, which is for HelloRetryRequest", "illegal_parameter", "InvalidMessage", set("cookie", "0001aa")],
  ["4.3: early_data", "illegal_parameter", "InvalidMessage", set("early_data", "")],
  ["4.3: supported_groups", "illegal_parameter", "InvalidMessage", set("supported_groups", "0002001d")],
  // Requirement 4.3-7 (client)
  [
    "4.3: supported_versions twice",
    "illegal_parameter",
    "InvalidMessage",
    ({ extensions }) => {
      extensions.push(extensions.find(({ type }) => type === 43)!)
    },
  ],
]

describe("a ServerHello is refused for", () => {
  it.for(cases)("RFC 9846 %s: %s, %s", ([_rule, alert, kind, edit, cast]) => {
    const puppet = clientUnderTest(cast)
    puppet.message(editServerHello(puppet.drop("server_hello"), edit))
    expectRefused(puppet, alert, kind)
  })

  // Requirement 6-5 (client)
  it("RFC 9846 6: data after the extensions: decode_error", () => {
    const puppet = clientUnderTest()
    puppet.message(editBody(puppet.drop("server_hello"), (body) => Uint8Array.of(...body, 0)))
    expectRefused(puppet, "decode_error", "InvalidMessage")
  })

  it("RFC 9846 6: ending anywhere before its end: decode_error, or that it is of TLS 1.2", () => {
    const whole = clientUnderTest().drop("server_hello")
    for (let length = 0; length < whole.length - 4; length += 5) {
      const puppet = clientUnderTest()
      puppet.message(editBody(whole, (body) => body.slice(0, length)))
      expect(["decode_error", "protocol_version"], `${length} bytes`).toContain(puppet.subject.failure?.alert)
    }
  })

  // Requirements 5.1-4 (client), 5.1-5 (client)
  it("RFC 9846 5.1: the next message in its record, where the keys change: unexpected_message", () => {
    const puppet = clientUnderTest()
    puppet.message(puppet.drop("server_hello"), puppet.drop("encrypted_extensions"))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })

  // Requirement 5.1-5 (client)
  it("RFC 9846 5.1: the first byte of the next message in its record: unexpected_message", () => {
    const puppet = clientUnderTest()
    puppet.message(puppet.drop("server_hello"), fromHex("08"))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })

  // Requirements 4.3.11-6, 4.7.1-2 (client)
  it("RFC 9846 4.3.11: a PSK whose hash is not the suite's: illegal_parameter", () => {
    const { client, server } = resumed()
    const suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]
    const puppet = clientUnderTest({
      client: { ...client, cipherSuites: suites },
      server: { ...server, cipherSuites: [suites[0]!] },
    })
    puppet.message(editServerHello(puppet.drop("server_hello"), fixed({ cipherSuite: 0x1302 })))
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /hash/)
  })

  // Requirements E.1-1, 4.3.1-9
  it("a whole TLS 1.2 ServerHello, as an old server sends it: protocol_version, and says so", () => {
    const puppet = clientUnderTest()
    // Extensions of TLS 1.2 that a TLS 1.3 ServerHello may not have are no matter here.
    const old = fromHex(`0303${"22".repeat(32)}00c02f00000900170000ff01000100`)
    puppet.message(handshake(2, old))
    expectRefused(puppet, "protocol_version", "PeerIncompatible", /server speaks TLS 1\.2 at most/)
  })

  it("RFC 9846 4.2.4: a ServerHello of TLS 1.2 after a HelloRetryRequest: illegal_parameter", () => {
    const client = { groups: ["x25519", "secp256r1"], keyShares: ["x25519"] }
    const rewrite = (name: string, message: Uint8Array) =>
      name === "server_hello" ? editServerHello(message, without("supported_versions")) : message
    const puppet = clientUnderTest({ client, server: { groups: ["secp256r1"] }, rewrite }).run()
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /HelloRetryRequest/)
  })

  it("RFC 9846 4.2.3: the sentinel in a ServerHello of TLS 1.3 is no more than a random", () => {
    const rewrite = (name: string, message: Uint8Array) =>
      name === "server_hello" ? editServerHello(message, fixed({ random: sentinel("01") })) : message
    const puppet = clientUnderTest({ rewrite }).run()
    expect(puppet.subject.failure).toBeUndefined()
    expect(puppet.subject.info).toBeDefined()
  })

  it("RFC 9846 4.3: extensions in any order", () => {
    const rewrite = (name: string, message: Uint8Array) =>
      name === "server_hello" ? editServerHello(message, ({ extensions }) => void extensions.reverse()) : message
    expect(clientUnderTest({ rewrite }).run().subject.info).toBeDefined()
  })
})

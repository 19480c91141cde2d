// What a server refuses in a ClientHello: RFC 9846 sections 4.2.2, 4.3 and 9.2. Each case is one edit of a good one.

import { describe, expect, it } from "vitest"
import { ExtensionType } from "../../src/bytes/code-points.ts"
import { fromHex } from "../../src/bytes/hex.ts"
import { type Cast, clientUnderTest, early, expectRefused, resumed, serverUnderTest } from "../support.ts"
import { editBody, editClientHello, extension, extensionData, setExtension } from "../tools/edit.ts"
import { type BaseName, cases, type Edit, fixed, set, without } from "./client-hello-cases.ts"

const casts: Readonly<Record<BaseName, () => Cast>> = {
  alpn: () => ({ client: { alpnProtocols: ["mqtt"] }, server: { alpnProtocols: ["mqtt"] } }),
  "two shares": () => ({ client: { keyShares: ["x25519", "secp256r1"] } }),
  psk: () => resumed(),
  "early data": () => early(),
}

describe("a ClientHello is refused for", () => {
  it.for(cases)("RFC 9846 %s: %s, %s", ([_rule, alert, kind, edit, base]) => {
    const puppet = serverUnderTest(base && casts[base]())
    puppet.message(editClientHello(puppet.drop("client_hello"), edit))
    expectRefused(puppet, alert, kind)
  })

  // Requirement 6-5 (server)
  it("RFC 9846 6: data after the extensions: decode_error", () => {
    const puppet = serverUnderTest()
    puppet.message(editBody(puppet.drop("client_hello"), (body) => Uint8Array.of(...body, 0)))
    expectRefused(puppet, "decode_error", "InvalidMessage")
  })

  it("RFC 9846 6: ending anywhere before its end: decode_error, or the want of what is missing", () => {
    const whole = serverUnderTest().drop("client_hello")
    for (let length = 0; length < whole.length - 4; length += 7) {
      const puppet = serverUnderTest()
      puppet.message(editBody(whole, (body) => body.slice(0, length)))
      // Without extensions at all it is a hello of TLS 1.2 (section 4.2.2).
      const { failure } = puppet.subject
      expect(["decode_error", "protocol_version"], `${length} bytes`).toContain(failure?.alert)
    }
  })

  // Requirement 4.3.3-3
  it("RFC 9846 9.2: a PSK that the server does not know, and no signature_algorithms: missing_extension", () => {
    const puppet = serverUnderTest({ ...resumed(), server: {} })
    puppet.message(editClientHello(puppet.drop("client_hello"), without("signature_algorithms")))
    expectRefused(puppet, "missing_extension", "PeerMisbehaved", /signature_algorithms/)
  })

  // Requirements 4.3.11-4, 4.3.11-5
  it("RFC 9846 4.3.11.2: a wrong binder: decrypt_error", () => {
    const puppet = serverUnderTest(resumed())
    const hello = puppet.drop("client_hello").slice()
    hello[hello.length - 1]! ^= 1
    puppet.message(hello)
    expectRefused(puppet, "decrypt_error", "PeerMisbehaved", /binder/)
  })

  // Requirement 4.3.11-4
  it("RFC 9846 4.3.11.2: a changed hello under a right binder: decrypt_error", () => {
    const puppet = serverUnderTest(resumed())
    puppet.message(editClientHello(puppet.drop("client_hello"), fixed({ random: new Uint8Array(32) })))
    expectRefused(puppet, "decrypt_error", "PeerMisbehaved", /binder/)
  })
})

describe("a ClientHello is taken with", () => {
  const tolerated: readonly (readonly [rule: string, edit: Edit])[] = [
    // Requirements 4.2.2-10, 9.3-4
    ["4.2.2: unknown and old cipher suites", fixed({ cipherSuites: fromHex("0a0a c02f 0005 0000 1301 ffff") })],
    // Requirements 4.2.2-14, 9.3-4
    [
      "4.3: unknown extensions, GREASE (RFC 8701) and private ones",
      ({ extensions }) =>
        void extensions.unshift(
          extension(0x1a1a),
          extension(0xff77, fromHex("0102")),
          extension(0xdada, fromHex("00")),
        ),
    ],
    // Requirement 9.3-4
    ["4.3.7: unknown groups", set("supported_groups", "000a 2a2a 001d 0017 ffff 0100")],
    [
      "4.3.8: shares of unknown groups",
      ({ extensions }) => {
        const entry = extensionData(extensions, "key_share").subarray(2)
        setExtension(extensions, "supported_groups", fromHex("0006 2a2a 001d 0017"))
        setExtension(extensions, "key_share", Uint8Array.of(0, 5 + entry.length, 0x2a, 0x2a, 0, 1, 0, ...entry))
      },
    ],
    // Requirement 4.3.1-4
    ["4.3.1: unknown versions, before and after", set("supported_versions", "0a 3a3a 7f1c 0304 0303 0301")],
    // Requirement 9.3-4
    ["4.3.3: unknown signature schemes", set("signature_algorithms", "0008 4a4a 0403 fe00 0101")],
    ["4.3.9: unknown PSK modes", set("psk_key_exchange_modes", "03 0b 01 7f")],
    [
      "4.3: extensions of TLS 1.2",
      ({ extensions }) =>
        void extensions.unshift(
          extension("renegotiation_info", fromHex("00")),
          extension("session_ticket"),
          extension("extended_master_secret"),
          extension("ec_point_formats", fromHex("0100")),
        ),
    ],
    ["RFC 8449 5: max_fragment_length is ignored", set("max_fragment_length", "01")],
    ["RFC 7685: padding", set("padding", "00".repeat(500))],
    ["RFC 6066 8: a status type that nobody knows", set("status_request", "05ffff")],
    ["4.3.10: early_data without pre_shared_key is ignored", set("early_data", "")],
    ["4.2.2: an empty session id", fixed({ legacySessionId: fromHex("") })],
    ["RFC 7250 3: certificate types that nobody knows", set("server_certificate_type", "03 01 00 63")],
  ]

  it.each(tolerated)("RFC 9846 C.3, %s", (_rule, edit) => {
    const rewrite = (name: string, message: Uint8Array) =>
      name === "client_hello" ? editClientHello(message, edit) : message
    const puppet = serverUnderTest({ rewrite }).run()
    expect(puppet.subject.failure).toBeUndefined()
    expect(puppet.subject.info?.cipherSuite).toBe("TLS_AES_128_GCM_SHA256")
    expect(puppet.actor.info).toBeDefined()
  })

  it("RFC 9846 4.2.2: extensions in any order", () => {
    const rewrite = (name: string, message: Uint8Array) =>
      name === "client_hello" ? editClientHello(message, ({ extensions }) => void extensions.reverse()) : message
    const puppet = serverUnderTest({ rewrite }).run()
    expect(puppet.actor.info).toBeDefined()
  })

  // Requirements 4.3-6, 4.3-7 (client), 4.2.2-6, 4.2.2-11, E.5-6 (client), 4.2.2-8
  it("the client's own hello has each extension once, and pre_shared_key last", () => {
    const puppet = clientUnderTest(early())
    editClientHello(
      puppet.sent[0]!.message,
      ({ extensions, legacyVersion, legacyCompressionMethods, legacySessionId }) => {
        expect(new Set(extensions.map(({ type }) => type)).size).toBe(extensions.length)
        expect(extensions.at(-1)?.type).toBe(ExtensionType.pre_shared_key)
        expect({ legacyVersion, legacyCompressionMethods }).toEqual({
          legacyVersion: 0x0303,
          legacyCompressionMethods: Uint8Array.of(0),
        })
        expect(legacySessionId).toHaveLength(32)
      },
    )
  })
})

describe("a failed negotiation says in a sentence", () => {
  it.each([
    [
      "that the client is too old",
      without("supported_versions"),
      /client offers TLS 1\.2 at most; this listener speaks only TLS 1\.3/,
    ],
    ["what it offered of versions", set("supported_versions", "0403020301"), /client offers TLS 1\.1 at most/],
  ] as const)("%s", (_what, edit, message) => {
    const puppet = serverUnderTest()
    puppet.message(editClientHello(puppet.drop("client_hello"), edit))
    expectRefused(puppet, "protocol_version", "PeerIncompatible", message)
    expect(puppet.events[0]).toMatchObject({ type: "offered", offer: { serverName: "server.test" } })
  })

  it("which application protocols there were", () => {
    const puppet = serverUnderTest({ client: { alpnProtocols: ["h2"] }, server: { alpnProtocols: ["mqtt"] } }).run()
    expectRefused(
      puppet,
      "no_application_protocol",
      "PeerIncompatible",
      /client offers "h2"; this listener speaks mqtt/,
    )
  })
})

// What may change between the two ClientHellos, and what a HelloRetryRequest may ask: RFC 9846 sections 4.2.2 and 4.2.4,
// 4.3.2 (cookie), 4.3.8 (key share), 4.3.11 (binders).

import { describe, expect, it } from "vitest"
import type { AlertName } from "../../src/bytes/alerts.ts"
import type { TlsErrorKind } from "../../src/bytes/errors.ts"
import { fromHex, toHex } from "../../src/bytes/hex.ts"
import { type Cast, clientUnderTest, early, expectRefused, resumed, serverUnderTest } from "../support.ts"
import {
  editClientHello,
  editServerHello,
  extension,
  extensionData,
  type RawClientHello,
  type RawServerHello,
  removeExtension,
  setExtension,
} from "../tools/edit.ts"
import type { Puppet } from "../tools/puppet.ts"

const retries: Cast = {
  client: { groups: ["x25519", "secp256r1"], alpnProtocols: ["mqtt"] },
  server: { groups: ["secp256r1"], alpnProtocols: ["mqtt"] },
}

/** A server that has sent a HelloRetryRequest, and the second ClientHello of its client. */
function second(cast: Cast = retries): { puppet: Puppet; hello: Uint8Array } {
  const puppet = serverUnderTest(cast).deliverUntil("client_hello")
  puppet.deliver()
  expect(puppet.sent.map(({ name }) => name)).toEqual(["hello_retry_request"])
  return { puppet, hello: puppet.deliverUntil("client_hello").drop("client_hello") }
}

type Edit = (hello: RawClientHello) => void
const set =
  (name: Parameters<typeof setExtension>[1], hex: string): Edit =>
  ({ extensions }) =>
    setExtension(extensions, name, fromHex(hex))
const fixed =
  (fields: Partial<RawClientHello>): Edit =>
  (hello) =>
    void Object.assign(hello, fields)

describe("the server refuses a second ClientHello that changes", () => {
  const cases: readonly (readonly [what: string, alert: AlertName, kind: TlsErrorKind, edit: Edit])[] = [
    ["random", "illegal_parameter", "PeerMisbehaved", fixed({ random: new Uint8Array(32) })],
    ["legacy_session_id", "illegal_parameter", "PeerMisbehaved", fixed({ legacySessionId: new Uint8Array(32) })],
    ["legacy_session_id to none", "illegal_parameter", "PeerMisbehaved", fixed({ legacySessionId: new Uint8Array(0) })],
    ["legacy_version", "protocol_version", "PeerMisbehaved", fixed({ legacyVersion: 0x0302 })],
    ["cipher_suites: one more", "illegal_parameter", "PeerMisbehaved", fixed({ cipherSuites: fromHex("13011302") })],
    ["cipher_suites: another", "illegal_parameter", "PeerMisbehaved", fixed({ cipherSuites: fromHex("1302") })],
    ["compression", "illegal_parameter", "PeerMisbehaved", fixed({ legacyCompressionMethods: fromHex("0001") })],
    ["server_name", "illegal_parameter", "PeerMisbehaved", set("server_name", "000e00000b6f746865722e74657374 78")],
    [
      "server_name away",
      "illegal_parameter",
      "PeerMisbehaved",
      ({ extensions }) => removeExtension(extensions, "server_name"),
    ],
    ["supported_versions: one more", "illegal_parameter", "PeerMisbehaved", set("supported_versions", "0403040303")],
    [
      "supported_versions away",
      "protocol_version",
      "PeerIncompatible",
      ({ extensions }) => removeExtension(extensions, "supported_versions"),
    ],
    ["supported_groups: their order", "illegal_parameter", "PeerMisbehaved", set("supported_groups", "00040017001d")],
    ["signature_algorithms", "illegal_parameter", "PeerMisbehaved", set("signature_algorithms", "00020403")],
    [
      "signature_algorithms_cert away",
      "illegal_parameter",
      "PeerMisbehaved",
      ({ extensions }) => removeExtension(extensions, "signature_algorithms_cert"),
    ],
    [
      "ALPN",
      "illegal_parameter",
      "PeerMisbehaved",
      set("application_layer_protocol_negotiation", "0009 03 666f6f 04 6d717474"),
    ],
    [
      "an unknown extension: one more",
      "illegal_parameter",
      "PeerMisbehaved",
      ({ extensions }) => void extensions.push(extension(0xfafa)),
    ],
    ["a known extension: one more", "illegal_parameter", "PeerMisbehaved", set("record_size_limit", "4001")],
    ["psk_key_exchange_modes: there now", "illegal_parameter", "PeerMisbehaved", set("psk_key_exchange_modes", "0101")],
    [
      "key_share: still the old group",
      "illegal_parameter",
      "PeerMisbehaved",
      set("key_share", `0024001d0020${"09".repeat(32)}`),
    ],
    ["key_share: none", "illegal_parameter", "PeerMisbehaved", set("key_share", "0000")],
    [
      "key_share away",
      "missing_extension",
      "PeerMisbehaved",
      ({ extensions }) => removeExtension(extensions, "key_share"),
    ],
    [
      "key_share: the old group beside the new one",
      "illegal_parameter",
      "PeerMisbehaved",
      ({ extensions }) => {
        const entry = extensionData(extensions, "key_share").subarray(2)
        const both = Uint8Array.of(...fromHex(`001d0020${"09".repeat(32)}`), ...entry)
        setExtension(extensions, "key_share", Uint8Array.of(0, both.length, ...both))
      },
    ],
    ["early_data: there now", "illegal_parameter", "PeerMisbehaved", set("early_data", "")],
    ["cookie: there, though none was sent", "illegal_parameter", "PeerMisbehaved", set("cookie", "0001aa")],
    [
      "another order of the extensions",
      "illegal_parameter",
      "PeerMisbehaved",
      ({ extensions }) => void extensions.splice(0, 2, extensions[1]!, extensions[0]!),
    ],
  ]

  it.for(cases)("RFC 9846 4.2.2: %s: %s", ([_what, alert, kind, edit]) => {
    const { puppet, hello } = second()
    puppet.message(editClientHello(hello, edit))
    expectRefused(puppet, alert, kind)
  })

  // Requirement 4.3.10-4
  it("RFC 9846 4.3.10: early_data of the first ClientHello again: illegal_parameter", () => {
    const cast = early({ client: { groups: ["x25519", "secp256r1"] } })
    const { puppet, hello } = second({ ...cast, server: { ...cast.server, groups: ["secp256r1"] } })
    puppet.message(editClientHello(hello, set("early_data", "")))
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /early data/)
  })

  it("RFC 9846 4.3.11.2: PSK and HelloRetryRequest, a changed binder: decrypt_error", () => {
    const cast = resumed({ client: { groups: ["x25519", "secp256r1"] } })
    const { puppet, hello } = second({ ...cast, server: { ...cast.server, groups: ["secp256r1"] } })
    const changed = hello.slice()
    changed[changed.length - 1]! ^= 0x80
    puppet.message(changed)
    expectRefused(puppet, "decrypt_error", "PeerMisbehaved", /binder/)
  })

  it.each([
    ["RFC 9846 4.2.2: the chosen PSK away, and with it all: missing_extension", "missing_extension"],
    ["RFC 9846 4.2.2: the chosen PSK away, another in its place: illegal_parameter", "illegal_parameter"],
  ] as const)("%s", (_, alert) => {
    const cast = resumed({ client: { groups: ["x25519", "secp256r1"] } })
    const { puppet, hello } = second({ ...cast, server: { ...cast.server, groups: ["secp256r1"] } })
    const another = `00070001aa00000000002120${"00".repeat(32)}`
    puppet.message(
      editClientHello(hello, ({ extensions }) => {
        if (alert === "missing_extension") removeExtension(extensions, "pre_shared_key")
        else setExtension(extensions, "pre_shared_key", fromHex(another))
      }),
    )
    expectRefused(puppet, alert, "PeerMisbehaved", /fits the cipher suite/)
  })

  it("RFC 9846 4.3.11.2: PSK and HelloRetryRequest, the binder of the first ClientHello: decrypt_error", () => {
    const cast = resumed({ client: { groups: ["x25519", "secp256r1"] } })
    const puppet = serverUnderTest({ ...cast, server: { ...cast.server, groups: ["secp256r1"] } })
    const firstBinder = puppet.deliver().content.slice(-32)
    const hello = puppet.drop("client_hello").slice()
    hello.set(firstBinder, hello.length - 32)
    puppet.message(hello)
    expectRefused(puppet, "decrypt_error", "PeerMisbehaved", /binder/)
  })

  it("what section 4.2.2 allows to change is taken: key_share in another place, too", () => {
    const rewrite = (name: string, message: Uint8Array) => {
      if (name !== "client_hello" || !toHex(message).includes("0017004104")) return message
      return editClientHello(message, ({ extensions }) => {
        const share = extensionData(extensions, "key_share")
        removeExtension(extensions, "key_share")
        extensions.unshift(extension("key_share", share))
      })
    }
    const puppet = serverUnderTest({ ...retries, rewrite }).run()
    expect(puppet.subject.info).toMatchObject({ helloRetryRequest: true, group: "secp256r1" })
    expect(puppet.actor.info).toBeDefined()
  })

  it("what section 4.2.2 allows to change is taken: padding, too", () => {
    const rewrite = (name: string, message: Uint8Array) => {
      // The second hello alone has a share of 65 bytes.
      if (name !== "client_hello" || !toHex(message).includes("0017004104")) return message
      return editClientHello(message, set("padding", "00".repeat(20)))
    }
    const puppet = serverUnderTest({ ...retries, rewrite }).run()
    expect(puppet.subject.info).toMatchObject({ helloRetryRequest: true, group: "secp256r1" })
    expect(puppet.actor.info).toBeDefined()
  })
})

describe("a cookie (RFC 9846 4.3.2)", () => {
  const cookie = "0004cafebabe"
  const sendsCookie = (name: string, message: Uint8Array) =>
    name === "hello_retry_request"
      ? editServerHello(message, ({ extensions }) => setExtension(extensions, "cookie", fromHex(cookie)))
      : message

  // Requirement 4.3.2-1
  it("comes back as it was", () => {
    const puppet = serverUnderTest({ ...retries, rewriteSubject: sendsCookie })
    puppet.deliver()
    editClientHello(puppet.parts[0]!.content, ({ extensions }) => {
      expect(toHex(extensionData(extensions, "cookie"))).toBe(cookie)
    })
    puppet.run()
    expect(puppet.subject.info).toMatchObject({ helloRetryRequest: true })
  })

  it.each([
    ["another", set("cookie", "0004cafebabf")],
    ["a shorter one", set("cookie", "0003cafeba")],
    ["none", (({ extensions }) => removeExtension(extensions, "cookie")) as Edit],
  ] as const)("that comes back as %s: illegal_parameter", (_what, edit) => {
    const { puppet, hello } = second({ ...retries, rewriteSubject: sendsCookie })
    puppet.message(editClientHello(hello, edit))
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /cookie/)
  })
})

describe("the client refuses a HelloRetryRequest with", () => {
  type RetryEdit = (hello: RawServerHello) => void
  const put =
    (name: Parameters<typeof setExtension>[1], hex: string): RetryEdit =>
    ({ extensions }) =>
      setExtension(extensions, name, fromHex(hex))
  const change =
    (fields: Partial<RawServerHello>): RetryEdit =>
    (hello) =>
      void Object.assign(hello, fields)

  const cases: readonly (readonly [what: string, alert: AlertName, kind: TlsErrorKind, edit: RetryEdit])[] = [
    // Requirement 4.2.4-4
    [
      "4.2.4: nothing to change",
      "illegal_parameter",
      "PeerMisbehaved",
      ({ extensions }) => removeExtension(extensions, "key_share"),
    ],
    // Requirement 4.3.8-7
    ["4.3.8: a group that was not offered", "illegal_parameter", "PeerMisbehaved", put("key_share", "0019")],
    ["4.3.8: an unknown group", "illegal_parameter", "PeerMisbehaved", put("key_share", "2a2a")],
    // Requirement 4.3.8-7
    ["4.3.8: the group that it has a share of", "illegal_parameter", "PeerMisbehaved", put("key_share", "001d")],
    ["4.3.8: a share in place of a group", "decode_error", "InvalidMessage", put("key_share", "00170001aa")],
    ["4.3.2: an empty cookie", "decode_error", "InvalidMessage", put("cookie", "0000")],
    [
      "4.3.2: a cookie that its ClientHello has no room for",
      "illegal_parameter",
      "LimitExceeded",
      put("cookie", `fde8${"aa".repeat(65_000)}`),
    ],
    // Requirement 4.2.4-3
    [
      "4.2.4: no supported_versions",
      "missing_extension",
      "PeerMisbehaved",
      ({ extensions }) => removeExtension(extensions, "supported_versions"),
    ],
    ["4.3.1: TLS 1.2 in supported_versions", "illegal_parameter", "PeerMisbehaved", put("supported_versions", "0303")],
    // Requirement 4.2.4-3
    ["4.2.4: another legacy_version", "protocol_version", "InvalidMessage", change({ legacyVersion: 0x0304 })],
    // Requirement 4.2.4-3
    [
      "4.2.4: another session id",
      "illegal_parameter",
      "InvalidMessage",
      change({ legacySessionIdEcho: new Uint8Array(32) }),
    ],
    ["4.2.4: no session id", "illegal_parameter", "InvalidMessage", change({ legacySessionIdEcho: new Uint8Array(0) })],
    // Requirement 4.2.4-3
    ["4.2.4: compression", "illegal_parameter", "InvalidMessage", change({ legacyCompressionMethod: 1 })],
    // Requirements 4.2.4-7, 4.2.4-3
    [
      "4.2.4: a cipher suite that was not offered",
      "illegal_parameter",
      "PeerMisbehaved",
      change({ cipherSuite: 0x1302 }),
    ],
    // Requirement 4.3-4 (client)
    ["4.3: an extension that was not asked for", "unsupported_extension", "PeerMisbehaved", put(0xfafa, "")],
    // Requirement 4.3-5 (client)
    ["4.3: a known extension that has no place there", "illegal_parameter", "InvalidMessage", put("server_name", "")],
    [
      "4.3: an extension twice",
      "illegal_parameter",
      "InvalidMessage",
      ({ extensions }) => void extensions.push(extensions[0]!),
    ],
  ]

  it.for(cases)("RFC 9846 %s: %s", ([_what, alert, kind, edit]) => {
    const puppet = clientUnderTest(retries)
    puppet.message(editServerHello(puppet.drop("hello_retry_request"), edit))
    expectRefused(puppet, alert, kind)
  })

  // Requirements 5.1-4 (client), 5.1-5 (client)
  it("RFC 9846 5.1: bytes behind it in its record: unexpected_message", () => {
    const puppet = clientUnderTest(retries)
    puppet.message(puppet.drop("hello_retry_request"), fromHex("02000000"))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })

  // Requirement 4.3.8-12
  it("RFC 9846 4.3.8: a ServerHello with a share of another group than it asked for: illegal_parameter", () => {
    const puppet = clientUnderTest(retries)
    puppet.deliver()
    puppet.message(editServerHello(puppet.drop("server_hello"), put("key_share", `001d0020${"09".repeat(32)}`)))
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /x25519/)
  })

  // Requirement 4.2.4-9
  it("RFC 9846 4.2.4: a ServerHello with another cipher suite: illegal_parameter", () => {
    const both = { cipherSuites: ["TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"] }
    const puppet = clientUnderTest({
      client: { ...retries.client, ...both },
      server: { ...retries.server, cipherSuites: ["TLS_AES_128_GCM_SHA256"] },
    })
    puppet.deliver()
    puppet.message(editServerHello(puppet.drop("server_hello"), change({ cipherSuite: 0x1303 })))
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /another cipher suite than HelloRetryRequest/)
  })

  // Requirement 4.2.4-10 (client)
  it("RFC 9846 4.2.4: a ServerHello with another version: illegal_parameter", () => {
    const puppet = clientUnderTest(retries)
    puppet.deliver()
    puppet.message(editServerHello(puppet.drop("server_hello"), put("supported_versions", "0305")))
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved")
  })
})

describe("the client's second ClientHello", () => {
  // Requirements 4.2.2-2, 4.2.4-6, 4.3.8-9, 4.3.2-1
  it("RFC 9846 4.2.2: differs from the first in key_share alone, and in the cookie", () => {
    const puppet = clientUnderTest(retries)
    const retry = puppet.drop("hello_retry_request")
    puppet.message(editServerHello(retry, ({ extensions }) => setExtension(extensions, "cookie", fromHex("0002beef"))))
    const [first, next] = puppet.sent.map(({ message }) => message)
    const remove = (name: "key_share" | "cookie") => (hello: RawClientHello) => removeExtension(hello.extensions, name)
    const bare = editClientHello(editClientHello(next!, remove("cookie")), remove("key_share"))
    expect(toHex(bare)).toBe(toHex(editClientHello(first!, remove("key_share"))))
    editClientHello(next!, ({ extensions }) => {
      expect(toHex(extensionData(extensions, "cookie"))).toBe("0002beef")
      expect(toHex(extensionData(extensions, "key_share")).slice(0, 14)).toBe("00450017004104")
    })
  })

  it("RFC 9846 4.2.4: keeps its shares when only a cookie is asked for", () => {
    const puppet = clientUnderTest(retries)
    const retry = editServerHello(puppet.drop("hello_retry_request"), ({ extensions }) => {
      removeExtension(extensions, "key_share")
      setExtension(extensions, "cookie", fromHex("0002beef"))
    })
    puppet.message(retry)
    const [first, next] = puppet.sent.map(({ message }) => message)
    expect(puppet.subject.failure).toBeUndefined()
    const without = editClientHello(next!, ({ extensions }) => removeExtension(extensions, "cookie"))
    expect(toHex(without)).toBe(toHex(first!))
  })
})

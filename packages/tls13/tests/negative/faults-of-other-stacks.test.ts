// Points that public compliance audits raised against other stacks in 2025 and 2026, each by its issue there. What is tested
// elsewhere in more depth stands here again in a line, so that the list is whole.

import { describe, expect, it } from "vitest"
import { AlertDescription, AlertLevel } from "../../src/bytes/alerts.ts"
import { ContentType } from "../../src/bytes/code-points.ts"
import { concatBytes } from "../../src/bytes/concat.ts"
import { fromHex } from "../../src/bytes/hex.ts"
import { utf8ToBytes } from "../../src/bytes/text.ts"
import { encodeEndOfEarlyData, encodeKeyUpdate } from "../../src/codec/key-update.ts"
import {
  type Cast,
  clientCertificate,
  clientUnderTest,
  expectRefused,
  resumed,
  serverUnderTest,
  start,
} from "../support.ts"
import {
  certificateOf,
  editClientHello,
  editServerHello,
  extension,
  removeExtension,
  setExtension,
} from "../tools/edit.ts"
import type { Puppet } from "../tools/puppet.ts"

const nothing = new Uint8Array(0)
const hello = utf8ToBytes("hello")
const connected: readonly (readonly [string, () => Puppet])[] = [
  ["client", () => clientUnderTest().run()],
  ["server", () => serverUnderTest().run()],
]
const retries: Cast = { client: { groups: ["x25519", "secp256r1"] }, server: { groups: ["secp256r1"] } }

describe("mbedtls 10781: alerts and behaviour after the handshake", () => {
  // Requirement 4.2.2-3
  it("1: a ClientHello to a connected server: unexpected_message", () => {
    const puppet = serverUnderTest()
    const again = puppet.parts[0]!.content
    puppet.run().message(again)
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })

  it("1: a CertificateRequest to a connected client: unexpected_message", () => {
    const puppet = clientUnderTest(clientCertificate)
    const request = puppet.parts.find(({ name }) => name === "certificate_request")!.content
    puppet.run().message(request)
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })

  it("2: an empty Certificate of a server: decode_error", () => {
    const puppet = clientUnderTest().deliverUntil("certificate")
    puppet.message(certificateOf(nothing, []))
    expectRefused(puppet, "decode_error", "InvalidMessage")
  })

  it.each(connected)("3: too long a record to a %s: record_overflow", (_role, reach) => {
    const puppet = reach()
    puppet.receive(fromHex("1703034101"))
    expectRefused(puppet, "record_overflow", "PeerMisbehaved")
  })

  it.each(connected)(
    "4: a TLSInnerPlaintext of zeros, and a handshake record of padding, to a %s: unexpected_message",
    (_role, reach) => {
      for (const inner of [new Uint8Array(9), Uint8Array.of(ContentType.handshake, 0, 0)]) {
        const puppet = reach()
        puppet.receive(puppet.innerRecord(inner))
        expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
      }
    },
  )

  it.each([
    ["client", () => clientUnderTest().deliverUntil("encrypted_extensions")],
    ["server", () => serverUnderTest().deliverUntil("finished")],
    ...connected,
  ] as const)("5: a protected change_cipher_spec to a %s: unexpected_message", (_role, reach) => {
    const puppet = reach()
    puppet.receive(puppet.innerRecord(Uint8Array.of(1, ContentType.change_cipher_spec)))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })

  // Requirements 6-1, 6.2-1
  it.each(connected)("6: nothing goes in or out of a %s after a fatal alert", (_role, reach) => {
    const puppet = reach()
    const late = puppet.record(ContentType.alert, Uint8Array.of(AlertLevel.fatal, AlertDescription.internal_error))
    puppet.receive(concatBytes(late, late))
    const { subject } = puppet
    expect(subject.failure).toMatchObject({ kind: "PeerAlert" })
    expect(subject.writable).toBe(false)
    expect(() => subject.send(hello)).toThrow(/connection is over/)
    expect(() => subject.updateKeys()).toThrow(/connection is over/)
    expect(subject.receive(late, start)).toMatchObject({ output: nothing, events: [], waitsFor: "nothing" })
  })

  it.each(connected)("8: KeyUpdate works at a %s", (_role, reach) => {
    const puppet = reach()
    puppet.message(encodeKeyUpdate("update_requested"))
    puppet.send(ContentType.application_data, hello)
    puppet.act((actor) => actor.send(hello))
    puppet.run()
    expect(puppet.events.filter(({ type }) => type === "data")).toHaveLength(2)
  })
})

describe("mbedtls 10882 and 10890: messages that have no place after the handshake are answered by an alert", () => {
  it.each(connected)("a %s answers each with unexpected_message, under its keys", (_role, reach) => {
    const flight = clientUnderTest(clientCertificate).parts.map(({ content }) => content)
    for (const message of [encodeEndOfEarlyData(), ...flight]) {
      const puppet = reach()
      puppet.message(message)
      expectRefused(puppet, "unexpected_message", "PeerMisbehaved", /in state CONNECTED/)
      expect(puppet.alerts[0]).toMatchObject({ protected: true })
    }
  })
})

describe("mbedtls 10879: which alert a wrong version gets", () => {
  it("a ServerHello without supported_versions: protocol_version; with a wrong one: illegal_parameter", () => {
    const legacy = clientUnderTest()
    legacy.message(
      editServerHello(legacy.drop("server_hello"), ({ extensions }) =>
        removeExtension(extensions, "supported_versions"),
      ),
    )
    expectRefused(legacy, "protocol_version", "PeerIncompatible")
    const wrong = clientUnderTest()
    wrong.message(
      editServerHello(wrong.drop("server_hello"), ({ extensions }) =>
        setExtension(extensions, "supported_versions", fromHex("0303")),
      ),
    )
    expectRefused(wrong, "illegal_parameter", "PeerMisbehaved")
  })
})

describe("mbedtls 10924: error alerts at the level of a warning are errors", () => {
  it.each(connected)("to a %s", (_role, reach) => {
    for (const description of [AlertDescription.illegal_parameter, 250]) {
      const puppet = reach()
      puppet.send(ContentType.alert, Uint8Array.of(AlertLevel.warning, description))
      expect(puppet.subject.failure).toMatchObject({ kind: "PeerAlert" })
      expect(puppet.subject.writable).toBe(false)
    }
  })
})

// Requirement 4.5.3-2 (server)
describe("mbedtls 10877: records after Finished are under the application keys", () => {
  it("the alert of a server that refuses the client's certificate can be read by the client", () => {
    const puppet = serverUnderTest({ server: clientCertificate.server }).run()
    expectRefused(puppet, "certificate_required", "PeerMisbehaved")
    // The actor, a real client, reads with the server's application keys by now.
    expect(puppet.actor.failure).toMatchObject({ kind: "PeerAlert", received: "certificate_required" })
  })
})

// Requirement 5-3
describe("mbedtls 10903: change_cipher_spec after Finished", () => {
  it.each(connected)("to a %s: unexpected_message", (_role, reach) => {
    const puppet = reach()
    puppet.receive(fromHex("140303000101"))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })
})

describe("openssl 32212: user_canceled is followed by close_notify", () => {
  // Requirements 6.1-3, 6.1-2
  it.each([
    ["client", () => clientUnderTest()],
    ["server", () => serverUnderTest().deliverUntil("finished")],
  ] as const)("when a %s calls its handshake off", (_role, reach) => {
    const puppet = reach()
    puppet.take(puppet.subject.close())
    expect(puppet.alerts.map(({ description, level }) => [description, level])).toEqual([
      ["user_canceled", AlertLevel.warning],
      ["close_notify", AlertLevel.warning],
    ])
  })

  it("and when a handshake took too long", () => {
    const puppet = clientUnderTest({ client: { limits: { handshakeTime: 1000 } } })
    puppet.take(puppet.subject.tick(start + 1000))
    expect(puppet.alerts.map(({ description }) => description)).toEqual(["user_canceled", "close_notify"])
  })
})

describe("openssl 32282: legacy_version of ClientHello", () => {
  it.each([0x0300, 0x0301, 0x0302, 0x0304, 0xffff])(
    "%i: protocol_version, though supported_versions has TLS 1.3",
    (legacyVersion) => {
      const puppet = serverUnderTest()
      puppet.message(editClientHello(puppet.drop("client_hello"), (raw) => void Object.assign(raw, { legacyVersion })))
      expectRefused(puppet, "protocol_version", "PeerMisbehaved")
    },
  )
})

describe("openssl 27809: alerts after ServerHello are protected", () => {
  it("from a client that gets an empty Certificate", () => {
    const puppet = clientUnderTest().deliverUntil("certificate")
    puppet.message(certificateOf(nothing, []))
    expect(puppet.outcome?.output[0]).toBe(ContentType.change_cipher_spec)
    expect(puppet.outcome?.output[6]).toBe(ContentType.application_data)
    expect(puppet.alerts).toMatchObject([{ protected: true }])
  })
})

describe("wolfssl 9331 and 10016: the suite of HelloRetryRequest binds", () => {
  it("a ServerHello with another: illegal_parameter", () => {
    const suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]
    const puppet = clientUnderTest({
      client: { ...retries.client, cipherSuites: suites },
      server: { ...retries.server, cipherSuites: suites.slice(0, 1) },
    })
    puppet.deliver()
    puppet.message(
      editServerHello(puppet.drop("server_hello"), (raw) => void Object.assign(raw, { cipherSuite: 0x1302 })),
    )
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved")
  })

  // Requirement 4.2.4-8
  it("a server keeps to the suite of its HelloRetryRequest", () => {
    const puppet = serverUnderTest({
      client: { ...retries.client, cipherSuites: ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"] },
      server: retries.server!,
    }).run()
    const suiteOf = (message: Uint8Array) => {
      let suite = 0
      editServerHello(message, (raw) => {
        suite = raw.cipherSuite
      })
      return suite
    }
    const [retry, answer] = puppet.sent.map(({ message }) => message)
    expect(suiteOf(retry!)).toBe(suiteOf(answer!))
  })
})

describe("wolfssl 9240: a HelloRetryRequest that changes nothing", () => {
  it("illegal_parameter", () => {
    const puppet = clientUnderTest(retries)
    puppet.message(
      editServerHello(puppet.drop("hello_retry_request"), ({ extensions }) => removeExtension(extensions, "key_share")),
    )
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved")
  })
})

describe("wolfssl 9362: a share of another group than HelloRetryRequest asked for", () => {
  it("illegal_parameter", () => {
    const puppet = serverUnderTest(retries)
    puppet.deliver()
    puppet.message(
      editClientHello(puppet.drop("client_hello"), ({ extensions }) =>
        setExtension(extensions, "key_share", fromHex(`0024001d0020${"09".repeat(32)}`)),
      ),
    )
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved")
  })
})

describe("wolfssl 10244: pre_shared_key that is not last", () => {
  it("illegal_parameter", () => {
    const puppet = serverUnderTest(resumed())
    puppet.message(editClientHello(puppet.drop("client_hello"), ({ extensions }) => void extensions.reverse()))
    expectRefused(puppet, "illegal_parameter", "InvalidMessage")
  })
})

describe("wolfssl 10319: extensions of a client's Certificate that were not asked for", () => {
  it("unsupported_extension", () => {
    const puppet = serverUnderTest(clientCertificate).deliverUntil("certificate")
    puppet.message(
      certificateOf(nothing, [
        { data: Uint8Array.of(0x30, 0), extensions: [extension("status_request", fromHex("01000001aa"))] },
      ]),
    )
    expectRefused(puppet, "unsupported_extension", "PeerMisbehaved")
  })
})

describe("wolfssl 10320: an extension in HelloRetryRequest that was not offered", () => {
  // Requirement 4.3-4 (client)
  it("0xfafa: unsupported_extension", () => {
    const puppet = clientUnderTest(retries)
    puppet.message(
      editServerHello(puppet.drop("hello_retry_request"), ({ extensions }) => void extensions.push(extension(0xfafa))),
    )
    expectRefused(puppet, "unsupported_extension", "PeerMisbehaved")
  })
})

describe("wolfssl 10746 and 10792: the alerts for a bad HelloRetryRequest, once", () => {
  it("without supported_versions: missing_extension", () => {
    const puppet = clientUnderTest(retries)
    puppet.message(
      editServerHello(puppet.drop("hello_retry_request"), ({ extensions }) =>
        removeExtension(extensions, "supported_versions"),
      ),
    )
    expectRefused(puppet, "missing_extension", "PeerMisbehaved")
  })

  it("with a known extension that has no place there: illegal_parameter", () => {
    const puppet = clientUnderTest(retries)
    puppet.message(
      editServerHello(
        puppet.drop("hello_retry_request"),
        ({ extensions }) => void extensions.push(extension("record_size_limit", fromHex("4001"))),
      ),
    )
    expectRefused(puppet, "illegal_parameter", "InvalidMessage")
  })
})

describe("wolfssl 9229: extensions of TLS 1.2 in a ServerHello", () => {
  it.each(["extended_master_secret", "renegotiation_info", "ec_point_formats", "session_ticket"] as const)(
    "%s, which was not asked for: unsupported_extension",
    (name) => {
      const puppet = clientUnderTest()
      puppet.message(
        editServerHello(puppet.drop("server_hello"), ({ extensions }) => void extensions.push(extension(name))),
      )
      expectRefused(puppet, "unsupported_extension", "PeerMisbehaved")
    },
  )
})

describe("wolfssl 11131: user_canceled ends no connection, at whatever level", () => {
  it.each(connected)("to a %s", (_role, reach) => {
    const puppet = reach()
    puppet.send(ContentType.alert, Uint8Array.of(AlertLevel.fatal, AlertDescription.user_canceled))
    puppet.send(ContentType.application_data, hello)
    expect(puppet.events.at(-1)).toEqual({ type: "data", data: hello })
  })
})

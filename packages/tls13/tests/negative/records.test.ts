// What both roles refuse of records: RFC 9846 sections 5 to 5.4 and 4.3.10, at the byte. The reader has its own tests; these
// are about the connection: the alert, under the keys of the moment, and nothing after it.

import { describe, expect, it } from "vitest"
import { AlertDescription, AlertLevel, type AlertName, alertName } from "../../src/bytes/alerts.ts"
import { ContentType } from "../../src/bytes/code-points.ts"
import { concatBytes } from "../../src/bytes/concat.ts"
import { fromHex } from "../../src/bytes/hex.ts"
import { utf8ToBytes } from "../../src/bytes/text.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import { clientCertificate, clientUnderTest, expectRefused, serverUnderTest } from "../support.ts"
import type { Puppet } from "../tools/puppet.ts"

const { alert, application_data, change_cipher_spec, handshake } = ContentType
const raw = (type: number, length: number, fill = 0): Uint8Array =>
  concatBytes(Uint8Array.of(type, 3, 3, length >> 8, length), new Uint8Array(length).fill(fill))

type Stage = readonly [name: string, reach: () => Puppet]
const inTheClear: readonly Stage[] = [
  ["client before ServerHello", () => clientUnderTest()],
  ["server before ClientHello", () => serverUnderTest()],
]
const protectedStages: readonly Stage[] = [
  ["client in the handshake", () => clientUnderTest().deliverUntil("certificate")],
  ["server in the handshake", () => serverUnderTest(clientCertificate).deliverUntil("certificate")],
  ["client after the handshake", () => clientUnderTest().run()],
  ["server after the handshake", () => serverUnderTest().run()],
]

describe.each(inTheClear)("%s refuses", (_name, reach) => {
  it.each([
    ["5.1: a handshake record of 0 bytes", raw(handshake, 0), "unexpected_message"],
    ["5.1: an alert record of 0 bytes", raw(alert, 0), "unexpected_message"],
    // Requirement 5.1-13
    ["5.1: a record of 2^14 + 1 bytes, at its header", raw(handshake, 16_385).subarray(0, 5), "record_overflow"],
    // Requirement 5-5
    ["5: content type 0", raw(0, 4), "unexpected_message"],
    // Requirement 5-5
    ["5: content type 24, heartbeat", raw(24, 4), "unexpected_message"],
    ["5: content type 255", raw(255, 4), "unexpected_message"],
    ["5.1: application data", raw(application_data, 30), "unexpected_message"],
    // Requirement 5-2
    ["5: change_cipher_spec of value 0", raw(change_cipher_spec, 1), "unexpected_message"],
    // Requirement 5-2
    ["5: change_cipher_spec of 2 bytes", raw(change_cipher_spec, 2, 1), "unexpected_message"],
    ["5: change_cipher_spec of 0 bytes", raw(change_cipher_spec, 0), "unexpected_message"],
  ] as const)("RFC 9846 %s: %s", (_what, bytes, alertName) => {
    const puppet = reach()
    puppet.receive(bytes)
    expectRefused(puppet, alertName, "PeerMisbehaved")
  })

  // Requirement 5.1-8
  it.each([
    ["an alert of 1 byte", raw(alert, 1, 2)],
    ["an alert of 3 bytes", raw(alert, 3, 2)],
    ["two alerts in a record", raw(alert, 4, 2)],
  ])("RFC 9846 5.1: %s: decode_error", (_what, bytes) => {
    const puppet = reach()
    puppet.receive(bytes)
    expectRefused(puppet, "decode_error", "InvalidMessage")
  })

  it("RFC 9846 5.1: takes a record of 2^14 bytes", () => {
    const puppet = reach()
    // The start of a message that is longer than the record.
    const record = raw(handshake, 16_384)
    record.set([puppet.state === "START" ? 1 : 2, 0, 0x50, 0], 5)
    puppet.receive(record)
    expect(puppet.subject.failure).toBeUndefined()
  })
})

describe.each(protectedStages)("%s refuses", (_name, reach) => {
  const cases: readonly (readonly [what: string, send: (puppet: Puppet) => void, alert: AlertName])[] = [
    // Requirements 5.2-3, 6-3, 6.2-2, 6.2-3
    [
      "5.2: a record that was changed",
      (puppet) => puppet.receive(flip(puppet.record(application_data, utf8ToBytes("x")), -1)),
      "bad_record_mac",
    ],
    [
      "5.2: a record whose header was changed",
      (puppet) => puppet.receive(flip(puppet.record(application_data, utf8ToBytes("x")), 1)),
      "bad_record_mac",
    ],
    ["5.2: a record of zeros", (puppet) => puppet.receive(raw(application_data, 40)), "bad_record_mac"],
    ["5.2: a record shorter than a tag", (puppet) => puppet.receive(raw(application_data, 15)), "bad_record_mac"],
    ["5.2: a record of 0 bytes", (puppet) => puppet.receive(raw(application_data, 0)), "bad_record_mac"],
    // Requirement 5.2-2
    [
      "5.2: a record of 2^14 + 257 bytes, at its header",
      (puppet) => puppet.receive(raw(application_data, 16_641).subarray(0, 5)),
      "record_overflow",
    ],
    [
      "5.4: 2^14 + 1 bytes of content",
      (puppet) =>
        puppet.receive(puppet.innerRecord(concatBytes(new Uint8Array(16_385), Uint8Array.of(application_data)))),
      "record_overflow",
    ],
    // Requirement 5.4-5
    [
      "5.4: 2^14 bytes of content and a byte of padding",
      (puppet) =>
        puppet.receive(puppet.innerRecord(concatBytes(new Uint8Array(16_384), Uint8Array.of(application_data, 0)))),
      "record_overflow",
    ],
    // Requirement 5.4-4
    [
      "5.4: an inner plaintext of zeros only",
      (puppet) => puppet.receive(puppet.innerRecord(new Uint8Array(20))),
      "unexpected_message",
    ],
    [
      "5.4: an inner plaintext of one zero",
      (puppet) => puppet.receive(puppet.innerRecord(new Uint8Array(1))),
      "unexpected_message",
    ],
    // Requirement 5.4-4
    [
      "5.4: an inner plaintext of no bytes",
      (puppet) => puppet.receive(puppet.innerRecord(new Uint8Array(0))),
      "unexpected_message",
    ],
    [
      "5.4: a handshake record without content",
      (puppet) => puppet.receive(puppet.innerRecord(Uint8Array.of(handshake))),
      "unexpected_message",
    ],
    // Requirement 5.4-2
    [
      "5.4: a handshake record of padding only",
      (puppet) => puppet.receive(puppet.innerRecord(Uint8Array.of(handshake, 0, 0, 0))),
      "unexpected_message",
    ],
    // Requirement 5.4-2
    [
      "5.4: an alert record without content",
      (puppet) => puppet.receive(puppet.innerRecord(Uint8Array.of(alert))),
      "unexpected_message",
    ],
    // Requirement 5-2
    [
      "5: a protected change_cipher_spec",
      (puppet) => puppet.receive(puppet.innerRecord(Uint8Array.of(1, change_cipher_spec))),
      "unexpected_message",
    ],
    // Requirement 5-5
    [
      "5: an unknown inner content type",
      (puppet) => puppet.receive(puppet.innerRecord(Uint8Array.of(1, 24))),
      "unexpected_message",
    ],
    ["5.2: a handshake record in the clear", (puppet) => puppet.receive(raw(handshake, 8, 1)), "unexpected_message"],
    ["5: content type 0", (puppet) => puppet.receive(raw(0, 30)), "unexpected_message"],
    [
      "5: change_cipher_spec of value 2",
      (puppet) => puppet.receive(raw(change_cipher_spec, 1, 2)),
      "unexpected_message",
    ],
    // Requirements 5.1-2, 5.1-3
    [
      "5.1: application data between the parts of a handshake message",
      (puppet) => {
        puppet.send(handshake, fromHex("0b0000"))
        puppet.send(application_data, utf8ToBytes("x"))
      },
      "unexpected_message",
    ],
    [
      "5.1: empty application data between the parts of a handshake message",
      (puppet) => {
        puppet.send(handshake, fromHex("0b0000"))
        puppet.send(application_data, new Uint8Array(0))
      },
      "unexpected_message",
    ],
    // Requirements 5.1-2, 5.1-3
    [
      "5.1: change_cipher_spec between the parts of a handshake message",
      (puppet) => {
        puppet.send(handshake, fromHex("0b0000"))
        puppet.receive(raw(change_cipher_spec, 1, 1))
      },
      "unexpected_message",
    ],
  ]

  it.for(cases)("RFC 9846 %s: %s", ([_what, send, alertName]) => {
    const puppet = reach()
    send(puppet)
    expectRefused(puppet, alertName, "PeerMisbehaved")
    expect(puppet.alerts[0]).toMatchObject({ protected: true })
  })

  it.each([
    ["handshake_failure", 2, 40],
    ["unknown_ca", 2, 48],
    ["unknown_ca as a warning", 1, 48],
    ["a number that no RFC names", 2, 200],
    ["close_notify", 1, 0],
    ["user_canceled", 1, 90],
    ["an alert of no level", 7, 48],
  ])("RFC 9846 5.2: an alert in the clear, %s: unexpected_message is sent", (_what, level, description) => {
    const puppet = reach()
    puppet.receive(Uint8Array.of(alert, 3, 3, 0, 2, level, description))
    // A client may not have taken its keys into use before its second flight: then what it says is told, never believed.
    const isTold = _name === "server in the handshake" && level < 3 && description !== 0 && description !== 90
    expectRefused(puppet, "unexpected_message", isTold ? "PeerAlert" : "PeerMisbehaved", /in the clear/)
    expect(puppet.alerts[0]).toMatchObject({ protected: true })
    const { failure } = puppet.subject
    expect(failure && "received" in failure ? failure.received : undefined).toBe(
      isTold ? alertName(description) : undefined,
    )
  })

  // Requirement 5.1-8
  it("RFC 9846 5.1: user_canceled between the parts of a handshake message: unexpected_message", () => {
    const puppet = reach()
    puppet.send(handshake, fromHex(puppet.subject instanceof ServerConnection ? "0b0000" : "040000"))
    puppet.send(alert, Uint8Array.of(AlertLevel.warning, AlertDescription.user_canceled))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved", /interleaves/)
  })

  it("RFC 9846 5.1: an alert of 3 bytes: decode_error", () => {
    const puppet = reach()
    puppet.receive(puppet.innerRecord(Uint8Array.of(2, 40, 0, alert)))
    expectRefused(puppet, "decode_error", "InvalidMessage")
  })

  it("RFC 9846 5.3: the same record twice: bad_record_mac", () => {
    const puppet = reach()
    // The start of a message: nothing to refuse yet.
    const record = puppet.record(handshake, Uint8Array.of(11, 0))
    puppet.receive(record.slice())
    expect(puppet.subject.failure).toBeUndefined()
    puppet.receive(record)
    expectRefused(puppet, "bad_record_mac", "PeerMisbehaved")
  })
})

describe("records that are taken", () => {
  it("RFC 9846 5.4: 2^14 bytes of content; and 1 byte with 2^14 - 1 bytes of padding", () => {
    const puppet = serverUnderTest().run()
    puppet.receive(puppet.innerRecord(concatBytes(new Uint8Array(16_384).fill(7), Uint8Array.of(application_data))))
    puppet.receive(puppet.innerRecord(concatBytes(Uint8Array.of(9, application_data), new Uint8Array(16_383))))
    expect(puppet.events.slice(-2)).toEqual([
      { type: "data", data: new Uint8Array(16_384).fill(7) },
      { type: "data", data: Uint8Array.of(9) },
    ])
  })

  // Requirement 5.1-11 (server)
  it("RFC 9846 5.1, C.3: any legacy_record_version in the clear", () => {
    for (const version of [0x0300, 0x0301, 0x0304, 0x0000, 0xffff]) {
      const puppet = serverUnderTest()
      const record = puppet.record(handshake, puppet.drop("client_hello"))
      record[1] = version >> 8
      record[2] = version
      puppet.receive(record)
      expect(puppet.subject.failure).toBeUndefined()
      expect(puppet.state).toBe("WAIT_FINISHED")
    }
  })

  it("RFC 9846 5.1, C.3: a ClientHello in records of one byte each, all handshake messages likewise", () => {
    for (const puppet of [serverUnderTest(clientCertificate), clientUnderTest(clientCertificate)]) {
      while (puppet.parts.length > 0) {
        for (const byte of puppet.parts.shift()!.content) puppet.send(handshake, Uint8Array.of(byte))
      }
      expect(puppet.subject.info).toBeDefined()
      expect(puppet.actor.info).toBeDefined()
    }
  })

  it("RFC 9846 5.1: several messages in one record, up to the key change", () => {
    const puppet = clientUnderTest().deliverUntil("encrypted_extensions")
    puppet.message(...puppet.parts.splice(0).map(({ content }) => content))
    expect(puppet.subject.info).toBeDefined()
  })
})

function flip(record: Uint8Array, at: number): Uint8Array {
  record[at < 0 ? record.length + at : at]! ^= 1
  return record
}

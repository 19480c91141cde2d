// After the handshake: KeyUpdate (RFC 9846 section 4.7.3), NewSessionTicket (4.7.1), CertificateRequest (4.7.2), and alerts
// (section 6) at any time.

import { describe, expect, it } from "vitest"
import { AlertDescription, AlertLevel, type AlertName } from "../../src/bytes/alerts.ts"
import { ContentType } from "../../src/bytes/code-points.ts"
import type { TlsErrorKind } from "../../src/bytes/errors.ts"
import { fromHex, toHex } from "../../src/bytes/hex.ts"
import { Pause } from "../../src/bytes/pause.ts"
import { utf8ToBytes } from "../../src/bytes/text.ts"
import { Writer } from "../../src/bytes/writer.ts"
import { encodeKeyUpdate } from "../../src/codec/key-update.ts"
import { encodeNewSessionTicket, type NewSessionTicket } from "../../src/codec/new-session-ticket.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { RecordWriter } from "../../src/record/record-writer.ts"
import { nextTrafficSecret } from "../../src/schedule/traffic.ts"
import { MemorySessionStore } from "../../src/session/client-store.ts"
import {
  clientCertificate,
  clientUnderTest,
  expectRefused,
  provider,
  resumed,
  serverCredential,
  serverUnderTest,
  start,
} from "../support.ts"
import { editBody, editExtensions, handshake, setExtension } from "../tools/edit.ts"
import type { Puppet } from "../tools/puppet.ts"

const hello = utf8ToBytes("hello")
const connected: readonly (readonly [role: string, reach: () => Puppet])[] = [
  ["client", () => clientUnderTest().run()],
  ["server", () => serverUnderTest().run()],
]
const keyUpdates = (puppet: Puppet) =>
  puppet.sent.filter(({ name }) => name === "key_update").map(({ message }) => message)
const data = (puppet: Puppet) => puppet.events.flatMap((event) => (event.type === "data" ? [event.data] : []))

describe.each(connected)("KeyUpdate to the %s", (_role, reach) => {
  it.each([
    // Requirements 4.7.3-4, 6-6
    ["4.7.3: request_update 2", "illegal_parameter", fromHex("1800000102")],
    ["4.7.3: request_update 255", "illegal_parameter", fromHex("18000001ff")],
    // Requirement 6-5
    ["6: no request_update", "decode_error", fromHex("18000000")],
    ["6: two bytes", "decode_error", fromHex("180000020000")],
  ] as const)("RFC 9846 %s: %s", (_what, alert, message) => {
    const puppet = reach()
    puppet.message(message)
    expectRefused(puppet, alert, "InvalidMessage")
  })

  // Requirements 5.1-4, 5.1-5
  it("RFC 9846 5.1: with another message behind it in its record: unexpected_message", () => {
    const puppet = reach()
    puppet.message(encodeKeyUpdate("update_not_requested"), encodeKeyUpdate("update_not_requested"))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved", /key change/)
  })

  // Requirement 5.1-5
  it("RFC 9846 5.1: with the first byte of another message behind it: unexpected_message", () => {
    const puppet = reach()
    puppet.message(encodeKeyUpdate("update_not_requested"), Uint8Array.of(24))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved", /key change/)
  })

  // Requirement 4.7.3-3
  it("RFC 9846 4.7.3: the old keys after it: bad_record_mac", () => {
    const puppet = reach()
    // Made before the update: sealed with the old keys and the sequence number that would come next.
    const update = puppet.record(ContentType.handshake, encodeKeyUpdate("update_not_requested"))
    const late = puppet.record(ContentType.application_data, hello)
    puppet.receive(update)
    puppet.receive(late)
    expectRefused(puppet, "bad_record_mac", "PeerMisbehaved")
  })

  // Requirements 4.7.3-5, 4.7.3-3
  it("RFC 9846 4.7.3: that requests one is answered by one before the next data, and data goes on under new keys", () => {
    const puppet = reach()
    puppet.message(encodeKeyUpdate("update_requested"))
    puppet.send(ContentType.application_data, hello)
    expect(data(puppet)).toEqual([hello])
    expect(keyUpdates(puppet)).toEqual([])
    puppet.take(puppet.subject.send(hello))
    expect(keyUpdates(puppet)).toEqual([encodeKeyUpdate("update_not_requested")])
    puppet.take(puppet.subject.send(hello))
    expect(keyUpdates(puppet)).toHaveLength(1)
  })

  it("RFC 9846 4.7.3: several requests while it is silent are answered by a single update", () => {
    const puppet = reach()
    for (let update = 0; update < 3; update++) puppet.message(encodeKeyUpdate("update_requested"))
    puppet.take(puppet.subject.send(hello))
    expect(puppet.subject.failure).toBeUndefined()
    expect(keyUpdates(puppet)).toEqual([encodeKeyUpdate("update_not_requested")])
  })

  it("RFC 9846 4.7.3: several requests in one receive are answered once", () => {
    const puppet = reach()
    const suite = provider.cipherSuites.find(({ name }) => name === puppet.subject.info?.cipherSuite)!
    const sender = puppet.subject instanceof ClientConnection ? "server" : "client"
    let secret = puppet.secret(`${sender}_application_traffic_secret`)!
    const [writer, out] = [new RecordWriter(), new Writer()]
    for (let update = 0; update < 3; update++) {
      // No record was sealed with the first keys yet: the servers here send no tickets.
      writer.protect(suite, secret)
      writer.write(ContentType.handshake, encodeKeyUpdate("update_requested"), out)
      secret = nextTrafficSecret(suite.hash, secret)
    }
    puppet.receive(out.finish())
    puppet.take(puppet.subject.send(hello))
    expect(puppet.subject.failure).toBeUndefined()
    expect(keyUpdates(puppet)).toEqual([encodeKeyUpdate("update_not_requested")])
  })
})

describe("CertificateRequest after the handshake", () => {
  // Requirement 4.7.2-5
  it("RFC 9846 4.7.2: to a client that did not offer post_handshake_auth: unexpected_message", () => {
    const request = clientUnderTest(clientCertificate).deliverUntil("certificate_request").drop("certificate_request")
    const puppet = clientUnderTest(clientCertificate).run()
    puppet.message(request)
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved", /certificate_request in state CONNECTED/)
  })
})

describe("NewSessionTicket", () => {
  const good: NewSessionTicket = {
    ticketLifetime: 7200,
    ticketAgeAdd: 1,
    ticketNonce: Uint8Array.of(1),
    ticket: Uint8Array.of(7, 7),
    extensions: {},
  }
  const withStore = () => {
    const store = new MemorySessionStore()
    return { store, puppet: clientUnderTest({ client: { sessionStore: store } }).run() }
  }

  const cases: readonly (readonly [what: string, alert: AlertName, kind: TlsErrorKind, message: Uint8Array])[] = [
    [
      "4.7.1: an empty ticket",
      "decode_error",
      "InvalidMessage",
      encodeNewSessionTicket({ ...good, ticket: new Uint8Array(0) }),
    ],
    [
      "6: a byte after its end",
      "decode_error",
      "InvalidMessage",
      editBody(encodeNewSessionTicket(good), (body) => Uint8Array.of(...body, 0)),
    ],
    [
      "6: no extensions field",
      "decode_error",
      "InvalidMessage",
      editBody(encodeNewSessionTicket(good), (body) => body.subarray(0, -2)),
    ],
    ["6: nothing", "decode_error", "InvalidMessage", handshake(4, new Uint8Array(0))],
    // Requirement 4.3-5 (client)
    [
      "4.3: key_share, which has no place there",
      "illegal_parameter",
      "InvalidMessage",
      editExtensions(encodeNewSessionTicket(good), (list) => setExtension(list, "key_share", new Uint8Array(0))),
    ],
    [
      "4.3.10: early_data without a size",
      "decode_error",
      "InvalidMessage",
      editExtensions(encodeNewSessionTicket(good), (list) => setExtension(list, "early_data", new Uint8Array(0))),
    ],
    [
      "4.3: early_data twice",
      "illegal_parameter",
      "InvalidMessage",
      editExtensions(
        encodeNewSessionTicket({ ...good, extensions: { early_data: 5 } }),
        (list) => void list.push(list[0]!),
      ),
    ],
  ]

  it.for(cases)("RFC 9846 %s: %s", ([_what, alert, kind, message]) => {
    for (const puppet of [withStore().puppet, clientUnderTest().run()]) {
      puppet.message(message)
      expectRefused(puppet, alert, kind)
    }
  })

  it("RFC 9846 4.7.1: is kept, with all that it says", () => {
    const { store, puppet } = withStore()
    puppet.message(encodeNewSessionTicket({ ...good, extensions: { early_data: 1234 } }))
    expect(puppet.events.at(-1)).toMatchObject({ type: "ticket" })
    expect(store.take("server.test", start)).toMatchObject({
      ticket: good.ticket,
      ticketLifetime: 7200,
      ticketAgeAdd: 1,
      maxEarlyDataSize: 1234,
    })
  })

  it("RFC 9846 4.7.1: of lifetime 0 is thrown away at once", () => {
    const { store, puppet } = withStore()
    puppet.message(encodeNewSessionTicket({ ...good, ticketLifetime: 0 }))
    expect(puppet.subject.failure).toBeUndefined()
    expect(store.take("server.test", start)).toBeUndefined()
  })

  // Requirement 4.7.1-6
  it("RFC 9846 4.7.1: is not believed for more than seven days", () => {
    const { store, puppet } = withStore()
    puppet.message(encodeNewSessionTicket({ ...good, ticketLifetime: 2 ** 32 - 1 }))
    expect(store.take("server.test", start)).toMatchObject({ ticketLifetime: 604_800 })
  })

  // Requirements 4.7.1-1, 4.7.1-8, 9.3-5
  it("RFC 9846 4.7.1: is ignored by a client that keeps none, unknown extensions by all", () => {
    const puppet = clientUnderTest().run()
    puppet.message(editExtensions(encodeNewSessionTicket(good), (list) => setExtension(list, 0xfafa, Uint8Array.of(1))))
    expect(puppet.subject.failure).toBeUndefined()
    expect(puppet.outcome?.events).toEqual([])
  })
})

describe.each([
  ["client before ServerHello", () => clientUnderTest()],
  ["server in the handshake", () => serverUnderTest().deliverUntil("finished")],
  ["client in the handshake", () => clientUnderTest().deliverUntil("certificate")],
  ...connected,
] as const)("alerts to the %s", (_role, reach) => {
  const alert = (level: number, description: number) => Uint8Array.of(level, description)

  // Requirements 6-3, 6-4, 6-1
  it.each([
    ["illegal_parameter", AlertDescription.illegal_parameter],
    ["handshake_failure", AlertDescription.handshake_failure],
    ["unrecognized_name", AlertDescription.unrecognized_name],
    ["an unknown one", 200],
    ["no_renegotiation of TLS 1.2", 100],
    ["general_error", AlertDescription.general_error],
  ] as const)("RFC 9846 6.2: %s at the level of a warning ends the connection all the same", (_name, description) => {
    const puppet = reach()
    puppet.send(ContentType.alert, alert(AlertLevel.warning, description))
    expect(puppet.subject.failure).toMatchObject({ kind: "PeerAlert", alert: undefined })
    expect(puppet.outcome).toMatchObject({ output: new Uint8Array(0), waitsFor: "nothing" })
    expect(puppet.subject.writable).toBe(false)
  })

  it("RFC 9846 6.1: user_canceled is ignored, whatever its level; the close_notify behind it counts", () => {
    for (const level of [AlertLevel.warning, AlertLevel.fatal]) {
      const puppet = reach()
      puppet.send(ContentType.alert, alert(level, AlertDescription.user_canceled))
      expect(puppet.subject.failure).toBeUndefined()
      puppet.send(ContentType.alert, alert(AlertLevel.warning, AlertDescription.close_notify))
      if (puppet.subject.info === undefined) expect(puppet.subject.failure).toMatchObject({ kind: "Closed" })
      else expect(puppet.events.at(-1)).toEqual({ type: "end" })
    }
  })

  it.each([0, 3, 255])("an alert level of %i is an illegal_parameter", (level) => {
    const puppet = reach()
    puppet.send(ContentType.alert, alert(level, AlertDescription.handshake_failure))
    expectRefused(puppet, "illegal_parameter", "InvalidMessage")
  })
})

describe.each(connected)("closing, to the %s", (_role, reach) => {
  const close = Uint8Array.of(AlertLevel.warning, AlertDescription.close_notify)

  // Requirement 6.1-1
  it("RFC 9846 6.1: data after close_notify is ignored", () => {
    const puppet = reach()
    const first = puppet.record(ContentType.alert, close)
    const late = puppet.record(ContentType.application_data, hello)
    puppet.receive(first)
    expect(puppet.events.at(-1)).toEqual({ type: "end" })
    puppet.receive(late)
    puppet.receive(fromHex("ffffffffffff"))
    expect(puppet.events.at(-1)).toEqual({ type: "end" })
    expect(data(puppet)).toEqual([])
    expect(puppet.subject.failure).toBeUndefined()
  })

  // Requirement 6.1-1
  it("RFC 9846 6.1: data behind close_notify in the same bytes is ignored", () => {
    const puppet = reach()
    const first = puppet.record(ContentType.alert, close)
    const late = puppet.record(ContentType.application_data, hello)
    puppet.receive(Uint8Array.of(...first, ...late))
    expect(data(puppet)).toEqual([])
    expect(puppet.subject.failure).toBeUndefined()
  })

  it("RFC 9846 6.1: our own direction stays open", () => {
    const puppet = reach()
    puppet.send(ContentType.alert, close)
    expect(puppet.subject.writable).toBe(true)
    expect(puppet.subject.send(hello).output.length).toBeGreaterThan(hello.length)
    expect(puppet.take(puppet.subject.close()).waitsFor).toBe("nothing")
  })

  // Requirement 6.1-5
  it("RFC 9846 6.1: an end without close_notify says that data may be missing", () => {
    const puppet = reach()
    puppet.take(puppet.subject.receiveEnd(start))
    expect(puppet.subject.failure).toMatchObject({ kind: "Closed", alert: undefined })
    expect(puppet.subject.failure?.message).toMatch(/data may be missing/)
  })
})

describe("a handshake that is called off (RFC 9846 6.1)", () => {
  it.each([
    ["client before ServerHello", () => clientUnderTest()],
    ["client in the server's flight", () => clientUnderTest().deliverUntil("certificate")],
    ["server before the client's Finished", () => serverUnderTest().deliverUntil("finished")],
  ] as const)("by a %s: nothing follows close_notify, whatever the peer goes on to send", (_role, reach) => {
    const puppet = reach()
    const messages = puppet.sent.length
    puppet.take(puppet.subject.close())
    expect(puppet.outcome?.waitsFor).toBe("nothing")
    expect(puppet.alerts.map(({ description }) => description)).toEqual(["user_canceled", "close_notify"])
    for (const { contentType, content } of puppet.parts.splice(0)) {
      expect(puppet.send(contentType, content)).toMatchObject({ output: new Uint8Array(0), events: [] })
    }
    expect(puppet.sent).toHaveLength(messages)
    expect(puppet.subject.info).toBeUndefined()
    // Safe to call twice.
    expect(puppet.subject.close().output).toHaveLength(0)
  })

  it("by a server that waits for a decision: the alerts go out, and no flight after them", () => {
    const puppet = serverUnderTest({ server: { credentials: { resolve: () => new Pause() } } })
    puppet.deliver()
    const { output } = puppet.take(puppet.subject.close())
    // In the clear, as nothing was negotiated: user_canceled (90) and close_notify (0).
    expect(toHex(output)).toBe("1503030002015a15030300020100")
    expect(puppet.subject.answer(serverCredential, start)).toMatchObject({
      output: new Uint8Array(0),
      waitsFor: "nothing",
    })
  })
})

describe.each(connected)("the end of a %s", (_role, reach) => {
  // Requirements 6-2, 6.2-1
  it("leaves no keys to export from: not after a failure, not after destroy", () => {
    const ends: readonly ((puppet: Puppet) => unknown)[] = [
      (puppet) => puppet.message(fromHex("1800000102")),
      (puppet) => puppet.send(ContentType.alert, Uint8Array.of(AlertLevel.fatal, AlertDescription.internal_error)),
      (puppet) => puppet.subject.destroy(),
    ]
    for (const end of ends) {
      const puppet = reach()
      const context = new Uint8Array(0)
      expect(puppet.subject.exportKeyingMaterial("EXPORTER-test", context, 32)).toHaveLength(32)
      end(puppet)
      expect(() => puppet.subject.exportKeyingMaterial("EXPORTER-test", context, 32)).toThrow(/can be exported once/)
      expect(() => puppet.subject.send(hello)).toThrow(/connection is over/)
    }
  })
})

describe("a server that has a client's session", () => {
  it("RFC 9846 4.7.1: sends no tickets when the client has no way to use them", () => {
    const { server } = resumed()
    const puppet = serverUnderTest({ server: server! }).run()
    expect(puppet.sent.map(({ name }) => name)).not.toContain("new_session_ticket")
  })
})

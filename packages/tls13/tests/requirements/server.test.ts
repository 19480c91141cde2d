// What a server may choose and send: RFC 9846 sections 4.2.3, 4.2.4, 4.3.8 to 4.3.11, 4.5.1.1, 4.7.1 and 8.2.

import { describe, expect, it } from "vitest"
import { AlertDescription } from "../../src/bytes/alerts.ts"
import { CipherSuite, ContentType, HandshakeType, NamedGroup, SignatureScheme } from "../../src/bytes/code-points.ts"
import { fromHex, toHex } from "../../src/bytes/hex.ts"
import { utf8ToBytes } from "../../src/bytes/text.ts"
import { decodeClientHello } from "../../src/codec/client-hello.ts"
import { handshakeMessage } from "../../src/codec/message.ts"
import { decodeNewSessionTicket } from "../../src/codec/new-session-ticket.ts"
import { decodeServerHello } from "../../src/codec/server-hello.ts"
import { createServerConfig } from "../../src/connection/config.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import { MemorySessionStore } from "../../src/session/client-store.ts"
import { MemoryPskStore } from "../../src/session/psk-store.ts"
import {
  clientCertificate,
  clientCredential,
  clientUnderTest,
  early,
  expectRefused,
  provider,
  serverCredential,
  serverOptions,
  serverUnderTest,
  sessionFor,
  start,
  storeOf,
  takesEarlyData,
  ticketer,
} from "../support.ts"
import { always } from "../tools/credentials.ts"
import {
  editClientHello,
  editExtensions,
  editServerHello,
  extension,
  extensionData,
  setExtension,
} from "../tools/edit.ts"
import { type CastName, casts, extensionBlocks, messagesOf, play, psk, shakeHands } from "./scenes.ts"

const helloOf = (message: Uint8Array) => {
  const hello = decodeServerHello(handshakeMessage(message))
  if (hello.kind === "legacy") throw new Error("a ServerHello of TLS 1.2")
  return hello
}

describe("a ServerHello", () => {
  // Requirements 4.2.3-3, 4.2.3-4, 4.3.8-5 (server)
  it("RFC 9846 4.2.3, 4.3.8: has a random and a key share of its own each time, though the ClientHello is the same", () => {
    const hello = serverUnderTest().parts[0]!.content
    const clientRandom = toHex(hello.subarray(6, 38))
    const seen = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const server = new ServerConnection(createServerConfig(serverOptions), start)
      const { output } = server.receive(Uint8Array.of(22, 3, 1, hello.length >> 8, hello.length, ...hello), start)
      const random = toHex(output.subarray(11, 43))
      expect(random).not.toBe(clientRandom)
      // The last eight bytes are no downgrade sentinel (section 4.2.3).
      expect(random.slice(-16, -2)).not.toBe("444f574e475244")
      const message = output.slice(5, 5 + ((output[3]! << 8) | output[4]!))
      seen.add(random)
      seen.add(toHex((helloOf(message).extensions.key_share as { keyExchange: Uint8Array }).keyExchange))
    }
    expect(seen.size).toBe(40)
  })

  // Requirement 4.3.8-6 (server)
  it("RFC 9846 4.3.8: is sent for a client's share that was seen before", () => {
    const config = createServerConfig(serverOptions)
    const hello = serverUnderTest().parts[0]!.content
    for (let i = 0; i < 2; i++) {
      const server = new ServerConnection(config, start)
      server.receive(Uint8Array.of(22, 3, 1, hello.length >> 8, hello.length, ...hello), start)
      expect(server.failure).toBeUndefined()
    }
  })

  // Requirement 4.3.8-6 (client)
  it("RFC 9846 4.3.8: is taken with a server's share that was seen before", () => {
    // The server draws its private key first; then the same share comes twice.
    const connect = () => {
      let draws = 0
      return shakeHands({
        server: { random: (length) => (draws++ === 0 ? new Uint8Array(length).fill(9) : provider.random(length)) },
      })
    }
    const [first, second] = [connect(), connect()].map(({ server, pair }) => {
      expect(pair.client.connection.info).toBeDefined()
      return helloOf(messagesOf(server, "server_hello")[0]!).extensions.key_share
    })
    expect(first).toEqual(second)
  })

  // Requirements 4.3.8-10, 4.3.8-11, 4.3.9-6, 4.3.9-7
  it.each(Object.keys(casts) as CastName[])(
    "RFC 9846 4.3.8, 4.3.9: answers a share of the client's with one of its group, and with none for psk_ke (%s)",
    (name) => {
      const { client, server, pair } = shakeHands(casts[name])
      const { extensions } = decodeClientHello(handshakeMessage(messagesOf(client, "client_hello").at(-1)!))
      const share = helloOf(messagesOf(server, "server_hello")[0]!).extensions.key_share
      if (name === "a PSK without key exchange") {
        expect(share).toBeUndefined()
        expect(pair.server.connection.info).toMatchObject({ group: undefined, authentication: "psk" })
        return
      }
      const { group } = share as { group: number }
      expect(extensions.supported_groups).toContain(group)
      expect(extensions.key_share!.map((entry) => entry.group)).toContain(group)
    },
  )

  // Requirement 4.2.4-10 (server)
  it("RFC 9846 4.2.4: keeps the version and the suite of its HelloRetryRequest", () => {
    const { server } = shakeHands(casts.HelloRetryRequest)
    const [retry] = messagesOf(server, "hello_retry_request").map(helloOf)
    const [hello] = messagesOf(server, "server_hello").map(helloOf)
    expect(retry!.extensions.supported_versions).toBe(0x0304)
    expect(hello!.extensions.supported_versions).toBe(0x0304)
    expect(hello!.cipherSuite).toBe(retry!.cipherSuite)
  })

  // Requirements 4.3.1-3, 4.3.1-4
  it("RFC 9846 4.3.1: is of TLS 1.3 when supported_versions has it, whatever else it has and legacy_version says", () => {
    const rewrite = (name: string, message: Uint8Array) =>
      name === "client_hello"
        ? editClientHello(message, ({ extensions }) =>
            setExtension(extensions, "supported_versions", fromHex("080305030303040301")),
          )
        : message
    const puppet = serverUnderTest({ rewrite }).run()
    expect(puppet.subject.info).toMatchObject({ protocol: "TLSv1.3" })
  })
})

describe("PSKs", () => {
  // Requirement 9.2-7
  it.each(Object.keys(casts) as CastName[])(
    "RFC 9846 9.2: are agreed on by pre_shared_key in both hellos (%s)",
    (name) => {
      const { client, server, pair } = shakeHands(casts[name])
      const offered = extensionBlocks(messagesOf(client, "client_hello").at(-1)!, "client_hello")[0]!
      const answered = extensionBlocks(messagesOf(server, "server_hello")[0]!, "server_hello")[0]!
      const agreed = pair.client.connection.info?.authentication === "psk"
      expect(answered.includes("pre_shared_key")).toBe(agreed)
      if (agreed) expect(offered).toContain("pre_shared_key")
    },
  )

  // Requirements F.1-1 (server), 4.4.2-7
  it("RFC 9846 F.1: a server has neither a certificate nor a request for one beside an external PSK, though it could", () => {
    const cast = {
      client: { externalPsks: [psk], credentials: always(clientCredential) },
      server: { externalPsks: new MemoryPskStore([psk]), ...clientCertificate.server },
    }
    const { client, server } = shakeHands(cast)
    expect(server.messages.map(({ name }) => name)).toEqual(["server_hello", "encrypted_extensions", "finished"])
    expect(client.messages.map(({ name }) => name)).toEqual(["client_hello", "finished"])
  })

  // Requirement F.1-1 (client)
  it.each(["certificate", "certificate_request"] as const)(
    "RFC 9846 F.1: a client takes no %s beside an external PSK: unexpected_message",
    (name) => {
      const from = clientUnderTest(clientCertificate).parts.find((part) => part.name === name)!.content
      const cast = {
        client: { externalPsks: [psk], credentials: always(clientCredential) },
        server: { externalPsks: new MemoryPskStore([psk]) },
      }
      const puppet = clientUnderTest(cast).deliverUntil("finished")
      puppet.message(from)
      expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
    },
  )

  // Requirement 4.3.11-1
  it("RFC 9846 4.3.11: obfuscated_ticket_age of an external PSK is ignored", () => {
    const rewrite = (name: string, message: Uint8Array) => {
      if (name !== "client_hello") return message
      return editClientHello(message, ({ extensions }) => {
        const data = extensionData(extensions, "pre_shared_key").slice()
        // identities<7..>: length, identity<1..>, obfuscated_ticket_age.
        data.set([0x12, 0x34, 0x56, 0x78], 2 + 2 + psk.identity.length)
        setExtension(extensions, "pre_shared_key", data)
      })
    }
    const cast = { client: { externalPsks: [psk] }, server: { externalPsks: new MemoryPskStore([psk]) } }
    const puppet = serverUnderTest({ ...cast, rewrite })
    expect(toHex(puppet.parts[0]!.content)).toContain(`${toHex(psk.identity)}12345678`)
    expect(puppet.run().subject.info).toMatchObject({ authentication: "psk", pskIdentity: psk.identity })
  })

  // Requirement 4.7.1-2 (server)
  it("RFC 9846 4.7.1: a ticket of SHA-256 is not resumed under a suite of SHA-384", () => {
    const sessionStore = storeOf(sessionFor())
    const suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]
    const cast = (own: readonly string[]) => ({
      client: { sessionStore, cipherSuites: suites },
      server: { ticketer, cipherSuites: own },
    })
    expect(shakeHands(cast(suites)).pair.server.connection.info).toMatchObject({
      resumed: true,
      cipherSuite: suites[0],
    })
    const { pair } = shakeHands(cast(suites.slice(1)))
    expect(pair.server.connection.info).toMatchObject({ resumed: false, cipherSuite: suites[1] })
    expect(pair.client.connection.info).toMatchObject({ resumed: false })
  })

  // Requirement 4.7.1-7
  it("RFC 9846 4.7.1: every ticket has a ticket_age_add of its own", () => {
    const ages = new Set<number>()
    for (let i = 0; i < 10; i++) {
      const { server } = shakeHands({
        client: { sessionStore: new MemorySessionStore() },
        server: { ticketer, tickets: 4 },
      })
      for (const message of messagesOf(server, "new_session_ticket"))
        ages.add(decodeNewSessionTicket(handshakeMessage(message)).ticketAgeAdd)
    }
    expect(ages.size).toBe(40)
  })

  // Requirement 4.7.1-4
  it("RFC 9846 4.7.1: a server reports the name of the ClientHello that resumes", () => {
    const { pair } = shakeHands(casts.resumption)
    expect(pair.server.connection.info).toMatchObject({ resumed: true, serverName: "server.test" })
    // The ticket remembers another name than the ClientHello has: it is not resumed, and the name is the new one.
    const renamed = shakeHands({
      client: { sessionStore: storeOf({ ...sessionFor(), serverName: "other.test" }), serverName: "other.test" },
      server: { ticketer },
    })
    expect(renamed.pair.server.connection.info).toMatchObject({ serverName: "other.test" })
  })

  // Requirement 4.7.1-3
  it("RFC 9846 4.7.1: a client resumes only where the session's certificate is for the new name", () => {
    const session = sessionFor()
    const { client, pair } = shakeHands({
      client: { sessionStore: storeOf(session), serverName: "other.test" },
      server: { ticketer },
    })
    const [hello] = messagesOf(client, "client_hello")
    expect(extensionBlocks(hello!, "client_hello")[0]).not.toContain("pre_shared_key")
    expect(pair.client.connection.info).toMatchObject({ resumed: false })
  })
})

describe("early data", () => {
  // Requirement 4.3.11.3-1
  it("RFC 9846 4.3.11.3: the server's flight goes out before EndOfEarlyData has come", () => {
    const puppet = serverUnderTest(early())
    puppet.deliver()
    expect(puppet.state).toBe("WAIT_EOED")
    expect(puppet.sent.map(({ name }) => name)).toEqual(["server_hello", "encrypted_extensions", "finished"])
    expect(puppet.outcome?.output.length).toBeGreaterThan(100)
  })

  // Requirements 4.3.10-10, 4.3.10-11
  it.each([
    ["changed", "bad_record_mac"],
    ["too long", "record_overflow"],
    ["of zeros inside", "unexpected_message"],
  ] as const)("RFC 9846 4.3.10: a record of it that is %s: %s", (what, alert) => {
    const puppet = serverUnderTest(early())
    puppet.deliver()
    if (what === "of zeros inside") puppet.receive(puppet.innerRecord(new Uint8Array(9)))
    else {
      const record = puppet.record(ContentType.application_data, utf8ToBytes("early"))
      if (what === "changed") record[record.length - 1]! ^= 1
      else record.set([0x41, 0x01], 3)
      puppet.receive(record)
    }
    expectRefused(puppet, alert, "PeerMisbehaved")
    expect(puppet.events.map(({ type }) => type)).not.toContain("early-data")
  })

  // Requirement 8.2-2
  it("RFC 9846 8.2: the replay guard is asked with the binder, and only once the binder is right", () => {
    const keys: string[] = []
    const guard = { take: (key: Uint8Array) => keys.push(toHex(key)) > 0 }
    const cast = early({ server: { earlyData: { ...takesEarlyData, replayGuard: guard } } })
    const wrong = serverUnderTest(cast)
    const hello = wrong.drop("client_hello").slice()
    hello[hello.length - 1]! ^= 1
    wrong.message(hello)
    expectRefused(wrong, "decrypt_error", "PeerMisbehaved", /binder/)
    expect(keys).toEqual([])
    const right = serverUnderTest(cast)
    const binder = toHex(right.deliver().content.slice(-32))
    expect(keys).toEqual([binder])
  })
})

describe("certificates", () => {
  // Requirement 4.5.1.1-1
  it("RFC 9846 4.5.1.1: status_request in a server's Certificate is a CertificateStatus", () => {
    const { server } = shakeHands(casts["a server with all, a client that asks for all"])
    expect(toHex(messagesOf(server, "certificate")[0]!)).toContain("0005000701000003010203")
  })

  // Requirement 4.5.1.1-4
  it("RFC 9846 4.5.1.1: and in a client's, when the server asks for it", () => {
    const rewrite = (name: string, message: Uint8Array) =>
      name === "certificate_request"
        ? editExtensions(message, (list) => void list.push(extension("status_request")))
        : message
    const credentials = always({ ...clientCredential, ocspResponse: Uint8Array.of(1, 2, 3) })
    const puppet = clientUnderTest({ client: { credentials }, server: clientCertificate.server, rewrite }).run()
    const certificate = puppet.sent.find(({ name }) => name === "certificate")!
    expect(toHex(certificate.message)).toContain("0005000701000003010203")
  })

  it.each(["", "0000", "000100", "00020000", "0003000107 00", "000300020700"])(
    "RFC 6962 3.3: timestamps that are no SignedCertificateTimestampList are not sent: %j",
    (list) => {
      const credentials = always({ ...serverCredential, signedCertificateTimestamps: fromHex(list) })
      const client = { requestSignedCertificateTimestamps: true }
      const puppet = serverUnderTest({ client, server: { credentials } }).run()
      expectRefused(puppet, "internal_error", "Closed", /no SignedCertificateTimestampList/)
      expect(serverUnderTest({ server: { credentials } }).run().subject.info).toBeDefined()
    },
  )

  // Requirements 4.5.1.1-2, 4.5.1.1-3
  it("RFC 9846 4.5.1.1: status_request_v2 is passed over, and not answered", () => {
    const rewrite = (name: string, message: Uint8Array) =>
      name === "client_hello"
        ? editClientHello(message, ({ extensions }) => setExtension(extensions, 17, fromHex("0007 02 0004 0000 0000")))
        : message
    const credentials = always({ ...serverCredential, ocspResponse: Uint8Array.of(1, 2, 3) })
    const puppet = serverUnderTest({ server: { credentials }, rewrite }).run()
    expect(puppet.subject.info).toBeDefined()
    for (const { name, message } of puppet.sent)
      for (const block of extensionBlocks(message, name)) expect(block).not.toContain(17)
  })

  // Requirement 4.5.1-11 (server)
  it("RFC 9846 4.5.1: the type OpenPGP is not negotiated", () => {
    const puppet = serverUnderTest()
    puppet.message(
      editClientHello(puppet.drop("client_hello"), ({ extensions }) =>
        setExtension(extensions, "server_certificate_type", fromHex("0101")),
      ),
    )
    for (const { name, message } of puppet.sent)
      for (const block of extensionBlocks(message, name)) expect(block).not.toContain("server_certificate_type")
  })

  // Requirement 4.5.1-11 (client)
  it("RFC 9846 4.5.1: the type OpenPGP is refused by a client", () => {
    const puppet = clientUnderTest({ client: { certificateTypes: { server: ["X509", "RawPublicKey"] } } })
    puppet.deliverUntil("encrypted_extensions")
    puppet.message(
      editExtensions(puppet.drop("encrypted_extensions"), (list) =>
        setExtension(list, "server_certificate_type", fromHex("01")),
      ),
    )
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved")
  })
})

describe("an answer of TLS 1.2", () => {
  // Requirement E.3-1
  it("RFC 9846 E.3: ends a connection that has sent early data", () => {
    const puppet = clientUnderTest(early())
    expect(puppet.subject.earlyDataWritable).toBeGreaterThan(0)
    puppet.take(puppet.subject.sendEarlyData(utf8ToBytes("early")))
    puppet.message(
      editServerHello(puppet.drop("server_hello"), (hello) => void Object.assign(hello, { extensions: [] })),
    )
    // The alert cannot be read by a server of TLS 1.2: it goes out under the early keys.
    expect(puppet.subject.failure).toMatchObject({ alert: "protocol_version", kind: "PeerIncompatible" })
    expect(puppet.outcome?.waitsFor).toBe("nothing")
  })

  // Requirement E.1-1
  it.each([0x0303, 0x0302, 0x0301, 0x0300])("RFC 9846 E.1: of version %i is a protocol_version", (legacyVersion) => {
    const puppet = clientUnderTest()
    puppet.message(
      editServerHello(
        puppet.drop("server_hello"),
        (hello) => void Object.assign(hello, { extensions: [], legacyVersion }),
      ),
    )
    expectRefused(puppet, "protocol_version", "PeerIncompatible")
  })
})

// Requirements B-1, B.3.1.4-1
it("RFC 9846 B: no alert, message, suite, group or signature scheme that is RESERVED has a name here, by which it could be sent", () => {
  const reserved = {
    alert: [21, 30, 41, 60, 100, 111, 114],
    handshake: [0, 3, 6, 12, 14, 16, 21, 22, 23],
    group: [...Array.from({ length: 0x16 }, (_, i) => i + 1), 0x1a, 0x1b, 0x1c, 0xff01, 0xff02],
  }
  for (const code of Object.values(AlertDescription)) expect(reserved.alert).not.toContain(code)
  for (const code of Object.values(HandshakeType)) expect(reserved.handshake).not.toContain(code)
  for (const code of Object.values(CipherSuite)) expect(code >> 8).toBe(0x13)
  for (const code of Object.values(NamedGroup)) expect(reserved.group).not.toContain(code)
  // 0x0000..0x0200, dsa_sha1 (0x0202), 0x0204..0x0400, dsa_sha256 (0x0402) ... 0x0604..0x06FF; we have no SHA-1 either.
  for (const code of Object.values(SignatureScheme))
    if (code < 0x0700) expect([0x0401, 0x0403, 0x0501, 0x0503, 0x0601, 0x0603]).toContain(code)
})

// Requirement E.5-9
it("RFC 9846 E.5: truncated_hmac is neither sent nor answered", () => {
  const rewrite = (name: string, message: Uint8Array) =>
    name === "client_hello"
      ? editClientHello(message, ({ extensions }) => setExtension(extensions, 4, fromHex("")))
      : message
  const puppet = serverUnderTest({ rewrite }).run()
  expect(puppet.subject.info).toBeDefined()
  for (const { name, message } of puppet.sent)
    for (const block of extensionBlocks(message, name)) expect(block).not.toContain(4)
  const { client } = play()
  expect(extensionBlocks(messagesOf(client, "client_hello")[0]!, "client_hello")[0]).not.toContain(4)
})

// Requirement 4.3-1
it("RFC 9846 4.3: nothing stands behind the structure of an extension that is sent", () => {
  // Each side's decoder refuses an extension_data with bytes left over (section 4.3), so connections of every kind show it.
  for (const name of Object.keys(casts) as CastName[]) {
    const { pair } = shakeHands(casts[name])
    expect([pair.client.connection.failure, pair.server.connection.failure]).toEqual([undefined, undefined])
    expect(pair.client.connection.info).toBeDefined()
  }
})

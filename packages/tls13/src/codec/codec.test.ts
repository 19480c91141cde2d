import { describe, expect, it } from "vitest"
import { codePointName, ExtensionType, HandshakeType } from "../bytes/code-points.ts"
import { fromHex, toHex } from "../bytes/hex.ts"
import { Reader } from "../bytes/reader.ts"
import { Writer } from "../bytes/writer.ts"
import { decodeCertificate, encodeCertificate } from "./certificate.ts"
import { decodeCertificateRequest, encodeCertificateRequest } from "./certificate-request.ts"
import { decodeCertificateVerify, encodeCertificateVerify } from "./certificate-verify.ts"
import { decodeClientHello, encodeClientHello, truncateBinders } from "./client-hello.ts"
import { decodeEncryptedExtensions, encodeEncryptedExtensions } from "./encrypted-extensions.ts"
import type { ClientHelloExtensions } from "./extensions/messages.ts"
import { extensions as rows } from "./extensions/table.ts"
import { decodeFinished, encodeFinished } from "./finished.ts"
import { decodeKeyUpdate, encodeKeyUpdate } from "./key-update.ts"
import { encodeHandshake, handshakeMessage } from "./message.ts"
import { decodeNewSessionTicket, encodeNewSessionTicket } from "./new-session-ticket.ts"
import { decodeServerHello, encodeHelloRetryRequest, encodeServerHello, hasDowngradeSentinel } from "./server-hello.ts"

const bytes = (...values: number[]) => Uint8Array.of(...values)

/** Every extension of a ClientHello, with a value. */
const everyExtension: Required<ClientHelloExtensions> = {
  server_name: "server.test",
  status_request: true,
  supported_groups: [0x1d, 0x17],
  signature_algorithms: [0x0403, 0x0807],
  application_layer_protocol_negotiation: ["mqtt", "h2"],
  signed_certificate_timestamp: true,
  client_certificate_type: [2, 0],
  server_certificate_type: [0],
  compress_certificate: [1],
  delegated_credential: [0x0403, 0x0807],
  record_size_limit: 16385,
  supported_versions: [0x0304],
  cookie: bytes(1, 2, 3),
  psk_key_exchange_modes: [1],
  certificate_authorities: [bytes(0x30, 0)],
  post_handshake_auth: true,
  signature_algorithms_cert: [0x0401],
  key_share: [{ group: 0x1d, keyExchange: new Uint8Array(32).fill(7) }],
  ticket_request: { newSessionCount: 2, resumptionCount: 1 },
  early_data: true,
  encrypted_client_hello: bytes(1),
  pre_shared_key: {
    identities: [{ identity: bytes(9, 9), obfuscatedTicketAge: 0xfedcba98 }],
    binders: [new Uint8Array(32).fill(5)],
  },
}

const clientHello = {
  legacyVersion: 0x0303,
  random: new Uint8Array(32).fill(1),
  legacySessionId: new Uint8Array(32).fill(2),
  cipherSuites: [0x1301, 0x1303],
  legacyCompressionMethods: bytes(0),
  extensions: everyExtension,
}

/** One message of each kind, with all that it may hold, and its decoder. */
const messages: Record<string, { message: Uint8Array; decode: (message: Uint8Array) => unknown }> = {
  ClientHello: { message: encodeClientHello(clientHello), decode: (m) => decodeClientHello(handshakeMessage(m)) },
  ServerHello: {
    message: encodeServerHello({
      random: new Uint8Array(32).fill(3),
      legacySessionIdEcho: new Uint8Array(32),
      cipherSuite: 0x1301,
      extensions: { supported_versions: 0x0304, key_share: { group: 0x1d, keyExchange: bytes(1) }, pre_shared_key: 0 },
    }),
    decode: (m) => decodeServerHello(handshakeMessage(m)),
  },
  HelloRetryRequest: {
    message: encodeHelloRetryRequest({
      legacySessionIdEcho: bytes(),
      cipherSuite: 0x1301,
      extensions: { supported_versions: 0x0304, key_share: 0x17, cookie: bytes(4) },
    }),
    decode: (m) => decodeServerHello(handshakeMessage(m)),
  },
  EncryptedExtensions: {
    message: encodeEncryptedExtensions({
      server_name: true,
      supported_groups: [0x17],
      application_layer_protocol_negotiation: "mqtt",
      client_certificate_type: 2,
      server_certificate_type: 0,
      record_size_limit: 64,
      ticket_request: 1,
      early_data: true,
    }),
    decode: (m) => decodeEncryptedExtensions(handshakeMessage(m)),
  },
  CertificateRequest: {
    message: encodeCertificateRequest(bytes(1), {
      status_request: true,
      signature_algorithms: [0x0403],
      signed_certificate_timestamp: true,
      compress_certificate: [1, 2],
      certificate_authorities: [bytes(0x30, 0), bytes(0x31, 0)],
      oid_filters: [{ oid: bytes(6, 1, 0), values: bytes() }],
      signature_algorithms_cert: [0x0401],
    }),
    decode: (m) => decodeCertificateRequest(handshakeMessage(m)),
  },
  Certificate: {
    message: encodeCertificate(bytes(), [
      {
        data: bytes(0x30, 0),
        extensions: { status_request: bytes(1), signed_certificate_timestamp: bytes(0, 3, 0, 1, 42) },
      },
      { data: bytes(0x30, 1, 0), extensions: {} },
    ]),
    decode: (m) => decodeCertificate(handshakeMessage(m)),
  },
  CertificateVerify: {
    message: encodeCertificateVerify({ algorithm: 0x0403, signature: bytes(1, 2) }),
    decode: (m) => decodeCertificateVerify(handshakeMessage(m)),
  },
  Finished: { message: encodeFinished(new Uint8Array(32)), decode: (m) => decodeFinished(handshakeMessage(m), 32) },
  NewSessionTicket: {
    message: encodeNewSessionTicket({
      ticketLifetime: 604800,
      ticketAgeAdd: 0xffffffff,
      ticketNonce: bytes(0),
      ticket: bytes(1, 2, 3),
      extensions: { early_data: 0xffffffff },
    }),
    decode: (m) => decodeNewSessionTicket(handshakeMessage(m)),
  },
  KeyUpdate: { message: encodeKeyUpdate("update_requested"), decode: (m) => decodeKeyUpdate(handshakeMessage(m)) },
}

/** The message cut to `length` bytes of body, with the length field that fits. */
function cut(message: Uint8Array, length: number): Uint8Array {
  return new Writer()
    .uint8(message[0]!)
    .vector24(message.subarray(4, 4 + length))
    .finish()
}

describe("every message", () => {
  it("ClientHello comes back as it was", () => {
    const { extensionTypes, ...decoded } = decodeClientHello(handshakeMessage(messages.ClientHello!.message))
    expect(decoded).toEqual(clientHello)
    expect(extensionTypes).toHaveLength(Object.keys(everyExtension).length)
    expect(extensionTypes.at(-1)).toBe(41)
  })

  // Requirement 4.2.3-11
  it("ServerHello and HelloRetryRequest are told apart by their random (RFC 9846 section 4.2.3)", () => {
    expect(messages.ServerHello!.decode(messages.ServerHello!.message)).toMatchObject({
      kind: "server_hello",
      cipherSuite: 0x1301,
      extensions: { supported_versions: 0x0304, key_share: { group: 0x1d, keyExchange: bytes(1) }, pre_shared_key: 0 },
    })
    expect(messages.HelloRetryRequest!.decode(messages.HelloRetryRequest!.message)).toMatchObject({
      kind: "hello_retry_request",
      extensions: { supported_versions: 0x0304, key_share: 0x17, cookie: bytes(4) },
    })
  })

  it("a ServerHello without supported_versions is of TLS 1.2 or before (section 4.3.1)", () => {
    const random = fromHex(`${"00".repeat(24)}444f574e47524401`)
    const message = encodeServerHello({ random, legacySessionIdEcho: bytes(), cipherSuite: 0xc02f, extensions: {} })
    expect(decodeServerHello(handshakeMessage(message))).toMatchObject({ kind: "legacy", legacyVersion: 0x0303 })
    expect(hasDowngradeSentinel(random)).toBe(true)
    expect(hasDowngradeSentinel(fromHex(`${"00".repeat(24)}444f574e47524402`))).toBe(false)
  })

  it("the others come back as they were", () => {
    const decoded = (name: string) => messages[name]!.decode(messages[name]!.message)
    expect(decoded("EncryptedExtensions")).toMatchObject({
      values: {
        server_name: true,
        application_layer_protocol_negotiation: "mqtt",
        record_size_limit: 64,
        ticket_request: 1,
      },
    })
    expect(decoded("CertificateRequest")).toMatchObject({
      certificateRequestContext: bytes(1),
      extensions: { oid_filters: [{ oid: bytes(6, 1, 0), values: bytes() }], compress_certificate: [1, 2] },
    })
    expect(decoded("Certificate")).toMatchObject({
      certificateList: [
        {
          data: bytes(0x30, 0),
          extensions: { status_request: bytes(1), signed_certificate_timestamp: bytes(0, 3, 0, 1, 42) },
        },
        { data: bytes(0x30, 1, 0), extensions: {} },
      ],
    })
    expect(decoded("CertificateVerify")).toEqual({ algorithm: 0x0403, signature: bytes(1, 2) })
    expect(decoded("Finished")).toEqual(new Uint8Array(32))
    expect(decoded("NewSessionTicket")).toMatchObject({
      ticketAgeAdd: 0xffffffff,
      extensions: { early_data: 0xffffffff },
    })
    expect(decoded("KeyUpdate")).toBe("update_requested")
  })

  for (const [name, { message, decode }] of Object.entries(messages)) {
    it(`RFC 9846 section 6.2: ${name} cut short at any byte is refused, and never read past its end`, () => {
      expect.hasAssertions()
      for (let length = 0; length < message.length - 4; length++) {
        // What is left of some messages is a whole message again: a hello without extensions, for one.
        let error: unknown
        try {
          decode(cut(message, length))
          continue
        } catch (thrown) {
          error = thrown
        }
        expect(error).toMatchObject({ kind: "InvalidMessage" })
      }
    })

    // Requirement 6-5
    it(`RFC 9846 section 6.2: ${name} with a byte after its end is a decode_error`, () => {
      const longer = new Writer()
        .uint8(message[0]!)
        .vector24((writer) => writer.bytes(message.subarray(4)).uint8(0))
        .finish()
      expect(() => decode(longer)).toThrow(expect.objectContaining({ alert: "decode_error" }))
    })
  }
})

describe("extensions", () => {
  it("RFC 9846 section 4.3: the table of which extension may be in which message", () => {
    // The rows of the RFC's table that this implementation has, with its columns.
    const table: Record<string, string> = {
      server_name: "CH EE",
      status_request: "CH CR CT",
      supported_groups: "CH EE",
      signature_algorithms: "CH CR",
      application_layer_protocol_negotiation: "CH EE",
      signed_certificate_timestamp: "CH CR CT",
      client_certificate_type: "CH EE",
      server_certificate_type: "CH EE",
      compress_certificate: "CH CR",
      record_size_limit: "CH EE",
      delegated_credential: "CH CR CT",
      pre_shared_key: "CH SH",
      early_data: "CH EE NST",
      supported_versions: "CH SH HRR",
      cookie: "CH HRR",
      psk_key_exchange_modes: "CH",
      certificate_authorities: "CH CR",
      oid_filters: "CR",
      post_handshake_auth: "CH",
      signature_algorithms_cert: "CH CR",
      key_share: "CH SH HRR",
      ticket_request: "CH EE",
      // RFC 9849 section 11.1.
      encrypted_client_hello: "CH HRR EE",
    }
    for (const [name, row] of Object.entries(rows)) {
      const { type, ...columns } = row
      expect(codePointName(ExtensionType, type)).toBe(name)
      expect(Object.keys(columns).sort(), name).toEqual(table[name]?.split(" ").sort())
    }
    expect(Object.keys(rows)).toEqual(Object.keys(table))
  })

  const helloWith = (extensions: string) =>
    handshakeMessage(
      encodeHandshake("client_hello", (writer) =>
        writer
          .uint16(0x0303)
          .bytes(new Uint8Array(32))
          .vector8(bytes())
          .vector16(bytes(0x13, 1))
          .vector8(bytes(0))
          .vector16(fromHex(extensions)),
      ),
    )

  const refused: [string, string, string][] = [
    ["4.3: the same extension twice", "002b0003020304 002b0003020304", "illegal_parameter"],
    ["4.3: an extension that belongs into another message (oid_filters)", "00300002 0000", "illegal_parameter"],
    ["4.3: data left over in an extension", "00310001 00", "decode_error"],
    [
      "4.3.11: pre_shared_key that is not last",
      `0029002d 0008 0002 0909 00000000 0021 20 ${"05".repeat(32)} 002b0003020304`,
      "illegal_parameter",
    ],
    ["4.3.1: an odd list of versions", "002b0004 03030403", "decode_error"],
    ["4.3.8: an empty key share", "00330006 0004001d0000", "decode_error"],
    ["RFC 6066 section 3: two names in server_name", "0000000a 0008 00 0001 61 00 0001 62", "decode_error"],
    ["RFC 6066 section 3: a NUL in the name", "00000006 0004 00 0001 00", "illegal_parameter"],
    ["RFC 7301 section 3.1: an empty protocol name", "00100005 0003 00 01 61", "decode_error"],
    ["RFC 8449 section 4: a record_size_limit of 63", "001c0002 003f", "illegal_parameter"],
    ["RFC 8879 section 3: an algorithm twice", "001b0005 04 0001 0001", "illegal_parameter"],
  ]
  for (const [rule, extensions, alert] of refused) {
    it(`${rule.startsWith("RFC") ? "" : "RFC 9846 section "}${rule}: ${alert}`, () => {
      expect(() => decodeClientHello(helloWith(extensions))).toThrow(expect.objectContaining({ alert }))
    })
  }

  // Requirement 4.2.2-14
  it("RFC 9846 section 9.3: unknown extensions are ignored, and known by their number", () => {
    const hello = decodeClientHello(helloWith("0a0a0000 fafa0001ff 002b0003020304"))
    expect(hello.extensions).toEqual({ supported_versions: [0x0304] })
    expect(hello.extensionTypes).toEqual([0x0a0a, 0xfafa, 43])
  })

  // Requirement 4.3-1
  it("a decoder reads exactly what its encoder writes", () => {
    for (const [name, value] of Object.entries(everyExtension)) {
      const codec = rows[name]!.CH!
      const writer = new Writer()
      codec.encode(value, writer)
      const reader = new Reader(writer.finish(), name)
      expect(codec.decode(reader), name).toEqual(value)
      expect(reader.remaining, name).toBe(0)
    }
  })
})

it("RFC 9846 section 4.3.11.2: Truncate() removes the binders list and nothing else", () => {
  const message = encodeClientHello(clientHello)
  const truncated = truncateBinders(message, clientHello.extensions)
  expect(truncated.length).toBe(message.length - (2 + 1 + 32))
  expect(toHex(message).startsWith(toHex(truncated))).toBe(true)
  expect(toHex(message.subarray(truncated.length))).toBe(`002120${"05".repeat(32)}`)
})

it("RFC 9846 section 4.7.3: a request_update of 2 is an illegal_parameter", () => {
  const message = handshakeMessage(bytes(HandshakeType.key_update, 0, 0, 1, 2))
  expect(() => decodeKeyUpdate(message)).toThrow(expect.objectContaining({ alert: "illegal_parameter" }))
})

it("RFC 9846 section 4.4.2: a CertificateRequest without signature_algorithms is a missing_extension", () => {
  const message = handshakeMessage(
    encodeHandshake("certificate_request", (writer) => writer.vector8(bytes()).vector16(bytes())),
  )
  expect(() => decodeCertificateRequest(message)).toThrow(expect.objectContaining({ alert: "missing_extension" }))
})

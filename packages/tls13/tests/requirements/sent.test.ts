// Rules for what may be sent, over everything that both roles send in connections of every kind.

import { describe, expect, it } from "vitest"
import { AlertDescription, AlertLevel } from "../../src/bytes/alerts.ts"
import { ContentType, type ExtensionName } from "../../src/bytes/code-points.ts"
import { concatBytes } from "../../src/bytes/concat.ts"
import { toHex } from "../../src/bytes/hex.ts"
import type { MessageName } from "../tools/puppet.ts"
import { type CastName, casts, extensionBlocks, messagesOf, type Played, play, type Role, type Sent } from "./scenes.ts"

const played = new Map<CastName, Played>()
const names = Object.keys(casts) as CastName[]
const playOf = (name: CastName): Played => {
  const known = played.get(name) ?? play(casts[name])
  played.set(name, known)
  return known
}
const roles: readonly Role[] = ["client", "server"]
const { change_cipher_spec, alert, handshake, application_data } = ContentType

describe.each(names)("in %s", (name) => {
  // Requirements 4-1, 4.4.1-1, 4.4.2-1, 4.5.2-1, 4.5.2-2, 4.5.2-3, 4.6-3 (server)
  it("RFC 9846 4: the messages of the handshake come in their order", () => {
    const { client, server } = playOf(name)
    const order = (sent: Sent) =>
      sent.messages.map((each) => each.name).filter((each) => !["key_update", "new_session_ticket"].includes(each))
    expect(order(client).join(" ")).toMatch(
      /^client_hello (client_hello )?(end_of_early_data )?(certificate (certificate_verify )?)?finished$/,
    )
    expect(order(server).join(" ")).toMatch(
      /^(hello_retry_request )?server_hello encrypted_extensions (certificate_request )?(certificate certificate_verify )?finished$/,
    )
  })

  // Requirements 4.5.1-1, 4.5.1-2, 4.5.1-12
  it("RFC 9846 4.5.1: a server without PSK shows a certificate; a client shows one, or none, if and only if it is asked", () => {
    const { client, server } = playOf(name)
    const pskAgreed = messagesOf(server, "server_hello").some((each) =>
      extensionBlocks(each, "server_hello")[0]!.includes("pre_shared_key"),
    )
    const certificates = messagesOf(server, "certificate")
    expect(certificates).toHaveLength(pskAgreed ? 0 : 1)
    for (const each of certificates) expect(extensionBlocks(each, "certificate").length).toBeGreaterThan(0)
    expect(messagesOf(client, "certificate")).toHaveLength(messagesOf(server, "certificate_request").length)
  })

  // Requirements 4.4.2-3, 4.4.2-4, 4.5.1-5
  it("RFC 9846 4.4.2, 4.5.1: in the handshake contexts are empty, and CertificateRequest has signature_algorithms", () => {
    const { client, server } = playOf(name)
    for (const each of messagesOf(server, "certificate_request")) {
      expect(each[4]).toBe(0)
      expect(extensionBlocks(each, "certificate_request")[0]).toContain("signature_algorithms")
    }
    for (const sent of [client, server]) for (const each of messagesOf(sent, "certificate")) expect(each[4]).toBe(0)
  })

  // Requirements 4.2.3-1, 4.2.3-7, E.5-6 (server)
  it("RFC 9846 4.2.3: the server's hellos have legacy_version 0x0303, the client's session id and no compression", () => {
    const { client, server } = playOf(name)
    const asked = messagesOf(client, "client_hello")[0]!
    const sessionId = toHex(asked.subarray(38, 39 + asked[38]!))
    for (const kind of ["server_hello", "hello_retry_request"] as const) {
      for (const each of messagesOf(server, kind)) {
        expect(toHex(each.subarray(4, 6))).toBe("0303")
        expect(toHex(each.subarray(38, 39 + each[38]!))).toBe(sessionId)
        expect(each[38 + 1 + each[38]! + 2]).toBe(0)
      }
    }
  })

  // Requirements 5.1-7, 5.1-8, 5.1-12, 5.1-15, 5.2-1
  it.each(roles)("RFC 9846 5.1: the records of the %s", (role) => {
    for (const { contentType, record, content, innerType, protected: isProtected } of playOf(name)[role].records) {
      expect([change_cipher_spec, alert, handshake, application_data]).toContain(contentType)
      expect([change_cipher_spec, alert, handshake, application_data]).toContain(innerType)
      if (isProtected) expect(contentType).toBe(application_data)
      if (contentType !== application_data && contentType !== change_cipher_spec) expect(isProtected).toBe(false)
      if (innerType === application_data) expect(isProtected).toBe(true)
      expect(content.length).toBeLessThanOrEqual(2 ** 14)
      expect(record.length - 5).toBeLessThanOrEqual(2 ** 14 + (isProtected ? 256 : 0))
      if (innerType === handshake) expect(content.length).toBeGreaterThan(0)
      if (innerType === alert) expect(content).toHaveLength(2)
      if (innerType === change_cipher_spec) expect([...content]).toEqual([1])
    }
  })

  // Requirement 5-4
  it("RFC 9846 5: no record of a type that the RFC does not define", () => {
    for (const role of roles) {
      for (const { contentType, innerType } of playOf(name)[role].records)
        for (const type of [contentType, innerType]) expect([20, 21, 22, 23]).toContain(type)
    }
  })

  // Requirement 5.1-10
  it("RFC 9846 5.1: legacy_record_version is 0x0303, in an initial ClientHello 0x0301 at most", () => {
    for (const role of roles) {
      playOf(name)[role].records.forEach(({ record }, index) => {
        const version = toHex(record.subarray(1, 3))
        if (role === "client" && index === 0) expect(["0301", "0303"]).toContain(version)
        else expect(version).toBe("0303")
      })
    }
  })

  // Requirements 5.1-2, 5.1-3
  it("RFC 9846 5.1: nothing stands between the parts of a handshake message", () => {
    for (const role of roles) {
      let open = 0
      for (const { innerType, content } of playOf(name)[role].records) {
        if (innerType !== handshake) {
          expect(open).toBe(0)
          continue
        }
        open = openAfter(open, content)
      }
      expect(open).toBe(0)
    }
  })

  // Requirements 5.1-6, 5.1-4
  it("RFC 9846 5.1: ClientHello, ServerHello, EndOfEarlyData, Finished and KeyUpdate end their records, and no message spans a key change", () => {
    for (const role of roles) {
      const { records } = playOf(name)[role]
      for (const epoch of new Set(records.map((record) => record.epoch))) {
        const stream = records.filter((each) => each.epoch === epoch && each.innerType === handshake)
        const ends = new Set<number>()
        let length = 0
        for (const { content } of stream) {
          length += content.length
          ends.add(length)
        }
        for (const { type, end } of messageEnds(concatBytes(...stream.map(({ content }) => content)))) {
          // ClientHello, ServerHello, EndOfEarlyData, Finished, KeyUpdate.
          if ([1, 2, 5, 20, 24].includes(type)) expect(ends.has(end), `${role}, message type ${type}`).toBe(true)
        }
      }
    }
  })

  // Requirement 2-2
  it("RFC 9846 2: no application data before Finished, but for 0-RTT data", () => {
    for (const role of roles) {
      const { records, messages } = playOf(name)[role]
      const early = name.startsWith("early data") && role === "client" ? 1 : 0
      const upToFinished = messages.findIndex((each) => each.name === "finished")
      let bytes = messages.slice(0, upToFinished + 1).reduce((sum, { message }) => sum + message.length, 0)
      let dataBefore = 0
      for (const { innerType, content } of records) {
        if (bytes > 0 && innerType === application_data) dataBefore++
        if (innerType === handshake) bytes -= content.length
      }
      expect(dataBefore).toBe(early)
    }
  })

  // Requirement 4.5.3-2
  it("RFC 9846 4.5.3: what follows Finished is under other keys", () => {
    for (const role of roles) {
      const { records, messages } = playOf(name)[role]
      const finished = messages.find((each) => each.name === "finished")!
      const last = toHex(finished.message)
      const at = records.findIndex(({ innerType, content }) => innerType === handshake && toHex(content).endsWith(last))
      expect(at).toBeGreaterThan(0)
      expect(records[at + 1]!.epoch).toBe(records[at]!.epoch + 1)
    }
  })

  // Requirements 4.3-3, 4.3-7, 4.5.1-6, 4.5.1-7, 4.3.9-5 (server), 4.3.6-2 (server), 4.5.1.1-2
  it("RFC 9846 4.3: no extension where it has no place, none twice, and no answer to what was not asked", () => {
    const { client, server } = playOf(name)
    const asked = new Set(
      messagesOf(client, "client_hello").flatMap((each) => extensionBlocks(each, "client_hello")[0]!),
    )
    const askedByServer = new Set(
      messagesOf(server, "certificate_request").flatMap((each) => extensionBlocks(each, "certificate_request")[0]!),
    )
    for (const role of roles) {
      for (const { name: message, message: bytes } of playOf(name)[role].messages) {
        for (const block of extensionBlocks(bytes, message)) {
          expect(new Set(block).size).toBe(block.length)
          for (const each of block) {
            expect(allowed[message], `${each} in ${message}`).toContain(each)
            if (["client_hello", "certificate_request", "new_session_ticket"].includes(message)) continue
            if (message === "hello_retry_request" && each === "cookie") continue
            expect([...(role === "client" ? askedByServer : asked)], `${each} in ${message}`).toContain(each)
          }
        }
      }
    }
  })

  // Requirements 4.2.3-9, 4.2.3-10, 4.3.1-7, 4.2.4-1, 4.2.4-2, 9.2-3
  it("RFC 9846 4.2.3, 4.2.4: supported_versions is in each hello, and a ServerHello has nothing beyond what it needs", () => {
    const { client, server } = playOf(name)
    for (const [sent, kinds] of [
      [client, ["client_hello"]],
      [server, ["server_hello", "hello_retry_request"]],
    ] as const) {
      for (const kind of kinds) {
        for (const message of messagesOf(sent, kind)) {
          const [block] = extensionBlocks(message, kind)
          expect(block).toContain("supported_versions")
          if (kind !== "client_hello") {
            expect(toHex(message)).toMatch(/002b00020304/)
            const needed: (ExtensionName | number)[] = ["supported_versions", "key_share"]
            for (const each of block!)
              expect([...needed, kind === "server_hello" ? "pre_shared_key" : "cookie"]).toContain(each)
          }
        }
      }
    }
  })

  // Requirements 6-3, 6.1-2
  it("RFC 9846 6: close_notify, at the level of a warning, is all there is of alerts, and the last record", () => {
    for (const role of roles) {
      const alerts = playOf(name)[role].records.filter(({ innerType }) => innerType === alert)
      expect(alerts.map(({ content }) => [...content])).toEqual([[AlertLevel.warning, AlertDescription.close_notify]])
      expect(playOf(name)[role].records.at(-1)?.innerType).toBe(alert)
    }
  })

  // Requirement E.4-1
  it("RFC 9846 E.4: one change_cipher_spec, in the clear, from each side if the client sent a session id, else none", () => {
    const { client, server } = playOf(name)
    const sessionId = messagesOf(client, "client_hello")[0]![38]!
    const count = (sent: Sent) => sent.records.filter(({ contentType }) => contentType === change_cipher_spec).length
    expect([count(client), count(server)]).toEqual(sessionId > 0 ? [1, 1] : [0, 0])
    if (sessionId > 0) {
      // Right behind the server's first message.
      expect(server.records.map(({ contentType }) => contentType).slice(0, 2)).toEqual([handshake, change_cipher_spec])
    }
  })
})

/** Section 4.3's table: the messages that a column stands for, and what may be in them. */
const allowed: Readonly<Partial<Record<MessageName, readonly (ExtensionName | number)[]>>> = {
  client_hello: [
    "server_name",
    "status_request",
    "supported_groups",
    "signature_algorithms",
    "application_layer_protocol_negotiation",
    "signed_certificate_timestamp",
    "client_certificate_type",
    "server_certificate_type",
    "compress_certificate",
    "record_size_limit",
    "pre_shared_key",
    "early_data",
    "supported_versions",
    "cookie",
    "psk_key_exchange_modes",
    "certificate_authorities",
    "post_handshake_auth",
    "signature_algorithms_cert",
    "key_share",
    "ticket_request",
  ],
  server_hello: ["supported_versions", "key_share", "pre_shared_key"],
  hello_retry_request: ["supported_versions", "key_share", "cookie"],
  encrypted_extensions: [
    "server_name",
    "supported_groups",
    "application_layer_protocol_negotiation",
    "client_certificate_type",
    "server_certificate_type",
    "record_size_limit",
    "early_data",
    "ticket_request",
  ],
  certificate: ["status_request", "signed_certificate_timestamp"],
  certificate_request: [
    "status_request",
    "signature_algorithms",
    "signed_certificate_timestamp",
    "compress_certificate",
    "certificate_authorities",
    "oid_filters",
    "signature_algorithms_cert",
  ],
  new_session_ticket: ["early_data"],
}

/** Bytes of the message that are still to come after a record; the length of a header that is cut counts as well. */
function openAfter(open: number, content: Uint8Array): number {
  let at = open
  while (at < content.length) {
    expect(content.length - at).toBeGreaterThanOrEqual(4)
    at += 4 + ((content[at + 1]! << 16) | (content[at + 2]! << 8) | content[at + 3]!)
  }
  return at - content.length
}

function messageEnds(stream: Uint8Array): { type: number; end: number }[] {
  const found: { type: number; end: number }[] = []
  for (let at = 0; at < stream.length; ) {
    const type = stream[at]!
    at += 4 + ((stream[at + 1]! << 16) | (stream[at + 2]! << 8) | stream[at + 3]!)
    found.push({ type, end: at })
    // A message that went on in the next epoch would end past it.
    expect(at).toBeLessThanOrEqual(stream.length)
  }
  return found
}

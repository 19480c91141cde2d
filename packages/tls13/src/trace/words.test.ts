import { describe, expect, it } from "vitest"
import { readTraces } from "../../tests/rfc8448-vectors.ts"
import { HandshakeType, type HandshakeTypeName } from "../bytes/code-points.ts"
import { encodeClientHello } from "../codec/client-hello.ts"
import { encodeEncryptedExtensions } from "../codec/encrypted-extensions.ts"
import { encodeKeyUpdate } from "../codec/key-update.ts"
import type { SecretName, TraceEvent } from "./events.ts"
import { describe as inWords } from "./words.ts"

const traces = readTraces()

function message(name: HandshakeTypeName | "hello_retry_request", bytes: Uint8Array): string {
  return inWords({ type: "message", direction: "received", name, message: bytes })
}

function field(traceId: string, name: string, occurrence = 0): Uint8Array {
  const steps = traces.find(({ id }) => id === traceId)!.steps.filter((step) => step.has(name))
  return steps[occurrence]!.bytes(name)
}

describe("the messages of RFC 8448 in words", () => {
  it("ClientHello", () => {
    expect(message("client_hello", field("simple-1rtt", "ClientHello")).split("\n")).toEqual([
      "received ClientHello (section 4.2.2), 196 bytes: what the client can do, and key shares of groups that it guesses or was asked for",
      "    random: cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7",
      "    versions: tls13",
      "    cipher suites: TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256, TLS_AES_256_GCM_SHA384",
      '    server name: "server"',
      "    groups: x25519, secp256r1, secp384r1, secp521r1, ffdhe2048, ffdhe3072, ffdhe4096, ffdhe6144, ffdhe8192",
      "    key shares: x25519 (32 bytes)",
      "    signatures: ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, ecdsa_secp521r1_sha512, 0x0203, rsa_pss_rsae_sha256, rsa_pss_rsae_sha384, rsa_pss_rsae_sha512, rsa_pkcs1_sha256, rsa_pkcs1_sha384, rsa_pkcs1_sha512, 0x0201, 0x0402, 0x0502, 0x0602, 0x0202",
      "    ways to use them: psk_dhe_ke",
      "    record size limit: 16385 bytes",
      "    extensions, in order: server_name, renegotiation_info, supported_groups, session_ticket, key_share, supported_versions, signature_algorithms, psk_key_exchange_modes, record_size_limit",
    ])
  })

  it("a ClientHello that resumes with 0-RTT data", () => {
    const hello = traces.find(({ id }) => id === "resumed-0rtt")!.steps.find((step) => step.has("payload"))!
    const words = message("client_hello", hello.bytes("payload"))
    expect(words).toContain("pre-shared keys: 1, with an identity of 178 bytes")
    expect(words).toContain("0-RTT data follows")
    expect(message("server_hello", field("resumed-0rtt", "ServerHello"))).toContain(
      "takes the pre-shared key at index 0",
    )
    expect(message("encrypted_extensions", field("resumed-0rtt", "EncryptedExtensions"))).toContain(
      "0-RTT data is accepted",
    )
  })

  it("HelloRetryRequest and ServerHello", () => {
    const retry = message("hello_retry_request", field("hello-retry-request", "ServerHello"))
    expect(retry).toContain(
      "received HelloRetryRequest (section 4.2.4), 176 bytes: the server asks for another ClientHello",
    )
    expect(retry).toContain("wants a key share of: secp256r1")
    expect(retry).toContain("cookie: 114 bytes")
    const hello = message("server_hello", field("hello-retry-request", "ServerHello", 1))
    expect(hello).toContain("cipher suite: TLS_AES_128_GCM_SHA256")
    expect(hello).toContain("version: tls13")
    expect(hello).toContain("key share: secp256r1 (65 bytes)")
  })

  it("the rest of a handshake with client authentication", () => {
    expect(message("certificate_request", field("client-authentication", "CertificateRequest"))).toContain(
      "signatures: ",
    )
    expect(message("certificate", field("client-authentication", "Certificate"))).toContain("end entity: 306 bytes")
    expect(message("certificate_verify", field("client-authentication", "CertificateVerify"))).toContain(
      "signed with: ecdsa_secp256r1_sha256, 71 bytes",
    )
    expect(message("finished", field("client-authentication", "Finished"))).toContain("verify_data: 32 bytes")
    expect(message("new_session_ticket", field("simple-1rtt", "NewSessionTicket"))).toContain(
      "ticket: 178 bytes, good for 30 seconds",
    )
  })
})

describe("other events in words", () => {
  it("KeyUpdate", () => {
    expect(message("key_update", encodeKeyUpdate("update_requested"))).toContain("asks the receiver to update its own")
    expect(message("key_update", encodeKeyUpdate("update_not_requested"))).not.toContain("asks")
  })

  it.each([
    [{ contentType: 22, innerType: 22, protected: false }, "sent record in the clear: handshake, 3 bytes"],
    [
      { contentType: 23, innerType: 21, protected: true },
      "sent protected record: alert, 3 bytes of content in 25 on the wire",
    ],
  ])("a record", (shape, words) => {
    const event: TraceEvent = {
      type: "record",
      direction: "sent",
      record: new Uint8Array(25),
      content: new Uint8Array(3),
      ...shape,
    }
    expect(inWords(event)).toBe(words)
  })

  it("alerts, keys, transcript, state", () => {
    const alert = { type: "alert", direction: "received", level: 1 } as const
    expect(inWords({ ...alert, description: "close_notify" })).toBe(
      "received alert close_notify: the sender has nothing more to say",
    )
    expect(inWords({ ...alert, description: "decode_error" })).toBe(
      "received alert decode_error: the connection is over",
    )
    expect(inWords({ type: "transcript", upTo: "ServerHello", hash: Uint8Array.of(1, 2) })).toBe(
      "transcript hash up to ServerHello: 0102",
    )
    const step = { type: "state", role: "client", from: "WAIT_SH", message: "server_hello" } as const
    expect(inWords({ ...step, to: "WAIT_EE" })).toBe("client: WAIT_SH > WAIT_EE")
    expect(inWords({ ...step, to: "WAIT_SH" })).toBe("client: stays in WAIT_SH")
  })

  it("no byte of a secret or a key is shown", () => {
    const bytes = new Uint8Array(32).fill(0xab)
    const secret = (name: SecretName, generation: number): string =>
      inWords({ type: "secret", name, secret: bytes, clientRandom: bytes, generation })
    expect(secret("client_application_traffic_secret", 2)).toBe(
      "derived client_application_traffic_secret_2: protects what the client's application sends",
    )
    expect(secret("main_secret", 0)).toBe("derived main_secret: the root of everything after the handshake")
    const keys = inWords({ type: "keys", direction: "sent", secretName: "main_secret", key: bytes, iv: bytes })
    expect(keys).toBe("sent records are protected from here on with keys of main_secret")
  })
})

describe("what a peer may send", () => {
  const hello = {
    legacyVersion: 0x0303,
    random: new Uint8Array(32),
    legacySessionId: new Uint8Array(0),
    cipherSuites: [0x1301],
    legacyCompressionMethods: Uint8Array.of(0),
  }

  it("cannot write to the terminal", () => {
    const words = message(
      "client_hello",
      encodeClientHello({
        ...hello,
        extensions: { server_name: 'a"b', application_layer_protocol_negotiation: ["h2\x9b31m", "\r\n"] },
      }),
    )
    expect(words).toContain('server name: "a\\"b"')
    expect(words).toContain('protocols (ALPN): "h2\\u009b31m", "\\r\\n"')
    expect(words).toMatch(/^[\x20-\x7e\n]*$/)
    const name = message("client_hello", encodeClientHello({ ...hello, extensions: { server_name: "a\x1b[2J" } }))
    expect(name).toContain("cannot be read: server_name is not an ASCII host name")
    expect(name).toMatch(/^[\x20-\x7e\n]*$/)
  })

  it("a message that cannot be read says why, whatever its type and wherever it is cut", () => {
    const whole = encodeClientHello({ ...hello, extensions: { supported_versions: [0x0304] } })
    expect(message("client_hello", whole.subarray(0, 20))).toContain("cannot be read: ClientHello is cut short")
    for (const name of [...(Object.keys(HandshakeType) as HandshakeTypeName[]), "hello_retry_request" as const]) {
      for (let length = 0; length <= whole.length; length++) {
        expect(message(name, whole.subarray(0, length)).startsWith("received ")).toBe(true)
      }
    }
  })

  it("a peer of TLS 1.2", () => {
    expect(message("client_hello", encodeClientHello({ ...hello, extensions: {} }))).toContain(
      "versions: TLS 1.2 or before",
    )
    expect(message("encrypted_extensions", encodeEncryptedExtensions({}))).toContain("extensions, in order: none")
  })
})

// Certificate, CertificateVerify and Finished (RFC 9846 sections 4.5.1 to 4.5.3): what both roles refuse, and that none of
// them can be left out. Messages are changed in the actor's own transcript where the signature or MAC would otherwise give
// the change away: the refusal has to come from the rule itself.

import { describe, expect, it } from "vitest"
import type { AlertName } from "../../src/bytes/alerts.ts"
import { ContentType, SignatureScheme } from "../../src/bytes/code-points.ts"
import type { TlsErrorKind } from "../../src/bytes/errors.ts"
import { fromHex } from "../../src/bytes/hex.ts"
import { utf8ToBytes } from "../../src/bytes/text.ts"
import { certificateVerifyContent, encodeCertificateVerify } from "../../src/codec/certificate-verify.ts"
import { generateEcKey, publicKeyOf } from "../../src/crypto/noble/index.ts"
import {
  type Cast,
  clientCertificate,
  clientCredential,
  clientUnderTest,
  expectRefused,
  provider,
  resumed,
  scene,
  serverCredential,
  serverKey,
  serverUnderTest,
} from "../support.ts"
import { always, testCredential, testVerifier } from "../tools/credentials.ts"
import { certificateOf, editBody, extension, handshake } from "../tools/edit.ts"
import { type MessageName, Puppet } from "../tools/puppet.ts"

const nothing = new Uint8Array(0)
const leaf = serverCredential.chain[0]!
const underTest = { client: clientUnderTest, server: serverUnderTest }

/** A puppet whose actor sends something else in place of one message, and means it. */
function acting(
  role: "client" | "server",
  name: MessageName,
  edit: (message: Uint8Array) => Uint8Array,
  cast: Cast = clientCertificate,
): Puppet {
  const rewrite = (sent: string, message: Uint8Array) => (sent === name ? edit(message) : message)
  return underTest[role]({ ...cast, rewrite })
}

for (const role of ["client", "server"] as const) {
  const peer = role === "client" ? "server" : "client"

  describe(`the ${role} refuses the ${peer}'s Certificate with`, () => {
    const cases: readonly (readonly [
      rule: string,
      alert: AlertName,
      kind: TlsErrorKind,
      message: Uint8Array,
      cast?: Cast,
    ])[] = [
      [
        "4.5.1: a context that was not asked for",
        "illegal_parameter",
        "InvalidMessage",
        certificateOf(Uint8Array.of(1), [{ data: leaf, extensions: [] }]),
      ],
      [
        "4.5.1: an empty certificate",
        "decode_error",
        "InvalidMessage",
        certificateOf(nothing, [{ data: nothing, extensions: [] }]),
      ],
      // Requirement 4.3-4
      [
        "4.3: an entry's extension that was not asked for",
        "unsupported_extension",
        "PeerMisbehaved",
        certificateOf(nothing, [{ data: leaf, extensions: [extension("status_request", fromHex("01000001aa"))] }]),
      ],
      [
        "4.3: signed_certificate_timestamp that was not asked for",
        "unsupported_extension",
        "PeerMisbehaved",
        certificateOf(nothing, [
          { data: leaf, extensions: [extension("signed_certificate_timestamp", fromHex("00030001aa"))] },
        ]),
      ],
      [
        "4.3: an entry's extension that nobody knows",
        "unsupported_extension",
        "PeerMisbehaved",
        certificateOf(nothing, [{ data: leaf, extensions: [extension(0xfafa)] }]),
      ],
      // Requirement 4.3-5
      [
        "4.3: ALPN, which has no place in an entry",
        "illegal_parameter",
        "InvalidMessage",
        certificateOf(nothing, [
          { data: leaf, extensions: [extension("application_layer_protocol_negotiation", fromHex("0003026832"))] },
        ]),
      ],
      // Requirement 4.3-7
      [
        "4.3: an entry's extension twice",
        "illegal_parameter",
        "InvalidMessage",
        certificateOf(nothing, [{ data: leaf, extensions: [extension(0xfafa), extension(0xfafa)] }]),
      ],
      [
        "4.3: an extension in the second entry that was not asked for",
        "unsupported_extension",
        "PeerMisbehaved",
        certificateOf(nothing, [
          { data: leaf, extensions: [] },
          { data: leaf, extensions: [extension("status_request", fromHex("01000001aa"))] },
        ]),
      ],
      // Requirement 6-5
      [
        "6: data after its end",
        "decode_error",
        "InvalidMessage",
        editBody(certificateOf(nothing, [{ data: leaf, extensions: [] }]), (body) => Uint8Array.of(...body, 0)),
      ],
      ["6: a list that ends early", "decode_error", "InvalidMessage", handshake(11, fromHex("00000005000001"))],
      ["6: no list", "decode_error", "InvalidMessage", handshake(11, fromHex("00"))],
    ]

    it.for(cases)("RFC 9846 %s: %s, %s", ([_rule, alert, kind, message, cast = clientCertificate]) => {
      const puppet = underTest[role](cast).deliverUntil("certificate")
      puppet.message(message)
      expectRefused(puppet, alert, kind)
    })
  })

  describe(`the ${role} refuses the ${peer}'s CertificateVerify with`, () => {
    const right = peer === "server" ? "ecdsa_secp256r1_sha256" : "ed25519"
    const schemes: readonly (readonly [rule: string, scheme: number])[] = [
      // Requirement 6-6
      ["4.5.2: a scheme that was not offered", 0x0708],
      ["4.3.3: a GREASE scheme", 0x4a4a],
      // Requirements 4.5.2-7, 4.3.3-13
      ["4.3.3: ecdsa_sha1", 0x0203],
      // Requirements 4.5.2-7, 4.3.3-13
      ["4.3.3: rsa_pkcs1_sha1", 0x0201],
      ["4.5.2: RSASSA-PKCS1-v1_5, which is for certificates only", SignatureScheme.rsa_pkcs1_sha256],
      // Requirements 4.3.3-1, 4.5.2-6
      ["4.5.2: a scheme for another type of key", SignatureScheme.rsa_pss_rsae_sha256],
      // Requirements 4.3.3-1, 4.5.2-6
      ["4.5.2: a scheme for another curve", SignatureScheme.ecdsa_secp384r1_sha384],
      [
        "4.5.2: a scheme for the other side's key",
        peer === "server" ? SignatureScheme.ed25519 : SignatureScheme.ecdsa_secp256r1_sha256,
      ],
    ]

    it.each(schemes)("RFC 9846 %s: illegal_parameter", (_rule, scheme) => {
      const puppet = acting(role, "certificate_verify", (message) =>
        editBody(message, (body) => Uint8Array.of(scheme >> 8, scheme, ...body.subarray(2))),
      )
      puppet.run()
      expectRefused(puppet, "illegal_parameter", "PeerMisbehaved")
    })

    const signatures: readonly (readonly [rule: string, edit: (signature: Uint8Array) => Uint8Array])[] = [
      [
        "a changed signature",
        (signature) => signature.map((byte, i) => (i === signature.length - 1 ? byte ^ 1 : byte)),
      ],
      ["no signature", () => nothing],
      ["a signature of zeros", (signature) => new Uint8Array(signature.length)],
      ["half a signature", (signature) => signature.subarray(0, signature.length / 2)],
      ["a signature and a byte more", (signature) => Uint8Array.of(...signature, 0)],
    ]

    // Requirement 4.5.2-8
    it.each(signatures)("RFC 9846 4.5.2: %s: decrypt_error", (_rule, edit) => {
      const puppet = acting(role, "certificate_verify", (message) =>
        encodeCertificateVerify({ algorithm: SignatureScheme[right], signature: edit(message.subarray(8)) }),
      ).run()
      expectRefused(puppet, "decrypt_error", "PeerMisbehaved", /signature/)
    })

    // Requirement 4.5.2-8
    it("RFC 9846 4.5.2: the signature of another handshake: decrypt_error", () => {
      const other = underTest[role](clientCertificate).deliverUntil("certificate_verify").drop("certificate_verify")
      expectRefused(acting(role, "certificate_verify", () => other).run(), "decrypt_error", "PeerMisbehaved")
    })

    it("RFC 9846 4.5.2: a signature with the other side's context string: decrypt_error", () => {
      const cast: Cast =
        role === "client"
          ? { server: { credentials: always(confused(serverCredential, "client", "server")) } }
          : {
              ...clientCertificate,
              client: { credentials: always(confused(clientCredential, "server", "client")) },
            }
      expectRefused(
        acting(role, "certificate_verify", (message) => message, cast).run(),
        "decrypt_error",
        "PeerMisbehaved",
      )
    })

    it("RFC 9846 4.5.2: the signature of another key of its type: decrypt_error", () => {
      const stranger = generateEcKey("P-256", provider.random)
      const credentials = always(testCredential(stranger, publicKeyOf(stranger)))
      const known = testVerifier(publicKeyOf(serverKey))
      const cast: Cast =
        role === "client"
          ? { server: { credentials } }
          : { client: { credentials }, server: { clientAuthentication: { mode: "require", verifier: known } } }
      expectRefused(underTest[role](cast).run(), "decrypt_error", "PeerMisbehaved")
    })

    it.each([
      ["a byte more than its length", (body: Uint8Array) => Uint8Array.of(...body, 0)],
      ["a length beyond its end", (body: Uint8Array) => body.subarray(0, -1)],
      ["nothing in it", () => nothing],
    ])("RFC 9846 6: %s: decode_error", (_rule, edit) => {
      expectRefused(
        acting(role, "certificate_verify", (message) => editBody(message, edit)).run(),
        "decode_error",
        "InvalidMessage",
      )
    })
  })

  describe(`the ${role} refuses the ${peer}'s Finished with`, () => {
    it.each([
      // Requirement 4.5.3-1
      [
        "4.5.3: a changed first byte",
        "decrypt_error",
        "PeerMisbehaved",
        (body: Uint8Array) => body.map((byte, i) => (i === 0 ? byte ^ 1 : byte)),
      ],
      [
        "4.5.3: a changed last byte",
        "decrypt_error",
        "PeerMisbehaved",
        (body: Uint8Array) => body.map((byte, i) => (i === 31 ? byte ^ 1 : byte)),
      ],
      // Requirement 4.5.3-1
      ["4.5.3: zeros", "decrypt_error", "PeerMisbehaved", () => new Uint8Array(32)],
      ["4.5.3: 31 bytes", "decode_error", "InvalidMessage", (body: Uint8Array) => body.subarray(0, 31)],
      ["4.5.3: 33 bytes", "decode_error", "InvalidMessage", (body: Uint8Array) => Uint8Array.of(...body, 0)],
      ["4.5.3: more bytes than any message may have", "decode_error", "InvalidMessage", () => new Uint8Array(70_000)],
      ["4.5.3: nothing", "decode_error", "InvalidMessage", () => nothing],
      ["4.5.3: the 12 bytes of TLS 1.2", "decode_error", "InvalidMessage", (body: Uint8Array) => body.subarray(0, 12)],
    ] as const)("RFC 9846 %s: %s, %s", (_rule, alert, kind, edit) => {
      expectRefused(acting(role, "finished", (message) => editBody(message, edit)).run(), alert, kind)
    })

    // Requirements 5.1-4, 5.1-5
    it("RFC 9846 5.1: the next message in its record, where the keys change: unexpected_message", () => {
      const puppet = underTest[role](clientCertificate).deliverUntil("finished")
      puppet.message(puppet.drop("finished"), fromHex("1800000100"))
      expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
    })

    it("RFC 9846 4.5.3: the other side's MAC, sent back: decrypt_error", () => {
      const puppet = underTest[role](clientCertificate).deliverUntil("finished")
      // The server has sent its Finished by now, the client has not: it gets another connection's.
      const own =
        puppet.sent.find(({ name }) => name === "finished")?.message ??
        clientUnderTest().deliverUntil("finished").drop("finished")
      puppet.message(own)
      expectRefused(puppet, "decrypt_error", "PeerMisbehaved")
    })
  })

  describe(`the ${role} sees what the ${peer} leaves out (RFC 9846 4, C.3)`, () => {
    // Requirements 4-2, 4.5.2-3
    it("CertificateVerify, with a Finished that fits the rest: unexpected_message", () => {
      const puppet = acting(role, "certificate_verify", () => nothing)
      puppet.run()
      expectRefused(puppet, "unexpected_message", "PeerMisbehaved", /finished in state WAIT_CV/)
      expect(puppet.subject.info).toBeUndefined()
    })

    it("Certificate, with CertificateVerify: unexpected_message", () => {
      expectRefused(
        acting(role, "certificate", () => nothing).run(),
        "unexpected_message",
        "PeerMisbehaved",
        /certificate_verify in state WAIT_CERT/,
      )
    })

    it("Certificate and CertificateVerify both: unexpected_message", () => {
      const rewrite = (name: string, message: Uint8Array) =>
        name.startsWith("certificate") && name !== "certificate_request" ? nothing : message
      expectRefused(
        underTest[role]({ ...clientCertificate, rewrite }).run(),
        "unexpected_message",
        "PeerMisbehaved",
        /finished in state WAIT_CERT/,
      )
    })

    it("Finished, with application data under the handshake keys: unexpected_message, and no data", () => {
      const puppet = underTest[role](clientCertificate).deliverUntil("finished")
      puppet.send(ContentType.application_data, utf8ToBytes("secret?"))
      expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
      expect(puppet.events.some(({ type }) => type === "data" || type === "connected")).toBe(false)
    })
  })
}

describe("the client refuses", () => {
  // Requirement 4.5.1.3-1
  it("RFC 9846 4.5.1.3: an empty Certificate: decode_error", () => {
    const puppet = clientUnderTest().deliverUntil("certificate")
    puppet.message(certificateOf(nothing, []))
    expectRefused(puppet, "decode_error", "InvalidMessage", /empty Certificate/)
  })

  // Requirement 4-2 (client)
  it("RFC 9846 4.4.1: EncryptedExtensions left out: unexpected_message", () => {
    const puppet = acting("client", "encrypted_extensions", () => nothing, {})
    expectRefused(puppet.run(), "unexpected_message", "PeerMisbehaved", /certificate in state WAIT_EE/)
  })

  it("RFC 9846 4.5: a flight without certificate where no PSK was agreed: unexpected_message", () => {
    const rewrite = (name: string, message: Uint8Array) =>
      ["certificate", "certificate_verify"].includes(name) ? nothing : message
    expectRefused(
      clientUnderTest({ rewrite }).run(),
      "unexpected_message",
      "PeerMisbehaved",
      /finished in state WAIT_CERT_CR/,
    )
  })

  it("RFC 9846 4.5: application data of the server before its Finished: unexpected_message", () => {
    const puppet = clientUnderTest().deliverUntil("certificate")
    puppet.send(ContentType.application_data, utf8ToBytes("early"))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })

  // Requirement 4.5.1.2-7 (client)
  it("what its verifier rejects, with the verifier's alert", () => {
    const verdict = {
      accepted: false,
      alert: "certificate_expired",
      reason: "expired",
      message: "expired yesterday",
    } as const
    const puppet = clientUnderTest({ client: { verifier: testVerifier(publicKeyOf(serverKey), verdict) } }).run()
    expectRefused(puppet, "certificate_expired", "CertificateRejected", /expired yesterday/)
    expect(puppet.subject.failure).toMatchObject({ reason: "expired", chain: [leaf] })
  })

  it("RFC 9846 4.5.1: a certificate when it only has PSKs: certificate_unknown", () => {
    const psk = { identity: utf8ToBytes("device"), key: new Uint8Array(32), hash: "sha256", kind: "external" } as const
    const { verifier: _, ...client } = scene().client
    const puppet = Puppet.ofClient({ ...scene(), client: { ...client, externalPsks: [psk] } }).run()
    expectRefused(puppet, "certificate_unknown", "PeerIncompatible", /only takes PSKs/)
  })
})

describe("the server refuses", () => {
  it("RFC 9846 4.5.1.3: an empty Certificate where it requires one: certificate_required", () => {
    const puppet = serverUnderTest({ server: clientCertificate.server }).run()
    expectRefused(puppet, "certificate_required", "PeerMisbehaved")
  })

  it("RFC 9846 4.5.3: application data under the application keys before the client's Finished: bad_record_mac", () => {
    const puppet = serverUnderTest().deliverUntil("finished")
    puppet.drop("finished")
    puppet.receive(puppet.actor.send(utf8ToBytes("secret?")).output)
    expectRefused(puppet, "bad_record_mac", "PeerMisbehaved")
    expect(puppet.events.some(({ type }) => type === "data")).toBe(false)
  })

  it("RFC 9846 4.5: a client's Certificate that it did not ask for: unexpected_message", () => {
    const puppet = serverUnderTest().deliverUntil("finished")
    puppet.message(certificateOf(nothing, [{ data: leaf, extensions: [] }]))
    expectRefused(puppet, "unexpected_message", "PeerMisbehaved")
  })
})

describe("is taken", () => {
  // Requirement 4.5.1-4
  it("RFC 9846 4.5.1: an empty client Certificate where one is only requested", () => {
    const { verifier } = clientCertificate.server.clientAuthentication
    const puppet = serverUnderTest({ server: { clientAuthentication: { mode: "request", verifier } } }).run()
    expect(puppet.subject.info).toMatchObject({ authentication: "none" })
    expect(puppet.actor.info).toBeDefined()
  })

  // Requirement 4.4.2-6
  it("RFC 9846 4.4.2: no CertificateRequest beside a PSK, though the server wants certificates", () => {
    const puppet = serverUnderTest(resumed(clientCertificate)).run()
    expect(puppet.subject.info).toMatchObject({ authentication: "psk", peerChain: [clientCredential.chain[0]] })
    expect(puppet.sent.map(({ name }) => name)).not.toContain("certificate_request")
  })
})

/** Signs what the other side would sign. */
function confused(
  credential: typeof serverCredential,
  says: "client" | "server",
  is: "client" | "server",
): typeof serverCredential {
  return {
    ...credential,
    signer: {
      sign(scheme, message, crypto) {
        const length = certificateVerifyContent(is, nothing).length
        return credential.signer.sign(scheme, certificateVerifyContent(says, message.subarray(length)), crypto)
      },
    },
  }
}

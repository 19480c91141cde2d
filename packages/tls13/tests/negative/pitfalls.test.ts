// RFC 9846 appendix C.3, "Implementation Pitfalls", line by line.

import { describe, expect, it } from "vitest"
import { ContentType } from "../../src/bytes/code-points.ts"
import { fromHex, toHex } from "../../src/bytes/hex.ts"
import { createNobleProvider, publicKeyOf } from "../../src/crypto/noble/index.ts"
import { signatureScheme } from "../../src/crypto/signature-schemes.ts"
import {
  clientCertificate,
  clientUnderTest,
  expectRefused,
  provider,
  scene,
  serverKey,
  serverUnderTest,
} from "../support.ts"
import { always, testCredential } from "../tools/credentials.ts"
import { certificateOf, editClientHello, extension, extensionData, setExtension } from "../tools/edit.ts"
import { Puppet } from "../tools/puppet.ts"

const rewriteHello = (edit: Parameters<typeof editClientHello>[1]) => (name: string, message: Uint8Array) =>
  name === "client_hello" ? editClientHello(message, edit) : message

describe("TLS protocol issues", () => {
  it("handshake messages in many records: a ClientHello in fragments of 1, 2 and 3 bytes", () => {
    for (const size of [1, 2, 3]) {
      const puppet = serverUnderTest()
      const hello = puppet.drop("client_hello")
      for (let at = 0; at < hello.length; at += size) puppet.send(ContentType.handshake, hello.subarray(at, at + size))
      expect(puppet.run().subject.info).toBeDefined()
    }
  })

  it("a Certificate longer than a record is sent in several, and read", () => {
    const chain = [new Uint8Array(20_000).fill(1), new Uint8Array(20_000).fill(2)]
    const long = { ...testCredential(serverKey, publicKeyOf(serverKey)), chain }
    const puppet = clientUnderTest({ server: { credentials: always(long) } }).run()
    expect(puppet.subject.info?.peerChain).toEqual(chain)
    const asServer = serverUnderTest({ server: { credentials: always(long) } }).run()
    expect(asServer.actor.info?.peerChain).toEqual(chain)
  })

  it("a CertificateRequest longer than a record is sent in several, and read", () => {
    const authorities = [new Uint8Array(30_000).fill(0x30)]
    const { verifier } = clientCertificate.server.clientAuthentication
    const cast = {
      client: clientCertificate.client,
      server: { clientAuthentication: { mode: "require", verifier, authorities } },
    } as const
    expect(clientUnderTest(cast).run().subject.info).toBeDefined()
    expect(serverUnderTest(cast).run().subject.info).toMatchObject({ authentication: "certificate" })
  })

  // Requirement 5.1-11 (client)
  it("the record layer version number is ignored in unencrypted records", () => {
    for (const version of [0x0100, 0x0301, 0x7f12]) {
      const puppet = clientUnderTest()
      const record = puppet.record(ContentType.handshake, puppet.drop("server_hello"))
      record.set([version >> 8, version & 0xff], 1)
      puppet.receive(record)
      expect(puppet.run().subject.info).toBeDefined()
    }
  })

  // Requirements E.5-1, E.5-2, 4.3.3-14
  it("there is no SSL, RC4, export cipher or MD5 to be had", () => {
    for (const { name } of provider.cipherSuites)
      expect(name).toMatch(/^TLS_(AES_(128|256)_GCM|CHACHA20_POLY1305)_SHA(256|384)$/)
    for (const code of [0x0101, 0x0201, 0x0202, 0x0203]) expect(signatureScheme(code)).toBeUndefined()
    const puppet = serverUnderTest()
    puppet.message(
      editClientHello(
        puppet.drop("client_hello"),
        (raw) => void Object.assign(raw, { cipherSuites: fromHex("00040005000300060018") }),
      ),
    )
    expectRefused(puppet, "handshake_failure", "PeerIncompatible")
  })

  // Requirements E.5-5, E.5-3 (server)
  it("an SSL 2.0 CLIENT-HELLO is not taken (E.5)", () => {
    const puppet = serverUnderTest()
    puppet.receive(fromHex(`802e0103010015000000100000${"35".repeat(40)}`))
    expectRefused(puppet, "protocol_version", "PeerIncompatible", /SSL 2\.0/)
  })

  it("unknown extensions of a ClientHello are passed over", () => {
    const rewrite = rewriteHello(
      ({ extensions }) => void extensions.unshift(extension(0x1234, fromHex("ffff")), extension(0xaaaa)),
    )
    expect(serverUnderTest({ rewrite }).run().subject.info).toBeDefined()
  })

  // Requirements 4.5.1-3, 4.5.1-4
  it("a client without a suitable certificate sends an empty Certificate, and does not leave it out", () => {
    const { verifier } = clientCertificate.server.clientAuthentication
    for (const credentials of [undefined, always(undefined)]) {
      const puppet = clientUnderTest({
        client: { ...(credentials && { credentials }) },
        server: { clientAuthentication: { mode: "request", verifier } },
      }).run()
      const sent = puppet.sent.filter(({ name }) => name !== "client_hello")
      expect(sent.map(({ name }) => name)).toEqual(["certificate", "finished"])
      expect(toHex(sent[0]!.message)).toBe(toHex(certificateOf(new Uint8Array(0), [])))
    }
  })

  // Requirement 5.4-3 (server)
  it("scanning for the content type stops at the start of the cleartext", () => {
    for (const length of [0, 1, 2, 255, 16_385]) {
      const puppet = serverUnderTest().run()
      puppet.receive(puppet.innerRecord(new Uint8Array(length)))
      expectRefused(puppet, "unexpected_message", "PeerMisbehaved", /no content type/)
    }
  })

  // Requirements 4.2.2-14, 4.2.2-10, 9.3-4, 4.3.1-4
  it("unrecognized suites, extensions, groups, shares, versions and signature algorithms are ignored, all at once", () => {
    const rewrite = rewriteHello((raw) => {
      const { extensions } = raw
      raw.cipherSuites = fromHex("eaea13011399")
      const share = extensionData(extensions, "key_share").subarray(2)
      setExtension(extensions, "supported_groups", fromHex("0008 9a9a 001d 0017 6399"))
      setExtension(extensions, "key_share", Uint8Array.of(0, share.length + 5, 0x9a, 0x9a, 0, 1, 7, ...share))
      setExtension(extensions, "supported_versions", fromHex("06 5a5a 0304 0305"))
      setExtension(extensions, "signature_algorithms", fromHex("0006 8a8a 0403 0999"))
      setExtension(extensions, 0x3a3a, fromHex("00"))
    })
    const puppet = serverUnderTest({ rewrite }).run()
    expect(puppet.subject.info).toMatchObject({ cipherSuite: "TLS_AES_128_GCM_SHA256", group: "x25519" })
  })

  // Requirement 4.2.1-3
  it("a server asks for another share when it has a group in common with the client; the client gives it", () => {
    const cast = { client: { groups: ["x25519", "secp521r1"] }, server: { groups: ["secp521r1"] } }
    expect(serverUnderTest(cast).run().subject.info).toMatchObject({ helloRetryRequest: true, group: "secp521r1" })
    expect(clientUnderTest(cast).run().subject.info).toMatchObject({ helloRetryRequest: true, group: "secp521r1" })
  })

  // Requirement 4.2.1-3
  it("a client that sends no share at all is asked for one (4.3.8)", () => {
    const rewrite = rewriteHello(({ extensions }) => {
      // In its first hello only: the second has what it was asked for.
      if (first) setExtension(extensions, "key_share", fromHex("0000"))
      first = false
    })
    let first = true
    const puppet = serverUnderTest({ rewrite, client: { groups: ["secp256r1"] } })
    puppet.deliver()
    expect(puppet.sent.map(({ name }) => name)).toEqual(["hello_retry_request"])
    expect(puppet.run().subject.info).toMatchObject({ helloRetryRequest: true })
  })
})

describe("cryptographic details", () => {
  it("signatures and Diffie-Hellman private values come from the random source that was given: none is made without it", () => {
    const broken = createNobleProvider({
      random: () => {
        throw new Error("the entropy source is not ready")
      },
    })
    const puppet = () => Puppet.ofClient({ ...scene(), client: { ...scene().client, provider: broken } })
    const { subject } = puppet()
    expect(subject.failure).toMatchObject({ alert: "internal_error", message: expect.stringMatching(/entropy source/) })
  })

  // Requirements 4.3.8-5 (client), 4.2.2-8
  it("shares and private values are fresh in every handshake", () => {
    const seen = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const { message } = clientUnderTest().sent[0]!
      editClientHello(message, ({ extensions, random, legacySessionId }) => {
        for (const value of [extensionData(extensions, "key_share"), random, legacySessionId]) seen.add(toHex(value))
      })
    }
    expect(seen.size).toBe(60)
  })

  it("the client checks the server's Diffie-Hellman value: see key-shares.test.ts; finite fields are not offered at all", () => {
    for (const { code } of provider.keyExchanges) expect(code >> 8).not.toBe(0x01)
  })
})

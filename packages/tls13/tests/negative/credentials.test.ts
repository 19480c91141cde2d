// When no certificate fits: RFC 9846 sections 4.2.1, 4.4.2, 4.5.1.2, 4.5.2, RFC 7250 (raw public keys).

import { describe, expect, it } from "vitest"
import { fromHex } from "../../src/bytes/hex.ts"
import { generateEcKey, publicKeyOf } from "../../src/crypto/noble/index.ts"
import { encodePkcs8 } from "../../src/devcert/keys.ts"
import { loadCredential, singleCredential, sniResolver } from "../../src/x509/index.ts"
import {
  type Cast,
  clientCertificate,
  clientCredential,
  clientUnderTest,
  expectRefused,
  provider,
  serverCredential,
  serverUnderTest,
} from "../support.ts"
import { always, testCredential, testVerifier } from "../tools/credentials.ts"
import { certificateOf, editClientHello, editExtensions, removeExtension, setExtension } from "../tools/edit.ts"
import { makeLeaf, makeRoot } from "../x509/pki.ts"

const raw = { ...clientCredential, type: "RawPublicKey" } as const
const rawServer = { ...serverCredential, type: "RawPublicKey" } as const
const nothing = new Uint8Array(0)
/** For the resolvers that applications have: a certificate of P-256. */
const leaf = makeLeaf(makeRoot(), { names: ["other.test"] })
const realCredential = loadCredential({ cert: leaf.der, key: encodePkcs8(leaf.privateKey), provider })

describe("the client ends the handshake with handshake_failure when its own credential", () => {
  it("RFC 9846 4.5.2: can sign with none of the server's schemes", () => {
    const rewrite = (name: string, message: Uint8Array) =>
      name === "certificate_request"
        ? editExtensions(message, (list) => setExtension(list, "signature_algorithms", fromHex("00020403")))
        : message
    expectRefused(
      clientUnderTest({ ...clientCertificate, rewrite }).run(),
      "handshake_failure",
      "PeerIncompatible",
      /no signature scheme/,
    )
  })

  it("RFC 9846 4.5.2: has a P-384 key, and the server takes P-256 only", () => {
    const key = generateEcKey("P-384", provider.random)
    const credentials = always(testCredential(key, publicKeyOf(key)))
    const server = { ...clientCertificate.server, signatureSchemes: ["ecdsa_secp256r1_sha256"] }
    expectRefused(clientUnderTest({ client: { credentials }, server }).run(), "handshake_failure", "PeerIncompatible")
  })

  it("RFC 7250: is a raw public key, and the server takes X.509", () => {
    const cast: Cast = { ...clientCertificate, client: { credentials: always(raw) } }
    expectRefused(clientUnderTest(cast).run(), "handshake_failure", "PeerIncompatible", /certificate type X509/)
  })
})

describe("the server ends the handshake", () => {
  it("RFC 6066 3: with unrecognized_name when it has no certificate for the name and is to show no other", () => {
    const credentials = sniResolver([realCredential], { fallback: false })
    const puppet = serverUnderTest({ server: { credentials } }).run()
    expectRefused(puppet, "unrecognized_name", "PeerIncompatible", /no certificate for server\.test/)
  })

  it.each([
    ["sniResolver", sniResolver([realCredential])],
    ["singleCredential", singleCredential(realCredential)],
  ])("RFC 9846 4.2.1: with handshake_failure when the client's signature schemes fit no certificate: %s", (_, own) => {
    const client = { signatureSchemes: ["ed25519"] }
    const puppet = serverUnderTest({ client, server: { credentials: own } }).run()
    expectRefused(puppet, "handshake_failure", "PeerIncompatible", /no signature scheme that our keys \(.*P-256.*\)/)
  })

  it("RFC 9846 4.2.1: with handshake_failure when it chooses none and does not say why", () => {
    const puppet = serverUnderTest({ server: { credentials: always(undefined) } }).run()
    expectRefused(
      puppet,
      "handshake_failure",
      "PeerIncompatible",
      /no certificate fits this client, which asks for server/,
    )
  })

  it.each([
    ["sniResolver", sniResolver([realCredential])],
    ["singleCredential", singleCredential(realCredential)],
    ["one that does not look", always(realCredential)],
  ])(
    "RFC 7250 4.2: with unsupported_certificate when the client does not take its certificate's type: %s",
    (_, own) => {
      const client = { certificateTypes: { server: ["RawPublicKey"] } } as const
      const puppet = serverUnderTest({ client, server: { credentials: own } }).run()
      expectRefused(puppet, "unsupported_certificate", "PeerIncompatible", /does not take the certificate type X509/)
    },
  )

  it("RFC 7250 4.2: with unsupported_certificate when there is no type of client certificate in common", () => {
    const cast: Cast = {
      ...clientCertificate,
      server: { ...clientCertificate.server, certificateTypes: { client: ["RawPublicKey"] } },
    }
    expectRefused(serverUnderTest(cast).run(), "unsupported_certificate", "PeerIncompatible")
  })
})

describe("raw public keys (RFC 7250)", () => {
  const both: Cast = {
    client: { certificateTypes: { client: ["RawPublicKey"], server: ["RawPublicKey"] }, credentials: always(raw) },
    server: {
      certificateTypes: { client: ["RawPublicKey"] },
      credentials: always(rawServer),
      clientAuthentication: { mode: "require", verifier: testVerifier(clientCredential.publicKey) },
    },
  }

  it("are agreed on both ways", () => {
    for (const puppet of [clientUnderTest(both).run(), serverUnderTest(both).run()]) {
      expect(puppet.subject.info).toMatchObject({ peerCertificateType: "RawPublicKey" })
      expect(puppet.actor.info).toMatchObject({ peerCertificateType: "RawPublicKey" })
    }
  })

  it("section 4: two of them are an illegal_parameter", () => {
    const key = { data: Uint8Array.of(0x30, 0), extensions: [] }
    for (const underTest of [clientUnderTest, serverUnderTest]) {
      const puppet = underTest(both).deliverUntil("certificate")
      puppet.message(certificateOf(nothing, [key, key]))
      expectRefused(puppet, "illegal_parameter", "InvalidMessage", /more than one raw public key/)
    }
  })

  it("section 4.2: a client that takes nothing else refuses X.509: unsupported_certificate", () => {
    const rewrite = (name: string, message: Uint8Array) =>
      name === "encrypted_extensions"
        ? editExtensions(message, (list) => removeExtension(list, "server_certificate_type"))
        : message
    const client = { certificateTypes: { server: ["RawPublicKey"] } } as const
    const puppet = clientUnderTest({ client, server: { credentials: always(rawServer) }, rewrite }).run()
    expectRefused(puppet, "unsupported_certificate", "PeerIncompatible", /X\.509/)
  })

  it("section 4.2: the server does not take a type that the client did not offer", () => {
    const puppet = serverUnderTest({ server: { credentials: sniResolver([realCredential]) } })
    puppet.message(
      editClientHello(puppet.drop("client_hello"), ({ extensions }) =>
        setExtension(extensions, "server_certificate_type", fromHex("0102")),
      ),
    )
    expectRefused(puppet, "unsupported_certificate", "PeerIncompatible", /does not take the certificate type X509/)
  })
})

// External PSKs: RFC 9846 sections 2.2, 4.3.9 and 4.3.11, RFC 9257, RFC 9258 (imported keys).

import { describe, expect, it } from "vitest"
import { utf8ToBytes } from "../src/bytes/text.ts"
import type { ClientOptions, ServerOptions } from "../src/handshake/options.ts"
import { importPsk } from "../src/session/psk-importer.ts"
import { MemoryPskStore } from "../src/session/psk-store.ts"
import type { ExternalPsk } from "../src/session/session.ts"
import { clientOptions, clientUnderTest, expectRefused, provider, serverUnderTest, start } from "./support.ts"
import { editClientHello, setExtension } from "./tools/edit.ts"
import { Puppet } from "./tools/puppet.ts"

function psk(name: string, fill: number, hash: ExternalPsk["hash"] = "sha256"): ExternalPsk {
  return { identity: utf8ToBytes(name), key: new Uint8Array(32).fill(fill), hash, kind: "external" }
}

const device = psk("device", 1)
const known = { externalPsks: new MemoryPskStore([device]) }

/** A client and a server without any certificate. */
function pskOnly(client: Partial<ClientOptions>, server: Partial<ServerOptions>): Puppet {
  const { verifier: _, ...withoutVerifier } = clientOptions
  return Puppet.ofServer({
    client: { ...withoutVerifier, externalPsks: [device], ...client },
    server: { provider, ...known, ...server },
    now: start,
  })
}

describe("an external PSK", () => {
  // Requirements 4.3.9-7, F.1-1
  it("RFC 9846 4.3.9: with a key exchange, without any certificate", () => {
    const puppet = pskOnly({}, {}).run()
    const agreed = { authentication: "psk", resumed: false, group: "x25519", pskIdentity: device.identity }
    expect(puppet.subject.info).toMatchObject(agreed)
    expect(puppet.actor.info).toMatchObject(agreed)
    expect(puppet.sent.map(({ name }) => name)).toEqual(["server_hello", "encrypted_extensions", "finished"])
  })

  it("needs no signature algorithm of the provider, on either side", () => {
    const small = { provider: { ...provider, signatures: [] } }
    expect(pskOnly({}, small).run().subject.info).toMatchObject({ authentication: "psk" })
    expectRefused(pskOnly({ externalPsks: [psk("other", 2)] }, small).run(), "handshake_failure", "PeerIncompatible")
    expect(() => pskOnly({}, { ...small, externalPsks: undefined })).toThrow("a server needs a certificate")
  })

  it("RFC 9846 4.3.9: without a key exchange, when both allow it and have no group in common", () => {
    const allow = { allowPskWithoutKeyExchange: true }
    const puppet = pskOnly({ ...allow, groups: ["x25519"] }, { ...allow, groups: ["secp256r1"] }).run()
    expect(puppet.subject.info).toMatchObject({ authentication: "psk", group: undefined })
    expect(puppet.actor.info).toMatchObject({ authentication: "psk", group: undefined })
  })

  it("RFC 9846 4.3.9: with a key exchange, when both allow to do without, but need not", () => {
    const allow = { allowPskWithoutKeyExchange: true }
    expect(pskOnly(allow, allow).run().subject.info).toMatchObject({ group: "x25519" })
  })

  // Requirements 4.3.9-4, 4.2.1-2
  it("RFC 9846 4.3.9: never without a key exchange unless both chose it: handshake_failure", () => {
    for (const [client, server] of [
      [true, false],
      [false, true],
    ] as const) {
      const puppet = pskOnly(
        { allowPskWithoutKeyExchange: client, groups: ["x25519"] },
        { allowPskWithoutKeyExchange: server, groups: ["secp256r1"] },
      ).run()
      expectRefused(puppet, "handshake_failure", "PeerIncompatible")
    }
  })

  // Requirements 4.3.9-4, 4.2.1-2
  it("RFC 9846 4.3.9: a client that only takes psk_ke is told so by a server that does not", () => {
    const puppet = pskOnly({}, {})
    puppet.message(
      editClientHello(puppet.drop("client_hello"), ({ extensions }) =>
        setExtension(extensions, "psk_key_exchange_modes", Uint8Array.of(1, 0)),
      ),
    )
    expectRefused(puppet, "handshake_failure", "PeerIncompatible", /no PSK/)
  })

  it("RFC 9846 4.3.11: through a HelloRetryRequest", () => {
    const puppet = pskOnly({ groups: ["x25519", "secp256r1"] }, { groups: ["secp256r1"] }).run()
    expect(puppet.subject.info).toMatchObject({ authentication: "psk", helloRetryRequest: true, group: "secp256r1" })
    expect(puppet.actor.info).toBeDefined()
  })

  // Requirements 4.3.11-3, 2.2-1
  it("RFC 9846 4.3.11: of SHA-384 goes with a suite of SHA-384, whatever comes first", () => {
    const strong = psk("strong", 2, "sha384")
    const suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]
    const puppet = pskOnly(
      { externalPsks: [strong], cipherSuites: suites },
      { externalPsks: new MemoryPskStore([strong]), cipherSuites: suites },
    ).run()
    expect(puppet.subject.info).toMatchObject({ cipherSuite: "TLS_AES_256_GCM_SHA384", authentication: "psk" })
  })

  // Requirement 4.3.11-3
  it("RFC 9846 4.3.11: without a suite of its hash is not used", () => {
    const strong = psk("strong", 2, "sha384")
    const puppet = pskOnly({ externalPsks: [device, strong] }, { externalPsks: new MemoryPskStore([strong]) }).run()
    expectRefused(puppet, "handshake_failure", "PeerIncompatible")
  })

  it("of another key: decrypt_error", () => {
    expectRefused(
      pskOnly({ externalPsks: [psk("device", 9)] }, {}).run(),
      "decrypt_error",
      "PeerMisbehaved",
      /do not have the same key/,
    )
  })

  it("whose kind the two do not agree on: decrypt_error (the binder labels differ)", () => {
    const imported = { ...device, kind: "imported" } as const
    expectRefused(pskOnly({ externalPsks: [imported] }, {}).run(), "decrypt_error", "PeerMisbehaved")
    expectRefused(
      pskOnly({}, { externalPsks: new MemoryPskStore([imported]) }).run(),
      "decrypt_error",
      "PeerMisbehaved",
    )
  })

  it("that the server does not know: handshake_failure without a certificate, else the certificate", () => {
    const stranger = psk("stranger", 3)
    expectRefused(
      pskOnly({ externalPsks: [stranger] }, {}).run(),
      "handshake_failure",
      "PeerIncompatible",
      /no PSK that this server knows/,
    )
    const puppet = serverUnderTest({ client: { externalPsks: [stranger] }, server: known }).run()
    expect(puppet.subject.info).toMatchObject({ authentication: "none", pskIdentity: undefined })
    expect(puppet.actor.info).toMatchObject({ authentication: "certificate", pskIdentity: undefined })
  })
})

describe("several identities (RFC 9846 4.3.11)", () => {
  const others = Array.from({ length: 12 }, (_, i) => psk(`other ${i}`, 100 + i))

  it("the server takes the first that it knows, and says which", () => {
    for (const at of [0, 1, 2]) {
      const offered = [...others.slice(0, at), device, ...others.slice(at, 2)]
      for (const puppet of [serverUnderTest, clientUnderTest].map((underTest) =>
        underTest({ client: { externalPsks: offered }, server: known }).run(),
      )) {
        expect(puppet.subject.info).toMatchObject({ authentication: "psk", pskIdentity: device.identity })
        expect(puppet.actor.info).toMatchObject({ pskIdentity: device.identity })
      }
    }
  })

  it("only the binder of the one that is taken is checked", () => {
    const wrong = psk("other 0", 200)
    const puppet = serverUnderTest({
      client: { externalPsks: [device, wrong] },
      server: { externalPsks: new MemoryPskStore([device, others[0]!]) },
    })
    expect(puppet.run().subject.info).toMatchObject({ pskIdentity: device.identity })
  })

  it("with hashes of both kinds", () => {
    const strong = psk("strong", 5, "sha384")
    const suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]
    for (const [taken, suite] of [
      [strong, suites[1]],
      [device, suites[0]],
    ] as const) {
      const puppet = serverUnderTest({
        client: { externalPsks: [strong, device], cipherSuites: suites },
        server: { externalPsks: new MemoryPskStore([taken]), cipherSuites: suites },
      }).run()
      expect(puppet.subject.info).toMatchObject({ pskIdentity: taken.identity, cipherSuite: suite })
    }
  })
})

describe("an imported PSK (RFC 9258)", () => {
  const importing = {
    identity: utf8ToBytes("meter 7"),
    key: new Uint8Array(32).fill(4),
    context: utf8ToBytes("meter, head end"),
    provider,
  }
  const imported = importPsk(importing)

  it("goes with every suite, each under its own key", () => {
    for (const suite of ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]) {
      const puppet = pskOnly(
        { externalPsks: imported, cipherSuites: [suite] },
        { externalPsks: new MemoryPskStore(imported), cipherSuites: [suite] },
      ).run()
      expect(puppet.subject.info).toMatchObject({ authentication: "psk", cipherSuite: suite })
      expect(puppet.actor.info).toMatchObject({ authentication: "psk" })
    }
  })

  it("of another context is another key: handshake_failure", () => {
    const other = importPsk({ ...importing, context: utf8ToBytes("head end, meter") })
    expectRefused(
      pskOnly({ externalPsks: imported }, { externalPsks: new MemoryPskStore(other) }).run(),
      "handshake_failure",
      "PeerIncompatible",
    )
  })
})

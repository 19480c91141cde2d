// What a client offers: RFC 9846 sections 4.2.2, 4.3, 9.1 and 9.2, over the ClientHellos of connections of every kind.

import { describe, expect, it } from "vitest"
import { type ClientHello, decodeClientHello } from "../../src/codec/client-hello.ts"
import { handshakeMessage } from "../../src/codec/message.ts"
import { createHostProvider } from "../../src/crypto/host/index.ts"
import { createNobleProvider, generateEcKey, publicKeyOf } from "../../src/crypto/noble/index.ts"
import { createX25519MLKEM768, generateMlDsaKey } from "../../src/crypto/noble-pq/index.ts"
import { generateRsaKey } from "../../src/crypto/rsa/generate.ts"
import { signatureSchemes } from "../../src/crypto/signature-schemes.ts"
import { generateKey } from "../crypto/any-keys.ts"
import { clientOptions, clientUnderTest, early, provider, serverUnderTest, start } from "../support.ts"
import { always, testCredential, testVerifier } from "../tools/credentials.ts"
import { editServerHello, removeExtension, setExtension } from "../tools/edit.ts"
import { type CastName, casts, ends, messagesOf, play, psk, shakeHands } from "./scenes.ts"

const names = Object.keys(casts) as CastName[]
const hellosOf = (name: CastName): ClientHello[] =>
  messagesOf(shakeHands(casts[name]).client, "client_hello").map((bytes) => decodeClientHello(handshakeMessage(bytes)))

describe.each(names)("the ClientHello of %s", (name) => {
  const hellos = hellosOf(name)

  // Requirements 4.2.2-6, 4.2.2-11, E.5-6 (client)
  it("RFC 9846 4.2.2: has its fixed fields as they must be", () => {
    for (const { legacyVersion, legacyCompressionMethods } of hellos)
      expect({ legacyVersion, compression: [...legacyCompressionMethods] }).toEqual({
        legacyVersion: 0x0303,
        compression: [0],
      })
  })

  // Requirements 4.2.2-8, 4.2.2-9
  it("RFC 9846 4.2.2: has a session id of 32 bytes in compatibility mode, and none otherwise", () => {
    for (const { legacySessionId } of hellos)
      expect(legacySessionId).toHaveLength(name === "no middlebox compatibility" ? 0 : 32)
  })

  // Requirements 4.3.1-1, E.5-3 (client)
  it("RFC 9846 4.3.1: offers TLS 1.3 and no other version", () => {
    for (const { extensions } of hellos) expect(extensions.supported_versions).toEqual([0x0304])
  })

  // Requirements 4.3.3-2, 9.2-10, 9.2-11, 9.2-5
  it("RFC 9846 9.2: has signature_algorithms, supported_groups and key_share", () => {
    for (const { extensions } of hellos) {
      expect(extensions.signature_algorithms?.length).toBeGreaterThan(0)
      expect(extensions.supported_groups?.length).toBeGreaterThan(0)
      expect(extensions.key_share).toBeDefined()
    }
  })

  // Requirements 4.3.7-1, 4.3.8-1, 4.3.8-3, 4.3.8-4
  it("RFC 9846 4.3.7, 4.3.8: has no group twice, and shares of its groups in their order", () => {
    for (const { extensions } of hellos) {
      const groups = extensions.supported_groups!
      const shares = extensions.key_share!.map(({ group }) => group)
      expect(new Set(groups).size).toBe(groups.length)
      expect(groups.filter((group) => shares.includes(group))).toEqual(shares)
    }
  })

  // Requirements 4.3.9-2, 4.3.10-1, 4.3-6
  it("RFC 9846 4.3.9 to 4.3.11: has psk_key_exchange_modes beside a PSK, a PSK beside early_data, and the PSK last", () => {
    for (const { extensions, extensionTypes } of hellos) {
      if (extensions.early_data) expect(extensions.pre_shared_key).toBeDefined()
      if (extensions.pre_shared_key === undefined) continue
      expect(extensions.psk_key_exchange_modes).toContain(1)
      expect(extensionTypes.at(-1)).toBe(41)
    }
  })

  // Requirements 4.3.3-13 (client), 4.3.3-14 (client), 4.5.2-7 (client)
  it("RFC 9846 4.3.3: offers no signature with MD5, SHA-1, SHA-224 or DSA", () => {
    for (const { extensions } of hellos) {
      const schemes = [...extensions.signature_algorithms!, ...(extensions.signature_algorithms_cert ?? [])]
      for (const scheme of schemes) {
        // Before TLS 1.3 the first byte was the hash (1 MD5, 2 SHA-1, 3 SHA-224), the second the signature (2 DSA).
        expect(scheme >> 8).toBeGreaterThan(0x03)
        if (scheme >> 8 < 0x08) expect(scheme & 0xff).not.toBe(0x02)
      }
    }
  })

  // Requirements B.3.1.4-1 (client), E.5-1 (client), E.5-2 (client)
  it("RFC 9846 B.3.1.4, B.4, E.5: offers suites of TLS 1.3 and no obsolete group", () => {
    for (const { cipherSuites, extensions } of hellos) {
      for (const suite of cipherSuites) expect([0x1301, 0x1302, 0x1303, 0x1304, 0x1305]).toContain(suite)
      for (const group of extensions.supported_groups!) {
        expect(group > 0x0016 && group !== 0x001a && group !== 0x001b && group !== 0x001c).toBe(true)
        expect(group >> 8).not.toBe(0xfe)
        expect(group >> 8).not.toBe(0xff)
      }
    }
  })

  // Requirement E.5-9 (client)
  it("RFC 9846 E.5: does not use truncated_hmac", () => {
    for (const { extensionTypes } of hellos) expect(extensionTypes).not.toContain(4)
  })
})

// Requirements 4.2.2-1, E.5-4
it("RFC 9846 4.2.2: the first record is a ClientHello, and none of SSL 2.0", () => {
  const { client } = play()
  expect([...client.records[0]!.record.subarray(0, 2)]).toEqual([22, 3])
  expect(client.records[0]!.content[0]).toBe(1)
})

// Requirement 5-3 (client)
it("RFC 9846 5: change_cipher_spec before its ClientHello is unexpected to a client", () => {
  const { pair } = ends()
  pair.take(pair.client, pair.client.connection.receive(Uint8Array.of(20, 3, 3, 0, 1, 1), start))
  expect(pair.client.connection.failure).toMatchObject({ alert: "unexpected_message", kind: "PeerMisbehaved" })
})

// Requirement 4.3.10-2
it("RFC 9846 4.3.10: early data goes under the first PSK, also when there are others", () => {
  const cast = early()
  const { pair } = shakeHands({ ...cast, client: { ...cast.client, externalPsks: [psk] } })
  expect(pair.server.connection.info).toMatchObject({ earlyData: "accepted", resumed: true })
  expect(pair.server.events.map(({ type }) => type)).toContain("early-data")
})

// Requirement 4.3.2-2
it("RFC 9846 4.3.2: a cookie is not used in a later connection", () => {
  const puppet = clientUnderTest({ client: { groups: ["x25519", "secp256r1"] }, server: { groups: ["secp256r1"] } })
  puppet.message(
    editServerHello(puppet.drop("hello_retry_request"), ({ extensions }) => {
      removeExtension(extensions, "key_share")
      setExtension(extensions, "cookie", Uint8Array.of(0, 2, 0xbe, 0xef))
    }),
  )
  const hellos = puppet.sent.map(({ message }) => decodeClientHello(handshakeMessage(message)))
  expect(hellos.map(({ extensions }) => extensions.cookie)).toEqual([undefined, Uint8Array.of(0xbe, 0xef)])
  // The same options, the same configuration's making, the same store: nothing of the cookie is left.
  const [later] = clientUnderTest({ client: { groups: ["x25519", "secp256r1"] } }).sent
  expect(decodeClientHello(handshakeMessage(later!.message)).extensions.cookie).toBeUndefined()
})

// Requirement 4.3.8-2
it("RFC 9846 4.3.8: the shares of one ClientHello are made independently, those of a hybrid group too", () => {
  const withHybrids = {
    ...provider,
    keyExchanges: [createX25519MLKEM768(), ...provider.keyExchanges],
  }
  const shared = ["X25519MLKEM768", "x25519", "secp256r1"]
  const puppet = clientUnderTest({
    client: { provider: withHybrids, groups: shared, keyShares: shared },
    server: { provider: withHybrids },
  })
  const { extensions } = decodeClientHello(handshakeMessage(puppet.sent[0]!.message))
  const [hybrid, x25519, secp256r1] = extensions.key_share!.map(({ keyExchange }) => keyExchange)
  expect([hybrid!.length, x25519!.length, secp256r1!.length]).toEqual([1216, 32, 65])
  expect(hybrid!.slice(-32)).not.toEqual(x25519)
  expect(puppet.run().subject.info).toMatchObject({ group: "X25519MLKEM768" })
})

/* ---------------------------------------------------------------- what is offered is supported */

// Requirement 9.3-3
describe("RFC 9846 9.3: everything that a client offers, it can do", () => {
  const { client } = shakeHands({ client: { cipherSuites: provider.cipherSuites.map(({ name }) => name) } })
  const hello = decodeClientHello(handshakeMessage(messagesOf(client, "client_hello")[0]!))
  const { cipherSuites: _, ...unlimited } = clientOptions

  it.each(hello.cipherSuites)("cipher suite %i", (code) => {
    const suite = provider.cipherSuites.find((each) => each.code === code)!.name
    const puppet = clientUnderTest({
      client: { cipherSuites: provider.cipherSuites.map(({ name }) => name) },
      server: { cipherSuites: [suite] },
    })
    expect(puppet.run().subject.info).toMatchObject({ cipherSuite: suite })
  })

  it.each(hello.extensions.supported_groups!)("group %i", (code) => {
    const group = provider.keyExchanges.find((each) => each.code === code)!.name
    expect(clientUnderTest({ server: { groups: [group] } }).run().subject.info).toMatchObject({ group })
  })

  const rsa = generateRsaKey(2048, provider.random)
  const keyFor = (scheme: (typeof signatureSchemes)[number]) => {
    switch (scheme.key) {
      case "rsa":
      case "rsa-pss":
        return { ...rsa, type: scheme.key }
      case "ml-dsa-44":
      case "ml-dsa-65":
      case "ml-dsa-87":
        return generateMlDsaKey(scheme.key, provider.random)
      default:
        return generateKey(scheme.key === "ec" ? scheme.curve! : scheme.key, provider.random)
    }
  }

  it.each(hello.extensions.signature_algorithms!)("signature scheme %i", (code) => {
    const scheme = signatureSchemes.find((each) => each.code === code)!
    const key = keyFor(scheme)
    const credential = { ...testCredential(key, publicKeyOf(key)), signatureSchemes: [code] }
    const puppet = clientUnderTest({
      client: { ...unlimited, verifier: testVerifier(publicKeyOf(key)) },
      server: { credentials: always(credential) },
    })
    expect(puppet.run().subject.info).toMatchObject({ peerSignatureScheme: scheme.name })
  })
})

/* ---------------------------------------------------------------- what must be implemented */

describe.each([createNobleProvider(), createHostProvider()].map((each) => [each.name, each] as const))(
  "RFC 9846 9.1, with the provider %s",
  (_name, crypto) => {
    const { cipherSuites: _, ...options } = clientOptions

    // Requirement 9.1-1
    it("TLS_AES_128_GCM_SHA256 is offered and taken, alone as well", () => {
      for (const cast of [
        {
          client: { ...options, provider: crypto },
          server: { provider: crypto, cipherSuites: ["TLS_AES_128_GCM_SHA256"] },
        },
        {
          client: { ...options, provider: crypto, cipherSuites: ["TLS_AES_128_GCM_SHA256"] },
          server: { provider: crypto },
        },
      ])
        expect(shakeHands(cast).pair.server.connection.info).toMatchObject({ cipherSuite: "TLS_AES_128_GCM_SHA256" })
    })

    // Requirement 9.1-2
    it("rsa_pkcs1_sha256 in certificates, rsa_pss_rsae_sha256 and ecdsa_secp256r1_sha256 are offered, and signed with", () => {
      const { client } = shakeHands({ client: { provider: crypto } })
      const { extensions } = decodeClientHello(handshakeMessage(messagesOf(client, "client_hello")[0]!))
      for (const scheme of [0x0804, 0x0403]) expect(extensions.signature_algorithms).toContain(scheme)
      for (const scheme of [0x0401, 0x0804, 0x0403]) expect(extensions.signature_algorithms_cert).toContain(scheme)
      for (const [key, scheme] of [
        [generateRsaKey(2048, provider.random), "rsa_pss_rsae_sha256"],
        [generateEcKey("P-256", provider.random), "ecdsa_secp256r1_sha256"],
      ] as const) {
        const credentials = always(testCredential(key, publicKeyOf(key)))
        const verifier = testVerifier(publicKeyOf(key))
        const { pair } = shakeHands({
          client: { provider: crypto, verifier, credentials, signatureSchemes: [scheme] },
          server: {
            provider: crypto,
            credentials,
            signatureSchemes: [scheme],
            clientAuthentication: { mode: "require", verifier },
          },
        })
        for (const { connection } of [pair.client, pair.server])
          expect(connection.info).toMatchObject({ peerSignatureScheme: scheme })
      }
    })

    // Requirement 9.1-3
    it("secp256r1 is offered and taken", () => {
      for (const cast of [
        { client: { provider: crypto }, server: { provider: crypto, groups: ["secp256r1"] } },
        { client: { provider: crypto, groups: ["secp256r1"] }, server: { provider: crypto } },
      ])
        expect(shakeHands(cast).pair.client.connection.info).toMatchObject({ group: "secp256r1" })
    })
  },
)

// Requirements 9.2-1, 9.2-2, 9.2-13
it("RFC 9846 9.2: the extensions that must be implemented are, on both sides", () => {
  const { client, pair } = shakeHands({
    client: { groups: ["x25519", "secp256r1"] },
    server: { groups: ["secp256r1"] },
  })
  const [first, second] = messagesOf(client, "client_hello").map((bytes) => decodeClientHello(handshakeMessage(bytes)))
  for (const each of [
    "supported_versions",
    "signature_algorithms",
    "signature_algorithms_cert",
    "supported_groups",
    "key_share",
    "server_name",
  ] as const) {
    expect(first!.extensions[each], each).toBeDefined()
    expect(second!.extensions[each], each).toBeDefined()
  }
  expect(pair.server.connection.info).toMatchObject({ serverName: "server.test", group: "secp256r1" })
  // The cookie has tests of its own; here only that a server which sends one gets it back.
  const cookie = (name: string, message: Uint8Array) =>
    name === "hello_retry_request"
      ? editServerHello(message, ({ extensions }) => setExtension(extensions, "cookie", Uint8Array.of(0, 1, 7)))
      : message
  const puppet = serverUnderTest({ server: { groups: ["secp256r1"] }, rewriteSubject: cookie }).run()
  expect(puppet.subject.info).toMatchObject({ helloRetryRequest: true })
})

// What crypto/more adds, in handshakes: each group, and certificates of each kind of key, all the way up to their authority.

import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto"
import { describe, expect, it } from "vitest"
import { decodeClientHello, encodeClientHello } from "../src/codec/client-hello.ts"
import { handshakeMessage } from "../src/codec/message.ts"
import { decodeServerHello, encodeServerHello } from "../src/codec/server-hello.ts"
import { createNamed } from "../src/crypto/more/index.ts"
import type { CryptoProvider } from "../src/crypto/provider.ts"
import { schemesOfKey } from "../src/crypto/signature-schemes.ts"
import { createDevelopmentCertificates } from "../src/devcert/index.ts"
import {
  createCertificateVerifier,
  encodeSpki,
  loadCredential,
  parseCertificates,
  parsePrivateKey,
  parseSpki,
  singleCredential,
  trustStoreFromPem,
} from "../src/x509/index.ts"
import { brainpoolCurves, generateKey, publicKeyOf } from "./crypto/any-keys.ts"
import { clientUnderTest, expectRefused, provider, serverUnderTest, start } from "./support.ts"

const groups = ["x448", "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"]
const brainpoolGroups = brainpoolCurves.map((curve) => `${curve}tls13`)

describe.each([...groups, ...brainpoolGroups])("the group %s", (name) => {
  const only = { ...provider, keyExchanges: createNamed([name]).keyExchanges }
  const cast = { client: { provider: only }, server: { provider: only } }

  it("is agreed, and told by its name on both sides", () => {
    expect(serverUnderTest(cast).run().subject.info).toMatchObject({ group: name, helloRetryRequest: false })
    expect(clientUnderTest(cast).run().subject.info).toMatchObject({ group: name })
  })

  it("RFC 9846 4.2.4: is asked for by HelloRetryRequest", () => {
    const keyExchanges = [...provider.keyExchanges, ...only.keyExchanges]
    const client = { provider: { ...provider, keyExchanges } }
    expect(clientUnderTest({ ...cast, client }).run().subject.info).toMatchObject({
      group: name,
      helloRetryRequest: true,
    })
  })
})

it("no provider has the groups of itself", () => {
  const cast = { client: { provider: { ...provider, keyExchanges: createNamed(["ffdhe2048"]).keyExchanges } } }
  expectRefused(serverUnderTest(cast).run(), "handshake_failure", "PeerIncompatible", /group/)
})

describe("RFC 9846 4.3.8.1: a share of ffdhe2048 that is", () => {
  const only = { ...provider, keyExchanges: createNamed(["ffdhe2048"]).keyExchanges }
  const cast = { client: { provider: only }, server: { provider: only } }
  const one = new Uint8Array(256)
  one[255] = 1
  const wrong: readonly (readonly [what: string, share: Uint8Array])[] = [
    ["0", new Uint8Array(256)],
    ["1", one],
    ["above p", new Uint8Array(256).fill(0xff)],
    ["a byte short", new Uint8Array(255).fill(2)],
    ["a byte long", new Uint8Array(257).fill(2)],
    ["1, without the zeros in front", Uint8Array.of(2)],
  ]

  // Requirements 4.3.8.1-1 (server)
  it.each(wrong)("%s: the server ends the handshake with illegal_parameter", (_what, keyExchange) => {
    const puppet = serverUnderTest(cast)
    const hello = decodeClientHello(handshakeMessage(puppet.drop("client_hello")))
    const key_share = hello.extensions.key_share!.map(({ group }) => ({ group, keyExchange }))
    puppet.message(encodeClientHello({ ...hello, extensions: { ...hello.extensions, key_share } }))
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /client's key share .*ffdhe2048/)
  })

  // Requirements 4.3.8.1-1 (client)
  it.each(wrong)("%s: the client ends the handshake with illegal_parameter", (_what, keyExchange) => {
    const puppet = clientUnderTest(cast)
    const hello = decodeServerHello(handshakeMessage(puppet.drop("server_hello")))
    if (hello.kind !== "server_hello") throw new Error(`a ${hello.kind} instead of a ServerHello`)
    const key_share = { group: hello.extensions.key_share!.group, keyExchange }
    puppet.message(encodeServerHello({ ...hello, extensions: { ...hello.extensions, key_share } }))
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /server's key share .*ffdhe2048/)
  })
})

const schemes = {
  ed448: "ed448",
  brainpoolP256r1: "ecdsa_brainpoolP256r1tls13_sha256",
  brainpoolP384r1: "ecdsa_brainpoolP384r1tls13_sha384",
  brainpoolP512r1: "ecdsa_brainpoolP512r1tls13_sha512",
} as const

describe.each(Object.keys(schemes) as (keyof typeof schemes)[])("certificates with keys of %s", (kind) => {
  const scheme = schemes[kind]
  const withScheme: CryptoProvider = {
    ...provider,
    signatures: [...provider.signatures, ...createNamed([scheme]).signatures],
  }
  const made = createDevelopmentCertificates({
    names: ["server.test"],
    clientName: "device",
    now: start,
    provider: withScheme,
    keyPair: () => {
      const privateKey = generateKey(kind, provider.random)
      return { privateKey, publicKey: publicKeyOf(privateKey) }
    },
  })
  const verifier = createCertificateVerifier({ trust: trustStoreFromPem(made.caCert) })
  const credentials = (cert: string, key: string) =>
    singleCredential(loadCredential({ cert, key, provider: withScheme }))

  it("authenticate both sides, by their scheme", () => {
    const cast = {
      client: { provider: withScheme, verifier, credentials: credentials(made.clientCert!, made.clientKey!) },
      server: {
        provider: withScheme,
        credentials: credentials(made.serverCert, made.serverKey),
        clientAuthentication: { mode: "require", verifier },
      },
    } as const
    expect(clientUnderTest(cast).run().subject.info).toMatchObject({ peerSignatureScheme: scheme })
    expect(serverUnderTest(cast).run().subject.info).toMatchObject({ peerSignatureScheme: scheme })
  })

  it("are not taken by who has not put the scheme into the provider", () => {
    const server = { provider: withScheme, credentials: credentials(made.serverCert, made.serverKey) }
    expectRefused(serverUnderTest({ server }).run(), "handshake_failure", "PeerIncompatible", /can sign with/)
    const chain = parseCertificates(made.serverCert).map(({ der }) => der)
    const asked = { role: "server", type: "X509", chain, serverName: "server.test", now: start, provider } as const
    const verdict = verifier.verify({ ...asked, ocspResponse: undefined, signedCertificateTimestamps: undefined })
    expect(verdict).toMatchObject({ accepted: false, message: expect.stringMatching(/provider noble does not have/) })
  })

  it("are OpenSSL's, and so are the private keys", () => {
    const ca = new X509Certificate(made.caCert)
    expect(new X509Certificate(made.serverCert).verify(ca.publicKey)).toBe(true)
    const theirs = createPrivateKey(made.serverKey)
    const spki = createPublicKey(theirs).export({ format: "der", type: "spki" })
    const ours = parseCertificates(made.serverCert)[0]!.publicKey!
    expect(encodeSpki(ours)).toEqual(new Uint8Array(spki))
    expect(parseSpki(spki)).toEqual(ours)
    expect(schemesOfKey(ours)).toEqual([scheme])
    const again = parsePrivateKey(theirs.export({ format: "pem", type: "pkcs8" }).toString())
    expect(again.privateKey).toEqual(parsePrivateKey(made.serverKey).privateKey)
  })

  it("a private key of OpenSSL's is read, and has its public key", () => {
    const theirs = kind === "ed448" ? generateKeyPairSync("ed448") : generateKeyPairSync("ec", { namedCurve: kind })
    const { privateKey, publicKey } = parsePrivateKey(
      theirs.privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    )
    const spki = parseSpki(theirs.publicKey.export({ format: "der", type: "spki" }))
    expect(publicKeyOf(privateKey)).toEqual(spki)
    if (kind !== "ed448") expect(publicKey).toEqual(spki)
  })

  it("RFC 8410 3, RFC 5480 2.2: have the length of the curve", () => {
    const ours = encodeSpki(parseCertificates(made.serverCert)[0]!.publicKey!)
    expect(() => parseSpki(ours.subarray(0, -1))).toThrow()
    const short = createPublicKey(made.serverCert).export({ format: "der", type: "spki" })
    // One byte less in the BIT STRING, and in all lengths around it.
    const lengths = [...short.keys()].filter((at) => at < 30 && short[at] === short.length - at - 1)
    const cut = new Uint8Array(short.subarray(0, -1))
    for (const at of lengths) cut[at]! -= 1
    expect(() => parseSpki(cut)).toThrow(/57|not a point/)
  })
})

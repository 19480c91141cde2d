// Options that say what is sent, and how: key shares, signature schemes of a signer, the length of fragments.

import { describe, expect, it } from "vitest"
import { NamedGroup, SignatureScheme } from "../src/bytes/code-points.ts"
import { decodeClientHello } from "../src/codec/client-hello.ts"
import { handshakeMessage } from "../src/codec/message.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { publicKeyOf } from "../src/crypto/noble/index.ts"
import { createX25519MLKEM768 } from "../src/crypto/noble-pq/index.ts"
import type { CryptoProvider } from "../src/crypto/provider.ts"
import { generateRsaKey } from "../src/crypto/rsa/generate.ts"
import { Pair, received } from "../src/testing/pair.ts"
import { clientUnderTest, expectRefused, provider, scene, serverUnderTest, start } from "./support.ts"
import { always, testCredential, testVerifier } from "./tools/credentials.ts"

describe("a signer that names its schemes", () => {
  const key = generateRsaKey(2048, provider.random)
  const publicKey = publicKeyOf(key)
  const client = { verifier: testVerifier(publicKey) }
  const signing = (...signatureSchemes: number[]) => ({
    credentials: always({ ...testCredential(key, publicKey), signatureSchemes }),
  })

  it("RFC 9846 4.5.2: signs with the first of its own that the peer accepts", () => {
    const server = signing(SignatureScheme.ecdsa_secp256r1_sha256, SignatureScheme.rsa_pss_rsae_sha512)
    const puppet = clientUnderTest({ client, server }).run()
    expect(puppet.subject.info?.peerSignatureScheme).toBe("rsa_pss_rsae_sha512")
  })

  it("RFC 9846 4.2.1: ends with handshake_failure when the peer accepts none", () => {
    const only256 = { ...client, signatureSchemes: ["rsa_pss_rsae_sha256"] }
    const puppet = serverUnderTest({ client: only256, server: signing(SignatureScheme.rsa_pss_rsae_sha384) }).run()
    expectRefused(puppet, "handshake_failure", "PeerIncompatible")
  })
})

it("RFC 9846 4.3.8: no key share, by choice: the server asks for one", () => {
  const puppet = clientUnderTest({ client: { keyShares: [] } }).run()
  expect(puppet.actor.info?.helloRetryRequest).toBe(true)
  expect(puppet.subject.info).toBeDefined()
})

describe("hybrid groups (draft-ietf-tls-ecdhe-mlkem)", () => {
  const withHybrids = { ...provider, keyExchanges: [createX25519MLKEM768(), ...provider.keyExchanges] }
  const { client, server } = scene()
  const shared = (serverGroups: CryptoProvider) => {
    const offered: (readonly number[])[] = []
    const rewrite = (name: string, message: Uint8Array) => {
      if (name !== "client_hello") return message
      const { key_share = [] } = decodeClientHello(handshakeMessage(message)).extensions
      offered.push(key_share.map(({ group }) => group))
      return message
    }
    const pair = new Pair(
      new ClientConnection(createClientConfig({ ...client, provider: withHybrids }, rewrite), start),
      new ServerConnection(createServerConfig({ ...server, provider: serverGroups }), start),
      start,
    ).handshake()
    return { offered, info: pair.client.connection.info }
  }

  it("come with a classical share, in one flight: a server that knows them takes the hybrid", () => {
    expect(shared(withHybrids)).toMatchObject({
      offered: [[NamedGroup.X25519MLKEM768, NamedGroup.x25519]],
      info: { group: "X25519MLKEM768", helloRetryRequest: false },
    })
  })

  it("and a server that does not takes the classical one, without a round trip more", () => {
    expect(shared(provider)).toMatchObject({
      offered: [[NamedGroup.X25519MLKEM768, NamedGroup.x25519]],
      info: { group: "x25519", helloRetryRequest: false },
    })
  })
})

describe("RFC 9846 5.1: maxFragment", () => {
  it("bounds every record that is sent", () => {
    const lengths: number[] = []
    const { client, server } = scene()
    const serverConfig = createServerConfig({
      ...server,
      maxFragment: 100,
      trace: (event) => {
        if (event.type === "record" && event.direction === "sent") lengths.push(event.content.length)
      },
    })
    const pair = new Pair(
      new ClientConnection(createClientConfig(client), start),
      new ServerConnection(serverConfig, start),
      start,
    ).handshake()
    pair.take(pair.server, pair.server.connection.send(new Uint8Array(1000).fill(7)))
    pair.run()
    expect(received(pair.client)).toEqual(new Uint8Array(1000).fill(7))
    expect(Math.max(...lengths)).toBe(100)
    expect(lengths.filter((length) => length === 100).length).toBeGreaterThan(10)
  })

  it.each([63, 16_385, 100.5])("is not %d", (maxFragment) => {
    expect(() => serverUnderTest({ server: { maxFragment } })).toThrow(/maxFragment/)
  })
})

// RFC 9846 sections 4.5.1 and 4.5.2: a peer that cannot sign with the key of its leaf costs one signature check. The rest of
// its chain, and what an application's verifier does with it, comes after that.

import { describe, expect, it } from "vitest"
import { Pause } from "../../src/bytes/pause.ts"
import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import { generateEcKey } from "../../src/crypto/noble/index.ts"
import type { ImmediateCryptoProvider } from "../../src/crypto/provider.ts"
import { trustOnFirstUse } from "../../src/dangerous/index.ts"
import { Pair } from "../../src/testing/pair.ts"
import { askedAfterSignature, readLeafKey } from "../../src/x509/certificate/leaf-key.ts"
import { createCertificateVerifier, Oid, TrustStore, trustAnchor } from "../../src/x509/index.ts"
import type { CertificateVerifier, Credential } from "../../src/x509/interfaces.ts"
import {
  type Cast,
  clientOptions,
  clientUnderTest,
  expectRefused,
  provider,
  serverOptions,
  serverUnderTest,
} from "../support.ts"
import { always, testCredential } from "../tools/credentials.ts"
import { makeIntermediate, makeLeaf, makeRoot, now, without } from "../x509/pki.ts"

const usage = [Oid.serverAuth, Oid.clientAuth]
const root = makeRoot({ key: 900 })
const trust = new TrustStore([trustAnchor(root.der)])
const leaf = makeLeaf(root, { key: 901, names: ["server.test"], usage })
const other = makeLeaf(root, { key: 902, names: ["server.test"], usage: ["1.2.3.4"] })
const stranger = generateEcKey("P-256", provider.random)

/** Nine P-521 authorities of one name behind a leaf that none of them signed: each pair would be a check. */
const many = Array.from({ length: 9 }, (_, i) =>
  makeIntermediate(root, {
    subject: { commonName: "Same" },
    key: 910 + i,
    curve: "P-521",
    change: without(Oid.subjectKeyIdentifier),
  }),
)
const lured = makeLeaf(makeRoot({ subject: { commonName: "Same" }, key: 930 }), {
  key: 931,
  names: ["server.test"],
  usage,
  change: without(Oid.authorityKeyIdentifier),
})
const hostile = [lured, ...many].map(({ der }) => der)

/** Signs with a key that is not the leaf's. */
const withoutKey = (chain: readonly Uint8Array[], shown = lured): Credential => ({
  ...testCredential(stranger, shown.publicKey),
  chain,
})
const withKey = (shown = leaf): Credential => ({
  ...testCredential(shown.privateKey, shown.publicKey),
  chain: [shown.der],
})

/** The signatures that a provider checks, counted. */
function counting(): { readonly provider: ImmediateCryptoProvider; readonly checks: string[] } {
  const checks: string[] = []
  const signatures = provider.signatures.map((algorithm) => ({
    ...algorithm,
    verify: (...asked: Parameters<typeof algorithm.verify>) => {
      const [key] = asked
      checks.push(key.type === "ec" ? key.curve : key.type)
      return algorithm.verify(...asked)
    },
  }))
  return { provider: { ...provider, signatures }, checks }
}

/** The subject verifies with `verifier` what its peer shows. */
function play(role: "client" | "server", verifier: CertificateVerifier, peer: Credential, subject = provider) {
  const cast: Cast =
    role === "client"
      ? { client: { verifier, provider: subject }, server: { credentials: always(peer) }, now }
      : {
          client: { credentials: always(peer) },
          server: { clientAuthentication: { mode: "require", verifier }, provider: subject },
          now,
        }
  return (role === "client" ? clientUnderTest : serverUnderTest)(cast).run()
}

describe.each(["client", "server"] as const)("the %s, whose peer cannot sign with its leaf's key", (role) => {
  it("RFC 9846 4.5.2: checks one signature, whatever chain stands behind the leaf: decrypt_error", () => {
    const { provider: subject, checks } = counting()
    const puppet = play(role, createCertificateVerifier({ trust }), withoutKey(hostile), subject)
    expectRefused(puppet, "decrypt_error", "PeerMisbehaved", /wrong signature/)
    expect(checks).toEqual(["P-256"])
  })

  it("asks no verifier, be it one that answers later", () => {
    let asked = 0
    const later: CertificateVerifier = askedAfterSignature({
      verify: () => {
        asked++
        return new Pause()
      },
    })
    expectRefused(play(role, later, withoutKey([leaf.der], leaf)), "decrypt_error", "PeerMisbehaved")
    expect(asked).toBe(0)
    expect(play(role, later, withKey()).outcome?.waitsFor).toMatchObject({ name: "VerifyPeer" })
    expect(asked).toBe(1)
  })

  it("is asked about afterwards where the verifier reads no key", () => {
    let asked = 0
    const strict = createCertificateVerifier({ trust })
    const first: CertificateVerifier = {
      verify: (verification) => {
        asked++
        return strict.verify(verification)
      },
    }
    expectRefused(play(role, first, withoutKey([leaf.der], leaf)), "decrypt_error", "PeerMisbehaved")
    expect(asked).toBe(1)
  })

  it("gets the certificate's alert once it can sign", () => {
    const verifier = createCertificateVerifier({ trust })
    expectRefused(play(role, verifier, withoutKey([other.der], other)), "decrypt_error", "PeerMisbehaved")
    expectRefused(play(role, verifier, withKey(other)), "unsupported_certificate", "CertificateRejected")
  })

  it("RFC 9846 6.2: gets bad_certificate for a leaf that is none, and so has no key", () => {
    const shown = withoutKey([Uint8Array.of(0x30, 0)], leaf)
    expectRefused(play(role, createCertificateVerifier({ trust }), shown), "bad_certificate", "CertificateRejected")
  })

  it("RFC 9846 4.5.2: gets decrypt_error where the verifier has another key for it than the one that signed", () => {
    const verifier: CertificateVerifier = {
      leafKey: readLeafKey,
      verify: ({ chain, type }) => ({
        accepted: true,
        publicKey: other.publicKey,
        identity: { type, chain, path: [], subject: "" },
      }),
    }
    expectRefused(play(role, verifier, withKey()), "decrypt_error", "PeerMisbehaved")
  })
})

it("trust on first use remembers no key that nobody signed with", () => {
  const known = new Map<string, string>()
  play("client", trustOnFirstUse(known), withoutKey([leaf.der], leaf))
  expect(known.size).toBe(0)
  play("client", trustOnFirstUse(known), withKey())
  expect(known.size).toBe(1)
})

it("RFC 9846 4.7.2: after the handshake as well, a client without the key costs one check: decrypt_error", () => {
  const { provider: subject, checks } = counting()
  const verifier = createCertificateVerifier({ trust })
  const client = { ...clientOptions, postHandshakeAuth: true, credentials: always(withoutKey(hostile)) }
  const server = {
    ...serverOptions,
    provider: subject,
    clientAuthentication: { mode: "post-handshake", verifier },
  } as const
  const pair = new Pair(
    new ClientConnection(createClientConfig(client), now),
    new ServerConnection(createServerConfig(server), now),
    now,
  ).handshake()
  pair.take(pair.server, pair.server.connection.requestCertificate())
  pair.run()
  expect(pair.server.connection.failure).toMatchObject({ alert: "decrypt_error", kind: "PeerMisbehaved" })
  expect(checks).toEqual(["P-256"])
})

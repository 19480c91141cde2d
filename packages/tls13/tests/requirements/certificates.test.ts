// Keys, signatures and certificates: RFC 9846 sections 4.3.3, 4.5.1 and 4.5.1.2 to 4.5.2.

import { constants, createPrivateKey, createPublicKey, sign as hostSign, verify as hostVerify } from "node:crypto"
import { describe, expect, it } from "vitest"
import { SignatureScheme } from "../../src/bytes/code-points.ts"
import { concatBytes } from "../../src/bytes/concat.ts"
import { fromHex } from "../../src/bytes/hex.ts"
import type { PrivateKey, PublicKey } from "../../src/crypto/keys.ts"
import { generateEcKey, publicKeyOf } from "../../src/crypto/noble/index.ts"
import type { SignatureAlgorithmName } from "../../src/crypto/provider.ts"
import { generateRsaKey } from "../../src/crypto/rsa/generate.ts"
import { keyUsage } from "../../src/devcert/extensions.ts"
import { encodePkcs8 } from "../../src/devcert/keys.ts"
import { readWhole } from "../../src/x509/der/der.ts"
import { derOctetString, derOid, derSequence, derSmall, derValue } from "../../src/x509/der/der-writer.ts"
import {
  createCertificateVerifier,
  loadCredential,
  Oid,
  parseSpki,
  remoteCredential,
  singleCredential,
  sniResolver,
  TrustStore,
  trustAnchor,
} from "../../src/x509/index.ts"
import type { CredentialRequest } from "../../src/x509/interfaces.ts"
import { readSignatureIdentifier } from "../../src/x509/keys/algorithm.ts"
import { signatureProblem } from "../../src/x509/keys/key-policy.ts"
import { encodeSpki } from "../../src/x509/keys/spki.ts"
import { clientCertificate, clientUnderTest, expectRefused, provider, serverKey, serverUnderTest } from "../support.ts"
import { always, testCredential, testVerifier } from "../tools/credentials.ts"
import { certificateOf, editBody, editClientHello, setExtension } from "../tools/edit.ts"
import {
  algorithmOf,
  provider as host,
  type Issued,
  makeLeaf,
  makeRoot,
  now,
  privateKeyOf,
  withExtension,
} from "../x509/pki.ts"

const rsa = generateRsaKey(2048, provider.random)
const rsaPss = { ...rsa, type: "rsa-pss" } as const
const algorithm = (name: SignatureAlgorithmName) => provider.signatures.find((each) => each.name === name)!
const message = Uint8Array.of(1, 2, 3)

/* ---------------------------------------------------------------- RSASSA-PSS */

describe.each([
  ["rsae", rsa, [SignatureScheme.rsa_pss_rsae_sha256, SignatureScheme.rsa_pss_rsae_sha384]],
  ["pss", rsaPss, [SignatureScheme.rsa_pss_pss_sha256, SignatureScheme.rsa_pss_pss_sha384]],
] as const)("rsa_pss_%s", (_name, key, _schemes) => {
  const hostKey = createPrivateKey({ key: Buffer.from(encodePkcs8(rsa)), format: "der", type: "pkcs8" })
  const hostPublic = createPublicKey(hostKey)

  // Requirements 4.3.3-4, 4.3.3-6
  it.each([
    ["sha256", 32],
    ["sha384", 48],
    ["sha512", 64],
  ] as const)("RFC 9846 4.3.3: with %s the salt has %i bytes, signing and verifying", (hash, length) => {
    const signature = algorithm(`rsa_pss_${hash}`).sign(key, message, provider.random)
    const padding = constants.RSA_PKCS1_PSS_PADDING
    expect(hostVerify(hash, message, { key: hostPublic, padding, saltLength: length }, signature)).toBe(true)
    for (const saltLength of [0, 20, length - 1, length, length + 1]) {
      const other = new Uint8Array(hostSign(hash, message, { key: hostKey, padding, saltLength }))
      expect(algorithm(`rsa_pss_${hash}`).verify(publicKeyOf(key), message, other)).toBe(saltLength === length)
    }
  })
})

describe("RFC 9846 4.3.3: the OID of an RSA key goes with the scheme", () => {
  // Requirements 4.3.3-5, 4.3.3-7
  it("rsaEncryption and RSASSA-PSS are two kinds of keys", () => {
    for (const key of [rsa, rsaPss]) {
      const spki = encodeSpki(publicKeyOf(key))
      expect(parseSpki(spki).type).toBe(key.type)
      const oid = Buffer.from(derOid(key.type === "rsa" ? Oid.rsaEncryption : Oid.rsassaPss)).toString("hex")
      expect(Buffer.from(spki).toString("hex")).toContain(oid)
    }
  })

  const wrong = [
    [rsa, SignatureScheme.rsa_pss_pss_sha256],
    [rsaPss, SignatureScheme.rsa_pss_rsae_sha256],
  ] as const
  for (const [key, scheme] of wrong) {
    const credentials = always(testCredential(key, publicKeyOf(key)))
    const verifier = testVerifier(publicKeyOf(key))
    const rewrite = (name: string, bytes: Uint8Array) =>
      name === "certificate_verify"
        ? editBody(bytes, (body) => concatBytes(Uint8Array.of(scheme >> 8, scheme), body.subarray(2)))
        : bytes

    // Requirements 4.3.3-5 (client), 4.3.3-7 (client), 4.5.2-6 (client)
    it(`a client refuses the other scheme of a key of type ${key.type}: illegal_parameter`, () => {
      const puppet = clientUnderTest({ client: { verifier }, server: { credentials }, rewrite }).run()
      expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /does not fit/)
    })

    // Requirements 4.3.3-5 (server), 4.3.3-7 (server), 4.5.2-6 (server)
    it(`a server refuses the other scheme of a key of type ${key.type}: illegal_parameter`, () => {
      const puppet = serverUnderTest({
        client: { credentials },
        server: { clientAuthentication: { mode: "require", verifier } },
        rewrite,
      }).run()
      expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /does not fit/)
    })
  }
})

describe("RFC 9846 4.3.3: RSASSA-PSS parameters of a certificate's signature", () => {
  const hashOf = (oid: string) => derSequence(derOid(oid))
  const parameters = (salt: Uint8Array) =>
    derSequence(
      derValue(0xa0, hashOf(Oid.sha256)),
      derValue(0xa1, derSequence(derOid(Oid.mgf1), hashOf(Oid.sha256))),
      derValue(0xa2, salt),
    )
  const read = (of: Uint8Array) =>
    readWhole(derSequence(derOid(Oid.rsassaPss), of), "the signature", (der) =>
      readSignatureIdentifier(der, "the signature"),
    )

  // Requirement 4.3.3-8
  it("are read as DER only", () => {
    expect(read(parameters(derSmall(32)))).toMatchObject({ algorithm: "rsa_pss_sha256", problem: undefined })
    // An INTEGER with a zero too many, and a length of two bytes where one is enough.
    for (const salt of ["02020020", "02810120"])
      expect(() => read(parameters(fromHex(salt)))).toThrow(/DER|integer|length/i)
    expect(() => read(concatBytes(parameters(derSmall(32)), derOctetString(message)))).toThrow()
  })

  // Requirement 4.3.3-9
  it("are those of the issuer's key, when that has any", () => {
    const signed = read(parameters(derSmall(32)))
    const keyWith = (hash: "sha256" | "sha384", minimumSaltLength: number): PublicKey => {
      const { modulus, exponent } = rsa
      return { type: "rsa-pss", modulus, exponent, pss: { hash, minimumSaltLength } }
    }
    expect(signatureProblem(signed, keyWith("sha256", 32), provider)).toBeUndefined()
    for (const key of [keyWith("sha256", 20), keyWith("sha384", 48), keyWith("sha384", 32)])
      expect(signatureProblem(signed, key, provider)).toMatchObject({ reason: "bad_signature" })
  })
})

/* ---------------------------------------------------------------- the choice of a certificate */

const root = makeRoot()
const asked: CredentialRequest = {
  serverName: undefined,
  alpnProtocols: [],
  signatureSchemes: [SignatureScheme.ecdsa_secp256r1_sha256],
  signatureSchemesCert: [SignatureScheme.ecdsa_secp256r1_sha256],
  authorities: [],
  certificateTypes: ["X509"],
}
const credentialOf = (issued: Issued, ...above: readonly Issued[]) => ({
  ...loadCredential({ cert: issued.der, key: encodePkcs8(issued.privateKey) }),
  chain: [issued, ...above].map(({ der }) => der),
})
/** The same certificate, said to be signed with another algorithm. */
const signedWith = (oid: string, issued: Issued): Issued => {
  const hex = Buffer.from(issued.der).toString("hex")
  const usual = Buffer.from(algorithmOf(privateKeyOf(1))).toString("hex")
  const other = Buffer.from(derSequence(derOid(oid))).toString("hex")
  expect(hex.split(usual)).toHaveLength(3)
  // Of one length, so that no other length changes.
  expect(other).toHaveLength(usual.length)
  return { ...issued, der: fromHex(hex.replaceAll(usual, other)) }
}
// ecdsa-with-SHA384 has an identifier of the length of ecdsa-with-SHA256.
const sha384 = "1.2.840.10045.4.3.3"

describe("RFC 9846 4.5.1.2: a chain that the peer can check", () => {
  const plain = credentialOf(makeLeaf(root))
  const stronger = credentialOf(signedWith(sha384, makeLeaf(root)))

  // Requirement 4.5.1.2-5
  it("comes before one that it cannot, whichever is named first", () => {
    for (const credentials of [
      [plain, stronger],
      [stronger, plain],
    ]) {
      const resolver = sniResolver(credentials)
      for (const serverName of [undefined, "example.com", "nobody.org"]) {
        expect(resolver.resolve({ ...asked, serverName })).toBe(plain)
        const signatureSchemesCert = [SignatureScheme.ecdsa_secp384r1_sha384]
        expect(resolver.resolve({ ...asked, serverName, signatureSchemesCert })).toBe(stronger)
      }
    }
    // It is shown all the same where there is no other: the peer may know it by other means.
    expect(sniResolver([stronger]).resolve(asked)).toBe(stronger)
    expect(singleCredential(stronger).resolve(asked)).toBe(stronger)
  })

  // Requirements 4.3.3-11, 4.5.1.2-6
  it("is not replaced by one with SHA-1 unless the peer says that it takes SHA-1", () => {
    const leaf = makeLeaf(root)
    const sha1 = { ...plain, chain: [sha1Of(leaf)] }
    for (const resolver of [sniResolver([sha1]), singleCredential(sha1)]) {
      expect(resolver.resolve(asked)).toMatchObject({
        none: "handshake_failure",
        message: "peer accepts no signature scheme that our certificates are signed with",
      })
      expect(resolver.resolve({ ...asked, signatureSchemesCert: [0x0203] })).toBe(sha1)
    }
    expect(sniResolver([sha1, plain]).resolve(asked)).toBe(plain)
  })

  // Requirement 4.5.1.2-3
  it("is not that of a key that may not sign", () => {
    const leaf = makeLeaf(root, { change: withExtension(keyUsage("keyEncipherment")) })
    expect(() => credentialOf(leaf)).toThrow(/does not allow digitalSignature/)
    const { signer } = plain
    expect(() => remoteCredential({ cert: leaf.der, signer })).toThrow(/does not allow digitalSignature/)
  })
})

/** ecdsa-with-SHA1 is a byte shorter, so the certificate is made anew; its signature is of no matter here. */
function sha1Of(leaf: Issued): Uint8Array {
  const sha1 = derSequence(derOid("1.2.840.10045.4.1"))
  return remade(leaf, sha1)
}

/** A certificate with another algorithm in both places and the old signature. */
function remade(issued: Issued, signatureAlgorithm: Uint8Array): Uint8Array {
  const { tbs, signature } = issued.certificate
  const usual = Buffer.from(algorithmOf(privateKeyOf(1))).toString("hex")
  const inner = Buffer.from(tbs).toString("hex")
  const changed = fromHex(inner.replace(usual, Buffer.from(signatureAlgorithm).toString("hex")))
  const header = inner.startsWith("3082") ? 4 : inner.startsWith("3081") ? 3 : 2
  return derSequence(
    derSequence(changed.subarray(header)),
    signatureAlgorithm,
    derValue(3, concatBytes(Uint8Array.of(0), signature)),
  )
}

// Requirements 4.5.1.3-2, 4.3.3-14
it.each(["server", "client"] as const)(
  "RFC 9846 4.5.1.3: a certificate of a %s that is signed with MD5: bad_certificate",
  (role) => {
    const md5 = remade(
      makeLeaf(root, { usage: [Oid.serverAuth, Oid.clientAuth] }),
      derSequence(derOid("1.2.840.113549.1.1.4"), Uint8Array.of(5, 0)),
    )
    const verdict = createCertificateVerifier({ trust: new TrustStore([trustAnchor(root.der)]) }).verify({
      role,
      type: "X509",
      chain: [md5],
      serverName: "example.com",
      ocspResponse: undefined,
      signedCertificateTimestamps: undefined,
      now,
      provider: host,
    })
    expect(verdict).toMatchObject({ accepted: false, alert: "bad_certificate", reason: "weak_signature" })
  },
)

/* ---------------------------------------------------------------- Certificate and CertificateVerify */

// Requirement 4.5.1-8
it("RFC 9846 4.5.1: the key has to be that of the first certificate, of one's own chain and of the peer's", () => {
  const [leaf, other] = [makeLeaf(root), makeLeaf(root)]
  const pem = (der: Uint8Array) =>
    `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString("base64")}\n-----END CERTIFICATE-----\n`
  const cert = `${pem(other.der)}${pem(leaf.der)}`
  expect(() => loadCredential({ cert, key: encodePkcs8(leaf.privateKey), provider: host })).toThrow(
    /must begin with the certificate of the key/,
  )
  const verify = createCertificateVerifier({ trust: new TrustStore([trustAnchor(root.der)]) })
  const verdict = verify.verify({
    role: "server",
    type: "X509",
    chain: [leaf.der, other.der],
    serverName: "example.com",
    ocspResponse: undefined,
    signedCertificateTimestamps: undefined,
    now,
    provider: host,
  })
  expect(verdict).toMatchObject({ accepted: true, publicKey: leaf.publicKey })
})

// Requirement 4.5.1-10
it.each(["client", "server"] as const)(
  "RFC 9846 4.5.1: two raw public keys are refused by the %s: illegal_parameter",
  (role) => {
    const key: PrivateKey = serverKey
    const data = encodeSpki(publicKeyOf(key))
    const credentials = always({ ...testCredential(key, publicKeyOf(key), data), type: "RawPublicKey" as const })
    const verifier = testVerifier(publicKeyOf(key))
    const certificateTypes = { client: ["RawPublicKey"], server: ["RawPublicKey"] } as const
    const cast = {
      client: { credentials, verifier, certificateTypes },
      server: { credentials, certificateTypes, clientAuthentication: { mode: "require", verifier } },
    } as const
    const puppet = (role === "client" ? clientUnderTest(cast) : serverUnderTest(cast)).deliverUntil("certificate")
    puppet.drop("certificate")
    puppet.message(
      certificateOf(
        new Uint8Array(0),
        [1, 2].map(() => ({ data, extensions: [] })),
      ),
    )
    expectRefused(puppet, "illegal_parameter", "InvalidMessage", /more than one raw public key/)
  },
)

describe("RFC 9846 4.5.1.2: certificates are X.509 unless another type was agreed", () => {
  // Requirement 4.5.1.2-1
  it("one's own is of version 3", () => {
    const old = makeLeaf(root, { version: 1, extensions: [] })
    expect(() => credentialOf(old)).toThrow(/version 1; TLS 1\.3 needs version 3/)
  })

  // Requirement 4.5.1.2-1
  it.each(["client", "server"] as const)("a raw public key where it was not is refused by the %s", (role) => {
    const data = encodeSpki(publicKeyOf(serverKey))
    const strict = createCertificateVerifier({ trust: new TrustStore([trustAnchor(root.der)]) })
    const cast =
      role === "client"
        ? { client: { verifier: strict } }
        : {
            client: clientCertificate.client,
            server: { clientAuthentication: { mode: "require", verifier: strict } as const },
          }
    const rewrite = (name: string, bytes: Uint8Array) =>
      name === "certificate" ? certificateOf(new Uint8Array(0), [{ data, extensions: [] }]) : bytes
    const puppet = (role === "client" ? clientUnderTest : serverUnderTest)({ ...cast, rewrite })
    expectRefused(puppet.run(), "bad_certificate", "CertificateRejected")
  })
})

// Requirement 4.5.2-5
it("RFC 9846 4.5.2: a client signs with a scheme of CertificateRequest, and shows no certificate without one", () => {
  const key = generateEcKey("P-384", provider.random)
  const credential = testCredential(key, publicKeyOf(key))
  const credentials = {
    resolve: ({ signatureSchemes }: CredentialRequest) =>
      signatureSchemes.includes(SignatureScheme.ecdsa_secp384r1_sha384) ? credential : undefined,
  }
  const clientAuthentication = { mode: "request", verifier: testVerifier(publicKeyOf(key)) } as const
  const play = (signatureSchemes: readonly string[]) =>
    clientUnderTest({ client: { credentials }, server: { clientAuthentication, signatureSchemes } }).run()
  const signs = play(["ed25519", "ecdsa_secp384r1_sha384"])
  expect(signs.actor.info).toMatchObject({
    authentication: "certificate",
    peerSignatureScheme: "ecdsa_secp384r1_sha384",
  })
  const declines = play(["ed25519", "ecdsa_secp256r1_sha256"])
  expect(declines.actor.info).toMatchObject({ authentication: "none" })
  expect(declines.sent.map(({ name }) => name)).toEqual(["client_hello", "certificate", "finished"])
})

// Requirement 4.5.2-4
it("RFC 9846 4.5.2: a server signs with a scheme of signature_algorithms, in the client's order", () => {
  const credentials = always(testCredential(rsa, publicKeyOf(rsa)))
  const rewrite = (name: string, bytes: Uint8Array) =>
    name === "client_hello"
      ? editClientHello(bytes, ({ extensions }) =>
          setExtension(extensions, "signature_algorithms", fromHex("000608060805 0804")),
        )
      : bytes
  const puppet = serverUnderTest({
    client: { verifier: testVerifier(publicKeyOf(rsa)) },
    server: { credentials },
    rewrite,
  })
  expect(puppet.run().actor.info).toMatchObject({ peerSignatureScheme: "rsa_pss_rsae_sha512" })
})

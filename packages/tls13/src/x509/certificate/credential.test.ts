import { describe, expect, it } from "vitest"
import { type Issued, makeIntermediate, makeLeaf, makeRoot, privateKeyOf, provider } from "../../../tests/x509/pki.ts"
import { SignatureScheme } from "../../bytes/code-points.ts"
import { Misuse } from "../../bytes/errors.ts"
import { signatureScheme } from "../../crypto/signature-schemes.ts"
import { encodePkcs8 } from "../../devcert/keys.ts"
import {
  type Credential,
  type CredentialRequest,
  keySigner,
  loadCredential,
  remoteCredential,
  singleCredential,
  sniResolver,
  toPem,
} from "../index.ts"

const root = makeRoot()
const ica = makeIntermediate(root)

function credential(leaf: Issued): Credential {
  return loadCredential({
    cert: toPem("CERTIFICATE", leaf.der) + toPem("CERTIFICATE", ica.der),
    key: toPem("PRIVATE KEY", encodePkcs8(leaf.privateKey)),
    provider,
  })
}

const { ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384, ed25519, rsa_pss_rsae_sha256, rsa_pkcs1_sha256 } =
  SignatureScheme

function ask(more: Partial<CredentialRequest> = {}): CredentialRequest {
  return {
    serverName: undefined,
    alpnProtocols: [],
    signatureSchemes: [ecdsa_secp256r1_sha256, ed25519],
    signatureSchemesCert: [],
    authorities: [],
    certificateTypes: ["X509"],
    ...more,
  }
}

describe("a credential", () => {
  it("is a chain and a key that signs", () => {
    const leaf = makeLeaf(ica)
    const loaded = credential(leaf)
    expect(loaded.chain).toEqual([leaf.der, ica.der])
    const scheme = signatureScheme(ecdsa_secp256r1_sha256)!
    const message = Uint8Array.of(1, 2, 3)
    const signature = loaded.signer.sign(scheme, message, provider)
    expect(
      signature instanceof Uint8Array &&
        provider.signatures.find((each) => each.name === scheme.algorithm)!.verify(leaf.publicKey, message, signature),
    ).toBe(true)
    expect(() => keySigner(leaf.privateKey).sign(scheme, message, { ...provider, signatures: [] })).toThrow(Misuse)
  })

  it("may come as DER, with an OCSP response", () => {
    const leaf = makeLeaf(ica)
    const loaded = loadCredential({ cert: leaf.der, key: encodePkcs8(leaf.privateKey), ocspResponse: Uint8Array.of(1) })
    expect(loaded.chain).toEqual([leaf.der])
    expect(loaded.ocspResponse).toEqual(Uint8Array.of(1))
  })
})

describe("RFC 9846 4.5.1.2: the choice of a certificate", () => {
  const p256 = credential(makeLeaf(ica, { names: ["example.com", "*.example.com"] }))
  const edwards = credential(makeLeaf(ica, { curve: "ed25519", names: ["example.com"] }))
  const other = credential(makeLeaf(ica, { names: ["www.example.com", "other.org"] }))
  const p384 = credential(makeLeaf(ica, { curve: "P-384", names: ["big.org"] }))
  const resolver = sniResolver([p256, edwards, other, p384])

  it.each([
    ["an exact name", "www.example.com", undefined, other],
    ["a wildcard", "mail.example.com", undefined, p256],
    ["a wildcard is one label", "a.b.example.com", undefined, p256],
    ["without a name the first", undefined, undefined, p256],
    ["a name that nobody has: the first", "nobody.org", undefined, p256],
    ["capitals", "WWW.Example.COM", undefined, other],
    ["the peer's order of schemes decides between two", "example.com", [ed25519, ecdsa_secp256r1_sha256], edwards],
    // Requirement 4.5.1.2-2
    ["a scheme that only one can", "example.com", [rsa_pss_rsae_sha256, ed25519], edwards],
    ["no scheme for the name's certificate: another that fits", "big.org", [ecdsa_secp256r1_sha256], p256],
    ["the scheme of the name's certificate", "big.org", [ecdsa_secp256r1_sha256, ecdsa_secp384r1_sha384], p384],
    // Requirement 4.5.1.2-2
    ["no scheme fits", "example.com", [rsa_pss_rsae_sha256, rsa_pkcs1_sha256], undefined],
  ] as const)("%s", (_, serverName, schemes, expected) => {
    const chosen = resolver.resolve(ask({ serverName, ...(schemes && { signatureSchemes: schemes }) }))
    if (expected !== undefined) expect(chosen).toBe(expected)
    else expect(chosen).toMatchObject({ none: "handshake_failure" })
  })

  it("refuses unknown names when it shall", () => {
    expect(sniResolver([p256], { fallback: false }).resolve(ask({ serverName: "nobody.org" }))).toEqual({
      none: "unrecognized_name",
      message: "no certificate for nobody.org",
    })
    expect(sniResolver([p256], { fallback: false }).resolve(ask({ serverName: "example.com" }))).toBe(p256)
  })

  it("RFC 9846 4.3.4: a certificate of the authorities that the peer names comes first", () => {
    const foreign = makeRoot({ subject: { commonName: "Foreign" } })
    const outside = loadCredential({ cert: makeLeaf(foreign, { key: 77 }).der, key: encodePkcs8(privateKeyOf(77)) })
    const both = sniResolver([p256, outside])
    expect(both.resolve(ask({ authorities: [foreign.subject] }))).toBe(outside)
    expect(both.resolve(ask({ authorities: [root.subject] }))).toBe(p256)
    expect(both.resolve(ask({ authorities: [Uint8Array.of(0x30, 0)] }))).toBe(p256)
  })

  it("a single credential is for everybody who can check it", () => {
    expect(singleCredential(p256).resolve(ask({ serverName: "nobody.org" }))).toBe(p256)
    expect(singleCredential(p256).resolve(ask({ signatureSchemes: [ed25519] }))).toMatchObject({
      none: "handshake_failure",
      message: expect.stringMatching(/no signature scheme that our keys \(.*P-256.*\) can sign with/),
    })
    expect(singleCredential(p256).resolve(ask({ certificateTypes: ["RawPublicKey"] }))).toMatchObject({
      none: "unsupported_certificate",
      message: expect.stringContaining("does not take the certificate type X509"),
    })
  })
})

describe("a certificate whose key is elsewhere", () => {
  const leaf = makeLeaf(ica)
  const cert = toPem("CERTIFICATE", leaf.der) + toPem("CERTIFICATE", ica.der)
  const signer = { sign: () => Uint8Array.of(1) }

  it("has the chain, the leaf's key and the signer", () => {
    expect(remoteCredential({ cert, signer })).toEqual({
      type: "X509",
      chain: [leaf.der, ica.der],
      publicKey: leaf.publicKey,
      signer,
    })
    expect(remoteCredential({ cert, signer, signatureSchemes: [ed25519] }).signatureSchemes).toEqual([ed25519])
  })

  it("is refused in one line when it cannot be read", () => {
    expect(() => remoteCredential({ cert: Uint8Array.of(0x30), signer })).toThrow(/the certificate cannot be read/)
  })
})

import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { generateMlDsaKeyPair, mlDsaPublicKey, mlDsaSignatures } from "../../src/crypto/noble-pq/index.ts"
import {
  createAuthority,
  createLeaf,
  type Extension,
  encodePkcs8,
  type Identity,
  keyUsage,
} from "../../src/devcert/index.ts"
import { parseCertificate } from "../../src/x509/certificate/certificate.ts"
import { loadCredential } from "../../src/x509/certificate/credential.ts"
import { Der } from "../../src/x509/der/der.ts"
import * as Oid from "../../src/x509/der/oids.ts"
import { parsePem, toPem } from "../../src/x509/der/pem.ts"
import { readSignatureIdentifier } from "../../src/x509/keys/algorithm.ts"
import { signatureCost, verifySignature } from "../../src/x509/keys/key-policy.ts"
import { parsePrivateKey } from "../../src/x509/keys/private-key.ts"
import { encodeSpki, keyBits, parseSpki } from "../../src/x509/keys/spki.ts"
import { trustStoreFromPem } from "../../src/x509/path/trust.ts"
import { createCertificateVerifier } from "../../src/x509/path/verifier.ts"
import { mlDsaNames } from "../crypto/ml-dsa-keys.ts"

const noble = createNobleProvider()
const provider = { ...noble, signatures: [...noble.signatures, ...mlDsaSignatures] }
const now = Date.UTC(2026, 0, 1)

function example(name: string): string {
  return readFileSync(new URL(`../../../../test-vectors/rfc9881/${name}`, import.meta.url), "utf8")
}

describe("RFC 9881 appendix C", () => {
  for (const type of mlDsaNames) {
    const name = type.toUpperCase()
    it(`${name}: three forms of one private key, its public key and its certificate`, () => {
      const certificate = parseCertificate(parsePem(example(`${name}.crt`))[0]!.der)
      const spki = parsePem(example(`${name}.pub`))[0]!.der
      const publicKey = parseSpki(spki)
      expect(publicKey.type).toBe(type)
      expect(encodeSpki(publicKey)).toEqual(spki)
      expect(certificate.publicKey).toEqual(publicKey)
      const { signatureAlgorithm, tbs, signature } = certificate
      expect(signatureAlgorithm).toMatchObject({ label: name, algorithm: type.replaceAll("-", "") })
      expect(verifySignature(signatureAlgorithm, publicKey, tbs, signature, provider)).toBe(true)
      const forms = ["seed", "expanded", "both"].map((form) => {
        const pem = example(`${name}-${form}.priv`)
        const { privateKey } = parsePrivateKey(pem)
        if (privateKey.type !== type) throw new Error("another key")
        expect(mlDsaPublicKey(privateKey)).toEqual(publicKey)
        // Who has the seed writes it alone.
        if (form !== "both") expect(encodePkcs8(privateKey)).toEqual(parsePem(pem)[0]!.der)
        expect(loadCredential({ cert: example(`${name}.crt`), key: pem, provider }).publicKey).toEqual(publicKey)
        return privateKey
      })
      expect(forms.map(({ seed, expanded }) => [seed?.length, expanded?.length])).toEqual([
        [32, undefined],
        [undefined, forms[1]!.expanded!.length],
        [32, forms[1]!.expanded!.length],
      ])
      expect(keyBits(publicKey)).toBe(8 * { "ml-dsa-44": 1312, "ml-dsa-65": 1952, "ml-dsa-87": 2592 }[type])
      expect(signatureCost(publicKey)).toBeGreaterThan(1)
    })
  }

  it("keys whose parts disagree belong to no certificate", () => {
    const cert = example("ML-DSA-44.crt")
    const load = (n: number) => () => loadCredential({ cert, key: example(`bad-ML-DSA-44-${n}.priv`), provider })
    expect(load(1)).toThrow("the seed of the ml-dsa-44 key does not give its expanded key")
    expect(load(2)).toThrow(/does not belong to the certificate/)
  })
})

describe("ML-DSA keys of wrong forms", () => {
  const seed = parsePem(example("ML-DSA-44-seed.priv"))[0]!.der
  const spki = parsePem(example("ML-DSA-44.pub"))[0]!.der

  it("a public key one byte short", () => {
    const key = parseSpki(spki)
    if (key.type !== "ml-dsa-44") throw new Error("another key")
    expect(() => parseSpki(encodeSpki({ ...key, bytes: key.bytes.subarray(1) }))).toThrow(
      "the ML-DSA-44 public key has 1311 bytes; it must have 1312",
    )
  })

  it("parameters, which must be absent", () => {
    // 30 0b 06 09 OID becomes 30 0d 06 09 OID 05 00.
    const withNull = new Uint8Array([
      ...spki.subarray(0, 4),
      0x30,
      0x0d,
      ...spki.subarray(6, 17),
      5,
      0,
      ...spki.subarray(17),
    ])
    withNull[3]! += 2
    expect(() => parseSpki(withNull)).toThrow("the ML-DSA-44 key's algorithm has 2 bytes after its end")
    const identifier = new Der(withNull.subarray(4))
    expect(() => readSignatureIdentifier(identifier, "the signature algorithm")).toThrow("2 bytes after its end")
  })

  it("parameters of a private key, and a byte inside of both forms", () => {
    const der = parsePem(example("ML-DSA-44-seed.priv"))[0]!.der
    // SEQUENCE, version, AlgorithmIdentifier with its OID, the key.
    expect([...der.subarray(0, 9)]).toEqual([0x30, der.length - 2, 2, 1, 0, 0x30, 0x0b, 6, 9])
    const withNull = Uint8Array.of(
      0x30,
      der.length,
      2,
      1,
      0,
      0x30,
      0x0d,
      ...der.subarray(7, 18),
      5,
      0,
      ...der.subarray(18),
    )
    expect(() => parsePrivateKey(withNull)).toThrow("the ML-DSA-44 key's algorithm has 2 bytes after its end")
    const both = parsePem(example("ML-DSA-44-both.priv"))[0]!.der
    const longer = Uint8Array.of(...both, 0)
    // Each of the three values around it has its length in two bytes.
    for (const at of [2, 22, 26]) {
      expect(longer[at - 1]).toBe(0x82)
      new DataView(longer.buffer).setUint16(at, new DataView(longer.buffer).getUint16(at) + 1)
    }
    expect(() => parsePrivateKey(longer)).toThrow("the ML-DSA-44 key has 1 bytes after its end")
  })

  it("a seed of 31 bytes, an expanded key as long as a seed, and a byte behind", () => {
    const cut = (der: Uint8Array) => new Uint8Array([0x30, der.length - 3, ...der.subarray(2, -1)])
    const short = cut(seed)
    short[short.length - 33]! -= 1
    short[short.length - 32]! = 0x1f
    const form = (...content: number[]) =>
      new Uint8Array([
        0x30,
        3 + 13 + 2 + content.length,
        2,
        1,
        0,
        ...seed.subarray(5, 18),
        4,
        content.length,
        ...content,
      ])
    const zeros = new Array<number>(31).fill(0)
    expect(() => parsePrivateKey(form(0x80, 31, ...zeros))).toThrow("the ML-DSA-44 seed has 31 bytes; it must have 32")
    expect(() => parsePrivateKey(form(0x04, 32, 0, ...zeros))).toThrow(
      "the ML-DSA-44 expanded key has 32 bytes; it must have 2560",
    )
    expect(() => parsePrivateKey(form(0x80, 32, 0, ...zeros, 0))).toThrow("the ML-DSA-44 key has 1 bytes after its end")
    expect(parsePrivateKey(form(0x80, 32, 0, ...zeros)).privateKey).toEqual({
      type: "ml-dsa-44",
      seed: new Uint8Array(32),
    })
  })
})

describe("paths of ML-DSA", () => {
  const made = (issuer: Identity | undefined, type: (typeof mlDsaNames)[number], wrong = false): Identity => {
    const keyPair = generateMlDsaKeyPair(type, noble.random)
    const common = { keyPair, provider, now }
    if (issuer === undefined) return createAuthority(common)
    if (type === "ml-dsa-65") return createAuthority({ ...common, issuer })
    const extensions = (usual: readonly Extension[]) =>
      usual.map((each) => (wrong && each.oid === Oid.keyUsage ? keyUsage("keyEncipherment") : each))
    return createLeaf({ ...common, issuer, usage: "server", names: ["server.test"], extensions })
  }
  const root = made(undefined, "ml-dsa-87")
  const intermediate = made(root, "ml-dsa-65")
  const leaf = made(intermediate, "ml-dsa-44")
  const verify = (chain: readonly Uint8Array[], by: typeof noble) =>
    createCertificateVerifier({ trust: trustStoreFromPem(toPem("CERTIFICATE", root.certificate)) }).verify({
      role: "server",
      type: "X509",
      chain,
      serverName: "server.test",
      now,
      provider: by,
      ocspResponse: undefined,
      signedCertificateTimestamps: undefined,
    })

  it("a root of ML-DSA-87, an intermediate of ML-DSA-65, a leaf of ML-DSA-44", () => {
    expect(verify(leaf.chain, provider)).toMatchObject({ accepted: true })
  })

  it("a changed signature, and a provider without ML-DSA", () => {
    const changed = leaf.certificate.slice()
    changed[changed.length - 1]! ^= 1
    expect(verify([changed, ...leaf.chain.slice(1)], provider)).toMatchObject({
      accepted: false,
      reason: "bad_signature",
    })
    expect(verify(leaf.chain, noble)).toMatchObject({ accepted: false, reason: "unsupported_signature" })
  })

  it("a key that may not sign", () => {
    const { chain } = made(intermediate, "ml-dsa-44", true)
    expect(verify(chain, provider)).toMatchObject({ accepted: false })
  })
})

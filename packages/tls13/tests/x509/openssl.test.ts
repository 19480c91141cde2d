// What OpenSSL makes is read as OpenSSL means it.

import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { createHostProvider } from "../../src/crypto/host/index.ts"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import {
  CrlStore,
  encodeSpki,
  loadCredential,
  loadRawPublicKey,
  parseCertificates,
  parseCrls,
  parsePrivateKey,
  revocationProblem,
  TrustStore,
  trustAnchor,
  validatePath,
} from "../../src/x509/index.ts"

const made = JSON.parse(readFileSync(new URL("openssl.json", import.meta.url), "utf8"))
const provider = createHostProvider()

describe("keys and certificates of OpenSSL", () => {
  it.each(["ec-P-256", "ec-P-384", "ec-P-521", "ed25519", "rsa"])(
    "%s: PKCS#8 key and certificate belong together",
    (name) => {
      const { cert, key } = made.keys[name]
      for (const each of [provider, createNobleProvider()]) {
        const credential = loadCredential({ cert, key, provider: each })
        expect(Buffer.from(encodeSpki(credential.publicKey))).toEqual(Buffer.from(parseCertificates(cert)[0]!.spki))
      }
    },
  )

  it("SEC 1 and PKCS#1 keys are the same keys", () => {
    expect(parsePrivateKey(made.keys["ec-P-256"].sec1)).toEqual(parsePrivateKey(made.keys["ec-P-256"].key))
    expect(parsePrivateKey(made.keys["ec-P-521"].sec1).privateKey).toEqual(
      parsePrivateKey(made.keys["ec-P-521"].key).privateKey,
    )
    expect(parsePrivateKey(made.keys["ec-P-521"].sec1).publicKey).toBeUndefined()
    expect(parsePrivateKey(made.keys.rsa.pkcs1)).toEqual(parsePrivateKey(made.keys.rsa.key))
    const der = Buffer.from(made.keys.rsa.pkcs1.replace(/-----.*-----|\s/g, ""), "base64")
    expect(parsePrivateKey(new Uint8Array(der)).privateKey.type).toBe("rsa")
  })

  it("a key without its public key is tried by signing", () => {
    const { cert, sec1 } = made.keys["ec-P-521"]
    expect(loadCredential({ cert, key: sec1, provider }).publicKey.type).toBe("ec")
    const other = made.keys["ec-P-521"].sec1.replace("MFACAQEEQgEAu1ok", "MFACAQEEQgEAu1oj")
    expect(() => loadCredential({ cert, key: other, provider })).toThrow(
      /does not belong to the certificate of .*CN=ec-P-521/,
    )
  })

  it("encrypted keys are named, with what to do", () => {
    for (const key of [made.encrypted.pkcs8, made.encrypted.traditional]) {
      expect(() => parsePrivateKey(key)).toThrow(
        /it is an encrypted private key; give its password .* or decrypt it with `openssl pkey/,
      )
    }
  })

  it.each([
    ["another kind of key", "rsa", "ec-P-256", /private key \(EC P-256\) does not belong .* \(RSA\)/],
    ["another key", "ec-P-384", "ec-P-256", /private key \(EC P-256\) does not belong .* \(EC P-384\)/],
  ])("%s is told in one line", (_, cert, key, problem) => {
    expect(() => loadCredential({ cert: made.keys[cert].cert, key: made.keys[key].key, provider })).toThrow(problem)
  })

  it("files in the wrong place are told in one line", () => {
    const { cert, key } = made.keys["ec-P-256"]
    expect(() => loadCredential({ cert, key: cert })).toThrow(/no private key: it is a certificate/)
    expect(() => loadCredential({ cert: key, key })).toThrow(/no certificate: it is a private key/)
    expect(() => loadCredential({ cert: made.ca + cert, key })).toThrow(/belongs to certificate 2 of the file/)
  })

  it("RFC 7250: a raw public key is made of a key file", () => {
    const credential = loadRawPublicKey({ key: made.keys["ec-P-256"].key })
    expect(credential.chain).toEqual([encodeSpki(credential.publicKey)])
    expect(() => loadRawPublicKey({ key: made.keys.ed25519.key })).toThrow(/does not carry its public key/)
  })
})

describe("revocation by OpenSSL", () => {
  const now = Date.UTC(2027, 0, 1)
  const [ca] = parseCertificates(made.ca)
  const [good] = parseCertificates(made.good)
  const [bad] = parseCertificates(made.bad)
  const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"))

  it("its certificates validate, its list revokes one of them", () => {
    const crls = new CrlStore(parseCrls(made.crl))
    const verdictOf = (leaf: typeof good): string => {
      const verdict = validatePath({
        leaf: leaf!,
        intermediates: [],
        trust: new TrustStore([trustAnchor(ca!)]),
        now,
        provider,
        profile: "rfc5280",
        accept: (path) => revocationProblem(path, { crls, crl: "require" }, undefined, now, provider),
      })
      return verdict.accepted ? "accepted" : verdict.problem.message
    }
    expect(verdictOf(good)).toBe("accepted")
    expect(verdictOf(bad)).toMatch(/revoked on 2026-11-24 .* \(keyCompromise\)/)
  })

  it.each([
    ["good", "good", undefined],
    ["good", "goodDirect", undefined],
    ["bad", "bad", "revoked"],
    ["good", "bad", "bad_ocsp_response"],
  ] as const)("its OCSP response for %s (%s): %s", (of, response, reason) => {
    const leaf = of === "good" ? good! : bad!
    const problem = revocationProblem([leaf, ca!], { ocsp: "require" }, bytes(made.ocsp[response]), now, provider)
    expect(problem?.reason).toBe(reason)
  })
})

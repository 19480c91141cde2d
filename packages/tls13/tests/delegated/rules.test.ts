// What a delegated credential has to be (RFC 9345 sections 4 and 4.1.3), rule by rule, each at its bound and one past it.

import { describe, expect, it } from "vitest"
import { SignatureScheme, type SignatureSchemeName } from "../../src/bytes/code-points.ts"
import { Pause } from "../../src/bytes/pause.ts"
import { schemeFitsKey, signatureSchemes } from "../../src/crypto/signature-schemes.ts"
import { generateKeyPair, type Identity, keyUsage, privateKeyToPem } from "../../src/devcert/index.ts"
import { encodeCredential, encodeDelegatedCredential, signedContent } from "../../src/x509/delegated/credential.ts"
import {
  acceptDelegatedCredentials,
  createDelegatedCredential,
  delegatedCredentialToPem,
  describeCertificate,
  keySigner,
  loadDelegatedCredential,
  parseCertificate,
} from "../../src/x509/index.ts"
import type { CertificateVerdict, CertificateVerification } from "../../src/x509/interfaces.ts"
import { delegated, hour, leaf, leafWith, now, own, provider, verifier } from "./scene.ts"

const pair = generateKeyPair("p256", provider.random)
const rsa = generateKeyPair("rsa", provider.random)
const takes = acceptDelegatedCredentials(verifier)
const ecdsa = schemeOf("ecdsa_secp256r1_sha256")

function schemeOf(name: SignatureSchemeName) {
  return signatureSchemes.find((scheme) => scheme.name === name)!
}

interface Made {
  readonly of?: Identity
  /** Milliseconds since 1970. */
  readonly until?: number
  readonly scheme?: number
  readonly key?: typeof pair
  readonly algorithm?: number
  readonly signer?: typeof pair
  readonly role?: "server" | "client"
}

const notBefore = now - hour

/** A credential that keeps all rules, but for those that are named. */
function made({ of = leaf, until = now + 24 * hour, key = pair, signer = of, role = "server", ...more }: Made = {}) {
  const { scheme = ecdsa.code, algorithm = ecdsa.code } = more
  const signed = encodeCredential((until - notBefore) / 1000, scheme, key.publicKey, algorithm)
  const signing = signatureSchemes.find((each) => schemeFitsKey(each, signer.publicKey))!
  const content = signedContent(role, of.certificate, signed)
  return encodeDelegatedCredential(signed, keySigner(signer.privateKey).sign(signing, content, provider) as Uint8Array)
}

function verdictOn(
  delegatedCredential: Uint8Array | undefined,
  more: Partial<CertificateVerification> = {},
  by = takes,
) {
  return by.verify({
    role: "server",
    type: "X509",
    chain: leaf.chain,
    serverName: "server.test",
    ocspResponse: undefined,
    signedCertificateTimestamps: undefined,
    delegatedCredential,
    scheme: ecdsa,
    signatureSchemes: signatureSchemes.filter(({ certificatesOnly }) => !certificatesOnly).map(({ code }) => code),
    now,
    provider,
    ...more,
  }) as CertificateVerdict
}

function expectRefused(verdict: CertificateVerdict, message: RegExp): void {
  expect(verdict).toMatchObject({
    accepted: false,
    alert: "illegal_parameter",
    reason: "bad_delegated_credential",
    message: expect.stringMatching(message),
  })
}

it("a credential that keeps all rules is accepted, with its own key", () => {
  expect(verdictOn(made())).toMatchObject({ accepted: true, publicKey: pair.publicKey })
})

describe("RFC 9345 4.1.3: a delegated credential is refused", () => {
  it("after its last second, and not in it", () => {
    expect(verdictOn(made({ until: now })).accepted).toBe(true)
    expectRefused(verdictOn(made({ until: now - 1000 })), /has expired/)
  })

  it("when it is valid for more than seven days from now on", () => {
    expect(verdictOn(made({ until: now + 168 * hour })).accepted).toBe(true)
    expectRefused(verdictOn(made({ until: now + 168 * hour + 1000 })), /more than 168 hours/)
  })

  it("when it is valid for longer than the application wants", () => {
    const strict = acceptDelegatedCredentials(verifier, { longestHours: 1 })
    expect(verdictOn(made({ until: now + hour }), {}, strict).accepted).toBe(true)
    expectRefused(verdictOn(made({ until: now + hour + 1000 }), {}, strict), /more than 1 hours/)
  })

  it("when it does not expire before the certificate does", () => {
    const short = leafWith({ notBefore, notAfter: now + 2 * hour })
    const chain = { chain: short.chain }
    expect(verdictOn(made({ of: short, until: now + 2 * hour - 1000 }), chain).accepted).toBe(true)
    expectRefused(verdictOn(made({ of: short, until: now + 2 * hour }), chain), /does not expire before/)
  })

  it("when the CertificateVerify is in another scheme, or in none", () => {
    expectRefused(verdictOn(made(), { scheme: schemeOf("ed25519") }), /CertificateVerify is not in its scheme/)
    expectRefused(verdictOn(made(), { scheme: undefined }), /CertificateVerify is not in its scheme/)
  })

  it("when its scheme, or that of its signature, was not offered", () => {
    const schemes = acceptDelegatedCredentials(verifier, { schemes: ["ed25519"] })
    expectRefused(verdictOn(made(), {}, schemes), /not offered/)
    expectRefused(verdictOn(made(), { signatureSchemes: [SignatureScheme.ed25519] }), /not offered/)
    const p384 = generateKeyPair("p384", provider.random)
    const mixed = made({ key: p384, scheme: SignatureScheme.ecdsa_secp384r1_sha384 })
    expectRefused(
      verdictOn(mixed, {
        scheme: schemeOf("ecdsa_secp384r1_sha384"),
        signatureSchemes: [SignatureScheme.ecdsa_secp384r1_sha384],
      }),
      /not offered/,
    )
  })

  it("when its key is of rsaEncryption (section 4)", () => {
    const scheme = schemeOf("rsa_pss_rsae_sha256")
    expectRefused(verdictOn(made({ key: rsa, scheme: scheme.code }), { scheme }), /not offered/)
    const pss = schemeOf("rsa_pss_pss_sha256")
    expectRefused(verdictOn(made({ key: rsa, scheme: pss.code }), { scheme: pss }), /does not sign in/)
  })

  it("when its key does not fit its scheme, or cannot be read", () => {
    const key = generateKeyPair("ed25519", provider.random)
    expectRefused(verdictOn(made({ key })), /does not sign in ecdsa_secp256r1_sha256/)
    const bytes = made()
    bytes[9] = 0x31 // the SEQUENCE of the SubjectPublicKeyInfo
    expectRefused(verdictOn(bytes), /its key cannot be used/)
  })

  it("when its key is weak", () => {
    const publicKey = {
      ...generateKeyPair("rsa-pss", provider.random).publicKey,
      modulus: new Uint8Array(128).fill(0xff),
    }
    const weak = { ...pair, publicKey } as typeof pair
    const scheme = schemeOf("rsa_pss_pss_sha256")
    const delegatedCredential = made({ key: weak, scheme: scheme.code })
    expectRefused(verdictOn(delegatedCredential, { scheme }), /its key is refused: .*1024/)
  })

  it("when the certificate's key does not sign in the scheme of its signature", () => {
    expectRefused(verdictOn(made({ algorithm: SignatureScheme.ed25519 })), /does not sign in ed25519/)
  })

  it("when another key has signed it, for another certificate, or for the other role", () => {
    expectRefused(verdictOn(made({ signer: pair })), /signature is not that/)
    expectRefused(verdictOn(made({ of: leafWith({ keyPair: leaf }) })), /signature is not that/)
    expectRefused(verdictOn(made({ role: "client" })), /signature is not that/)
    const client = { role: "client", serverName: undefined } as const
    expect(verdictOn(made({ role: "client" }), client).accepted).toBe(true)
  })

  it("RFC 9345 4.2: when the certificate has no DelegationUsage, or no digitalSignature", () => {
    for (const [of, message] of [
      [leafWith({ delegation: false }), /no DelegationUsage/],
      [
        leafWith({ extensions: (usual) => usual.filter(({ oid }) => oid !== keyUsage("digitalSignature").oid) }),
        /no digitalSignature/,
      ],
    ] as const) {
      expectRefused(verdictOn(made({ of }), { chain: of.chain }), message)
    }
  })

  it("RFC 9345 4.2: when the DelegationUsage is critical: the whole certificate is", () => {
    const of = leafWith({
      extensions: (usual) => usual.map((each) => (each.oid.endsWith("44363.44") ? { ...each, critical: true } : each)),
    })
    expect(verdictOn(made({ of }), { chain: of.chain })).toMatchObject({ reason: "unknown_critical_extension" })
    expect(() => delegated({}, pair, of)).toThrow(/is critical/)
  })

  it("RFC 9345 4.2: when the DelegationUsage is no NULL, which is nothing to who takes no delegated credentials", () => {
    const of = leafWith({
      extensions: (usual) =>
        usual.map((each) => (each.oid.endsWith("44363.44") ? { ...each, value: Uint8Array.of(5, 1, 0) } : each)),
    })
    expectRefused(verdictOn(made({ of }), { chain: of.chain }), /DelegationUsage extension cannot be read/)
    expect(verdictOn(undefined, { chain: of.chain }).accepted).toBe(true)
    const described = describeCertificate(parseCertificate(of.certificate), now)
    expect(described.problems).toEqual([expect.stringContaining("delegationUsage")])
    expect(described).not.toHaveProperty("delegationUsage")
  })

  it("when it comes with a raw public key", () => {
    const raw = { ...verifier, verify: () => acceptedOf(verdictOn(made())) }
    expectRefused(verdictOn(made(), { type: "RawPublicKey" }, acceptDelegatedCredentials(raw)), /no certificate/)
  })

  it("where the time is not known", () => {
    const unsure = {
      ...verifier,
      verify() {
        const verdict = acceptedOf(verdictOn(made()))
        return { ...verdict, identity: { ...verdict.identity, unchecked: ["validity"] as const } }
      },
    }
    expectRefused(verdictOn(made(), {}, acceptDelegatedCredentials(unsure)), /time is not known/)
  })
})

function acceptedOf(verdict: CertificateVerdict) {
  if (!verdict.accepted) throw new Error(verdict.message)
  return verdict
}

describe("a delegated credential", () => {
  it("that is cut short, or has bytes after its end, is a decode_error", () => {
    const whole = made()
    for (const bytes of [new Uint8Array(0), whole.subarray(0, -1), Uint8Array.of(...whole, 0)]) {
      expect(verdictOn(bytes)).toMatchObject({ accepted: false, alert: "decode_error", reason: "malformed" })
      expect(takes.leafKey?.({ delegatedCredential: bytes } as CertificateVerification)).toBeUndefined()
    }
    for (let length = 0; length < whole.length; length++)
      expect(verdictOn(whole.subarray(0, length)).accepted).toBe(false)
  })

  it("does not help a chain that is refused", () => {
    expect(verdictOn(made(), { serverName: "other.test" })).toMatchObject({ accepted: false, reason: "name_mismatch" })
  })

  it("is judged when a verifier that pauses has answered", async () => {
    const later = {
      verify: (asked: CertificateVerification) =>
        new Pause(Promise.resolve(verifier.verify(asked) as CertificateVerdict)),
    }
    const answer = acceptDelegatedCredentials(later).verify({
      ...asked(made()),
    }) as Pause<CertificateVerdict>
    expect(await answer.work).toMatchObject({ accepted: true, publicKey: pair.publicKey })
  })

  it("is asked for in schemes that are on offer alone", () => {
    const offered = takes.asks?.delegatedSchemes?.([0x0403, 0x0804, 0x0807])
    expect(offered).toEqual([0x0403, 0x0807])
    expect(() => acceptDelegatedCredentials(verifier, { schemes: ["rsa_pss_rsae_sha256"] })).toThrow(RangeError)
    expect(() => acceptDelegatedCredentials(verifier, { longestHours: 0 })).toThrow(RangeError)
  })
})

function asked(delegatedCredential: Uint8Array): CertificateVerification {
  let seen: CertificateVerification | undefined
  verdictOn(
    delegatedCredential,
    {},
    {
      verify(verification) {
        seen = verification
        return { accepted: false, alert: "internal_error", reason: "none", message: "" }
      },
    },
  )
  return seen!
}

describe("making one", () => {
  const { privateKey, publicKey } = pair
  const key = privateKeyToPem(leaf.privateKey)
  const usual = { cert: leaf.certificate, key, publicKey, now, provider }

  it("takes up to seven days, and no more", () => {
    expect(verdictOn(delegated({ hours: 168 }, pair)).accepted).toBe(true)
    for (const hours of [169, 168.001, 0, Number.NaN]) {
      expect(() => createDelegatedCredential({ ...usual, hours })).toThrow(RangeError)
    }
  })

  it("ends a second before the certificate does", () => {
    const of = leafWith({ notBefore, notAfter: now + hour })
    expect(verdictOn(delegated({ hours: 24 }, pair, of), { chain: of.chain })).toMatchObject({
      accepted: true,
      identity: { validUntil: now + hour - 1000 },
    })
  })

  it("wants a certificate that may delegate, its key, and a key that may be delegated to", () => {
    const plain = leafWith({ delegation: false })
    expect(() =>
      createDelegatedCredential({ ...usual, cert: plain.certificate, key: privateKeyToPem(plain.privateKey) }),
    ).toThrow(/no DelegationUsage/)
    expect(() => createDelegatedCredential({ ...usual, key: privateKeyToPem(privateKey) })).toThrow(/does not belong/)
    expect(() => createDelegatedCredential({ ...usual, publicKey: rsa.publicKey })).toThrow(/rsaEncryption/)
    expect(() => createDelegatedCredential({ ...usual, scheme: "ed25519" })).toThrow(/does not sign in ed25519/)
    expect(() => createDelegatedCredential({ ...usual, now: leafWith({}).chain.length + 4e12 })).toThrow(
      /not valid now/,
    )
  })

  it("waits for a signer that is elsewhere", async () => {
    const near = keySigner(leaf.privateKey)
    const signer = {
      sign: (...args: Parameters<typeof near.sign>) => new Pause(Promise.resolve(near.sign(...args) as Uint8Array)),
    }
    const { key: _, ...others } = usual
    const answer = createDelegatedCredential({ ...others, signer }) as Pause<Uint8Array>
    expect(verdictOn((await answer.work)!).accepted).toBe(true)
  })
})

describe("loading one", () => {
  const usual = { cert: leaf.certificate, now, provider, key: privateKeyToPem(pair.privateKey) }

  it("takes it from PEM text with its key", () => {
    const pem = `${delegatedCredentialToPem(made())}${privateKeyToPem(pair.privateKey)}`
    const { key: _, ...others } = usual
    expect(loadDelegatedCredential({ ...others, delegated: pem }).publicKey).toEqual(pair.publicKey)
    expect(own().delegated?.scheme).toBe(ecdsa.code)
  })

  it("says what is wrong with it", () => {
    const other = privateKeyToPem(generateKeyPair("p256", provider.random).privateKey)
    for (const [delegated, more, message] of [
      [made({ until: now - 1000 }), {}, /has expired/],
      [made(), { key: other }, /private key does not belong/],
      [made(), { role: "client" }, /made for a server, and this is a client/],
      [made(), { cert: leafWith({ keyPair: pair }).certificate }, /not by the key of the certificate/],
      [made().subarray(0, 20), {}, /cannot be read/],
      ["-----BEGIN X-----\n-----END X-----\n", {}, /no block DELEGATED CREDENTIAL/],
    ] as const) {
      expect(() => loadDelegatedCredential({ ...usual, delegated, ...more })).toThrow(message)
    }
  })
})

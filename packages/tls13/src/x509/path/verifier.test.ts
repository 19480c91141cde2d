import { describe, expect, it } from "vitest"
import { oddCertificates } from "../../../tests/x509/odd-certificates.ts"
import {
  extension,
  type Issued,
  makeCrl,
  makeIntermediate,
  makeLeaf,
  makeOcsp,
  makeRoot,
  now,
  provider,
  withExtension,
} from "../../../tests/x509/pki.ts"
import { AlertDescription } from "../../bytes/alerts.ts"
import { toHex } from "../../bytes/hex.ts"
import { Pause } from "../../bytes/pause.ts"
import { acceptAnyCertificate, trustOnFirstUse } from "../../dangerous/index.ts"
import { keyUsage, nameConstraints } from "../../devcert/extensions.ts"
import { derNull } from "../der/der-writer.ts"
import { reasonAlerts } from "../errors.ts"
import {
  type CertificateVerdict,
  type CertificateVerification,
  type CertificateVerifier,
  CrlStore,
  createCertificateVerifier,
  encodeSpki,
  Oid,
  parseCrl,
  parsePin,
  spkiHash,
  TrustStore,
  toPem,
  trustAnchor,
  type VerifierOptions,
  X509Error,
} from "../index.ts"

const day = 86_400_000
const root = makeRoot()
const ica = makeIntermediate(root)
const leaf = makeLeaf(ica, { names: ["example.com", "192.0.2.1"] })
const trust = new TrustStore([trustAnchor(root.der)])

const asked: CertificateVerification = {
  role: "server",
  type: "X509",
  chain: [],
  serverName: "example.com",
  ocspResponse: undefined,
  signedCertificateTimestamps: undefined,
  now,
  provider,
}

function verify(
  verifier: CertificateVerifier,
  chain: readonly (Issued | Uint8Array)[],
  more: Partial<CertificateVerification> = {},
): CertificateVerdict {
  const verdict = verifier.verify({
    ...asked,
    chain: chain.map((each) => (each instanceof Uint8Array ? each : each.der)),
    ...more,
  })
  if (verdict instanceof Pause) throw new Error("this verifier answers at once")
  return verdict
}

function outcome(
  chain: readonly (Issued | Uint8Array)[],
  options: Partial<VerifierOptions> = {},
  more: Partial<CertificateVerification> = {},
): string {
  const verdict = verify(createCertificateVerifier({ trust, ...options }), chain, more)
  return verdict.accepted ? "accepted" : `${verdict.reason} > ${verdict.alert}`
}

describe("the verifier", () => {
  it("accepts a chain for its name, and says whose it is", () => {
    const verdict = verify(createCertificateVerifier({ trust }), [leaf, ica])
    expect(verdict).toMatchObject({
      accepted: true,
      publicKey: leaf.publicKey,
      identity: { type: "X509", subject: "CN=example.com" },
    })
    expect(verdict.accepted && verdict.identity.path.map(toHex)).toEqual([leaf.der, ica.der, root.der].map(toHex))
    expect(outcome([leaf, ica], {}, { serverName: "192.0.2.1" })).toBe("accepted")
  })

  it("RFC 9846 4.7.1: says until when: the first certificate to expire, the anchor's own dates apart", () => {
    const shortRoot = makeRoot({ notAfter: now + day })
    const shortIca = makeIntermediate(shortRoot, { notAfter: now + 3 * day })
    const early = makeLeaf(shortIca, { notAfter: now + 2 * day })
    const late = makeLeaf(shortIca, { notAfter: now + 4 * day })
    const verifier = createCertificateVerifier({ trust: new TrustStore([trustAnchor(shortRoot.der)]) })
    expect(verify(verifier, [early, shortIca])).toMatchObject({
      accepted: true,
      identity: { validUntil: now + 2 * day },
    })
    expect(verify(verifier, [late, shortIca])).toMatchObject({
      accepted: true,
      identity: { validUntil: now + 3 * day },
    })
  })

  // Requirement 4.5.1.2-7
  it.each([
    ["another name", [leaf, ica], {}, { serverName: "example.org" }, "name_mismatch > bad_certificate"],
    ["no name to check", [leaf, ica], {}, { serverName: undefined }, "invalid_reference_name > internal_error"],
    ["expired", [leaf, ica], {}, { now: now + 90 * day }, "expired > certificate_expired"],
    ["not yet valid", [leaf, ica], {}, { now: now - 90 * day }, "not_yet_valid > certificate_expired"],
    ["an unknown issuer", [leaf], {}, {}, "unknown_issuer > unknown_ca"],
    ["no trust at all", [leaf, ica], { trust: new TrustStore([]) }, {}, "unknown_issuer > unknown_ca"],
    ["not DER", [Uint8Array.of(1, 2, 3), ica], {}, {}, "malformed > bad_certificate"],
    ["an empty chain", [], {}, {}, "malformed > bad_certificate"],
    [
      "for servers instead of clients",
      [leaf, ica],
      {},
      { role: "client", serverName: undefined },
      "extended_key_usage > unsupported_certificate",
    ],
    [
      "a certificate too large",
      [leaf, ica],
      { maximumCertificateBytes: 100 },
      {},
      "certificate_too_large > bad_certificate",
    ],
    ["too many certificates", new Array(33).fill(leaf), {}, {}, "limit_exceeded > certificate_unknown"],
    [
      "a raw key that nobody knows",
      [encodeSpki(leaf.publicKey)],
      {},
      { type: "RawPublicKey" },
      "key_not_trusted > certificate_unknown",
    ],
  ] as [string, (Issued | Uint8Array)[], Partial<VerifierOptions>, Partial<CertificateVerification>, string][])(
    "RFC 9846 6.2: %s",
    (_, chain, options, more, expected) => {
      expect(outcome(chain, options, more)).toBe(expected)
    },
  )

  it("RFC 9846 6.2: every reason has an alert of the registry", () => {
    for (const alert of Object.values(reasonAlerts)) expect(AlertDescription).toHaveProperty(alert)
  })

  // Requirement 4.5.1.2-3
  it("RFC 9846 4.5.1.2: the key must be allowed to sign", () => {
    const noSigning = makeLeaf(ica, { change: withExtension(keyUsage("keyEncipherment")) })
    expect(outcome([noSigning, ica])).toBe("key_usage > unsupported_certificate")
  })

  it("an intermediate that cannot be read is told when it may be the missing one", () => {
    expect(outcome([leaf, ica, Uint8Array.of(0)])).toBe("accepted")
    const verdict = verify(createCertificateVerifier({ trust }), [leaf, Uint8Array.of(0)])
    expect(!verdict.accepted && verdict.message).toMatch(
      /^certificate 2 of the chain cannot be read: .*; so the certificate/,
    )
  })

  it("RFC 9846 6.2: an issuer that breaks a rule is a bad certificate, not an unknown authority", () => {
    const home = makeIntermediate(root, {
      subject: { commonName: "Home" },
      change: withExtension(nameConstraints([{ type: "dns", value: ".lan" }])),
    })
    const verdict = verify(createCertificateVerifier({ trust }), [makeLeaf(home), home])
    expect(verdict).toMatchObject({ accepted: false, reason: "malformed", alert: "bad_certificate" })
    expect(!verdict.accepted && verdict.message).toMatch(/^certificate 2 of the chain cannot be read: .*\.lan/)
    // One of another name is not what is missed.
    const stranger = verify(createCertificateVerifier({ trust }), [
      makeLeaf(makeRoot({ key: 77, subject: { commonName: "Else" } })),
      home,
    ])
    expect(stranger).toMatchObject({ reason: "unknown_issuer", alert: "unknown_ca" })
  })

  it("helps out with intermediates that the peer did not send", () => {
    expect(outcome([leaf], { intermediates: [ica.certificate] })).toBe("accepted")
  })

  it("an application may check the name in its own way, once the path is good", () => {
    const nobody = makeLeaf(ica, { names: [] })
    const own: Partial<VerifierOptions> = {
      checkName: (certificate, name) =>
        certificate.extensions.subjectAltName || name === "device-7"
          ? undefined
          : new X509Error("name_mismatch", "not ours"),
    }
    expect(outcome([nobody, ica], own, { serverName: "device-7" })).toBe("accepted")
    expect(outcome([nobody, ica], own, { serverName: "device-8" })).toBe("name_mismatch > bad_certificate")
    expect(outcome([nobody], own, { serverName: "device-7" })).toBe("unknown_issuer > unknown_ca")
  })

  it("trust and lists may change while it is in use", () => {
    let store = new TrustStore([])
    let crls = new CrlStore([])
    const verifier = createCertificateVerifier({ trust: () => store, revocation: { crls: () => crls } })
    expect(verify(verifier, [leaf, ica]).accepted).toBe(false)
    store = trust
    expect(verify(verifier, [leaf, ica]).accepted).toBe(true)
    crls = new CrlStore([parseCrl(makeCrl(ica, { revoked: [{ serial: leaf.certificate.serialNumber }] }))])
    expect(verify(verifier, [leaf, ica])).toMatchObject({ reason: "revoked", alert: "certificate_revoked" })
  })

  it("RFC 6066 8: checks a stapled response", () => {
    expect(outcome([leaf, ica], {}, { ocspResponse: makeOcsp(leaf, ica) })).toBe("accepted")
    expect(outcome([leaf, ica], {}, { ocspResponse: makeOcsp(leaf, ica, { status: "revoked" }) })).toBe(
      "revoked > certificate_revoked",
    )
    expect(outcome([leaf, ica], {}, { ocspResponse: Uint8Array.of(1) })).toBe(
      "bad_ocsp_response > bad_certificate_status_response",
    )
  })

  it("pins: one key of the path must be pinned, by hash or by key", () => {
    const hash = spkiHash(ica.certificate.spki, provider)!
    expect(outcome([leaf, ica], { pins: [hash] })).toBe("accepted")
    expect(outcome([leaf, ica], { pins: [root.certificate.spki] })).toBe("accepted")
    expect(outcome([leaf, ica], { pins: [new Uint8Array(32)] })).toBe("pin_mismatch > certificate_unknown")
    expect(outcome([leaf, ica], { pins: [hash], trust: new TrustStore([]) })).toBe("unknown_issuer > unknown_ca")
    const base64 = Buffer.from(hash).toString("base64")
    for (const text of [`sha256/${base64}`, toHex(hash), toHex(hash).replace(/..(?=.)/g, "$&:")])
      expect(toHex(parsePin(text))).toBe(toHex(hash))
    expect(toHex(parsePin(toPem("PUBLIC KEY", ica.certificate.spki)))).toBe(toHex(ica.certificate.spki))
    expect(() => parsePin("sha256/abc")).toThrow(/no pin/)
  })

  it("RFC 7250: raw public keys are accepted when they are known", () => {
    const spki = encodeSpki(leaf.publicKey)
    const raw = { type: "RawPublicKey", serverName: undefined } as const
    expect(verify(createCertificateVerifier({ trust, rawPublicKeys: [spki] }), [spki], raw)).toMatchObject({
      accepted: true,
      publicKey: leaf.publicKey,
      identity: { path: [], subject: "" },
    })
    expect(outcome([spki], { rawPublicKeys: [spkiHash(spki, provider)!] }, raw)).toBe("accepted")
    expect(outcome([spki, spki], { rawPublicKeys: [spki] }, raw)).toBe("malformed > bad_certificate")
    expect(outcome([Uint8Array.of(0x30)], { rawPublicKeys: [spki] }, raw)).toBe("malformed > bad_certificate")
  })

  it("never throws, not even for a defect of its own or of the provider", () => {
    const broken = {
      ...provider,
      signatures: provider.signatures.map((each) => ({
        ...each,
        verify: (): boolean => {
          throw new TypeError("broken")
        },
      })),
    }
    expect(outcome([leaf, ica], {}, { provider: broken })).toBe("internal > internal_error")
  })

  it("an extension of 1 MiB is refused at once", () => {
    const huge = makeLeaf(ica, { change: withExtension(extension("1.2.3.4", false, new Uint8Array(1 << 20))) })
    const from = process.cpuUsage()
    expect(outcome([huge, ica])).toBe("certificate_too_large > bad_certificate")
    expect(outcome([leaf, huge])).toBe("unknown_issuer > unknown_ca")
    expect(process.cpuUsage(from).user / 1000).toBeLessThan(200)
  })

  it("a time that is no number is refused", () => {
    expect(outcome([leaf, ica], {}, { now: Number.NaN })).toBe("not_yet_valid > certificate_expired")
  })

  it("texts of certificates cannot forge a line of a log, or fill it", () => {
    const forged = makeLeaf(ica, {
      subject: { commonName: `a\nb\u001b[31m\u202e${"x".repeat(5000)}` },
      notAfter: now - day,
    })
    const verdict = verify(createCertificateVerifier({ trust }), [forged, ica])
    expect(!verdict.accepted && verdict.message.length).toBeLessThan(700)
    expect(!verdict.accepted && verdict.message).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })

  it("a sentence names the certificate, the rule and what to do", () => {
    const unknown = makeLeaf(ica, { change: withExtension(extension("1.2.3.4", true, derNull())) })
    const verdict = verify(createCertificateVerifier({ trust }), [unknown, ica])
    expect(!verdict.accepted && verdict.message).toBe(
      "the certificate of CN=example.com is refused: it has the critical extension 1.2.3.4, which is not understood here",
    )
    expect(Oid.serverAuth).toBe("1.3.6.1.5.5.7.3.1")
  })
})

describe("./dangerous", () => {
  const self = makeRoot({ subject: { commonName: "Anybody" }, extensions: [] })

  it("acceptAnyCertificate takes everything whose key can be used", () => {
    expect(verify(acceptAnyCertificate(), [self], { serverName: undefined, now: 0 })).toMatchObject({
      accepted: true,
      publicKey: self.publicKey,
    })
    expect(verify(acceptAnyCertificate(), [encodeSpki(self.publicKey)], { type: "RawPublicKey" }).accepted).toBe(true)
    expect(verify(acceptAnyCertificate(), [Uint8Array.of(1)])).toMatchObject({ accepted: false, reason: "malformed" })
  })

  it.each(oddCertificates("Odd"))(
    "both take a certificate with %s by its key; the strict verifier refuses it",
    (_, odd) => {
      const known = new Map<string, string>()
      for (const verifier of [acceptAnyCertificate(), trustOnFirstUse(known)]) {
        expect(verifier.leafKey?.({ ...asked, chain: [odd.der] })).toEqual(odd.publicKey)
        expect(verify(verifier, [odd.der])).toMatchObject({
          accepted: true,
          publicKey: odd.publicKey,
          identity: { subject: "CN=Odd" },
        })
      }
      expect(known.get("example.com")).toBe(toHex(spkiHash(encodeSpki(odd.publicKey), provider)!))
      const strict = createCertificateVerifier({ trust })
      expect(strict.leafKey?.({ ...asked, chain: [odd.der] })).toBe(undefined)
      expect(verify(strict, [odd.der])).toMatchObject({ accepted: false })
      // Cut short it is not readable, and what has no key is not taken.
      for (const most of [0, 1, 40, odd.der.length / 3]) {
        const cut = odd.der.slice(0, most)
        expect(verify(acceptAnyCertificate(), [cut])).toMatchObject({ accepted: false, reason: "malformed" })
      }
    },
  )

  it("trustOnFirstUse remembers the first key of each host", () => {
    const verifier = trustOnFirstUse(new Map())
    expect(verify(verifier, [self]).accepted).toBe(true)
    expect(verify(verifier, [self]).accepted).toBe(true)
    expect(verify(verifier, [leaf])).toMatchObject({ accepted: false, reason: "pin_mismatch" })
    expect(verify(verifier, [leaf], { serverName: "example.org" }).accepted).toBe(true)
    expect(verify(verifier, [leaf], { serverName: undefined }).accepted).toBe(false)
  })
})

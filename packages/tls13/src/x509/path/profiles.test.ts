import { describe, expect, it } from "vitest"
import {
  extension,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  now,
  privateKeyOf,
  withExtension,
  without,
} from "../../../tests/x509/pki.ts"
import { reason, root, trusting, validate } from "../../../tests/x509/validate.ts"
import { publicKeyOf } from "../../crypto/noble/key-pairs.ts"
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  nameConstraints,
  subjectAltName,
} from "../../devcert/extensions.ts"
import { encodeName, toGeneralName } from "../../devcert/names.ts"
import { derInteger, derOid, derSequence, derSmall, derValue } from "../der/der-writer.ts"
import { encodeSpki, Oid, TrustStore, trustAnchor, usualProfile } from "../index.ts"

const ica = makeIntermediate(root)
const leaf = makeLeaf(ica)

describe("weak keys and signatures", () => {
  const rsa = (bits: number): Uint8Array => {
    const modulus = new Uint8Array(Math.ceil(bits / 8)).fill(0xff)
    modulus[0] = 0xff >> (8 * modulus.length - bits)
    return encodeSpki({ type: "rsa", modulus, exponent: Uint8Array.of(1, 0, 1) })
  }

  it.each([
    [1024, "path", "weak_key"],
    [2047, "path", "weak_key"],
    [2048, "path", "accepted"],
    [2052, "rfc5280", "accepted"],
    [2052, "webpki", "profile_violation"],
    [16384, "path", "unsupported_key"],
  ] as const)("RSA of %i bits in the profile %s: %s", (bits, profile, expected) => {
    expect(reason(validate(makeLeaf(root, { spki: rsa(bits) }), [], { profile }))).toBe(expected)
  })

  it("SHA-1 signatures are refused by name", () => {
    const end = makeLeaf(root)
    const sha1 = {
      ...end.certificate,
      signatureAlgorithm: {
        oid: "1.2.840.10045.4.1",
        label: "ecdsa-with-SHA1",
        algorithm: undefined,
        problem: "weak_signature" as const,
      },
    }
    const verdict = validate({ ...end, certificate: sha1 })
    expect(!verdict.accepted && [verdict.problem.reason, verdict.problem.alert]).toEqual([
      "weak_signature",
      "bad_certificate",
    ])
    expect(!verdict.accepted && verdict.problem.message).toMatch(/ecdsa-with-SHA1/)
  })

  it("explicit curve parameters are refused (RFC 5480 2.1.1)", () => {
    const explicit = derSequence(
      derSequence(derOid(Oid.ecPublicKey), derSequence(derSmall(1))),
      derValue(0x03, new Uint8Array(66)),
    )
    expect(reason(validate(makeLeaf(root, { spki: explicit })))).toBe("unsupported_key")
  })

  it.each(["P-384", "P-521", "ed25519"] as const)("%s is accepted", (curve) => {
    const other = makeRoot({ curve, subject: { commonName: curve } })
    const end = makeLeaf(other, { curve })
    expect(reason(validate(end, [], trusting(other)))).toBe("accepted")
    expect(publicKeyOf(privateKeyOf(1, curve)).type).toBe(curve === "ed25519" ? "ed25519" : "ec")
  })
})

describe("RFC 5280 4: the profile rfc5280", () => {
  const strict = { profile: "rfc5280" } as const

  it("accepts what keeps it", () => {
    expect(reason(validate(leaf, [ica], strict))).toBe("accepted")
  })

  it.each([
    ["4.2.1.1: no authorityKeyIdentifier", without(Oid.authorityKeyIdentifier)],
    [
      "4.2.1.1: a critical one",
      (usual) => usual.map((each) => (each.oid === Oid.authorityKeyIdentifier ? { ...each, critical: true } : each)),
    ],
    [
      "4.2.1.2: a critical subjectKeyIdentifier",
      (usual) => usual.map((each) => (each.oid === Oid.subjectKeyIdentifier ? { ...each, critical: true } : each)),
    ],
    ["4.2.1.3: keyCertSign without cA", withExtension(keyUsage("digitalSignature", "keyCertSign"))],
    ["4.2.1.10: nameConstraints in a leaf", withExtension(nameConstraints([{ type: "dns", value: "example.com" }]))],
    [
      "4.2.1.9: a path length without cA",
      withExtension(extension(Oid.basicConstraints, true, derSequence(derSmall(0)))),
    ],
    [
      "4.2.1.6: an underscore",
      withExtension(
        extension(Oid.subjectAltName, false, derSequence(derValue(0x82, new TextEncoder().encode("a_b.example.com")))),
      ),
    ],
    [
      "4.2.1.6: a mailbox with two @",
      withExtension(
        extension(Oid.subjectAltName, false, derSequence(derValue(0x81, new TextEncoder().encode("a@b@example.com")))),
      ),
    ],
    [
      "4.2.1.6: a relative URI",
      withExtension(extension(Oid.subjectAltName, false, derSequence(derValue(0x86, new TextEncoder().encode("/a"))))),
    ],
  ] as [string, ReturnType<typeof without>][])(
    "refuses a leaf with %s, which the profile path leaves alone",
    (_, change) => {
      const end = makeLeaf(root, { change })
      expect(reason(validate(end, [], strict))).toBe("profile_violation")
      expect(reason(validate(end))).toBe("accepted")
    },
  )

  it.each([
    ["4.2.1.2: no subjectKeyIdentifier", without(Oid.subjectKeyIdentifier)],
    ["4.2.1.9: basicConstraints not critical", withExtension({ ...basicConstraints(true), critical: false })],
    [
      "4.2.1.10: nameConstraints not critical",
      withExtension({ ...nameConstraints([{ type: "dns", value: "example.com" }]), critical: false }),
    ],
    [
      "4.2.1.11: policyConstraints not critical",
      withExtension(extension(Oid.policyConstraints, false, derSequence(derValue(0x80, Uint8Array.of(3))))),
    ],
  ])("refuses an intermediate with %s", (_, change) => {
    const between = makeIntermediate(root, { change })
    const end = makeLeaf(between)
    expect(reason(validate(end, [between], strict))).toBe("profile_violation")
    expect(reason(validate(end, [between]))).toBe("accepted")
  })

  it("4.1.2.2: refuses the serial number 0, and 4.1.2.8 unique identifiers", () => {
    expect(reason(validate(makeLeaf(root, { serialDer: derInteger(Uint8Array.of(0)) }), [], strict))).toBe(
      "profile_violation",
    )
    expect(
      reason(
        validate(
          makeLeaf(root, { version: 2, extensions: [], after: [derValue(0x81, Uint8Array.of(0, 1))] }),
          [],
          strict,
        ),
      ),
    ).toBe("profile_violation")
  })

  it("4.2.1.6: refuses an empty subject whose subjectAltName is not critical", () => {
    const empty = { subject: encodeName({}) }
    expect(reason(validate(makeLeaf(root, empty), [], strict))).toBe("profile_violation")
    const critical = makeLeaf(root, {
      ...empty,
      change: withExtension(subjectAltName([toGeneralName("example.com")], true)),
    })
    expect(reason(validate(critical, [], strict))).toBe("accepted")
  })

  it("4.1.2.4, 4.1.2.6: every profile refuses an empty issuer, and an authority without a name", () => {
    const nameless = makeRoot({ subject: encodeName({}) })
    expect(reason(validate(makeLeaf(nameless), [], trusting(nameless)))).toBe("profile_violation")
  })
})

describe("CA/B Forum: the profile webpki", () => {
  const webpki = { profile: "webpki" } as const
  const subject = { commonName: "example.com" }

  it("accepts what keeps it, nameConstraints without criticality included (7.1.2.5.2)", () => {
    expect(reason(validate(makeLeaf(ica, { subject }), [ica], webpki))).toBe("accepted")
    const loose = makeIntermediate(root, {
      change: withExtension({ ...nameConstraints([{ type: "dns", value: "example.com" }]), critical: false }),
    })
    expect(reason(validate(makeLeaf(loose, { subject }), [loose], webpki))).toBe("accepted")
  })

  it.each([
    ["7.1.2.7.6: no extKeyUsage", { change: without(Oid.extKeyUsage) }],
    [
      "7.1.2.7.6: a critical extKeyUsage",
      { change: withExtension({ ...extendedKeyUsage(Oid.serverAuth), critical: true }) },
    ],
    ["7.1.2.7.10: anyExtendedKeyUsage", { usage: [Oid.serverAuth, Oid.anyExtendedKeyUsage] }],
    ["7.1.2.7.8: cA", { change: withExtension(basicConstraints(true)) }],
    [
      "7.1.2.7.12: a critical subjectAltName",
      { change: withExtension(subjectAltName([toGeneralName("example.com")], true)) },
    ],
    ["7.1.4.3: another common name", { subject: { commonName: "example.org" } }],
    ["7.1.4.3: a common name in capitals", { subject: { commonName: "Example.com" } }],
    ["7.1.4.3: an address in another notation", { subject: { commonName: "0xC0000201" }, names: ["192.0.2.1"] }],
    ["7.1.4.3: an uncompressed address", { subject: { commonName: "0:0:0:0:0:0:0:1" }, names: ["::1"] }],
    ["3.2.2.6: a wildcard for a top-level domain", { names: ["example.com", "*.com"] }],
    ["7.1.3.1: Ed25519", { curve: "ed25519" as const }],
  ])("refuses a leaf with %s", (_, contents) => {
    expect(reason(validate(makeLeaf(root, { subject, ...contents }), [], webpki))).toBe("profile_violation")
  })

  it.each([
    ["7.1.2.1.2: an extKeyUsage", withExtension(extendedKeyUsage(Oid.serverAuth))],
    [
      "7.1.2.1.3: an authorityKeyIdentifier without keyIdentifier",
      withExtension(extension(Oid.authorityKeyIdentifier, false, derSequence())),
    ],
    [
      "7.1.2.1.3: another key's identifier",
      withExtension(extension(Oid.authorityKeyIdentifier, false, derSequence(derValue(0x80, Uint8Array.of(1))))),
    ],
    [
      "7.1.2.1.3: the issuer's serial number",
      withExtension(
        extension(
          Oid.authorityKeyIdentifier,
          false,
          derSequence(derValue(0x80, Uint8Array.of(1)), derValue(0x82, Uint8Array.of(1))),
        ),
      ),
    ],
  ])("refuses a root with %s", (_, change) => {
    const bad = makeRoot({ change })
    expect(reason(validate(makeLeaf(bad, { subject }), [], { ...webpki, ...trusting(bad) }))).toBe("profile_violation")
  })
})

describe("the profile where nobody names one", () => {
  const trust = (origin: "own" | "host") => new TrustStore([trustAnchor(root.der)], [], origin)
  const by = (origin: "own" | "host", end: typeof leaf, usage?: string) =>
    reason(validate(end, [ica], { trust: trust(origin), usage: usage ?? Oid.serverAuth }))
  /** RFC 5280 4.2.1.1, and CA/B Forum 7.1.2.7.6. */
  const noKeyIdentifier = makeLeaf(ica, { change: without(Oid.authorityKeyIdentifier) })
  const noUsage = makeLeaf(ica, { change: without(Oid.extKeyUsage) })

  it("is `path` below anchors of one's own", () => {
    expect([leaf, noKeyIdentifier, noUsage].map((end) => by("own", end))).toEqual(["accepted", "accepted", "accepted"])
    expect(usualProfile("own", Oid.serverAuth)).toBe("path")
  })

  it("below the host's is `webpki` for servers, and `rfc5280` for clients and others", () => {
    const refused = "profile_violation"
    expect([leaf, noKeyIdentifier, noUsage].map((end) => by("host", end))).toEqual(["accepted", refused, refused])
    expect([noKeyIdentifier, noUsage].map((end) => by("host", end, Oid.clientAuth))).toEqual([refused, "accepted"])
    expect(usualProfile("host", undefined)).toBe("rfc5280")
  })

  it("gives way to the one that is named", () => {
    expect(reason(validate(noUsage, [ica], { trust: trust("host"), profile: "path" }))).toBe("accepted")
    expect(reason(validate(noUsage, [ica], { profile: "webpki" }))).toBe("profile_violation")
  })

  it("judges the host's anchors by none: they are trusted as they are", () => {
    const old = makeRoot({ change: without(Oid.subjectKeyIdentifier) })
    const anchors = [trustAnchor(old.der)]
    const below = makeLeaf(old)
    expect(reason(validate(below, [], { trust: new TrustStore(anchors, [], "host") }))).toBe("accepted")
    expect(reason(validate(below, [], { trust: new TrustStore(anchors), profile: "webpki" }))).toBe("profile_violation")
  })

  it("does not hide what is graver: an issuer that nobody trusts, or a certificate that has expired", () => {
    const stranger = makeLeaf(makeRoot({ subject: { commonName: "Stranger" } }), {
      change: without(Oid.authorityKeyIdentifier),
    })
    const lax = makeIntermediate(makeRoot({ subject: { commonName: "Other" } }), {
      change: without(Oid.subjectKeyIdentifier),
    })
    const expired = makeLeaf(ica, { change: without(Oid.authorityKeyIdentifier), notAfter: now - 1000 })
    for (const profile of ["rfc5280", "webpki"] as const) {
      expect(reason(validate(stranger, [], { profile }))).toBe("unknown_issuer")
      expect(reason(validate(makeLeaf(lax), [lax], { profile }))).toBe("unknown_issuer")
      expect(reason(validate(expired, [ica], { profile }))).toBe("expired")
      expect(reason(validate(noKeyIdentifier, [ica], { profile }))).toBe("profile_violation")
    }
  })

  it("is that of one's own store once an anchor was added", () => {
    expect(trust("host").with(trustAnchor(makeRoot().der)).origin).toBe("own")
  })
})

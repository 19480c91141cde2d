import { describe, expect, it } from "vitest"
import {
  extension,
  type Issued,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  now,
  privateKeyOf,
  provider,
  withExtension,
  without,
} from "../../tests/x509/pki.ts"
import { publicKeyOf } from "../crypto/noble/key-pairs.ts"
import { basicConstraints, extendedKeyUsage, keyUsage, nameConstraints, subjectAltName } from "../devcert/extensions.ts"
import { encodeName, toGeneralName } from "../devcert/names.ts"
import { derInteger, derNull, derOid, derSequence, derSmall, derValue } from "./der-writer.ts"
import {
  encodeSpki,
  KeyUsage,
  Oid,
  type PathRequest,
  type PathVerdict,
  TrustStore,
  trustAnchor,
  validatePath,
} from "./index.ts"

const day = 86_400_000
const root = makeRoot()

function validate(leaf: Issued, others: readonly Issued[] = [], more: Partial<PathRequest> = {}): PathVerdict {
  return validatePath({
    leaf: leaf.certificate,
    intermediates: others.map((each) => each.certificate),
    trust: new TrustStore([trustAnchor(root.der)]),
    now,
    provider,
    usage: Oid.serverAuth,
    ...more,
  })
}

function reason(verdict: PathVerdict): string {
  return verdict.accepted ? "accepted" : verdict.problem.reason
}

function trusting(...anchors: readonly Issued[]): Partial<PathRequest> {
  return { trust: new TrustStore(anchors.map((each) => trustAnchor(each.der))) }
}

const ica = makeIntermediate(root)
const leaf = makeLeaf(ica)

describe("RFC 5280 6.1: a path", () => {
  it("goes from the leaf over the intermediates to the anchor", () => {
    const verdict = validate(leaf, [ica])
    expect(verdict.accepted && verdict.path.map((each) => each.der)).toEqual([leaf.der, ica.der, root.der])
  })

  it("is found whatever the order and the copies of the intermediates", () => {
    const second = makeIntermediate(ica)
    const deep = makeLeaf(second)
    expect(reason(validate(deep, [root, second, ica, second, leaf]))).toBe("accepted")
  })

  it("needs each certificate between", () => {
    const verdict = validate(leaf)
    expect(reason(verdict)).toBe("unknown_issuer")
    expect(!verdict.accepted && verdict.problem.alert).toBe("unknown_ca")
    expect(!verdict.accepted && verdict.problem.message).toMatch(/send the missing intermediate/)
  })

  it("ends at an intermediate that is an anchor itself", () => {
    const verdict = validate(leaf, [root], trusting(ica))
    expect(verdict.accepted && verdict.path.length).toBe(2)
  })

  it("may be the anchor alone, when a self-signed certificate is trusted as it is", () => {
    const own = makeRoot({
      subject: { commonName: "Own" },
      extensions: [subjectAltName([toGeneralName("example.com")])],
    })
    expect(reason(validate(own, [], trusting(own)))).toBe("accepted")
    expect(reason(validate(own))).toBe("unknown_issuer")
  })

  it("with a root that nobody trusts says so", () => {
    const other = makeRoot({ subject: { commonName: "Other" } })
    const verdict = validate(makeLeaf(other), [other])
    expect(!verdict.accepted && verdict.problem.message).toMatch(/root that is not one of the trusted/)
    expect(!verdict.accepted && verdict.problem.index).toBe(1)
  })

  it("6.1.3 (a)(1): needs right signatures", () => {
    const impostor = makeRoot({ key: 1 })
    expect(reason(validate(makeLeaf(impostor)))).toBe("bad_signature")
    const wrong = leaf.der.slice()
    wrong[wrong.length - 1]! ^= 1
    expect(
      reason(
        validate(
          {
            ...leaf,
            get certificate() {
              return { ...leaf.certificate, signature: wrong.subarray(-20) }
            },
          },
          [ica],
        ),
      ),
    ).toBe("bad_signature")
  })

  it.each([
    ["before it begins", now - 31 * day, "not_yet_valid"],
    ["in its first second", now - 30 * day, "accepted"],
    ["in its last second", now + 60 * day + 999, "accepted"],
    ["a second after", now + 60 * day + 1000, "expired"],
  ])("6.1.3 (a)(2), 4.1.2.5: %s", (_, at, expected) => {
    expect(reason(validate(leaf, [ica], { now: at }))).toBe(expected)
  })

  it("6.1.3 (a)(2): expired intermediates and anchors end a path too", () => {
    const old = makeIntermediate(root, { notAfter: now - day })
    const verdict = validate(makeLeaf(old), [old])
    expect(!verdict.accepted && [verdict.problem.reason, verdict.problem.index, verdict.problem.alert]).toEqual([
      "expired",
      1,
      "certificate_expired",
    ])
    const oldRoot = makeRoot({ notAfter: now - day })
    expect(reason(validate(makeLeaf(oldRoot), [], trusting(oldRoot)))).toBe("expired")
  })

  it.each([
    ["no basicConstraints", without(Oid.basicConstraints)],
    ["cA FALSE", withExtension(basicConstraints(false))],
    ["no keyCertSign", withExtension(keyUsage("digitalSignature"))],
  ])("6.1.4 (k), (n): an issuer with %s is none", (_, change) => {
    const bad = makeIntermediate(root, { change })
    expect(reason(validate(makeLeaf(bad), [bad]))).toBe("not_a_ca")
    const badRoot = makeRoot({ change })
    expect(reason(validate(makeLeaf(badRoot), [], trusting(badRoot)))).toBe("not_a_ca")
  })

  it("6.1.4 (k): a leaf issues nothing", () => {
    const end = makeLeaf(root)
    expect(reason(validate(makeLeaf(end), [end]))).toBe("not_a_ca")
  })

  it("a version 1 root is one by the application's word, a version 1 intermediate never", () => {
    const v1 = makeRoot({ version: 1, extensions: [] })
    expect(reason(validate(makeLeaf(v1), [], trusting(v1)))).toBe("accepted")
    expect(reason(validate(makeLeaf(v1), [], { ...trusting(v1), profile: "rfc5280" }))).toBe("not_a_ca")
    const v1ica = makeIntermediate(root, { version: 1, extensions: [] })
    expect(reason(validate(makeLeaf(v1ica), [v1ica]))).toBe("not_a_ca")
  })

  it("6.1.4 (l), (m): pathLenConstraint counts intermediates that are not self-issued", () => {
    const zero = makeIntermediate(root, { pathLength: 0 })
    expect(reason(validate(makeLeaf(zero), [zero]))).toBe("accepted")
    const below = makeIntermediate(zero)
    expect(reason(validate(makeLeaf(below), [zero, below]))).toBe("path_too_long")
    const renewed = makeIntermediate(zero, { subject: zero.subject })
    expect(reason(validate(makeLeaf(renewed), [zero, renewed]))).toBe("accepted")
    const limitedRoot = makeRoot({ pathLength: 0, subject: { commonName: "Limited" } })
    const under = makeIntermediate(limitedRoot)
    expect(reason(validate(makeLeaf(under), [under], trusting(limitedRoot)))).toBe("path_too_long")
  })

  it("has at most so many intermediates as the caller allows", () => {
    expect(reason(validate(leaf, [ica], { maximumIntermediates: 0 }))).toBe("path_too_long")
    expect(reason(validate(makeLeaf(root), [], { maximumIntermediates: 0 }))).toBe("accepted")
  })

  it("4.2: unknown critical extensions end a path, unused certificates do not", () => {
    const unknown = withExtension(extension("1.2.3.4", true, derNull()))
    expect(reason(validate(makeLeaf(root, { change: unknown })))).toBe("unknown_critical_extension")
    const bad = makeIntermediate(root, { change: unknown })
    expect(reason(validate(makeLeaf(bad), [bad]))).toBe("unknown_critical_extension")
    expect(reason(validate(leaf, [bad, ica]))).toBe("accepted")
  })

  it("4.2.1.12: extended key usages of leaf and intermediates are nested", () => {
    expect(reason(validate(makeLeaf(root, { usage: [Oid.clientAuth] })))).toBe("extended_key_usage")
    expect(reason(validate(makeLeaf(root, { usage: [Oid.anyExtendedKeyUsage] })))).toBe("accepted")
    expect(reason(validate(makeLeaf(root, { change: without(Oid.extKeyUsage) })))).toBe("accepted")
    const clientsOnly = makeIntermediate(root, { change: withExtension(extendedKeyUsage(Oid.clientAuth)) })
    expect(reason(validate(makeLeaf(clientsOnly), [clientsOnly]))).toBe("extended_key_usage")
    expect(
      reason(validate(makeLeaf(clientsOnly, { usage: [Oid.clientAuth] }), [clientsOnly], { usage: Oid.clientAuth })),
    ).toBe("accepted")
  })

  it("4.2.1.3: a leaf with a keyUsage must allow the use", () => {
    const bad = makeLeaf(root, { change: withExtension(keyUsage("keyEncipherment")) })
    expect(reason(validate(bad, [], { keyUsage: KeyUsage.digitalSignature }))).toBe("key_usage")
    expect(reason(validate(bad))).toBe("accepted")
    expect(
      reason(validate(makeLeaf(root, { change: without(Oid.keyUsage) }), [], { keyUsage: KeyUsage.digitalSignature })),
    ).toBe("accepted")
  })

  it("7.1: names are compared without case and spaces, whatever their string type", () => {
    const printable = (text: string): Uint8Array =>
      derSequence(derValue(0x31, derSequence(derOid(Oid.commonName), derValue(0x13, new TextEncoder().encode(text)))))
    const odd = makeIntermediate(root, { issuerName: printable("TEST  ROOT") })
    expect(reason(validate(makeLeaf(odd, { issuerName: printable(" test intermediate x") }), [odd]))).toBe(
      "unknown_issuer",
    )
    expect(reason(validate(makeLeaf(odd), [odd]))).toBe("accepted")
  })
})

describe("RFC 5280 4.2.1.10: name constraints along a path", () => {
  const constrained = makeIntermediate(root, {
    change: withExtension(
      nameConstraints([{ type: "dns", value: "example.com" }], [{ type: "dns", value: "secret.example.com" }]),
    ),
  })

  it("hold for every name of the leaf", () => {
    expect(reason(validate(makeLeaf(constrained, { names: ["example.com", "www.example.com"] }), [constrained]))).toBe(
      "accepted",
    )
    expect(reason(validate(makeLeaf(constrained, { names: ["example.com", "example.org"] }), [constrained]))).toBe(
      "name_constraints",
    )
    expect(reason(validate(makeLeaf(constrained, { names: ["*.example.com"] }), [constrained]))).toBe(
      "name_constraints",
    )
  })

  it("hold for intermediates, but not for self-issued ones", () => {
    const named = makeIntermediate(constrained, { change: withExtension(subjectAltName([toGeneralName("evil.org")])) })
    expect(reason(validate(makeLeaf(named), [constrained, named]))).toBe("name_constraints")
    const renewed = makeIntermediate(constrained, {
      subject: constrained.subject,
      change: withExtension(subjectAltName([toGeneralName("evil.org")])),
    })
    expect(reason(validate(makeLeaf(renewed), [constrained, renewed]))).toBe("accepted")
  })

  it("hold for a self-issued leaf", () => {
    const own = makeLeaf(constrained, { subject: constrained.subject, names: ["evil.org"] })
    expect(reason(validate(own, [constrained]))).toBe("name_constraints")
  })

  it("of an anchor hold, those of its certificate and those of the application", () => {
    const anchored = makeRoot({ change: withExtension(nameConstraints([{ type: "dns", value: "example.org" }])) })
    expect(reason(validate(makeLeaf(anchored), [], trusting(anchored)))).toBe("name_constraints")
    const own = (permitted: string[], excluded: string[] = []): Partial<PathRequest> => ({
      trust: new TrustStore([trustAnchor(root.der, { permittedNames: permitted, excludedNames: excluded })]),
    })
    expect(reason(validate(leaf, [ica], own(["example.com"])))).toBe("accepted")
    expect(reason(validate(leaf, [ica], own(["DNS:example.org", "IP:192.0.2.0/24"])))).toBe("name_constraints")
    expect(reason(validate(leaf, [ica], own(["example.com"], ["example.com"])))).toBe("name_constraints")
    const address = makeLeaf(root, { names: ["192.0.2.77"] })
    expect(reason(validate(address, [], own(["IP:192.0.2.64/26"])))).toBe("accepted")
    expect(reason(validate(address, [], own(["IP:192.0.2.0/26"])))).toBe("name_constraints")
    expect(() => trustAnchor(root.der, { permittedNames: ["*.example.com"] })).toThrow(/malformed/)
    expect(() => trustAnchor(root.der, { permittedNames: ["IP:192.0.2.0/33"] })).toThrow(/subnet/)
  })
})

describe("RFC 5937: an application's limits on its anchors", () => {
  const limited = (limits: Parameters<typeof trustAnchor>[1]): Partial<PathRequest> => ({
    trust: new TrustStore([trustAnchor(root.der, limits)]),
  })

  it("use, path length and date of issue", () => {
    expect(reason(validate(leaf, [ica], limited({ usages: ["clientAuth"] })))).toBe("extended_key_usage")
    expect(reason(validate(leaf, [ica], limited({ pathLength: 0 })))).toBe("path_too_long")
    expect(reason(validate(leaf, [ica], limited({ issuedUntil: now - 40 * day })))).toBe("unknown_issuer")
    expect(reason(validate(leaf, [ica], limited({ usages: ["serverAuth"], pathLength: 1, issuedUntil: now })))).toBe(
      "accepted",
    )
  })
})

describe("RFC 4158: several candidates", () => {
  it("cross-signed: the trusted one of two issuers is found, in either order", () => {
    const unknown = makeRoot({ subject: { commonName: "Unknown" } })
    const name = encodeName({ commonName: "Cross" })
    const one = makeIntermediate(unknown, { subject: name, key: 50 })
    const two = makeIntermediate(root, { subject: name, key: 50 })
    const end = makeLeaf(one)
    expect(reason(validate(end, [one, two]))).toBe("accepted")
    expect(reason(validate(end, [two, one, unknown]))).toBe("accepted")
  })

  it("a dead end (expired, constrained) does not hide the good path", () => {
    const name = encodeName({ commonName: "Cross" })
    const expired = makeIntermediate(root, { subject: name, key: 51, notAfter: now - day })
    const constrained = makeIntermediate(root, {
      subject: name,
      key: 51,
      change: withExtension(nameConstraints([{ type: "dns", value: "example.org" }])),
    })
    const good = makeIntermediate(root, { subject: name, key: 51 })
    const end = makeLeaf(good)
    expect(reason(validate(end, [expired, constrained, good]))).toBe("accepted")
    expect(reason(validate(end, [expired, constrained]))).not.toBe("accepted")
  })

  it("a loop of authorities that sign for each other ends", () => {
    const a = encodeName({ commonName: "A" })
    const b = encodeName({ commonName: "B" })
    const dummyB: Issued = makeRoot({ subject: b, key: 61 })
    const aByB = makeIntermediate(dummyB, { subject: a, key: 60 })
    const bByA = makeIntermediate(makeRoot({ subject: a, key: 60 }), { subject: b, key: 61 })
    expect(reason(validate(makeLeaf(aByB), [aByB, bByA]))).toBe("unknown_issuer")
  })

  it("what tells most is reported: an expired issuer rather than an unknown one", () => {
    const unknown = makeRoot({ subject: { commonName: "Unknown" } })
    const name = encodeName({ commonName: "Cross" })
    const one = makeIntermediate(unknown, { subject: name, key: 52 })
    const two = makeIntermediate(root, { subject: name, key: 52, notAfter: now - day })
    expect(reason(validate(makeLeaf(one), [one, two]))).toBe("expired")
  })
})

describe("hostile bundles end within their budget", () => {
  const quickly = (work: () => PathVerdict): PathVerdict => {
    // Processor time: a busy machine says nothing about the work.
    const from = process.cpuUsage()
    const verdict = work()
    expect(process.cpuUsage(from).user / 1000).toBeLessThan(1000)
    return verdict
  }

  it("hundreds of candidates of one name with other keys: signatures are counted", () => {
    const name = encodeName({ commonName: "Same" })
    const many = Array.from({ length: 300 }, (_, i) =>
      makeIntermediate(root, {
        subject: name,
        key: 5000 + i,
        change: (usual) => usual.filter((each) => each.oid !== Oid.subjectKeyIdentifier),
      }),
    )
    const end = makeLeaf(makeRoot({ subject: name, key: 4999 }))
    expect(reason(quickly(() => validate(end, many)))).toBe("limit_exceeded")
  })

  it("cross-signed authorities in layers: candidates are counted", () => {
    // Each of 6 layers has 4 certificates of one subject and key, so that there are 4^6 ways up to an unknown root.
    const unknown = makeRoot({ subject: { commonName: "Nowhere" }, key: 6999 })
    let above = unknown
    const all: Issued[] = []
    for (let layer = 0; layer < 6; layer++) {
      const subject = encodeName({ commonName: `Layer ${layer}` })
      const layerOnes = Array.from({ length: 4 }, (_, i) =>
        makeIntermediate(above, { subject, key: 6000 + layer, serial: Uint8Array.of(9, layer, i) }),
      )
      all.push(...layerOnes)
      above = layerOnes[0]!
    }
    expect(reason(quickly(() => validate(makeLeaf(above), all)))).toBe("limit_exceeded")
  })

  it("thousands of name constraints: comparisons are counted", () => {
    const names = (prefix: string): { type: "dns"; value: string }[] =>
      Array.from({ length: 1500 }, (_, i) => ({ type: "dns", value: `${prefix}${i}.example.com` }))
    const constrained = makeIntermediate(root, { change: withExtension(nameConstraints([], names("x"))) })
    const end = makeLeaf(constrained, { change: withExtension(subjectAltName(names("y"))) })
    expect(reason(quickly(() => validate(end, [constrained])))).toBe("limit_exceeded")
  })

  it("a chain of 200 self-issued authorities: the path's length is limited", () => {
    const subject = encodeName({ commonName: "Self" })
    let above = makeRoot({ subject, key: 7000 })
    const all: Issued[] = []
    for (let i = 1; i < 200; i++) {
      above = makeIntermediate(above, { subject, key: 7000 + i })
      all.push(above)
    }
    expect(["path_too_long", "limit_exceeded", "bad_signature"]).toContain(
      reason(quickly(() => validate(makeLeaf(above), all))),
    )
  })
})

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
      "unsupported_certificate",
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

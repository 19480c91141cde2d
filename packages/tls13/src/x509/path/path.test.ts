import { describe, expect, it } from "vitest"
import {
  extension,
  type Issued,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  now,
  provider,
  withExtension,
  without,
} from "../../../tests/x509/pki.ts"
import { day, reason, root, trusting, validate } from "../../../tests/x509/validate.ts"
import {
  basicConstraints,
  type Extension,
  extendedKeyUsage,
  keyUsage,
  nameConstraints,
  subjectAltName,
  subjectKeyIdentifier,
} from "../../devcert/extensions.ts"
import { encodeName, toGeneralName } from "../../devcert/names.ts"
import { derNull, derOid, derSequence, derValue } from "../der/der-writer.ts"
import {
  createCertificateVerifier,
  KeyUsage,
  Oid,
  type PathRequest,
  type PathVerdict,
  TrustStore,
  trustAnchor,
} from "../index.ts"

const ica = makeIntermediate(root)
const leaf = makeLeaf(ica)

describe("RFC 5280 6.1: a path", () => {
  it("goes from the leaf over the intermediates to the anchor", () => {
    const verdict = validate(leaf, [ica])
    expect(verdict.accepted && verdict.path.map((each) => each.der)).toEqual([leaf.der, ica.der, root.der])
  })

  // Requirement 4.5.1-9
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

  it("with a self-signed leaf says that it is not trusted, whoever else has its name", () => {
    const own = { subject: { commonName: "Own" }, extensions: [subjectAltName([toGeneralName("example.com")])] }
    const [leaf, namesake, authority] = [makeRoot(own), makeRoot(own), makeRoot({ subject: { commonName: "Own" } })]
    for (const trusted of [namesake, authority]) {
      const verdict = validate(leaf, [], trusting(root, trusted))
      expect(reason(verdict)).toBe("unknown_issuer")
      expect(!verdict.accepted && verdict.problem.message).toMatch(/self-signed and not one of the trusted/)
    }
  })

  it("with a root that has the name of a trusted one says so", () => {
    const [other, namesake] = [1, 2].map(() => makeRoot({ subject: { commonName: "Twice" } }))
    const verdict = validate(makeLeaf(other!), [other!], trusting(namesake!))
    expect(reason(verdict)).toBe("unknown_issuer")
    expect(!verdict.accepted && verdict.problem.message).toMatch(/root that is not one of the trusted/)
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
    // What an application permits is all that it permits: no other form of name, and by an empty list nothing.
    const both = makeLeaf(root, { names: ["example.com", "192.0.2.77"] })
    expect(reason(validate(address, [], own(["example.com"])))).toBe("name_constraints")
    expect(reason(validate(both, [], own(["example.com"])))).toBe("name_constraints")
    expect(reason(validate(both, [], own(["example.com", "IP:192.0.2.77"])))).toBe("accepted")
    for (const each of [leaf, address, makeLeaf(root, { names: [] })]) {
      expect(reason(validate(each, [ica], own([])))).toBe("name_constraints")
    }
    expect(
      reason(validate(address, [], { trust: new TrustStore([trustAnchor(root.der, { excludedNames: ["x.org"] })]) })),
    ).toBe("accepted")
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

  it("RFC 5280 4.2.1.1: an issuer with another key identifier than the one wanted is passed over, and named so", () => {
    const name = encodeName({ commonName: "Renewed" })
    const [wanted, other] = [50, 51].map((key) => makeIntermediate(root, { subject: name, key })) as [Issued, Issued]
    const end = makeLeaf(wanted)
    expect(reason(validate(end, [other, wanted]))).toBe("accepted")
    const missing = validate(end, [other])
    expect(!missing.accepted && missing.problem).toMatchObject({
      reason: "unknown_issuer",
      message: expect.stringMatching(/none with the key that its authorityKeyIdentifier names/),
    })
    // Where one of both says nothing, the name and the signature decide; so they do for what the application trusts.
    const silent = makeLeaf(wanted, { change: without(Oid.authorityKeyIdentifier) })
    expect(reason(validate(silent, [other, wanted]))).toBe("accepted")
    const renamed = makeRoot({ key: 55, change: withExtension(subjectKeyIdentifier(Uint8Array.of(1, 2, 3))) })
    expect(reason(validate(makeLeaf(renamed), [], trusting(renamed)))).toBe("accepted")
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

  /** As many namesakes as wanted of which none made the leaf, each signed by the root: one right signature and a wrong one. */
  const namesakes = (count: number): readonly [Issued, readonly Issued[]] => {
    const subject = encodeName({ commonName: "Namesake" })
    const change = without(Oid.subjectKeyIdentifier)
    const authorities = Array.from({ length: count }, (_, i) =>
      makeIntermediate(root, { subject, key: 5400 + i, change }),
    )
    return [makeLeaf(makeRoot({ subject, key: 5399 })), authorities]
  }

  it("wrong signatures are counted: 18 are looked at, and one more ends the search", () => {
    expect(reason(validate(...namesakes(18)))).toBe("bad_signature")
    const past = validate(...namesakes(19))
    expect(reason(past)).toBe("limit_exceeded")
    expect(!past.accepted && past.problem).toMatchObject({
      alert: "certificate_unknown",
      message: expect.stringMatching(/more of the chain's signatures are wrong/),
    })
  })

  it("signatures are counted by what they cost: eight P-521 intermediates under a root of P-521 fit", () => {
    const top = makeRoot({ key: 5500, curve: "P-521" })
    const chain = [top]
    for (let i = 1; i <= 8; i++) chain.unshift(makeIntermediate(chain[0]!, { key: 5500 + i, curve: "P-521" }))
    const end = makeLeaf(chain[0]!)
    const under = (signatures?: number) =>
      validate(end, chain, { ...trusting(top), ...(signatures !== undefined && { budget: { signatures } }) })
    expect(reason(under())).toBe("accepted")
    expect(reason(under(9 * 6))).toBe("accepted")
    const past = under(9 * 6 - 1)
    expect(!past.accepted && past.problem).toMatchObject({
      reason: "limit_exceeded",
      message: expect.stringMatching(/more signature checks/),
    })
  })

  it("candidates are counted: as many steps as the path has suffice, one less does not", () => {
    const second = makeIntermediate(ica)
    const end = makeLeaf(second)
    // Two intermediates and the anchor.
    expect(reason(validate(end, [second, ica], { budget: { candidates: 3 } }))).toBe("accepted")
    expect(reason(validate(end, [second, ica], { budget: { candidates: 2 } }))).toBe("limit_exceeded")
  })

  it("keys of a peer's own making are not used: signatures are checked from the anchor down", () => {
    const checked: string[] = []
    const signatures = provider.signatures.map((algorithm) => ({
      ...algorithm,
      verify: (...asked: Parameters<typeof algorithm.verify>) => {
        checked.push(asked[0].type === "ec" ? asked[0].curve : asked[0].type)
        return algorithm.verify(...asked)
      },
    }))
    let above = makeRoot({ subject: root.subject, key: 5600, curve: "P-521" })
    const line: Issued[] = []
    for (let i = 1; i < 8; i++) {
      above = makeIntermediate(above, { key: 5600 + i, curve: "P-521" })
      line.push(above)
    }
    const verdict = validate(makeLeaf(above), line, { provider: { ...provider, signatures } })
    expect(reason(verdict)).toBe("bad_signature")
    expect(checked).toEqual(["P-256"])
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

  it("certificates full of extensions, or of policies, cost no more than their bytes", () => {
    const oid = (i: number): string => `1.2.${i % 128}.${1 + (i >> 7)}`
    const full = (list: Extension[]): Issued => makeLeaf(root, { change: (usual) => [...usual, ...list] })
    const empty = new Uint8Array(0)
    const extensions = full(Array.from({ length: 5000 }, (_, i) => ({ oid: oid(i), critical: false, value: empty })))
    const policies = derSequence(...Array.from({ length: 6500 }, (_, i) => derSequence(derOid(oid(i)))))
    const named = full([{ oid: Oid.certificatePolicies, critical: false, value: policies }])
    const verifier = createCertificateVerifier({ trust: new TrustStore([trustAnchor(root.der)]) })
    const end = makeLeaf(root)
    for (const { der } of [extensions, named]) {
      const from = process.cpuUsage()
      const verdict = verifier.verify({
        role: "server",
        type: "X509",
        chain: [end.der, ...new Array<Uint8Array>(31).fill(der)],
        serverName: "example.com",
        ocspResponse: undefined,
        signedCertificateTimestamps: undefined,
        now,
        provider,
      })
      expect(process.cpuUsage(from).user / 1000).toBeLessThan(1000)
      expect(verdict).toMatchObject({ accepted: true })
    }
    expect(() => extensions.certificate).toThrow(/more than 100 extensions/)
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

import { describe, expect, it } from "vitest"
import {
  extension,
  makeIntermediate,
  makeLeaf,
  makeRoot,
  now,
  provider,
  withExtension,
  without,
} from "../../tests/x509/pki.ts"
import { nameConstraints } from "../devcert/extensions.ts"
import { derNull } from "./der-writer.ts"
import { describeChain, describeChainAsData, Oid, TrustStore, trustAnchor, validatePath } from "./index.ts"

const day = 86_400_000
const root = makeRoot()
const ica = makeIntermediate(root, {
  pathLength: 0,
  change: withExtension(nameConstraints([{ type: "dns", value: "example.com" }])),
})
const leaf = makeLeaf(ica, { names: ["example.com", "192.0.2.1"] })
const trust = new TrustStore([trustAnchor(root.der)])
const verdictOf = (end: typeof leaf, at = now) =>
  validatePath({
    leaf: end.certificate,
    intermediates: [ica.certificate],
    trust,
    now: at,
    provider,
    usage: Oid.serverAuth,
  })

describe("a chain as people read it", () => {
  it("has names, days left, key, uses, constraints and the verdict", () => {
    const text = describeChain([leaf.der, ica.der], { now, verdict: verdictOf(leaf), provider })
    for (const line of [
      /^0 {2}CN=example.com$/m,
      /issued by +CN=Test Intermediate \d+/,
      /valid +2026-05-02 to 2026-07-31, 60 days left/,
      /names +DNS:example.com, IP:192.0.2.1/,
      /key +EC P-256/,
      /uses +digitalSignature, server authentication/,
      /authority +yes, no intermediates below/,
      /permitted +DNS:example.com/,
      /pin +sha256\/[A-Za-z0-9+/]{43}=/,
      /^trusted: CN=example.com < CN=Test Intermediate \d+ < CN=Test Root$/m,
    ]) {
      expect(text).toMatch(line)
    }
    expect(text).not.toContain("\x1b")
  })

  it("says what fails and why, in colour when asked", () => {
    const late = now + 100 * day
    const bad = makeLeaf(ica, { change: withExtension(extension("1.2.3.4", true, derNull())) })
    const text = describeChain([bad.der, Uint8Array.of(1), ica.der], {
      now: late,
      verdict: verdictOf(bad, late),
      colour: true,
    })
    expect(text).toContain("\x1b[31mexpired 40 days ago\x1b[0m")
    expect(text).toMatch(/critical extension 1.2.3.4 is not understood/)
    expect(text).toMatch(/1 {2}.*cannot be read/)
    expect(text).toMatch(
      /not trusted.* \(unknown_critical_extension, alert unsupported_certificate\): the certificate of CN=example.com is refused/,
    )
  })

  it("notes what only strict profiles mind", () => {
    expect(describeChain([makeLeaf(ica, { change: without(Oid.authorityKeyIdentifier) }).der], { now })).toMatch(
      /note +it has no authorityKeyIdentifier/,
    )
  })

  it("is data that JSON can hold", () => {
    const data = describeChainAsData([leaf.der, Uint8Array.of(0)], { now, verdict: verdictOf(leaf) })
    expect(JSON.parse(JSON.stringify(data))).toMatchObject({
      chain: [
        { subject: "CN=example.com", daysLeft: 60, authority: false, problems: [], notes: [] },
        { error: expect.any(String) },
      ],
      verdict: {
        accepted: true,
        path: ["CN=example.com", expect.stringMatching(/^CN=Test Intermediate/), "CN=Test Root"],
      },
    })
  })
})

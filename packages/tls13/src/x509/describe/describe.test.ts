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
} from "../../../tests/x509/pki.ts"
import { nameConstraints } from "../../devcert/extensions.ts"
import { derNull } from "../der/der-writer.ts"
import { describeChain, describeChainAsData, Oid, TrustStore, trustAnchor, validatePath } from "../index.ts"
import { remainingText } from "./describe.ts"
import { describeBundle } from "./describe-bundle.ts"

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
    const text = describeChain([leaf.der, ica.der], { now, verdict: verdictOf(leaf), provider, purpose: "as a server" })
    for (const line of [
      /^\u2714 example.com is trusted as a server$/m,
      /^ {2}CN=Test Root {2,}trusted, 60 days left$/m,
      /^ {2}\u2514\u2500 CN=Test Intermediate \d+ {2,}60 days left$/m,
      /^ {5}\u2514\u2500 CN=example.com {2,}60 days left$/m,
      /^\[0\] CN=example.com$/m,
      /issued by +CN=Test Intermediate \d+/,
      /valid +2026-05-02 to 2026-07-31, 60 days left/,
      /names +DNS:example.com, IP:192.0.2.1/,
      /key +EC P-256, signed with ecdsa-with-SHA256/,
      /SHA-256 +[0-9a-f]{64}/,
      /uses +digitalSignature, server authentication/,
      /authority +yes, no intermediates below/,
      /permitted +DNS:example.com/,
      /key pin +sha256\/[A-Za-z0-9+/]{43}=/,
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
    const plain = text.replaceAll(/\p{Cc}\[\d+m/gu, "")
    expect(plain).toMatch(/^\u2718 example.com is not trusted: unknown_critical_extension$/m)
    expect(plain).toMatch(/^ {2}the certificate of CN=example.com is refused: it has the critical extension 1.2.3.4,/m)
    expect(plain).toMatch(/^ {2}TLS alert: unsupported_certificate$/m)
    expect(plain).toMatch(/^\[1\] cannot be read\n {4}wrong +the certificate has the tag 0x01/m)
    expect(plain).toMatch(/^\[0\] CN=example.com\n {4}wrong +it has the critical extension 1.2.3.4/m)
    for (const line of plain.split("\n")) expect(line.length).toBeLessThanOrEqual(100)
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
        path: [
          { subject: "CN=example.com", remaining: "60 days left" },
          { subject: expect.stringMatching(/^CN=Test Intermediate/) },
          { subject: "CN=Test Root" },
        ],
      },
    })
  })

  it.each([
    [-60 * day - 1, "not valid for 30 days yet"],
    [-30 * day, "90 days left"],
    [59 * day, "24 hours left"],
    [60 * day - 119 * 60_000, "119 minutes left"],
    [58 * day, "2 days left"],
    [60 * day, "0 minutes left"],
    [60 * day + 90 * 60_000, "expired 90 minutes ago"],
    [60 * day + 5 * 3_600_000, "expired 5 hours ago"],
    [63 * day + 1, "expired 3 days ago"],
  ])("%i milliseconds from the middle: %s", (after, expected) => {
    expect(remainingText(leaf.certificate, now + after)).toBe(expected)
  })

  it("points at the certificate at fault, whatever the order of the chain", () => {
    const other = makeLeaf(ica, { names: ["example.org"] })
    const second = makeIntermediate(root)
    const data = describeChainAsData([other.der, second.der, ica.der], { now, verdict: verdictOf(other) })
    expect(data.verdict).toMatchObject({ accepted: false, reason: "name_constraints", index: 2 })
  })

  it("control characters of names never reach the terminal", () => {
    const evil = makeLeaf(ica, { subject: { commonName: "\x1b[2Jexample.com\r\nx" } })
    const text = describeChain([evil.der], { now, verdict: verdictOf(evil) })
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u)
    expect(text).toContain("\\1b[2Jexample.com")
  })
})

it("a list of authorities is a line each, those first that expire first", () => {
  const old = makeRoot({ subject: { commonName: "Old" }, notAfter: now - 3 * day })
  const { text, data } = describeBundle([root.der, Uint8Array.of(1), old.der], { now })
  expect(data).toMatchObject({ count: 3, valid: 1, expired: 1, unreadable: 1 })
  expect(text).toMatch(
    /^3 authorities, 1 not expired, 1 expired, 1 cannot be read\n\n +expired 3 days ago +EC P-256 +CN=Old\n +60 days left +EC P-256 +CN=Test Root\n +\[1\] certificate 2 cannot be read: /,
  )
})

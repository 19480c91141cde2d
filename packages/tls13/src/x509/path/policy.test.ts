import { describe, expect, it } from "vitest"
import { extension, type Issued, makeIntermediate, makeLeaf, makeRoot, now, provider } from "../../../tests/x509/pki.ts"
import type { Extension } from "../../devcert/extensions.ts"
import { derOid, derSequence, derSmall, derValue } from "../der/der-writer.ts"
import { Oid, TrustStore, trustAnchor, validatePath } from "../index.ts"

const root = makeRoot()
const gold = "1.3.9.1"
const silver = "1.3.9.2"

const policies = (...oids: string[]): Extension =>
  extension(Oid.certificatePolicies, false, derSequence(...oids.map((oid) => derSequence(derOid(oid)))))
const mapping = (...pairs: [string, string][]): Extension =>
  extension(Oid.policyMappings, true, derSequence(...pairs.map(([from, to]) => derSequence(derOid(from), derOid(to)))))
const requireExplicit = (skip: number): Extension =>
  extension(Oid.policyConstraints, true, derSequence(derValue(0x80, Uint8Array.of(skip))))
const inhibitMapping = (skip: number): Extension =>
  extension(
    Oid.policyConstraints,
    true,
    derSequence(derValue(0x80, Uint8Array.of(0)), derValue(0x81, Uint8Array.of(skip))),
  )
const inhibitAny = (skip: number): Extension => extension(Oid.inhibitAnyPolicy, true, derSmall(skip))

const add =
  (...more: Extension[]) =>
  (usual: readonly Extension[]): readonly Extension[] => [...usual, ...more]

function reason(leafExtensions: Extension[], between: Extension[][], required?: string[]): string {
  let issuer: Issued = root
  const intermediates: Issued[] = []
  for (const extensions of between) {
    issuer = makeIntermediate(issuer, { change: add(...extensions) })
    intermediates.push(issuer)
  }
  const verdict = validatePath({
    leaf: makeLeaf(issuer, { change: add(...leafExtensions) }).certificate,
    intermediates: intermediates.map((each) => each.certificate),
    trust: new TrustStore([trustAnchor(root.der)]),
    now,
    provider,
    ...(required ? { policies: required } : {}),
  })
  return verdict.accepted ? "accepted" : verdict.problem.reason
}

describe("RFC 5280 6.1, RFC 9618: certificate policies", () => {
  it.each([
    ["nothing is asked: policies do not matter", [policies(gold)], [[policies(silver)]], undefined, "accepted"],
    [
      "requireExplicitPolicy 0 and one policy throughout",
      [policies(gold)],
      [[policies(gold), requireExplicit(0)]],
      undefined,
      "accepted",
    ],
    [
      "requireExplicitPolicy 0 and two different ones",
      [policies(silver)],
      [[policies(gold), requireExplicit(0)]],
      undefined,
      "policy",
    ],
    ["requireExplicitPolicy 0 and none", [], [[policies(gold), requireExplicit(0)]], undefined, "policy"],
    ["requireExplicitPolicy that begins below the path", [], [[requireExplicit(5)]], undefined, "accepted"],
    ["requireExplicitPolicy 0 in the leaf itself", [requireExplicit(0)], [[policies(gold)]], undefined, "policy"],
    ["anyPolicy above", [policies(gold)], [[policies(Oid.anyPolicy), requireExplicit(0)]], undefined, "accepted"],
    [
      "anyPolicy inhibited",
      [policies(gold)],
      [[inhibitAny(0), requireExplicit(0)], [policies(Oid.anyPolicy)]],
      undefined,
      "policy",
    ],
    [
      "a mapped policy",
      [policies(silver)],
      [[policies(gold), requireExplicit(0), mapping([gold, silver])]],
      undefined,
      "accepted",
    ],
    [
      "a mapped policy under its old name",
      [policies(gold)],
      [[policies(gold), requireExplicit(0), mapping([gold, silver])]],
      undefined,
      "policy",
    ],
    [
      "mapping inhibited",
      [policies(silver)],
      [
        [policies(gold), inhibitMapping(0)],
        [policies(gold), mapping([gold, silver])],
      ],
      undefined,
      "policy",
    ],
    ["the application wants it, and it is there", [policies(gold)], [[policies(gold)]], [gold], "accepted"],
    ["the application wants another", [policies(gold)], [[policies(gold)]], [silver], "policy"],
    [
      "the application wants the name of before the mapping",
      [policies(silver)],
      [[policies(gold), mapping([gold, silver])]],
      [gold],
      "accepted",
    ],
    [
      "the application wants one of a path that says any",
      [policies(Oid.anyPolicy)],
      [[policies(Oid.anyPolicy)]],
      [gold],
      "accepted",
    ],
  ] as [string, Extension[], Extension[][], string[] | undefined, string][])(
    "%s",
    (_, leaf, between, required, expected) => {
      expect(reason(leaf, between, required)).toBe(expected)
    },
  )

  it("RFC 9618: many mappings stay linear, and too many policies are refused", () => {
    const many = Array.from({ length: 120 }, (_, i) => `1.3.9.${i + 10}`)
    const all = many.flatMap((a) => [[a, many[0]!] as [string, string]])
    const from = process.cpuUsage()
    expect(
      reason(
        [policies(many[0]!)],
        [
          [policies(...many), mapping(...all), requireExplicit(0)],
          [policies(...many), mapping(...all)],
        ],
      ),
    ).toBe("accepted")
    expect(process.cpuUsage(from).user / 1000).toBeLessThan(500)
    const tooMany = Array.from({ length: 200 }, (_, i) => `1.3.9.${i + 10}`)
    expect(reason([policies(...tooMany)], [[policies(gold), requireExplicit(0)]])).toBe("limit_exceeded")
  })
})

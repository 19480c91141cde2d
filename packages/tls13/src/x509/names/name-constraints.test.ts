import { describe, expect, it } from "vitest"
import { fromHex } from "../../bytes/hex.ts"
import { asciiToBytes } from "../../bytes/text.ts"
import { encodeName } from "../../devcert/names.ts"
import { Der } from "../der/der.ts"
import { derOid, derSequence, derSmall, derValue } from "../der/der-writer.ts"
import { type GeneralName, readGeneralName } from "./general-name.ts"
import { namesProblem, readNameConstraints } from "./name-constraints.ts"

const kinds = { email: 0x81, dns: 0x82, uri: 0x86 } as const

function encoded(text: string): Uint8Array {
  const [kind, value] = [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1)]
  if (kind === "ip") return derValue(0x87, fromHex(value))
  if (kind === "dir") return derValue(0xa4, encodeName(JSON.parse(value)))
  if (kind === "other") return derValue(0xa0, derOid(value), derValue(0xa0, derSmall(1)))
  return derValue(kinds[kind as keyof typeof kinds], asciiToBytes(value))
}

const subtrees = (tag: number, names: readonly string[]): Uint8Array[] =>
  names.length === 0 ? [] : [derValue(tag, ...names.map((each) => derSequence(encoded(each))))]

function constraints(
  permitted: readonly string[],
  excluded: readonly string[] = [],
): ReturnType<typeof readNameConstraints> {
  return readNameConstraints(new Der(derSequence(...subtrees(0xa0, permitted), ...subtrees(0xa1, excluded))))
}

function name(text: string): GeneralName {
  return readGeneralName(new Der(encoded(text)), "a name", [4, 16])
}

function allowed(names: readonly string[], permitted: readonly string[], excluded: readonly string[] = []): boolean {
  return namesProblem(names.map(name), constraints(permitted, excluded), { comparisons: 1000 }) === undefined
}

describe("RFC 5280 4.2.1.10: permitted subtrees", () => {
  it.each([
    ["dns:example.com", "dns:example.com", true],
    ["dns:a.b.EXAMPLE.com", "dns:example.com", true],
    ["dns:notexample.com", "dns:example.com", false],
    ["dns:com", "dns:example.com", false],
    ["dns:anything.org", "dns:", true],
    ["dns:*.example.com", "dns:example.com", true],
    ["dns:*.example.com", "dns:www.example.com", false],
    ["dns:.example.com", "dns:example.com", false],
    ["email:a@example.com", "email:example.com", true],
    ["email:a@EXAMPLE.com", "email:a@example.com", true],
    ["email:A@example.com", "email:a@example.com", false],
    ["email:a@www.example.com", "email:example.com", false],
    ["email:a@www.example.com", "email:.example.com", true],
    ["email:a@example.com", "email:.example.com", false],
    ["email:*@example.com", "email:*@example.com", true],
    ["email:a@example.com", "email:*@example.com", false],
    ["email:a@b@example.com", "email:example.com", false],
    ["uri:https://example.com/x", "uri:example.com", true],
    ["uri:https://u:p@www.example.com:8443/x", "uri:.example.com", true],
    ["uri:https://www.example.com/x", "uri:example.com", false],
    ["uri:https://192.0.2.1/", "uri:example.com", false],
    ["uri:urn:x:y", "uri:example.com", false],
    ["ip:c0000201", "ip:c0000200ffffff00", true],
    ["ip:c0000301", "ip:c0000200ffffff00", false],
    ["ip:20010db8000000000000000000000001", "ip:c0000200ffffff00", false],
    ['dir:{"organization":"Acme","commonName":"x"}', 'dir:{"organization":"ACME"}', true],
    ['dir:{"organization":" acme ","commonName":"x"}', 'dir:{"organization":"Acme"}', true],
    ['dir:{"organization":"Acme Two"}', 'dir:{"organization":"Acme"}', false],
    ['dir:{"commonName":"Acme"}', 'dir:{"organization":"Acme"}', false],
    ['dir:{"organization":"Acme\\"\\n2.5.4.3=\\"x"}', 'dir:{"organization":"Acme","commonName":"x"}', false],
    ["other:1.2.3", "other:1.2.3", false],
    ["dns:example.com", "ip:c0000200ffffff00", true],
    ["dns:example.com", "other:1.2.3", true],
  ])("%s within %s: %s", (presented, base, expected) => {
    expect(allowed([presented], [base])).toBe(expected)
  })
})

describe("RFC 5280 4.2.1.10: excluded subtrees", () => {
  it.each([
    ["dns:www.example.com", "dns:example.com", false],
    ["dns:example.org", "dns:example.com", true],
    // A wildcard stands for each of its names.
    ["dns:*.example.com", "dns:bar.example.com", false],
    ["dns:*.example.com", "dns:foo.bar.example.com", true],
    ["dns:*.example.com", "dns:example.com", false],
    ["other:1.2.3", "other:1.2.3", false],
    ["dns:example.com", "other:1.2.3", true],
  ])("%s beside %s: %s", (presented, base, expected) => {
    expect(allowed([presented], [], [base])).toBe(expected)
  })

  it("win over permitted ones", () => {
    expect(allowed(["dns:example.com"], ["dns:example.com"], ["dns:example.com"])).toBe(false)
  })

  it("every name counts, not only the first", () => {
    expect(allowed(["dns:example.com", "dns:evil.org"], ["dns:example.com"])).toBe(false)
  })
})

describe("RFC 5280 4.2.1.10: malformed constraints", () => {
  it.each([
    ["a DNS name with a wildcard", ["dns:*.example.com"], /malformed constraint/],
    ["a DNS name with a leading period", [`dns:${".example.com"}`], /leading period/],
    ["an address without a mask", ["ip:c0000201"], /4 bytes/],
    ["a mask with holes", ["ip:c0000200ff00ff00"], /contiguous/],
    ["a mailbox with two @", ["email:a@b@example.com"], /e-mail/],
    ["a URI instead of its host", ["uri:https://example.com"], /URI/],
  ])("%s", (_, permitted, problem) => {
    expect(() => constraints(permitted)).toThrow(problem)
  })

  it("a subtree with a minimum", () => {
    const subtree = derSequence(encoded("dns:example.com"), derValue(0x80, Uint8Array.of(1)))
    expect(() => readNameConstraints(new Der(derSequence(derValue(0xa0, subtree))))).toThrow(/minimum/)
  })
})

it("comparisons are counted, and end", () => {
  const budget = { comparisons: 5 }
  const many = Array.from({ length: 10 }, (_, i) => `dns:h${i}.example.com`)
  expect(namesProblem([name("dns:example.org")], constraints(many), budget)).toEqual({ limit: true })
})

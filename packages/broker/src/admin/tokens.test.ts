import { describe, expect, it } from "vitest"
import { Attempts, attemptEvery, freeAttempts } from "./http/attempts.ts"
import { Recent } from "./recent.ts"
import { findToken, parseTokens, tokenLine } from "./tokens.ts"

describe("a file of tokens", () => {
  it("has names, scopes and digests, and not the tokens", () => {
    const text = `# comment\n\n${tokenLine("ann@laptop", "operate", "puremq_secret")}\r\n${tokenLine("b", "read", "other")}\n`
    expect(text).not.toContain("secret")
    const tokens = parseTokens(text)
    expect(tokens.map(({ name, scope }) => `${name} ${scope}`)).toEqual(["ann@laptop operate", "b read"])
    expect(findToken(tokens, "puremq_secret")?.name).toBe("ann@laptop")
    expect(findToken(tokens, "other")?.name).toBe("b")
    for (const wrong of ["", "puremq_secre", "puremq_secret ", "Other"])
      expect(findToken(tokens, wrong)).toBeUndefined()
    expect(findToken([], "x")).toBeUndefined()
  })

  it.each([
    ["nonsense", "line 1 is not NAME:read:SHA256"],
    [`a:write:${"0".repeat(64)}`, "line 1 is not"],
    [`a:read:${"0".repeat(63)}`, "line 1 is not"],
    [`a:read:${"G".repeat(64)}`, "line 1 is not"],
    [`a b:read:${"0".repeat(64)}`, "line 1 is not"],
    [`a:read:${"0".repeat(64)}\na:operate:${"1".repeat(64)}`, "line 2: there is a token a already"],
  ])("%s is none", (text, problem) => {
    expect(() => parseTokens(text)).toThrow(problem)
  })

  it("has 1000 at most", () => {
    const lines = Array.from({ length: 1001 }, (_, i) => `t${i}:read:${"0".repeat(64)}`)
    expect(parseTokens(lines.slice(1).join("\n"))).toHaveLength(1000)
    expect(() => parseTokens(lines.join("\n"))).toThrow("line 1001: 1000 tokens are the most")
  })
})

describe("failed attempts", () => {
  it("so many of an address are answered, then one each few seconds; others are not held up", () => {
    const attempts = new Attempts()
    for (let i = 0; i < freeAttempts; i++) expect(attempts.failed(`192.0.2.1:${i}`, 0)).toBe(0)
    expect(attempts.failed("192.0.2.1:99", 0)).toBe(attemptEvery)
    expect(attempts.failed("192.0.2.2:1", 0)).toBe(0)
    expect(attempts.failed("192.0.2.1:1", attemptEvery - 1)).toBeGreaterThan(0)
    expect(attempts.failed("192.0.2.1:1", attemptEvery + 1)).toBe(0)
    expect(attempts.failed("192.0.2.1:1", attemptEvery + 1)).toBeGreaterThan(0)
  })

  it("a /64 of IPv6 is one address, and a thousand addresses are remembered", () => {
    const attempts = new Attempts()
    for (let i = 0; i < freeAttempts; i++) attempts.failed(`[2001:db8::${i}]:1`, 0)
    expect(attempts.failed("[2001:db8::ffff]:1", 0)).toBeGreaterThan(0)
    for (let i = 0; i < 1024; i++) attempts.failed(`10.0.${i >> 8}.${i & 255}:1`, 0)
    expect(attempts.failed("[2001:db8::1]:1", 0)).toBe(0)
  })
})

describe("the last of what happened", () => {
  it("is read newest first, page by page, while more comes", () => {
    const recent = new Recent<string>(3)
    expect([...recent.newest()]).toEqual([])
    for (const text of ["a", "b", "c", "d"]) recent.add(text)
    expect([...recent.newest()].map(({ id, entry }) => `${id}${entry}`)).toEqual(["4d", "3c", "2b"])
    recent.add("e")
    expect([...recent.newest(4)].map(({ id, entry }) => `${id}${entry}`)).toEqual(["3c"])
    expect([...recent.newest(1)]).toEqual([])
    expect([...recent.newest(-5)]).toEqual([])
    expect([...recent.newest(Number.NaN)]).toEqual([])
  })
})

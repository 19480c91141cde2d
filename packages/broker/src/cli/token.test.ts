import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { findToken, parseTokens } from "../admin/tokens.ts"
import { token } from "./token.ts"

let folder = ""
const file = () => join(folder, "tokens")
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "puremq-token-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function run(...args: string[]): Promise<string> {
  const lines: string[] = []
  await token([file(), ...args], (line) => lines.push(line))
  return lines.join("\n")
}

describe("puremq token", () => {
  it("prints a token once, and keeps its SHA-256 alone, in a file that others cannot read", async () => {
    const [one, two] = [await run("dashboard"), await run("ann", "--scope", "operate")]
    expect(one).toMatch(/^puremq_[\w-]{43}$/)
    expect(one).not.toBe(two)
    const text = readFileSync(file(), "utf8")
    expect(text).toMatch(/^dashboard:read:[0-9a-f]{64}\nann:operate:[0-9a-f]{64}\n$/)
    expect(text).not.toContain(one.slice(7))
    expect(findToken(parseTokens(text), two)).toMatchObject({ name: "ann", scope: "operate" })
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  it("puts another in its place when that is meant, and takes one out; the last leaves a comment", async () => {
    const before = await run("one")
    await expect(run("one")).rejects.toThrow(/has a token one already: --force/)
    const after = await run("one", "--force", "--scope", "operate")
    const tokens = parseTokens(readFileSync(file(), "utf8"))
    expect([findToken(tokens, before), findToken(tokens, after)?.scope]).toEqual([undefined, "operate"])
    expect(await run("one", "--delete")).toMatch(/^Deleted one from/)
    expect(parseTokens(readFileSync(file(), "utf8"))).toEqual([])
    await expect(run("one", "--delete")).rejects.toThrow(/has no token one/)
    expect(await run("again")).toMatch(/^puremq_/)
  })

  it.each([
    [[], /expected FILE and NAME/],
    [["a", "b"], /expected FILE and NAME/],
    [["a b"], /NAME has 1 to 64/],
    [["a", "--scope", "write"], /--scope is read or operate, not write/],
  ])("%j is refused", async (args, problem) => {
    await expect(run(...args)).rejects.toThrow(problem)
  })

  it("does not write over a file that is something else", async () => {
    writeFileSync(file(), "user:$scrypt$...\n")
    await expect(run("a")).rejects.toThrow(/cannot use the token file .*, line 1 is not NAME:read:SHA256/)
    expect(readFileSync(file(), "utf8")).toBe("user:$scrypt$...\n")
  })
})

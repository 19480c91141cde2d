// `npm run release` refuses what is not to be published before it tries anything.

import { execFileSync, spawnSync } from "node:child_process"
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
let scratch = ""
const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], { cwd: scratch, stdio: "pipe" })

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "release-"))
  for (const path of [
    ...["scripts/release", "scripts/snippets", "runtime-tests", "scripts/floors"],
    ...["tls13", "broker"].flatMap((name) => [`packages/${name}/package.json`, `packages/${name}/jsr.json`]),
    ...["CHANGELOG.md", ".gitignore"],
  ]) {
    cpSync(join(root, path), join(scratch, path), { recursive: true })
  }
  symlinkSync(join(root, "node_modules"), join(scratch, "node_modules"))
  appendFileSync(join(scratch, ".gitignore"), "node_modules\n")
  git("init", "-q")
})
afterEach(() => rmSync(scratch, { recursive: true }))

function change(path: string, from: string, to: string): void {
  const before = readFileSync(join(scratch, path), "utf8")
  expect(before).toContain(from)
  writeFileSync(join(scratch, path), before.replaceAll(from, to))
}

function release(option: string): { status: number | null; lines: string[] } {
  const { status, stdout } = spawnSync(process.execPath, ["scripts/release/main.mjs", option], {
    cwd: scratch,
    encoding: "utf8",
    timeout: 60_000,
  })
  return { status, lines: stdout.split("\n").filter((line) => /^(FAILED|release:)/.test(line)) }
}

const version = '"version": "0.1.0"'
it.each<[string, string, () => void, RegExp[]]>([
  [
    "a tree with changes",
    "--dry-run",
    () => writeFileSync(join(scratch, "new.ts"), ""),
    [/^FAILED {2}no change in the tree [^:]+: new\.ts not committed/],
  ],
  [
    "a version without an entry",
    "--dry-run",
    () => change("CHANGELOG.md", "[0.1.0]", "[0.0.9]"),
    [/^FAILED {2}[^:]+: CHANGELOG\.md has no entry "## \[0\.1\.0\] - DATE"/],
  ],
  [
    "another version for JSR",
    "--dry-run",
    () => change("packages/tls13/jsr.json", version, '"version": "0.2.0"'),
    [
      /^FAILED {2}one version[^:]+: packages\/tls13\/jsr\.json has 0\.2\.0, packages\/tls13\/package\.json has 0\.1\.0$/,
    ],
  ],
  [
    "another version of what a package depends on",
    "--dry-run",
    () => change("packages/broker/package.json", '"@puremq/tls13": "0.1.0"', '"@puremq/tls13": "^0.1.0"'),
    [/^FAILED {2}one version[^:]+: packages\/broker\/package\.json, @puremq\/tls13 has \^0\.1\.0/],
  ],
  [
    "to publish, with an entry that has no date",
    "--publish",
    () => change("CHANGELOG.md", "## [0.1.0] - ", "## [0.1.0] - not yet "),
    [/^FAILED {2}[^:]+: CHANGELOG\.md: "## \[0\.1\.0\] - not yet [^"]*" has no date$/],
  ],
])("%s is refused", { timeout: 90_000 }, (what, option, spoil, expected) => {
  if (what !== "a tree with changes") spoil()
  git("add", "-A")
  git("commit", "-qm", "all")
  if (what === "a tree with changes") spoil()
  const { status, lines } = release(option)
  expect(lines).toEqual([...expected.map((each) => expect.stringMatching(each)), expect.stringMatching(/ 1 failed$/)])
  expect(status).toBe(1)
})

// Reads the requirements, the tests and the page, and gives the page as it should be.

import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { renderInto, share } from "./render.ts"
import { coverage, listProblems, type RequirementsFile, scanFile } from "./requirements.ts"

export const page = "docs/conformance.md"
const list = "test-vectors/rfc9846/requirements.json"
const folders = ["packages/tls13/src", "packages/tls13/tests"]

export interface Generated {
  readonly page: string
  readonly problems: readonly string[]
  /** For people: how many of each role's requirements are shown. */
  readonly summary: string
}

/** @param root the root of the repository */
export function generate(root: string): Generated {
  const file = JSON.parse(readFileSync(join(root, list), "utf8")) as RequirementsFile
  const tests = testFiles(root).map((path) => ({ path, source: readFileSync(join(root, path), "utf8") }))
  const scans = tests.map(({ path, source }) => scanFile(path, source, file.requirements, isTableOfTests(path, tests)))
  const covered = coverage(
    file.requirements,
    scans.flatMap(({ evidence }) => evidence),
  )
  const summary = (["client", "server"] as const)
    .map((role) => share(covered, role))
    .map(({ shown, all }, index) => `${["client", "server"][index]} ${shown} of ${all}`)
  return {
    page: renderInto(readFileSync(join(root, page), "utf8"), file, covered),
    problems: [...listProblems(file.requirements), ...scans.flatMap(({ problems }) => problems)],
    summary: `RFC 9846, requirements shown by a test: ${summary.join(", ")}`,
  }
}

interface TestFile {
  readonly path: string
  readonly source: string
}

/** Everything that is tested from: test files, and what stands beside them. */
function testFiles(root: string): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
      .filter((path) => path.endsWith(".test.ts") || (folder.endsWith("/tests") && path.endsWith(".ts")))
      .sort(),
  )
}

/** Whether a file's rows are tests: one with `it.each` or `it.for` imports it. */
function isTableOfTests(path: string, tests: readonly TestFile[]): boolean {
  if (path.endsWith(".test.ts")) return false
  const [, name] = /([^/]+)$/.exec(path) ?? []
  return tests.some(
    ({ path: test, source }) =>
      test.endsWith(".test.ts") && source.includes(`/${name}"`) && /\bit\.(?:each|for)\(/.test(source),
  )
}

// A command of a fresh clone builds once: what the build makes is none of the sources that it is made of.

import { execFileSync } from "node:child_process"
import { existsSync, statSync, utimesSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const script = "./sources-state.mjs"
const { generated, sourcesState } = (await import(script)) as {
  readonly generated: readonly string[]
  readonly sourcesState: (root: string) => string
}

it("what git does not keep of the sources is made by a build", () => {
  const args = ["ls-files", "--others", "--ignored", "--exclude-standard", "--", "packages/*/src"]
  const ignored = execFileSync("git", args, { cwd: root, encoding: "utf8" })
    .split("\n")
    .filter((path) => path !== "")
  expect(ignored.filter((path) => !generated.some((own) => path === own || path.startsWith(`${own}/`)))).toEqual([])
})

it("the state of the sources is the same before and after it is made", () => {
  const before = sourcesState(root)
  const file = join(root, "packages/broker/src/admin/http/page/files.ts")
  expect(existsSync(file)).toBe(true)
  const { atime, mtimeMs } = statSync(file)
  utimesSync(file, atime, new Date(mtimeMs + 1000))
  expect(sourcesState(root)).toBe(before)
})

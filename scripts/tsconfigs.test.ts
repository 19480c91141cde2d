// Every TypeScript file of the repository belongs to a project: an editor and the compiler see it with the options that are meant.

import { execFileSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
/** Neither is ours. */
const leftOut = ["node_modules", "dist", ".git", ".peers"]

it("each source is in a tsconfig, and each tsconfig has sources", { timeout: 120_000 }, () => {
  const files = filesUnder(root)
  const projects = files.filter((path) => /(^|\/)tsconfig(\.\w+)?\.json$/.test(path) && !path.endsWith("base.json"))
  expect(projects.length).toBeGreaterThan(6)
  const covered = new Set<string>()
  for (const project of projects) {
    const own = listed(project)
    const isOnlyReferences = project === "tsconfig.json"
    expect(own.length > 0 || isOnlyReferences, project).toBe(true)
    for (const path of own) covered.add(path)
  }
  const sources = files.filter((path) => /\.tsx?$/.test(path))
  expect(sources.length).toBeGreaterThan(900)
  expect(sources.filter((path) => !covered.has(path))).toEqual([])
})

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isFile()) return [relative(root, path)]
    return entry.isDirectory() && !leftOut.includes(entry.name) ? filesUnder(path) : []
  })
}

function listed(project: string): string[] {
  const compiler = join(root, "node_modules/typescript/bin/tsc")
  const text = execFileSync(process.execPath, [compiler, "-p", project, "--listFilesOnly"], {
    cwd: root,
    encoding: "utf8",
  })
  return text
    .split("\n")
    .filter((line) => line.startsWith(root) && !line.includes("/node_modules/"))
    .map((line) => relative(root, line))
}

// The packages for JSR: the sources that the entry points of jsr.json lead to, and no others, in a folder without package.json and
// tsconfig.json, which `deno publish` would follow. They are taken from the tarball, so that both registries get the same.

import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"
import { load } from "./load.mjs"
import { programsOfPage, runnable } from "./pages.mjs"
import { root, run, skipUnreachable } from "./run.mjs"
import { tool } from "./tools.mjs"

const { scan } = await load("scripts/floors/scan.ts")

/** @param described where its jsr.json is, from the root @throws Skipped, Error for what JSR would not take */
export async function assembleForJsr({ file }, described, folder) {
  const unpacked = `${folder}-unpacked`
  mkdirSync(unpacked, { recursive: true })
  mkdirSync(folder)
  await run("tar", ["-xzf", file, "-C", unpacked, "--strip-components=1"])
  copyFileSync(join(root, described, "jsr.json"), join(folder, "jsr.json"))
  const { exports } = JSON.parse(readFileSync(join(folder, "jsr.json"), "utf8"))
  const sources = reachedFrom(unpacked, Object.values(exports).map(posix.normalize))
  for (const path of ["LICENSE", "README.md", ...sources]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(unpacked, path), join(folder, path))
  }
  await tool("deno", ["publish", "--dry-run", "--quiet"], { cwd: folder }).catch(skipUnreachable)
}

function reachedFrom(folder, begin) {
  const reached = new Set(begin)
  for (const path of reached) {
    for (const { specifier = "" } of scan(readFileSync(join(folder, path), "utf8")).imports) {
      if (specifier.startsWith(".")) reached.add(posix.join(posix.dirname(path), specifier))
    }
  }
  return reached
}

/** Runs what its page shows with these entry points alone, on Deno. */
export async function tryJsrSources(folder) {
  const { name, exports, imports = {} } = JSON.parse(readFileSync(join(folder, "jsr.json"), "utf8"))
  const own = Object.fromEntries(Object.entries(exports).map(([entry, source]) => [entry.replace(".", name), source]))
  writeFileSync(join(folder, "try.json"), JSON.stringify({ imports: { ...imports, ...own } }))
  const example = programsOfPage(folder, "README.md").find(({ text }) =>
    [...text.matchAll(/from "([^"]+)"/g)].every(([, specifier]) => Object.hasOwn(own, specifier)),
  )
  if (example === undefined) throw new Error("its README.md has no example of these entry points alone")
  writeFileSync(join(folder, "try.mjs"), await runnable(example.text))
  await tool("deno", ["run", "--quiet", "--allow-all", "--no-lock", "--config", "try.json", "try.mjs"], { cwd: folder })
}

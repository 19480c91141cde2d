// What a build is made of, so that the next command knows whether it is still that.

import { createHash } from "node:crypto"
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"

/** Files and folders among the sources that a build makes, and that it would otherwise take for changes of them: it built twice. */
export const generated = [
  "packages/broker/src/admin/http/page/files.ts",
  "packages/tls13/src/crypto/fast/webassembly/modules",
]

/** A hash of the path, size and time of every file that a build reads. @param root of the repository */
export function sourcesState(root) {
  const inRoot = (...path) => join(root, ...path)
  const hash = createHash("sha256")
  const add = (path) => {
    const plain = path.replaceAll("\\", "/")
    if (generated.some((own) => plain === own || plain.startsWith(`${own}/`))) return
    const { size, mtimeMs } = statSync(inRoot(path))
    hash.update(`${path} ${size} ${mtimeMs}\n`)
  }
  for (const file of [
    "package-lock.json",
    "tsconfig.json",
    "tsconfig.base.json",
    "scripts/kernels.mjs",
    "scripts/bundle.mjs",
  ])
    add(file)
  for (const file of readdirSync(inRoot("packages/tls13/assembly"), { recursive: true }).sort()) {
    if (file.endsWith(".ts")) add(join("packages/tls13/assembly", file))
  }
  for (const file of readdirSync(inRoot("scripts/types")).sort()) add(join("scripts/types", file))
  for (const file of readdirSync(inRoot("packages/broker/dashboard"), { recursive: true }).sort()) {
    if (/\.(tsx?|mjs|css|html|svg|json)$/.test(file)) add(join("packages/broker/dashboard", file))
  }
  for (const name of readdirSync(inRoot("packages")).sort()) {
    for (const file of readdirSync(inRoot("packages", name)).sort()) {
      if (file === "package.json" || /^tsconfig.*\.json$/.test(file)) add(join("packages", name, file))
    }
    const folder = join("packages", name, "src")
    if (!existsSync(inRoot(folder))) continue
    for (const file of readdirSync(inRoot(folder), { recursive: true }).sort()) {
      if (/\.tsx?$/.test(file) && !file.endsWith(".test.ts")) add(join(folder, file))
    }
  }
  return hash.digest("hex")
}

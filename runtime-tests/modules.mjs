// The loader for hosts that know no packages (QuickJS, a page, workerd): which file a specifier leads to, by the `exports` of the
// installed packages, and all files that an entry leads to. Paths are those from the project's folder.

import { readFileSync } from "node:fs"
import { join, posix } from "node:path"

/** @throws Error for a package or an entry that is not there */
export function resolve(folder, specifier, from) {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier)
  const [, name, rest] = /^(@[^/]+\/[^/]+|[^/]+)(.*)$/.exec(specifier)
  const { exports } = JSON.parse(readFileSync(join(folder, "node_modules", name, "package.json"), "utf8"))
  const target = exports[`.${rest}`]
  if (target === undefined) throw new Error(`${from} imports ${specifier}, which ${name} does not export`)
  return posix.join("node_modules", name, target.default ?? target)
}

/** Each file that `entry` leads to: its text, and where its specifiers lead. @param own specifiers that the host knows itself */
export function modulesOf(folder, entry, own = /^(node|cloudflare):/) {
  const modules = new Map([[entry, undefined]])
  for (const path of modules.keys()) {
    const text = readFileSync(join(folder, path), "utf8")
    // What compilers write: each at the beginning of a line, which no example in a comment is.
    const specifiers = [...text.matchAll(/^(?:import|export)\b(?:[^"';]*?\bfrom)?\s*["']([^"']+)["']/gm)].map(
      (match) => match[1],
    )
    const others = specifiers.filter((each) => !own.test(each))
    const imports = new Map(others.map((each) => [each, resolve(folder, each, path)]))
    modules.set(path, { text, imports })
    for (const target of imports.values()) if (!modules.has(target)) modules.set(target, undefined)
  }
  return modules
}

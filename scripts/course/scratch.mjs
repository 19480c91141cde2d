// A scratch copy of the stack in which the functions of an exercise are empty.

import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/**
 * Makes `folder` anew: packages/tls13 with its tests, and what they read. Node finds the packages of the project above it, so that the
 * folder has to lie in the project.
 * @param root of the project
 */
export function makeScratch(root, folder, exercise) {
  rmSync(folder, { recursive: true, force: true })
  const copied = join(folder, "packages/tls13")
  for (const part of ["src", "tests"])
    cpSync(join(root, "packages/tls13", part), join(copied, part), { recursive: true })
  cpSync(join(root, "packages/tls13/package.json"), join(copied, "package.json"))
  mkdirSync(join(folder, "packages"), { recursive: true })
  symlinkSync(join(root, "test-vectors"), join(folder, "test-vectors"), "dir")
  writeFileSync(join(folder, "vitest.config.ts"), config)
  for (const [file, names] of Object.entries(exercise.empty)) {
    const path = join(copied, "src", file)
    writeFileSync(path, emptied(readFileSync(path, "utf8"), names, `${exercise.id}: ${exercise.title}`))
  }
}

const config = `import { defineConfig } from "vitest/config"

const conditions = ["@puremq/source", "module", "node", "development|production", "import", "default"]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { include: ["packages/tls13/**/*.test.ts"], testTimeout: 30_000 },
})
`

/** The text with these functions emptied. @throws Error for one that the text does not have exactly once */
export function emptied(text, names, title) {
  let out = text
  for (const name of names) {
    const { open, close, indent } = bodyOf(out, name)
    const body = `\n${indent}  throw new Error(${JSON.stringify(`${title}: ${name} is yours to write`)})\n${indent}`
    out = out.slice(0, open + 1) + body + out.slice(close)
  }
  return out
}

/** Where the braces of a function's body are. @param name `function` or `Class.method` */
function bodyOf(text, name) {
  const [first, method] = name.split(".")
  const from = method === undefined ? 0 : text.search(new RegExp(`\\bclass ${first}\\b`))
  const called = (method ?? first).replace(/[$#]/g, "\\$&")
  const head =
    method === undefined
      ? new RegExp(`^(?:export )?function ${called}\\(`, "m")
      : new RegExp(`^  (?:static )?(?:override )?${called}\\(`, "m")
  const found = from === -1 ? null : head.exec(text.slice(from))
  if (!found) throw new Error(`there is no ${name}`)
  const start = from + found.index
  const parameters = matching(text, text.indexOf("(", start))
  // The type of the result may have braces of its own; those of the body stand at the end of a line.
  const end = /\{\n/g
  end.lastIndex = parameters
  let opening = end.exec(text)
  while (opening && /\breadonly\b|^\s*\w+\??:/.test(lineAfter(text, opening.index))) {
    end.lastIndex = matching(text, opening.index)
    opening = end.exec(text)
  }
  const open = opening.index
  return { open, close: matching(text, open), indent: method === undefined ? "" : "  " }
}

function lineAfter(text, at) {
  const begin = text.indexOf("\n", at) + 1
  return text.slice(begin, text.indexOf("\n", begin))
}

/** Where the bracket at `open` is closed. Strings and comments are stepped over. */
function matching(text, open) {
  const pairs = { "(": ")", "{": "}", "[": "]" }
  const stack = []
  for (let at = open; at < text.length; at++) {
    const character = text[at]
    if (text.startsWith("//", at)) at = text.indexOf("\n", at)
    else if (text.startsWith("/*", at)) at = text.indexOf("*/", at) + 1
    else if (character === '"') {
      for (at++; text[at] !== '"'; at++) if (text[at] === "\\") at++
    } else if (character in pairs) stack.push(pairs[character])
    else if (character === stack.at(-1)) {
      stack.pop()
      if (stack.length === 0) return at
    }
  }
  throw new Error("a bracket is not closed")
}

export function hasScratch(folder) {
  return existsSync(join(folder, "packages/tls13/src"))
}

// Finds the imports of a TypeScript file, and gives its code with comments, strings and regular expressions blanked out, so
// that a rule about an identifier is not fooled by a sentence that mentions it. Positions and lines stay as in the source.

export interface Import {
  /** What is written between the quotes; undefined for `import(something that is not a literal)`. */
  readonly specifier: string | undefined
  /** `import type` and `export type ... from`: gone after compilation. */
  readonly typeOnly: boolean
  /** `import("...")`: loaded when it is needed. */
  readonly late: boolean
  readonly line: number
}

export interface Scanned {
  readonly code: string
  readonly imports: readonly Import[]
}

export function scan(text: string): Scanned {
  const code = blank(text)
  const imports: Import[] = []
  const add = (at: number, quote: number, typeOnly: boolean, late: boolean = false): void => {
    const specifier = text.slice(quote + 1, code.indexOf(text.charAt(quote), quote + 1))
    imports.push({ specifier, typeOnly, late, line: lineOf(text, at) })
  }
  // import x, { y } from "..."; export * from "..."; with or without `type`
  for (const match of code.matchAll(
    /\b(?:import|export)\b((?:(?!\b(?:import|export)\b)[\w$\s{},*])*?)\bfrom\s*["']/g,
  )) {
    add(match.index, match.index + match[0].length - 1, /^\s+type\s+\S/.test(match[1] ?? ""))
  }
  // import "..."
  for (const match of code.matchAll(/\bimport\s*["']/g)) add(match.index, match.index + match[0].length - 1, false)
  // import("...")
  for (const match of code.matchAll(/(?<![.\w$])import\s*\(\s*(["'`]?)/g)) {
    if (match[1] === "")
      imports.push({ specifier: undefined, typeOnly: false, late: true, line: lineOf(text, match.index) })
    else add(match.index, match.index + match[0].length - 1, false, true)
  }
  return { code, imports }
}

export function lineOf(text: string, at: number): number {
  let line = 1
  for (let i = text.indexOf("\n"); i !== -1 && i < at; i = text.indexOf("\n", i + 1)) line++
  return line
}

/** `text` with the content of comments, string and template literals (not their `${}`) and regular expressions as spaces. */
function blank(text: string): string {
  const out = text.split("")
  const erase = (from: number, to: number): void => {
    for (let i = from; i < to; i++) if (out[i] !== "\n") out[i] = " "
  }
  // One entry for each open `${`: the number of `{` that are open inside of it.
  const templates: number[] = []
  let i = 0
  while (i < text.length) {
    const c = text[i]!
    const two = text.slice(i, i + 2)
    let end = i + 1
    if (two === "//") {
      end = orLength(text, text.indexOf("\n", i))
      erase(i, end)
    } else if (two === "/*") {
      end = orLength(text, text.indexOf("*/", i + 2), 2)
      erase(i, end)
    } else if (c === '"' || c === "'") {
      end = stringEnd(text, i)
      erase(i + 1, end - 1)
    } else if (c === "`" || (c === "}" && templates.at(-1) === 0)) {
      if (c === "}") templates.pop()
      end = templateEnd(text, i + 1)
      if (text.slice(end - 2, end) === "${") {
        templates.push(0)
        erase(i + 1, end - 2)
      } else erase(i + 1, end - 1)
    } else if (c === "/" && regexMayStart(out, i)) {
      end = regexEnd(text, i)
      erase(i + 1, end - 1)
    } else if (templates.length > 0 && (c === "{" || c === "}")) {
      templates[templates.length - 1]! += c === "{" ? 1 : -1
    }
    i = end
  }
  return out.join("")
}

function orLength(text: string, index: number, more = 0): number {
  return index === -1 ? text.length : index + more
}

function stringEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++
    else if (text[i] === text[start] || text[i] === "\n") return i + 1
  }
  return text.length
}

/** After the closing backquote, or after the next `${`. */
function templateEnd(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === "\\") i++
    else if (text[i] === "`") return i + 1
    else if (text[i] === "$" && text[i + 1] === "{") return i + 2
  }
  return text.length
}

function regexEnd(text: string, start: number): number {
  let inClass = false
  for (let i = start + 1; i < text.length; i++) {
    const c = text[i]
    if (c === "\\") i++
    else if (c === "[") inClass = true
    else if (c === "]") inClass = false
    else if (c === "\n" || (c === "/" && !inClass)) return i + 1
  }
  return text.length
}

/** A slash after a value divides; after an operator, an opening bracket or a keyword it starts a regular expression. */
function regexMayStart(out: readonly string[], at: number): boolean {
  let i = at - 1
  while (i >= 0 && /\s/.test(out[i]!)) i--
  if (i < 0) return true
  if (/[)\]"'`]/.test(out[i]!)) return false
  if (!/[\w$]/.test(out[i]!)) return true
  let word = ""
  while (i >= 0 && /[\w$]/.test(out[i]!)) word = out[i--]! + word
  return [
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "delete",
    "void",
    "throw",
    "new",
    "await",
    "yield",
    "else",
    "do",
  ].includes(word)
}

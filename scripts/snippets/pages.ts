// The code on our pages, block by block. A block is a program of its own, unless it goes on with the one before it. Comments
// that a reader does not see say the rest, each before the block that it is about, or after it when it is `then`:
//
//   <!-- snippet: goes on -->                    with the names of the block before it
//   <!-- snippet: its own 8883 -->               listens there itself; else a broker that runs already is meant
//   <!-- snippet: shows TEXT -->                 (sh) what its commands have printed in the end
//   <!-- snippet: types only: REASON -->         (ts, js) is compiled and not run
//   <!-- snippet: not run: REASON -->            is neither compiled nor run
//   <!-- snippet: then                           lines that run, too, and that nobody reads: what shows that it worked
//   await once(socket, "secureConnect")
//   -->

import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** `js` is compiled as `ts` is; `json` and `toml` are run when the broker takes them as its configuration. */
export type Kind = "run" | "types only" | "not run"

export interface Snippet {
  readonly page: string
  /** Of its first line of code, counted from 1. */
  readonly line: number
  readonly language: (typeof languages)[number]
  readonly kind: Kind
  /** Why it is not run. */
  readonly reason: string | undefined
  /** Its lines and those that follow unseen, each where it stands on the page, so that a compiler's line is the page's. */
  readonly lines: readonly string[]
  readonly goesOn: boolean
  readonly ownBroker: boolean
  readonly shows: readonly string[]
}

const languages = ["ts", "js", "sh", "json", "toml"] as const
/** Blocks of these are no code. */
const otherLanguages = ["text", "mermaid"]

export function snippetsOf(root: string): Snippet[] {
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((path) => `docs/${path}`)
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}/README.md`)
  return ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...docs.sort(), ...packages]
    .filter((path) => path.endsWith(".md") && existsSync(join(root, path)))
    .flatMap((path) => readPage(path, readFileSync(join(root, path), "utf8")))
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

/** @throws Error for what this file does not know, with page and line */
export function readPage(page: string, text: string): Snippet[] {
  const lines = text.split("\n")
  const snippets: Snippet[] = []
  const fail = (at: number, why: string): never => {
    throw new Error(`${page}:${at + 1}: ${why} (scripts/snippets/pages.ts)`)
  }
  const endOf = (at: number, mark: string): number => {
    const end = lines.indexOf(mark, at)
    return end < 0 ? fail(at - 1, `no line ${mark} ends it`) : end
  }

  let said: Partial<Writable<Snippet>> = {}
  for (let at = 0; at < lines.length; at++) {
    const comment = /^<!-- snippet: (.*?)(?: -->)?$/.exec(lines[at]!)?.[1]
    if (comment === "then") {
      const end = endOf(at + 1, "-->")
      const last = snippets.at(-1) ?? fail(at, "no block is before it")
      snippets[snippets.length - 1] = { ...last, lines: between(lines, at + 1, end, last.lines) }
      at = end
    } else if (comment !== undefined) {
      said = { ...said, ...(saying(comment, said) ?? fail(at, `what does ${JSON.stringify(comment)} say?`)) }
    } else if (lines[at]!.startsWith("```")) {
      const word = lines[at]!.slice(3)
      const language = languages.find((each) => each === word)
      const end = endOf(at + 1, "```")
      if (language !== undefined) {
        const defaults = { kind: "run", reason: undefined, goesOn: false, ownBroker: false, shows: [] } as const
        const code = between(lines, at + 1, end)
        snippets.push({ ...defaults, ...said, page, line: at + 2, language, lines: code })
      } else if (!otherLanguages.includes(word) || Object.keys(said).length > 0) {
        fail(at, `a block of ${JSON.stringify(word)}: code is ${languages.join(", ")}, the rest is text`)
      }
      said = {}
      at = end
    }
  }
  if (Object.keys(said).length > 0) fail(lines.length - 1, "no block follows the last comment")
  return snippets
}

function saying(comment: string, { shows = [] }: Partial<Snippet>): Partial<Snippet> | undefined {
  if (comment === "goes on") return { goesOn: true }
  if (comment === "its own 8883") return { ownBroker: true }
  const [, word, rest = ""] = /^(shows|types only:|not run:) (.+)$/.exec(comment) ?? []
  if (word === "shows") return { shows: [...shows, rest] }
  if (word === "types only:") return { kind: "types only", reason: rest }
  if (word === "not run:") return { kind: "not run", reason: rest }
  return undefined
}

/** The lines from `from` to `to` where they are; empty ones, or those of `below`, before. */
function between(lines: readonly string[], from: number, to: number, below: readonly string[] = []): string[] {
  return lines.slice(0, to).map((line, at) => (at >= from ? line : (below[at] ?? "")))
}

export interface Program {
  /** Where it stands: page and first line. */
  readonly name: string
  readonly text: string
  readonly kind: Kind
  readonly ownBroker: boolean
}

/** Of the blocks in `ts` and `js` that are to be compiled: each with what goes on with it. */
export function programsOf(snippets: readonly Snippet[]): Program[] {
  const programs: Writable<Program>[] = []
  for (const { page, line, language, kind, lines, goesOn, ownBroker } of snippets) {
    if ((language !== "ts" && language !== "js") || kind === "not run") continue
    const last = programs.at(-1)
    if (!goesOn) programs.push({ name: `${page}:${line}`, text: lines.join("\n"), kind, ownBroker })
    else if (last?.name.startsWith(`${page}:`) !== true) throw new Error(`${page}:${line}: goes on with nothing`)
    else if (last.kind !== kind) throw new Error(`${page}:${line}: goes on with a block that is ${last.kind}`)
    else {
      const before = last.text.split("\n").length
      last.text = `${last.text}\n${lines.slice(before).join("\n")}`
    }
  }
  return programs
}

// What a command takes, as a table. Its rows are what the command line is read by, what `--help` tells, and what is suggested for
// an option that there is none of. An entry point of its own, for `puremq`: it has nothing of TLS, and imports nothing of it.

import { type ParseArgsConfig, parseArgs } from "node:util"
import { nearest } from "./nearest.ts"

export { nearest }

/** A command line that cannot be used: one line, exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError"
}

export interface OptionRow {
  readonly name: string
  readonly help: string
  /** What stands for the value, such as FILE. Without it the option is a flag, which has none. */
  readonly value?: string
  /** What a shell offers for the value, where that is not what stands for it: `0|1|2`, FILE or FOLDER. One that ends with = goes on. */
  readonly choices?: readonly string[]
  /** One letter. */
  readonly short?: string
  /** Whether it may be given several times. */
  readonly multiple?: boolean
  /** What to do, as a clause, where it was given several times and may not. */
  readonly insteadOfSeveral?: string
  /** A flag that may also have a value, after `=`. */
  readonly optionalValue?: string
  /** Other names that it is known by, which the help does not tell. */
  readonly also?: readonly string[]
  /**
   * How many of the words that follow are its value, whatever they begin with (a negative number, say); else it is one that does
   * not begin with a dash. Several come as one, joined by `wordSeparator`.
   */
  readonly words?: (following: readonly string[]) => number
}

/** Stands in no word of a command line. */
export const wordSeparator = "\0"

export interface OptionSection {
  readonly title?: string
  readonly rows: readonly OptionRow[]
}

export interface Command {
  /** As it is typed: `tls13 connect`. */
  readonly name: string
  /** What stands for its arguments, such as HOST:PORT. */
  readonly takes?: string
  /** What a shell offers for its arguments, one after the other: words to choose from, or names of files or folders. */
  readonly words?: readonly (readonly string[] | "file" | "folder")[]
  readonly summary: string
  /** A paragraph a line; those that begin with two spaces are left as they are. */
  readonly about?: string
  readonly sections: readonly OptionSection[]
  /** After the options, as `about`. */
  readonly after?: string
}

export interface Program {
  readonly name: string
  readonly version: string
  readonly summary: string
  /** By the word that is typed. */
  readonly commands: Readonly<Record<string, Command>>
  /** Word of the command that is meant where there is none: nothing is typed, or options alone. */
  readonly plain?: string
}

/* ---------------------------------------------------------------- reading */

export interface Arguments {
  readonly positionals: readonly string[]
  text(name: string): string | undefined
  texts(name: string): readonly string[]
  flag(name: string): boolean
  /** A whole number from `least` to `most`. */
  number(name: string, least: number, most: number): number | undefined
  oneOf<Value extends string>(name: string, ...values: readonly Value[]): Value | undefined
  /** Names separated by commas or colons; of a flag: those behind its `=`. */
  list(name: string): readonly string[] | undefined
}

/** @throws UsageError */
export function readArguments(command: Command, args: readonly string[]): Arguments {
  const hint = `see "${command.name} --help"`
  const rows = rowsOf(command)
  const { plain, attached } = optionalValues(rows, withWords(rows, args))
  const { values, positionals } = parse(rows, plain, hint)
  const text = (name: string): string | undefined => {
    const value = values[name]
    return typeof value === "string" ? value : undefined
  }
  return {
    positionals,
    text,
    texts(name) {
      const value = values[name]
      return Array.isArray(value) ? value.filter((each) => typeof each === "string") : []
    },
    flag: (name) => values[name] === true,
    number(name, least, most) {
      const value = text(name)
      if (value === undefined) return undefined
      const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
      if (number >= least && number <= most) return number
      throw new UsageError(`--${name} must be a whole number from ${least} to ${most}, not "${value}"; ${hint}`)
    },
    oneOf(name, ...allowed) {
      const value = text(name)
      const found = allowed.find((each) => each === value)
      if (value === undefined || found !== undefined) return found
      throw new UsageError(`--${name} must be one of ${allowed.join(", ")}, not "${value}"; ${hint}`)
    },
    list: (name) => (attached.get(name) ?? text(name))?.split(/[,:]/).filter((each) => each !== ""),
  }
}

export function rowsOf({ sections }: Command): readonly OptionRow[] {
  return sections.flatMap(({ rows }) => rows)
}

/** No option is called so: it is a value, right or wrong. */
const negativeNumber = /^-\.?\d/

/** The same command line, with the names that parseArgs knows, and with values that it would take for options attached to theirs. */
function withWords(rows: readonly OptionRow[], args: readonly string[]): string[] {
  const result: string[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === "--") return [...result, ...args.slice(i)]
    const [, given, attached = ""] = /^--([^=]+)(=.*)?$/s.exec(arg) ?? []
    const row = rows.find(({ name, short, also }) =>
      given === undefined ? short !== undefined && arg === `-${short}` : given === name || also?.includes(given),
    )
    const option = row !== undefined && given !== undefined ? `--${row.name}${attached}` : arg
    const following = args.slice(i + 1)
    const words =
      row?.words?.(following) ?? (row?.value !== undefined && negativeNumber.test(args[i + 1] ?? "") ? 1 : 0)
    const count = attached === "" ? Math.min(words, following.length) : 0
    result.push(
      row === undefined || count === 0 ? option : `--${row.name}=${following.slice(0, count).join(wordSeparator)}`,
    )
    i += count
  }
  return result
}

/** An option of parseArgs has a value or has none: these may have one. */
function optionalValues(rows: readonly OptionRow[], args: readonly string[]) {
  const names = rows.filter((row) => row.optionalValue !== undefined).map(({ name }) => name)
  const attached = new Map<string, string>()
  const plain = args.map((arg) => {
    const name = names.find((each) => arg.startsWith(`--${each}=`))
    if (name === undefined) return arg
    attached.set(name, arg.slice(`--${name}=`.length))
    return `--${name}`
  })
  return { plain, attached }
}

function parse(rows: readonly OptionRow[], args: string[], hint: string) {
  const options: NonNullable<ParseArgsConfig["options"]> = {}
  for (const { name, value, short, multiple = false } of rows)
    options[name] = { type: value === undefined ? "boolean" : "string", multiple, ...(short && { short }) }
  try {
    const { tokens, ...parsed } = parseArgs({ args, options, allowPositionals: true, strict: true, tokens: true })
    const given = tokens.flatMap((token) => (token.kind === "option" ? [token.name] : []))
    refuseSeveral(rows, given, hint)
    return parsed
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${problemIn(error, rows)}; ${hint}`)
  }
}

/** What parseArgs says, in our words. */
function problemIn(error: unknown, rows: readonly OptionRow[]): string {
  const message = error instanceof Error ? error.message : String(error)
  const [, unknown] = /^Unknown option '([^']+)'/.exec(message) ?? []
  const known = rows.map(({ name }) => `--${name}`)
  if (unknown !== undefined) return `unknown option ${unknown}${suggestion(unknown, known)}`
  const lacking = /^Option '(?:-(\w))?(?:, )?(?:--([\w-]+))?(?: <value>)?' argument (missing|is ambiguous)/
  const [, letter, long, why] = lacking.exec(message) ?? []
  const row = rows.find(({ name, short }) => (long === undefined ? letter && letter === short : long === name))
  if (row === undefined) return message.split("\n")[0] ?? ""
  const dash = why === "missing" ? "" : ` (one that begins with a dash is written --${row.name}=${row.value})`
  return `--${row.name} needs a value${dash}`
}

/** Which of two values is meant nobody knows. A flag that is given again says the same. */
function refuseSeveral(rows: readonly OptionRow[], given: readonly string[], hint: string): void {
  const before = new Set<string>()
  for (const name of given) {
    const { value, optionalValue, multiple, insteadOfSeveral } = rows.find((row) => row.name === name) ?? {}
    if (before.has(name) && multiple !== true && (value ?? optionalValue) !== undefined)
      throw new UsageError(`--${name} is given more than once: ${insteadOfSeveral ?? "give it once"}; ${hint}`)
    before.add(name)
  }
}

/** @throws UsageError */
export function commandOf({ name, commands }: Program, word: string): Command {
  const command = Object.hasOwn(commands, word) ? commands[word] : undefined
  if (command !== undefined) return command
  throw new UsageError(`unknown command ${word}${suggestion(word, Object.keys(commands))}; see "${name} --help"`)
}

function suggestion(wrong: string, names: readonly string[]): string {
  const meant = nearest(wrong, names)
  return meant === undefined ? "" : ` (did you mean ${meant}?)`
}

/* ---------------------------------------------------------------- telling */

/** Characters of a line. */
const width = 120
/** Where what an option does begins. */
const column = 28

export function helpOf(command: Command): string {
  const parts = [
    `${called(command)} - ${command.summary}`,
    ...(command.about === undefined ? [] : [paragraphs(command.about)]),
    ...command.sections.map(({ title, rows }) =>
      [...(title === undefined ? [] : [wrapped(`${title}:`, 0)]), ...rows.map(helpLine)].join("\n"),
    ),
    ...(command.after === undefined ? [] : [paragraphs(command.after)]),
  ]
  return `${parts.join("\n\n")}\n`
}

export function generalHelpOf({ name, summary, commands, plain }: Program): string {
  const all = Object.values(commands)
  const longest = Math.max(...all.map((command) => called(command).length))
  const lines = all.map((command) => `  ${called(command).padEnd(longest)}  ${command.summary}`)
  const more = `"${name} COMMAND --help" tells the options of a command, "${name} --version" which version this is.`
  const alone = plain === undefined ? "" : `"${name}" alone, or with options alone, is "${name} ${plain}".\n`
  return `${name} - ${summary}\n\n${lines.join("\n")}\n\n${alone}${more}\n`
}

/** What `--version` tells. */
export function versionOf({ name, version }: Program): string {
  return `${name} ${version}\n`
}

function called({ name, takes }: Command): string {
  return takes === undefined ? name : `${name} ${takes}`
}

function helpLine({ name, short, value, optionalValue, help }: OptionRow): string {
  const behind = value === undefined ? (optionalValue === undefined ? "" : `[=${optionalValue}]`) : ` ${value}`
  const option = `  ${short === undefined ? "" : `-${short}, `}--${name}${behind}`
  return wrapped(`${option.padEnd(column - 2)}  ${help}`, column)
}

function paragraphs(text: string): string {
  return text
    .split("\n")
    .map((line) => (line.startsWith("  ") ? line : wrapped(line, 0)))
    .join("\n")
}

/** In lines that are not too long, all but the first of which begin with so many spaces. */
function wrapped(text: string, indent: number): string {
  const lines: string[] = []
  let rest = text
  while (rest.length > width) {
    const end = rest.lastIndexOf(" ", width)
    if (end <= indent) break
    lines.push(rest.slice(0, end).trimEnd())
    rest = `${" ".repeat(indent)}${rest.slice(end + 1)}`
  }
  return [...lines, rest].join("\n")
}

// What a shell may offer, out of the tables that the command line is read by and `--help` is made of.

import { type Command, type OptionRow, type Program, rowsOf } from "@puremq/tls13/command-line"

/** What follows an option, or is an argument: words to choose from, names of files or folders, or something that only who types knows. */
export type Offer = readonly string[] | "file" | "folder" | "anything"

export interface OptionWords {
  /** Without dashes. */
  readonly name: string
  readonly short: string | undefined
  /** What its value may be; undefined: it has none. */
  readonly value: Offer | undefined
  /** It is written behind `=`, or left out. */
  readonly optional: boolean
  readonly repeats: boolean
  /** A few words. */
  readonly help: string
}

export interface CommandWords {
  readonly name: string
  readonly help: string
  readonly options: readonly OptionWords[]
  readonly arguments: readonly Offer[]
}

export interface ProgramWords {
  readonly name: string
  readonly commands: readonly CommandWords[]
  /** The command that options alone belong to. */
  readonly plain: string
}

export function wordsOf({ name, commands, plain = "" }: Program): ProgramWords {
  const all = Object.entries(commands).map(([word, command]) => commandWords(word, command))
  return { name, commands: all, plain }
}

function commandWords(name: string, command: Command): CommandWords {
  return {
    name,
    help: brief(command.summary),
    options: rowsOf(command).map(optionWords),
    arguments: command.words ?? [],
  }
}

function optionWords({ name, short, value, optionalValue, choices, multiple = false, help }: OptionRow): OptionWords {
  const placeholder = value ?? optionalValue
  return {
    name,
    short,
    value: placeholder === undefined ? undefined : (choices ?? offerOf(placeholder)),
    optional: optionalValue !== undefined,
    repeats: multiple,
    // "always or closing: when ..."
    help: brief(choices !== undefined && help.startsWith(choices[0] ?? ": ") ? help.replace(/^[^:]*: /, "") : help),
  }
}

function offerOf(placeholder: string): Offer {
  if (placeholder === "FILE") return "file"
  if (placeholder === "FOLDER" || placeholder === "DIR") return "folder"
  return /^[^A-Z\s[\]]+$/.test(placeholder) ? placeholder.split("|") : "anything"
}

/** Characters. */
const longest = 70

/** The first clause, without what would have a meaning to a shell in quotes. */
function brief(help: string): string {
  const [clause = ""] = help.split(/[.;:] |[.;:]$| \(/)
  const plain = clause.replaceAll("'", "\u2019").replace(/["`\\$[\]]/g, "")
  return plain.length > longest ? `${plain.slice(0, plain.lastIndexOf(" ", longest))} ...` : plain
}

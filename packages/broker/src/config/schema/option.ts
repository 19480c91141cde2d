// What a row of the option table says. The configuration file, environment variables, the command line, its help, the checks,
// the JSON Schema and docs/configuration.md are made of the rows. The types of config.ts are what rows are checked against: a
// setting without row, or a row without setting, does not compile.

/** A part of a JSON Schema (2020-12). */
export type Schema = { readonly [keyword: string]: unknown }

/** A value of the file as what it is. Throws ConfigError; `where` is the place of the value, such as `listeners[0].port`. */
export type Check<T> = (value: unknown, where: string) => T

/** What a value may be. */
export interface Kind<T> {
  /** For the documentation, such as "a whole number from 1 to 65,535". */
  readonly words: string
  readonly check: Check<T>
  /**
   * A value that is written as text: in an environment variable, and behind --set. Numbers are what they are in the file, or
   * have a unit behind them. Throws ConfigError. Absent: it is an object, whose options are named one by one.
   */
  readonly read?: (text: string, where: string) => T
  /** The same behind an option of its own on a command line, where that is in another unit. */
  readonly readFlag?: (text: string, where: string) => T
  /** What of it a JSON Schema can say. */
  readonly schema: Schema
  /** Schemas that `schema` refers to, as `#/$defs/NAME`. */
  readonly definitions?: Readonly<Record<string, Schema>>
  /** What stands for that text in a help text, such as FILE. Absent: to name the option says it all. */
  readonly placeholder?: string
  /** A list: the option may be repeated. */
  readonly repeats?: true
  /** The text of a command line is in a unit that is so many times as large: seconds where the file has milliseconds. */
  readonly scale?: number
  /** The values to choose from. */
  readonly choices?: readonly (string | number)[]
  /** It names a file, which is read again at a reload, or at the start only. */
  readonly file?: true | "at the start"
  /** It names a folder. */
  readonly folder?: true
  /** The rows of an object, or of each object of a list. */
  readonly parts?: readonly Part[]
}

/** Rows that belong together; those of a list of objects may belong to some of them only. */
export interface Part {
  readonly title?: string
  /** The `type` that such an object has. Absent: any. */
  readonly types?: readonly string[]
  readonly rows: Table
  /** What is said of an option of the command line when there is no such object. */
  readonly homeless?: (flag: string) => string
}

export interface Option<T> {
  readonly kind: Kind<T>
  /** What it does, as part of a sentence: for the help text and the documentation. */
  readonly about: string
  /** What else there is to say, in the documentation alone: whole sentences. */
  readonly more?: string
  /** What it is where nothing is said. */
  readonly default?: T
  /** The same in words, where it is no value. */
  readonly otherwise?: string
  /** It may not be absent. */
  readonly required?: true
  /** Never on a command line, which others see, and never shown. An environment variable may name a file that holds it: `..._FILE`. */
  readonly secret?: true
  readonly needs?: readonly Need[]
  /** When a running broker takes another value, once it has been told to reload. Absent: at the next start only. */
  readonly reload?: TakenAtReload
  readonly flag?: Flag
}

/** "new connections": those that are open go on by the value that they began with. */
export type TakenAtReload = "at once" | "new connections"

/** What an option means nothing without. */
export interface Need {
  /** For the documentation; it completes "needs ...". */
  readonly words: string
  /** Whether it is there. @param of the value of another option of the same object */
  readonly met: (of: (name: string) => unknown) => boolean
  /** What is said where it is not. @param where the place of the object @param name the option's */
  readonly inFile: (where: string, name: string) => string
  readonly onCommandLine: (flag: string) => string
}

/** An option of `puremq start`. */
export interface Flag {
  readonly name: string
  readonly section: "listeners" | "certificates" | "rights" | "store" | "watching" | "limits" | "handshakes"
  /** Instead of the kind's. */
  readonly placeholder?: string
  /** Its default in words, where it is another than the file's. */
  readonly otherwise?: string
}

/** A row for each setting of T. */
export type Rows<T> = { readonly [Name in keyof T]-?: Option<NonNullable<T[Name]>> }

/** Rows of whatever there is. */
export type Table = Readonly<Record<string, Option<unknown>>>

/** An option and where it stands in the file. */
export interface Placed {
  /** Names from the outside in: `["limits", "maximumConnections"]`. */
  readonly path: readonly string[]
  readonly option: Option<unknown>
  /** The part that it belongs to; undefined: none, it stands at the top. */
  readonly part: Part | undefined
}

/** All of them, a group before what is in it. */
export function everyOption(table: Table, path: readonly string[] = [], part?: Part): Placed[] {
  return Object.entries(table).flatMap(([name, option]) => {
    const own = [...path, name]
    const inside = (option.kind.parts ?? []).flatMap((each) => everyOption(each.rows, own, inner(part, each)))
    return [{ path: own, option, part }, ...inside]
  })
}

/** What is in a group of a listener belongs to the same listeners as the group. */
function inner(outer: Part | undefined, part: Part): Part {
  return outer?.types === undefined ? part : outer
}

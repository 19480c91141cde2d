import { type ParseArgsConfig, parseArgs } from "node:util"

/** A command line that cannot be used. The message is one line; the command's help is a hint away. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = "UsageError"
  }
}

type OptionTable = NonNullable<ParseArgsConfig["options"]>

export interface Arguments {
  text(name: string): string | undefined
  texts(name: string): readonly string[]
  flag(name: string): boolean
  /** A whole number within [low, high]; undefined when absent. */
  number(name: string, low: number, high: number): number | undefined
  oneOf<T extends string>(name: string, ...values: readonly T[]): T | undefined
  readonly positionals: readonly string[]
}

/** Parses `args` strictly. Throws UsageError. */
export function parseArguments(command: string, args: readonly string[], options: OptionTable): Arguments {
  const hint = `see "puremq ${command} --help"`
  const values = new Map<string, unknown>()
  let positionals: readonly string[] = []
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
    positionals = parsed.positionals
    for (const [name, value] of Object.entries(parsed.values)) values.set(name, value)
  } catch (error) {
    throw new UsageError(`${explain(error)}; ${hint}`)
  }
  const text = (name: string): string | undefined => {
    const value = values.get(name)
    return typeof value === "string" ? value : undefined
  }
  return {
    positionals,
    text,
    texts(name) {
      const value = values.get(name)
      return Array.isArray(value) ? value.filter((one) => typeof one === "string") : []
    },
    flag: (name) => values.get(name) === true,
    number(name, low, high) {
      const value = text(name)
      if (value === undefined) return undefined
      const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
      if (!(number >= low && number <= high)) {
        throw new UsageError(`--${name} must be a whole number from ${low} to ${high}, not "${value}"; ${hint}`)
      }
      return number
    },
    oneOf(name, ...allowed) {
      const value = text(name)
      if (value === undefined) return undefined
      const found = allowed.find((one) => one === value)
      if (found === undefined)
        throw new UsageError(`--${name} must be one of ${allowed.join(", ")}, not "${value}"; ${hint}`)
      return found
    },
  }
}

function explain(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const unknown = /^Unknown option '([^']+)'/.exec(message)
  if (unknown !== null) return `unknown option ${unknown[1]}`
  const missing = /^Option '(?:-\w, )?(--[\w-]+)(?: <value>)?' argument missing/.exec(message)
  if (missing !== null) return `${missing[1]} needs a value`
  return message.split("\n")[0] ?? message
}

/** "PORT" or "HOST:PORT"; IPv6 addresses in brackets. Throws UsageError. */
export function parseAddress(option: string, value: string): { host: string; port: number } {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^:[\]]+):)?(\d{1,5})$/.exec(value)
  const port = Number(match?.[2] ?? -1)
  if (match === null || port > 65_535) throw new UsageError(`--${option} must be PORT or HOST:PORT, not "${value}"`)
  return { host: (match[1] ?? "127.0.0.1").replace(/^\[|\]$/g, ""), port }
}

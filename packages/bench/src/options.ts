// The command line of `npm run bench`.

import { type RuntimeName, runtimeNames } from "./runtimes.ts"

export interface Options {
  readonly help: boolean
  readonly list: boolean
  readonly check: boolean
  readonly quick: boolean
  readonly selfTest: boolean
  /** Runtimes that it runs on, one after the other; none: this one. */
  readonly on: readonly RuntimeName[]
  readonly json: string | undefined
  /** Parts, or groups of `--check`; none: all of them. */
  readonly words: readonly string[]
  /** Scenarios in memory. */
  readonly scenarios: readonly string[]
  readonly subjects: readonly string[]
}

/** With one line for who typed it. */
export class UsageError extends Error {
  override readonly name = "UsageError"
}

const flags = {
  "--help": "help",
  "--list": "list",
  "--check": "check",
  "--quick": "quick",
  "--self-test": "selfTest",
} as const

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const given = { help: false, list: false, check: false, quick: false, selfTest: false }
  const words: string[] = []
  const scenarios: string[] = []
  let [on, subjects]: [RuntimeName[], string[]] = [[], []]
  let json: string | undefined
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!
    const value = (): string => {
      const next = args[++i]
      if (next === undefined || next.startsWith("--")) throw new UsageError(`${argument} needs a value`)
      return next
    }
    if (Object.hasOwn(flags, argument)) given[flags[argument as keyof typeof flags]] = true
    else if (argument === "--on") on = value().split(",").map(runtime)
    else if (argument === "--json") json = value()
    else if (argument === "--scenario") scenarios.push(value())
    else if (argument === "--subjects") subjects = value().split(",")
    else if (argument.startsWith("-")) throw new UsageError(`unknown option ${argument}; see --help`)
    else words.push(argument)
  }
  if (given.quick && !given.check) throw new UsageError("--quick goes with --check")
  if (given.check && scenarios.length > 0) throw new UsageError("--check has rows of its own: leave --scenario out")
  if (scenarios.length === 0 && subjects.length > 0) throw new UsageError("--subjects goes with --scenario")
  return { ...given, on, json, words, scenarios, subjects }
}

function runtime(name: string): RuntimeName {
  const found = runtimeNames.find((known) => known === name)
  if (found === undefined)
    throw new UsageError(`no runtime ${JSON.stringify(name)}; they are ${runtimeNames.join(", ")}`)
  return found
}

// The command line of `npm run bench`.

import { type RuntimeName, runtimeNames } from "./runtimes.ts"

export interface Options {
  readonly help: boolean
  readonly list: boolean
  readonly check: boolean
  readonly quick: boolean
  readonly selfTest: boolean
  /** The tables of docs/performance.md anew. */
  readonly performance: boolean
  /** Runtimes that it runs on, one after the other; none: this one. */
  readonly on: readonly RuntimeName[]
  readonly json: string | undefined
  /** The HTML page. */
  readonly report: string | undefined
  /** Results that the page is made of, instead of a run. */
  readonly from: readonly string[]
  /** Parts, groups of `--check`, or runs of `--performance`; none: all of them. */
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
  "--performance": "performance",
} as const

const usualReport = "bench-results/report.html"

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const given = { help: false, list: false, check: false, quick: false, selfTest: false, performance: false }
  const words: string[] = []
  const scenarios: string[] = []
  let [on, subjects, from]: [RuntimeName[], string[], string[]] = [[], [], []]
  let [json, report]: [string | undefined, string | undefined] = [undefined, undefined]
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
    // A word that is no page is a part.
    else if (argument === "--report") report = /\.html?$/.test(args[i + 1] ?? "") ? value() : usualReport
    else if (argument === "--from") from.push(...value().split(","))
    else if (argument === "--scenario") scenarios.push(value())
    else if (argument === "--subjects") subjects = value().split(",")
    else if (argument.startsWith("-")) throw new UsageError(`unknown option ${argument}; see --help`)
    else words.push(argument)
  }
  const options = { ...given, on, json, report, from, words, scenarios, subjects }
  refuseMixed(options)
  return options
}

/** @throws UsageError */
function refuseMixed(options: Options): void {
  const { quick, check, performance, from, report, json, on, words, scenarios, subjects, selfTest } = options
  if (quick && !check) throw new UsageError("--quick goes with --check")
  if (check && scenarios.length > 0) throw new UsageError("--check has rows of its own: leave --scenario out")
  if (scenarios.length === 0 && subjects.length > 0) throw new UsageError("--subjects goes with --scenario")
  const measures = check || scenarios.length > 0 || words.length > 0 || on.length > 0 || json !== undefined
  if (from.length > 0 && report === undefined) throw new UsageError("--from goes with --report")
  if (from.length > 0 && measures) {
    throw new UsageError("--from shows what was measured: leave out what would be measured now, and --json")
  }
  if (performance && (check || scenarios.length > 0 || on.length > 0 || json !== undefined || report !== undefined)) {
    throw new UsageError("--performance has runs of its own: it takes their names, and no other option")
  }
  if (selfTest && report !== undefined) throw new UsageError("--self-test has no figures: leave --report out")
}

function runtime(name: string): RuntimeName {
  const found = runtimeNames.find((known) => known === name)
  if (found === undefined)
    throw new UsageError(`no runtime ${JSON.stringify(name)}; they are ${runtimeNames.join(", ")}`)
  return found
}

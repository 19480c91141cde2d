// Options in environment variables: `PUREMQ_LIMITS__MAXIMUM_CONNECTIONS=500` is `limits.maximumConnections`, and
// `PUREMQ_LISTENERS__TLS__PORT` the `port` of the listener called tls. `__` stands between names, `_` between the words of one.

import { nearest } from "@puremq/tls13/command-line"
import { ConfigError } from "../config.ts"
import { foldedName, nameProblem } from "../schema/listener-names.ts"
import { everyOption, type Option, type Table } from "../schema/option.ts"
import { type Below, isInList, stepTo, topOf } from "../schema/paths.ts"
import { readFirstLine } from "../text-file.ts"
import type { Setting } from "./origin.ts"
import { settingsOf } from "./settings.ts"

export type Environment = Readonly<Record<string, string | undefined>>

const prefix = "PUREMQ_"
/** Names the configuration file. */
export const fileVariable = "PUREMQ_CONFIG"

/** Of other programs of ours: the password of `puremq pub` and `sub`, the token of `health` and `top`, and what tests are told. */
const ofOurs = [
  ...["PASSWORD", "ADMIN_TOKEN", "ALL_TESTS", "CHROMIUM", "SETTING", "LATE_SEED", "KERNEL_CASES", "KERNEL_SEED"],
  ...["BENCH_ON", "BENCH_TASK", "BOGO_PORT"],
].map((name) => `${prefix}${name}`)

/**
 * Kubernetes sets these in each container of a namespace with a service called puremq, or puremq-SOMETHING. Nobody has written
 * them, so they are passed over.
 */
const ofOthers = [
  /^PUREMQ(_[A-Z0-9_]+)?_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/,
  /^PUREMQ(_[A-Z0-9_]+)?_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/,
]
const addressOfOthers = /^PUREMQ(_[A-Z0-9_]+)?_PORT$/

/** `maximumPacketSize` as the variable of an option has it. */
function wordOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}

/** The variable of an option. @param path names from the outside in; behind `listeners` stands a listener's name */
export function variableOf(path: readonly string[]): string {
  const words = path.map((name, i) => (i === 1 && path[0] === "listeners" ? foldedName(name) : wordOf(name)))
  return `${prefix}${words.join("__")}`
}

/** What the environment sets, in the order of the variables' names. Throws ConfigError, with the variable. */
export function environmentSettings(environment: Environment, table: Table): Setting[] {
  const variables = Object.keys(environment).filter((name) => name.startsWith(prefix))
  return variables.sort().flatMap((variable) => {
    const value = environment[variable] ?? ""
    if (variable === fileVariable || ofOurs.includes(variable)) return []
    const found = optionOf(variable, table)
    if (found === undefined) {
      if (isOfOthers(variable, value)) return []
      throw new ConfigError(unknownText(variable, table))
    }
    const { path, option, fromFile } = found
    const origin = { kind: "environment", variable } as const
    if (value === "" && option.kind.repeats !== true)
      throw new ConfigError(`${variable} is empty: unset it, or give it ${option.kind.words}`)
    const text = fromFile ? readFirstLine(value, `the file of ${variable}`) : value
    try {
      return settingsOf(path, option, text, variable, origin)
    } catch (error) {
      // What was in the file is nobody's to see.
      if (option.secret && error instanceof ConfigError)
        throw new ConfigError(`${variable} must be ${option.kind.words}`, error.where)
      throw error
    }
  })
}

function isOfOthers(variable: string, value: string): boolean {
  if (ofOthers.some((pattern) => pattern.test(variable))) return true
  return addressOfOthers.test(variable) && /^(tcp|udp|sctp):\/\//.test(value)
}

interface Found {
  readonly path: readonly string[]
  readonly option: Option<unknown>
  /** The variable names a file that holds the value. */
  readonly fromFile: boolean
}

/** The option that a variable sets; undefined: none. */
function optionOf(variable: string, table: Table): Found | undefined {
  const words = variable.slice(prefix.length).split("__")
  const [, holder] = /^PUREMQ_(.+)_FILE$/.exec(variable) ?? []
  return find(words, false) ?? (holder === undefined ? undefined : find(holder.split("__"), true))

  function find(words: readonly string[], fromFile: boolean): Found | undefined {
    let below: Below = topOf(table)
    let option: Option<unknown> | undefined
    const path: string[] = []
    for (const word of words) {
      const isName = below.kind === "names"
      const name = isName ? word.toLowerCase().replaceAll("_", "-") : word
      const step = stepTo(below, name, (known) => wordOf(known) === word)
      if (step === undefined || (isName && nameProblem(name) !== undefined)) return undefined
      path.push(step.name)
      below = step.below
      option = step.option
    }
    if (option === undefined || (fromFile && option.secret !== true)) return undefined
    return option.kind.read === undefined ? undefined : { path, option, fromFile }
  }
}

function unknownText(variable: string, table: Table): string {
  const known = knownVariables(variable, table)
  // One _ where two belong, or small letters, is the commonest slip.
  const bare = (name: string) => name.replaceAll("_", "").toUpperCase()
  const meant = known.find((each) => bare(each) === bare(variable)) ?? nearest(variable, known)
  const what = `${variable} is no option's variable`
  if (meant !== undefined) return `${what}; did you mean \`${meant}\`?`
  const words = variable.slice(prefix.length).split("__")
  const inside = known.filter((each) => words.length > 1 && each.startsWith(`${prefix}${words[0]}__`))
  const example = inside[0] ?? "PUREMQ_LIMITS__MAXIMUM_CONNECTIONS"
  return `${what}: it is written like ${example}; unset it if it is not meant for the broker`
}

/** All that there are; those of a listener with the name that the given one has, or for each type. */
function knownVariables(variable: string, table: Table): string[] {
  const [, own] = /^PUREMQ_LISTENERS__([A-Z][A-Z0-9_]*?)__/.exec(variable) ?? []
  const names = own === undefined ? ["tls", "tcp", "ws", "wss"] : [own]
  return everyOption(table)
    .filter(({ option, path }) => option.kind.read !== undefined && !isInList(table, path))
    .flatMap(({ path: [first = "", ...rest] }) =>
      first === "listeners" ? names.map((name) => variableOf([first, name, ...rest])) : [variableOf([first, ...rest])],
    )
}

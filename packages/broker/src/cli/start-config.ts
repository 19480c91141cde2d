// From the command line of `puremq start` to the configuration that a file would have.

import { type Arguments, UsageError } from "@puremq/tls13/command-line"
import { checkFileConfig } from "../config/check.ts"
import { ConfigError } from "../config/config.ts"
import type { FileConfig } from "../config/file-config.ts"
import { readAddress } from "../config/schema/kinds.ts"
import { everyOption, type Placed, type Rows, type Table } from "../config/schema/option.ts"
import { options } from "../config/schema/options.ts"

type Values = Record<string, unknown>

export interface OwnCertificate {
  readonly cert: string
  readonly key: string
}

/**
 * Throws UsageError.
 * @param own is asked when a listener with TLS is given no certificate
 * @param table for a test, another than the broker's
 */
export function fileConfigOf(
  given: Arguments,
  own: () => OwnCertificate,
  table: Rows<FileConfig> = options,
): FileConfig {
  const config: Values = { listeners: listenersOf(given, own, table) }
  for (const { path, option, part } of everyOption(table)) {
    if (path[0] === "listeners" || option.flag === undefined) continue
    const value = givenFor(given, { path, option, part })
    if (value !== undefined) put(config, path, value)
  }
  for (const [name, option] of Object.entries<Table[string]>(table)) {
    if (name !== "listeners") checkNeeds(everyOption({ [name]: option }), Object.assign({}, config[name]))
  }
  return checkFileConfig(config, table)
}

/** Of options that are in one object, which has these values. Throws UsageError. */
function checkNeeds(placed: readonly Placed[], values: Values): void {
  for (const { option, path } of placed) {
    if (path.length !== 2 || values[path[1] ?? ""] === undefined) continue
    const unmet = option.needs?.find(({ met }) => !met((name) => values[name]))
    if (unmet !== undefined) throw new UsageError(unmet.onCommandLine(option.flag?.name ?? ""))
  }
}

function listenersOf(given: Arguments, own: () => OwnCertificate, table: Rows<FileConfig>): readonly Values[] {
  const listeners = addressesOf(given)
  const placed = everyOption({ listeners: table.listeners }).filter(({ option }) => option.flag !== undefined)
  for (const each of placed) {
    const value = givenFor(given, each)
    if (value === undefined) continue
    const flag = each.option.flag?.name ?? ""
    const { types, homeless } = each.part ?? {}
    const homes = listeners.filter(({ type }) => types === undefined || types.some((one) => one === type))
    if (homes.length === 0) throw new UsageError(homeless?.(flag) ?? `no listener takes --${flag}`)
    for (const listener of homes) put(listener, each.path.slice(1), value)
  }
  for (const listener of listeners) {
    const secure = listener["type"] === "tls" || listener["type"] === "wss"
    if (secure) listener["clientCertificate"] ??= listener["ca"] === undefined ? "none" : "require"
    checkNeeds(placed, listener)
    if (secure && listener["cert"] === undefined) Object.assign(listener, own())
  }
  return listeners
}

/** The listeners, with their addresses alone. */
function addressesOf(given: Arguments): readonly Values[] {
  const listeners = ["tls", "wss", "tcp", "ws"].flatMap((type): Values[] => {
    const ours = type === "tls" && !given.flag("no-tls") ? "8883" : undefined
    const address = type === "tls" && given.flag("no-tls") ? undefined : (given.text(type) ?? ours)
    return address === undefined ? [] : [{ type, ...reading(() => readAddress(address, `--${type}`)) }]
  })
  if (listeners.length === 0)
    throw new UsageError('--no-tls leaves no listener; add --tcp or --ws, see "puremq start --help"')
  return listeners
}

/** What was given for an option, as the file has it; undefined: nothing. */
function givenFor(given: Arguments, { option: { flag, kind } }: Placed): unknown {
  const { name = "" } = flag ?? {}
  const bare = (flag?.placeholder ?? kind.placeholder) === undefined
  const texts = kind.repeats ? given.texts(name) : [bare ? (given.flag(name) ? "true" : undefined) : given.text(name)]
  const [first] = texts
  if (first === undefined) return undefined
  return reading(() => kind.read?.(texts.join(","), `--${name}`))
}

function reading<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(`${error.message}; see "puremq start --help"`)
    throw error
  }
}

function put(values: Values, [name = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    values[name] = value
    return
  }
  const inside: Values = Object.assign({}, values[name])
  put(inside, rest, value)
  values[name] = inside
}

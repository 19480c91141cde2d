// The configuration of `puremq start`: the file of --config, over it the environment, over that the command line.

import { type Arguments, UsageError } from "@puremq/tls13/command-line"
import { ConfigError } from "../config/config.ts"
import type { FileConfig } from "../config/file-config.ts"
import { checkedDraft, draftOfFile } from "../config/load.ts"
import { readAddress } from "../config/schema/kinds.ts"
import { nameProblem } from "../config/schema/listener-names.ts"
import { everyOption, type Option, type Placed, type Rows, type Table } from "../config/schema/option.ts"
import { options } from "../config/schema/options.ts"
import { memberOf } from "../config/schema/path.ts"
import { type Below, stepTo, topOf } from "../config/schema/paths.ts"
import { meantAnywhere } from "../config/schema/suggestions.ts"
import { Draft } from "../config/sources/draft.ts"
import { type Environment, environmentSettings, fileVariable, variableOf } from "../config/sources/environment.ts"
import type { Origin, Setting } from "../config/sources/origin.ts"
import { settingsOf } from "../config/sources/settings.ts"

export interface OwnCertificate {
  readonly cert: string
  readonly key: string
}

export interface StartSources {
  readonly given: Arguments
  readonly environment: Environment
  /** A listener with TLS has these where there is no file and it is given no certificate. */
  readonly own: OwnCertificate
  /** A broker runs meanwhile. */
  readonly again?: boolean
  /** For a test, another than the broker's. */
  readonly table?: Rows<FileConfig>
}

export interface StartConfig {
  readonly draft: Draft
  /** The configuration file. */
  readonly path: string | undefined
  /** Checked; its files are those that were named, as they are from here. */
  readonly file: FileConfig
  /** Whether a listener has the own certificate. */
  readonly usesOwn: boolean
}

/** Where the development certificate is. */
export const ownFolder = ".puremq"

const nobody: Origin = { kind: "default" }

/** Throws ConfigError, and UsageError for what the command line says. */
export function startConfigOf({ given, environment, own, again = false, table = options }: StartSources): StartConfig {
  const path = given.text("config") ?? (environment[fileVariable] || undefined)
  const draft = path === undefined ? new Draft() : draftOfFile(path, again)
  for (const setting of environmentSettings(environment, table)) draft.set(setting)
  setAddresses(draft, given, path)
  const placed = everyOption(table).filter(({ option }) => option.flag !== undefined)
  for (const each of placed) setFlag(draft, given, each)
  for (const text of given.texts("set")) for (const setting of settingsIn(text, table)) draft.set(setting)
  const usesOwn = completeTls(draft, own)
  const file = checkedDraft(draft, path, table)
  return { draft, path, usesOwn, file: draft.hasFile ? file : anonymousRule(file) }
}

/** The listeners that the command line names, and the one that is there when nobody names any. Throws UsageError. */
function setAddresses(draft: Draft, given: Arguments, path: string | undefined): void {
  const isNamed = draft.hasListeners || draft.hasFile
  if (isNamed && given.flag("no-tls"))
    throw new UsageError(
      draft.hasListeners
        ? `--no-tls is about the listener that there is where nothing is configured; take yours out of ${path ?? "the environment"}`
        : `--no-tls is about the listener that there is without a configuration file; with ${path} there are those that are named: leave it out`,
    )
  // The one that is there when nobody names any; the environment may say something of it and leave its port out.
  const isHalfNamed = draft.listeners.some(({ name, values }) => name === "tls" && values["port"] === undefined)
  if (!draft.hasFile && (isNamed ? isHalfNamed : !given.flag("no-tls") && given.text("tls") === undefined))
    draft.set({ path: ["listeners", "tls", "port"], value: 8883, origin: nobody })
  for (const type of ["tls", "wss", "tcp", "ws"]) {
    const address = type === "tls" && given.flag("no-tls") ? undefined : given.text(type)
    if (address === undefined) continue
    const origin = { kind: "command line", flag: `--${type}` } as const
    const { host, port } = reading(() => readAddress(address, `--${type}`))
    const values = { type, ...(address.includes(":") && { host }), port }
    for (const [name, value] of Object.entries(values)) draft.set({ path: ["listeners", type, name], value, origin })
  }
  if (!draft.hasListeners && !draft.hasFile)
    throw new UsageError('--no-tls leaves no listener; add --tcp or --ws, see "puremq start --help"')
}

/** An option of the command line; one of listeners is one of all that may have it. Throws UsageError. */
function setFlag(draft: Draft, given: Arguments, { path, option, part }: Placed): void {
  const { flag, kind } = option
  const { name = "" } = flag ?? {}
  const bare = (flag?.placeholder ?? kind.placeholder) === undefined
  const texts = kind.repeats ? given.texts(name) : [bare ? (given.flag(name) ? "true" : undefined) : given.text(name)]
  if (texts[0] === undefined) return
  const origin = { kind: "command line", flag: `--${name}` } as const
  const set = (path: readonly string[]) => {
    const text = texts.join(",")
    for (const each of reading(() => settingsOf(path, option, text, `--${name}`, origin, kind.readFlag ?? kind.read)))
      draft.set(each)
  }
  const [first = "", ...rest] = path
  if (first !== "listeners") {
    set(path)
    return
  }
  const { types, homeless } = part ?? {}
  const homes = draft.listeners.filter(({ type }) => types === undefined || types.some((one) => one === type))
  if (homes.length === 0) throw new UsageError(homeless?.(name) ?? `no listener takes --${name}`)
  for (const home of homes) set([first, home.name, ...rest])
}

/** `limits.maximumConnections=500`. Throws UsageError. */
function settingsIn(text: string, table: Table): Setting[] {
  const at = text.indexOf("=")
  if (at < 1) throw new UsageError(`--set ${text}: wanted is PATH=VALUE, such as --set limits.maximumConnections=500`)
  const [place, value] = [text.slice(0, at), text.slice(at + 1)]
  const where = `--set ${place}`
  const names = place.split(".")
  const option = optionAt(names, table)
  if (option === undefined) {
    const meant = meantAnywhere(names.at(-1) ?? "", everyOption(table))
    throw new UsageError(
      `${where}: there is no such option${meant === undefined ? "; docs/configuration.md has all of them" : `; did you mean \`${meant}\`?`}`,
    )
  }
  if (option.secret)
    throw new UsageError(
      `${where}: a secret is not for a command line, which others can read; set ${variableOf(names)}, or ${variableOf(names)}_FILE to a file with it`,
    )
  if (option.kind.read === undefined) {
    const inside = Object.keys(option.kind.parts?.[0]?.rows ?? {})
    const below = place === "listeners" ? "tls.port" : inside[0]
    throw new UsageError(`${where}: its options are set one by one, such as --set ${place}.${below}=VALUE`)
  }
  const origin = { kind: "command line", flag: where } as const
  return reading(() => settingsOf(names, option, value, where, origin))
}

function optionAt(names: readonly string[], table: Table): Option<unknown> | undefined {
  let below: Below = topOf(table)
  let option: Option<unknown> | undefined
  for (const name of names) {
    if (below.kind === "names" && nameProblem(name) !== undefined) return undefined
    const step = stepTo(below, name)
    if (step === undefined) return undefined
    option = step.option
    below = step.below
  }
  return option
}

/** What follows from --ca and from nothing. Returns whether the own certificate is used. */
function completeTls(draft: Draft, own: OwnCertificate): boolean {
  let usesOwn = false
  for (const { name, type, values, where } of draft.listeners) {
    if (type !== "tls" && type !== "wss") continue
    const place = (option: string) => ["listeners", name, option]
    const origin = values["ca"] === undefined ? undefined : draft.originOf(memberOf(where, "ca"))
    if (values["clientCertificate"] === undefined && origin?.kind === "command line")
      draft.set({ path: place("clientCertificate"), value: "require", origin })
    const isNamed = ["cert", "key", "keyPassword", "keyPasswordFile"].some((option) => values[option] !== undefined)
    if (draft.hasFile || isNamed) continue
    usesOwn = true
    for (const [option, value] of Object.entries(own)) draft.set({ path: place(option), value, origin: nobody })
  }
  return usesOwn
}

/** Where every client has to show a certificate there is a login already; otherwise passwords decide. */
function anonymousRule(config: FileConfig): FileConfig {
  const { login = {}, listeners = [] } = config
  if (login.anonymous !== undefined || login.passwordFile !== undefined) return config
  const everyListener = listeners.every((one) => "clientCertificate" in one && one.clientCertificate === "require")
  return everyListener ? { ...config, login: { ...login, anonymous: false } } : config
}

function reading<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(`${error.message}; see "puremq start --help"`)
    throw error
  }
}

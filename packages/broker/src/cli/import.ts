// `puremq import`: another broker's configuration as one of ours, on standard output or in a file that is new.

import { createPublicKey, randomBytes } from "node:crypto"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { basename, dirname, isAbsolute, join, resolve } from "node:path"
import { type Arguments, readArguments, UsageError } from "@puremq/tls13/command-line"
import { finish } from "../access/lines.ts"
import { defaultCost, passwordLine, saltLength } from "../access/password-file.ts"
import { tokenLine, tokenPrefix } from "../admin/tokens.ts"
import { checkFileConfig } from "../config/check.ts"
import { ConfigError } from "../config/config.ts"
import { importEmqx } from "../config/import/emqx.ts"
import { guessProduct, type Product, products } from "../config/import/guess.ts"
import { HoconError } from "../config/import/hocon-values.ts"
import type { ImportMeans } from "../config/import/means.ts"
import { importMosquitto } from "../config/import/mosquitto.ts"
import { importNanomq } from "../config/import/nanomq.ts"
import { knownPath } from "../config/import/our-options.ts"
import type { Outcome, Settings } from "../config/import/outcome.ts"
import { rendered } from "../config/import/render.ts"
import { checkedDraft, loadingFiles } from "../config/load.ts"
import { Draft } from "../config/sources/draft.ts"
import { readToml } from "../config/sources/toml.ts"
import { configurationFile, readText } from "../config/text-file.ts"
import { scrypt } from "../platform/node-scrypt.ts"
import { importCommand } from "./import-command.ts"

const productNames: Readonly<Record<Product, string>> = { mosquitto: "Mosquitto", nanomq: "NanoMQ", emqx: "EMQX" }

/** Returns the exit status. Throws ConfigError, or UsageError. @param tell for lines to standard error */
export async function importConfig(
  args: readonly string[],
  print: (line: string) => void,
  tell: (line: string) => void,
): Promise<number> {
  const given = readArguments(importCommand, args)
  const [file, extra] = given.positionals
  if (file === undefined || extra !== undefined) throw new UsageError('expected FILE; see "puremq import --help"')
  const text = readText(file, configurationFile)
  const { product, by } = productOf(given, file, text)
  const out = given.text("out")
  const outcome = await imported(product, text, file)
  const from = `${basename(file)}, of ${productNames[product]}`
  const folder = out === undefined ? process.cwd() : dirname(resolve(out))
  if (out === undefined) forgetFiles(outcome)
  makeUsable(outcome, from)
  const toml = rendered(outcome, from)
  if (out === undefined) print(toml.trimEnd())
  else {
    for (const name of outcome.files.keys()) refuseOther(join(folder, name), given)
    refuseOther(out, given)
    for (const [name, content] of outcome.files) writeFileSync(join(folder, name), content, { mode: 0o600 })
    writeFileSync(out, toml)
  }
  const problems = problemsOf(outcome, toml, out, folder)
  for (const line of [...outcome.told, ...problems]) tell(line)
  const { carried, changed, left } = outcome.counts
  const where =
    out === undefined
      ? ""
      : `, in ${[out, ...[...outcome.files.keys()].map((name) => join(dirname(out), name))].join(" and ")}`
  tell(
    `${file}, taken for one of ${productNames[product]}, as ${by}: ${carried} carried over, ${changed} with another meaning, ${left} not carried over${where}`,
  )
  return problems.length === 0 ? 0 : 1
}

function productOf(given: Arguments, file: string, text: string): { readonly product: Product; readonly by: string } {
  const named = given.text("from")
  if (named !== undefined) {
    const product = products.find((each) => each === named.toLowerCase())
    if (product === undefined) throw new UsageError(`--from must be one of ${products.join(", ")}, not "${named}"`)
    return { product, by: "--from says" }
  }
  const guessed = guessProduct(basename(file), text)
  if (guessed === undefined)
    throw new UsageError(`whose configuration ${file} is cannot be told: say it with --from ${products.join("|")}`)
  return guessed
}

async function imported(product: Product, text: string, file: string): Promise<Outcome> {
  try {
    switch (product) {
      case "mosquitto":
        return importMosquitto(text, file, means)
      case "nanomq":
        return await importNanomq(text, file, means)
      case "emqx":
        return importEmqx(text, file, means)
    }
  } catch (error) {
    if (error instanceof HoconError) throw new ConfigError(`${error.spot.file}:${error.spot.line}: ${error.message}`)
    throw error
  }
}

const means: ImportMeans = {
  read: (path) => (existsSync(path) ? readText(path, { what: "the file", wanted: "wanted is text" }) : undefined),
  list: (path) => (existsSync(path) ? readdirSync(path) : undefined),
  variable: (name) => process.env[name],
  knows: knownPath,
  beside: (file, name) => (isAbsolute(name) ? name : resolve(dirname(file), name)),
  passwordLine: (user, password) => passwordLine(user, password, randomBytes(saltLength), defaultCost, scrypt),
  adminToken: () => {
    const token = `${tokenPrefix}${randomBytes(32).toString("base64url")}`
    return { token, line: tokenLine("imported", "operate", token) }
  },
  jwkOf: (pem) => {
    try {
      return createPublicKey(pem).export({ format: "jwk" })
    } catch {
      return undefined
    }
  },
}

/** Where there is no folder to write them into. */
function forgetFiles(outcome: Outcome): void {
  for (const name of outcome.files.keys())
    outcome.told.push(`${name} is written with --out FILE only, beside that: it is not there yet`)
  outcome.files.clear()
}

/** What our own check refuses is taken out again, and said: what is written can be used. */
function makeUsable(outcome: Outcome, from: string): void {
  for (let tries = 0; tries < 1000; tries++) {
    const { value } = readToml(rendered(outcome, from))
    try {
      checkFileConfig(value)
      return
    } catch (error) {
      if (!(error instanceof ConfigError) || error.where === undefined || !dropAt(outcome, error.where, error.message))
        throw error
    }
  }
}

/** @returns false: nothing of the import is there */
function dropAt(outcome: Outcome, where: string, why: string): boolean {
  const [, name, rest] = /^listeners\.([^.]+)\.(.+)$/.exec(where) ?? []
  const [, at, inBridge] = /^bridges\[(\d+)\]\.?(.*)$/.exec(where) ?? []
  const bridge = at === undefined ? undefined : outcome.bridges[Number(at)]
  if (bridge !== undefined) {
    // What it needs may be what is wrong: it goes as a whole.
    for (const [, { value }] of bridge) if (typeof value === "string") outcome.files.delete(value)
    for (const [path] of [...bridge]) outcome.drop(bridge, path, `its bridge cannot be used here: ${why}`)
    outcome.bridges.splice(Number(at), 1)
    outcome.told.push(`a bridge is left out: ${inBridge === "" ? where : inBridge}: ${why}`)
    return true
  }
  const listener = outcome.listeners.find((each) => each.name === name)
  const settings: Settings = listener?.settings ?? outcome.settings
  const path = (listener === undefined ? where : (rest ?? "")).replace(/\[\d+\]$/, "")
  const found = [...settings].map(([each]) => each).find((each) => each === path || path.startsWith(`${each}.`))
  if (found === undefined) return false
  outcome.drop(settings, found, `it cannot be used here: ${why}`)
  outcome.told.push(`${where} is left out: ${why}`)
  return true
}

/** Files that are missing here, or that cannot be used. */
function problemsOf(outcome: Outcome, toml: string, out: string | undefined, folder: string): string[] {
  const problems: string[] = []
  const fileOptions = [
    "cert",
    "key",
    "keyPasswordFile",
    "ca",
    "crl",
    "aclFile",
    "login.passwordFile",
    "login.http.ca",
    "login.jwt.ca",
    "admin.cert",
    "admin.key",
    "passwordFile",
    "pskFile",
  ]
  const look = (settings: Settings, where: string) => {
    for (const [path, { value }] of settings)
      if (fileOptions.includes(path) && typeof value === "string" && !existsSync(resolve(folder, value)))
        problems.push(`${where}${path}: there is no file ${value} here: put it there before the broker is started`)
  }
  look(outcome.settings, "")
  for (const { name, settings } of outcome.listeners) look(settings, `listeners.${name}.`)
  for (const [at, settings] of outcome.bridges.entries()) look(settings, `bridges[${at}].`)
  if (problems.length > 0) return problems
  const path = out ?? join(folder, "puremq.toml")
  try {
    const draft = new Draft({ name: path, document: readToml(toml) })
    finish(loadingFiles(checkedDraft(draft, path), draft, { path, now: Date.now(), again: false }))
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    problems.push(error.message)
  }
  return problems
}

function refuseOther(path: string, given: Arguments): void {
  if (existsSync(path) && !given.flag("force"))
    throw new ConfigError(`${path} is there already: --force writes over it`)
}

// `puremq check-config`: what `puremq start` would be started with, and whether it could be.

import { existsSync } from "node:fs"
import { readArguments, UsageError } from "@puremq/tls13/command-line"
import { finish } from "../access/lines.ts"
import type { FileConfig } from "../config/file-config.ts"
import { loadingFiles } from "../config/load.ts"
import { asObject, asToml, type Printed, pathsOf, printed } from "../config/print.ts"
import { configurationSchema } from "../config/schema/json-schema.ts"
import { options } from "../config/schema/options.ts"
import type { Draft } from "../config/sources/draft.ts"
import { originText } from "../config/sources/origin.ts"
import { certificateFiles } from "./certificates.ts"
import { checkConfigCommand } from "./start-command.ts"
import { ownFolder, startConfigOf } from "./start-config.ts"

/** Prints lines. Throws ConfigError, or UsageError, for what is not good. */
export function checkConfig(args: readonly string[], print: (line: string) => void): void {
  const given = readArguments(checkConfigCommand, args)
  if (given.positionals.length > 0)
    throw new UsageError(`unexpected ${given.positionals[0]}; see "puremq check-config --help"`)
  if (given.flag("schema")) {
    print(JSON.stringify(configurationSchema(options), undefined, 2))
    return
  }
  const [format = "toml"] = given.list("print") ?? []
  if (format !== "toml" && format !== "json")
    throw new UsageError(`--print must be toml or json, not "${format}"; see "puremq check-config --help"`)
  if (given.flag("sources") && !given.flag("print")) throw new UsageError("--sources is about --print: give both")
  const { cert, key } = certificateFiles(ownFolder)
  const { draft, path, file, usesOwn } = startConfigOf({ given, environment: process.env, own: { cert, key } })
  const made = usesOwn && !existsSync(cert)
  // What the first start makes is not there yet.
  const there = made
    ? { ...file, listeners: file.listeners?.filter((one) => !("cert" in one) || one.cert !== cert) }
    : file
  const { warnings } = finish(loadingFiles(there, draft, { path, now: Date.now(), again: false }))
  if (!given.flag("print")) {
    for (const text of warnings) print(`warning: ${text}`)
    print(`${path ?? "The configuration"} is good: ${summary(file)}`)
    if (made) print(`A development certificate will be made: ${cert}`)
    return
  }
  const members = printed(file, (name) => draft.placeOfListener(name))
  const origin = (each: Printed) => originOf(draft, each)
  if (format === "toml") print(asToml(members, given.flag("sources") ? origin : undefined).trimEnd())
  else {
    const configuration = asObject(members)
    const origins = () => Object.fromEntries(pathsOf(members).map(([place, each]) => [place, origin(each)]))
    print(JSON.stringify(given.flag("sources") ? { configuration, origins: origins() } : configuration, undefined, 2))
  }
}

function originOf(draft: Draft, { place, isDefault }: Printed): string {
  const origin = isDefault ? undefined : draft.originOf(place)
  return origin === undefined ? "default" : originText(origin)
}

function summary({ listeners = [], metrics, admin }: FileConfig): string {
  const doors = [
    ...listeners.map(({ name = "", type, ...at }) => ({ what: name === type ? type : `${name} (${type})`, ...at })),
    ...(metrics === undefined ? [] : [{ what: "metrics", ...metrics }]),
    ...(admin === undefined ? [] : [{ what: "admin", ...admin }]),
  ]
  return doors
    .map(({ what, host = "127.0.0.1", port }) => `${what} on ${host.includes(":") ? `[${host}]` : host}:${port}`)
    .join(", ")
}

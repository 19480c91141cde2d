// Wrong configurations end in exactly the line that wrong.toml has for each: where it is, what it is, and what to write instead.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readArguments, UsageError } from "@puremq/tls13/command-line"
import { parse } from "smol-toml"
import { afterAll, beforeAll, expect, it } from "vitest"
import { finish } from "../../src/access/lines.ts"
import { startCommand } from "../../src/cli/start-command.ts"
import { startConfigOf } from "../../src/cli/start-config.ts"
import { ConfigError } from "../../src/config/config.ts"
import { loadingFiles } from "../../src/config/load.ts"

interface Wrong {
  readonly name: string
  readonly toml?: string
  readonly json?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly arguments?: readonly string[]
  readonly files?: Readonly<Record<string, string>>
  readonly says: string
}

const table = parse(readFileSync(new URL("wrong.toml", import.meta.url), "utf8")) as unknown as { wrong: Wrong[] }
const own = { cert: "own.pem", key: "own-key.pem" }

let folder = ""
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "puremq-"))
})
afterAll(() => rmSync(folder, { recursive: true }))

function said({ name, toml, json, environment = {}, arguments: args = [], files = {} }: Wrong): string {
  const place = join(folder, name.replaceAll(/\W/g, "-"))
  mkdirSync(place)
  for (const [file, text] of Object.entries(files)) writeFileSync(join(place, file), text)
  const file = join(place, toml === undefined ? "puremq.json" : "puremq.toml")
  const text = toml ?? json
  if (text !== undefined) writeFileSync(file, text)
  const given = readArguments(startCommand, [...(text === undefined ? [] : ["--config", file]), ...args])
  try {
    const { draft, path, file } = startConfigOf({ given, environment, own })
    finish(loadingFiles(file, draft, { path, now: Date.now(), again: false }))
  } catch (error) {
    if (error instanceof ConfigError || error instanceof UsageError) return error.message.replaceAll(`${place}/`, "")
    throw error
  }
  return "it is good"
}

it("there are sixty and more, each of its own name", () => {
  expect(table.wrong.length).toBeGreaterThanOrEqual(60)
  expect(new Set(table.wrong.map(({ name }) => name)).size).toBe(table.wrong.length)
})

it.each(table.wrong.map((wrong) => [wrong.name, wrong] as const))("%s", (_name, wrong) => {
  expect(said(wrong)).toBe(wrong.says)
  expect(wrong.says).not.toContain("\n")
})

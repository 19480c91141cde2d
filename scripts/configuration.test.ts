// docs/configuration.md is made of the option table: `npx vitest run scripts/configuration.test.ts -u` writes it. And a new option
// is one row: a made-up one, in a copy of the table, is in all that is made of it.

import { helpOf, readArguments, UsageError } from "@puremq/tls13/command-line"
import { describe, expect, it } from "vitest"
import { startCommand, startCommandOf } from "../packages/broker/src/cli/start-command.ts"
import { startConfigOf } from "../packages/broker/src/cli/start-config.ts"
import { checkFileConfig } from "../packages/broker/src/config/check.ts"
import { ConfigError } from "../packages/broker/src/config/config.ts"
import type { FileConfig } from "../packages/broker/src/config/file-config.ts"
import { watchedFilesOf } from "../packages/broker/src/config/load.ts"
import { group } from "../packages/broker/src/config/schema/group.ts"
import { fileName, milliseconds, number } from "../packages/broker/src/config/schema/kinds.ts"
import { limitOptions } from "../packages/broker/src/config/schema/limits.ts"
import { type ListenerParts, listenerParts } from "../packages/broker/src/config/schema/listener.ts"
import { listeners } from "../packages/broker/src/config/schema/listeners.ts"
import { everyOption, type Option, type Rows } from "../packages/broker/src/config/schema/option.ts"
import { options } from "../packages/broker/src/config/schema/options.ts"
import { defaultLimits } from "../packages/broker/src/session/limits.ts"
import { identityRules } from "../packages/tls13/src/x509/names/identity.ts"
import { configurationPage } from "./configuration/page.ts"

it("docs/configuration.md says what the table says", async () => {
  await expect(`${configurationPage(options, startCommand)}\n`).toMatchFileSnapshot("../docs/configuration.md")
})

describe("the option table", () => {
  const all = everyOption(options)

  it("has every limit, with its default", () => {
    const defaults = Object.entries(limitOptions).map(([name, option]) => [name, option.default])
    expect(Object.fromEntries(defaults)).toEqual(defaultLimits)
  })

  it("has every rule of identity", () => {
    expect(listenerParts.tls.rows.identity.kind.choices).toEqual(identityRules)
  })

  it("has no default that it would refuse, and no option of the command line twice", () => {
    const presets = all.filter(({ option }) => option.default !== undefined)
    expect(presets.length).toBeGreaterThan(40)
    for (const { path, option } of presets)
      expect(option.kind.check(option.default, path.join())).toEqual(option.default)
    const names = all.flatMap(({ option }) => (option.flag === undefined ? [] : [option.flag.name]))
    expect(names.length).toBeGreaterThan(25)
    expect(new Set(names).size).toBe(names.length)
    for (const { option } of all) if (option.flag !== undefined) expect(option.kind.read).toBeTypeOf("function")
    for (const { path, option } of all)
      if (option.kind.parts === undefined) expect([path, typeof option.kind.read]).toEqual([path, "function"])
  })

  it("has a row for each setting of the types, and each row a setting: nothing else compiles", () => {
    const { log: _, ...others } = options
    // @ts-expect-error a setting without row
    const missing: Rows<FileConfig> = others
    // @ts-expect-error a row without setting
    const surplus: Rows<FileConfig> = { ...others, log: options.log, madeUp: options.log }
    // @ts-expect-error a row of another type than its setting
    const other: Rows<FileConfig> = { ...options, sysInterval: options.log }
    expect([missing, surplus, other]).toHaveLength(3)
  })
})

describe("a new option is one row", () => {
  const top: Option<number> = {
    kind: milliseconds(1000, 60_000),
    about: "how long the made-up thing may take",
    default: 5000,
    flag: { name: "made-up-time", section: "watching" },
  }
  const ofWebSocket: Option<string> = {
    kind: fileName,
    about: "where the made-up pages are",
    needs: [
      {
        words: "`origins`",
        met: (of) => of("origins") !== undefined,
        inFile: (where, name) => `${where}.${name} needs ${where}.origins`,
        onCommandLine: (flag) => `--${flag} needs --origin`,
      },
    ],
    flag: { name: "made-up-pages", section: "listeners" },
  }
  const ofLimits: Option<number> = { kind: number(3, 9), about: "made-up things", default: 4 }
  // The rows of options that no program knows: they are more than the types ask for.
  const parts: ListenerParts = {
    ...listenerParts,
    webSocket: {
      ...listenerParts.webSocket,
      rows: { ...listenerParts.webSocket.rows, ...{ madeUpPages: ofWebSocket } },
    },
  }
  const table: Rows<FileConfig> = {
    ...options,
    listeners: { ...options.listeners, kind: listeners(parts) },
    limits: { ...options.limits, kind: group<Record<string, number>>({ ...limitOptions, madeUpThings: ofLimits }) },
    ...{ madeUpTime: top },
  }
  const ws = { type: "ws", port: 0, origins: ["*"] }
  const command = startCommandOf(table)
  const start = (...args: string[]) =>
    startConfigOf({ given: readArguments(command, args), environment: {}, own: { cert: "c", key: "k" }, table }).file

  it("the file has it", () => {
    const file = { listeners: [{ ...ws, madeUpPages: "pages" }], limits: { madeUpThings: 9 }, madeUpTime: 1000 }
    const read = checkFileConfig(file, table)
    expect(read).toEqual(file)
    expect(() => checkFileConfig(file)).toThrow(ConfigError)
    expect(watchedFilesOf(read, "/folder", table)).toEqual(["/folder/pages"])
  })

  it.each<[unknown, string | RegExp]>([
    [{ madeUpTime: 999 }, "madeUpTime must be a whole number from 1000 to 60000, not 999"],
    [{ madeUpTime: 60_001 }, "madeUpTime must be a whole number from 1000 to 60000, not 60001"],
    [{ madeUpTiem: 2000 }, "madeUpTiem is not known; did you mean `madeUpTime`?"],
    [{ xyzzy: 2000 }, /^xyzzy is not known; known here: listeners, .*, madeUpTime$/],
    [{ limits: { madeUpThings: 10 } }, "limits.madeUpThings must be a whole number from 3 to 9, not 10"],
    [
      { listeners: [{ type: "ws", port: 0, madeUpPages: "pages" }] },
      "listeners[0].madeUpPages needs listeners[0].origins",
    ],
    [{ listeners: [{ type: "tcp", port: 0, madeUpPages: "x" }] }, "madeUpPages does not belong to a tcp listener"],
  ])("%j is refused in one line", (file, message) => {
    expect(() => checkFileConfig(file, table)).toThrow(ConfigError)
    expect(() => checkFileConfig(file, table)).toThrow(message)
  })

  it("the command line has it", () => {
    const web = ["--ws", "0", "--origin", "*", "--made-up-pages", "pages"]
    expect(start(...web, "--made-up-time", "7")).toMatchObject({
      madeUpTime: 7000,
      listeners: [{ type: "tls" }, { type: "ws", madeUpPages: "pages" }],
    })
    for (const [args, message] of [
      [
        ["--made-up-time", "61"],
        '--made-up-time must be a whole number from 1 to 60, not "61"; see "puremq start --help"',
      ],
      [["--made-up-tiem", "7"], "unknown option --made-up-tiem (did you mean --made-up-time?)"],
      [["--made-up-pages", "x"], "--made-up-pages is about WebSocket: add --ws or --wss"],
      [["--ws", "0", "--made-up-pages", "x"], "--made-up-pages needs --origin"],
    ] as const) {
      expect(() => start(...args)).toThrow(UsageError)
      expect(() => start(...args)).toThrow(message)
    }
  })

  it("the help text and the documentation have it", () => {
    expect(helpOf(command)).toContain("  --made-up-time SECONDS    how long the made-up thing may take (default 5)")
    expect(helpOf(command)).toContain("  --made-up-pages FILE      where the made-up pages are")
    const page = configurationPage(table, command)
    expect(page).toContain(
      "| `madeUpTime` | a whole number from 1,000 to 60,000, milliseconds | 5,000 | `--made-up-time SECONDS` | next start | How long the made-up thing may take. |",
    )
    expect(page).toContain(
      "| `madeUpPages` | a file name | none | `--made-up-pages FILE` | next start | Where the made-up pages are. Needs `origins`. |",
    )
    expect(page).toContain("| `madeUpThings` | a whole number from 3 to 9 | 4 |  | next start | Made-up things. |")
    expect(configurationPage(options, startCommand)).not.toContain("madeUp")
  })
})

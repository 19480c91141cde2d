// The commands of `puremq` and `tls13`: what the parser takes, what `--help` tells, and what is suggested are one table.

import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { program as puremq } from "../packages/broker/src/cli/commands.ts"
import {
  type Command,
  generalHelpOf,
  helpOf,
  type OptionRow,
  readArguments,
  rowsOf,
  UsageError,
  versionOf,
} from "../packages/tls13/src/cli/command-line.ts"
import { program as tls13 } from "../packages/tls13/src/cli/commands.ts"

const commands = [puremq, tls13].flatMap((program) => Object.values(program.commands)).map((each) => [each.name, each])
const everyName = [puremq, tls13].flatMap(({ commands }) => Object.values(commands).flatMap(namesOf))

function namesOf(command: Command): string[] {
  return rowsOf(command).map(({ name }) => name)
}

/** The options that the help has a line of, as it is read by people. */
function linesOf(command: Command) {
  const line =
    /^ {2}(?:-(?<short>\w), )?--(?<name>[\w-]+)(?:\[=(?<optional>[^\]]+)\]| (?<value>[^ ]+))?(?: {2,}| +(?=\S))/gm
  return [...helpOf(command).matchAll(line)].map(({ groups }) => ({ ...groups }))
}

function message(command: Command, ...args: string[]): string {
  try {
    readArguments(command, args)
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  return "is taken"
}

describe.each(commands as [string, Command][])("%s", (name, command) => {
  it("has every row in its help, once, in lines that are not too long", () => {
    const told = linesOf(command).map((line) => line["name"])
    expect(told).toEqual(namesOf(command))
    expect(new Set(told).size).toBe(told.length)
    for (const line of helpOf(command).split("\n")) expect(line.length).toBeLessThanOrEqual(120)
    expect(helpOf(command)).toMatch(/^ {2}(-h, )?--help /m)
  })

  it("takes every option as its help tells it, and no other way", () => {
    const hasValue = new Map(rowsOf(command).map((row: OptionRow) => [row.name, row.value !== undefined]))
    for (const { name: option = "", short, optional, value } of linesOf(command)) {
      expect([option, value !== undefined]).toEqual([option, hasValue.get(option)])
      const spellings = [`--${option}`, ...(short === undefined ? [] : [`-${short}`])]
      for (const spelling of spellings) {
        if (value === undefined) {
          expect(readArguments(command, [spelling]).flag(option)).toBe(true)
          continue
        }
        const read = readArguments(command, [spelling, "x"])
        expect([read.text(option) ?? read.texts(option)[0], read.positionals]).toEqual(["x", []])
        expect(message(command, spelling)).toBe(`--${option} needs a value; see "${name} --help"`)
      }
      if (value !== undefined) continue
      if (optional === undefined) expect(message(command, `--${option}=x`)).toMatch(/does not take an argument/)
      else expect(readArguments(command, [`--${option}=${optional}`]).list(option)).toEqual(optional.split(","))
    }
  })

  it("takes a value once, where it is no list", () => {
    for (const { name: option, short, value, optionalValue, multiple, words } of rowsOf(command)) {
      if (words !== undefined) continue
      const spellings = [`--${option}`, ...(short === undefined ? [] : [`-${short}`])]
      const given = spellings.map((spelling) => (value === undefined ? [spelling] : [spelling, "x"]))
      const twice = [...given.at(0)!, ...given.at(-1)!]
      const taken = (value ?? optionalValue) === undefined || multiple === true
      const again = new RegExp(`^--${option} is given more than once: [^\\n]+; see "${name} --help"$`)
      expect(message(command, ...twice)).toMatch(taken ? /^is taken$/ : again)
    }
  })

  it("takes a negative number for a value, and asks for another one that begins with a dash in one line", () => {
    for (const { name: option, short, value, words } of rowsOf(command)) {
      if (value === undefined || words !== undefined) continue
      for (const spelling of [`--${option}`, ...(short === undefined ? [] : [`-${short}`])]) {
        for (const number of ["-1", "-.5"]) {
          const read = readArguments(command, [spelling, number])
          expect([read.text(option) ?? read.texts(option)[0], read.positionals]).toEqual([number, []])
        }
        expect(message(command, spelling, "-x")).toBe(
          `--${option} needs a value (one that begins with a dash is written --${option}=${value}); see "${name} --help"`,
        )
      }
    }
  })

  it("suggests the option that was meant, in one line", () => {
    // --wsz is as near to --wss as to --ws.
    for (const option of namesOf(command).filter(({ length }) => length > 2)) {
      const swapped = `${option.slice(0, -2)}${option.slice(-1)}${option.slice(-2, -1)}`
      const slips = [`${option}z`, ...(option.length > 3 && swapped !== option ? [swapped] : [])]
      for (const slip of slips) {
        expect(message(command, `--${slip}=x`)).toBe(
          `unknown option --${slip} (did you mean --${option}?); see "${name} --help"`,
        )
      }
    }
    expect(message(command, "--xyzzy")).toBe(`unknown option --xyzzy; see "${name} --help"`)
    expect(message(command, `--${"x".repeat(100_000)}`)).toMatch(/^unknown option --x+; see/)
  })

  it("names no option in its help that there is none of", () => {
    for (const [, option = ""] of helpOf(command).matchAll(/--([a-z][\w-]*)/g)) expect(everyName).toContain(option)
  })
})

describe("the options of a listener, given twice", () => {
  it.each(["tls", "wss", "tcp", "ws"])("--%s: the file is for that", (type) => {
    expect(message(puremq.commands["start"]!, `--${type}`, "1", `--${type}=2`)).toBe(
      `--${type} is given more than once: more listeners are for the file of --config; see "puremq start --help"`,
    )
  })
})

describe.each([
  ["tls13", tls13],
  ["broker", puremq],
])("the version of packages/%s", (name, program) => {
  it("is that of its package, and the help says how it is told", () => {
    const { version } = JSON.parse(readFileSync(new URL(`../packages/${name}/package.json`, import.meta.url), "utf8"))
    expect(versionOf(program)).toBe(`${program.name} ${version}\n`)
    expect(generalHelpOf(program)).toContain(`"${program.name} --version"`)
  })
})

describe("words that are a value, whatever they begin with", () => {
  const pub = puremq.commands["pub"]!
  const read = (...args: string[]) => readArguments(pub, args)

  it("are taken as they are, also those that look like an option", () => {
    for (const value of ["-5", "-t", "--", "--topic=x", "", "a=b"]) {
      expect(read("-m", value, "-r").text("message")).toBe(value)
      expect(read("--message", value, "-r").flag("retain")).toBe(true)
    }
    expect(read("--message=-5").text("message")).toBe("-5")
  })

  it("may be several, as many as their own words say", () => {
    const property = ["-D", "connect", "user-property", "-a", "b", "--property", "publish", "x", "y", "-r"]
    const args = read(...property)
    expect(args.texts("property")).toEqual(["connect\0user-property\0-a\0b", "publish\0x\0y"])
    expect([args.flag("retain"), args.positionals]).toEqual([true, []])
    expect(read("-D", "publish").texts("property")).toEqual(["publish"])
  })

  it("other names of an option are the option, but not as a value", () => {
    expect(read("--ca", "file", "--password", "--mqtt", "-m", "--lines").text("cafile")).toBe("file")
    const args = read("--ca=file", "--password", "--mqtt", "-m", "--lines", "--null")
    expect([args.text("cafile"), args.text("pw"), args.text("message")]).toEqual(["file", "--mqtt", "--lines"])
    expect([args.flag("null-message"), args.flag("stdin-line")]).toEqual([true, false])
    expect(read("--", "--ca", "-m").positionals).toEqual(["--ca", "-m"])
  })
})

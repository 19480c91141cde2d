// What values of options may be: how each is read from the file and from a command line. Every error is one line with the place.

import { trustOf } from "../../listen/proxy-front.ts"
import { ConfigError } from "../config.ts"
import type { Check, Kind } from "./option.ts"

export const text: Kind<string> = {
  words: "a text",
  placeholder: "TEXT",
  check: (value, where) => {
    if (typeof value !== "string" || value === "") throw new ConfigError(`${where} must be a text, not ${show(value)}`)
    return value
  },
  read: (value, where) => text.check(value, where),
}

/** Relative to the configuration file, or on a command line to where the program runs. */
export const fileName: Kind<string> = { ...text, words: "a file name", placeholder: "FILE", file: true }

/** The same of a folder. */
export const folderName: Kind<string> = { ...text, words: "the name of a folder", placeholder: "DIR" }

export const flag: Kind<boolean> = {
  words: "true or false",
  check: (value, where) => {
    if (typeof value !== "boolean") throw new ConfigError(`${where} must be true or false, not ${show(value)}`)
    return value
  },
  read: (value, where) => flag.check(value === "true" ? true : value === "false" ? false : value, where),
}

type Unit = "bytes" | "seconds"

/** A whole number. */
export function number(low: number, high: number, unit?: Unit): Kind<number> {
  const within = (value: number) => Number.isInteger(value) && value >= low && value <= high
  const refused = (value: unknown, where: string) =>
    new ConfigError(`${where} must be a whole number from ${low} to ${high}, not ${show(value)}`)
  const range = high === Number.MAX_SAFE_INTEGER ? `of ${comma(low)} or more` : `from ${comma(low)} to ${comma(high)}`
  return {
    words: `a whole number ${range}${unit === undefined ? "" : `, ${unit}`}`,
    placeholder: unit === undefined ? "N" : unit.toUpperCase(),
    check: (value, where) => {
      if (typeof value !== "number" || !within(value)) throw refused(value, where)
      return value
    },
    read: (value, where) => {
      if (!/^\d+$/.test(value) || !within(Number(value))) throw refused(value, where)
      return Number(value)
    },
  }
}

/** In the file; a command line has whole seconds. */
export function milliseconds(low: number, high: number): Kind<number> {
  const seconds = number(Math.ceil(low / 1000), Math.floor(high / 1000), "seconds")
  const inFile = number(low, high)
  return {
    words: `${inFile.words}, milliseconds`,
    placeholder: "SECONDS",
    scale: 1000,
    check: inFile.check,
    read: (value, where) => 1000 * (seconds.read?.(value, where) ?? 0),
  }
}

export const port: Kind<number> = number(0, 65_535)

export function oneOf<T extends string | number>(...values: readonly T[]): Kind<T> {
  const check: Check<T> = (value, where) => {
    const found = values.find((one) => one === value)
    if (found === undefined) throw new ConfigError(`${where} must be one of ${values.join(", ")}, not ${show(value)}`)
    return found
  }
  return {
    words: `one of ${values.join(", ")}`,
    placeholder: values.join("|"),
    choices: values,
    check,
    read: (value, where) => check(values.find((one) => `${one}` === value) ?? value, where),
  }
}

/** On a command line with commas between them, or the option repeated. @param plural such as "texts" */
export function list<T>(item: Kind<T>, plural: string): Kind<readonly T[]> {
  return {
    words: `a list of ${plural}`,
    ...(item.placeholder !== undefined && { placeholder: item.placeholder }),
    repeats: true,
    ...(item.parts !== undefined && { parts: item.parts }),
    check: (value, where) => {
      if (!Array.isArray(value)) throw new ConfigError(`${where} must be a list, not ${show(value)}`)
      return value.map((each, index) => item.check(each, `${where}[${index}]`))
    },
    read: (value, where) => value.split(",").map((each) => item.check(each.trim(), where)),
  }
}

/** An address or a network. */
export const network: Kind<string> = {
  words: "an address or network",
  placeholder: "ADDRESS",
  check: (value, where) => {
    const entry = text.check(value, where)
    try {
      trustOf([entry])
    } catch (error) {
      throw new ConfigError(`${where}: ${error instanceof Error ? error.message : String(error)}`)
    }
    return entry
  },
}

/** A name of an application protocol (RFC 7301 section 3.1). */
export const protocolName: Kind<string> = {
  words: "a protocol name",
  placeholder: "NAME",
  check: (value, where) => {
    const name = text.check(value, where)
    if (!/^[\x21-\x7e]{1,255}$/.test(name))
      throw new ConfigError(`${where} must be 1 to 255 visible ASCII characters, such as mqtt, not ${show(value)}`)
    return name
  },
}

/** A Server Reference (MQTT 5.0 section 4.11). */
export const serverNames: Kind<string> = {
  words: "servers, with a space between them",
  placeholder: "SERVERS",
  check: (value, where) => {
    const names = text.check(value, where)
    if (names.length > 1024 || !/^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(names))
      throw new ConfigError(
        `${where} must be servers such as broker-2.example:8883, with a space between them, 1024 characters at most, not ${show(value)}`,
      )
    return names
  },
  read: (value, where) => serverNames.check(value, where),
}

/** An origin of pages. */
export const origin: Kind<string> = {
  words: "an origin",
  placeholder: "ORIGIN",
  check: (value, where) => {
    const entry = text.check(value, where)
    const isOrigin = URL.canParse(entry) && new URL(entry).origin === entry.toLowerCase()
    if (!isOrigin && entry !== "*" && entry !== "null")
      throw new ConfigError(
        `${where} must be an origin such as https://example.org, without a path, or *, not ${show(entry)}`,
      )
    return entry
  },
}

/** "PORT" or "HOST:PORT"; IPv6 addresses in brackets. Throws ConfigError. */
export function readAddress(value: string, where: string): { readonly host: string; readonly port: number } {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^:[\]]+):)?(\d{1,5})$/.exec(value)
  const found = Number(match?.[2] ?? -1)
  if (match === null || found > 65_535) throw new ConfigError(`${where} must be PORT or HOST:PORT, not ${show(value)}`)
  return { host: (match[1] ?? "127.0.0.1").replace(/^\[|\]$/g, ""), port: found }
}

function comma(value: number): string {
  return value.toLocaleString("en-US")
}

export function show(value: unknown): string {
  const shown = written(value)
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown
}

/** As JSON, which takes no more depth than the stack has. */
function written(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return Array.isArray(value) ? "a list of lists of lists" : "an object of objects of objects"
  }
}

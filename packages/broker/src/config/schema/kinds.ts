// What values of options may be: how each is read from the file and from text. Every error is one line with the place, what is
// wanted there, what is there instead, and where it is plain what was meant, that as it is written.

import { isIP } from "node:net"
import { nearest } from "@puremq/tls13/command-line"
import { trustOf } from "../../listen/proxy-front.ts"
import { ConfigError } from "../config.ts"
import type { Check, Kind } from "./option.ts"
import { itemOf } from "./path.ts"
import { amountOf, type Unit } from "./units.ts"

/** @param advice what to write instead, as a clause */
export function refused(where: string, wanted: string, value: unknown, advice?: string): ConfigError {
  const instead = value === null || value === "" ? "leave it out" : advice
  const told = instead === undefined ? "" : `: ${instead}`
  return new ConfigError(`${where} must be ${wanted}, not ${show(value)}${told}`, where)
}

export const text: Kind<string> = {
  words: "a text",
  placeholder: "TEXT",
  schema: { type: "string", minLength: 1 },
  check: (value, where) => {
    if (typeof value === "string" && value !== "") return value
    const advice = typeof value === "number" ? `write ${JSON.stringify(`${value}`)}` : undefined
    throw refused(where, "a text", value, advice)
  },
  read: (value, where) => text.check(value, where),
}

/** Relative to the configuration file, or else to where the program runs. */
export const fileName: Kind<string> = { ...text, words: "a file name", placeholder: "FILE", file: true }

/** The same of a folder. */
export const folderName: Kind<string> = { ...text, words: "the name of a folder", placeholder: "DIR", folder: true }

const wordsForTrue = ["true", "yes", "on", "1"]
const wordsForFalse = ["false", "no", "off", "0"]

export const flag: Kind<boolean> = {
  words: "true or false",
  schema: { type: "boolean" },
  check: (value, where) => {
    if (typeof value === "boolean") return value
    const word = `${value}`.toLowerCase()
    const meant = wordsForTrue.includes(word) ? true : wordsForFalse.includes(word) ? false : undefined
    throw refused(where, "true or false", value, meant === undefined ? undefined : `write ${meant}, without quotes`)
  },
  read: (value, where) => {
    if (value === "true" || value === "false") return value === "true"
    const word = value.toLowerCase()
    const meant = wordsForTrue.includes(word) ? true : wordsForFalse.includes(word) ? false : undefined
    throw refused(where, "true or false", value, meant === undefined ? undefined : `write ${meant}`)
  },
}

/** A whole number. */
export function number(low: number, high: number, unit?: Unit): Kind<number> {
  const within = (value: number) => Number.isInteger(value) && value >= low && value <= high
  const fail = (value: unknown, where: string, advice?: string) =>
    refused(where, `a whole number from ${low} to ${high}`, value, advice)
  const range = high === Number.MAX_SAFE_INTEGER ? `of ${comma(low)} or more` : `from ${comma(low)} to ${comma(high)}`
  return {
    words: `a whole number ${range}${unit === undefined ? "" : `, ${unit}`}`,
    placeholder: unit === undefined ? "N" : unit.toUpperCase(),
    schema: { type: "integer", minimum: low, maximum: high },
    check: (value, where) => {
      if (typeof value === "number" && within(value)) return value
      throw fail(value, where, adviceOn(value, within, unit))
    },
    read: (value, where) => {
      const amount = amountOf(value, unit)
      if (amount !== undefined && within(amount)) return amount
      throw fail(value, where)
    },
  }
}

/** What to write in a file instead of something that is no such number. */
function adviceOn(value: unknown, within: (value: number) => boolean, unit: Unit | undefined): string | undefined {
  if (typeof value === "string") {
    const amount = amountOf(value.replaceAll(/[,_']/g, ""), unit)
    if (amount !== undefined && within(amount)) return `write ${amount}, without quotes`
  }
  const isTime = unit === "seconds" || unit === "milliseconds"
  if (typeof value === "number" && isTime) {
    const [meant, other] = unit === "seconds" ? [value / 1000, "milliseconds"] : [value * 1000, "seconds"]
    if (within(meant)) return `it is in ${unit}; if ${value} are ${other}, write ${meant}`
  }
  return unit === undefined ? undefined : `it is in ${unit}`
}

/** In the file; an option of a command line has whole seconds. */
export function milliseconds(low: number, high: number): Kind<number> {
  const seconds = number(Math.ceil(low / 1000), Math.floor(high / 1000), "seconds")
  return {
    ...number(low, high, "milliseconds"),
    placeholder: "SECONDS",
    scale: 1000,
    readFlag: (value, where) => 1000 * (seconds.read?.(value, where) ?? 0),
  }
}

export const port: Kind<number> = number(0, 65_535)

export function oneOf<T extends string | number>(...values: readonly T[]): Kind<T> {
  const check: Check<T> = (value, where) => {
    const found = values.find((one) => one === value)
    if (found === undefined) throw refused(where, `one of ${values.join(", ")}`, value, meantOf(value, values))
    return found
  }
  return {
    words: `one of ${values.join(", ")}`,
    placeholder: values.join("|"),
    choices: values,
    schema: { enum: values },
    check,
    read: (value, where) => check(values.find((one) => `${one}` === value) ?? value, where),
  }
}

/** What others call a value, and TLS 1.2 its suites. */
const valuesElsewhere: readonly (readonly [called: RegExp, value: string])[] = [
  [/^(p-?256|prime256v1)$/i, "secp256r1"],
  [/^p-?384$/i, "secp384r1"],
  [/^p-?521$/i, "secp521r1"],
  [/aes_?128[-_]gcm/i, "TLS_AES_128_GCM_SHA256"],
  [/aes_?256[-_]gcm/i, "TLS_AES_256_GCM_SHA384"],
  [/chacha20/i, "TLS_CHACHA20_POLY1305_SHA256"],
]

function meantOf(value: unknown, values: readonly (string | number)[]): string | undefined {
  const word = `${value}`
  const known = valuesElsewhere.find(([called, own]) => called.test(word) && values.includes(own))
  const same = values.find((one) => `${one}`.toLowerCase() === word.toLowerCase())
  if (same !== undefined) return `write ${JSON.stringify(same)}`
  if (known !== undefined) return `did you mean \`${known[1]}\`?`
  const near = nearest(
    word,
    values.map((one) => `${one}`),
  )
  return near === undefined ? undefined : `did you mean \`${near}\`?`
}

/** As text with commas between them; an option of a command line may also be repeated. @param plural such as "texts" */
export function list<T>(item: Kind<T>, plural: string): Kind<readonly T[]> {
  return {
    words: `a list of ${plural}`,
    ...(item.placeholder !== undefined && { placeholder: item.placeholder }),
    ...(item.file !== undefined && { file: item.file }),
    repeats: true,
    schema: { type: "array", items: item.schema },
    ...(item.parts !== undefined && { parts: item.parts }),
    check: (value, where) => {
      if (!Array.isArray(value))
        throw refused(where, "a list", value, typeof value === "string" ? `write [${show(value)}]` : undefined)
      return value.map((each, index) => item.check(each, itemOf(where, index)))
    },
    // No text at all is a list of none. Objects have no text.
    ...(item.parts === undefined && {
      read: (value, where) => (value === "" ? [] : value.split(",").map((each) => item.check(each.trim(), where))),
    }),
  }
}

/** The same with one at least, and each once. */
export function choiceOf<T>(kind: Kind<readonly T[]>): Kind<readonly T[]> {
  const checked: Check<readonly T[]> = (value, where) => {
    const chosen = kind.check(value, where)
    if (chosen.length === 0)
      throw new ConfigError(`${where} is an empty list: leave it out, or name one at least`, where)
    const again = chosen.findIndex((each, at) => chosen.indexOf(each) < at)
    const place = itemOf(where, again)
    if (again >= 0)
      throw new ConfigError(`${place} is ${show(chosen[again])} for the second time: name each once`, place)
    return chosen
  }
  const { read } = kind
  return {
    ...kind,
    schema: { ...kind.schema, minItems: 1, uniqueItems: true },
    check: checked,
    ...(read !== undefined && { read: (text, where) => checked(read(text, where), where) }),
  }
}

/** A text that `problem` finds nothing wrong with. */
function textKind(words: string, placeholder: string, problem: (entry: string) => string | undefined): Kind<string> {
  const kind: Kind<string> = {
    words,
    placeholder,
    schema: text.schema,
    check: (value, where) => {
      const entry = text.check(value, where)
      const why = problem(entry)
      if (why !== undefined) throw new ConfigError(`${where}${why}`, where)
      return entry
    },
    read: (value, where) => kind.check(value, where),
  }
  return kind
}

/** An address or a network. */
export const network: Kind<string> = textKind("an address or network", "ADDRESS", (entry) => {
  try {
    trustOf([entry])
    return undefined
  } catch (error) {
    return `: ${error instanceof Error ? error.message : String(error)}`
  }
})

/** What a listener is bound to. */
export const host: Kind<string> = {
  ...textKind("an address or a host name", "HOST", (entry) => {
    const problem = hostProblem(entry)
    return problem === undefined ? undefined : ` must be an address or a host name, not ${show(entry)}: ${problem}`
  }),
  words: "a text",
}

/** What to write instead; undefined: it is one. */
function hostProblem(entry: string): string | undefined {
  if (isIP(entry) !== 0 || /^[\w-]+(\.[\w-]+)*\.?$/.test(entry)) return undefined
  const [, bare = ""] = /^(?:[a-z]+:\/\/)?(\[[^\]]*\]|[^/:]*)/i.exec(entry) ?? []
  const meant = bare.replaceAll(/[[\]]/g, "")
  const known = meant !== "" && hostProblem(meant) === undefined
  return `write ${known ? JSON.stringify(meant) : "such as 127.0.0.1"}, and the port as port`
}

/** A name of an application protocol (RFC 7301 section 3.1). */
export const protocolName: Kind<string> = textKind("a protocol name", "NAME", (entry) =>
  /^[\x21-\x7e]{1,255}$/.test(entry)
    ? undefined
    : ` must be 1 to 255 visible ASCII characters, such as mqtt, not ${show(entry)}`,
)

/** A Server Reference (MQTT 5.0 section 4.11). */
export const serverNames: Kind<string> = textKind("servers, with a space between them", "SERVERS", (entry) =>
  entry.length <= 1024 && /^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(entry)
    ? undefined
    : ` must be servers such as broker-2.example:8883, with a space between them, 1024 characters at most, not ${show(entry)}`,
)

/** An origin of pages. */
export const origin: Kind<string> = textKind("an origin", "ORIGIN", (entry) => {
  const isOrigin = URL.canParse(entry) && new URL(entry).origin === entry.toLowerCase()
  if (isOrigin || entry === "*" || entry === "null") return undefined
  return ` must be an origin such as https://example.org, without a path, or *, not ${show(entry)}`
})

/** "PORT" or "HOST:PORT"; IPv6 addresses in brackets. Throws ConfigError. */
export function readAddress(value: string, where: string): { readonly host: string; readonly port: number } {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^:[\]]+):)?(\d{1,5})$/.exec(value)
  const found = Number(match?.[2] ?? -1)
  if (match === null || found > 65_535) throw refused(where, "PORT or HOST:PORT", value)
  const host = (match[1] ?? "127.0.0.1").replace(/^\[|\]$/g, "")
  if (hostProblem(host) !== undefined) throw refused(where, "PORT or HOST:PORT", value)
  return { host, port: found }
}

/** Commas between thousands. `toLocaleString` would load the locales, for 25 ms of each start. */
function comma(value: number): string {
  return `${value}`.replace(/\B(?=(?:\d{3})+$)/g, ",")
}

/** Somebody may have written a password into a URL: not that. */
export function show(value: unknown): string {
  const shown = written(value).replaceAll(/\/\/[^"\s]*@/g, "//...@")
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown
}

/** As JSON, which takes no more depth than the stack has. */
function written(value: unknown): string {
  if (typeof value === "number") return `${value}`
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return Array.isArray(value) ? "a list of lists of lists" : "an object of objects of objects"
  }
}

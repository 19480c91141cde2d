// Values of other brokers as ours.

import { suites } from "../../listen/tls-choices.ts"
import type { Reading } from "./outcome.ts"

/** A row of what an option of another broker is here. */
export interface Row {
  /** Ours, such as `limits.maximumConnections` and `listeners.*.cert`; undefined: there is none. */
  readonly to?: string
  readonly read?: (text: string) => Reading
  /** Why there is none, or what is other about it, as a clause. */
  readonly why?: string
  /** Its value goes into no comment. */
  readonly secret?: true
  /** The importer does more than to read its value. */
  readonly special?: true
}

export type Rows = Readonly<Record<string, Row>>

/** What a value becomes that is not said to differ. */
export function readingOf({ to, read, why }: Row, text: string): Reading {
  if (to === undefined) return read?.(text) ?? { left: why ?? "there is no such option here" }
  return read?.(text) ?? { value: text, differs: why }
}

const trueWords = new Set(["true", "on", "yes", "1"])
const falseWords = new Set(["false", "off", "no", "0"])

export function flagOf(text: string): boolean | undefined {
  const word = text.toLowerCase()
  return trueWords.has(word) ? true : falseWords.has(word) ? false : undefined
}

export function flag(differs?: string): (text: string) => Reading {
  return (text) => {
    const value = flagOf(text)
    return value === undefined ? { left: "it is neither true nor false" } : { value, differs }
  }
}

/** It is always so here. */
export function always(
  what: boolean,
  otherwise: string,
  holds = "so here without a setting",
): (text: string) => Reading {
  return (text) => (flagOf(text) === what ? { holds } : { left: otherwise })
}

export interface NumberRule {
  readonly low: number
  readonly high: number
  /** What texts that mean no limit are here; absent: such a line is left, as there is always a limit. */
  readonly unlimited?: number
  readonly unlimitedTexts?: readonly string[]
  readonly unit?: "bytes" | "seconds" | "milliseconds"
  readonly differs?: string
}

const bytesIn: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1024,
  mb: 1024 ** 2,
  gb: 1024 ** 3,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
}
const secondsIn: Readonly<Record<string, number>> = {
  ms: 0.001,
  "": 1,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
}

/** Bytes, or seconds, of a text such as 1MB, 15s or 1h30m; undefined: it is none. */
export function amountOf(text: string, unit: NumberRule["unit"]): number | undefined {
  if (unit === undefined || /^\d+$/.test(text)) return /^\d{1,15}$/.test(text) ? Number(text) : undefined
  const table = unit === "bytes" ? bytesIn : secondsIn
  const parts = [...text.toLowerCase().matchAll(/(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]*)/gy)]
  if (parts.length === 0 || parts.map(([all]) => all).join("") !== text.toLowerCase()) return undefined
  let sum = 0
  for (const [, digits = "", word = ""] of parts) {
    const factor = table[word]
    if (factor === undefined) return undefined
    sum += Number(digits) * factor
  }
  return sum
}

export function number({
  low,
  high,
  unlimited,
  unlimitedTexts = [],
  unit,
  differs,
}: NumberRule): (text: string) => Reading {
  return (text) => {
    if (unlimitedTexts.includes(text)) {
      if (unlimited !== undefined) return { value: unlimited }
      return { left: "there is always a limit here; what it is by default stays" }
    }
    const amount = amountOf(text, unit)
    if (amount === undefined) return { left: "it is no number that is known here" }
    const value = Math.round(unit === "milliseconds" ? amount * 1000 : amount)
    if (value < low) return { value: low, differs: `it is ${low} at least` }
    if (value > high) return { value: high, differs: `it is ${high} at most` }
    return { value, differs }
  }
}

/** Whether the value of an option of this name goes into no comment. */
export function isSecretName(name: string): boolean {
  return /(pass(word|wd|phrase)?|secret|token|cookie|psk|kpass\w*|credentials?|api_?key|access_?key\w*)$/i.test(name)
}

/** `HOST:PORT`, `PORT`, `[::1]:PORT`, `HOST:PORT/path`, also behind a scheme such as nmq-tcp://. */
export function addressOf(
  text: string,
): { host: string | undefined; port: number; path: string | undefined } | undefined {
  const match = /^(?:[a-z+-]+:\/\/)?(?:(\[[0-9A-Fa-f:.]+\]|[^\s/[\]]*):)?(\d{1,5})(\/\S*)?$/.exec(text)
  const port = Number(match?.[2] ?? -1)
  if (match === null || port > 65_535) return undefined
  const host = match[1]?.replace(/^\[|\]$/g, "")
  return { host: host === "" || host === "*" ? undefined : host, port, path: match[3] }
}

/** Without line ends and other characters that are none. */
export function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim()
}

/** Of suites as OpenSSL lists them, those that there are. */
export function suitesOf(text: string): Reading {
  const names = text.split(/[:,]\s*/).filter((name) => name !== "")
  const known = suites.filter((suite) => names.includes(suite))
  if (known.length === 0) return { left: "none of them is one of TLS 1.3 that we have: a listener has all of ours" }
  const inOrder = names.flatMap((name) => known.filter((suite) => suite === name))
  const unknown = names.length - inOrder.length
  return {
    value: inOrder,
    differs: unknown === 0 ? undefined : "those of TLS 1.2, and others that we do not have, are left out",
  }
}

// Values as a line of JSON has them: bytes in hexadecimal under one key, everything else as it is.

import { bytesOfHex, toHex } from "../bytes/hex.ts"
import { RecordingError } from "./errors.ts"

/** How deep values may nest: a verdict's identity is three deep. */
const deepest = 8

/** @throws RecordingError for what is no plain data: a function, a promise, an object of a class */
export function toPlain(value: unknown, depth = 0): unknown {
  if (depth > deepest) throw new RecordingError("a value nests too deeply to be recorded")
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return value
    case "number":
      return Number.isFinite(value) ? value : { number: String(value) }
    case "object":
      break
    default:
      throw new RecordingError(`a value of type ${typeof value} cannot be recorded`)
  }
  if (value === null) return null
  if (value instanceof Uint8Array) return { bytes: toHex(value) }
  if (Array.isArray(value)) return value.map((each) => toPlain(each, depth + 1))
  const prototype = Object.getPrototypeOf(value) as unknown
  if (prototype !== Object.prototype && prototype !== null)
    throw new RecordingError("an object of a class cannot be recorded")
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toPlain(each, depth + 1)]))
}

/** @param where names the line, for the error @throws RecordingError */
export function fromPlain(value: unknown, where: string, depth = 0): unknown {
  if (depth > deepest) throw new RecordingError(`${where} nests too deeply`)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((each: unknown) => fromPlain(each, where, depth + 1))
  const entries = Object.entries(value) as [string, unknown][]
  const [first] = entries
  if (entries.length === 1 && first !== undefined && typeof first[1] === "string") {
    if (first[0] === "bytes") return hexOf(first[1], where)
    if (first[0] === "number" && notFinite.has(first[1])) return Number(first[1])
  }
  return Object.fromEntries(entries.map(([name, each]) => [name, fromPlain(each, where, depth + 1)]))
}

const notFinite: ReadonlySet<string> = new Set(["Infinity", "-Infinity", "NaN"])

/** @throws RecordingError */
export function hexOf(text: unknown, where: string): Uint8Array {
  const bytes = typeof text === "string" ? bytesOfHex(text) : undefined
  if (bytes === undefined) throw new RecordingError(`${where} has bytes that are not in hexadecimal`)
  return bytes
}

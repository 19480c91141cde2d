// The text of a recording, read: anybody may have written it, so each line is looked at before it is used.

import { RecordingError } from "./errors.ts"
import { type Fields, fieldsOf, type Head, readHead, timeOf } from "./head.ts"
import { type Ask, type Call, type CallName, callNames, type Gave, isAlertName, madeBy, type Thrown } from "./lines.ts"

/** Characters of a recording that are read at most; no longer one is written. */
export const longestRecording: number = 64 * 1_048_576

/** A line, with its number in the file. */
export type Numbered =
  | { readonly at: number; readonly type: "call"; readonly call: Call }
  | { readonly at: number; readonly type: "ask"; readonly ask: Ask }
  | { readonly at: number; readonly type: "gave"; readonly gave: Gave }

export interface Recording {
  readonly head: Head
  readonly lines: readonly Numbered[]
  /** Why the file ends before the connection did; undefined: it does not say so. */
  readonly cut: string | undefined
}

/**
 * @throws RecordingError and nothing else, for what is no recording, or is one of another version, or is broken: its line is named. The
 *   last line may be cut short, as a process that dies leaves it.
 */
export function readRecording(text: string): Recording {
  if (text.length > longestRecording)
    throw new RecordingError(`${text.length} characters are more than a recording has (${longestRecording} at most)`)
  const all = text.split("\n")
  const rest = all.pop() ?? ""
  const first = all[0]
  if (first === undefined) throw new RecordingError("no recording: its first line is not there, or is cut short")
  const head = readHead(parsed(first, "no recording: its first line"))
  const lines: Numbered[] = []
  let cut = rest === "" ? undefined : "the last line is cut short"
  let made = 0
  for (let i = 1; i < all.length; i++) {
    const where = `line ${i + 1}`
    const fields = fieldsOf(parsed(all[i]!, where), where)
    if (cut !== undefined && rest === "") throw new RecordingError(`${where} comes after the end`)
    if (typeof fields.end === "string") cut = fields.end.slice(0, 200)
    else {
      const line = numbered(i + 1, fields, where)
      made += line.type === "call" ? madeBy(line.call) : line.type === "ask" ? madeBy(line.ask) : 0
      if (made > longestRecording)
        throw new RecordingError(`${where}: more than ${longestRecording} bytes would be made that are not in the file`)
      lines.push(line)
    }
  }
  return { head, lines, cut }
}

/** Engines differ in what they throw for what nests too deeply: all of it means the same. */
function parsed(line: string, where: string): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch {
    throw new RecordingError(`${where} is not JSON`)
  }
}

function numbered(at: number, fields: Fields, where: string): Numbered {
  if ("do" in fields) return { at, type: "call", call: callOf(fields, where) }
  if ("ask" in fields) return { at, type: "ask", ask: askOf(fields, where) }
  if ("gave" in fields) return { at, type: "gave", gave: gaveIn(fieldsOf(fields.gave, `"gave" of ${where}`), where) }
  throw new RecordingError(`${where} is neither a call, nor a question, nor what came of a call`)
}

/** What each call has to have beside its name. */
const needs: Readonly<Record<CallName, readonly (keyof Call)[]>> = {
  start: [],
  receive: ["now", "bytes"],
  receiveEnd: ["now"],
  answer: ["now"],
  reject: ["now", "error"],
  abandon: ["now", "reason"],
  abort: ["alert"],
  tick: ["now"],
  send: [],
  sendEarlyData: [],
  sendHalfRtt: [],
  updateKeys: [],
  close: [],
  destroy: [],
  requestCertificate: [],
}
const carriesPayload: ReadonlySet<string> = new Set<CallName>(["send", "sendEarlyData", "sendHalfRtt"])

function callOf(fields: Fields, where: string): Call {
  const name = callNames.find((each) => each === fields.do)
  if (name === undefined) throw new RecordingError(`${where} is of no call that a connection has`)
  const missing = needs[name].find((each) => fields[each] === undefined)
  if (missing !== undefined) throw new RecordingError(`${where}: ${name} has no "${missing}"`)
  if (carriesPayload.has(name) && (fields.bytes === undefined) === (fields.length === undefined))
    throw new RecordingError(`${where}: ${name} has neither "bytes" nor "length", or both`)
  if (fields.now !== undefined) timeOf(fields.now, where)
  for (const text of ["bytes", "reason", "request", "alert"] as const) textOf(fields[text], `"${text}" of ${where}`)
  if (fields.alert !== undefined && !isAlertName(fields.alert)) throw new RecordingError(`${where} has no known alert`)
  wholeOf(fields.length, `"length" of ${where}`)
  if (fields.error !== undefined) thrownIn(fields.error, where)
  return fields as unknown as Call
}

function askOf(fields: Fields, where: string): Ask {
  if (typeof fields.ask !== "string") throw new RecordingError(`"ask" of ${where} is no name`)
  if (fields.threw !== undefined) thrownIn(fields.threw, where)
  return fields as unknown as Ask
}

function gaveIn(fields: Fields, where: string): Gave {
  textOf(fields.output, `"output" of ${where}`)
  textOf(fields.waitsFor, `"waitsFor" of ${where}`)
  wholeOf(fields.length, `"length" of ${where}`)
  const { events, failure, threw } = fields
  if (events !== undefined && !(Array.isArray(events) && events.every((each) => typeof each === "string")))
    throw new RecordingError(`"events" of ${where} are no list of names`)
  if (failure !== undefined) thrownIn(failure, where)
  if (threw !== undefined) thrownIn(threw, where)
  return fields as unknown as Gave
}

function thrownIn(value: unknown, where: string): Thrown {
  const { kind, message, alert, word } = fieldsOf(value, `an error of ${where}`)
  const isRight = typeof kind === "string" && typeof message === "string" && (alert === undefined || isAlertName(alert))
  if (!isRight) throw new RecordingError(`${where} has an error without kind and message, or of no known alert`)
  textOf(word, `"word" of ${where}`)
  return value as Thrown
}

function textOf(value: unknown, what: string): void {
  if (value !== undefined && typeof value !== "string") throw new RecordingError(`${what} is no text`)
}

/** Bytes that are made: no more than a file could have held. */
function wholeOf(value: unknown, what: string): void {
  if (value === undefined) return
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= longestRecording) return
  throw new RecordingError(`${what} is no whole number from 0 to ${longestRecording}`)
}

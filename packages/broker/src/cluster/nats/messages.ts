// Messages as NATS has them, from and to what the port says. Headers that begin with `Nats-` are the servers', not told.

import { headers as emptyHeaders, type Msg, type MsgHdrs } from "@nats-io/nats-core"
import type { Append, Headers, StreamMessage } from "../streams.ts"

/** Room for names and values of headers beside the data, in bytes: a message has to fit into the servers' `max_payload`. */
export const roomOfHeaders = 66_000

/** nats-server drops a connection whose line is longer than 4,096 bytes; the reply subject and lengths stand there, too. */
const longestSubject = 3800

/** What is wrong with a subject, or undefined. */
export function subjectProblem(subject: string): string | undefined {
  if (!/^[^\s.]+(?:\.[^\s.]+)*$/.test(subject)) return `"${subject.slice(0, 100)}" is no subject`
  if (subject.length * 3 <= longestSubject) return undefined
  const bytes = new TextEncoder().encode(subject).length
  return bytes <= longestSubject ? undefined : `a subject has ${bytes} bytes, and ${longestSubject} is most`
}

/** @param prefix of subjects; a schedule's target is one of them */
export function toHeaders(headers: Headers, prefix: string): MsgHdrs {
  const all = emptyHeaders()
  for (const [name, value] of Object.entries(headers)) {
    all.set(name, name === "Nats-Schedule-Target" ? `${prefix}${value}` : value)
  }
  return all
}

/** @param lifetime seconds */
export function headersOf(append: Append, prefix: string, lifetime: number | undefined): MsgHdrs {
  const all = toHeaders(append.headers, prefix)
  if (append.expected !== undefined) all.set("Nats-Expected-Last-Subject-Sequence", String(append.expected))
  if (append.rollup === true) all.set("Nats-Rollup", "sub")
  if (lifetime !== undefined) all.set("Nats-TTL", `${Math.max(1, Math.ceil(lifetime))}s`)
  return all
}

function told(headers: Iterable<readonly [string, readonly string[]]> | undefined): Headers {
  const all: Record<string, string> = {}
  for (const [name, values] of headers ?? []) if (!name.startsWith("Nats-")) all[name] = values[0] ?? ""
  return all
}

/** Undefined, too, where they make no sense: what the library throws then would end the reading of all that the server sends. */
export function headersIn(message: Msg): MsgHdrs | undefined {
  try {
    return message.headers
  } catch {
    return undefined
  }
}

export function plainMessage(message: Msg, prefix: string): Omit<StreamMessage, "sequence"> {
  // A copy: what the library gives is a part of a larger array of the socket.
  const data = new Uint8Array(message.data)
  const headers = headersIn(message)
  const origin = originOf(headers?.get("Nats-Stream-Source"))
  return { subject: message.subject.slice(prefix.length), headers: told(headers), data, ...origin }
}

/** Of a message that was copied from a partition: `puremq-1 5 ...`, the stream and the sequence there. */
function originOf(source: string | undefined): Pick<StreamMessage, "origin"> {
  const [, partition, sequence] = /^\S*-(\d+) (\d+) /.exec(source ?? "") ?? []
  return sequence === undefined ? {} : { origin: { partition: Number(partition), sequence: Number(sequence) } }
}

/** Of an answer to a direct get, whose headers say what it is. */
export function directMessage(message: Msg, prefix: string): StreamMessage | undefined {
  // The library says "" of a header that is not there.
  const headers = headersIn(message)
  const subject = headers?.get("Nats-Subject") ?? ""
  const sequence = Number(headers?.get("Nats-Sequence"))
  if (subject === "" || !Number.isSafeInteger(sequence)) return undefined
  const data = new Uint8Array(message.data)
  return { sequence, subject: subject.slice(prefix.length), headers: told(headers), data }
}

/** Of an answer of `STREAM.MSG.GET`, in JSON. */
export function leaderMessage(answer: Record<string, unknown>, prefix: string): StreamMessage {
  const message = answer["message"] as { subject: string; seq: number; data?: string; hdrs?: string }
  const text = String.fromCharCode(...fromBase64(message.hdrs ?? ""))
  const lines = text.split("\r\n").slice(1)
  const pairs = lines.flatMap((line): [string, string[]][] => {
    const colon = line.indexOf(":")
    return colon < 1 ? [] : [[line.slice(0, colon), [line.slice(colon + 1).trim()]]]
  })
  return {
    sequence: message.seq,
    subject: message.subject.slice(prefix.length),
    headers: told(pairs),
    data: fromBase64(message.data ?? ""),
  }
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

export interface Delivery {
  /** Of the stream. */
  readonly sequence: number
  /** Of the consumer: each one more than the one before. */
  readonly delivered: number
}

/** What a consumer says of a message: `$JS.ACK.<stream>.<consumer>.<times>.<sequence>.<delivered>.<time>.<pending>`. */
export function deliveryOf(message: Msg): Delivery | undefined {
  const words = message.reply?.split(".") ?? []
  if (words[0] !== "$JS" || words[1] !== "ACK") return undefined
  // With a domain and an account there are two more, and one behind.
  const at = words.length >= 11 ? 7 : 5
  const [sequence, delivered] = [Number(words[at]), Number(words[at + 1])]
  return Number.isSafeInteger(sequence) && Number.isSafeInteger(delivered) ? { sequence, delivered } : undefined
}

export interface Scanned {
  /** All of the stream up to this one was looked at. */
  readonly sequence: number
  /** Messages that were sent. */
  readonly delivered: number
}

/** What a consumer says of itself while it has nothing to send; undefined: this is something else. */
export function scannedOf(message: Msg): Scanned | undefined {
  const headers = headersIn(message)
  if (headers?.code !== 100) return undefined
  const [sequence, delivered] = ["Nats-Last-Stream", "Nats-Last-Consumer"].map((name) => Number(headers.get(name)))
  return Number.isSafeInteger(sequence) && Number.isSafeInteger(delivered)
    ? { sequence: sequence as number, delivered: delivered as number }
    : undefined
}

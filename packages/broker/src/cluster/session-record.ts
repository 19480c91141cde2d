// A message on a session's subject: who has written it, how far the session was served, and its Changes. A snapshot has all of
// them, and is the first on the subject; what follows has those of a turn each.
//
//   0-1  version 1, 0   2-5  bytes of the head   then the head, as JSON   then the Changes, as a turn (change-encoding.ts)

import { decodeUtf8, encodeText } from "../packet/bytes.ts"
import type { Change, MessageKept } from "../packet/change.ts"
import { decodeTurn, encodeTurn } from "../packet/change-encoding.ts"
import { TurnWriter } from "../packet/turn-fields.ts"
import type { OfferNumber } from "./group-record.ts"
import { positionOf, type SessionImage } from "./session-image.ts"

const version = 1
/** Bytes before the head. */
const headLength = 6

export interface RecordHead {
  /** The node that has written it: of the last record, the one that serves the session. */
  readonly node: string
  /** Which claim of that node it is of. */
  readonly claim: number
  /** Somebody has to see to the session. */
  readonly attended: boolean
  /** By partition; see SessionImage. */
  readonly through: readonly number[]
  /** Of the subscriptions in this record. */
  readonly since: Readonly<Record<string, readonly number[]>>
  /** All of it; see SessionImage. */
  readonly taken?: Readonly<Record<string, { readonly last: OfferNumber; readonly keys: readonly string[] }>>
}

export class SessionRecords {
  readonly #writer: TurnWriter = new TurnWriter()

  encode(head: RecordHead, changes: readonly Change[]): Uint8Array {
    const text = encodeText(JSON.stringify(head))
    const writer = this.#writer
    writer.clear()
    encodeTurn(changes, writer)
    const record = new Uint8Array(headLength + text.length + writer.length)
    record[0] = version
    new DataView(record.buffer).setUint32(2, text.length)
    record.set(text, headLength)
    record.set(writer.bytes.subarray(0, writer.length), headLength + text.length)
    return record
  }
}

/** Bytes of a number and what stands beside it; and of what else a subscription has. */
const [numberBytes, beside] = [17, 40]

/** Bytes of a subscription in a record at most: its Change, and where it begins in each partition. */
export function subscriptionBytes(filter: string, partitions: number): number {
  return encodeText(filter).length + encodeText(JSON.stringify(filter)).length + numberBytes * partitions + beside
}

/** In one line why it cannot be read, as another version of the broker has written it, say. */
export function headOf(record: Uint8Array): RecordHead | string {
  if (record.length < headLength) return "a record of a session is cut off"
  if (record[0] !== version) return `a record of a session is of version ${record[0]}, and this broker reads ${version}`
  try {
    const head: unknown = JSON.parse(decodeUtf8(record, headLength, headLength + lengthOf(record)))
    return isHead(head) ? head : damaged
  } catch {
    return damaged
  }
}

const damaged = "the head of a session's record is damaged"

/** Whoever can write into the streams may have written it. */
function isHead(value: unknown): value is RecordHead {
  if (typeof value !== "object" || value === null) return false
  const { node, claim, attended, through, since, taken = {} } = value as Record<string, unknown>
  const sayings = typeof node === "string" && typeof claim === "number" && typeof attended === "boolean"
  if (!sayings || !areNumbers(through) || typeof since !== "object" || since === null) return false
  if (typeof taken !== "object" || taken === null) return false
  return Object.values(since).every(areNumbers) && Object.values(taken).every(isTaken)
}

function isTaken(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false
  const { last, keys } = value as Record<string, unknown>
  const isNumber = areNumbers(last) && last.length === 2
  return isNumber && Array.isArray(keys) && keys.every((one) => typeof one === "string")
}

function areNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((one) => typeof one === "number")
}

function lengthOf(record: Uint8Array): number {
  return new DataView(record.buffer, record.byteOffset, record.byteLength).getUint32(2)
}

/** Applies a record to an image, in their order. Returns its head, or in one line why it cannot be read. */
export function applyRecord(image: SessionImage, record: Uint8Array): RecordHead | string {
  const head = headOf(record)
  if (typeof head === "string") return head
  const messages = new Map<number, MessageKept>()
  const fault = decodeTurn(record.subarray(headLength + lengthOf(record)), (change) =>
    applyOne(image, change, messages),
  )
  if (fault !== undefined) return `a record of a session is damaged at byte ${fault.at}: ${fault.problem}`
  for (const [filter, since] of Object.entries(head.since)) {
    if (image.subscriptions.has(filter)) image.since.set(filter, since)
  }
  image.taken.clear()
  for (const [share, { last, keys }] of Object.entries(head.taken ?? {})) {
    image.taken.set(share, { last, keys: new Set(keys) })
  }
  for (let partition = 0; partition < image.through.length; partition++) {
    image.through[partition] = Math.max(image.through[partition]!, head.through[partition] ?? 0)
  }
  return head
}

function applyOne(image: SessionImage, change: Change, messages: Map<number, MessageKept>): void {
  if (change.type === "message") messages.set(change.sequence, change)
  else if (change.type === "queued") {
    const content = positionOf(change.sequence) ?? messages.get(change.sequence)
    // 0: PUBREC has come for it, and its content is nobody's any more.
    image.wait(change, content ?? nothing(change.sequence), true)
  } else image.apply(change)
}

function nothing(sequence: number): MessageKept {
  const empty = new Uint8Array(0)
  const content = { topic: "", qos: 2, retain: false, expiresAt: 0, properties: empty, payload: empty } as const
  return { type: "message", sequence, ...content }
}

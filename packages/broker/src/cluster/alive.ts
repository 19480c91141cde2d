// A sign of life: what a node says of itself to the others, as JSON. Whoever can write to the servers can say one.

import { decodeUtf8, encodeText } from "../packet/bytes.ts"
import type { NodeSaid } from "../ports/nodes.ts"

/** Bytes of one at most. */
const longest = 1024
/** Milliseconds since 1970: the last that a date has. */
const lastTime = 8.64e15

export interface Alive {
  readonly said: NodeSaid
  /** Milliseconds since 1970, by its own clock. */
  readonly now: number
}

export function encodeAlive({ said, now }: Alive): Uint8Array {
  return encodeText(JSON.stringify({ ...said, now: Math.floor(now) }))
}

/** Undefined: it is none. What it has beside is a newer version's. */
export function readAlive(data: Uint8Array): Alive | undefined {
  if (data.length > longest) return undefined
  let value: unknown
  try {
    value = JSON.parse(decodeUtf8(data, 0, data.length))
  } catch {
    return undefined
  }
  if (typeof value !== "object" || value === null) return undefined
  const { id, name, version, startedAt, clients, sessions, received, sent, now } = value as Record<string, unknown>
  if (!isText(id, /^[\w-]{1,64}$/) || !isText(name, /^[\w.-]{1,64}$/) || !isText(version, /^[!-~]{1,64}$/))
    return undefined
  if (!isCount(startedAt) || startedAt > lastTime || !isCount(clients) || !isCount(sessions)) return undefined
  if (!isRate(received) || !isRate(sent) || !isCount(now)) return undefined
  return { said: { id, name, version, startedAt, clients, sessions, received, sent }, now }
}

function isText(value: unknown, form: RegExp): value is string {
  return typeof value === "string" && form.test(value)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isRate(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER
}

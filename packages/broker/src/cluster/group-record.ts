// What the servers have of a Shared Subscription: one message on a subject of its own, which its owner writes anew, expecting
// the one before. It says who the owner is, how far its messages are done, and what was offered to whom at QoS 2.

import { decodeUtf8, encodeText } from "../packet/bytes.ts"
import { tokenOfClient } from "./subjects.ts"

const version = 1

/** Where a message is: partition, sequence. */
export type Place = readonly [partition: number, sequence: number]

export type Open = Place | readonly [...place: Place, clientId: string]

/** Which offer it is: of which claim, by the sequence of that in the group's partition, and which of that. Later ones are greater. */
export type OfferNumber = readonly [claim: number, offer: number]

/** What a group has done: all up to these, by partition, but for some. */
export interface Marks {
  readonly through: readonly number[]
  readonly but: readonly Place[]
}

export interface GroupRecord {
  /** `$share/NAME/FILTER` */
  readonly share: string
  /** Who has written it: its owner. */
  readonly node: string
  /** Which claim of that node it is of, and which record of that claim. */
  readonly claim: number
  readonly number: number
  /** All its members have gone for good. */
  readonly over: boolean
  /** By partition: up to this one all is done, but what is open. */
  readonly through: readonly number[]
  /** At QoS 2 with the member that it was offered to: nobody else may have it [MQTT-4.8.2-5]. */
  readonly open: readonly Open[]
  /** Members that outlive their connections. */
  readonly members: readonly string[]
}

export function subjectOfGroup(share: string): string {
  return `g.${tokenOfClient(share)}`
}

export function encodeGroup(record: GroupRecord): Uint8Array {
  return encodeText(JSON.stringify({ version, ...record }))
}

/** In one line why it cannot be read. */
export function decodeGroup(data: Uint8Array): GroupRecord | string {
  try {
    const record: unknown = JSON.parse(decodeUtf8(data, 0, data.length))
    if (typeof record !== "object" || record === null) return damaged
    const { version: said } = record as { readonly version?: unknown }
    if (said !== version && typeof said === "number")
      return `the record of a Shared Subscription is of version ${said}, and this broker reads ${version}`
    return said === version && isGroup(record) ? record : damaged
  } catch {
    return damaged
  }
}

const damaged = "the record of a Shared Subscription is damaged"

/** Whoever can write into the streams may have written it. */
function isGroup(record: object): record is GroupRecord {
  const { share, node, claim, number, over, through, open, members } = record as Record<string, unknown>
  const names = typeof share === "string" && typeof node === "string" && typeof over === "boolean"
  if (!names || typeof claim !== "number" || typeof number !== "number") return false
  const places = Array.isArray(open) && open.every(isOpen)
  return places && areAll("number", through) && areAll("string", members)
}

function isOpen(value: unknown): value is Open {
  if (!Array.isArray(value)) return false
  const [partition, sequence, clientId] = value as readonly unknown[]
  const isPlace = typeof partition === "number" && typeof sequence === "number"
  return isPlace && (clientId === undefined || typeof clientId === "string")
}

function areAll(type: "number" | "string", value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === type)
}

export function keyOf(partition: number, sequence: number): string {
  return `${partition}:${sequence}`
}

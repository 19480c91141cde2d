// What nodes tell each other of Shared Subscriptions: a node its members to the owner of a group, the owner a message to the
// node of a member. Asked for with answers, and said again until one comes.

import { decodeUtf8, encodeText, joined } from "../packet/bytes.ts"
import type { Arrived, SharedMember, Taken } from "../ports/cluster.ts"
import { arrivedOf, envelopeOf, roots } from "./envelope.ts"
import type { Marks, OfferNumber, Place } from "./group-record.ts"

/** A member at a node. */
export interface MemberThere extends SharedMember {
  /** Of the session's claims by nodes, which grow, the one by which this node has it; undefined: an older version does not say. */
  readonly claim?: number | undefined
}

/** With what it was sent at QoS 1 and has not acknowledged. */
export interface Joining extends MemberThere {
  readonly held: readonly Place[]
}

export interface Parting {
  readonly clientId: string
  readonly gone: boolean
}

export type Settled = readonly [...place: Place, clientId: string, done: boolean]

/** In this order. */
export interface GroupNews {
  readonly share: string
  readonly node: string
  /** These are all its members, which the owner does not know yet; or a part of them, and `more` follow. */
  readonly all: boolean
  /** From 0. */
  readonly part?: number
  readonly more?: boolean
  readonly settled: readonly Settled[]
  readonly parting: readonly Parting[]
  /** Those that are about to subscribe. */
  readonly coming: readonly Pick<SharedMember, "clientId" | "lasting">[]
  readonly joining: readonly Joining[]
}

export type NewsAnswer =
  | "taken"
  /** The same, but for these, who were coming: the group has as many members as its record has room for. */
  | { readonly refused: readonly string[] }
  /** The node that was asked is not the owner. */
  | "elsewhere"
  | { readonly failed: string }

export interface Offer {
  readonly share: string
  readonly clientId: string
  readonly message: Arrived
  /** What is done for good of what this member was offered at QoS 2: it need not remember that. */
  readonly done: Marks
  /** One that comes after a greater one of the same group and member is late, and void. */
  readonly number: OfferNumber
}

/** Where a node is told of members, and where it is offered messages for them. */
export function newsOf(node: string): string {
  return `node.${node}.group-news`
}

export function offersOf(node: string): string {
  return `node.${node}.group-offers`
}

/** A node has become the owner of a group; `over`: it is not any more, as it ends. */
export interface OwnerSaid {
  readonly share: string
  readonly node: string
  readonly over?: boolean
}

/** Where that is said. */
export const ownersSubject = "group-owner"

export function encodeWords(words: unknown): Uint8Array {
  return encodeText(JSON.stringify(words))
}

/** Whoever can write to the servers, or has another version, may say anything. Undefined: it is none of these. */
function decodeWords<Words extends object | string>(
  data: Uint8Array,
  are: (words: Fields) => boolean,
  others: readonly Words[] = [],
): Words | undefined {
  try {
    const words: unknown = JSON.parse(decodeUtf8(data, 0, data.length))
    const one = others.find((other) => other === words)
    if (one !== undefined) return one
    return typeof words === "object" && words !== null && are(words as Fields) ? (words as Words) : undefined
  } catch {
    return undefined
  }
}

export function decodeNews(data: Uint8Array): GroupNews | undefined {
  return decodeWords<GroupNews>(data, ({ all, coming, joining, more, node, part, parting, settled, share }) => {
    const isFrom = typeof share === "string" && typeof node === "string" && typeof all === "boolean"
    if (!isFrom || !isOr("number", part) || !isOr("boolean", more) || !areAll(settled, isSettled)) return false
    const comes = ({ clientId, lasting }: Fields) => typeof clientId === "string" && typeof lasting === "boolean"
    const joins = (one: Fields) =>
      comes(one) &&
      [0, 1, 2].includes(one["qos"] as number) &&
      isOr("number", one["claim"]) &&
      areAll(one["held"], isPlace)
    const parts = ({ clientId, gone }: Fields) => typeof clientId === "string" && typeof gone === "boolean"
    return areAll(parting, parts) && areAll(coming, comes) && areAll(joining, joins)
  })
}

export function decodeAnswer(data: Uint8Array): NewsAnswer | undefined {
  const are = ({ failed, refused }: Fields) => typeof failed === "string" || areAll(refused, isText)
  return decodeWords<NewsAnswer>(data, are, ["taken", "elsewhere"])
}

export function decodeOwner(data: Uint8Array): OwnerSaid | undefined {
  return decodeWords<OwnerSaid>(data, ({ node, over, share }) => isText(share) && isText(node) && isOr("boolean", over))
}

type Fields = Readonly<Record<string, unknown>>

const isText = (value: unknown): boolean => typeof value === "string"
const isNumber = (value: unknown): boolean => typeof value === "number"
const isOr = (type: "number" | "boolean", value: unknown): boolean => value === undefined || typeof value === type

function areAll(value: unknown, is: (one: never) => boolean): boolean {
  return Array.isArray(value) && value.every((one) => typeof one !== "undefined" && one !== null && is(one as never))
}

function isPlace(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isNumber)
}

function isSettled(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 4) return false
  const [partition, sequence, clientId, done] = value as readonly unknown[]
  return isNumber(partition) && isNumber(sequence) && isText(clientId) && typeof done === "boolean"
}

function isOfferHead({ clientId, done, headers, number, place, share, subject }: Fields): boolean {
  if (!isText(share) || !isText(clientId) || !isPlace(place) || !isPlace(number)) return false
  if (typeof done !== "object" || done === null) return false
  const { but, through } = done as Fields
  if (!areAll(through, isNumber) || !areAll(but, isPlace)) return false
  const isObject = typeof headers === "object" && headers !== null
  return (headers === undefined || isObject) && (subject === undefined || isText(subject))
}

interface OfferHead extends Omit<Offer, "message"> {
  readonly subject?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly place: Place
}

/** Bytes before the head, which say how many it has. */
const headAt = 4

/** @param largest bytes that may be said: what is larger is in its partition, and is fetched from there */
export function encodeOffer({ share, clientId, message, done, number }: Offer, largest: number): Uint8Array {
  const { subject, headers, data } = envelopeOf(message, roots.kept)
  const { partition, sequence } = message.position
  const place: Place = [partition, sequence]
  const encode = (head: OfferHead, content: Uint8Array) => {
    const text = encodeWords(head)
    const length = new Uint8Array(headAt)
    new DataView(length.buffer).setUint32(0, text.length)
    return joined([length, text, content])
  }
  const head = { share, clientId, done, number, place }
  const whole = encode({ ...head, subject, headers }, data)
  return whole.length <= largest || sequence === 0 ? whole : encode(head, new Uint8Array(0))
}

/** An offer; without its message where that has to be fetched. Undefined: it is none. */
export function decodeOffer(
  bytes: Uint8Array,
): (Omit<Offer, "message"> & { readonly message: Arrived | undefined; readonly place: Place }) | undefined {
  if (bytes.length < headAt) return undefined
  const end = headAt + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
  const head = decodeWords<OfferHead>(bytes.subarray(headAt, end), isOfferHead)
  if (head === undefined) return undefined
  const { share, clientId, done, headers, number, place, subject } = head
  if (headers === undefined || subject === undefined)
    return { share, clientId, done, number, place, message: undefined }
  const [partition, sequence] = place
  const message = arrivedOf({ subject, headers, data: bytes.subarray(end), sequence }, partition)
  return message && { share, clientId, done, number, place, message }
}

const answers: readonly Taken[] = ["passed", "sent", "kept", "full", "away", "refused"]

/** Undefined: it is none. */
export function takenOf(data: Uint8Array): Taken | undefined {
  try {
    const word = decodeUtf8(data, 0, data.length)
    return answers.find((one) => one === word)
  } catch {
    return undefined
  }
}

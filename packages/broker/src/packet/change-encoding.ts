// A turn of Changes as bytes, for files and streams: a version, how many Changes there are, then each as its number and its
// fields. Integers are 7 bits a byte, lowest first; text is UTF-8 after its length. What has another version, another number or
// a flag that is not known is refused: another version of the broker has written it.

import { copy, decodeUtf8, textLength, writeText } from "./bytes.ts"
import type { Change, Owner } from "./change.ts"
import { PacketError } from "./errors.ts"
import type { Qos, Will } from "./packets.ts"

/** The first byte of a turn; those before it are read too. Version 1 knew of signs of life only when they were. */
export const turnVersion = 2

/** Milliseconds between signs of life of version 1. */
const oldClockInterval = 60_000

/** Their places in it are the numbers of the types: new ones come at the end. */
const types: readonly Change["type"][] = [
  ...(["message", "queued", "sent", "released", "done", "opened", "attended", "left", "ended"] as const),
  ...(["subscribed", "unsubscribed", "received", "freed", "retained", "walk begun", "walk ended"] as const),
  ...(["will set", "will cleared", "clock"] as const),
]
const numbers: Readonly<Record<string, number>> = Object.fromEntries(types.map((type, number) => [type, number]))

const sources: readonly Owner["source"][] = ["anonymous", "password", "certificate"]

/** Why bytes are no turn. */
export interface TurnFault {
  /** Offset in the bytes. */
  readonly at: number
  readonly problem: string
}

/** Appends `turn` to what the writer has. */
export function encodeTurn(turn: readonly Change[], writer: TurnWriter): void {
  writer.begin(turn.length)
  for (const change of turn) encodeChange(change, writer)
}

/**
 * Visits the Changes of the turn that `bytes` are. Byte arrays in them are parts of `bytes`. After a fault those before it
 * have been visited.
 *
 * @param outline messages come without topic, properties and payload, for who wants to know only which there are
 */
export function decodeTurn(
  bytes: Uint8Array,
  visit: (change: Change) => void,
  outline: boolean = false,
): TurnFault | undefined {
  const reader = new TurnReader(bytes)
  const count = reader.attempt(() => {
    reader.version = reader.byte()
    if (reader.version < 1 || reader.version > turnVersion)
      throw new Unreadable(`turns of version ${reader.version} are not known, only up to ${turnVersion}`)
    return reader.integer()
  })
  if (typeof count !== "number") return count
  const next = () => decodeChange(reader, outline)
  for (let i = 0; i < count; i++) {
    const change = reader.attempt(next)
    if ("problem" in change) return change
    visit(change)
  }
  return reader.at === bytes.length ? undefined : { at: reader.at, problem: "more follows the last Change" }
}

function encodeChange(change: Change, w: TurnWriter): void {
  w.byte(numbers[change.type]!)
  switch (change.type) {
    case "message": {
      w.integer(change.sequence)
      w.byte(change.qos | (change.retain ? 4 : 0) | (change.account === undefined ? 0 : 8))
      w.time(change.expiresAt)
      if (change.account !== undefined) w.text(change.account)
      w.text(change.topic)
      w.binary(change.properties)
      w.binary(change.payload)
      return
    }
    case "queued": {
      const { identifiers, share } = change
      w.clientId(change.clientId)
      w.integer(change.place)
      w.integer(change.sequence)
      const more = (identifiers.length > 0 ? 8 : 0) | (share !== undefined ? 16 : 0)
      w.byte(change.qos | (change.retain ? 4 : 0) | more)
      if (identifiers.length > 0) {
        w.integer(identifiers.length)
        for (const identifier of identifiers) w.integer(identifier)
      }
      if (share !== undefined) w.text(share)
      return
    }
    case "sent":
      w.clientId(change.clientId)
      w.integer(change.place)
      w.integer(change.packetId)
      return
    case "released":
    case "done":
      w.clientId(change.clientId)
      w.integer(change.place)
      return
    case "opened":
      w.clientId(change.clientId)
      w.owner(change.owner)
      w.integer(change.expiryInterval)
      return
    case "attended":
      w.clientId(change.clientId)
      w.integer(change.expiryInterval)
      return
    case "left":
      w.clientId(change.clientId)
      w.time(change.endsAt)
      return
    case "ended":
    case "will cleared":
      w.clientId(change.clientId)
      return
    case "subscribed":
      w.clientId(change.clientId)
      w.text(change.filter)
      w.byte(change.qos | (change.noLocal ? 4 : 0) | (change.retainAsPublished ? 8 : 0))
      w.optional(change.identifier)
      return
    case "walk begun": {
      w.clientId(change.clientId)
      w.text(change.filter)
      w.integer(change.before)
      w.integer(change.sent.length)
      for (const sequence of change.sent) w.integer(sequence)
      return
    }
    case "unsubscribed":
    case "walk ended":
      w.clientId(change.clientId)
      w.text(change.filter)
      return
    case "received":
    case "freed":
      w.clientId(change.clientId)
      w.integer(change.packetId)
      return
    case "retained":
      w.text(change.topic)
      w.integer(change.sequence)
      return
    case "will set": {
      const { will } = change
      w.clientId(change.clientId)
      w.owner(change.owner)
      w.text(will.topic)
      w.binary(will.payload)
      w.byte(will.qos | (will.retain ? 4 : 0))
      w.binary(will.properties)
      w.integer(will.delayInterval)
      w.optional(will.messageExpiryInterval)
      w.time(change.dueAt)
      return
    }
    case "clock":
      w.time(change.now)
      w.time(change.wall)
      w.time(change.until)
  }
}

function decodeChange(r: TurnReader, outline: boolean): Change {
  const number = r.byte()
  const type = types[number]
  switch (type) {
    case "message": {
      const sequence = r.integer()
      const flags = r.flags(4 | 8)
      const counted = (flags & 8) !== 0
      const expiresAt = r.time()
      if (outline) {
        for (let part = counted ? 4 : 3; part > 0; part--) r.skip(r.integer())
        const nothing = { topic: "", properties: noBytes, payload: noBytes }
        return { type, sequence, qos: qosOf(flags), retain: (flags & 4) !== 0, expiresAt, ...nothing }
      }
      const account = counted ? r.text() : undefined
      const topic = r.text()
      const properties = r.binary()
      const payload = r.binary()
      const [qos, retain] = [qosOf(flags), (flags & 4) !== 0]
      const message: Change = { type, sequence, topic, qos, retain, expiresAt, properties, payload }
      return account === undefined ? message : { ...message, account }
    }
    case "queued": {
      const clientId = r.clientId()
      const place = r.integer()
      const sequence = r.integer()
      const flags = r.flags(4 | 8 | 16)
      const identifiers = (flags & 8) === 0 ? none : r.integers()
      const share = (flags & 16) === 0 ? undefined : r.text()
      return { type, clientId, place, sequence, qos: qosOf(flags), retain: (flags & 4) !== 0, identifiers, share }
    }
    case "sent":
      return { type, clientId: r.clientId(), place: r.integer(), packetId: r.integer() }
    case "released":
    case "done":
      return { type, clientId: r.clientId(), place: r.integer() }
    case "opened":
      return { type, clientId: r.clientId(), owner: r.owner(), expiryInterval: r.integer() }
    case "attended":
      return { type, clientId: r.clientId(), expiryInterval: r.integer() }
    case "left":
      return { type, clientId: r.clientId(), endsAt: r.time() }
    case "ended":
    case "will cleared":
      return { type, clientId: r.clientId() }
    case "subscribed": {
      const clientId = r.clientId()
      const filter = r.text()
      const flags = r.flags(4 | 8)
      const [noLocal, retainAsPublished] = [(flags & 4) !== 0, (flags & 8) !== 0]
      return { type, clientId, filter, qos: qosOf(flags), noLocal, retainAsPublished, identifier: r.optional() }
    }
    case "walk begun": {
      const [clientId, filter] = [r.clientId(), r.text()]
      // Version 1 said no more, and nothing of what is on the way.
      if (r.version === 1) return { type, clientId, filter, before: 0, sent: [] }
      return { type, clientId, filter, before: r.integer(), sent: r.integers() }
    }
    case "unsubscribed":
    case "walk ended":
      return { type, clientId: r.clientId(), filter: r.text() }
    case "received":
    case "freed":
      return { type, clientId: r.clientId(), packetId: r.integer() }
    case "retained":
      return { type, topic: r.text(), sequence: r.integer() }
    case "will set":
      return { type, clientId: r.clientId(), owner: r.owner(), will: decodeWill(r), dueAt: r.time() }
    case "clock":
      return decodeClock(r)
    default:
      throw new Unreadable(`a Change of the unknown type ${number}`)
  }
}

function decodeClock(r: TurnReader): Change {
  const now = r.time()
  if (r.version === 1) return { type: "clock", now, wall: now, until: now + oldClockInterval }
  return { type: "clock", now, wall: r.time(), until: r.time() }
}

function decodeWill(r: TurnReader): Will {
  const topic = r.text()
  const payload = r.binary()
  const flags = r.flags(4)
  const properties = r.binary()
  const delayInterval = r.integer()
  const messageExpiryInterval = r.optional()
  return {
    topic,
    payload,
    qos: qosOf(flags),
    retain: (flags & 4) !== 0,
    properties,
    delayInterval,
    messageExpiryInterval,
  }
}

function qosOf(flags: number): Qos {
  const qos = flags & 3
  if (qos === 3) throw new Unreadable("QoS 3")
  return qos === 0 ? 0 : qos === 1 ? 1 : 2
}

const none: readonly number[] = []
const noBytes = new Uint8Array(0)

/** A time that is no whole number from 0 on is written as eight bytes after this. */
const timeAsFloat = 1

/** Bytes of room that a writer keeps for the next turn. */
const mostKept = 1024 * 1024

/** Bytes that grow at their end; used again for each turn. */
export class TurnWriter {
  bytes: Uint8Array = new Uint8Array(1024)
  length = 0
  #clientId: string | undefined

  /** Nothing is in it any more; what a large turn has needed goes. */
  clear(): void {
    this.length = 0
    if (this.bytes.length > mostKept) this.bytes = new Uint8Array(1024)
  }

  begin(changes: number): void {
    this.#clientId = undefined
    this.byte(turnVersion)
    this.integer(changes)
  }

  /** Makes room for `count` bytes more. */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1)
    this.bytes[this.length++] = value
  }

  /** A whole number from 0 to 2^53 - 1. */
  integer(value: number): void {
    this.reserve(8)
    const bytes = this.bytes
    let at = this.length
    let rest = value
    while (rest >= 0x8000_0000) {
      bytes[at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    this.length = at
  }

  optional(value: number | undefined): void {
    this.integer(value === undefined ? 0 : value + 1)
  }

  /** Infinity is 0. */
  time(value: number): void {
    if (value === Number.POSITIVE_INFINITY) this.byte(0)
    else if (Number.isSafeInteger(value + 2) && value >= 0) this.integer(value + 2)
    else {
      this.reserve(9)
      this.byte(timeAsFloat)
      new DataView(this.bytes.buffer, this.bytes.byteOffset).setFloat64(this.length, value)
      this.length += 8
    }
  }

  text(value: string): void {
    this.#text(value, 0)
  }

  /** 0 is the one of the Change before. */
  clientId(value: string): void {
    if (value === this.#clientId) this.byte(0)
    else {
      this.#clientId = value
      this.#text(value, 1)
    }
  }

  #text(value: string, more: number): void {
    const count = value.length
    this.reserve(3 * count + 8)
    const bytes = this.bytes
    // Most text is short and ASCII: its length is known to be one byte, and the bytes are its characters.
    if (count + more < 0x80) {
      let at = this.length + 1
      let i = 0
      for (; i < count; i++) {
        const code = value.charCodeAt(i)
        if (code >= 0x80) break
        bytes[at++] = code
      }
      if (i === count) {
        bytes[this.length] = count + more
        this.length = at
        return
      }
    }
    this.integer(textLength(value) + more)
    this.length = writeText(bytes, this.length, value)
  }

  binary(value: Uint8Array): void {
    this.integer(value.length)
    this.reserve(value.length)
    this.length = copy(this.bytes, this.length, value, 0, value.length)
  }

  owner(owner: Owner): void {
    this.byte(sources.indexOf(owner.source))
    this.text(owner.user)
    this.text(owner.account)
  }
}

/** What a reader throws; it does not leave this file. */
class Unreadable extends Error {}

class TurnReader {
  readonly bytes: Uint8Array
  at = 0
  version = turnVersion
  #clientId: string | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** What `read` returns; where it cannot be read, why. */
  attempt<T>(read: () => T): T | TurnFault {
    try {
      return read()
    } catch (error) {
      if (error instanceof Unreadable || error instanceof PacketError) return { at: this.at, problem: error.message }
      throw error
    }
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw new Unreadable("the turn is cut off")
    return this.bytes[this.at++]!
  }

  flags(known: number): number {
    const flags = this.byte()
    if ((flags & ~(known | 3)) !== 0) throw new Unreadable(`unknown flags 0x${flags.toString(16)}`)
    return flags
  }

  integer(): number {
    let value = this.byte()
    if (value < 0x80) return value
    value &= 0x7f
    for (let scale = 0x80; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte >= 0x80) continue
      if (byte === 0) throw new Unreadable("a number is longer than it needs to be")
      if (!Number.isSafeInteger(value)) break
      return value
    }
    throw new Unreadable("a number is too large")
  }

  integers(): number[] {
    const count = this.integer()
    const values: number[] = []
    for (let i = 0; i < count; i++) values.push(this.integer())
    return values
  }

  optional(): number | undefined {
    const value = this.integer()
    return value === 0 ? undefined : value - 1
  }

  time(): number {
    const value = this.integer()
    if (value === 0) return Number.POSITIVE_INFINITY
    if (value !== timeAsFloat) return value - 2
    const start = this.skip(8)
    return new DataView(this.bytes.buffer, this.bytes.byteOffset).getFloat64(start)
  }

  text(): string {
    return this.#text(this.integer())
  }

  clientId(): string {
    const length = this.integer()
    if (length > 0) this.#clientId = this.#text(length - 1)
    if (this.#clientId === undefined) throw new Unreadable("there is no Client Identifier before it")
    return this.#clientId
  }

  #text(length: number): string {
    const start = this.skip(length)
    return decodeUtf8(this.bytes, start, start + length)
  }

  binary(): Uint8Array {
    const length = this.integer()
    const start = this.skip(length)
    return this.bytes.subarray(start, start + length)
  }

  owner(): Owner {
    const source = sources[this.byte()]
    if (source === undefined) throw new Unreadable("an owner of an unknown source")
    return { user: this.text(), source, account: this.text() }
  }

  /** Returns where the bytes begin. */
  skip(length: number): number {
    const start = this.at
    if (length > this.bytes.length - start) throw new Unreadable("the turn is cut off")
    this.at = start + length
    return start
  }
}

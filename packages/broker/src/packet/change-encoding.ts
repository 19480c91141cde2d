// A turn of Changes as bytes, for files and streams: a version, how many Changes there are, then each as its number and its
// fields (turn-fields.ts). What has another version, another number or a flag that is not known is refused: another version of
// the broker has written it.

import type { Change } from "./change.ts"
import type { Qos, Will } from "./packets.ts"
import { newestTurnVersion, type TurnFault, TurnReader, type TurnWriter, Unreadable } from "./turn-fields.ts"

/** Milliseconds between signs of life of version 1. */
const oldClockInterval = 60_000

/** Their places in it are the numbers of the types: new ones come at the end. */
const types: readonly Change["type"][] = [
  ...(["message", "queued", "sent", "released", "done", "opened", "attended", "left", "ended"] as const),
  ...(["subscribed", "unsubscribed", "received", "freed", "retained", "walk begun", "walk ended"] as const),
  ...(["will set", "will cleared", "clock", "owned"] as const),
]
const numbers: Readonly<Record<string, number>> = Object.fromEntries(types.map((type, number) => [type, number]))

/**
 * Appends `turn` to what the writer has. Returns how many bytes more, at most, the fewest Changes may have that make the same as
 * all Changes until then; see `addedBy`.
 */
export function encodeTurn(turn: readonly Change[], writer: TurnWriter): number {
  writer.begin(turn.length)
  let added = 0
  for (const change of turn) {
    const before = writer.length
    const idsBefore = writer.clientIdBytes
    encodeChange(change, writer)
    added += addedBy(change, writer.length - before, writer.clientIdBytes - idsBefore)
  }
  return added
}

/**
 * Bytes of what a message on its way, or a session, may have come to be later without more being asked: sent and released, or
 * left; and of the place that a walk remembers.
 */
export const bytesToCome = 32

/** What belongs to a session stands behind its `opened`, so its Client Identifier is there once. */
function addedBy(change: Change, bytes: number, clientId: number): number {
  switch (change.type) {
    case "message":
    case "will set":
      return bytes
    case "opened":
      return bytes + bytesToCome
    case "queued":
      return bytes - clientId + bytesToCome
    case "subscribed":
    case "received":
    case "walk begun":
      return bytes - clientId
    case "retained":
      return change.sequence === 0 ? 0 : bytes
    default:
      return 0 // it ends something, is one of a few, or has its room with what it is of
  }
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
    if (reader.version < 1 || reader.version > newestTurnVersion)
      throw new Unreadable(`turns of version ${reader.version} are not known, only up to ${newestTurnVersion}`)
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
    case "owned":
      w.newest()
      w.clientId(change.clientId)
      w.owner(change.owner)
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
  const known = types[number]
  const type = known === "owned" && r.version < newestTurnVersion ? undefined : known
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
    case "owned":
      return { type, clientId: r.clientId(), owner: r.owner() }
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

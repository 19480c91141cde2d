// A Reason String is for people: its words are the broker's, and no row says them. It is taken out of what comes, with the
// lengths put right.

import { type Bytes, packet, type Version, variable } from "./bytes.ts"

/** Offset of the properties in the body of those packets of a broker that may have a Reason String. */
const propertiesAt: Readonly<Record<number, number>> = { 2: 2, 4: 3, 5: 3, 6: 3, 7: 3, 9: 2, 11: 2, 14: 1, 15: 1 }

/** Lengths of values, by Property Identifier; those that are not here have a length of their own. */
const fixed: Readonly<Record<number, number>> = {
  1: 1,
  2: 4,
  17: 4,
  19: 2,
  23: 1,
  24: 4,
  25: 1,
  33: 2,
  34: 2,
  35: 2,
  36: 1,
  37: 1,
  39: 4,
  40: 1,
  41: 1,
  42: 1,
}
const requestProblemInformation = 0x17
const reasonString = 0x1f
const userProperty = 0x26
const maximumPacketSize = 0x27

/** What a client has said about what it is sent. */
export interface Wanted {
  readonly version: Version
  /** [MQTT-3.1.2-29] false: Reason Strings in CONNACK and DISCONNECT at most. */
  readonly words: boolean
  /** Maximum Packet Size. */
  readonly size: number
}

/** What this CONNECT says about it; undefined when it cannot be read. */
export function wantedBy(connect: Bytes): Wanted | undefined {
  if (connect[0] !== 0x10) return undefined
  const nameAt = afterVariable(connect, 1)
  const levelAt = nameAt + 2 + ((connect[nameAt]! << 8) | connect[nameAt + 1]!)
  const level = connect[levelAt]
  if (level !== 3 && level !== 4 && level !== 5) return undefined
  let wanted: Wanted = { version: level, words: true, size: Number.POSITIVE_INFINITY }
  // Connect Flags and Keep Alive come before the properties.
  const lengthAt = levelAt + 4
  if (level !== 5 || lengthAt >= connect.length) return wanted
  const start = afterVariable(connect, lengthAt)
  const end = Math.min(start + numberAt(connect, lengthAt), connect.length)
  for (let i = start; i < end; i += 1 + lengthOf(connect, i)) {
    if (connect[i] === requestProblemInformation) wanted = { ...wanted, words: connect[i + 1] !== 0 }
    // 0 is a Protocol Error, and no limit.
    if (connect[i] === maximumPacketSize) wanted = { ...wanted, size: fourAt(connect, i + 1) || wanted.size }
  }
  return wanted
}

function fourAt(bytes: Bytes, at: number): number {
  return bytes.slice(at, at + 4).reduce((value, byte) => value * 256 + byte, 0)
}

export function withoutWords(bytes: Bytes, { version, words }: Wanted): Bytes {
  const type = bytes[0]! >> 4
  const at = propertiesAt[type]
  if (version !== 5 || at === undefined || (!words && type !== 2 && type !== 14)) return bytes
  const bodyAt = afterVariable(bytes, 1)
  const lengthAt = bodyAt + at
  if (lengthAt >= bytes.length) return bytes
  const start = afterVariable(bytes, lengthAt)
  const end = start + numberAt(bytes, lengthAt)
  const kept: number[] = []
  for (let i = start; i < end; ) {
    const next = i + 1 + lengthOf(bytes, i)
    if (bytes[i] !== reasonString) kept.push(...bytes.slice(i, next))
    i = next
  }
  if (kept.length === end - start) return bytes
  // Sections 3.4.2.2.1 and its kin: an acknowledgement without properties needs no Property Length.
  const length = kept.length === 0 && type >= 4 && type <= 7 ? [] : variable(kept.length)
  return packet(bytes[0]!, [...bytes.slice(bodyAt, lengthAt), ...length, ...kept, ...bytes.slice(end)])
}

function lengthOf(bytes: Bytes, at: number): number {
  const id = bytes[at]!
  const known = fixed[id]
  if (known !== undefined) return known
  if (id === 0x0b) return afterVariable(bytes, at + 1) - at - 1
  const string = (from: number) => 2 + ((bytes[from]! << 8) | bytes[from + 1]!)
  const first = string(at + 1)
  return id === userProperty ? first + string(at + 1 + first) : first
}

function afterVariable(bytes: Bytes, at: number): number {
  let after = at
  while ((bytes[after]! & 0x80) !== 0) after++
  return after + 1
}

function numberAt(bytes: Bytes, at: number): number {
  let value = 0
  for (let i = at, shift = 0; ; i++, shift += 7) {
    value |= (bytes[i]! & 0x7f) << shift
    if ((bytes[i]! & 0x80) === 0) return value
  }
}

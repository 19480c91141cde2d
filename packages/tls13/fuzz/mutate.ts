// Changes of DER bytes that get past the first length check now and then: flipped bits, other tags, cut and doubled values,
// lengths that are mended up to the outermost structure, or not.

import type { Random } from "./random.ts"

const tags = [
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0x80, 0x81, 0x82, 0x86, 0x87, 0xa0,
  0xa1, 0xa3, 0x1f, 0x00,
]

/** One to four changes of a copy. */
export function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  let changed: Uint8Array = bytes.slice()
  for (let times = 1 + random.integer(4); times > 0; times--) changed = once(changed, random)
  return changed
}

function once(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(random.integer(256))
  const at = random.integer(bytes.length)
  switch (random.integer(8)) {
    case 0:
      bytes[at]! ^= 1 << random.integer(8)
      return bytes
    case 1:
      bytes[at] = random.integer(256)
      return bytes
    case 2:
      return bytes.slice(0, at)
    case 3:
      bytes[at] = random.pick(tags)
      return bytes
    default:
      return splice(bytes, random)
  }
}

interface Place {
  readonly at: number
  readonly header: number
  readonly length: number
}

/** Takes a value of the tree out, doubles it, empties it or fills it, and mends the lengths around it. */
function splice(bytes: Uint8Array, random: Random): Uint8Array {
  const around: Place[] = []
  let from = 0
  let to = bytes.length
  for (;;) {
    const places = valuesBetween(bytes, from, to)
    if (places.length === 0) return bytes
    const place = random.pick(places)
    const constructed = (bytes[place.at]! & 0x20) !== 0 && place.length > 0
    if (!constructed || random.integer(4) === 0) return rebuilt(bytes, around, place, random)
    around.push(place)
    from = place.at + place.header
    to = from + place.length
  }
}

function valuesBetween(bytes: Uint8Array, from: number, to: number): Place[] {
  const places: Place[] = []
  for (let at = from; at + 1 < to; ) {
    let length = bytes[at + 1]!
    let header = 2
    if (length > 0x84) return places
    if (length >= 0x80) {
      const octets = length & 0x7f
      length = 0
      for (let i = 0; i < octets; i++) length = length * 256 + (bytes[at + 2 + i] ?? 0)
      header += octets
    }
    if (at + header + length > to) return places
    places.push({ at, header, length })
    at += header + length
  }
  return places
}

function rebuilt(bytes: Uint8Array, around: readonly Place[], place: Place, random: Random): Uint8Array {
  const whole = bytes.subarray(place.at, place.at + place.header + place.length)
  const content = whole.subarray(place.header)
  let middle: Uint8Array
  switch (random.integer(5)) {
    case 0:
      middle = new Uint8Array()
      break
    case 1:
      middle = joined(whole, whole)
      break
    case 2:
      middle = value(whole[0]!, new Uint8Array())
      break
    case 3:
      middle = value(whole[0]!, joined(content, content.subarray(0, random.integer(content.length + 1))))
      break
    default:
      middle = value(random.pick(tags), content)
  }
  let before = place.at
  let after = place.at + place.header + place.length
  for (const outer of [...around].reverse()) {
    const begin = outer.at + outer.header
    const inside = joined(bytes.subarray(begin, before), middle, bytes.subarray(after, begin + outer.length))
    middle = value(bytes[outer.at]!, inside)
    before = outer.at
    after = begin + outer.length
  }
  return joined(bytes.subarray(0, before), middle, bytes.subarray(after))
}

function value(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : length < 0x10000
          ? [tag, 0x82, length >> 8, length & 0xff]
          : [tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]
  return joined(Uint8Array.from(header), content)
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

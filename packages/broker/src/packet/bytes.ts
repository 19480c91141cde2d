// The data representations of MQTT 5.0 section 1.5: integers, UTF-8 Encoded String, Variable Byte Integer, Binary Data.
// Refuses ill-formed UTF-8, U+0000, control characters, non-characters, and Variable Byte Integers that are longer than they
// need to be.

import { malformed } from "./errors.ts"

/** Number of bytes, 1 to 4, of `value` as a Variable Byte Integer. */
export function variableByteIntegerLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4
}

/** Writes `value` at `at` and returns the offset after it. [MQTT-1.5.5-1]: the minimum number of bytes. */
export function writeVariableByteInteger(out: Uint8Array, at: number, value: number): number {
  let rest = value
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  out[at++] = rest
  return at
}

/** Copies bytes [start, end) of `from` to `out` at `at`; returns the offset after them. */
export function copy(out: Uint8Array, at: number, from: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length > 48) {
    out.set(start === 0 && end === from.length ? from : from.subarray(start, end), at)
    return at + length
  }
  for (let i = start; i < end; i++) out[at++] = from[i]!
  return at
}

/** All of them, one after the other, in one new array. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) at = copy(out, at, part, 0, part.length)
  return out
}

/** A copy in memory of our own, a plain Uint8Array whatever is given: `slice` of a Buffer is a view of the same bytes. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

/** True when two byte ranges are the same; not constant-time. */
export function sameBytes(a: Uint8Array, b: Uint8Array, start: number, end: number): boolean {
  if (a.length !== end - start) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[start + i]) return false
  return true
}

/** Decodes bytes [start, end) as MQTT text. Throws PacketError 0x81 for what is none. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  let i = start
  while (i < end) {
    const byte = bytes[i]!
    if (byte >= 0x80) return decodeUnits(bytes, start, end, codePointLength)
    if (byte < 0x20 || byte === 0x7f) throw controlCharacter(byte)
    i++
  }
  return charactersOf(bytes, start, end)
}

/** Decodes bytes [start, end) as UTF-8, whatever its characters. Throws PacketError 0x81 where it is ill-formed. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  for (let i = start; i < end; i++) if (bytes[i]! >= 0x80) return decodeUnits(bytes, start, end, sequenceLength)
  return charactersOf(bytes, start, end)
}

/** Throws PacketError 0x81 when bytes [start, end) are not MQTT text. Makes no string. */
export function checkText(bytes: Uint8Array, start: number, end: number): void {
  let i = start
  while (i < end) i += codePointLength(bytes, i, end)
}

function charactersOf(
  codes: ArrayLike<number> & { subarray(a: number, b: number): ArrayLike<number> },
  start: number,
  end: number,
): string {
  if (end - start <= 4096) return Reflect.apply(String.fromCharCode, undefined, codes.subarray(start, end))
  let text = ""
  for (let at = start; at < end; at += 4096) {
    text += Reflect.apply(String.fromCharCode, undefined, codes.subarray(at, Math.min(end, at + 4096)))
  }
  return text
}

function decodeUnits(bytes: Uint8Array, start: number, end: number, lengthAt: typeof sequenceLength): string {
  const units = new Uint16Array(end - start)
  let count = 0
  let i = start
  while (i < end) {
    const length = lengthAt(bytes, i, end)
    const first = bytes[i]!
    let code = first
    if (length === 2) code = ((first & 0x1f) << 6) | (bytes[i + 1]! & 0x3f)
    else if (length === 3) code = ((first & 0x0f) << 12) | ((bytes[i + 1]! & 0x3f) << 6) | (bytes[i + 2]! & 0x3f)
    else if (length === 4) {
      code =
        ((first & 0x07) << 18) | ((bytes[i + 1]! & 0x3f) << 12) | ((bytes[i + 2]! & 0x3f) << 6) | (bytes[i + 3]! & 0x3f)
    }
    if (code >= 0x1_0000) {
      units[count++] = 0xd800 + ((code - 0x1_0000) >> 10)
      units[count++] = 0xdc00 + ((code - 0x1_0000) & 0x3ff)
    } else units[count++] = code // [MQTT-1.5.4-3]: U+FEFF stays where it is
    i += length
  }
  return charactersOf(units, 0, count)
}

/** Bytes of the code point at `i`; throws when it is ill-formed, or a control or no character. */
function codePointLength(bytes: Uint8Array, i: number, end: number): number {
  const first = bytes[i]!
  if (first < 0x20 || first === 0x7f) throw controlCharacter(first)
  if (first < 0x80) return 1
  const length = sequenceLength(bytes, i, end)
  const second = bytes[i + 1]!
  if (first === 0xc2 && second <= 0x9f) throw controlCharacter(second)
  if (length > 2 && isNonCharacter(bytes, i, length)) throw malformed("1.5.4", "a string contains a non-character")
  return length
}

/** Bytes of the code point at `i`; throws when it is ill-formed (Unicode Table 3-7). */
function sequenceLength(bytes: Uint8Array, i: number, end: number): number {
  const first = bytes[i]!
  if (first < 0x80) return 1
  // The second byte's range rules out over-long forms, surrogates (U+D800 to U+DFFF) and values above U+10FFFF.
  let low = 0x80
  let high = 0xbf
  let length = 0
  if (first >= 0xc2 && first <= 0xdf) length = 2
  else if (first >= 0xe0 && first <= 0xef) {
    length = 3
    if (first === 0xe0) low = 0xa0
    if (first === 0xed) high = 0x9f
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4
    if (first === 0xf0) low = 0x90
    if (first === 0xf4) high = 0x8f
  } else throw illFormed()
  if (i + length > end) throw illFormed()
  const second = bytes[i + 1]!
  if (second < low || second > high) throw illFormed()
  for (let k = 2; k < length; k++) {
    const byte = bytes[i + k]!
    if (byte < 0x80 || byte > 0xbf) throw illFormed()
  }
  return length
}

/** U+FDD0 to U+FDEF, and the last two code points of each plane. */
function isNonCharacter(bytes: Uint8Array, i: number, length: number): boolean {
  const [first, second, third] = [bytes[i]!, bytes[i + 1]!, bytes[i + 2]!]
  if (length === 4) return (second & 0x0f) === 0x0f && third === 0xbf && bytes[i + 3]! >= 0xbe
  return first === 0xef && ((second === 0xb7 && third >= 0x90 && third <= 0xaf) || (second === 0xbf && third >= 0xbe))
}

/**
 * Section 1.5.4 lets a receiver refuse control characters and non-characters. The broker does, in every string: they would make
 * strict subscribers disconnect (section 5.4.9.2) and forge log lines.
 */
function controlCharacter(code: number): Error {
  if (code === 0) return malformed("MQTT-1.5.4-2", "a string contains U+0000")
  return malformed(
    "1.5.4",
    `a string contains the control character U+${code.toString(16).padStart(4, "0").toUpperCase()}`,
  )
}

function illFormed(): Error {
  return malformed("MQTT-1.5.4-1", "a string is not well-formed UTF-8")
}

/** UTF-8 bytes of `text`. A lone surrogate becomes U+FFFD, so the result is always well-formed. */
export function encodeText(text: string): Uint8Array {
  const out = new Uint8Array(textLength(text))
  writeText(out, 0, text)
  return out
}

/** How many bytes `writeText` writes. */
export function textLength(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    length += code < 0x800 ? 1 : 2
    // Two units make four bytes.
    if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) i++
  }
  return length
}

/** Writes the UTF-8 bytes of `text` at `at` and returns the offset after them; `out` has room for `textLength(text)`. */
export function writeText(out: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i)
    if (code < 0x80) {
      out[at++] = code
      continue
    }
    if (code >= 0xd800 && code <= 0xdfff) {
      const low = text.charCodeAt(i + 1)
      if (code < 0xdc00 && isLowSurrogate(low)) {
        code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00)
        i++
      } else code = 0xfffd
    }
    if (code < 0x800) out[at++] = 0xc0 | (code >> 6)
    else {
      if (code < 0x1_0000) out[at++] = 0xe0 | (code >> 12)
      else {
        out[at++] = 0xf0 | (code >> 18)
        out[at++] = 0x80 | ((code >> 12) & 0x3f)
      }
      out[at++] = 0x80 | ((code >> 6) & 0x3f)
    }
    out[at++] = 0x80 | (code & 0x3f)
  }
  return at
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}

/** Reads one packet's fields in order and never past its end: every overrun is a Malformed Packet. */
export class Cursor {
  readonly bytes: Uint8Array
  at: number
  end: number

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  get done(): boolean {
    return this.at >= this.end
  }

  byte(what: string): number {
    this.#need(1, what)
    return this.bytes[this.at++]!
  }

  uint16(what: string): number {
    this.#need(2, what)
    const value = (this.bytes[this.at]! << 8) | this.bytes[this.at + 1]!
    this.at += 2
    return value
  }

  uint32(what: string): number {
    return this.uint16(what) * 0x1_0000 + this.uint16(what)
  }

  variableByteInteger(what: string): number {
    let value = 0
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.byte(what)
      value |= (byte & 0x7f) << shift
      if ((byte & 0x80) === 0) {
        if (byte === 0 && shift > 0) throw malformed("MQTT-1.5.5-1", `${what} is longer than it needs to be`)
        return value
      }
    }
    throw malformed("1.5.5", `${what} has more than four bytes`)
  }

  /** Skips a two-byte length and that many bytes; returns the offset where the bytes start (`at` is their end). */
  binary(what: string): number {
    const length = this.uint16(what)
    this.#need(length, what)
    const start = this.at
    this.at += length
    return start
  }

  text(what: string): string {
    const start = this.binary(what)
    return decodeText(this.bytes, start, this.at)
  }

  /** Like text, without making the string; returns the offset where it starts. */
  skipText(what: string): number {
    const start = this.binary(what)
    checkText(this.bytes, start, this.at)
    return start
  }

  #need(length: number, what: string): void {
    if (this.at + length > this.end) throw malformed("4.13.1", `the packet ends inside ${what}`)
  }
}

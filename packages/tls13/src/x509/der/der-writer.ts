// Writes DER (ITU-T X.690): for the keys, requests and certificates that this package makes itself.

import { concatBytes } from "../../bytes/concat.ts"
import * as Tag from "./tags.ts"

/** One value: identifier octet, length, content. */
export function derValue(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of content) length += part.length
  return concatBytes(header(tag, length), ...content)
}

function header(tag: number, length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(tag, length)
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return Uint8Array.of(tag, 0x80 | octets.length, ...octets)
}

export function derSequence(...content: readonly Uint8Array[]): Uint8Array {
  return derValue(Tag.sequence, ...content)
}

/** An INTEGER that is not negative, from its big-endian bytes. */
export function derInteger(bigEndian: Uint8Array): Uint8Array {
  let at = 0
  while (at < bigEndian.length - 1 && bigEndian[at] === 0) at++
  const magnitude = bigEndian.length === 0 ? Uint8Array.of(0) : bigEndian.subarray(at)
  return magnitude[0]! & 0x80 ? derValue(Tag.integer, Uint8Array.of(0), magnitude) : derValue(Tag.integer, magnitude)
}

/** An INTEGER from 0 to 2^31-1. */
export function derSmall(value: number): Uint8Array {
  return derInteger(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value))
}

/** A BIT STRING of whole octets. */
export function derBitString(bytes: Uint8Array): Uint8Array {
  return derValue(Tag.bitString, Uint8Array.of(0), bytes)
}

export function derOctetString(bytes: Uint8Array): Uint8Array {
  return derValue(Tag.octetString, bytes)
}

export function derNull(): Uint8Array {
  return Uint8Array.of(Tag.null, 0)
}

/** An OBJECT IDENTIFIER from its dotted text. */
export function derOid(text: string): Uint8Array {
  const [first = 0, second = 0, ...others] = text.split(".").map(Number)
  const content: number[] = []
  for (const component of [40 * first + second, ...others]) {
    const octets = [component % 128]
    for (let rest = Math.floor(component / 128); rest > 0; rest = Math.floor(rest / 128))
      octets.unshift(0x80 | (rest % 128))
    content.push(...octets)
  }
  return derValue(Tag.oid, Uint8Array.from(content))
}

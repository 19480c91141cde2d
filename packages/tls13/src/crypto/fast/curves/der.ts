import { concatBytes } from "../../../bytes/concat.ts"

// Ecdsa-Sig-Value (RFC 3279 section 2.2.3), a SEQUENCE of two INTEGERs, in DER (X.690 sections 8.3, 8.9 and 10.1), for numbers
// of up to 48 bytes: its length has one byte.

const SEQUENCE = 0x30
const INTEGER = 0x02

/** r and s as so many big-endian bytes each; undefined for anything that is not DER, and for negative and larger numbers. */
export function readSignature(bytes: Uint8Array, length: number): Uint8Array | undefined {
  const longest = 2 + 2 * (2 + length + 1)
  if (bytes[0] !== SEQUENCE || bytes[1] !== bytes.length - 2 || bytes.length > longest) return undefined
  const [r, s] = [new Uint8Array(length), new Uint8Array(length)]
  const end = readInteger(bytes, 2, r)
  return end !== undefined && readInteger(bytes, end, s) === bytes.length ? concatBytes(r, s) : undefined
}

/** Returns the place behind the INTEGER. */
function readInteger(bytes: Uint8Array, at: number, out: Uint8Array): number | undefined {
  const length = bytes[at + 1]
  if (bytes[at] !== INTEGER || length === undefined || length === 0) return undefined
  const end = at + 2 + length
  if (end > bytes.length) return undefined
  const first = bytes[at + 2]!
  // The top bit is the sign, and a byte of zeros is there only to keep it off.
  if (first >= 0x80) return undefined
  const padded = first === 0 && length > 1
  if (padded && bytes[at + 3]! < 0x80) return undefined
  const from = padded ? at + 3 : at + 2
  if (end - from > out.length) return undefined
  for (let i = from; i < end; i++) out[out.length - end + i] = bytes[i]!
  return end
}

/** @param numbers r and s, of the same length */
export function writeSignature(numbers: Uint8Array): Uint8Array {
  const half = numbers.length / 2
  const [r, s] = [shortest(numbers.subarray(0, half)), shortest(numbers.subarray(half))]
  const content = concatBytes(Uint8Array.of(INTEGER, r.length), r, Uint8Array.of(INTEGER, s.length), s)
  return concatBytes(Uint8Array.of(SEQUENCE, content.length), content)
}

/** A number without leading zeros, but for one where the top bit would be a sign. */
function shortest(number: Uint8Array): Uint8Array {
  let zeros = 0
  while (zeros < number.length - 1 && number[zeros] === 0) zeros++
  const bytes = number.subarray(zeros)
  return bytes[0]! < 0x80 ? bytes : concatBytes(Uint8Array.of(0), bytes)
}

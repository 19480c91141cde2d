// Ecdsa-Sig-Value (RFC 3279 section 2.2.3), a SEQUENCE of two INTEGERs, in DER (X.690 sections 8.3, 8.9 and 10.1), for numbers
// of 32 bytes: its length has one byte.

const LENGTH = 32
const SEQUENCE = 0x30
const INTEGER = 0x02

/** r and s as 32 big-endian bytes each; undefined for anything that is not DER, and for negative and larger numbers. */
export function readSignature(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes[0] !== SEQUENCE || bytes[1] !== bytes.length - 2 || bytes.length > 2 + 2 * (2 + LENGTH + 1))
    return undefined
  const numbers = new Uint8Array(2 * LENGTH)
  const end = readInteger(bytes, 2, numbers, 0)
  return end !== undefined && readInteger(bytes, end, numbers, LENGTH) === bytes.length ? numbers : undefined
}

/** Returns the place behind the INTEGER. */
function readInteger(bytes: Uint8Array, at: number, out: Uint8Array, to: number): number | undefined {
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
  if (end - from > LENGTH) return undefined
  for (let i = from; i < end; i++) out[to + LENGTH - end + i] = bytes[i]!
  return end
}

export function writeSignature(numbers: Uint8Array): Uint8Array {
  const lengths = [integerLength(numbers, 0), integerLength(numbers, LENGTH)]
  const bytes = new Uint8Array(6 + lengths[0]! + lengths[1]!)
  bytes[0] = SEQUENCE
  bytes[1] = bytes.length - 2
  let at = 2
  for (const [i, length] of lengths.entries()) {
    bytes[at] = INTEGER
    bytes[at + 1] = length
    // One byte more than the number has is a zero.
    for (let k = 1; k <= length && k <= LENGTH; k++) bytes[at + 2 + length - k] = numbers[LENGTH * (i + 1) - k]!
    at += 2 + length
  }
  return bytes
}

/** Bytes of the shortest INTEGER for the number at `at`. */
function integerLength(numbers: Uint8Array, at: number): number {
  let zeros = 0
  while (zeros < LENGTH - 1 && numbers[at + zeros] === 0) zeros++
  return LENGTH - zeros + (numbers[at + zeros]! >> 7)
}

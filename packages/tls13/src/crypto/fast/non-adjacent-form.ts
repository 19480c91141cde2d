// Scalars for multiplications whose time may depend on them: those of verification.

/** Digits of a scalar in signed form. */
export const DIGITS = 257

/**
 * Digits of 32 big-endian bytes, lowest first: zero, or odd and below 2^(width-1) in amount, and at least width-1 zeros after
 * each other one.
 */
export function nonAdjacentForm(scalar: Uint8Array, width: number): Int8Array {
  const digits = new Int8Array(DIGITS)
  const bit = (at: number): number => (at < 256 ? (scalar[31 - (at >> 3)]! >> (at & 7)) & 1 : 0)
  let carried = 0
  for (let at = 0; at < DIGITS; ) {
    if (bit(at) === carried) {
      at++
      continue
    }
    let word = carried
    for (let i = 0; i < width; i++) word += 2 ** i * bit(at + i)
    carried = word >> (width - 1)
    digits[at] = word - 2 ** width * carried
    at += width
  }
  return digits
}

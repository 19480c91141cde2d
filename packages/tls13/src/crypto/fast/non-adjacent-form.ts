// Scalars for multiplications whose time may depend on them: those of verification.

/** Digits of a scalar in signed form. */
export const DIGITS = 257

/**
 * Digits of 32 big-endian bytes, lowest first: zero, or odd and below 2^(width-1) in amount, and at least width-1 zeros after
 * each other one.
 */
export function nonAdjacentForm(scalar: Uint8Array, width: number): Int8Array {
  const digits = new Int8Array(DIGITS)
  // Little-endian, with zeros for what is read beyond the highest bit.
  const bytes = new Uint8Array(36)
  for (let i = 0; i < 32; i++) bytes[i] = scalar[31 - i]!
  let carried = 0
  for (let at = 0; at < DIGITS; ) {
    const i = at >> 3
    const bits = (bytes[i]! | (bytes[i + 1]! << 8)) >> (at & 7)
    if ((bits & 1) === carried) {
      at++
      continue
    }
    const word = (bits & (2 ** width - 1)) + carried
    carried = word >> (width - 1)
    digits[at] = word - 2 ** width * carried
    at += width
  }
  return digits
}

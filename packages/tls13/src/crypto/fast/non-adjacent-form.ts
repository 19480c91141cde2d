// Scalars for multiplications whose time may depend on them: those of verification.

/** Digits of a scalar in signed form. */
export const DIGITS = 257

/** Digits of 32 big-endian bytes, lowest first: zero, or odd from -15 to 15, and at least four zeros after each other one. */
export function nonAdjacentForm(scalar: Uint8Array): Int8Array {
  const digits = new Int8Array(DIGITS)
  const bit = (at: number): number => (at < 256 ? (scalar[31 - (at >> 3)]! >> (at & 7)) & 1 : 0)
  let carried = 0
  for (let at = 0; at < DIGITS; ) {
    if (bit(at) === carried) {
      at++
      continue
    }
    let word = carried
    for (let i = 0; i < 5; i++) word += bit(at + i) << i
    carried = word >> 4
    digits[at] = word - 32 * carried
    at += 5
  }
  return digits
}

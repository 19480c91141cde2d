// Multiples of a base point by a comb (C. H. Lim and P. J. Lee, "More flexible exponentiation with precomputation",
// CRYPTO '94) with digits of 1 and -1 only (M. Hamburg, "Fast and compact elliptic-curve cryptography", 2012): five teeth 52
// bits apart in four blocks of 13 bits, so 4 times 16 entries, 52 additions and 12 doublings.

const TEETH = 5
const SPACING = 52

export const BLOCKS = 4
/** Bits of a block. */
export const BLOCK = 13
/** The multiples 2^(13i) of the base point, for i below this, are what the table is made of. */
export const POWERS: number = TEETH * BLOCKS

/** The scalar, or its sum with the order where it is even, little-endian; both arguments have 32 big-endian bytes. */
export function oddScalar(scalar: Uint8Array, order: Uint8Array): Uint8Array {
  const odd = new Uint8Array(33)
  const even = (scalar[31]! & 1) - 1
  let carry = 0
  for (let i = 0; i < 32; i++) {
    carry += scalar[31 - i]! + (order[31 - i]! & even)
    odd[i] = carry
    carry >>= 8
  }
  odd[32] = carry
  return odd
}

/**
 * The entry of a block's table for bit i of the block, 0 to 15, and 16 more when it is to be negated.
 * Digit d of an odd scalar is 1 where bit d + 1 is set and -1 where it is not; the highest digit is 1.
 */
export function combDigit(odd: Uint8Array, block: number, i: number): number {
  const first = BLOCK * block + i + 1
  const top = first + SPACING * (TEETH - 1)
  const negative = (bitOf(odd, top) | (top === SPACING * TEETH ? 1 : 0)) ^ 1
  let index = 0
  for (let tooth = 0; tooth < TEETH - 1; tooth++) index |= bitOf(odd, first + SPACING * tooth) << tooth
  return (index ^ (15 * negative)) | (negative << 4)
}

function bitOf(bytes: Uint8Array, at: number): number {
  return (bytes[at >> 3]! >> (at & 7)) & 1
}

/**
 * The points of the table, 16 for each block: the block's highest tooth, and each of the others, added where its bit of the
 * index is set and subtracted where it is not.
 * @param first a copy of power `i`
 * @param plus the sum of a point and power `i`
 * @param minus the difference
 */
export function combPoints<Point>(
  first: (i: number) => Point,
  plus: (point: Point, i: number) => Point,
  minus: (point: Point, i: number) => Point,
): Point[] {
  const points: Point[] = []
  for (let block = 0; block < BLOCKS; block++) {
    let lowest = first(BLOCKS * (TEETH - 1) + block)
    for (let tooth = 0; tooth < TEETH - 1; tooth++) lowest = minus(lowest, BLOCKS * tooth + block)
    const entries = [lowest]
    for (let tooth = 0; tooth < TEETH - 1; tooth++) {
      const power = BLOCKS * tooth + block
      for (let i = 0; i < 1 << tooth; i++) entries.push(plus(plus(entries[i]!, power), power))
    }
    points.push(...entries)
  }
  return points
}

// Multiples of points by secret scalars, in constant time: the same operations, with complete formulas, for every
// scalar, and tables that are read whole.
//
// Of the base point by a comb (C. H. Lim and P. J. Lee, "More flexible exponentiation with precomputation", CRYPTO '94)
// with digits of 1 and -1 only (M. Hamburg, "Fast and compact elliptic-curve cryptography", 2012): five teeth 80 bits
// apart in four blocks of 20 bits, so 4 times 16 entries and 19 doublings. The table is computed at its first use, and
// holds nothing secret. Of other points by windows of five bits with digits from -16 to 16 (A. D. Booth), with complete
// formulas for these, too.

import { bitOf, copyIf, negateIf, select } from "../curves/digits"
import { addShort, double, infinity, POINT, SHORT, shortPoints } from "./complete"
import { ELEMENT, ONE, reduceLimbs } from "./field"

const TEETH: usize = 5
const BLOCKS: usize = 4
const SPACING: usize = 80
const BLOCK: usize = 20
/** Entries of a block, and of the table of a point. */
const ENTRIES: usize = 16

const COMB: usize = memory.data(4 * 16 * 120, 16)
let combMade: bool = false

/** Only while tables are made: of the comb 64 points and 20 short ones, of a point 16 and 16. */
const POINTS: usize = memory.data(64 * 168, 16)
const POWERS: usize = memory.data(20 * 120, 16)

const CHOSEN: usize = memory.data(120, 16)
const SUM: usize = memory.data(168, 16)

/** @param base the short base point */
function makeComb(base: usize): void {
  // 2^(20i) * G for i = 0 to 19: block i modulo 4 of tooth i / 4.
  pointOf(POINTS, base)
  for (let i: usize = 1; i < TEETH * BLOCKS; i++) {
    memory.copy(POINTS + POINT * i, POINTS + POINT * (i - 1), POINT)
    for (let k: usize = 0; k < BLOCK; k++) double(POINTS + POINT * i)
  }
  shortPoints(POWERS, POINTS, TEETH * BLOCKS)
  for (let block: usize = 0; block < BLOCKS; block++) {
    const entries = POINTS + POINT * ENTRIES * block
    // Minus all teeth but the highest, then twice each that an entry has.
    infinity(entries)
    for (let tooth: usize = 0; tooth < TEETH - 1; tooth++) addShort(entries, POWERS + SHORT * (BLOCKS * tooth + block))
    negateIf(-1, entries + 56, ELEMENT)
    addShort(entries, POWERS + SHORT * (BLOCKS * (TEETH - 1) + block))
    for (let tooth: usize = 0; tooth < TEETH - 1; tooth++) {
      const power = POWERS + SHORT * (BLOCKS * tooth + block)
      const half: usize = 1 << tooth
      for (let i: usize = 0; i < half; i++) {
        const entry = entries + POINT * (half + i)
        memory.copy(entry, entries + POINT * i, POINT)
        addShort(entry, power)
        addShort(entry, power)
      }
    }
  }
  shortPoints(COMB, POINTS, BLOCKS * ENTRIES)
  memory.fill(POINTS, 0, 64 * POINT)
  memory.fill(POWERS, 0, 20 * SHORT)
  combMade = true
}

/** out = scalar * base in homogeneous coordinates, for an odd scalar of at most 400 bits, little-endian in 56 bytes. */
export function multiplyBase(out: usize, scalar: usize, base: usize): void {
  if (!combMade) makeComb(base)
  infinity(out)
  for (let i: i32 = <i32>BLOCK - 1; i >= 0; i--) {
    if (i < <i32>BLOCK - 1) double(out)
    for (let block: usize = 0; block < BLOCKS; block++) {
      // Digit d of the scalar is 1 where bit d + 1 is set and -1 where it is not; the highest digit is 1.
      const digit = BLOCK * block + i + 1
      const top = digit + SPACING * (TEETH - 1)
      const positive = bitOf(scalar, top) | <u32>(top == SPACING * TEETH)
      const index =
        bitOf(scalar, digit) |
        (bitOf(scalar, digit + SPACING) << 1) |
        (bitOf(scalar, digit + 2 * SPACING) << 2) |
        (bitOf(scalar, digit + 3 * SPACING) << 3)
      const negative: u32 = positive - 1
      select(CHOSEN, COMB + SHORT * ENTRIES * block, ENTRIES, SHORT, (index ^ negative) & 15)
      negateIf(negative, CHOSEN + 56, ELEMENT)
      addShort(out, CHOSEN)
    }
  }
}

/**
 * out = scalar * point in homogeneous coordinates, for a short point of the curve and a scalar below 2^384,
 * little-endian in 56 bytes. A digit of zero adds something that is not taken.
 */
export function multiplySecret(out: usize, scalar: usize, point: usize): void {
  // The order is a prime much above 16: no multiple is infinity.
  pointOf(POINTS, point)
  for (let i: usize = 1; i < ENTRIES; i++) {
    memory.copy(POINTS + POINT * i, POINTS + POINT * (i - 1), POINT)
    addShort(POINTS + POINT * i, point)
  }
  shortPoints(POWERS, POINTS, ENTRIES)
  infinity(out)
  for (let window: i32 = 76; window >= 0; window--) {
    if (window < 76) for (let k = 0; k < 5; k++) double(out)
    // The five bits, and the one below them.
    const at = 5 * window - 1
    const bits = window > 0 ? (load<u16>(scalar + (at >> 3)) >> <u16>(at & 7)) & 63 : (load<u8>(scalar) << 1) & 63
    const negative: u32 = 0 - (<u32>bits >> 5)
    const amount = (<u32>bits ^ (negative & 63)) + 1
    const digit = amount >> 1
    select(CHOSEN, POWERS, ENTRIES, SHORT, <u64>(digit - 1))
    negateIf(negative, CHOSEN + 56, ELEMENT)
    const zero: u32 = <u32>(<i32>(digit - 1) >> 31)
    memory.copy(SUM, out, POINT)
    addShort(SUM, CHOSEN)
    copyIf(~zero, out, SUM, POINT)
  }
}

/** Constants are 2-loose, as numbers of bytes are. */
function pointOf(out: usize, short: usize): void {
  memory.copy(out, short, 2 * ELEMENT)
  memory.copy(out + 112, ONE, ELEMENT)
  reduceLimbs(out)
  reduceLimbs(out + 56)
  reduceLimbs(out + 112)
}

export function forgetMultiples(): void {
  memory.fill(POINTS, 0, ENTRIES * POINT)
  memory.fill(POWERS, 0, ENTRIES * SHORT)
  memory.fill(CHOSEN, 0, SHORT)
  memory.fill(SUM, 0, POINT)
}

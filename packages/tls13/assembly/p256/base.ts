// Multiples of the base point in constant time by a comb (C. H. Lim and P. J. Lee, "More flexible exponentiation with
// precomputation", CRYPTO '94) with digits of 1 and -1 only (M. Hamburg, "Fast and compact elliptic-curve cryptography",
// 2012): five teeth 52 bits apart in four blocks of 13 bits, so 4 times 16 entries of 72 bytes and 12 doublings. The table is
// computed at its first use, in a few hundred microseconds, and holds nothing secret.
//
// Side channels: the same operations, with complete formulas, for every scalar; the table is read whole.

import { bitOf, negateIf, select } from "../curves/digits"
import { addShort, double, infinity, POINT, SHORT, shortPoints } from "./complete"

const TEETH: usize = 5
const BLOCKS: usize = 4
const SPACING: usize = 52
const BLOCK: usize = 13
/** Entries of a block. */
const ENTRIES: usize = 16

/** The base point. */
export const BASE: usize = memory.data<u32>([
  0x15228783, 0x0730d418, 0x0db00bcf, 0x057f11fb, 0x0a20eb75, 0x12b77622, 0x0330fdb9, 0x1af4dd57, 0x120bee, 0x12aac150,
  0x125357ce, 0x0f22e6ef, 0x0e390e86, 0x064b1695, 0x088dd21f, 0x02a97443, 0x02962176, 0xae3fe3,
])
const COMB: usize = memory.data(4 * 16 * 72, 16)
/** G, 3G, 5G ... 63G, for verification. */
export const ODD: usize = memory.data(32 * 72, 16)
let combMade: bool = false
let oddMade: bool = false

/** Only while tables are made: 64 points and 20 short ones. */
const POINTS: usize = memory.data(64 * 108, 16)
const POWERS: usize = memory.data(20 * 72, 16)

const CHOSEN: usize = memory.data(72, 16)

function makeComb(): void {
  // 2^(13i) * G for i = 0 to 19: block i modulo 4 of tooth i / 4.
  infinity(POINTS)
  addShort(POINTS, BASE)
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
    negateIf(-1, entries + 36)
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
  combMade = true
}

/** out = scalar * G in homogeneous coordinates, for an odd scalar of at most 260 bits, little-endian in 40 bytes. */
export function multiplyBase(out: usize, scalar: usize): void {
  if (!combMade) makeComb()
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
      negateIf(negative, CHOSEN + 36)
      addShort(out, CHOSEN)
    }
  }
}

/** Makes ODD once. */
export function needOdd(): void {
  if (oddMade) return
  infinity(POINTS)
  addShort(POINTS, BASE)
  memory.copy(POINTS + POINT, POINTS, POINT)
  double(POINTS + POINT)
  shortPoints(POWERS, POINTS + POINT, 1)
  for (let i: usize = 1; i < 32; i++) {
    memory.copy(POINTS + POINT * i, POINTS + POINT * (i - 1), POINT)
    addShort(POINTS + POINT * i, POWERS)
  }
  shortPoints(ODD, POINTS, 32)
  oddMade = true
}

export function forgetBase(): void {
  memory.fill(CHOSEN, 0, SHORT)
}

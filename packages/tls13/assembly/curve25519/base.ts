// Multiples of the base point of Ed25519: in constant time by a comb, and together with those of another point for
// verification.
//
// The comb (C. H. Lim and P. J. Lee, "More flexible exponentiation with precomputation", CRYPTO '94) with digits of 1 and
// -1 only (M. Hamburg, "Fast and compact elliptic-curve cryptography", 2012): five teeth 52 bits apart in four blocks of 13
// bits, so 4 times 16 entries of 120 bytes and 12 doublings. Tables are computed at their first use, in a few hundred
// microseconds, and hold nothing secret.
//
// Side channels: `multiplyBase` does the same for every scalar and reads its tables whole; `multiplyPublic` does not.

import { ELEMENT } from "../curves/bytes"
import { bitOf, DIGITS, negateIf, nonAdjacentForm, select, swapIf } from "../curves/digits"
import { addendOf, addTo, basePoint, double, neutral, POINT, SHORT, shortAddends } from "./edwards25519"

const TEETH: usize = 5
const BLOCKS: usize = 4
const SPACING: usize = 52
const BLOCK: usize = 13
/** Entries of a block. */
const ENTRIES: usize = 16

const COMB: usize = memory.data(4 * 16 * 120, 16)
/** B, 3B, 5B ... 63B. */
const ODD: usize = memory.data(32 * 120, 16)
let combMade: bool = false
let oddMade: bool = false

/** Only while tables are made, and for verification: 64 points, and 20 addends. */
const POINTS: usize = memory.data(64 * 144, 16)
const ADDENDS: usize = memory.data(20 * 144, 16)
const DIGITS_BASE: usize = memory.data(264, 16)
const DIGITS_POINT: usize = memory.data(264, 16)

const CHOSEN: usize = memory.data(120, 16)

function makeComb(): void {
  // 2^(13i) * B for i = 0 to 19: block i modulo 4 of tooth i / 4.
  basePoint(POINTS)
  for (let i: usize = 0; i < TEETH * BLOCKS; i++) {
    addendOf(ADDENDS + POINT * i, POINTS)
    for (let k: usize = 0; k < BLOCK; k++) double(POINTS, true)
  }
  for (let block: usize = 0; block < BLOCKS; block++) {
    const entries = POINTS + POINT * ENTRIES * block
    neutral(entries)
    addTo(entries, ADDENDS + POINT * (BLOCKS * (TEETH - 1) + block), false, false)
    for (let tooth: usize = 0; tooth < TEETH - 1; tooth++) {
      addTo(entries, ADDENDS + POINT * (BLOCKS * tooth + block), false, true)
    }
    for (let tooth: usize = 0; tooth < TEETH - 1; tooth++) {
      const addend = ADDENDS + POINT * (BLOCKS * tooth + block)
      const half: usize = 1 << tooth
      for (let i: usize = 0; i < half; i++) {
        const entry = entries + POINT * (half + i)
        memory.copy(entry, entries + POINT * i, POINT)
        addTo(entry, addend, false, false)
        addTo(entry, addend, false, false)
      }
    }
  }
  shortAddends(COMB, POINTS, BLOCKS * ENTRIES)
  combMade = true
}

/** out = scalar * B for an odd scalar of at most 260 bits, little-endian in 40 bytes. */
export function multiplyBase(out: usize, scalar: usize): void {
  if (!combMade) makeComb()
  neutral(out)
  for (let i: i32 = <i32>BLOCK - 1; i >= 0; i--) {
    if (i < <i32>BLOCK - 1) double(out, true)
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
      swapIf(negative, CHOSEN, CHOSEN + ELEMENT, ELEMENT)
      negateIf(negative, CHOSEN + 2 * ELEMENT)
      addTo(out, CHOSEN, true, false)
    }
  }
}

function makeOdd(): void {
  basePoint(POINTS)
  memory.copy(POINTS + POINT, POINTS, POINT)
  double(POINTS + POINT, true)
  addendOf(ADDENDS, POINTS + POINT)
  for (let i: usize = 1; i < 32; i++) {
    memory.copy(POINTS + POINT * i, POINTS + POINT * (i - 1), POINT)
    addTo(POINTS + POINT * i, ADDENDS, false, false)
  }
  shortAddends(ODD, POINTS, 32)
  oddMade = true
}

/** out = a * B - b * point, for public scalars of 32 little-endian bytes with 8 zeros behind them; `out` is not `point`. */
export function multiplyPublic(out: usize, a: usize, b: usize, point: usize): void {
  if (!oddMade) makeOdd()
  nonAdjacentForm(DIGITS_BASE, a, 7, DIGITS)
  nonAdjacentForm(DIGITS_POINT, b, 5, DIGITS)
  // point, 3 point ... 15 point
  memory.copy(POINTS, point, POINT)
  memory.copy(POINTS + POINT, point, POINT)
  double(POINTS + POINT, true)
  addendOf(ADDENDS + 8 * POINT, POINTS + POINT)
  for (let i: usize = 0; i < 8; i++) {
    addendOf(ADDENDS + POINT * i, POINTS)
    addTo(POINTS, ADDENDS + 8 * POINT, false, false)
  }
  neutral(out)
  let i: i32 = DIGITS - 1
  while (i > 0 && (load<i8>(DIGITS_BASE + i) | load<i8>(DIGITS_POINT + i)) == 0) i--
  for (; i >= 0; i--) {
    const digit = <i32>load<i8>(DIGITS_BASE + i)
    const other = <i32>load<i8>(DIGITS_POINT + i)
    double(out, (digit | other) != 0)
    if (other != 0) addTo(out, ADDENDS + POINT * <usize>(abs(other) >> 1), false, other > 0)
    if (digit != 0) addTo(out, ODD + SHORT * <usize>(abs(digit) >> 1), true, digit < 0)
  }
}

export function forgetBase(): void {
  memory.fill(CHOSEN, 0, SHORT)
}

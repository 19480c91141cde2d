// Multiples of points that are not known before: by a secret scalar, and for verification.

import { copyIf, DIGITS, negateIf, nonAdjacentForm, select } from "../curves/digits"
import { ELEMENT } from "../curves/bytes"
import { needOdd, ODD } from "./base"
import { SHORT } from "./complete"
import { ONE } from "./field"
import { addPoints, addShort, double, hadSameX, POINT, wereEqual } from "./jacobian"

/** A point and padding to what `select` reads at once. */
const ENTRY: usize = 120
/** Up to 16 multiples of the point: of a secret scalar's as of a public one's. */
const TABLE: usize = memory.data(16 * 120, 16)
const CHOSEN: usize = memory.data(120, 16)
const SUM: usize = memory.data(108, 16)
const DIGITS_BASE: usize = memory.data(264, 16)
const DIGITS_POINT: usize = memory.data(264, 16)

/**
 * out = scalar * point in Jacobian coordinates, for a short point of the curve and a scalar from 1 to n - 1, little-endian in
 * 40 bytes. Windows of five bits with digits from -16 to 16 (A. D. Booth): the same operations for every scalar, and the
 * table is read whole.
 *
 * The additions meet no special case but two, which are answered by masks: a sum without a digit so far, and a digit of zero.
 * With the sum at a * P, a at least 1, and the digit d, 1 to 16 in amount, 32a + d is the scalar or less, so not 0 modulo n:
 * the points are not opposite. They are equal if 32a = d modulo n: not as integers, d being less than 32 in amount; and if
 * 32a = n + d, only in the last window can the scalar 32a + d be near n, which would then be n + 2d with d negative and
 * n + d divisible by 32. But n is 17 modulo 32, and d is not -17.
 */
export function multiplySecret(out: usize, scalar: usize, point: usize): void {
  memory.copy(TABLE, point, SHORT)
  memory.copy(TABLE + 72, ONE, ELEMENT)
  for (let i: usize = 2; i <= 16; i++) {
    const entry = TABLE + ENTRY * (i - 1)
    if (i & 1) addPoints(entry, entry - ENTRY, TABLE)
    else double(entry, TABLE + ENTRY * ((i >> 1) - 1))
  }
  memory.fill(out, 0, POINT)
  // All ones as long as there was no digit.
  let none: u32 = 0xffffffff
  for (let window: i32 = 51; window >= 0; window--) {
    if (window < 51) for (let k = 0; k < 5; k++) double(out, out)
    // The five bits, and the one below them.
    const at = 5 * window - 1
    const bits = window > 0 ? (load<u16>(scalar + (at >> 3)) >> <u16>(at & 7)) & 63 : (load<u8>(scalar) << 1) & 63
    const negative: u32 = 0 - (<u32>bits >> 5)
    const amount = (<u32>bits ^ (negative & 63)) + 1
    const digit = amount >> 1
    select(CHOSEN, TABLE, 16, ENTRY, <u64>(digit - 1))
    negateIf(negative, CHOSEN + 36)
    const zero: u32 = <u32>(<i32>(digit - 1) >> 31)
    addPoints(SUM, out, CHOSEN)
    copyIf(none, SUM, CHOSEN, POINT)
    copyIf(~zero, out, SUM, POINT)
    none &= zero
  }
}

/** out = a * G + b * point in Jacobian coordinates, for public scalars; false at infinity. */
export function multiplyPublic(out: usize, a: usize, b: usize, point: usize): bool {
  needOdd()
  nonAdjacentForm(DIGITS_BASE, a, 7, DIGITS)
  nonAdjacentForm(DIGITS_POINT, b, 5, DIGITS)
  // point, 3 point ... 15 point: the order is a prime much above 15, so that no addition meets a special case.
  memory.copy(TABLE, point, SHORT)
  memory.copy(TABLE + 72, ONE, ELEMENT)
  double(CHOSEN, TABLE)
  for (let i: usize = 1; i < 8; i++) addPoints(TABLE + ENTRY * i, TABLE + ENTRY * (i - 1), CHOSEN)
  let infinite = true
  for (let i: i32 = DIGITS - 1; i >= 0; i--) {
    if (!infinite) double(out, out)
    const digit = <i32>load<i8>(DIGITS_POINT + i)
    if (digit != 0) {
      memory.copy(CHOSEN, TABLE + ENTRY * <usize>(abs(digit) >> 1), POINT)
      if (digit < 0) negateIf(-1, CHOSEN + 36)
      infinite = addAny(out, CHOSEN, false, infinite)
    }
    const other = <i32>load<i8>(DIGITS_BASE + i)
    if (other != 0) {
      memory.copy(CHOSEN, ODD + SHORT * <usize>(abs(other) >> 1), SHORT)
      if (other < 0) negateIf(-1, CHOSEN + 36)
      infinite = addAny(out, CHOSEN, true, infinite)
    }
  }
  return !infinite
}

/** point += other, whatever they are; returns whether the sum is infinity, as `point` is where `infinite`. */
function addAny(point: usize, other: usize, short: bool, infinite: bool): bool {
  if (infinite) {
    memory.copy(point, other, short ? SHORT : POINT)
    if (short) memory.copy(point + 72, ONE, ELEMENT)
    return false
  }
  if (short) addShort(SUM, point, other)
  else addPoints(SUM, point, other)
  if (hadSameX()) {
    if (!wereEqual()) return true
    double(SUM, point)
  }
  memory.copy(point, SUM, POINT)
  return false
}

export function forgetMultiples(): void {
  memory.fill(TABLE, 0, 16 * ENTRY)
  memory.fill(CHOSEN, 0, ENTRY)
  memory.fill(SUM, 0, POINT)
}

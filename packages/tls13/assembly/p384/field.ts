// The field of P-384, integers modulo p = 2^384 - 2^128 - 2^96 + 2^32 - 1, on 64-bit integers in Montgomery's form: an
// element x is held as x * R modulo p with R = 2^392.
//
// An element is fourteen signed limbs of 28 bits, in words of 32. "Reduced" limbs, which products have, are from -2^27
// to 2^27, the highest much below. A sum of k reduced elements is called k-loose; limbs from 0 to 2^28, as read from
// bytes, are 2-loose. Nothing is more than 15-loose, which is what a word holds. The factors of a product may be k- and
// l-loose with k * l <= 30: a column stays below 14 * 30 * 2^54 < 2^62.72, and what the reduction adds is below 2^50. R
// is 256p: products of what is below 16p in amount are below 2p, so that sums stay below 16p.
//
// Side channels: multiplications, additions and shifts of 64-bit integers, which take the same time for all values on
// the usual processors; no table. `isBelow`, `isZeroNumber`, `isCoordinate` and `isZero` are for verdicts that are
// public.

import { multiply, square } from "./products"

/** Bytes of an element: fourteen words. */
export const ELEMENT: usize = 56

const MASK: u64 = 0xfffffff

const P: usize = memory.data<u32>([
  0xfffffff, 0x000000f, 0x0000000, 0xffff000, 0xffeffff, 0xfffffff, 0xfffffff, 0xfffffff, 0xfffffff, 0xfffffff,
  0xfffffff, 0xfffffff, 0xfffffff, 0x00fffff,
])
/** R^2 modulo p, which brings a number into Montgomery's form. */
const SQUARED: usize = memory.data<u32>([
  0x0010000, 0xfe00000, 0x0ffffff, 0x0000000, 0x0000002, 0x0000000, 0xffffe00, 0x0000fff, 0x0020000, 0x0100000,
  0x0000000, 0x0000000, 0x0000000, 0x0000000,
])
/** R modulo p: one. */
export const ONE: usize = memory.data<u32>([
  0x0000100, 0xffff000, 0xfffffff, 0x00fffff, 0x1000000, 0x0000000, 0x0000000, 0x0000000, 0x0000000, 0x0000000,
  0x0000000, 0x0000000, 0x0000000, 0x0000000,
])
/** 1, which brings an element out of Montgomery's form. */
const PLAIN_ONE: usize = memory.data<u32>([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
const WORK: usize = memory.data(56, 16)
/* For the inverse. */
const X2: usize = memory.data(56, 16)
const X3: usize = memory.data(56, 16)
const X15: usize = memory.data(56, 16)
const X30: usize = memory.data(56, 16)
const POWER: usize = memory.data(56, 16)
/** 48 bytes and what is read behind them. */
const BYTES: usize = memory.data(64, 16)

/** The limbs, from 0 to 2^28, of 48 big-endian bytes. */
export function numberOf(out: usize, bytes: usize): void {
  for (let i: usize = 0; i < 48; i++) store<u8>(BYTES + i, load<u8>(bytes + 47 - i))
  store<u64>(BYTES, 0, 48)
  for (let i: usize = 0; i < 7; i++) {
    const pair = load<u64>(BYTES + 7 * i)
    store<u32>(out + 8 * i, <u32>(pair & MASK))
    store<u32>(out + 8 * i, <u32>((pair >> 28) & MASK), 4)
  }
}

/** 49 little-endian bytes of limbs from 0 to 2^28; 50 to 56 are zero. */
export function bytesOf(out: usize, number: usize): void {
  for (let i: usize = 0; i < 7; i++) {
    store<u64>(out + 7 * i, <u64>load<u32>(number + 8 * i) | ((<u64>load<u32>(number + 8 * i, 4)) << 28))
  }
}

/** Whether a number is below another. */
export function isBelow(number: usize, other: usize): bool {
  let borrow: i64 = 0
  for (let i: usize = 0; i < ELEMENT; i += 4) {
    borrow = (borrow + <i64>load<u32>(number + i) - <i64>load<u32>(other + i)) >> 28
  }
  return borrow < 0
}

export function isZeroNumber(number: usize): bool {
  let all: u32 = 0
  for (let i: usize = 0; i < ELEMENT; i += 4) all |= load<u32>(number + i)
  return all == 0
}

/** out = a + b * factor, with carries; limbs from 0 to 2^28 when the result is not negative. */
export function addNumbers(out: usize, a: usize, factor: i32, b: usize): void {
  let carry: i64 = 0
  for (let i: usize = 0; i < ELEMENT; i += 4) {
    carry += <i64>load<i32>(a + i) + <i64>load<i32>(b + i) * factor
    store<u32>(out + i, <u32>(carry & MASK))
    carry >>= 28
  }
}

/** The element of a number. */
export function elementOf(out: usize, number: usize): void {
  multiply(out, number, SQUARED)
}

/** Whether a number is below p. */
export function isCoordinate(number: usize): bool {
  return isBelow(number, P)
}

export function isZero(a: usize): bool {
  // What is nearly between 0 and p and 0 modulo p is 0 or p, whose lowest limb is 0 or -1.
  multiply(WORK, a, PLAIN_ONE)
  const low = load<i32>(WORK)
  if (low != 0 && low != -1) return false
  if (low != 0) addNumbers(WORK, WORK, -1, P)
  return isZeroNumber(WORK)
}

/** out = a * factor + b: factor times as loose as a, and as loose as b. */
export function scaleAndAdd(out: usize, a: usize, factor: i32, b: usize): void {
  for (let i: usize = 0; i < ELEMENT; i += 4) store<i32>(out + i, load<i32>(a + i) * factor + load<i32>(b + i))
}

/** The same value with reduced limbs, for sums that are up to 14-loose. */
export function reduceLimbs(a: usize): void {
  let carry: i32 = 0
  for (let i: usize = 0; i < 52; i += 4) {
    const limb = load<i32>(a + i) + carry
    carry = (limb + 0x8000000) >> 28
    store<i32>(a + i, limb - (carry << 28))
  }
  store<i32>(a, load<i32>(a, 52) + carry, 52)
}

/**
 * The same value modulo p, between -p and p in amount, with limbs that are up to 2^27 and a 32nd, for sums that are up
 * to 14-loose: what is above 2^384 is taken off as a multiple of p.
 */
export function reduce(a: usize): void {
  reduceLimbs(a)
  const top = load<i32>(a, 52)
  const times = (top + 0x80000) >> 20
  store<i32>(a, top - (times << 20), 52)
  store<i32>(a, load<i32>(a) + times)
  store<i32>(a, load<i32>(a, 4) - (times << 4), 4)
  store<i32>(a, load<i32>(a, 12) + (times << 12), 12)
  store<i32>(a, load<i32>(a, 16) + (times << 16), 16)
}

/**
 * Subtracts a number from one with limbs from 0 to 2^28 that is below twice the number, unless it is below it already.
 */
export function subtractOnce(limbs: usize, number: usize): void {
  let borrow: i64 = 0
  for (let i: usize = 0; i < ELEMENT; i += 4) {
    borrow = (borrow + <i64>load<u32>(limbs + i) - <i64>load<u32>(number + i)) >> 28
  }
  // All ones when the number is larger.
  const keep: i64 = borrow >> 63
  borrow = 0
  for (let i: usize = 0; i < ELEMENT; i += 4) {
    borrow += <i64>load<u32>(limbs + i) - (<i64>load<u32>(number + i) & ~keep)
    store<u32>(limbs + i, <u32>(borrow & MASK))
    borrow >>= 28
  }
}

/** The one number below p that an element, below 16p in amount, stands for. */
export function numberOfElement(out: usize, a: usize): void {
  // The product with 1 is from 0 to p.
  multiply(WORK, a, PLAIN_ONE)
  addNumbers(out, WORK, 0, WORK)
  subtractOnce(out, P)
}

/** 48 big-endian bytes of a number below 2^384. */
export function toBytes(out: usize, number: usize): void {
  bytesOf(BYTES, number)
  for (let i: usize = 0; i < 48; i++) store<u8>(out + i, load<u8>(BYTES + 47 - i))
}

/**
 * out = a^(p-2): the inverse, and 0 for 0; 383 squarings and 13 multiplications. The exponent is, from its highest bit,
 * 255 ones, a zero and 32 ones, 64 zeros and 30 ones, a zero and a one. `out` may be `a`, which is reduced.
 */
export function invert(out: usize, a: usize): void {
  ones(X2, a, 1, a)
  ones(X3, X2, 1, a)
  ones(POWER, X3, 3, X3)
  ones(POWER, POWER, 6, POWER)
  ones(X15, POWER, 3, X3)
  ones(X30, X15, 15, X15)
  ones(POWER, X30, 30, X30)
  ones(POWER, POWER, 60, POWER)
  ones(POWER, POWER, 120, POWER)
  ones(POWER, POWER, 15, X15)
  // 32 ones are 30 and 2.
  ones(POWER, POWER, 31, X30)
  ones(POWER, POWER, 2, X2)
  ones(POWER, POWER, 94, X30)
  ones(out, POWER, 2, a)
}

/** out = a^(2^times) * b; `out` may be both. */
function ones(out: usize, a: usize, times: i32, b: usize): void {
  square(WORK, a)
  for (let i = 1; i < times; i++) square(WORK, WORK)
  multiply(out, WORK, b)
}

export function forgetField(): void {
  memory.fill(WORK, 0, ELEMENT)
  memory.fill(BYTES, 0, 64)
  memory.fill(X2, 0, ELEMENT)
  memory.fill(X3, 0, ELEMENT)
  memory.fill(X15, 0, ELEMENT)
  memory.fill(X30, 0, ELEMENT)
  memory.fill(POWER, 0, ELEMENT)
}

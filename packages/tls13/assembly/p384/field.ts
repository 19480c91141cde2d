// The field of P-384, integers modulo p = 2^384 - 2^128 - 2^96 + 2^32 - 1, on 64-bit integers in Montgomery's form: an element
// x is held as x * R modulo p with R = 2^392. Only for public numbers: P-384 is verified here, and nothing else.
//
// An element is fourteen signed limbs of 28 bits, in words of 32. "Reduced" limbs, which products have, are from -2^27 to
// 2^27, the highest much below. A sum of k reduced elements is called k-loose; limbs from 0 to 2^28, as read from bytes, are
// 2-loose. Nothing is more than 15-loose, which is what a word holds. The factors of a product may be k- and l-loose with
// k * l <= 30: a column stays below 14 * 30 * 2^54 < 2^62.72, and what the reduction adds is below 2^50. R is 256p: products
// of what is below 16p in amount are below 2p, so that sums stay below 16p.

import { multiply } from "./products"

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

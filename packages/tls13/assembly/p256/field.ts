// The field of P-256, integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1, on 64-bit integers in Montgomery's form: an
// element x is held as x * R modulo p with R = 2^261.
//
// An element is nine signed limbs of 29 bits, in words of 32. "Reduced" limbs, which products have, are from -2^28 to 2^28,
// the highest from -2^25 to 2^25: the value is from -2p to 2p. A sum of k reduced elements is called k-loose; limbs from 0 to
// 2^29, as read from bytes, are 2-loose. Nothing is more than 7-loose, which is what a word holds. The factors of a product
// may be k- and l-loose with k * l <= 8: then the product over R is from -p to p, and what the reduction adds from 0 to p.
// Products with an addend, which bring their result between 0 and p, take k * l <= 15: no column has more than eight
// products of two low limbs, so that it stays below 8 * 15 * 2^56 < 2^62.91, and what the reduction adds is below 2^55.
//
// Side channels: multiplications, additions and shifts of 64-bit integers, which take the same time for all values on the
// usual processors; no table, no branch on a secret.

import { bytesOf, carryUp, difference, ELEMENT, limbsOf, reverse, subtractOnce } from "../curves/bytes"
import { forgetInverse, invertNumber } from "../curves/inverse"
import { multiply } from "./products"

export const P: usize = memory.data<u32>([
  0x1fffffff, 0x1fffffff, 0x1fffffff, 0x000001ff, 0x00000000, 0x00000000, 0x00040000, 0x1fe00000, 0xffffff,
])
/** R^2 modulo p, which brings a number into Montgomery's form. */
const SQUARED: usize = memory.data<u32>([
  0x00000c00, 0x00000000, 0x1fff0000, 0x1fdfffff, 0x1fbfffff, 0x1fffffff, 0x1fffffff, 0x1ffffffe, 0x000013,
])
/** R modulo p: one. */
export const ONE: usize = memory.data<u32>([
  0x00000020, 0x00000000, 0x00000000, 0x1fffc000, 0x1fffffff, 0x1fffffff, 0x1f7fffff, 0x03ffffff, 0x000000,
])
/** 1, which brings an element out of Montgomery's form. */
const PLAIN_ONE: usize = memory.data<u32>([1, 0, 0, 0, 0, 0, 0, 0, 0])
const ZERO_BYTES: usize = memory.data(32, 16)
/** -1 / p modulo 2^29. */
const INVERSE: u64 = 1

const WORK: usize = memory.data(36, 16)
const BYTES: usize = memory.data(40, 16)

/** The element of 32 big-endian bytes, modulo p. */
export function fromBytes(out: usize, bytes: usize): void {
  reverse(BYTES, bytes)
  limbsOf(WORK, BYTES)
  multiply(out, WORK, SQUARED)
}

/** WORK = the number of an element, or of a sum: out of Montgomery's form, and below p. */
function canonical(a: usize): void {
  // The product is above -p and below 2p: p is added, and taken off twice where it can be.
  multiply(WORK, a, PLAIN_ONE)
  for (let i: usize = 0; i < ELEMENT; i += 4) store<i32>(WORK + i, load<i32>(WORK + i) + load<i32>(P + i))
  carryUp(WORK)
  subtractOnce(WORK, P)
  subtractOnce(WORK, P)
}

/** The one representation below p, as 32 big-endian bytes; of a sum. */
export function toBytes(out: usize, a: usize): void {
  canonical(a)
  bytesOf(BYTES, WORK)
  reverse(out, BYTES)
}

/** Of a sum that is public. */
export function isZero(a: usize): bool {
  // What is between -p and 2p and 0 modulo p is 0 or p, whose lowest limb is 0 or -1.
  multiply(WORK, a, PLAIN_ONE)
  if (<u32>(load<i32>(WORK) + 1) > 1) return false
  toBytes(BYTES, a)
  return difference(BYTES, ZERO_BYTES) == 0
}

/** k- and l-loose make (k + l)-loose. */
export function add(out: usize, a: usize, b: usize): void {
  store<i32>(out, load<i32>(a) + load<i32>(b))
  store<i32>(out, load<i32>(a, 4) + load<i32>(b, 4), 4)
  store<i32>(out, load<i32>(a, 8) + load<i32>(b, 8), 8)
  store<i32>(out, load<i32>(a, 12) + load<i32>(b, 12), 12)
  store<i32>(out, load<i32>(a, 16) + load<i32>(b, 16), 16)
  store<i32>(out, load<i32>(a, 20) + load<i32>(b, 20), 20)
  store<i32>(out, load<i32>(a, 24) + load<i32>(b, 24), 24)
  store<i32>(out, load<i32>(a, 28) + load<i32>(b, 28), 28)
  store<i32>(out, load<i32>(a, 32) + load<i32>(b, 32), 32)
}

/** k- and l-loose make (k + l)-loose. */
export function subtract(out: usize, a: usize, b: usize): void {
  store<i32>(out, load<i32>(a) - load<i32>(b))
  store<i32>(out, load<i32>(a, 4) - load<i32>(b, 4), 4)
  store<i32>(out, load<i32>(a, 8) - load<i32>(b, 8), 8)
  store<i32>(out, load<i32>(a, 12) - load<i32>(b, 12), 12)
  store<i32>(out, load<i32>(a, 16) - load<i32>(b, 16), 16)
  store<i32>(out, load<i32>(a, 20) - load<i32>(b, 20), 20)
  store<i32>(out, load<i32>(a, 24) - load<i32>(b, 24), 24)
  store<i32>(out, load<i32>(a, 28) - load<i32>(b, 28), 28)
  store<i32>(out, load<i32>(a, 32) - load<i32>(b, 32), 32)
}

/** out = a * factor + b: factor times as loose as a, and as loose as b. */
export function scaleAndAdd(out: usize, a: usize, factor: i32, b: usize): void {
  for (let i: usize = 0; i < ELEMENT; i += 4) store<i32>(out + i, load<i32>(a + i) * factor + load<i32>(b + i))
}

/** out = 1 / a, and 0 for 0. `out` may be `a`. */
export function invert(out: usize, a: usize): void {
  canonical(a)
  invertNumber(WORK, WORK, P, INVERSE)
  multiply(out, WORK, SQUARED)
}

export function forgetField(): void {
  memory.fill(WORK, 0, ELEMENT)
  memory.fill(BYTES, 0, 40)
  forgetInverse()
}

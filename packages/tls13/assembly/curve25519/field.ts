// The field of RFC 7748, integers modulo p = 2^255 - 19, on 64-bit integers.
//
// An element is nine signed limbs of 29 bits, in words of 32; the highest has 23. "Reduced" limbs, which products have, are
// from -2^28 to 2^28 (the second a little above, the highest from -2^22 to 2^22). A sum of k reduced elements is called
// k-loose; limbs from 0 to 2^29, as read from bytes, are 2-loose. Nothing is more than 7-loose, which is what a word holds.
// The factors of a product may be k- and l-loose with k * l <= 15: no column has more than eight products of two low limbs,
// so that it stays below 8 * 15 * 2^56 < 2^62.91.
// Radix 2^25.5 with ten limbs, as in D. J. Bernstein's ref10, took a third longer, and two products at once in SIMD twice
// the time of one.
//
// Side channels: multiplications, additions and shifts of 64-bit integers, which take the same time for all values on the
// usual processors; no table, no branch on a secret.

import { bytesOf, carryUp, ELEMENT, limbsOf, subtractOnce } from "../curves/bytes"
import { forgetInverse, invertNumber } from "../curves/inverse"
import { multiply, square } from "./products"

const WORK: usize = memory.data(36, 16)
const P: usize = memory.data<u32>([
  0x1fffffed, 0x1fffffff, 0x1fffffff, 0x1fffffff, 0x1fffffff, 0x1fffffff, 0x1fffffff, 0x1fffffff, 0x7fffff,
])
const ONE: usize = memory.data<u32>([1, 0, 0, 0, 0, 0, 0, 0, 0])
/** -1 / p modulo 2^29. */
const INVERSE: u64 = 0x86bca1b
/* For the power. */
const Z9: usize = memory.data(36, 16)
const Z11: usize = memory.data(36, 16)
const X5: usize = memory.data(36, 16)
const X10: usize = memory.data(36, 16)
const X50: usize = memory.data(36, 16)
const HIGH: usize = memory.data(36, 16)

/** 2-loose, of 32 little-endian bytes; the top bit is ignored (RFC 7748 section 5). */
export function fromBytes(out: usize, bytes: usize): void {
  limbsOf(out, bytes)
  store<u32>(out, load<u32>(out, 32) & 0x7fffff, 32)
}

/** WORK = the one representation below p. */
function canonical(a: usize): void {
  memory.copy(WORK, a, ELEMENT)
  // Passes bring every limb into its range and the number below 2^255, whatever its sign was.
  for (let pass = 0; pass < 4; pass++) {
    carryUp(WORK)
    const top = load<i32>(WORK, 32)
    store<i32>(WORK, load<i32>(WORK) + 19 * (top >> 23))
    store<i32>(WORK, top & 0x7fffff, 32)
  }
  subtractOnce(WORK, P)
}

/** The one representation below p, as 32 little-endian bytes. */
export function toBytes(out: usize, a: usize): void {
  canonical(a)
  bytesOf(out, WORK)
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

export function one(out: usize): void {
  memory.fill(out, 0, ELEMENT)
  store<u32>(out, 1)
}

/** out = 1 / a, and 0 for 0; reduced. `out` may be `a`. */
export function invert(out: usize, a: usize): void {
  canonical(a)
  invertNumber(WORK, WORK, P, INVERSE)
  multiply(out, WORK, ONE)
}

/** out = a^((p-5)/8), of which a square root is made (RFC 8032 section 5.1.3). `out` is not `a`. */
export function powerForRoot(out: usize, a: usize): void {
  ones(a)
  squareTimes(HIGH, HIGH, 2)
  multiply(out, HIGH, a)
}

/** Z11 = a^11 and HIGH = a^(2^250 - 1). */
function ones(a: usize): void {
  square(Z11, a)
  squareTimes(Z9, Z11, 2)
  multiply(Z9, Z9, a)
  multiply(Z11, Z9, Z11)
  square(HIGH, Z11)
  multiply(X5, HIGH, Z9) // a^(2^5 - 1)
  squareTimes(HIGH, X5, 5)
  multiply(X10, HIGH, X5) // a^(2^10 - 1)
  squareTimes(HIGH, X10, 10)
  multiply(X50, HIGH, X10) // a^(2^20 - 1)
  squareTimes(HIGH, X50, 20)
  multiply(HIGH, HIGH, X50) // a^(2^40 - 1)
  squareTimes(HIGH, HIGH, 10)
  multiply(X50, HIGH, X10) // a^(2^50 - 1)
  squareTimes(HIGH, X50, 50)
  multiply(X10, HIGH, X50) // a^(2^100 - 1)
  squareTimes(HIGH, X10, 100)
  multiply(HIGH, HIGH, X10) // a^(2^200 - 1)
  squareTimes(HIGH, HIGH, 50)
  multiply(HIGH, HIGH, X50)
}

function squareTimes(out: usize, a: usize, times: i32): void {
  square(out, a)
  for (let i = 1; i < times; i++) square(out, out)
}

export function forgetField(): void {
  memory.fill(WORK, 0, ELEMENT)
  memory.fill(Z9, 0, ELEMENT)
  memory.fill(Z11, 0, ELEMENT)
  memory.fill(X5, 0, ELEMENT)
  memory.fill(X10, 0, ELEMENT)
  memory.fill(X50, 0, ELEMENT)
  memory.fill(HIGH, 0, ELEMENT)
  forgetInverse()
}

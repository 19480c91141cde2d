// Numbers modulo the order of a group, below 2^256, on nine limbs of 29 bits in Montgomery's form with R = 2^261.
//
// A sum of 18 products of limbs below 2^29 is below 2^62.2. Results of `orderMultiply` are below the modulus and a
// sixteenth; only `orderReduce` makes them smaller than the modulus itself.
//
// Side channels: multiplications, additions and shifts of 64-bit integers, no table, no branch on a secret.

import { ELEMENT, subtractOnce } from "./bytes"
import { forgetInverse, invertNumber } from "./inverse"
import { orderMultiply } from "./order-products"

const WORK: usize = memory.data(36, 16)
const ONE: usize = memory.data<u32>([1, 0, 0, 0, 0, 0, 0, 0, 0])

/** Brings a number below 2^261, whose limbs may be to 2^30, below the modulus. `out` may be `a`. */
export function orderReduce(out: usize, a: usize, modulus: usize, squared: usize, inverse: u64): void {
  orderMultiply(out, a, squared, modulus, inverse)
  orderMultiply(out, out, ONE, modulus, inverse)
  subtractOnce(out, modulus)
}

/** out = a * b modulo the order, plainly; `a` below 2^261. */
export function orderProduct(out: usize, a: usize, b: usize, modulus: usize, squared: usize, inverse: u64): void {
  orderMultiply(WORK, a, squared, modulus, inverse)
  orderMultiply(out, WORK, b, modulus, inverse)
}

/** out = R / a modulo the order, for a plain `a` below it; so that `orderMultiply` by it divides. */
export function orderInvert(out: usize, a: usize, modulus: usize, squared: usize, inverse: u64): void {
  invertNumber(WORK, a, modulus, inverse)
  orderMultiply(out, WORK, squared, modulus, inverse)
}

export function forgetOrder(): void {
  memory.fill(WORK, 0, ELEMENT)
  forgetInverse()
}

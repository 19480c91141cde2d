// Numbers modulo the order of a group, below 2^256, on nine limbs of 29 bits in Montgomery's form with R = 2^261.
//
// A sum of 18 products of limbs below 2^29 is below 2^62.2. Results of `orderMultiply` are below the modulus and a
// sixteenth; only `orderReduce` makes them smaller than the modulus itself.
//
// Side channels: multiplications, additions and shifts of 64-bit integers, no table, no branch on a secret. The inversion
// is the power by the order less two (Fermat): its branches are on that public exponent.

import { ELEMENT, add, carryUp, subtractOnce } from "./bytes"
import { orderMultiply } from "./order-products"

/** The first sixteen powers, then two results: of nonces. */
const POWERS: usize = memory.data(16 * 36, 16)
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

/**
 * out = R / a modulo the order, for a plain `a`; so that `orderMultiply` by it divides.
 * @param exponent the order less two, as 32 little-endian bytes
 */
export function orderInvert(out: usize, a: usize, exponent: usize, modulus: usize, squared: usize, inverse: u64): void {
  orderMultiply(POWERS + ELEMENT, a, squared, modulus, inverse)
  for (let i: usize = 2; i < 16; i++) {
    orderMultiply(POWERS + i * ELEMENT, POWERS + (i - 1) * ELEMENT, POWERS + ELEMENT, modulus, inverse)
  }
  // The highest four bits of the exponent are not zero.
  memory.copy(WORK, POWERS + <usize>(load<u8>(exponent, 31) >> 4) * ELEMENT, ELEMENT)
  for (let i: i32 = 62; i >= 0; i--) {
    for (let k = 0; k < 4; k++) orderMultiply(WORK, WORK, WORK, modulus, inverse)
    const digit: usize = (load<u8>(exponent + (i >> 1)) >> ((<u8>(i & 1)) << 2)) & 15
    if (digit != 0) orderMultiply(WORK, WORK, POWERS + digit * ELEMENT, modulus, inverse)
  }
  memory.copy(out, WORK, ELEMENT)
}

export function forgetOrder(): void {
  memory.fill(POWERS, 0, 16 * ELEMENT)
  memory.fill(WORK, 0, ELEMENT)
}

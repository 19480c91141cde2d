// X25519, RFC 7748 section 5: a Montgomery ladder of 255 equal steps.
//
// Side channels: as in field.ts; the swaps are by masks. Which bit is read when does not depend on the scalar.

import { ELEMENT } from "../curves/bytes"
import { bitOf, swapIf } from "../curves/digits"
import { add, fromBytes, invert, one, subtract, toBytes } from "./field"
import { multiply, multiplySmallAndAdd, square } from "./products"

const AREA: usize = memory.data(11 * 36, 16)
const X1: usize = AREA
/* Pairs that are swapped as one. */
const X2: usize = AREA + 36
const Z2: usize = AREA + 72
const X3: usize = AREA + 108
const Z3: usize = AREA + 144
const A: usize = AREA + 180
const B: usize = AREA + 216
const C: usize = AREA + 252
const D: usize = AREA + 288
const AA: usize = AREA + 324
const BB: usize = AREA + 360

/** Writes the 32 bytes X25519(k, u) to `out`; `k` is clamped already, only the 255 lowest bits of `u` count. */
export function ladder(out: usize, k: usize, u: usize): void {
  fromBytes(X1, u)
  one(X2)
  memory.fill(Z2, 0, ELEMENT)
  memory.copy(X3, X1, ELEMENT)
  one(Z3)
  let previous: u32 = 0
  for (let t: i32 = 254; t >= 0; t--) {
    const bit = bitOf(k, t)
    swapAndAdd(0 - (bit ^ previous))
    previous = bit
    // The numbers say how loose the element on the left is; X1 is 2-loose.
    square(AA, A)
    square(BB, B)
    multiply(D, D, A)
    multiply(C, C, B)
    add(X3, D, C) // 2
    subtract(Z3, D, C) // 2
    square(X3, X3)
    square(Z3, Z3)
    multiply(Z3, Z3, X1)
    multiply(X2, AA, BB)
    subtract(B, AA, BB) // 2
    multiplySmallAndAdd(A, B, 121665, AA)
    multiply(Z2, B, A)
  }
  swapIf(0 - previous, X2, X3, 2 * ELEMENT)
  invert(Z2, Z2)
  multiply(X2, X2, Z2)
  toBytes(out, X2)
}

/**
 * Swaps X2 with X3 and Z2 with Z3 when the mask is all ones, for A = X2 + Z2, B = X2 - Z2, C = X3 + Z3 and D = X3 - Z3, which
 * are all that a step reads: 2-loose, but in the first step C and D, or A and B, are 3-loose.
 */
// @ts-ignore: decorator
@inline
function swapAndAdd(mask: i32): void {
  for (let i: usize = 0; i < ELEMENT; i += 4) {
    let x2 = load<i32>(X2 + i)
    let x3 = load<i32>(X3 + i)
    let z2 = load<i32>(Z2 + i)
    let z3 = load<i32>(Z3 + i)
    const x = (x2 ^ x3) & mask
    const z = (z2 ^ z3) & mask
    x2 ^= x
    x3 ^= x
    z2 ^= z
    z3 ^= z
    store<i32>(A + i, x2 + z2)
    store<i32>(B + i, x2 - z2)
    store<i32>(C + i, x3 + z3)
    store<i32>(D + i, x3 - z3)
  }
}

export function forgetLadder(): void {
  memory.fill(AREA, 0, 11 * ELEMENT)
}

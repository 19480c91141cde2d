// Points of P-384 in homogeneous coordinates, with the complete formulas of J. Renes, C. Costello and L. Batina,
// "Complete addition formulas for prime order elliptic curves" (EUROCRYPT 2016), algorithms 5 and 6: one computation
// for all points, doubled, opposite or at infinity, so that there is no special case in which a secret could show.
//
// A point is X, Y and Z with x = X / Z and y = Y / Z, infinity being 0 : 1 : 0, as `reduce` leaves them or products
// are; a short point is x and y, and 8 bytes up to what `select` reads at once. The numbers say how loose the limbs of
// the element on the left are. Values: a product of two points' coordinates is from 0 to p nearly, T6 and T7 are below
// 9p and T5 below 18p, so that no product is above 2p.

import { ELEMENT, invert, ONE, reduce, reduceLimbs, scaleAndAdd } from "./field"
import { multiply, square } from "./products"

export const POINT: usize = 3 * 56
export const SHORT: usize = 2 * 56 + 8

/** Three times the curve's b. */
const B3: usize = memory.data<u32>([
  0x3896667, 0x995270c, 0x8c41834, 0x8bd5e49, 0xf4c7d09, 0x4b60068, 0x7d661d1, 0xbaa0a76, 0x5e3cbbd, 0x61bea9a,
  0x5dc5d06, 0xed22816, 0x220ef3f, 0x001833e,
])

const AREA: usize = memory.data(8 * 56, 16)
const T0: usize = AREA
const T1: usize = AREA + 56
const T2: usize = AREA + 112
const T3: usize = AREA + 168
const T4: usize = AREA + 224
const T5: usize = AREA + 280
const T6: usize = AREA + 336
const T7: usize = AREA + 392

export function infinity(point: usize): void {
  memory.fill(point, 0, POINT)
  memory.copy(point + 56, ONE, ELEMENT)
  reduceLimbs(point + 56)
}

/** point += other, algorithm 5: `other` is a short point. */
export function addShort(point: usize, other: usize): void {
  const x = point
  const y = point + 56
  const z = point + 112
  multiply(T0, x, other)
  multiply(T1, y, other + 56)
  scaleAndAdd(T3, other, 1, other + 56) // 2
  scaleAndAdd(T4, x, 1, y) // 2
  multiply(T3, T3, T4)
  scaleAndAdd(T3, T0, -1, T3) // 2
  scaleAndAdd(T3, T1, -1, T3) // 3: X1 y2 + x2 Y1
  multiply(T4, other + 56, z)
  scaleAndAdd(T4, y, 1, T4) // 2: y2 Z1 + Y1
  multiply(T5, other, z)
  scaleAndAdd(T5, x, 1, T5) // 2: x2 Z1 + X1
  multiply(T2, B3, z)
  scaleAndAdd(T2, T5, -3, T2) // 7: 3 (b Z1 - T5)
  scaleAndAdd(T6, T2, -1, T1) // 8
  reduceLimbs(T6) // 1
  scaleAndAdd(T7, T2, 1, T1) // 8
  scaleAndAdd(T2, z, 3, T0) // 4
  multiply(T5, B3, T5)
  scaleAndAdd(T5, T2, -3, T5) // 13
  reduceLimbs(T5) // 1
  scaleAndAdd(T0, z, -1, T0) // 2: a third of 3 X1 x2 - 3 Z1
  multiply(T2, T0, T5)
  multiply(y, T6, T7)
  scaleAndAdd(y, T2, 3, y) // 4
  reduce(y)
  multiply(T2, T4, T5)
  multiply(x, T3, T6)
  scaleAndAdd(x, T2, -1, x) // 2
  reduce(x)
  multiply(T2, T3, T0)
  multiply(z, T4, T7)
  scaleAndAdd(z, T2, 3, z) // 4
  reduce(z)
}

/** point += point, algorithm 6. */
export function double(point: usize): void {
  const x = point
  const y = point + 56
  const z = point + 112
  square(T0, x)
  square(T1, y)
  square(T2, z)
  multiply(T3, x, z)
  multiply(T4, B3, T2)
  scaleAndAdd(T4, T3, -6, T4) // 7: 3 (b Z^2 - 2 X Z)
  scaleAndAdd(T5, T4, -1, T1) // 8
  reduceLimbs(T5) // 1
  scaleAndAdd(T6, T4, 1, T1) // 8
  scaleAndAdd(T3, T3, 1, T3) // 2
  scaleAndAdd(T7, T2, 3, T0) // 4
  multiply(T3, B3, T3)
  scaleAndAdd(T7, T7, -3, T3) // 13
  reduceLimbs(T7) // 1
  scaleAndAdd(T0, T2, -1, T0) // 2
  multiply(T2, T0, T7)
  multiply(T3, x, y)
  scaleAndAdd(T3, T3, 1, T3) // 2
  multiply(T4, y, z)
  scaleAndAdd(T4, T4, 1, T4) // 2
  multiply(y, T5, T6)
  scaleAndAdd(y, T2, 3, y) // 4
  reduce(y)
  multiply(T2, T4, T7)
  multiply(x, T5, T3)
  scaleAndAdd(x, T2, -1, x) // 2
  reduce(x)
  scaleAndAdd(T4, T4, 1, T4) // 4
  scaleAndAdd(T1, T1, 1, T1) // 2
  multiply(z, T4, T1)
}

/** Short points for `count` points, none at infinity: one inversion for all. */
export function shortPoints(out: usize, points: usize, count: usize): void {
  // Products of the first Z's, each in the place where the short point will be.
  memory.copy(out, points + 112, ELEMENT)
  for (let i: usize = 1; i < count; i++) multiply(out + SHORT * i, out + SHORT * (i - 1), points + POINT * i + 112)
  invert(T0, out + SHORT * (count - 1))
  for (let i = <i32>count - 1; i >= 0; i--) {
    const point = points + POINT * i
    const short = out + SHORT * i
    if (i > 0) multiply(T1, T0, short - SHORT)
    else memory.copy(T1, T0, ELEMENT)
    multiply(T0, T0, point + 112)
    multiply(short, point, T1)
    multiply(short + 56, point + 56, T1)
  }
}

export function forgetComplete(): void {
  memory.fill(AREA, 0, 8 * ELEMENT)
}

// Points of P-256 in homogeneous coordinates, with the complete formulas of J. Renes, C. Costello and L. Batina, "Complete
// addition formulas for prime order elliptic curves" (EUROCRYPT 2016), algorithms 5 and 6: one computation for all points,
// doubled, opposite or at infinity, so that there is no special case in which a secret could show. For the base point, whose
// comb adds more than it doubles.
//
// A point is X, Y and Z with x = X / Z and y = Y / Z, infinity being 0 : 1 : 0; a short point is x and y. All are reduced.

import { ELEMENT } from "../curves/bytes"
import { add, invert, ONE, scaleAndAdd, subtract } from "./field"
import { multiply, multiplyAndAdd, square } from "./products"

export const POINT: usize = 3 * 36
export const SHORT: usize = 2 * 36

/** Three times the curve's b. */
const B3: usize = memory.data<u32>([
  0x09c733f2, 0x169e267d, 0x048d944e, 0x04597663, 0x19080da0, 0x003e5638, 0x0e107331, 0x06765762, 0x92024b,
])

const AREA: usize = memory.data(8 * 36, 16)
const T0: usize = AREA
const T1: usize = AREA + 36
const T2: usize = AREA + 72
const T3: usize = AREA + 108
const T4: usize = AREA + 144
const T5: usize = AREA + 180
const T6: usize = AREA + 216
const T7: usize = AREA + 252

export function infinity(point: usize): void {
  memory.fill(point, 0, POINT)
  memory.copy(point + 36, ONE, ELEMENT)
}

/** point += other, algorithm 5: `other` is a short point. The numbers say how loose the element on the left is. */
export function addShort(point: usize, other: usize): void {
  const x = point
  const y = point + 36
  const z = point + 72
  multiply(T0, x, other)
  multiply(T1, y, other + 36)
  add(T3, other, other + 36) // 2
  add(T4, x, y) // 2
  add(T5, T0, T1) // 2
  multiplyAndAdd(T3, T3, T4, -1, T5) // 1: X1 y2 + x2 Y1
  multiplyAndAdd(T4, other + 36, z, 1, y) // 1: y2 Z1 + Y1
  multiplyAndAdd(T5, other, z, 1, x) // 1: x2 Z1 + X1
  multiplyAndAdd(T2, B3, z, -3, T5) // 1: 3 (b Z1 - T5)
  subtract(T6, T1, T2) // 2
  add(T7, T1, T2) // 2
  scaleAndAdd(T2, z, 3, T0) // 4
  multiplyAndAdd(T5, B3, T5, -3, T2) // 1
  subtract(T0, T0, z) // 2: a third of 3 X1 x2 - 3 Z1
  multiply(T2, T0, T5)
  multiplyAndAdd(y, T6, T7, 3, T2)
  multiply(T2, T4, T5)
  multiplyAndAdd(x, T3, T6, -1, T2)
  multiply(T2, T3, T0)
  multiplyAndAdd(z, T4, T7, 3, T2)
}

/** point += point, algorithm 6. */
export function double(point: usize): void {
  const x = point
  const y = point + 36
  const z = point + 72
  square(T0, x)
  square(T1, y)
  square(T2, z)
  multiply(T3, x, z)
  multiplyAndAdd(T4, B3, T2, -6, T3) // 1: 3 (b Z^2 - 2 X Z)
  subtract(T5, T1, T4) // 2
  add(T6, T1, T4) // 2
  add(T3, T3, T3) // 2
  scaleAndAdd(T7, T2, 3, T0) // 4
  multiplyAndAdd(T7, B3, T3, -3, T7) // 1
  subtract(T0, T0, T2) // 2
  multiply(T2, T0, T7)
  multiply(T3, x, y)
  add(T3, T3, T3) // 2
  multiply(T4, y, z)
  add(T4, T4, T4) // 2
  multiplyAndAdd(y, T5, T6, 3, T2)
  multiply(T2, T4, T7)
  multiplyAndAdd(x, T5, T3, -1, T2)
  add(T4, T4, T4) // 4
  add(T1, T1, T1) // 2
  multiply(z, T4, T1)
}

/** Short points for `count` points, none at infinity: one inversion for all. */
export function shortPoints(out: usize, points: usize, count: usize): void {
  // Products of the first Z's, each in the place where the short point will be.
  memory.copy(out, points + 72, ELEMENT)
  for (let i: usize = 1; i < count; i++) multiply(out + SHORT * i, out + SHORT * (i - 1), points + POINT * i + 72)
  invert(T0, out + SHORT * (count - 1))
  for (let i = <i32>count - 1; i >= 0; i--) {
    const point = points + POINT * i
    const short = out + SHORT * i
    if (i > 0) multiply(T1, T0, short - SHORT)
    else memory.copy(T1, T0, ELEMENT)
    multiply(T0, T0, point + 72)
    multiply(short, point, T1)
    multiply(short + 36, point + 36, T1)
  }
}

export function forgetComplete(): void {
  memory.fill(AREA, 0, 8 * ELEMENT)
}

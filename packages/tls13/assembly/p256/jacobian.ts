// Points of P-256 in Jacobian coordinates: X, Y and Z with x = X / Z^2 and y = Y / Z^3, all reduced. For points that are
// not known before, whose multiplication doubles five times an addition: a doubling costs a third less than the complete one.
// Infinity has a Z of zero, which doubling keeps; the additions are right for two points that are neither equal, opposite
// nor at infinity, and tell nobody otherwise: see who calls them.

import { ELEMENT } from "../curves/bytes"
import { add, isZero, scaleAndAdd, subtract } from "./field"
import { multiply, multiplyAndAdd, square, squareAndAdd } from "./products"

export const POINT: usize = 3 * 36

const AREA: usize = memory.data(8 * 36, 16)
const T0: usize = AREA
const T1: usize = AREA + 36
const T2: usize = AREA + 72
const T3: usize = AREA + 108
const T4: usize = AREA + 144
const H: usize = AREA + 180
const R: usize = AREA + 216
const S: usize = AREA + 252

/** out = 2 * point, "dbl-2001-b" of the Explicit-Formulas Database. `out` may be `point`. */
export function double(out: usize, point: usize): void {
  const x = point
  const y = point + 36
  const z = point + 72
  square(T0, z) // delta
  square(T1, y) // gamma
  multiply(T2, x, T1) // beta
  subtract(T3, x, T0) // 2
  add(T4, x, T0) // 2
  multiply(T3, T3, T4)
  scaleAndAdd(T3, T3, 2, T3) // 3: alpha
  add(T4, y, y) // 2
  multiply(out + 72, T4, z)
  squareAndAdd(out, T3, -8, T2)
  scaleAndAdd(T2, T2, 3, T2) // 4
  subtract(T2, T2, out) // 5
  square(T1, T1)
  multiplyAndAdd(out + 36, T2, T3, -8, T1)
}

/** out = point + other. `out` may be `point`. H and R are zero when x and y agree. */
export function addPoints(out: usize, point: usize, other: usize): void {
  square(T0, other + 72)
  multiply(T1, point, T0) // U1
  multiply(T0, T0, other + 72)
  multiply(S, point + 36, T0) // S1
  square(T0, point + 72)
  multiplyAndAdd(H, other, T0, -1, T1) // U2 - U1
  multiply(T0, T0, point + 72)
  multiplyAndAdd(R, other + 36, T0, -1, S) // S2 - S1
  multiply(T2, point + 72, other + 72)
  finishSum(out)
}

/** out = point + other, for a short `other`: x and y. `out` may be `point`. */
export function addShort(out: usize, point: usize, other: usize): void {
  memory.copy(T1, point, ELEMENT)
  memory.copy(S, point + 36, ELEMENT)
  memory.copy(T2, point + 72, ELEMENT)
  square(T0, T2)
  multiplyAndAdd(H, other, T0, -1, T1)
  multiply(T0, T0, T2)
  multiplyAndAdd(R, other + 36, T0, -1, S)
  finishSum(out)
}

/** From U1 in T1, S1 in S, the product of the Z's in T2, H and R. */
// @ts-ignore: decorator
@inline
function finishSum(out: usize): void {
  multiply(out + 72, T2, H)
  square(T0, H)
  multiply(T1, T1, T0) // V
  multiply(T0, T0, H) // H^3
  scaleAndAdd(T2, T1, 2, T0) // 3
  squareAndAdd(out, R, -1, T2)
  subtract(T1, T1, out) // 2
  multiply(T2, S, T0)
  multiplyAndAdd(out + 36, R, T1, -1, T2)
}

/** After an addition: whether the points had the same x. For public scalars. */
export function hadSameX(): bool {
  return isZero(H)
}

/** After an addition of points with the same x: whether they were equal, not opposite. */
export function wereEqual(): bool {
  return isZero(R)
}

export function forgetJacobian(): void {
  memory.fill(AREA, 0, 8 * ELEMENT)
}

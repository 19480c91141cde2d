// Points of P-384 in Jacobian coordinates: X, Y and Z with x = X / Z^2 and y = Y / Z^3. X is up to 4-loose, Y 2-loose. For
// public points: branches on them, and special cases are looked for.

import { ELEMENT, isZero, ONE, reduceLimbs, scaleAndAdd } from "./field"
import { multiply, square } from "./products"

/** X, Y and Z. */
export const POINT: usize = 3 * 56
/** A point with the square and the cube of its Z, as it is added. */
export const ADDEND: usize = 5 * 56

const AREA: usize = memory.data(8 * 56, 16)
const T0: usize = AREA
const T1: usize = AREA + 56
const T2: usize = AREA + 112
const T3: usize = AREA + 168
const T4: usize = AREA + 224
const H: usize = AREA + 280
const R: usize = AREA + 336
const TWICE: usize = memory.data(5 * 56, 16)

/** point += point, "dbl-2001-b" of the Explicit-Formulas Database. The numbers say how loose the element on the left is. */
export function double(point: usize): void {
  const x = point
  const y = point + 56
  const z = point + 112
  square(T0, z) // delta
  square(T1, y) // gamma
  multiply(T2, x, T1) // beta
  scaleAndAdd(T3, T0, -1, x) // 5
  scaleAndAdd(T4, T0, 1, x) // 5
  multiply(T3, T3, T4)
  scaleAndAdd(T3, T3, 2, T3) // 3: alpha
  scaleAndAdd(T4, y, 1, y) // 4
  multiply(z, T4, z)
  square(x, T3)
  scaleAndAdd(x, T2, -8, x) // 9
  reduceLimbs(x)
  scaleAndAdd(T2, T2, 3, T2) // 4
  scaleAndAdd(T2, x, -1, T2) // 5
  square(T1, T1)
  multiply(y, T2, T3)
  scaleAndAdd(y, T1, -8, y) // 9
  reduceLimbs(y)
}

/** point += addend, or -= where `negative`; returns whether the sum is infinity, as `point` is where `infinite`. */
export function addTo(point: usize, addend: usize, negative: bool, infinite: bool): bool {
  const x = point
  const y = point + 56
  const z = point + 112
  if (infinite) {
    memory.copy(point, addend, POINT)
    if (negative) scaleAndAdd(y, y, -2, y)
    return false
  }
  multiply(T1, x, addend + 168) // U1
  multiply(T2, y, addend + 224) // S1
  square(T0, z)
  multiply(H, addend, T0)
  scaleAndAdd(H, T1, -1, H) // 2: U2 - U1
  multiply(T0, T0, z)
  multiply(R, addend + 56, T0)
  if (negative) scaleAndAdd(R, R, -2, R)
  scaleAndAdd(R, T2, -1, R) // 2: S2 - S1
  if (isZero(H)) {
    if (!isZero(R)) return true
    double(point)
    return false
  }
  multiply(z, z, addend + 112)
  multiply(z, z, H)
  square(T0, H)
  multiply(T1, T1, T0) // V
  multiply(T0, T0, H) // H^3
  square(x, R)
  scaleAndAdd(x, T0, -1, x)
  scaleAndAdd(x, T1, -2, x) // 4
  scaleAndAdd(T1, x, -1, T1) // 5
  multiply(T1, R, T1)
  multiply(T2, T2, T0)
  scaleAndAdd(y, T2, -1, T1) // 2
  return false
}

/** Writes point, 3 point, 5 point ... as addends to `out`; `point`, whose Z is 1, is changed. */
export function oddMultiples(out: usize, point: usize, count: usize): void {
  addendOf(out, point)
  double(point)
  addendOf(TWICE, point)
  memory.copy(point, out, POINT)
  for (let i: usize = 1; i < count; i++) {
    // The order is a prime much above all of them: no addition meets a special case.
    addTo(point, TWICE, false, false)
    addendOf(out + ADDEND * i, point)
  }
}

function addendOf(out: usize, point: usize): void {
  memory.copy(out, point, POINT)
  square(out + 168, point + 112)
  multiply(out + 224, out + 168, point + 112)
}

export function setOne(out: usize): void {
  memory.copy(out, ONE, ELEMENT)
}

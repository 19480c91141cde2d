// The group of Ed25519 (RFC 8032 section 5.1) in extended coordinates with the formulas of H. Hisil, K. Wong, G. Carter
// and E. Dawson, "Twisted Edwards curves revisited" (ASIACRYPT 2008), which are complete for this curve: no special case.
//
// A point is X, Y, Z and T, with x = X / Z, y = Y / Z and x * y = T / Z, all reduced: four elements. An addend is Y + X,
// Y - X, 2dT and 2Z; a short addend, with Z = 1, is without the last.
//
// Side channels: formulas without a branch but those on `negative` and `short`, which the callers give as constants or for
// public scalars.

import { difference, ELEMENT } from "../curves/bytes"
import { add, fromBytes, invert, one, powerForRoot, subtract, toBytes } from "./field"
import { multiply, square } from "./products"

export const POINT: usize = 4 * 36
/** Three elements, and padding to what `select` reads at once. */
export const SHORT: usize = 120

/* d, 2d, the square root of -1, and the base point. */
const D: usize = memory.data<u32>([
  0x135978a3, 0x0f5a6e50, 0x10762add, 0x00149a82, 0x1e898007, 0x003cbbbc, 0x19ce331d, 0x1dc56dff, 0x52036c,
])
const D2: usize = memory.data<u32>([
  0x06b2f159, 0x1eb4dca1, 0x00ec55ba, 0x00293505, 0x1d13000e, 0x00797779, 0x139c663a, 0x1b8adbff, 0x2406d9,
])
const ROOT_OF_MINUS_ONE: usize = memory.data<u32>([
  0x0a0ea0b0, 0x0770d93a, 0x0bf91e31, 0x06300d5a, 0x1d7a72f4, 0x004c9efd, 0x1c2cad34, 0x1009f83b, 0x2b8324,
])
const BASE_X: usize = memory.data<u32>([
  0x0f25d51a, 0x0ab16b04, 0x0969ecb2, 0x198ec12a, 0x0dc5c692, 0x1118feeb, 0x0ffb0293, 0x1a79adca, 0x216936,
])
const BASE_Y: usize = memory.data<u32>([
  0x06666658, 0x13333333, 0x19999999, 0x0ccccccc, 0x06666666, 0x13333333, 0x19999999, 0x0ccccccc, 0x666666,
])
const ZERO_BYTES: usize = memory.data(32, 16)

const AREA: usize = memory.data(6 * 36, 16)
const A: usize = AREA
const B: usize = AREA + 36
const C: usize = AREA + 72
const E: usize = AREA + 108
const F: usize = AREA + 144
const G: usize = AREA + 180
const BYTES: usize = memory.data(64, 16)

export function neutral(point: usize): void {
  memory.fill(point, 0, POINT)
  store<u32>(point, 1, 36)
  store<u32>(point, 1, 72)
}

export function basePoint(point: usize): void {
  memory.copy(point, BASE_X, ELEMENT)
  memory.copy(point + 36, BASE_Y, ELEMENT)
  one(point + 72)
  multiply(point + 108, BASE_X, BASE_Y)
}

/** The point as an addend. */
export function addendOf(out: usize, point: usize): void {
  add(out, point + 36, point)
  subtract(out + 36, point + 36, point)
  multiply(out + 72, point + 108, D2)
  add(out + 108, point + 72, point + 72)
}

/** point += addend, or -= where `negative`. The numbers say how loose the element on the left is; addends are 2-loose. */
export function addTo(point: usize, addend: usize, short: bool, negative: bool): void {
  subtract(A, point + 36, point) // 2
  multiply(A, A, negative ? addend : addend + 36)
  add(B, point + 36, point) // 2
  multiply(B, B, negative ? addend + 36 : addend)
  multiply(C, point + 108, addend + 72)
  if (short)
    add(G, point + 72, point + 72) // 2
  else multiply(G, point + 72, addend + 108)
  subtract(E, B, A) // 2
  add(B, B, A) // 2: H
  if (negative) {
    add(F, G, C) // 3
    subtract(G, G, C) // 3
  } else {
    subtract(F, G, C) // 3
    add(G, G, C) // 3
  }
  multiply(point, E, F)
  multiply(point + 36, G, B)
  multiply(point + 72, F, G)
  multiply(point + 108, E, B)
}

/** point += point; T is left out where another doubling follows, which does not read it. */
export function double(point: usize, withT: bool): void {
  square(A, point)
  square(B, point + 36)
  square(C, point + 72)
  add(E, point, point + 36) // 2
  square(E, E)
  subtract(G, A, B) // 2
  add(A, A, B) // 2: H
  subtract(E, A, E) // 3
  add(C, C, C) // 2
  add(F, C, G) // 4
  multiply(point, E, F)
  multiply(point + 36, G, A)
  multiply(point + 72, F, G)
  if (withT) multiply(point + 108, E, A)
}

/** RFC 8032 5.1.2: 32 bytes. */
export function encode(out: usize, point: usize): void {
  invert(C, point + 72)
  multiply(A, point, C)
  multiply(B, point + 36, C)
  toBytes(BYTES, A)
  const odd = load<u8>(BYTES) & 1
  toBytes(out, B)
  store<u8>(out, load<u8>(out, 31) | (odd << 7), 31)
}

/** The u coordinate (1 + y) / (1 - y) of the point's image on Curve25519 (RFC 7748 section 4.1): 32 bytes. */
export function encodeMontgomery(out: usize, point: usize): void {
  subtract(A, point + 72, point + 36) // 2
  invert(A, A)
  add(B, point + 72, point + 36) // 2
  multiply(A, A, B)
  toBytes(out, A)
}

/** RFC 8032 5.1.3, strictly: false when y is not below p, when there is no such point, or for "minus zero". For public points. */
export function decode(point: usize, bytes: usize): bool {
  const x = point
  const y = point + 36
  const negative = load<u8>(bytes, 31) >> 7
  fromBytes(y, bytes)
  toBytes(BYTES, y)
  memory.copy(BYTES + 32, bytes, 32)
  store<u8>(BYTES + 32, load<u8>(bytes, 31) & 0x7f, 31)
  if (difference(BYTES, BYTES + 32) != 0) return false
  // x^2 = u / v with u = y^2 - 1 and v = d y^2 + 1; x = u v^3 (u v^7)^((p-5)/8), perhaps times the root of -1.
  one(C)
  square(A, y)
  multiply(B, A, D)
  subtract(A, A, C) // 2: u
  add(B, B, C) // 2: v
  square(E, B)
  multiply(E, E, B) // v^3
  square(F, E)
  multiply(F, F, B) // v^7
  multiply(F, F, A)
  powerForRoot(G, F)
  multiply(G, G, E)
  multiply(x, G, A)
  square(E, x)
  multiply(E, E, B) // x^2 v: u, -u or neither
  subtract(F, E, A) // 3
  if (!isZero(F)) {
    add(F, E, A) // 3
    if (!isZero(F)) return false
    multiply(x, x, ROOT_OF_MINUS_ONE)
  }
  toBytes(BYTES, x)
  if (negative && difference(BYTES, ZERO_BYTES) == 0) return false
  if ((load<u8>(BYTES) & 1) != negative) {
    for (let i: usize = 0; i < ELEMENT; i += 4) store<i32>(x + i, -load<i32>(x + i))
  }
  one(point + 72)
  multiply(point + 108, x, y)
  return true
}

function isZero(a: usize): bool {
  toBytes(BYTES, a)
  return difference(BYTES, ZERO_BYTES) == 0
}

/** Short addends, for `select`, of `count` points (at most 64): one inversion for all. */
export function shortAddends(out: usize, points: usize, count: usize): void {
  // Products of the first Z's, each in the place where the addend will be.
  memory.copy(out, points + 72, ELEMENT)
  for (let i: usize = 1; i < count; i++) multiply(out + SHORT * i, out + SHORT * (i - 1), points + POINT * i + 72)
  invert(A, out + SHORT * (count - 1))
  for (let i = <i32>count - 1; i >= 0; i--) {
    const point = points + POINT * i
    const addend = out + SHORT * i
    if (i > 0) multiply(B, A, addend - SHORT)
    else memory.copy(B, A, ELEMENT)
    multiply(A, A, point + 72)
    multiply(C, point, B)
    multiply(E, point + 36, B)
    // As products, so that they are reduced.
    one(F)
    add(G, E, C)
    multiply(addend, G, F)
    subtract(G, E, C)
    multiply(addend + 36, G, F)
    multiply(G, C, E)
    multiply(addend + 72, G, D2)
    memory.fill(addend + 108, 0, SHORT - 108)
  }
}

export function forgetPoints(): void {
  memory.fill(AREA, 0, 6 * ELEMENT)
  memory.fill(BYTES, 0, 64)
}

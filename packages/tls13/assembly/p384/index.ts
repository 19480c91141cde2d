// P-384: ECDH and ECDSA (FIPS 186-5 sections 6.4.1 and 6.4.2), an operation in one call. The caller writes big-endian
// numbers of 48 bytes to INPUT, reads OUTPUT, and wipes both; what else held a secret is zero when a call returns.
//
// Side channels: see multiply.ts for the points. Branches are on public numbers only, and on whether r or s is zero,
// which no nonce that anyone met has made them. The inverses are Fermat's powers: their branches are on public
// exponents. What verification has is public: nothing is wiped, and time depends on it.

import { DIGITS_384, makeOdd, nonAdjacentForm } from "../curves/digits"
import { forgetComplete } from "./complete"
import {
  addNumbers,
  bytesOf,
  ELEMENT,
  elementOf,
  forgetField,
  invert as invertElement,
  isBelow,
  isCoordinate,
  isZero,
  isZeroNumber,
  numberOf,
  numberOfElement,
  scaleAndAdd,
  subtractOnce,
  toBytes,
} from "./field"
import { forgetMultiples, multiplyBase, multiplySecret } from "./multiply"
import { ORDER, orderMultiply } from "./order-products"
import { addTo, ADDEND, double, oddMultiples, setOne } from "./points"
import { multiply, square } from "./products"

/** Up to 240 bytes. */
export const INPUT: usize = memory.data(240, 16)
/** 96 bytes. */
export const OUTPUT: usize = memory.data(96, 16)

const B: usize = memory.data<u32>([
  0x12dcccd, 0x8870d04, 0x2ec0811, 0xd9474c3, 0xfc429ad, 0x1920022, 0x7f2209b, 0x938ae27, 0x74bee94, 0x2094e33,
  0x1f41f02, 0xf9b62b2, 0xb604fbf, 0x0008114,
])
/** The base point. */
const BASE: usize = memory.data<u32>([
  0x0b5284d, 0x7565fcc, 0xe383dd0, 0xe2edd6c, 0xe6de378, 0x541b4d6, 0x79c3afc, 0xa30eff8, 0x4868459, 0xde2b645,
  0x723614e, 0x13812ff, 0x2299e15, 0x003aadc, 0x3a4fe2b, 0x3dad200, 0x9ac2304, 0xbfa6b4a, 0x0ccbfa8, 0x2e83b05,
  0xbade756, 0xf4ffd98, 0x3521968, 0xa840c6c, 0x2263969, 0xe9dd800, 0x25a15c5, 0x0078abc,
])
/* R^2 modulo n, n - 2 and n as little-endian bytes, and p - n. */
const SQUARED: usize = memory.data<u32>([
  0x60e3cb4, 0x35fd093, 0x90eb460, 0x73c4e12, 0xff2dbd2, 0x43a6add, 0x2d164ee, 0x1cc5bf0, 0x9174aab, 0x95d40d4,
  0xa282668, 0x3fb05b7, 0xb39bf21, 0x00ee012,
])
const ORDER_LESS_2: usize = memory.data<u64>([
  0xecec196accc52971, 0x581a0db248b0a77a, 0xc7634d81f4372ddf, 0xffffffffffffffff, 0xffffffffffffffff,
  0xffffffffffffffff,
])
const ORDER_BYTES: usize = memory.data<u64>([
  0xecec196accc52973, 0x581a0db248b0a77a, 0xc7634d81f4372ddf, 0xffffffffffffffff,
  0xffffffffffffffff, 0xffffffffffffffff, 0,
])
const P_LESS_ORDER: usize = memory.data<u32>([
  0x33ad68c, 0x13e6963, 0xf588513, 0xf24cb74, 0x21fa7e5, 0x7e0bc8d, 0x0389cb2, 0x0000000, 0x0000000, 0x0000000,
  0x0000000, 0x0000000, 0x0000000, 0x0000000,
])

/** G, 3G, 5G ... 63G, made at the first use; and the key's to 15 times. */
const ODD_BASE: usize = memory.data(32 * 280, 16)
const ODD_POINT: usize = memory.data(8 * 280, 16)
let oddMade: bool = false

const POWERS: usize = memory.data(16 * 56, 16)
const POINT: usize = memory.data(168, 16)
const SUM: usize = memory.data(168, 16)
const R: usize = memory.data(56, 16)
const S: usize = memory.data(56, 16)
const W: usize = memory.data(56, 16)
const X: usize = memory.data(56, 16)
const Y: usize = memory.data(56, 16)
const SCALAR: usize = memory.data(64, 16)
const DIGITS_BASE: usize = memory.data(392, 16)
const DIGITS_POINT: usize = memory.data(392, 16)

/** INPUT: a scalar from 1 to n - 1; OUTPUT: the coordinates of its product with the base point. */
export function base(): void {
  multiplyBaseBy(INPUT)
  numberOfElement(R, X)
  toBytes(OUTPUT, R)
  multiply(Y, SUM + 56, Y)
  numberOfElement(R, Y)
  toBytes(OUTPUT + 48, R)
  forget()
}

/** INPUT: a scalar from 1 to n - 1 and two coordinates; OUTPUT: x of their product. False when they are not a point. */
export function shared(): bool {
  if (!decode(INPUT + 48)) return false
  scalarOf(INPUT)
  multiplySecret(SUM, SCALAR, POINT)
  invertElement(Y, SUM + 112)
  multiply(X, SUM, Y)
  numberOfElement(R, X)
  toBytes(OUTPUT, R)
  forget()
  return true
}

/** INPUT: two coordinates. Whether they are below p and a point of the curve. */
export function isPoint(): bool {
  return decode(INPUT)
}

/**
 * INPUT: a nonce and a private key, from 1 to n - 1, and a hash; OUTPUT: r and s. False when one of them would be 0.
 */
export function sign(): bool {
  multiplyBaseBy(INPUT)
  numberOfElement(R, X)
  subtractOnce(R, ORDER)
  // s = (e + r d) / k
  numberOf(X, INPUT + 48)
  orderMultiply(S, X, SQUARED)
  orderMultiply(S, S, R)
  numberOf(X, INPUT + 96)
  addNumbers(S, S, 1, X)
  numberOf(X, INPUT)
  invert(W, X)
  orderMultiply(S, S, W)
  subtractOnce(S, ORDER)
  const good = !isZeroNumber(R) && !isZeroNumber(S)
  toBytes(OUTPUT, R)
  toBytes(OUTPUT + 48, S)
  forget()
  return good
}

/**
 * INPUT: r, s, a hash and the coordinates of a public key. Whether the key is a point of the curve, and the signature
 * right.
 */
export function verify(): bool {
  numberOf(R, INPUT)
  numberOf(S, INPUT + 48)
  if (isZeroNumber(R) || isZeroNumber(S) || !isBelow(R, ORDER) || !isBelow(S, ORDER)) return false
  if (!decode(INPUT + 144)) return false
  invert(W, S)
  numberOf(X, INPUT + 96)
  digitsOf(DIGITS_BASE, X, 7)
  digitsOf(DIGITS_POINT, R, 5)
  if (!multiplyPublic()) return false
  // X / Z^2 modulo n is r: X is r Z^2, or (r + n) Z^2 where r + n is below p.
  square(Y, SUM + 112)
  if (isX(R)) return true
  if (!isBelow(R, P_LESS_ORDER)) return false
  addNumbers(R, R, 1, ORDER)
  return isX(R)
}

/**
 * SUM = the scalar at `bytes` times G, with its x in X and 1 / Z in Y. The order, which is odd, is added to even ones.
 */
function multiplyBaseBy(bytes: usize): void {
  scalarOf(bytes)
  makeOdd(SCALAR, ORDER_BYTES, 56)
  multiplyBase(SUM, SCALAR, BASE)
  invertElement(Y, SUM + 112)
  multiply(X, SUM, Y)
}

/** SCALAR of 48 big-endian bytes, with zeros behind it. */
function scalarOf(bytes: usize): void {
  for (let i: usize = 0; i < 48; i++) store<u8>(SCALAR + i, load<u8>(bytes + 47 - i))
  memory.fill(SCALAR + 48, 0, 16)
}

/** Whether a number, times Y, is the X of SUM. */
function isX(number: usize): bool {
  elementOf(X, number)
  multiply(X, X, Y)
  scaleAndAdd(X, SUM, -1, X)
  return isZero(X)
}

/** POINT of two coordinates below p on the curve, y^2 = x^3 - 3x + b; otherwise false. */
function decode(bytes: usize): bool {
  numberOf(X, bytes)
  numberOf(Y, bytes + 48)
  if (!isCoordinate(X) || !isCoordinate(Y)) return false
  elementOf(POINT, X)
  elementOf(POINT + 56, Y)
  setOne(POINT + 112)
  square(X, POINT)
  multiply(X, X, POINT)
  scaleAndAdd(X, POINT, -3, X) // 4
  scaleAndAdd(X, B, 1, X) // 6
  square(Y, POINT + 56)
  scaleAndAdd(X, Y, -1, X) // 7
  return isZero(X)
}

/** out = R / a modulo n. */
function invert(out: usize, a: usize): void {
  orderMultiply(POWERS + ELEMENT, a, SQUARED)
  for (let i: usize = 2; i < 16; i++) {
    orderMultiply(POWERS + ELEMENT * i, POWERS + ELEMENT * (i - 1), POWERS + ELEMENT)
  }
  // The highest four bits of the exponent are ones.
  memory.copy(out, POWERS + ELEMENT * 15, ELEMENT)
  for (let i: i32 = 94; i >= 0; i--) {
    for (let k = 0; k < 4; k++) orderMultiply(out, out, out)
    const digit: usize = (load<u8>(ORDER_LESS_2 + (i >> 1)) >> ((<u8>(i & 1)) << 2)) & 15
    if (digit != 0) orderMultiply(out, out, POWERS + ELEMENT * digit)
  }
}

/** The digits of a number divided by s. */
function digitsOf(out: usize, number: usize, width: i32): void {
  orderMultiply(S, number, W)
  if (!isBelow(S, ORDER)) addNumbers(S, S, -1, ORDER)
  memory.fill(SCALAR, 0, 64)
  bytesOf(SCALAR, S)
  nonAdjacentForm(out, SCALAR, width, DIGITS_384)
}

/** SUM = the digits of DIGITS_BASE times G and those of DIGITS_POINT times POINT; false at infinity. */
function multiplyPublic(): bool {
  if (!oddMade) {
    memory.copy(SUM, BASE, 112)
    setOne(SUM + 112)
    oddMultiples(ODD_BASE, SUM, 32)
    oddMade = true
  }
  oddMultiples(ODD_POINT, POINT, 8)
  let infinite = true
  for (let i: i32 = DIGITS_384 - 1; i >= 0; i--) {
    if (!infinite) double(SUM)
    const digit = <i32>load<i8>(DIGITS_BASE + i)
    if (digit != 0) infinite = addTo(SUM, ODD_BASE + ADDEND * <usize>(abs(digit) >> 1), digit < 0, infinite)
    const other = <i32>load<i8>(DIGITS_POINT + i)
    if (other != 0) infinite = addTo(SUM, ODD_POINT + ADDEND * <usize>(abs(other) >> 1), other < 0, infinite)
  }
  return !infinite
}

function forget(): void {
  memory.fill(POWERS, 0, 16 * ELEMENT)
  memory.fill(POINT, 0, 3 * ELEMENT)
  memory.fill(SUM, 0, 3 * ELEMENT)
  memory.fill(R, 0, ELEMENT)
  memory.fill(S, 0, ELEMENT)
  memory.fill(W, 0, ELEMENT)
  memory.fill(X, 0, ELEMENT)
  memory.fill(Y, 0, ELEMENT)
  memory.fill(SCALAR, 0, 64)
  forgetComplete()
  forgetField()
  forgetMultiples()
}

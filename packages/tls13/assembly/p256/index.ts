// P-256: ECDH and ECDSA (FIPS 186-5 sections 6.4.1 and 6.4.2), an operation in one call. The caller writes big-endian
// numbers of 32 bytes to INPUT, reads OUTPUT, and wipes both; what else held a secret is zero when a call returns.
//
// Side channels: see base.ts and multiply.ts for the points, curves/inverse.ts for the nonce's inverse. Branches are on public
// numbers only, and on whether r or s is zero, which no nonce that anyone met has made them.

import {
  add as addNumbers,
  bytesOf,
  carryUp,
  difference,
  isBelow,
  isZeroNumber,
  limbsOf,
  reverse,
  subtractOnce,
} from "../curves/bytes"
import { makeOdd } from "../curves/digits"
import { forgetOrder, orderInvert, orderProduct, orderReduce } from "../curves/order"
import { orderMultiply } from "../curves/order-products"
import { forgetBase, multiplyBase } from "./base"
import { forgetComplete } from "./complete"
import { add, forgetField, fromBytes, invert, isZero, scaleAndAdd, subtract, toBytes } from "./field"
import { forgetJacobian } from "./jacobian"
import { forgetMultiples, multiplyPublic, multiplySecret } from "./multiply"
import { multiply, square } from "./products"

/** Up to 160 bytes. */
export const INPUT: usize = memory.data(160, 16)
/** 64 bytes. */
export const OUTPUT: usize = memory.data(64, 16)

/* The order n of the base point, R^2 modulo n, -1 / n modulo 2^29, n as little-endian bytes, and p - n. */
const ORDER: usize = memory.data<u32>([
  0x1c632551, 0x1dce5617, 0x05e7a13c, 0x0df55b4e, 0x1ffffbce, 0x1fffffff, 0x0003ffff, 0x1fe00000, 0xffffff,
])
const SQUARED: usize = memory.data<u32>([
  0x148d9ef5, 0x0f4e7f75, 0x14c6a651, 0x03f8b765, 0x165861f1, 0x1256d7d8, 0x1c185b23, 0x0d4cab0f, 0x84b655,
])
const INVERSE: u64 = 0xe00bc4f
const ORDER_BYTES: usize = memory.data<u64>([
  0xf3b9cac2fc632551, 0xbce6faada7179e84, 0xffffffffffffffff, 0xffffffff00000000, 0,
])
const P_LESS_ORDER: usize = memory.data<u32>([
  0x039cdaae, 0x0231a9e8, 0x1a185ec3, 0x120aa6b1, 0x00000431, 0x00000000, 0x00000000, 0x00000000, 0x000000,
])
const B: usize = memory.data<u32>([
  0x1897bbfb, 0x1cdf6229, 0x018486c4, 0x01732821, 0x1dad59e0, 0x0abf7212, 0x1a06d110, 0x17721d20, 0x8600c3,
])

/** Scalars of 32 bytes with 8 readable zeros behind them. */
const SCALAR: usize = memory.data(40, 16)
const OTHER: usize = memory.data(40, 16)
const RESULT: usize = memory.data(108, 16)
const POINT: usize = memory.data(72, 16)
const X: usize = memory.data(36, 16)
const Y: usize = memory.data(36, 16)
const R: usize = memory.data(36, 16)
const S: usize = memory.data(36, 16)
const BYTES: usize = memory.data(40, 16)

/** INPUT: a scalar from 1 to n - 1; OUTPUT: the coordinates of its product with the base point. */
export function base(): void {
  multiplyBaseBy(INPUT)
  toBytes(OUTPUT, X)
  multiply(Y, RESULT + 36, Y)
  toBytes(OUTPUT + 32, Y)
  forget()
}

/** INPUT: a scalar from 1 to n - 1 and two coordinates; OUTPUT: x of their product. False when they are not a point. */
export function shared(): bool {
  if (!decode(INPUT + 32)) return false
  reverse(SCALAR, INPUT)
  store<u64>(SCALAR, 0, 32)
  multiplySecret(RESULT, SCALAR, POINT)
  square(Y, RESULT + 72)
  invert(Y, Y)
  multiply(X, RESULT, Y)
  toBytes(OUTPUT, X)
  forget()
  return true
}

/** INPUT: two coordinates. Whether they are below p and a point of the curve. */
export function isPoint(): bool {
  return decode(INPUT)
}

/** INPUT: a nonce and a private key, from 1 to n - 1, and a hash; OUTPUT: r and s. False when one of them would be 0. */
export function sign(): bool {
  multiplyBaseBy(INPUT)
  toBytes(BYTES, X)
  numberOf(R, BYTES)
  subtractOnce(R, ORDER)
  // s = (e + r d) / k
  numberOf(X, INPUT + 32)
  orderProduct(S, X, R, ORDER, SQUARED, INVERSE)
  numberOf(X, INPUT + 64)
  addNumbers(S, S, X)
  numberOf(X, INPUT)
  orderInvert(Y, X, ORDER, SQUARED, INVERSE)
  orderMultiply(S, S, Y, ORDER, INVERSE)
  orderReduce(S, S, ORDER, SQUARED, INVERSE)
  const good = !isZeroNumber(R) && !isZeroNumber(S)
  bytesOf(BYTES, R)
  reverse(OUTPUT, BYTES)
  bytesOf(BYTES, S)
  reverse(OUTPUT + 32, BYTES)
  forget()
  return good
}

/** INPUT: r, s, a hash and the coordinates of a public key. Whether the key is a point, and the signature right. */
export function verify(): bool {
  numberOf(R, INPUT)
  numberOf(S, INPUT + 32)
  if (isZeroNumber(R) || isZeroNumber(S) || !isBelow(R, ORDER) || !isBelow(S, ORDER)) return false
  if (!decode(INPUT + 96)) return false
  orderInvert(Y, S, ORDER, SQUARED, INVERSE)
  numberOf(X, INPUT + 64)
  scalarOf(SCALAR, X)
  scalarOf(OTHER, R)
  if (!multiplyPublic(RESULT, SCALAR, OTHER, POINT)) return false
  // X / Z^2 modulo n is r: X is r Z^2, or (r + n) Z^2 where r + n is below p.
  square(Y, RESULT + 72)
  if (isX(INPUT)) return true
  if (!isBelow(R, P_LESS_ORDER)) return false
  addNumbers(R, R, ORDER)
  carryUp(R)
  bytesOf(BYTES, R)
  reverse(BYTES, BYTES)
  return isX(BYTES)
}

/** Whether the number at `bytes`, times Y, is the X of RESULT. */
function isX(bytes: usize): bool {
  fromBytes(S, bytes)
  multiply(S, S, Y)
  subtract(S, S, RESULT)
  return isZero(S)
}

/** The number at `limbs` times that in Y, over R, modulo the order, as a scalar. */
function scalarOf(out: usize, limbs: usize): void {
  orderMultiply(S, limbs, Y, ORDER, INVERSE)
  subtractOnce(S, ORDER)
  bytesOf(out, S)
  store<u64>(out, 0, 32)
}

/** RESULT = the scalar at `bytes` times G, with its x in X and 1 / Z in Y. The order, which is odd, is added to even ones. */
function multiplyBaseBy(bytes: usize): void {
  reverse(SCALAR, bytes)
  store<u64>(SCALAR, 0, 32)
  makeOdd(SCALAR, ORDER_BYTES)
  multiplyBase(RESULT, SCALAR)
  invert(Y, RESULT + 72)
  multiply(X, RESULT, Y)
}

/** The limbs of 32 big-endian bytes. */
function numberOf(out: usize, bytes: usize): void {
  reverse(BYTES, bytes)
  limbsOf(out, BYTES)
}

/** POINT of two coordinates below p on the curve, y^2 = x^3 - 3x + b; otherwise false. The point is public. */
function decode(bytes: usize): bool {
  fromBytes(POINT, bytes)
  fromBytes(POINT + 36, bytes + 32)
  toBytes(BYTES, POINT)
  if (difference(BYTES, bytes) != 0) return false
  toBytes(BYTES, POINT + 36)
  if (difference(BYTES, bytes + 32) != 0) return false
  square(X, POINT)
  multiply(X, X, POINT)
  scaleAndAdd(X, POINT, -3, X)
  add(X, X, B)
  square(Y, POINT + 36)
  subtract(X, X, Y)
  return isZero(X)
}

function forget(): void {
  memory.fill(SCALAR, 0, 40)
  memory.fill(OTHER, 0, 40)
  memory.fill(RESULT, 0, 108)
  memory.fill(POINT, 0, 72)
  memory.fill(X, 0, 36)
  memory.fill(Y, 0, 36)
  memory.fill(R, 0, 36)
  memory.fill(S, 0, 36)
  memory.fill(BYTES, 0, 40)
  forgetBase()
  forgetComplete()
  forgetField()
  forgetJacobian()
  forgetMultiples()
  forgetOrder()
}

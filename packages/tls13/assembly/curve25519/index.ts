// X25519 (RFC 7748) and Ed25519 (RFC 8032), an operation in one call. The caller writes to INPUT, reads OUTPUT, and wipes
// both; what else held a secret is zero when a call returns.

import { add as addLimbs, bytesOf, limbsOf } from "../curves/bytes"
import { makeOdd } from "../curves/digits"
import { forgetOrder, orderProduct, orderReduce } from "../curves/order"
import { forgetBase, multiplyBase, multiplyPublic } from "./base"
import { decode, encode, encodeMontgomery, forgetPoints, POINT } from "./edwards25519"
import { forgetField } from "./field"
import { forgetLadder, ladder } from "./x25519"

/** Up to 128 bytes. */
export const INPUT: usize = memory.data(160, 16)
/** 32 bytes. */
export const OUTPUT: usize = memory.data(32, 16)

/** Scalars of 32 bytes with 8 readable zeros behind them. */
const SCALAR: usize = memory.data(40, 16)
const OTHER: usize = memory.data(40, 16)
const RESULT: usize = memory.data(144, 16)
const PUBLIC: usize = memory.data(144, 16)
const X: usize = memory.data(36, 16)
const Y: usize = memory.data(36, 16)
const Z: usize = memory.data(36, 16)

/* The order L of the base point, R^2 modulo L, and -1 / L modulo 2^29. */
const ORDER: usize = memory.data<u32>([
  0x1cf5d3ed, 0x009318d2, 0x1de73596, 0x1df3bd45, 0x0000014d, 0x00000000, 0x00000000, 0x00000000, 0x100000,
])
const SQUARED: usize = memory.data<u32>([
  0x0b5f9d12, 0x1e141b17, 0x158d7f3d, 0x143f3757, 0x1972d781, 0x042feb7c, 0x1ceec73d, 0x1e184d1e, 0x05046d,
])
const INVERSE: u64 = 0x12547e1b
/** 2^256 modulo L. */
const SHIFT: usize = memory.data<u32>([
  0x0d98951d, 0x17618ba4, 0x1f73dc35, 0x1eb7e8e6, 0x1fffec6e, 0x1fffffff, 0x1fffffff, 0x1fffffff, 0x0fffff,
])

/** INPUT: a scalar and a u coordinate; OUTPUT: their X25519. */
export function x25519(): void {
  clamp(INPUT)
  ladder(OUTPUT, SCALAR, INPUT + 32)
  forget()
}

/** INPUT: a scalar; OUTPUT: its X25519 with the base point, 9. */
export function x25519Base(): void {
  clamp(INPUT)
  multiplyByAny()
  encodeMontgomery(OUTPUT, RESULT)
  forget()
}

/** INPUT: a scalar of 32 little-endian bytes; OUTPUT: its product with the base point of Ed25519. */
export function ed25519Base(): void {
  memory.copy(SCALAR, INPUT, 32)
  multiplyByAny()
  encode(OUTPUT, RESULT)
  forget()
}

/** INPUT: 64 little-endian bytes; OUTPUT: the number modulo L. */
export function ed25519Reduce(): void {
  reduceWide(INPUT)
  bytesOf(OUTPUT, X)
  forget()
}

/** INPUT: r, the hash k of 64 bytes, and a; OUTPUT: (r + k * a) modulo L. */
export function ed25519Answer(): void {
  reduceWide(INPUT + 32)
  limbsOf(Y, INPUT + 96)
  orderProduct(X, Y, X, ORDER, SQUARED, INVERSE)
  limbsOf(Y, INPUT)
  addLimbs(X, X, Y)
  orderReduce(X, X, ORDER, SQUARED, INVERSE)
  bytesOf(OUTPUT, X)
  forget()
}

/** INPUT: A, S and the hash k of 64 bytes; OUTPUT: S * B - k * A. False when A is not a point. For public values. */
export function ed25519Verify(): bool {
  if (!decode(PUBLIC, INPUT)) return false
  memory.copy(SCALAR, INPUT + 32, 32)
  store<u64>(SCALAR, 0, 32)
  reduceWide(INPUT + 64)
  bytesOf(OTHER, X)
  store<u64>(OTHER, 0, 32)
  multiplyPublic(RESULT, SCALAR, OTHER, PUBLIC)
  encode(OUTPUT, RESULT)
  return true
}

/** RFC 7748 5. */
function clamp(scalar: usize): void {
  memory.copy(SCALAR, scalar, 32)
  store<u8>(SCALAR, load<u8>(SCALAR) & 248)
  store<u8>(SCALAR, (load<u8>(SCALAR, 31) & 127) | 64, 31)
}

/** RESULT = SCALAR * B: L, which is odd, is added to an even scalar. */
function multiplyByAny(): void {
  store<u64>(SCALAR, 0, 32)
  store<u64>(OTHER, 0, 32)
  bytesOf(OTHER, ORDER)
  makeOdd(SCALAR, OTHER)
  multiplyBase(RESULT, SCALAR)
}

/** X = the 64 bytes at `bytes` modulo L. */
function reduceWide(bytes: usize): void {
  limbsOf(X, bytes)
  limbsOf(Y, bytes + 32)
  orderProduct(Y, Y, SHIFT, ORDER, SQUARED, INVERSE)
  addLimbs(X, X, Y)
  orderReduce(X, X, ORDER, SQUARED, INVERSE)
}

function forget(): void {
  memory.fill(SCALAR, 0, 40)
  memory.fill(OTHER, 0, 40)
  memory.fill(RESULT, 0, POINT)
  memory.fill(X, 0, 36)
  memory.fill(Y, 0, 36)
  memory.fill(Z, 0, 36)
  forgetBase()
  forgetField()
  forgetLadder()
  forgetOrder()
  forgetPoints()
}

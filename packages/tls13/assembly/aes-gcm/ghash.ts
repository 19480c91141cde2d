// GHASH (NIST SP 800-38D section 6.4) with tables in registers: a product is 17 times 16 look-ups side by side.
//
// A block is taken as a number of 128 bits, most significant byte first, so that multiplication by x shifts it to the right
// and bit 127 is x^0. For a factor H, vector k of a table holds byte k (of 17, the lowest first) of each of the 16 products
// of H with a nibble: one swizzle looks up that byte for all 16 bytes of a block at once, and the results are added where they
// belong, the k-th k bytes further up. There is one such table for high nibbles and one for low ones.
// Long texts are taken three blocks at a time, by H^3, H^2 and H, which share the last steps: their nibbles and what they add up
// to are as many vectors as there are registers.
//
// Side channels: a swizzle takes its index from a register (pshufb, tbl) and reads no memory; the vectors of a table are
// read from addresses that are the same for all keys and data. No branch on a secret.

import { CHOICE, H } from "./aes"
import { tableBlocks } from "./ghash-tables"
import { SHIFTED, SINGLE, TABLES, TABLES_BYTES, THREEFOLD, THREEFOLD_BYTES, Y } from "./memory"

/** Blocks that are taken together, and from which number of blocks on. */
const TOGETHER: usize = 3
const MANY: usize = 16
/** Bytes from which on tables in memory are made, where they are the choice. */
const MANY_FOR_TABLES: usize = 4096

@inline
function xor(a: v128, b: v128): v128 {
  return v128.xor(a, b)
}

/** A block as a number, and back. */
@inline
export function reversed(block: v128): v128 {
  return i8x16.swizzle(block, i8x16(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0))
}

@inline
function high(x: v128): v128 {
  return v128.and(i64x2.shr_u(x, 4), i8x16.splat(0x0f))
}

@inline
function low(x: v128): v128 {
  return v128.and(x, i8x16.splat(0x0f))
}

@inline
function lookUp(at: usize, high: v128, low: v128): v128 {
  return xor(i8x16.swizzle(v128.load(at), high), i8x16.swizzle(v128.load(at, 16), low))
}

/** Begins with the H that INPUT holds. */
export function ghashStart(): void {
  makeTable(SINGLE, 32, reversed(v128.load(H)))
  v128.store(Y, i64x2.splat(0))
}

/** Writes the tables of `factor` (as a number) to every `step` bytes from `at` on. */
function makeTable(at: usize, step: usize, factor: v128): void {
  const zero = i64x2.splat(0)
  let shifted = factor
  for (let bits = 0; bits < 4; bits++) {
    // 17 bytes, of which the lowest takes what is shifted out.
    store<u8>(SHIFTED + 20 * bits, <u8>((i64x2.extract_lane(factor, 0) << 8) >> bits))
    v128.store(SHIFTED + 20 * bits, shifted, 1)
    const carry = i64x2.shl(shifted, 63)
    shifted = v128.or(i64x2.shr_u(shifted, 1), i8x16.shuffle(carry, zero, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23))
  }
  let next = zero
  for (let k = 17; k-- > 0; ) {
    const from = SHIFTED + k
    // Lane n: the sum of the shifted bytes that the bits of n ask for.
    const products = xor(
      xor(
        v128.and(v128.load8_splat(from), i8x16(0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1)),
        v128.and(v128.load8_splat(from, 20), i8x16(0, 0, 0, 0, -1, -1, -1, -1, 0, 0, 0, 0, -1, -1, -1, -1)),
      ),
      xor(
        v128.and(v128.load8_splat(from, 40), i8x16(0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1)),
        v128.and(v128.load8_splat(from, 60), i8x16(0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1)),
      ),
    )
    const to = at + step * k
    v128.store(to, products)
    v128.store(to, v128.or(i8x16.shr_u(products, 4), i8x16.shl(next, 4)), 16)
    next = products
  }
}

/** The number of 256 bits `top` * 2^128 + `bottom`, modulo x^128 + x^7 + x^2 + x + 1. */
@inline
export function reduce(top: v128, bottom: v128): v128 {
  const zero = i64x2.splat(0)
  // What the shifts below move out of either half.
  const out = xor(xor(i64x2.shl(bottom, 63), i64x2.shl(bottom, 62)), i64x2.shl(bottom, 57))
  const folded = xor(bottom, i8x16.shuffle(zero, out, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23))
  const shifted = xor(xor(i64x2.shr_u(folded, 1), i64x2.shr_u(folded, 2)), i64x2.shr_u(folded, 7))
  const across = i8x16.shuffle(out, zero, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23)
  return xor(xor(top, folded), xor(shifted, across))
}

/** x times H. */
export function times(x: v128): v128 {
  const h0 = high(x)
  const l0 = low(x)
  const zero = i64x2.splat(0)
  let sum = lookUp(SINGLE + 0, h0, l0)
  let bottom = sum
  sum = lookUp(SINGLE + 32, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30))
  let top = i8x16.shuffle(sum, zero, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
  sum = lookUp(SINGLE + 64, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29))
  top = xor(top, i8x16.shuffle(sum, zero, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29))
  sum = lookUp(SINGLE + 96, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28))
  top = xor(top, i8x16.shuffle(sum, zero, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28))
  sum = lookUp(SINGLE + 128, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27))
  top = xor(top, i8x16.shuffle(sum, zero, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27))
  sum = lookUp(SINGLE + 160, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26))
  top = xor(top, i8x16.shuffle(sum, zero, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26))
  sum = lookUp(SINGLE + 192, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25))
  top = xor(top, i8x16.shuffle(sum, zero, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25))
  sum = lookUp(SINGLE + 224, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24))
  top = xor(top, i8x16.shuffle(sum, zero, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24))
  sum = lookUp(SINGLE + 256, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23))
  top = xor(top, i8x16.shuffle(sum, zero, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23))
  sum = lookUp(SINGLE + 288, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22))
  top = xor(top, i8x16.shuffle(sum, zero, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22))
  sum = lookUp(SINGLE + 320, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21))
  top = xor(top, i8x16.shuffle(sum, zero, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21))
  sum = lookUp(SINGLE + 352, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20))
  top = xor(top, i8x16.shuffle(sum, zero, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20))
  sum = lookUp(SINGLE + 384, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19))
  top = xor(top, i8x16.shuffle(sum, zero, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19))
  sum = lookUp(SINGLE + 416, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18))
  top = xor(top, i8x16.shuffle(sum, zero, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18))
  sum = lookUp(SINGLE + 448, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17))
  top = xor(top, i8x16.shuffle(sum, zero, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17))
  sum = lookUp(SINGLE + 480, h0, l0)
  bottom = xor(bottom, i8x16.shuffle(zero, sum, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16))
  top = xor(top, i8x16.shuffle(sum, zero, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16))
  sum = lookUp(SINGLE + 512, h0, l0)
  top = xor(top, sum)
  return reduce(top, bottom)
}

/** x0 times H^3, x1 times H^2 and x2 times H, together. */
function timesThree(x0: v128, x1: v128, x2: v128): v128 {
  const h0 = high(x0)
  const l0 = low(x0)
  const h1 = high(x1)
  const l1 = low(x1)
  const h2 = high(x2)
  const l2 = low(x2)
  const zero = i64x2.splat(0)
  let top = zero
  let bottom = zero
  for (let at = THREEFOLD + THREEFOLD_BYTES; at > THREEFOLD; ) {
    at -= 32 * TOGETHER
    // A byte further up.
    top = i8x16.shuffle(bottom, top, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
    bottom = i8x16.shuffle(zero, bottom, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
    const p0 = xor(i8x16.swizzle(v128.load(at), h0), i8x16.swizzle(v128.load(at, 16), l0))
    const p1 = xor(i8x16.swizzle(v128.load(at, 32), h1), i8x16.swizzle(v128.load(at, 48), l1))
    const p2 = xor(i8x16.swizzle(v128.load(at, 64), h2), i8x16.swizzle(v128.load(at, 80), l2))
    bottom = xor(bottom, xor(xor(p0, p1), p2))
  }
  return reduce(top, bottom)
}

function makeThreefold(): void {
  let power = reversed(v128.load(H))
  for (let i: usize = TOGETHER; i-- > 0; power = times(power)) makeTable(THREEFOLD + 32 * i, 32 * TOGETHER, power)
}

/** Takes the blocks from `at` to `end`. */
export function ghashBlocks(at: usize, end: usize): void {
  let y = v128.load(Y)
  if (load<u16>(CHOICE) && end - at >= MANY_FOR_TABLES) {
    y = tableBlocks(y, at, end)
    memory.fill(TABLES, 0, TABLES_BYTES)
    at += (end - at) & ~63
  }
  if (end - at >= 16 * MANY) {
    // Made for each long stretch: a fraction of what it saves.
    makeThreefold()
    for (; at + 48 <= end; at += 48) {
      y = timesThree(
        xor(y, reversed(v128.load(at))),
        reversed(v128.load(at, 16)),
        reversed(v128.load(at, 32)),
      )
    }
    memory.fill(THREEFOLD, 0, THREEFOLD_BYTES)
  }
  for (; at < end; at += 16) y = times(xor(y, reversed(v128.load(at))))
  v128.store(Y, y)
}

/** The result as a block. */
export function ghashResult(): v128 {
  return reversed(v128.load(Y))
}

// Scalars in the forms in which points are multiplied by them, and tables read at secret positions.

import { ELEMENT } from "./bytes"

/** Digits of a scalar of 256 bits in non-adjacent form, and of one of 384. */
export const DIGITS: i32 = 257
export const DIGITS_384: i32 = 385

/**
 * The width-w non-adjacent form of little-endian bytes, in `count` digits, lowest first: zero, or odd and below 2^(w-1)
 * in amount, and at least w-1 zeros after each other one. For public scalars: branches on them. 8 bytes behind them
 * must be zero.
 */
export function nonAdjacentForm(out: usize, scalar: usize, width: i32, count: i32): void {
  memory.fill(out, 0, count)
  let carried: u32 = 0
  for (let at = 0; at < count; ) {
    const bits = load<u32>(scalar + (at >> 3)) >> (at & 7)
    if ((bits & 1) == carried) {
      at++
      continue
    }
    const word = (bits & ((1 << width) - 1)) + carried
    carried = word >> (width - 1)
    store<i8>(out + at, <i8>(<i32>word - <i32>(carried << width)))
    at += width
  }
}

/** One bit of little-endian bytes, 0 or 1. */
// @ts-ignore: decorator
@inline
export function bitOf(scalar: usize, at: usize): u32 {
  return (load<u8>(scalar + (at >> 3)) >> <u8>(at & 7)) & 1
}

/**
 * Adds an odd number to a scalar that is even, and nothing to one that is odd: both little-endian, of a multiple of 4
 * bytes.
 */
export function makeOdd(scalar: usize, odd: usize, size: usize = 40): void {
  const even: u64 = (load<u64>(scalar) & 1) - 1
  let carry: u64 = 0
  for (let i: usize = 0; i < size; i += 4) {
    carry += <u64>load<u32>(scalar + i) + (<u64>load<u32>(odd + i) & even)
    store<u32>(scalar + i, <u32>carry)
    carry >>= 32
  }
}

/**
 * Copies the entry `index` of `count`, of `size` bytes (a multiple of 24) each: every entry is read. Zeros for an index
 * that is not below `count`; it is below 2^32.
 */
export function select(out: usize, table: usize, count: u64, size: usize, index: u64): void {
  for (let word: usize = 0; word < size; word += 24) {
    let at = table + word
    let s0: u64 = 0
    let s1: u64 = 0
    let s2: u64 = 0
    for (let i: u64 = 0; i < count; i++) {
      // All ones for the entry, zero for the others.
      const mask: u64 = <u64>(<i64>((i ^ index) - 1) >> 63)
      s0 |= load<u64>(at) & mask
      s1 |= load<u64>(at, 8) & mask
      s2 |= load<u64>(at, 16) & mask
      at += size
    }
    store<u64>(out + word, s0)
    store<u64>(out + word, s1, 8)
    store<u64>(out + word, s2, 16)
  }
}

/** Copies `size` bytes, a multiple of 4, from `a` when the mask is all ones, and leaves them when it is zero. */
export function copyIf(mask: u32, out: usize, a: usize, size: usize): void {
  for (let i: usize = 0; i < size; i += 4) {
    const old = load<u32>(out + i)
    store<u32>(out + i, old ^ ((old ^ load<u32>(a + i)) & mask))
  }
}

/** Swaps two areas of `size` bytes, a multiple of 4, when the mask is all ones, and leaves them when it is zero. */
export function swapIf(mask: u32, a: usize, b: usize, size: usize): void {
  for (let i: usize = 0; i < size; i += 4) {
    const x = load<u32>(a + i)
    const y = load<u32>(b + i)
    const change = (x ^ y) & mask
    store<u32>(a + i, x ^ change)
    store<u32>(b + i, y ^ change)
  }
}

/** Negates an element when the mask is all ones, and leaves it when it is zero. */
export function negateIf(mask: i32, a: usize, size: usize = ELEMENT): void {
  for (let i: usize = 0; i < size; i += 4) store<i32>(a + i, (load<i32>(a + i) ^ mask) - mask)
}

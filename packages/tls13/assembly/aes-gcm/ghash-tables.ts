// GHASH (NIST SP 800-38D section 6.4) with tables in memory, for who chooses it: the options of `createFastProvider` tell why not to.
//
// As in ghash.ts a block is a number of 128 bits, and multiplication by x shifts it to the right. Four tables have the products of a
// factor with each byte of the highest word of 32 bits; those of the other words are the same, shifted and reduced.
// Four blocks are multiplied by H^4 side by side, as a product waits for its loads.
//
// Side channels: bytes of the running value are addresses, so that who shares the caches of the processor may learn about it,
// and with it about H; H makes tags for other texts. The key of AES is not in it.

import { H } from "./aes"
import { reduce, reversed, times } from "./ghash"
import { TABLES } from "./memory"
import { xor } from "./slices"

/** Of four running values, each of every fourth block. */
const VALUES: usize = TABLES + 16384
/** Bytes of a table: 256 products. */
const TABLE: usize = 4096

/** Takes the blocks from `at` to `end`, at least four, beginning with `y`; returns the value to begin the rest with and leaves fewer than four. */
export function tableBlocks(y: v128, at: usize, end: usize): v128 {
  makeTables()
  v128.store(VALUES, y)
  for (let i: usize = 16; i < 64; i += 16) v128.store(VALUES + i, i64x2.splat(0))
  for (; at + 128 <= end; at += 64) {
    for (let i: usize = 0; i < 64; i += 16) {
      v128.store(VALUES + i, product(xor(v128.load(VALUES + i), reversed(v128.load(at + i)))))
    }
  }
  y = i64x2.splat(0)
  for (let i: usize = 0; i < 64; i += 16) {
    y = times(xor(xor(y, v128.load(VALUES + i)), reversed(v128.load(at + i))))
  }
  return y
}

/** `x` times the factor of the tables. */
@inline
function product(x: v128): v128 {
  const low = i64x2.extract_lane(x, 0)
  const high = i64x2.extract_lane(x, 1)
  let bottom = i64x2.splat(0)
  let top = wordProduct(<u32>low)
  bottom = i8x16.shuffle(bottom, top, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
  top = xor(wordProduct(<u32>(low >>> 32)), i8x16.shuffle(top, i64x2.splat(0), 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19))
  bottom = i8x16.shuffle(bottom, top, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
  top = xor(wordProduct(<u32>high), i8x16.shuffle(top, i64x2.splat(0), 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19))
  bottom = i8x16.shuffle(bottom, top, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
  top = xor(wordProduct(<u32>(high >>> 32)), i8x16.shuffle(top, i64x2.splat(0), 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19))
  return reduce(top, bottom)
}

/** Of the highest word. */
@inline
function wordProduct(word: u32): v128 {
  return xor(
    xor(v128.load(TABLES + ((word << 4) & 0xff0)), v128.load(TABLES + TABLE + ((word >> 4) & 0xff0))),
    xor(v128.load(TABLES + 2 * TABLE + ((word >> 12) & 0xff0)), v128.load(TABLES + 3 * TABLE + ((word >> 20) & 0xff0))),
  )
}

/** Of H^4. */
function makeTables(): void {
  let power = reversed(v128.load(H))
  for (let i = 0; i < 3; i++) power = times(power)
  let low = i64x2.extract_lane(power, 0)
  let high = i64x2.extract_lane(power, 1)
  for (let table = TABLES + 3 * TABLE; table >= TABLES; table -= TABLE) {
    for (let bit: usize = 128; bit > 0; bit >>= 1) {
      store<u64>(table + 16 * bit, low)
      store<u64>(table + 16 * bit, high, 8)
      // Times x.
      const out = -(low & 1)
      low = (low >>> 1) | (high << 63)
      high = (high >>> 1) ^ (out & 0xe100000000000000)
    }
    v128.store(table, i64x2.splat(0))
    for (let bit: usize = 16; bit < TABLE; bit <<= 1) {
      const own = v128.load(table + bit)
      for (let rest: usize = 16; rest < bit; rest += 16) v128.store(table + bit + rest, xor(own, v128.load(table + rest)))
    }
  }
}

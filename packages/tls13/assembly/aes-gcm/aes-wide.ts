// The AES block cipher (FIPS 197) in counter mode, bit-sliced: 32 blocks at a time, for what is long.
//
// Vector n of 32 holds the bits n of all columns, taken as words of 32 bits, little-endian: bit b of its lane c is that of block b
// and column c. So row r of the state is the vectors 8 r to 8 r + 7, ShiftRows turns the lanes of a vector and
// MixColumns adds vectors: next to nothing is moved.
//
// Side channels: see slices.ts.

import { KEYS, ROUNDS } from "./aes"
import { DIFFERENCE, INPUT, KEPT, KEPT_STATES, STREAM, WIDE_SLICES, WIDE_STATE } from "./memory"
import { substitute, transpose, xor } from "./slices"

/** Blocks that one call makes. */
export const WIDE_BLOCKS: u32 = 32

@inline
function turn1(x: v128): v128 {
  return i8x16.shuffle(x, x, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3)
}

@inline
function turn2(x: v128): v128 {
  return i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
}

@inline
function turn3(x: v128): v128 {
  return i8x16.shuffle(x, x, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
}

/** Bit-slices the round keys of INPUT. */
export function sliceWideKeys(): void {
  const rounds = load<u32>(ROUNDS)
  let to = WIDE_SLICES
  for (let round: u32 = 0; round <= rounds; round++, to += 512) {
    let key = v128.load(KEYS + 16 * round)
    if (round > 0) key = xor(key, i8x16.splat(0x63))
    sliceWide(to, key)
  }
}

/** Writes each bit of the columns of `block`, for all 32 blocks, to `at`. */
@inline
function sliceWide(at: usize, block: v128): void {
  for (let bit: usize = 32; bit-- > 0; block = i32x4.add(block, block)) {
    v128.store(at + 16 * bit, i32x4.shr_s(block, 31))
  }
}

/**
 * Encrypts nonce || counter to nonce || counter + 31, and writes the blocks to STREAM.
 *
 * A long text has many counters that differ above their lowest byte only. Two rounds spread that byte over all columns by way of one
 * byte each, and the bytes above by way of others: what a block is after them is a sum of one part for each, so that the part for
 * the lowest byte is kept, and the other is the same for 256 blocks. (A counter is public.)
 * @param counter a multiple of 32
 * @param keeps whether there may be text enough
 */
export function wideKeyStream(counter: u32, keeps: bool): void {
  const slot = (counter >> 5) & 7
  const kept = KEPT_STATES + 512 * slot
  const isThere = (load<u32>(KEPT) >> slot) & 1
  let key = WIDE_SLICES
  if (isThere && load<u32>(KEPT, 4) === counter >> 8) {
    for (let i: usize = 0; i < 512; i += 16) {
      v128.store(WIDE_STATE + i, xor(v128.load(kept + i), v128.load(DIFFERENCE + i)))
    }
    key += 1024
  } else {
    sliceWide(WIDE_STATE, i32x4.replace_lane(v128.load(INPUT), 3, bswap<u32>(counter)))
    // The last column is the counter, big-endian.
    store<u32>(WIDE_STATE, 0xaaaaaaaa, 16 * 24 + 12)
    store<u32>(WIDE_STATE, 0xcccccccc, 16 * 25 + 12)
    store<u32>(WIDE_STATE, 0xf0f0f0f0, 16 * 26 + 12)
    store<u32>(WIDE_STATE, 0xff00ff00, 16 * 27 + 12)
    store<u32>(WIDE_STATE, 0xffff0000, 16 * 28 + 12)
    for (const end = key + 1024; key < end; key += 512) {
      substitute(WIDE_STATE, WIDE_STATE + 512, key)
      mixColumns()
    }
    if (isThere) {
      store<u32>(KEPT, counter >> 8, 4)
      for (let i: usize = 0; i < 512; i += 16) {
        v128.store(DIFFERENCE + i, xor(v128.load(kept + i), v128.load(WIDE_STATE + i)))
      }
    } else if (keeps && counter < 256) {
      store<u32>(KEPT, load<u32>(KEPT) | (1 << slot))
      for (let i: usize = 0; i < 512; i += 16) v128.store(kept + i, v128.load(WIDE_STATE + i))
    }
  }
  for (const last = WIDE_SLICES + 512 * load<u32>(ROUNDS); ; ) {
    substitute(WIDE_STATE, WIDE_STATE + 512, key)
    key += 512
    if (key === last) break
    mixColumns()
  }
  finishWide(key)
}

/** ShiftRows and MixColumns. */
function mixColumns(): void {
  const seventh = WIDE_STATE + 112
  // Rows 0 to 3 added to their next ones, the highest bits: what makes the reduction.
  let a0 = v128.load(seventh)
  let a1 = turn1(v128.load(seventh, 128))
  let a2 = turn2(v128.load(seventh, 256))
  let a3 = turn3(v128.load(seventh, 384))
  const h0 = xor(a0, a1)
  const h1 = xor(a1, a2)
  const h2 = xor(a2, a3)
  const h3 = xor(a3, a0)
  let d0 = h0
  let d1 = h1
  let d2 = h2
  let d3 = h3
  for (let bit: usize = 0; bit < 8; bit++) {
    const at = WIDE_STATE + 16 * bit
    a0 = v128.load(at)
    a1 = turn1(v128.load(at, 128))
    a2 = turn2(v128.load(at, 256))
    a3 = turn3(v128.load(at, 384))
    const c0 = xor(a0, a1)
    const c1 = xor(a1, a2)
    const c2 = xor(a2, a3)
    const c3 = xor(a3, a0)
    v128.store(at, xor(xor(d0, a1), c2))
    v128.store(at, xor(xor(d1, a2), c3), 128)
    v128.store(at, xor(xor(d2, a3), c0), 256)
    v128.store(at, xor(xor(d3, a0), c1), 384)
    d0 = c0
    d1 = c1
    d2 = c2
    d3 = c3
    if ((0x0d >> <u32>bit) & 1) {
      d0 = xor(d0, h0)
      d1 = xor(d1, h1)
      d2 = xor(d2, h2)
      d3 = xor(d3, h3)
    }
  }
}

/** The last ShiftRows and AddRoundKey, and the blocks out of the slices. */
function finishWide(key: usize): void {
  // Columns of four rows, of eight blocks for each lane: vector 8 c + i is of column c and bit i.
  for (let at = WIDE_STATE; at < WIDE_STATE + 128; at += 16, key += 16) {
    const x0 = xor(v128.load(at), v128.load(key))
    const x1 = xor(turn1(v128.load(at, 128)), v128.load(key, 128))
    const x2 = xor(turn2(v128.load(at, 256)), v128.load(key, 256))
    const x3 = xor(turn3(v128.load(at, 384)), v128.load(key, 384))
    const low01 = i8x16.shuffle(x0, x1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
    const high01 = i8x16.shuffle(x0, x1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
    const low23 = i8x16.shuffle(x2, x3, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
    const high23 = i8x16.shuffle(x2, x3, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
    v128.store(at, i8x16.shuffle(low01, low23, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23))
    v128.store(at, i8x16.shuffle(low01, low23, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31), 128)
    v128.store(at, i8x16.shuffle(high01, high23, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23), 256)
    v128.store(at, i8x16.shuffle(high01, high23, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31), 384)
  }
  for (let at = WIDE_STATE; at < WIDE_STATE + 512; at += 128) transpose(at)
  // Lane k of vector 8 c + j is column c of block 8 k + j.
  for (let j: usize = 0; j < 128; j += 16) {
    const x0 = v128.load(WIDE_STATE + j)
    const x1 = v128.load(WIDE_STATE + j, 128)
    const x2 = v128.load(WIDE_STATE + j, 256)
    const x3 = v128.load(WIDE_STATE + j, 384)
    const low01 = i8x16.shuffle(x0, x1, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
    const high01 = i8x16.shuffle(x0, x1, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
    const low23 = i8x16.shuffle(x2, x3, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
    const high23 = i8x16.shuffle(x2, x3, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
    v128.store(STREAM + j, i8x16.shuffle(low01, low23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23))
    v128.store(STREAM + j, i8x16.shuffle(low01, low23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 128)
    v128.store(STREAM + j, i8x16.shuffle(high01, high23, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), 256)
    v128.store(STREAM + j, i8x16.shuffle(high01, high23, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 384)
  }
}

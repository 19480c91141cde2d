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
  const rounds = <u32>load<u16>(ROUNDS)
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
  for (const last = WIDE_SLICES + 512 * <u32>load<u16>(ROUNDS); ; ) {
    substitute(WIDE_STATE, WIDE_STATE + 512, key)
    key += 512
    if (key === last) break
    mixColumns()
  }
  finishWide(key)
}

/** ShiftRows and MixColumns: 2 (row + next) + next + (the same two rows further). Names end with the bit and the row. */
function mixColumns(): void {
  const seventh = WIDE_STATE + 112
  // Of the rows added to their next ones the highest bits are what is reduced.
  const h0 = xor(v128.load(seventh), turn1(v128.load(seventh, 128)))
  const h1 = xor(turn1(v128.load(seventh, 128)), turn2(v128.load(seventh, 256)))
  const h2 = xor(turn2(v128.load(seventh, 256)), turn3(v128.load(seventh, 384)))
  const h3 = xor(turn3(v128.load(seventh, 384)), v128.load(seventh))
  const a00 = v128.load(WIDE_STATE + 0)
  const a01 = turn1(v128.load(WIDE_STATE + 0, 128))
  const a02 = turn2(v128.load(WIDE_STATE + 0, 256))
  const a03 = turn3(v128.load(WIDE_STATE + 0, 384))
  const c00 = xor(a00, a01)
  const c01 = xor(a01, a02)
  const c02 = xor(a02, a03)
  const c03 = xor(a03, a00)
  v128.store(WIDE_STATE + 0, xor(xor(h0, a01), c02), 0)
  v128.store(WIDE_STATE + 0, xor(xor(h1, a02), c03), 128)
  v128.store(WIDE_STATE + 0, xor(xor(h2, a03), c00), 256)
  v128.store(WIDE_STATE + 0, xor(xor(h3, a00), c01), 384)
  const a10 = v128.load(WIDE_STATE + 16)
  const a11 = turn1(v128.load(WIDE_STATE + 16, 128))
  const a12 = turn2(v128.load(WIDE_STATE + 16, 256))
  const a13 = turn3(v128.load(WIDE_STATE + 16, 384))
  const c10 = xor(a10, a11)
  const c11 = xor(a11, a12)
  const c12 = xor(a12, a13)
  const c13 = xor(a13, a10)
  v128.store(WIDE_STATE + 16, xor(xor(xor(c00, h0), a11), c12), 0)
  v128.store(WIDE_STATE + 16, xor(xor(xor(c01, h1), a12), c13), 128)
  v128.store(WIDE_STATE + 16, xor(xor(xor(c02, h2), a13), c10), 256)
  v128.store(WIDE_STATE + 16, xor(xor(xor(c03, h3), a10), c11), 384)
  const a20 = v128.load(WIDE_STATE + 32)
  const a21 = turn1(v128.load(WIDE_STATE + 32, 128))
  const a22 = turn2(v128.load(WIDE_STATE + 32, 256))
  const a23 = turn3(v128.load(WIDE_STATE + 32, 384))
  const c20 = xor(a20, a21)
  const c21 = xor(a21, a22)
  const c22 = xor(a22, a23)
  const c23 = xor(a23, a20)
  v128.store(WIDE_STATE + 32, xor(xor(c10, a21), c22), 0)
  v128.store(WIDE_STATE + 32, xor(xor(c11, a22), c23), 128)
  v128.store(WIDE_STATE + 32, xor(xor(c12, a23), c20), 256)
  v128.store(WIDE_STATE + 32, xor(xor(c13, a20), c21), 384)
  const a30 = v128.load(WIDE_STATE + 48)
  const a31 = turn1(v128.load(WIDE_STATE + 48, 128))
  const a32 = turn2(v128.load(WIDE_STATE + 48, 256))
  const a33 = turn3(v128.load(WIDE_STATE + 48, 384))
  const c30 = xor(a30, a31)
  const c31 = xor(a31, a32)
  const c32 = xor(a32, a33)
  const c33 = xor(a33, a30)
  v128.store(WIDE_STATE + 48, xor(xor(xor(c20, h0), a31), c32), 0)
  v128.store(WIDE_STATE + 48, xor(xor(xor(c21, h1), a32), c33), 128)
  v128.store(WIDE_STATE + 48, xor(xor(xor(c22, h2), a33), c30), 256)
  v128.store(WIDE_STATE + 48, xor(xor(xor(c23, h3), a30), c31), 384)
  const a40 = v128.load(WIDE_STATE + 64)
  const a41 = turn1(v128.load(WIDE_STATE + 64, 128))
  const a42 = turn2(v128.load(WIDE_STATE + 64, 256))
  const a43 = turn3(v128.load(WIDE_STATE + 64, 384))
  const c40 = xor(a40, a41)
  const c41 = xor(a41, a42)
  const c42 = xor(a42, a43)
  const c43 = xor(a43, a40)
  v128.store(WIDE_STATE + 64, xor(xor(xor(c30, h0), a41), c42), 0)
  v128.store(WIDE_STATE + 64, xor(xor(xor(c31, h1), a42), c43), 128)
  v128.store(WIDE_STATE + 64, xor(xor(xor(c32, h2), a43), c40), 256)
  v128.store(WIDE_STATE + 64, xor(xor(xor(c33, h3), a40), c41), 384)
  const a50 = v128.load(WIDE_STATE + 80)
  const a51 = turn1(v128.load(WIDE_STATE + 80, 128))
  const a52 = turn2(v128.load(WIDE_STATE + 80, 256))
  const a53 = turn3(v128.load(WIDE_STATE + 80, 384))
  const c50 = xor(a50, a51)
  const c51 = xor(a51, a52)
  const c52 = xor(a52, a53)
  const c53 = xor(a53, a50)
  v128.store(WIDE_STATE + 80, xor(xor(c40, a51), c52), 0)
  v128.store(WIDE_STATE + 80, xor(xor(c41, a52), c53), 128)
  v128.store(WIDE_STATE + 80, xor(xor(c42, a53), c50), 256)
  v128.store(WIDE_STATE + 80, xor(xor(c43, a50), c51), 384)
  const a60 = v128.load(WIDE_STATE + 96)
  const a61 = turn1(v128.load(WIDE_STATE + 96, 128))
  const a62 = turn2(v128.load(WIDE_STATE + 96, 256))
  const a63 = turn3(v128.load(WIDE_STATE + 96, 384))
  const c60 = xor(a60, a61)
  const c61 = xor(a61, a62)
  const c62 = xor(a62, a63)
  const c63 = xor(a63, a60)
  v128.store(WIDE_STATE + 96, xor(xor(c50, a61), c62), 0)
  v128.store(WIDE_STATE + 96, xor(xor(c51, a62), c63), 128)
  v128.store(WIDE_STATE + 96, xor(xor(c52, a63), c60), 256)
  v128.store(WIDE_STATE + 96, xor(xor(c53, a60), c61), 384)
  const a70 = v128.load(WIDE_STATE + 112)
  const a71 = turn1(v128.load(WIDE_STATE + 112, 128))
  const a72 = turn2(v128.load(WIDE_STATE + 112, 256))
  const a73 = turn3(v128.load(WIDE_STATE + 112, 384))
  const c70 = xor(a70, a71)
  const c71 = xor(a71, a72)
  const c72 = xor(a72, a73)
  const c73 = xor(a73, a70)
  v128.store(WIDE_STATE + 112, xor(xor(c60, a71), c72), 0)
  v128.store(WIDE_STATE + 112, xor(xor(c61, a72), c73), 128)
  v128.store(WIDE_STATE + 112, xor(xor(c62, a73), c70), 256)
  v128.store(WIDE_STATE + 112, xor(xor(c63, a70), c71), 384)
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

// The AES block cipher (FIPS 197) in counter mode, bit-sliced: eight blocks at a time, without tables.
//
// Word n of 32 holds the bits n of all columns, taken as words of 32 bits, little-endian: its bit 8 c + b is that of block b and
// column c. So row r of the state is the words 8 r to 8 r + 7, ShiftRows turns words and MixColumns adds them: next to nothing is
// moved. The complements at the end of SubBytes are in the round keys.
//
// The state stays in memory and one row after the other is loaded: as local variables the rows would be computed side by
// side by some engines, which takes half as long again.
//
// Side channels: no table and no branch depends on the key or the data, so neither cache nor branch predictor learns
// anything.

import { rowsOf, SLICES, subBytes } from "./aes-bitsliced-key.ts"
import { swapBytes } from "./ghash.ts"

/** Blocks that one call makes. */
export const BLOCKS = 8

/**
 * What a long text keeps: the states after two rounds for the 256 lowest counters. Two rounds spread the lowest byte of a counter by
 * way of other bytes than those above it, so that a state is a sum of one part for each: for 256 counters that have
 * the upper ones in common, what is kept differs from theirs by the same. (A counter is public.)
 */
export interface KeptStates {
  readonly states: Int32Array
  /** For the counters whose upper bytes are `upper`. */
  readonly difference: Int32Array
  upper: number
}

export function keptStates(): KeptStates {
  return { states: new Int32Array((256 / BLOCKS) * SLICES), difference: new Int32Array(SLICES), upper: 0 }
}

/**
 * AES in counter mode: exclusive-ors nonce || counter to nonce || counter + 7, encrypted, to the 32 words of `text` from `at` on.
 * Words are little-endian: a block's first byte is lowest.
 * @param keys of `expandKey`
 * @param state scratch of SLICES words
 * @param counter a multiple of 8
 * @param kept for a text whose counters begin with 0; its states are of the same text
 */
export function xorCounters(
  keys: Int32Array,
  state: Int32Array,
  n0: number,
  n1: number,
  n2: number,
  counter: number,
  text: Int32Array,
  at: number,
  kept?: KeptStates,
): void {
  const last = keys.length - 4
  for (let key = firstRounds(keys, state, n0, n1, n2, counter, kept); key < last; key += 4) round(keys, state, key)
  subBytes(state)
  finish(keys, state, last)
  for (let block = 0; block < 8; block++) {
    // Columns of rows, which is the exchange of bytes of `rowsOf`.
    const w0 = state[block]!
    const w1 = state[8 + block]!
    const w2 = state[16 + block]!
    const w3 = state[24 + block]!
    const even01 = (w0 & 0x00ff00ff) | ((w1 & 0x00ff00ff) << 8)
    const odd01 = ((w0 >>> 8) & 0x00ff00ff) | (w1 & 0xff00ff00)
    const even23 = (w2 & 0x00ff00ff) | ((w3 & 0x00ff00ff) << 8)
    const odd23 = ((w2 >>> 8) & 0x00ff00ff) | (w3 & 0xff00ff00)
    const to = (at + 4 * block) & 0xffffff
    text[to]! ^= (even01 & 0xffff) | (even23 << 16)
    text[to + 1]! ^= (odd01 & 0xffff) | (odd23 << 16)
    text[to + 2]! ^= (even01 >>> 16) | (even23 & 0xffff0000)
    text[to + 3]! ^= (odd01 >>> 16) | (odd23 & 0xffff0000)
  }
}

/** Makes the blocks, and two rounds if states are kept; returns where in the keys the next round's is. */
function firstRounds(
  keys: Int32Array,
  state: Int32Array,
  n0: number,
  n1: number,
  n2: number,
  counter: number,
  kept: KeptStates | undefined,
): number {
  if (kept === undefined) {
    begin(keys, state, n0, n1, n2, counter)
    return 4
  }
  const { states, difference } = kept
  const upper = counter >>> 8
  const at = (SLICES / BLOCKS) * (counter & 255)
  if (upper > 0 && upper === kept.upper) {
    for (let i = 0; i < 32; i++) state[i] = states[at + i]! ^ difference[i]!
    return 12
  }
  begin(keys, state, n0, n1, n2, counter)
  round(keys, state, 4)
  round(keys, state, 8)
  kept.upper = upper
  const to = upper === 0 ? states : difference
  const toAt = upper === 0 ? at : 0
  for (let i = 0; i < 32; i++) to[toAt + i] = upper === 0 ? state[i]! : state[i]! ^ states[at + i]!
  return 12
}

/** The blocks, bit-sliced, and the first round key. */
function begin(keys: Int32Array, state: Int32Array, n0: number, n1: number, n2: number, counter: number): void {
  rowsOf(state, 28, n0, n1, n2, swapBytes(counter))
  for (let row = 0; row < 4; row++) {
    const bits = state[28 + row]! ^ keys[row]!
    for (let bit = 0; bit < 8; bit++) state[8 * row + bit] = forAllBlocks(bits >>> bit)
  }
  // The blocks differ in the lowest bits of the counter, which is big-endian.
  state[24]! ^= 0xaa000000
  state[25]! ^= 0xcc000000
  state[26]! ^= 0xf0000000
}

/** The lowest bit of each byte, in all bits of that byte. */
function forAllBlocks(bits: number): number {
  return Math.imul(bits & 0x01010101, 255)
}

/** To the right. */
function turned(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by))
}

/** SubBytes, ShiftRows, MixColumns and AddRoundKey. Names end with the row and the bit. @param key where the round's key is */
function round(keys: Int32Array, state: Int32Array, key: number): void {
  subBytes(state)
  const k0 = keys[key]!
  const k1 = keys[key + 1]!
  const k2 = keys[key + 2]!
  const k3 = keys[key + 3]!
  const a07 = state[7]!
  const a17 = turned(state[15]!, 8)
  const a27 = turned(state[23]!, 16)
  const a37 = turned(state[31]!, 24)
  // MixColumns: 2 (row + next) + next + (the same two rows further). Of sums of rows the highest bits are what is reduced.
  const h0 = a07 ^ a17
  const h1 = a17 ^ a27
  const h2 = a27 ^ a37
  const h3 = a37 ^ a07
  const a00 = state[0]!
  const a10 = turned(state[8]!, 8)
  const a20 = turned(state[16]!, 16)
  const a30 = turned(state[24]!, 24)
  const c00 = a00 ^ a10
  const c10 = a10 ^ a20
  const c20 = a20 ^ a30
  const c30 = a30 ^ a00
  state[0] = h0 ^ a10 ^ c20 ^ Math.imul(k0 & 0x01010101, 255)
  state[8] = h1 ^ a20 ^ c30 ^ Math.imul(k1 & 0x01010101, 255)
  state[16] = h2 ^ a30 ^ c00 ^ Math.imul(k2 & 0x01010101, 255)
  state[24] = h3 ^ a00 ^ c10 ^ Math.imul(k3 & 0x01010101, 255)
  const a01 = state[1]!
  const a11 = turned(state[9]!, 8)
  const a21 = turned(state[17]!, 16)
  const a31 = turned(state[25]!, 24)
  const c01 = a01 ^ a11
  const c11 = a11 ^ a21
  const c21 = a21 ^ a31
  const c31 = a31 ^ a01
  state[1] = c00 ^ h0 ^ a11 ^ c21 ^ Math.imul((k0 >>> 1) & 0x01010101, 255)
  state[9] = c10 ^ h1 ^ a21 ^ c31 ^ Math.imul((k1 >>> 1) & 0x01010101, 255)
  state[17] = c20 ^ h2 ^ a31 ^ c01 ^ Math.imul((k2 >>> 1) & 0x01010101, 255)
  state[25] = c30 ^ h3 ^ a01 ^ c11 ^ Math.imul((k3 >>> 1) & 0x01010101, 255)
  const a02 = state[2]!
  const a12 = turned(state[10]!, 8)
  const a22 = turned(state[18]!, 16)
  const a32 = turned(state[26]!, 24)
  const c02 = a02 ^ a12
  const c12 = a12 ^ a22
  const c22 = a22 ^ a32
  const c32 = a32 ^ a02
  state[2] = c01 ^ a12 ^ c22 ^ Math.imul((k0 >>> 2) & 0x01010101, 255)
  state[10] = c11 ^ a22 ^ c32 ^ Math.imul((k1 >>> 2) & 0x01010101, 255)
  state[18] = c21 ^ a32 ^ c02 ^ Math.imul((k2 >>> 2) & 0x01010101, 255)
  state[26] = c31 ^ a02 ^ c12 ^ Math.imul((k3 >>> 2) & 0x01010101, 255)
  const a03 = state[3]!
  const a13 = turned(state[11]!, 8)
  const a23 = turned(state[19]!, 16)
  const a33 = turned(state[27]!, 24)
  const c03 = a03 ^ a13
  const c13 = a13 ^ a23
  const c23 = a23 ^ a33
  const c33 = a33 ^ a03
  state[3] = c02 ^ h0 ^ a13 ^ c23 ^ Math.imul((k0 >>> 3) & 0x01010101, 255)
  state[11] = c12 ^ h1 ^ a23 ^ c33 ^ Math.imul((k1 >>> 3) & 0x01010101, 255)
  state[19] = c22 ^ h2 ^ a33 ^ c03 ^ Math.imul((k2 >>> 3) & 0x01010101, 255)
  state[27] = c32 ^ h3 ^ a03 ^ c13 ^ Math.imul((k3 >>> 3) & 0x01010101, 255)
  const a04 = state[4]!
  const a14 = turned(state[12]!, 8)
  const a24 = turned(state[20]!, 16)
  const a34 = turned(state[28]!, 24)
  const c04 = a04 ^ a14
  const c14 = a14 ^ a24
  const c24 = a24 ^ a34
  const c34 = a34 ^ a04
  state[4] = c03 ^ h0 ^ a14 ^ c24 ^ Math.imul((k0 >>> 4) & 0x01010101, 255)
  state[12] = c13 ^ h1 ^ a24 ^ c34 ^ Math.imul((k1 >>> 4) & 0x01010101, 255)
  state[20] = c23 ^ h2 ^ a34 ^ c04 ^ Math.imul((k2 >>> 4) & 0x01010101, 255)
  state[28] = c33 ^ h3 ^ a04 ^ c14 ^ Math.imul((k3 >>> 4) & 0x01010101, 255)
  const a05 = state[5]!
  const a15 = turned(state[13]!, 8)
  const a25 = turned(state[21]!, 16)
  const a35 = turned(state[29]!, 24)
  const c05 = a05 ^ a15
  const c15 = a15 ^ a25
  const c25 = a25 ^ a35
  const c35 = a35 ^ a05
  state[5] = c04 ^ a15 ^ c25 ^ Math.imul((k0 >>> 5) & 0x01010101, 255)
  state[13] = c14 ^ a25 ^ c35 ^ Math.imul((k1 >>> 5) & 0x01010101, 255)
  state[21] = c24 ^ a35 ^ c05 ^ Math.imul((k2 >>> 5) & 0x01010101, 255)
  state[29] = c34 ^ a05 ^ c15 ^ Math.imul((k3 >>> 5) & 0x01010101, 255)
  const a06 = state[6]!
  const a16 = turned(state[14]!, 8)
  const a26 = turned(state[22]!, 16)
  const a36 = turned(state[30]!, 24)
  const c06 = a06 ^ a16
  const c16 = a16 ^ a26
  const c26 = a26 ^ a36
  const c36 = a36 ^ a06
  state[6] = c05 ^ a16 ^ c26 ^ Math.imul((k0 >>> 6) & 0x01010101, 255)
  state[14] = c15 ^ a26 ^ c36 ^ Math.imul((k1 >>> 6) & 0x01010101, 255)
  state[22] = c25 ^ a36 ^ c06 ^ Math.imul((k2 >>> 6) & 0x01010101, 255)
  state[30] = c35 ^ a06 ^ c16 ^ Math.imul((k3 >>> 6) & 0x01010101, 255)
  state[7] = c06 ^ a17 ^ h2 ^ Math.imul((k0 >>> 7) & 0x01010101, 255)
  state[15] = c16 ^ a27 ^ h3 ^ Math.imul((k1 >>> 7) & 0x01010101, 255)
  state[23] = c26 ^ a37 ^ h0 ^ Math.imul((k2 >>> 7) & 0x01010101, 255)
  state[31] = c36 ^ a07 ^ h1 ^ Math.imul((k3 >>> 7) & 0x01010101, 255)
}

/** The last ShiftRows and AddRoundKey, and the bits of each row's bytes together: word 8 r + b is then row r of block b. */
function finish(keys: Int32Array, state: Int32Array, key: number): void {
  for (let row = 0; row < 4; row++) {
    const at = 8 * row
    const bits = keys[key + row]!
    let x0 = turned(state[at]!, at) ^ forAllBlocks(bits)
    let x1 = turned(state[at + 1]!, at) ^ forAllBlocks(bits >>> 1)
    let x2 = turned(state[at + 2]!, at) ^ forAllBlocks(bits >>> 2)
    let x3 = turned(state[at + 3]!, at) ^ forAllBlocks(bits >>> 3)
    let x4 = turned(state[at + 4]!, at) ^ forAllBlocks(bits >>> 4)
    let x5 = turned(state[at + 5]!, at) ^ forAllBlocks(bits >>> 5)
    let x6 = turned(state[at + 6]!, at) ^ forAllBlocks(bits >>> 6)
    let x7 = turned(state[at + 7]!, at) ^ forAllBlocks(bits >>> 7)
    // Bit i of every byte of word j becomes bit j of the same byte of word i.
    let t = 0
    t = ((x0 >>> 1) ^ x1) & 0x55555555
    x0 ^= t << 1
    x1 ^= t
    t = ((x2 >>> 1) ^ x3) & 0x55555555
    x2 ^= t << 1
    x3 ^= t
    t = ((x4 >>> 1) ^ x5) & 0x55555555
    x4 ^= t << 1
    x5 ^= t
    t = ((x6 >>> 1) ^ x7) & 0x55555555
    x6 ^= t << 1
    x7 ^= t
    t = ((x0 >>> 2) ^ x2) & 0x33333333
    x0 ^= t << 2
    x2 ^= t
    t = ((x1 >>> 2) ^ x3) & 0x33333333
    x1 ^= t << 2
    x3 ^= t
    t = ((x4 >>> 2) ^ x6) & 0x33333333
    x4 ^= t << 2
    x6 ^= t
    t = ((x5 >>> 2) ^ x7) & 0x33333333
    x5 ^= t << 2
    x7 ^= t
    t = ((x0 >>> 4) ^ x4) & 0x0f0f0f0f
    x0 ^= t << 4
    x4 ^= t
    t = ((x1 >>> 4) ^ x5) & 0x0f0f0f0f
    x1 ^= t << 4
    x5 ^= t
    t = ((x2 >>> 4) ^ x6) & 0x0f0f0f0f
    x2 ^= t << 4
    x6 ^= t
    t = ((x3 >>> 4) ^ x7) & 0x0f0f0f0f
    x3 ^= t << 4
    x7 ^= t
    state[at] = x0
    state[at + 1] = x1
    state[at + 2] = x2
    state[at + 3] = x3
    state[at + 4] = x4
    state[at + 5] = x5
    state[at + 6] = x6
    state[at + 7] = x7
  }
}

// The AES block cipher (FIPS 197) in counter mode, bit-sliced: eight blocks at a time, for what is short, and the key schedule.
//
// Vector i of eight holds the bits i of all bytes: bit b of its byte p is that of block b at place p. Places are by rows: row r
// of the state is lane r of 32 bits, so that MixColumns moves whole lanes and ShiftRows bytes in a lane.
// A round waits for its own results most of the time. SubBytes is therefore the circuit of J. Boyar and R. Peralta, "A
// depth-16 circuit for the AES S-box" (2011): 128 gates, 15 more than that of slices.ts, one behind the other 16 and not 27.
//
// Side channels: see slices.ts.

import { INPUT, SLICES, STATE, STREAM } from "./memory"
import { and, substitute, transpose, xor } from "./slices"

export const ROUNDS: usize = INPUT + 12
/** Of GHASH: whether it takes tables in memory. */
export const CHOICE: usize = INPUT + 14
export const H: usize = INPUT + 16
/** Before it is expanded: the key. */
export const KEYS: usize = INPUT + 32
/** While a key is expanded. */
const ZEROS: usize = SLICES

/** Between the order of FIPS 197, by columns, and that by rows; its own inverse. */
@inline
function turn(block: v128): v128 {
  return i8x16.swizzle(block, i8x16(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15))
}

@inline
function shiftRows(x: v128): v128 {
  return i8x16.swizzle(x, i8x16(0, 1, 2, 3, 5, 6, 7, 4, 10, 11, 8, 9, 15, 12, 13, 14))
}

/** At row r what is in row r + 1. */
@inline
function nextRow(x: v128): v128 {
  return i8x16.shuffle(x, x, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3)
}

@inline
function secondRow(x: v128): v128 {
  return i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
}

/** Encrypts nonce || counter to nonce || counter + 7, and writes the eight blocks to STREAM. @param counter a multiple of 8 */
export function keyStream(counter: u32): void {
  // The blocks differ in the three lowest bits of the counter, which is big-endian and the last column: of its lowest byte,
  // the last one, bit 0 is that of 0, 1, 0, 1 ..., bit 1 that of 0, 0, 1, 1 ... and bit 2 that of 0, 0, 0, 0, 1 ...
  slice(STATE, turn(i32x4.replace_lane(v128.load(INPUT), 3, bswap<u32>(counter))))
  store<u8>(STATE, 0xaa, 15)
  store<u8>(STATE, 0xcc, 31)
  store<u8>(STATE, 0xf0, 47)
  encrypt()
  for (let i: usize = 0; i < 128; i += 16) v128.store(STREAM + i, turn(v128.load(STATE + i)))
}

/** Writes the eight bits of the bytes of `block`, each for all eight blocks, to `at`. */
@inline
function slice(at: usize, block: v128): void {
  // The highest bit is the sign.
  for (let bit: usize = 8; bit-- > 0; block = i8x16.add(block, block)) {
    v128.store(at + 16 * bit, i8x16.lt_s(block, i64x2.splat(0)))
  }
}

/** FIPS 197 section 5.2, in place of the key, and H = E(K, 0). The words are little-endian. */
export function expandKey(): void {
  const rounds = <u32>load<u16>(ROUNDS)
  const keyWords = rounds - 6
  let constant: u32 = 1
  for (let i = keyWords; i < 4 * (rounds + 1); i++) {
    const at = KEYS + 4 * i
    let word = load<u32>(at - 4)
    if (i % keyWords === 0) {
      word = subWord(rotr<u32>(word, 8)) ^ constant
      constant = (constant << 1) ^ ((constant >> 7) * 0x11b)
    } else if (keyWords > 6 && i % keyWords === 4) {
      word = subWord(word)
    }
    store<u32>(at, load<u32>(at - 4 * keyWords) ^ word)
  }
  memory.fill(STATE, 0, 128)
  encrypt()
  v128.store(H, turn(v128.load(STATE)))
}

function subWord(word: u32): u32 {
  memory.fill(STATE, 0, 128)
  store<u32>(STATE, word)
  transpose(STATE)
  substitute(STATE, STATE + 128, ZEROS)
  transpose(STATE)
  return load<u32>(STATE) ^ 0x63636363
}

/** Encrypts the bit-sliced blocks in STATE, and takes them out of the slices. */
function encrypt(): void {
  // The key of the next round is sliced while a round waits, anew for each call.
  const last = KEYS + 16 * <u32>load<u16>(ROUNDS)
  slice(SLICES, turn(v128.load(KEYS)))
  let q0 = xor(v128.load(STATE, 0), v128.load(SLICES, 0))
  let q1 = xor(v128.load(STATE, 16), v128.load(SLICES, 16))
  let q2 = xor(v128.load(STATE, 32), v128.load(SLICES, 32))
  let q3 = xor(v128.load(STATE, 48), v128.load(SLICES, 48))
  let q4 = xor(v128.load(STATE, 64), v128.load(SLICES, 64))
  let q5 = xor(v128.load(STATE, 80), v128.load(SLICES, 80))
  let q6 = xor(v128.load(STATE, 96), v128.load(SLICES, 96))
  let q7 = xor(v128.load(STATE, 112), v128.load(SLICES, 112))
  for (let key = KEYS + 16; ; key += 16) {
    // With the constant of SubBytes.
    slice(SLICES, xor(turn(v128.load(key)), i8x16.splat(0x63)))
    const u0 = q7
    const u1 = q6
    const u2 = q5
    const u3 = q4
    const u4 = q3
    const u5 = q2
    const u6 = q1
    const u7 = q0
    const t1 = xor(u0, u3)
    const t2 = xor(u0, u5)
    const t3 = xor(u0, u6)
    const t4 = xor(u3, u5)
    const t5 = xor(u4, u6)
    const t6 = xor(t1, t5)
    const t7 = xor(u1, u2)
    const t8 = xor(u7, t6)
    const t9 = xor(u7, t7)
    const t10 = xor(t6, t7)
    const t11 = xor(u1, u5)
    const t12 = xor(u2, u5)
    const t13 = xor(t3, t4)
    const t14 = xor(t6, t11)
    const t15 = xor(t5, t11)
    const t16 = xor(t5, t12)
    const t17 = xor(t9, t16)
    const t18 = xor(u3, u7)
    const t19 = xor(t7, t18)
    const t20 = xor(t1, t19)
    const t21 = xor(u6, u7)
    const t22 = xor(t7, t21)
    const t23 = xor(t2, t22)
    const t24 = xor(t2, t10)
    const t25 = xor(t20, t17)
    const t26 = xor(t3, t16)
    const t27 = xor(t1, t12)
    const m1 = and(t13, t6)
    const m2 = and(t23, t8)
    const m3 = xor(t14, m1)
    const m4 = and(t19, u7)
    const m5 = xor(m4, m1)
    const m6 = and(t3, t16)
    const m7 = and(t22, t9)
    const m8 = xor(t26, m6)
    const m9 = and(t20, t17)
    const m10 = xor(m9, m6)
    const m11 = and(t1, t15)
    const m12 = and(t4, t27)
    const m13 = xor(m12, m11)
    const m14 = and(t2, t10)
    const m15 = xor(m14, m11)
    const m16 = xor(m3, m2)
    const m17 = xor(m5, t24)
    const m18 = xor(m8, m7)
    const m19 = xor(m10, m15)
    const m20 = xor(m16, m13)
    const m21 = xor(m17, m15)
    const m22 = xor(m18, m13)
    const m23 = xor(m19, t25)
    const m24 = xor(m22, m23)
    const m25 = and(m22, m20)
    const m26 = xor(m21, m25)
    const m27 = xor(m20, m21)
    const m28 = xor(m23, m25)
    const m29 = and(m28, m27)
    const m30 = and(m26, m24)
    const m31 = and(m20, m23)
    const m32 = and(m27, m31)
    const m33 = xor(m27, m25)
    const m34 = and(m21, m22)
    const m35 = and(m24, m34)
    const m36 = xor(m24, m25)
    const m37 = xor(m21, m29)
    const m38 = xor(m32, m33)
    const m39 = xor(m23, m30)
    const m40 = xor(m35, m36)
    const m41 = xor(m38, m40)
    const m42 = xor(m37, m39)
    const m43 = xor(m37, m38)
    const m44 = xor(m39, m40)
    const m45 = xor(m42, m41)
    const m46 = and(m44, t6)
    const m47 = and(m40, t8)
    const m48 = and(m39, u7)
    const m49 = and(m43, t16)
    const m50 = and(m38, t9)
    const m51 = and(m37, t17)
    const m52 = and(m42, t15)
    const m53 = and(m45, t27)
    const m54 = and(m41, t10)
    const m55 = and(m44, t13)
    const m56 = and(m40, t23)
    const m57 = and(m39, t19)
    const m58 = and(m43, t3)
    const m59 = and(m38, t22)
    const m60 = and(m37, t20)
    const m61 = and(m42, t1)
    const m62 = and(m45, t4)
    const m63 = and(m41, t2)
    const l0 = xor(m61, m62)
    const l1 = xor(m50, m56)
    const l2 = xor(m46, m48)
    const l3 = xor(m47, m55)
    const l4 = xor(m54, m58)
    const l5 = xor(m49, m61)
    const l6 = xor(m62, l5)
    const l7 = xor(m46, l3)
    const l8 = xor(m51, m59)
    const l9 = xor(m52, m53)
    const l10 = xor(m53, l4)
    const l11 = xor(m60, l2)
    const l12 = xor(m48, m51)
    const l13 = xor(m50, l0)
    const l14 = xor(m52, m61)
    const l15 = xor(m55, l1)
    const l16 = xor(m56, l0)
    const l17 = xor(m57, l1)
    const l18 = xor(m58, l8)
    const l19 = xor(m63, l4)
    const l20 = xor(l0, l1)
    const l21 = xor(l1, l7)
    const l22 = xor(l3, l12)
    const l23 = xor(l18, l2)
    const l24 = xor(l15, l9)
    const l25 = xor(l6, l10)
    const l26 = xor(l7, l9)
    const l27 = xor(l8, l10)
    const l28 = xor(l11, l14)
    const l29 = xor(l11, l17)
    const a7 = shiftRows(xor(l6, l24))
    const a6 = shiftRows(xor(l16, l26))
    const a5 = shiftRows(xor(l19, l28))
    const a4 = shiftRows(xor(l6, l21))
    const a3 = shiftRows(xor(l20, l22))
    const a2 = shiftRows(xor(l25, l29))
    const a1 = shiftRows(xor(l13, l27))
    const a0 = shiftRows(xor(l6, l23))
    if (key === last) {
      v128.store(STATE, xor(a0, v128.load(SLICES, 0)), 0)
      v128.store(STATE, xor(a1, v128.load(SLICES, 16)), 16)
      v128.store(STATE, xor(a2, v128.load(SLICES, 32)), 32)
      v128.store(STATE, xor(a3, v128.load(SLICES, 48)), 48)
      v128.store(STATE, xor(a4, v128.load(SLICES, 64)), 64)
      v128.store(STATE, xor(a5, v128.load(SLICES, 80)), 80)
      v128.store(STATE, xor(a6, v128.load(SLICES, 96)), 96)
      v128.store(STATE, xor(a7, v128.load(SLICES, 112)), 112)
      break
    }
    // MixColumns: 2 (row + next) + next + (the same two rows further).
    const b0 = nextRow(a0)
    const b1 = nextRow(a1)
    const b2 = nextRow(a2)
    const b3 = nextRow(a3)
    const b4 = nextRow(a4)
    const b5 = nextRow(a5)
    const b6 = nextRow(a6)
    const b7 = nextRow(a7)
    const c0 = xor(a0, b0)
    const c1 = xor(a1, b1)
    const c2 = xor(a2, b2)
    const c3 = xor(a3, b3)
    const c4 = xor(a4, b4)
    const c5 = xor(a5, b5)
    const c6 = xor(a6, b6)
    const c7 = xor(a7, b7)
    q0 = xor(xor(c7, b0), xor(secondRow(c0), v128.load(SLICES, 0)))
    q1 = xor(xor(xor(c0, c7), b1), xor(secondRow(c1), v128.load(SLICES, 16)))
    q2 = xor(xor(c1, b2), xor(secondRow(c2), v128.load(SLICES, 32)))
    q3 = xor(xor(xor(c2, c7), b3), xor(secondRow(c3), v128.load(SLICES, 48)))
    q4 = xor(xor(xor(c3, c7), b4), xor(secondRow(c4), v128.load(SLICES, 64)))
    q5 = xor(xor(c4, b5), xor(secondRow(c5), v128.load(SLICES, 80)))
    q6 = xor(xor(c5, b6), xor(secondRow(c6), v128.load(SLICES, 96)))
    q7 = xor(xor(c6, b7), xor(secondRow(c7), v128.load(SLICES, 112)))
  }
  transpose(STATE)
}

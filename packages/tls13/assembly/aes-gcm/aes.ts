// The AES block cipher (FIPS 197) in counter mode, bit-sliced: eight blocks at a time, without tables.
//
// Vector i of eight holds the bits i of all bytes: bit b of its byte p is that of block b at place p. Places are by rows: row r
// of the state is lane r of 32 bits, so that MixColumns moves whole lanes and ShiftRows bytes in a lane.
// SubBytes is the circuit of J. Boyar and R. Peralta, "A new combinational logic minimization technique with applications
// to cryptology" (SEA 2010); the complements at its end are moved into the round keys.
//
// Side channels: logic and moves of whole vectors, in which only constants say what goes where; no table, no address and no
// branch depends on the key or the data.

import { INPUT, SLICES, STATE, STREAM } from "./memory"

const ROUNDS: usize = INPUT + 12
export const H: usize = INPUT + 16
/** Before it is expanded: the key. */
const KEYS: usize = INPUT + 32

@inline
function xor(a: v128, b: v128): v128 {
  return v128.xor(a, b)
}

@inline
function and(a: v128, b: v128): v128 {
  return v128.and(a, b)
}

/** Between the order of FIPS 197, by columns, and that by rows; its own inverse. */
@inline
function turn(block: v128): v128 {
  return i8x16.shuffle(block, block, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)
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
  encrypt(load<u32>(ROUNDS))
  transpose()
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

/** Bit-slices the round keys of INPUT. */
export function sliceKeys(): void {
  const rounds = load<u32>(ROUNDS)
  let to = SLICES
  for (let round: u32 = 0; round <= rounds; round++, to += 128) {
    let key = turn(v128.load(KEYS + 16 * round))
    if (round > 0) key = xor(key, i8x16.splat(0x63))
    slice(to, key)
  }
}

/** FIPS 197 section 5.2, in place of the key, and H = E(K, 0). The words are little-endian. */
export function expandKey(): void {
  const rounds = load<u32>(ROUNDS)
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
  sliceKeys()
  memory.fill(STATE, 0, 128)
  encrypt(rounds)
  transpose()
  v128.store(H, turn(v128.load(STATE)))
}

/** One round with keys of zeros is SubBytes and ShiftRows, and the first row is not shifted. */
function subWord(word: u32): u32 {
  memory.fill(STATE, 0, 128)
  store<u32>(STATE, word)
  transpose()
  encrypt(1)
  transpose()
  return load<u32>(STATE) ^ 0x63636363
}

/** Encrypts the bit-sliced blocks in STATE with the keys in SLICES. */
function encrypt(rounds: u32): void {
  let q0 = xor(v128.load(STATE, 0), v128.load(SLICES, 0))
  let q1 = xor(v128.load(STATE, 16), v128.load(SLICES, 16))
  let q2 = xor(v128.load(STATE, 32), v128.load(SLICES, 32))
  let q3 = xor(v128.load(STATE, 48), v128.load(SLICES, 48))
  let q4 = xor(v128.load(STATE, 64), v128.load(SLICES, 64))
  let q5 = xor(v128.load(STATE, 80), v128.load(SLICES, 80))
  let q6 = xor(v128.load(STATE, 96), v128.load(SLICES, 96))
  let q7 = xor(v128.load(STATE, 112), v128.load(SLICES, 112))
  let key = SLICES
  for (let round: u32 = 1; ; round++) {
    key += 128
    const x0 = q7
    const x1 = q6
    const x2 = q5
    const x3 = q4
    const x4 = q3
    const x5 = q2
    const x6 = q1
    const x7 = q0
    const y14 = xor(x3, x5)
    const y13 = xor(x0, x6)
    const y9 = xor(x0, x3)
    const y8 = xor(x0, x5)
    const t0 = xor(x1, x2)
    const y1 = xor(t0, x7)
    const y4 = xor(y1, x3)
    const y12 = xor(y13, y14)
    const y2 = xor(y1, x0)
    const y5 = xor(y1, x6)
    const y3 = xor(y5, y8)
    const t1 = xor(x4, y12)
    const y15 = xor(t1, x5)
    const y20 = xor(t1, x1)
    const y6 = xor(y15, x7)
    const y10 = xor(y15, t0)
    const y11 = xor(y20, y9)
    const y7 = xor(x7, y11)
    const y17 = xor(y10, y11)
    const y19 = xor(y10, y8)
    const y16 = xor(t0, y11)
    const y21 = xor(y13, y16)
    const y18 = xor(x0, y16)
    const t2 = and(y12, y15)
    const t4 = xor(and(y3, y6), t2)
    const t6 = xor(and(y4, x7), t2)
    const t7 = and(y13, y16)
    const t9 = xor(and(y5, y1), t7)
    const t11 = xor(and(y2, y7), t7)
    const t12 = and(y9, y11)
    const t14 = xor(and(y14, y17), t12)
    const t16 = xor(and(y8, y10), t12)
    const t21 = xor(xor(t4, t14), y20)
    const t22 = xor(xor(t6, t16), y19)
    const t23 = xor(xor(t9, t14), y21)
    const t24 = xor(xor(t11, t16), y18)
    const t25 = xor(t21, t22)
    const t26 = and(t21, t23)
    const t27 = xor(t24, t26)
    const t29 = xor(and(t25, t27), t22)
    const t30 = xor(t23, t24)
    const t31 = xor(t22, t26)
    const t33 = xor(and(t31, t30), t24)
    const t34 = xor(t23, t33)
    const t35 = xor(t27, t33)
    const t36 = and(t24, t35)
    const t37 = xor(t36, t34)
    const t38 = xor(t27, t36)
    const t40 = xor(t25, and(t29, t38))
    const t41 = xor(t40, t37)
    const t42 = xor(t29, t33)
    const t43 = xor(t29, t40)
    const t44 = xor(t33, t37)
    const t45 = xor(t42, t41)
    const z0 = and(t44, y15)
    const z1 = and(t37, y6)
    const z2 = and(t33, x7)
    const z3 = and(t43, y16)
    const z4 = and(t40, y1)
    const z5 = and(t29, y7)
    const z6 = and(t42, y11)
    const z7 = and(t45, y17)
    const z8 = and(t41, y10)
    const z9 = and(t44, y12)
    const z10 = and(t37, y3)
    const z11 = and(t33, y4)
    const z12 = and(t43, y13)
    const z13 = and(t40, y5)
    const z14 = and(t29, y2)
    const z15 = and(t42, y9)
    const z16 = and(t45, y14)
    const z17 = and(t41, y8)
    const t46 = xor(z15, z16)
    const t48 = xor(z5, z13)
    const t53 = xor(z0, z3)
    const t54 = xor(z6, z7)
    const t57 = xor(xor(z2, z12), t53)
    const t58 = xor(z4, t46)
    const t59 = xor(z3, t54)
    const t61 = xor(z14, t57)
    const t62 = xor(xor(z7, z8), t58)
    const t63 = xor(xor(z9, z10), t58)
    const t64 = xor(z4, t59)
    const t65 = xor(t61, t62)
    const t66 = xor(z1, t63)
    const s3 = xor(t53, t66)
    const a7 = shiftRows(xor(t59, t63))
    const a6 = shiftRows(xor(t64, s3))
    const a5 = shiftRows(xor(xor(xor(z16, z17), t64), t65))
    const a4 = shiftRows(s3)
    const a3 = shiftRows(xor(xor(z2, z5), t66))
    const a2 = shiftRows(xor(xor(z10, z11), t65))
    const a1 = shiftRows(xor(xor(z12, t48), t62))
    const a0 = shiftRows(xor(xor(t48, t46), t57))
    if (round === rounds) {
      v128.store(STATE, xor(a0, v128.load(key, 0)), 0)
      v128.store(STATE, xor(a1, v128.load(key, 16)), 16)
      v128.store(STATE, xor(a2, v128.load(key, 32)), 32)
      v128.store(STATE, xor(a3, v128.load(key, 48)), 48)
      v128.store(STATE, xor(a4, v128.load(key, 64)), 64)
      v128.store(STATE, xor(a5, v128.load(key, 80)), 80)
      v128.store(STATE, xor(a6, v128.load(key, 96)), 96)
      v128.store(STATE, xor(a7, v128.load(key, 112)), 112)
      return
    }
    // MixColumns: 2 (a + next) + next + (the same two rows further).
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
    q0 = xor(xor(c7, b0), xor(secondRow(c0), v128.load(key, 0)))
    q1 = xor(xor(xor(c0, c7), b1), xor(secondRow(c1), v128.load(key, 16)))
    q2 = xor(xor(c1, b2), xor(secondRow(c2), v128.load(key, 32)))
    q3 = xor(xor(xor(c2, c7), b3), xor(secondRow(c3), v128.load(key, 48)))
    q4 = xor(xor(xor(c3, c7), b4), xor(secondRow(c4), v128.load(key, 64)))
    q5 = xor(xor(c4, b5), xor(secondRow(c5), v128.load(key, 80)))
    q6 = xor(xor(c5, b6), xor(secondRow(c6), v128.load(key, 96)))
    q7 = xor(xor(c6, b7), xor(secondRow(c7), v128.load(key, 112)))
  }
}

/** Bit i of every byte of vector j becomes bit j of the same byte of vector i; its own inverse. */
function transpose(): void {
  const odd = i8x16.splat(0x55)
  const pairs = i8x16.splat(0x33)
  const nibbles = i8x16.splat(0x0f)
  let swap: v128
  let q0 = v128.load(STATE, 0)
  let q1 = v128.load(STATE, 16)
  let q2 = v128.load(STATE, 32)
  let q3 = v128.load(STATE, 48)
  let q4 = v128.load(STATE, 64)
  let q5 = v128.load(STATE, 80)
  let q6 = v128.load(STATE, 96)
  let q7 = v128.load(STATE, 112)
  swap = and(xor(i64x2.shr_u(q0, 1), q1), odd)
  q0 = xor(q0, i64x2.shl(swap, 1))
  q1 = xor(q1, swap)
  swap = and(xor(i64x2.shr_u(q2, 1), q3), odd)
  q2 = xor(q2, i64x2.shl(swap, 1))
  q3 = xor(q3, swap)
  swap = and(xor(i64x2.shr_u(q4, 1), q5), odd)
  q4 = xor(q4, i64x2.shl(swap, 1))
  q5 = xor(q5, swap)
  swap = and(xor(i64x2.shr_u(q6, 1), q7), odd)
  q6 = xor(q6, i64x2.shl(swap, 1))
  q7 = xor(q7, swap)
  swap = and(xor(i64x2.shr_u(q0, 2), q2), pairs)
  q0 = xor(q0, i64x2.shl(swap, 2))
  q2 = xor(q2, swap)
  swap = and(xor(i64x2.shr_u(q1, 2), q3), pairs)
  q1 = xor(q1, i64x2.shl(swap, 2))
  q3 = xor(q3, swap)
  swap = and(xor(i64x2.shr_u(q4, 2), q6), pairs)
  q4 = xor(q4, i64x2.shl(swap, 2))
  q6 = xor(q6, swap)
  swap = and(xor(i64x2.shr_u(q5, 2), q7), pairs)
  q5 = xor(q5, i64x2.shl(swap, 2))
  q7 = xor(q7, swap)
  swap = and(xor(i64x2.shr_u(q0, 4), q4), nibbles)
  q0 = xor(q0, i64x2.shl(swap, 4))
  q4 = xor(q4, swap)
  swap = and(xor(i64x2.shr_u(q1, 4), q5), nibbles)
  q1 = xor(q1, i64x2.shl(swap, 4))
  q5 = xor(q5, swap)
  swap = and(xor(i64x2.shr_u(q2, 4), q6), nibbles)
  q2 = xor(q2, i64x2.shl(swap, 4))
  q6 = xor(q6, swap)
  swap = and(xor(i64x2.shr_u(q3, 4), q7), nibbles)
  q3 = xor(q3, i64x2.shl(swap, 4))
  q7 = xor(q7, swap)
  v128.store(STATE, q0, 0)
  v128.store(STATE, q1, 16)
  v128.store(STATE, q2, 32)
  v128.store(STATE, q3, 48)
  v128.store(STATE, q4, 64)
  v128.store(STATE, q5, 80)
  v128.store(STATE, q6, 96)
  v128.store(STATE, q7, 112)
}

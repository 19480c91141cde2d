// The AES block cipher (FIPS 197), bit-sliced: two blocks at a time, without tables.
//
// Eight 32-bit words hold the two blocks, word i the bit i of each byte. Bit 8*row + 2*column + block of a word is that
// byte's place in the state, so a round works on all 32 bytes with the same few operations.
// SubBytes is the circuit of J. Boyar and R. Peralta, "A new combinational logic minimization technique with
// applications to cryptology" (SEA 2010); the complements at its end are moved into the round keys.
// ShiftRows is not computed: the state of round r is kept with its rows shifted r times too little, MixColumns takes its
// neighbours from there, the round keys are stored in the same way, and what is left after the last round (two shifts)
// is put right when the blocks are written. The idea is the "fixslicing" of A. Adomnicai and T. Peyrin (CHES 2021).
//
// Side channels: no table and no branch depends on the key or the data, so neither cache nor branch predictor learns
// anything.

import { transpose, WORDS } from "./aes-bitsliced-key.ts"

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
  return { states: new Int32Array(128 * WORDS), difference: new Int32Array(WORDS), upper: 0 }
}

/**
 * AES in counter mode: encrypts nonce || counter and nonce || counter + 1 to `out`, four words each. Words are
 * little-endian: a block's first byte is lowest.
 * @param keys of `expandKey`
 * @param state scratch of eight words
 * @param kept for a text whose counters are even and begin with 2; its states are of the same text
 */
export function encryptCounters(
  keys: Int32Array,
  state: Int32Array,
  n0: number,
  n1: number,
  n2: number,
  counter: number,
  out: Int32Array,
  kept?: KeptStates,
): void {
  if (kept === undefined) {
    begin(keys, state, n0, n1, n2, counter)
    encrypt(keys, state, WORDS, 0)
  } else {
    twoRounds(keys, state, n0, n1, n2, counter, kept)
    encrypt(keys, state, 3 * WORDS, 0)
  }
  transpose(state)
  // The two ShiftRows that are left: rows 1 and 3 of a column stand two columns further.
  for (let block = 0; block < 2; block++) {
    for (let column = 0; column < 4; column++) {
      const own = state[2 * column + block]!
      const other = state[2 * (column ^ 2) + block]!
      out[4 * block + column] = (own & 0x00ff00ff) | (other & 0xff00ff00)
    }
  }
}

/** The blocks, bit-sliced, and the first round key. */
function begin(keys: Int32Array, state: Int32Array, n0: number, n1: number, n2: number, counter: number): void {
  state[0] = state[1] = n0
  state[2] = state[3] = n1
  state[4] = state[5] = n2
  state[6] = swapBytes(counter)
  state[7] = swapBytes(counter + 1)
  transpose(state)
  for (let i = 0; i < WORDS; i++) state[i]! ^= keys[i]!
}

function twoRounds(
  keys: Int32Array,
  state: Int32Array,
  n0: number,
  n1: number,
  n2: number,
  counter: number,
  kept: KeptStates,
): void {
  const { states, difference } = kept
  const upper = counter >>> 8
  const at = (WORDS / 2) * (counter & 255)
  // The first counter is 2, so that what stands for 0 and 1 is not kept.
  if (upper > 0 && upper === kept.upper && at > 0) {
    for (let i = 0; i < WORDS; i++) state[i] = states[at + i]! ^ difference[i]!
    return
  }
  begin(keys, state, n0, n1, n2, counter)
  encrypt(keys, state, WORDS, 2 * WORDS)
  if (upper === 0) {
    for (let i = 0; i < WORDS; i++) states[at + i] = state[i]!
  } else if (at > 0) {
    for (let i = 0; i < WORDS; i++) difference[i] = states[at + i]! ^ state[i]!
    kept.upper = upper
  }
}

function swapBytes(word: number): number {
  return (rotate(word, 8) & 0xff00ff00) | (rotate(word, 24) & 0x00ff00ff)
}

/** To the right. */
function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by))
}

/**
 * Makes rounds of the two bit-sliced blocks in `state` in place.
 * @param keys of `expandKey`
 * @param first where in them the key of the first round is
 * @param last where that of the last one is, or 0: to the end
 */
function encrypt(keys: Int32Array, state: Int32Array, first: number, last: number): void {
  let q0 = state[0]!
  let q1 = state[1]!
  let q2 = state[2]!
  let q3 = state[3]!
  let q4 = state[4]!
  let q5 = state[5]!
  let q6 = state[6]!
  let q7 = state[7]!
  let v = 0
  let u0 = 0
  let v0 = 0
  let u1 = 0
  let v1 = 0
  let u2 = 0
  let v2 = 0
  let u3 = 0
  let v3 = 0
  let u4 = 0
  let v4 = 0
  let u5 = 0
  let v5 = 0
  let u6 = 0
  let v6 = 0
  let u7 = 0
  let v7 = 0
  const end = keys.length - WORDS
  for (let k = first; ; k += WORDS) {
    const x0 = q7
    const x1 = q6
    const x2 = q5
    const x3 = q4
    const x4 = q3
    const x5 = q2
    const x6 = q1
    const x7 = q0
    const y14 = x3 ^ x5
    const y13 = x0 ^ x6
    const y9 = x0 ^ x3
    const y8 = x0 ^ x5
    const t0 = x1 ^ x2
    const y1 = t0 ^ x7
    const y4 = y1 ^ x3
    const y12 = y13 ^ y14
    const y2 = y1 ^ x0
    const y5 = y1 ^ x6
    const y3 = y5 ^ y8
    const t1 = x4 ^ y12
    const y15 = t1 ^ x5
    const y20 = t1 ^ x1
    const y6 = y15 ^ x7
    const y10 = y15 ^ t0
    const y11 = y20 ^ y9
    const y7 = x7 ^ y11
    const y17 = y10 ^ y11
    const y19 = y10 ^ y8
    const y16 = t0 ^ y11
    const y21 = y13 ^ y16
    const y18 = x0 ^ y16
    const t2 = y12 & y15
    const t4 = (y3 & y6) ^ t2
    const t6 = (y4 & x7) ^ t2
    const t7 = y13 & y16
    const t9 = (y5 & y1) ^ t7
    const t11 = (y2 & y7) ^ t7
    const t12 = y9 & y11
    const t14 = (y14 & y17) ^ t12
    const t16 = (y8 & y10) ^ t12
    const t21 = t4 ^ t14 ^ y20
    const t22 = t6 ^ t16 ^ y19
    const t23 = t9 ^ t14 ^ y21
    const t24 = t11 ^ t16 ^ y18
    const t25 = t21 ^ t22
    const t26 = t21 & t23
    const t27 = t24 ^ t26
    const t29 = (t25 & t27) ^ t22
    const t30 = t23 ^ t24
    const t31 = t22 ^ t26
    const t33 = (t31 & t30) ^ t24
    const t34 = t23 ^ t33
    const t35 = t27 ^ t33
    const t36 = t24 & t35
    const t37 = t36 ^ t34
    const t38 = t27 ^ t36
    const t40 = t25 ^ (t29 & t38)
    const t41 = t40 ^ t37
    const t42 = t29 ^ t33
    const t43 = t29 ^ t40
    const t44 = t33 ^ t37
    const t45 = t42 ^ t41
    const z0 = t44 & y15
    const z1 = t37 & y6
    const z2 = t33 & x7
    const z3 = t43 & y16
    const z4 = t40 & y1
    const z5 = t29 & y7
    const z6 = t42 & y11
    const z7 = t45 & y17
    const z8 = t41 & y10
    const z9 = t44 & y12
    const z10 = t37 & y3
    const z11 = t33 & y4
    const z12 = t43 & y13
    const z13 = t40 & y5
    const z14 = t29 & y2
    const z15 = t42 & y9
    const z16 = t45 & y14
    const z17 = t41 & y8
    const t46 = z15 ^ z16
    const t48 = z5 ^ z13
    const t53 = z0 ^ z3
    const t54 = z6 ^ z7
    const t57 = z2 ^ z12 ^ t53
    const t58 = z4 ^ t46
    const t59 = z3 ^ t54
    const t61 = z14 ^ t57
    const t62 = z7 ^ z8 ^ t58
    const t63 = z9 ^ z10 ^ t58
    const t64 = z4 ^ t59
    const t65 = t61 ^ t62
    const t66 = z1 ^ t63
    const s3 = t53 ^ t66
    q7 = t59 ^ t63
    q6 = t64 ^ s3
    q5 = z16 ^ z17 ^ t64 ^ t65
    q4 = s3
    q3 = z2 ^ z5 ^ t66
    q2 = z10 ^ z11 ^ t65
    q1 = z12 ^ t48 ^ t62
    q0 = t48 ^ t46 ^ t57
    if (k === end) break
    // MixColumns among rows that are shifted (round modulo 4) times too little.
    switch ((k / WORDS) & 3) {
      case 0:
        u0 = (q0 >>> 8) | (q0 << 24)
        u1 = (q1 >>> 8) | (q1 << 24)
        u2 = (q2 >>> 8) | (q2 << 24)
        u3 = (q3 >>> 8) | (q3 << 24)
        u4 = (q4 >>> 8) | (q4 << 24)
        u5 = (q5 >>> 8) | (q5 << 24)
        u6 = (q6 >>> 8) | (q6 << 24)
        u7 = (q7 >>> 8) | (q7 << 24)
        v = q0 ^ u0
        v0 = (v >>> 16) | (v << 16)
        v = q1 ^ u1
        v1 = (v >>> 16) | (v << 16)
        v = q2 ^ u2
        v2 = (v >>> 16) | (v << 16)
        v = q3 ^ u3
        v3 = (v >>> 16) | (v << 16)
        v = q4 ^ u4
        v4 = (v >>> 16) | (v << 16)
        v = q5 ^ u5
        v5 = (v >>> 16) | (v << 16)
        v = q6 ^ u6
        v6 = (v >>> 16) | (v << 16)
        v = q7 ^ u7
        v7 = (v >>> 16) | (v << 16)
        break
      case 1:
        u0 = rotate(q0 & 0xfcfcfcfc, 10) | rotate(q0 & 0x03030303, 2)
        u1 = rotate(q1 & 0xfcfcfcfc, 10) | rotate(q1 & 0x03030303, 2)
        u2 = rotate(q2 & 0xfcfcfcfc, 10) | rotate(q2 & 0x03030303, 2)
        u3 = rotate(q3 & 0xfcfcfcfc, 10) | rotate(q3 & 0x03030303, 2)
        u4 = rotate(q4 & 0xfcfcfcfc, 10) | rotate(q4 & 0x03030303, 2)
        u5 = rotate(q5 & 0xfcfcfcfc, 10) | rotate(q5 & 0x03030303, 2)
        u6 = rotate(q6 & 0xfcfcfcfc, 10) | rotate(q6 & 0x03030303, 2)
        u7 = rotate(q7 & 0xfcfcfcfc, 10) | rotate(q7 & 0x03030303, 2)
        v = q0 ^ u0
        v0 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q1 ^ u1
        v1 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q2 ^ u2
        v2 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q3 ^ u3
        v3 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q4 ^ u4
        v4 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q5 ^ u5
        v5 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q6 ^ u6
        v6 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q7 ^ u7
        v7 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        break
      case 2:
        u0 = rotate(q0 & 0xf0f0f0f0, 12) | rotate(q0 & 0x0f0f0f0f, 4)
        u1 = rotate(q1 & 0xf0f0f0f0, 12) | rotate(q1 & 0x0f0f0f0f, 4)
        u2 = rotate(q2 & 0xf0f0f0f0, 12) | rotate(q2 & 0x0f0f0f0f, 4)
        u3 = rotate(q3 & 0xf0f0f0f0, 12) | rotate(q3 & 0x0f0f0f0f, 4)
        u4 = rotate(q4 & 0xf0f0f0f0, 12) | rotate(q4 & 0x0f0f0f0f, 4)
        u5 = rotate(q5 & 0xf0f0f0f0, 12) | rotate(q5 & 0x0f0f0f0f, 4)
        u6 = rotate(q6 & 0xf0f0f0f0, 12) | rotate(q6 & 0x0f0f0f0f, 4)
        u7 = rotate(q7 & 0xf0f0f0f0, 12) | rotate(q7 & 0x0f0f0f0f, 4)
        v = q0 ^ u0
        v0 = (v >>> 16) | (v << 16)
        v = q1 ^ u1
        v1 = (v >>> 16) | (v << 16)
        v = q2 ^ u2
        v2 = (v >>> 16) | (v << 16)
        v = q3 ^ u3
        v3 = (v >>> 16) | (v << 16)
        v = q4 ^ u4
        v4 = (v >>> 16) | (v << 16)
        v = q5 ^ u5
        v5 = (v >>> 16) | (v << 16)
        v = q6 ^ u6
        v6 = (v >>> 16) | (v << 16)
        v = q7 ^ u7
        v7 = (v >>> 16) | (v << 16)
        break
      default:
        u0 = rotate(q0 & 0xc0c0c0c0, 14) | rotate(q0 & 0x3f3f3f3f, 6)
        u1 = rotate(q1 & 0xc0c0c0c0, 14) | rotate(q1 & 0x3f3f3f3f, 6)
        u2 = rotate(q2 & 0xc0c0c0c0, 14) | rotate(q2 & 0x3f3f3f3f, 6)
        u3 = rotate(q3 & 0xc0c0c0c0, 14) | rotate(q3 & 0x3f3f3f3f, 6)
        u4 = rotate(q4 & 0xc0c0c0c0, 14) | rotate(q4 & 0x3f3f3f3f, 6)
        u5 = rotate(q5 & 0xc0c0c0c0, 14) | rotate(q5 & 0x3f3f3f3f, 6)
        u6 = rotate(q6 & 0xc0c0c0c0, 14) | rotate(q6 & 0x3f3f3f3f, 6)
        u7 = rotate(q7 & 0xc0c0c0c0, 14) | rotate(q7 & 0x3f3f3f3f, 6)
        v = q0 ^ u0
        v0 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q1 ^ u1
        v1 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q2 ^ u2
        v2 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q3 ^ u3
        v3 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q4 ^ u4
        v4 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q5 ^ u5
        v5 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q6 ^ u6
        v6 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
        v = q7 ^ u7
        v7 = rotate(v & 0xf0f0f0f0, 20) | rotate(v & 0x0f0f0f0f, 12)
    }
    const n0 = q7 ^ u7 ^ u0 ^ v0 ^ keys[k + 0]!
    const n1 = q0 ^ u0 ^ q7 ^ u7 ^ u1 ^ v1 ^ keys[k + 1]!
    const n2 = q1 ^ u1 ^ u2 ^ v2 ^ keys[k + 2]!
    const n3 = q2 ^ u2 ^ q7 ^ u7 ^ u3 ^ v3 ^ keys[k + 3]!
    const n4 = q3 ^ u3 ^ q7 ^ u7 ^ u4 ^ v4 ^ keys[k + 4]!
    const n5 = q4 ^ u4 ^ u5 ^ v5 ^ keys[k + 5]!
    const n6 = q5 ^ u5 ^ u6 ^ v6 ^ keys[k + 6]!
    const n7 = q6 ^ u6 ^ u7 ^ v7 ^ keys[k + 7]!
    q0 = n0
    q1 = n1
    q2 = n2
    q3 = n3
    q4 = n4
    q5 = n5
    q6 = n6
    q7 = n7
    if (k === last) {
      state[0] = q0
      state[1] = q1
      state[2] = q2
      state[3] = q3
      state[4] = q4
      state[5] = q5
      state[6] = q6
      state[7] = q7
      return
    }
  }
  state[0] = q0 ^ keys[end + 0]!
  state[1] = q1 ^ keys[end + 1]!
  state[2] = q2 ^ keys[end + 2]!
  state[3] = q3 ^ keys[end + 3]!
  state[4] = q4 ^ keys[end + 4]!
  state[5] = q5 ^ keys[end + 5]!
  state[6] = q6 ^ keys[end + 6]!
  state[7] = q7 ^ keys[end + 7]!
}

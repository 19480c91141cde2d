// Keccak-f[1600] (FIPS 202 section 3.3) of two states at once: word i of both is one vector, the first state's in the
// lower half. Two take a third more time than one does on 64-bit integers, and ML-KEM nearly always has two.
//
// Side channels: additions modulo 2, "and" and shifts by constants; no branch but the count of rounds.

/** Bytes of a word of both states. */
export const WORD: usize = 16
/** Two states of 25 words. */
export const STATE: usize = memory.data(400, 16)

/** Of the step iota, a round's each. */
const CONSTANTS: usize = memory.data<u64>([
  0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
  0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
  0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
  0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
  0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
])

/** Both states go through the 24 rounds: theta, rho and pi, chi, iota. */
export function permute(): void {
  let a0 = v128.load(STATE)
  let a1 = v128.load(STATE, 16)
  let a2 = v128.load(STATE, 32)
  let a3 = v128.load(STATE, 48)
  let a4 = v128.load(STATE, 64)
  let a5 = v128.load(STATE, 80)
  let a6 = v128.load(STATE, 96)
  let a7 = v128.load(STATE, 112)
  let a8 = v128.load(STATE, 128)
  let a9 = v128.load(STATE, 144)
  let a10 = v128.load(STATE, 160)
  let a11 = v128.load(STATE, 176)
  let a12 = v128.load(STATE, 192)
  let a13 = v128.load(STATE, 208)
  let a14 = v128.load(STATE, 224)
  let a15 = v128.load(STATE, 240)
  let a16 = v128.load(STATE, 256)
  let a17 = v128.load(STATE, 272)
  let a18 = v128.load(STATE, 288)
  let a19 = v128.load(STATE, 304)
  let a20 = v128.load(STATE, 320)
  let a21 = v128.load(STATE, 336)
  let a22 = v128.load(STATE, 352)
  let a23 = v128.load(STATE, 368)
  let a24 = v128.load(STATE, 384)
  for (let round: usize = 0; round < 24; round++) {
    const c0 = v128.xor(v128.xor(v128.xor(v128.xor(a0, a5), a10), a15), a20)
    const c1 = v128.xor(v128.xor(v128.xor(v128.xor(a1, a6), a11), a16), a21)
    const c2 = v128.xor(v128.xor(v128.xor(v128.xor(a2, a7), a12), a17), a22)
    const c3 = v128.xor(v128.xor(v128.xor(v128.xor(a3, a8), a13), a18), a23)
    const c4 = v128.xor(v128.xor(v128.xor(v128.xor(a4, a9), a14), a19), a24)
    const d0 = v128.xor(c4, turn(c1, 1))
    const d1 = v128.xor(c0, turn(c2, 1))
    const d2 = v128.xor(c1, turn(c3, 1))
    const d3 = v128.xor(c2, turn(c4, 1))
    const d4 = v128.xor(c3, turn(c0, 1))
    const b0 = v128.xor(a0, d0)
    const b1 = turn(v128.xor(a6, d1), 44)
    const b2 = turn(v128.xor(a12, d2), 43)
    const b3 = turn(v128.xor(a18, d3), 21)
    const b4 = turn(v128.xor(a24, d4), 14)
    const b5 = turn(v128.xor(a3, d3), 28)
    const b6 = turn(v128.xor(a9, d4), 20)
    const b7 = turn(v128.xor(a10, d0), 3)
    const b8 = turn(v128.xor(a16, d1), 45)
    const b9 = turn(v128.xor(a22, d2), 61)
    const b10 = turn(v128.xor(a1, d1), 1)
    const b11 = turn(v128.xor(a7, d2), 6)
    const b12 = turn(v128.xor(a13, d3), 25)
    const b13 = turn(v128.xor(a19, d4), 8)
    const b14 = turn(v128.xor(a20, d0), 18)
    const b15 = turn(v128.xor(a4, d4), 27)
    const b16 = turn(v128.xor(a5, d0), 36)
    const b17 = turn(v128.xor(a11, d1), 10)
    const b18 = turn(v128.xor(a17, d2), 15)
    const b19 = turn(v128.xor(a23, d3), 56)
    const b20 = turn(v128.xor(a2, d2), 62)
    const b21 = turn(v128.xor(a8, d3), 55)
    const b22 = turn(v128.xor(a14, d4), 39)
    const b23 = turn(v128.xor(a15, d0), 41)
    const b24 = turn(v128.xor(a21, d1), 2)
    a0 = v128.xor(v128.xor(b0, v128.andnot(b2, b1)), i64x2.splat(load<u64>(CONSTANTS + 8 * round)))
    a1 = v128.xor(b1, v128.andnot(b3, b2))
    a2 = v128.xor(b2, v128.andnot(b4, b3))
    a3 = v128.xor(b3, v128.andnot(b0, b4))
    a4 = v128.xor(b4, v128.andnot(b1, b0))
    a5 = v128.xor(b5, v128.andnot(b7, b6))
    a6 = v128.xor(b6, v128.andnot(b8, b7))
    a7 = v128.xor(b7, v128.andnot(b9, b8))
    a8 = v128.xor(b8, v128.andnot(b5, b9))
    a9 = v128.xor(b9, v128.andnot(b6, b5))
    a10 = v128.xor(b10, v128.andnot(b12, b11))
    a11 = v128.xor(b11, v128.andnot(b13, b12))
    a12 = v128.xor(b12, v128.andnot(b14, b13))
    a13 = v128.xor(b13, v128.andnot(b10, b14))
    a14 = v128.xor(b14, v128.andnot(b11, b10))
    a15 = v128.xor(b15, v128.andnot(b17, b16))
    a16 = v128.xor(b16, v128.andnot(b18, b17))
    a17 = v128.xor(b17, v128.andnot(b19, b18))
    a18 = v128.xor(b18, v128.andnot(b15, b19))
    a19 = v128.xor(b19, v128.andnot(b16, b15))
    a20 = v128.xor(b20, v128.andnot(b22, b21))
    a21 = v128.xor(b21, v128.andnot(b23, b22))
    a22 = v128.xor(b22, v128.andnot(b24, b23))
    a23 = v128.xor(b23, v128.andnot(b20, b24))
    a24 = v128.xor(b24, v128.andnot(b21, b20))
  }
  v128.store(STATE, a0)
  v128.store(STATE, a1, 16)
  v128.store(STATE, a2, 32)
  v128.store(STATE, a3, 48)
  v128.store(STATE, a4, 64)
  v128.store(STATE, a5, 80)
  v128.store(STATE, a6, 96)
  v128.store(STATE, a7, 112)
  v128.store(STATE, a8, 128)
  v128.store(STATE, a9, 144)
  v128.store(STATE, a10, 160)
  v128.store(STATE, a11, 176)
  v128.store(STATE, a12, 192)
  v128.store(STATE, a13, 208)
  v128.store(STATE, a14, 224)
  v128.store(STATE, a15, 240)
  v128.store(STATE, a16, 256)
  v128.store(STATE, a17, 272)
  v128.store(STATE, a18, 288)
  v128.store(STATE, a19, 304)
  v128.store(STATE, a20, 320)
  v128.store(STATE, a21, 336)
  v128.store(STATE, a22, 352)
  v128.store(STATE, a23, 368)
  v128.store(STATE, a24, 384)
}

// @ts-ignore: decorator
@inline
function turn(words: v128, by: i32): v128 {
  return v128.or(i64x2.shl(words, by), i64x2.shr_u(words, 64 - by))
}

export function forgetStates(): void {
  memory.fill(STATE, 0, 25 * WORD)
}

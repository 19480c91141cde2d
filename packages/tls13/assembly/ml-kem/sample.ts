// Samples of ML-KEM (FIPS 203 section 4.2.2), two at a time. The matrix is made of a public seed, and what is rejected
// of it shows in its time; noise is made of secrets, always by the same operations.

import { forgetStates, permute, STATE, WORD } from "./keccak"
import { POLYNOMIAL } from "./polynomials"
import { putNoiseSeed, putSeed, RATE_128, SHAKE, squeeze } from "./sponge"

const Q: u32 = 3329
const COEFFICIENTS: usize = 256

/** A block of SHAKE128, and what is read behind it. */
const BLOCK: usize = memory.data(168 + 8, 16)

/** The matrix A, row by row: `k` times `k` transformed polynomials, of the 32 bytes of rho. */
export function sampleMatrix(out: usize, rho: usize, k: usize): void {
  const last = k * k - 1
  for (let i: usize = 0; i <= last; i += 2) {
    // The last one of an odd number goes with itself.
    const other = min(i + 1, last)
    forgetStates()
    putSeed(0, rho, behindRho(i, k), RATE_128)
    putSeed(8, rho, behindRho(other, k), RATE_128)
    let count: usize = 0
    let countOther: usize = 0
    while (count < COEFFICIENTS || countOther < COEFFICIENTS) {
      permute()
      count = sampleBlock(out + POLYNOMIAL * i, 0, count)
      countOther = sampleBlock(out + POLYNOMIAL * other, 8, countOther)
    }
  }
}

/** Column and row of an entry, which follow rho, and the padding. */
function behindRho(index: usize, k: usize): u64 {
  return (index % k) | ((index / k) << 8) | (SHAKE << 16)
}

/**
 * SampleNTT (algorithm 7), of a block: numbers of 12 bits that are below q. Returns how many coefficients there are
 * then.
 */
function sampleBlock(out: usize, lane: usize, count: usize): usize {
  squeeze(BLOCK, lane, RATE_128)
  for (let at: usize = BLOCK; at < BLOCK + 168 && count < COEFFICIENTS; at += 3) {
    const two = load<u32>(at)
    const first = two & 0xfff
    const second = (two >> 12) & 0xfff
    store<u16>(out + 2 * count, <u16>first)
    count += <usize>(first < Q)
    if (count == COEFFICIENTS) break
    store<u16>(out + 2 * count, <u16>second)
    count += <usize>(second < Q)
  }
  return count
}

/**
 * SamplePolyCBD (algorithm 8) with eta = 2: `count` polynomials after each other, of 32 secret bytes and 0, 1, 2 ...
 */
export function sampleNoise(out: usize, seed: usize, count: usize): void {
  for (let i: usize = 0; i < count; i += 2) {
    const other = min(i + 1, count - 1)
    forgetStates()
    putNoiseSeed(0, seed, i)
    putNoiseSeed(8, seed, other)
    permute()
    const at = out + POLYNOMIAL * i
    const atOther = out + POLYNOMIAL * other
    for (let word: usize = 0; word < 16; word++) binomial(at + 32 * word, atOther + 32 * word, STATE + WORD * word)
  }
}

/** Sixteen coefficients each of a word of both states: the two lower bits of four, less the two upper ones. */
// @ts-ignore: decorator
@inline
function binomial(out: usize, outOther: usize, words: usize): void {
  const bits = v128.load(words)
  const single = i8x16.splat(0x55)
  const pairs = i8x16.add(v128.and(bits, single), v128.and(i64x2.shr_u(bits, 1), single))
  const double = i8x16.splat(0x33)
  // Four bits are a - b + 3, from 1 to 5.
  const low = i8x16.add(v128.and(pairs, double), double)
  const differences = i8x16.sub(low, v128.and(i64x2.shr_u(pairs, 2), double))
  const four = i8x16.splat(0x0f)
  const even = v128.and(differences, four)
  const odd = v128.and(i64x2.shr_u(differences, 4), four)
  spread(out, i8x16.shuffle(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23))
  spread(outOther, i8x16.shuffle(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31))
}

/** Coefficients of sixteen bytes, which are 3 more. */
// @ts-ignore: decorator
@inline
function spread(out: usize, bytes: v128): void {
  const three = i16x8.splat(3)
  v128.store(out, i16x8.sub(i16x8.extend_low_i8x16_u(bytes), three))
  v128.store(out, i16x8.sub(i16x8.extend_high_i8x16_u(bytes), three), 16)
}

// Polynomials of ML-KEM (FIPS 203 section 4.3): 256 coefficients modulo q = 3329, signed, in words of 16 bits; eight
// are a vector.
//
// A product by a constant c is x * c - q * t with t = round(x * c' / 2^15), c' = round(c * 2^15 / q) (H. Becker, V.
// Hwang, M. Kannwischer, B. Yang and S. Yang, "Neon NTT", TCHES 2022, section 3): with c from -q/2 to q/2, t is off the
// quotient by at most 1/2 + |x| / 2^16, so that the result is below q (1/2 + |x| / 2^16) in amount, below q for all x
// of 16 bits. It needs the lower halves of its products only. "Reduced" is what `reduce` gives, where c is 1 and c' 10:
// below 0.64 q.
//
// Products of two unknown polynomials are sums of 32 bits, which Montgomery's reduction by 2^16 brings back: below 0.82
// q.
//
// Side channels: multiplications, additions and shifts of vectors, addresses that are counted; no branch on a
// coefficient.

/** Bytes. */
export const POLYNOMIAL: usize = 512

const Q: i16 = 3329
/** 1 / q modulo 2^16. */
const INVERSE: i32 = 62209
/** 2^16 / 128 modulo q, and its share: what is left of Montgomery's reduction and of the inverse transform. */
const SCALE: i16 = 512
const SCALE_SHARE: i16 = 5040
/** 2^16 modulo q, and its share. */
const MONTGOMERY: i16 = -1044
const MONTGOMERY_SHARE: i16 = -10276

/** 17^BitRev7(i) modulo q (FIPS 203 appendix A), from -q/2 to q/2. */
const ZETAS: usize = memory.data<i16>([
  1, -1600, -749, -40, -687, 630, -1432, 848, 1062, -1410, 193, 797, -543, -69, 569, -1583, 296, -882, 1339, 1476, -283,
  56, -1089, 1333, 1426, -1235, 535, -447, -936, -450, -1355, 821, 289, 331, -76, -1573, 1197, -1025, -1052, -1274, 650,
  -1352, -816, 632, -464, 33, 1320, -1414, -1010, 1435, 807, 452, 1438, -461, 1534, -927, -682, -712, 1481, 648, -855,
  -219, 1227, 910, 17, -568, 583, -680, 1637, 723, -1041, 1100, 1409, -667, -48, 233, 756, -1173, -314, -279, -1626,
  1651, -540, -1540, -1482, 952, 1461, -642, 939, -1021, -892, -941, 733, -992, 268, 641, 1584, -1031, -1292, -109, 375,
  -780, -1239, 1645, 1063, 319, -556, 757, -1230, 561, -863, -735, -525, 1092, 403, 1026, 1143, -1179, -554, 886, -1607,
  1212, -1455, 1029, -1219, -394, 885, -1175,
])
/** c' of each. */
const SHARES: usize = memory.data<i16>([
  10, -15749, -7373, -394, -6762, 6201, -14095, 8347, 10453, -13879, 1900, 7845, -5345, -679, 5601, -15582, 2914, -8682,
  13180, 14529, -2786, 551, -10719, 13121, 14036, -12156, 5266, -4400, -9213, -4429, -13338, 8081, 2845, 3258, -748,
  -15483, 11782, -10089, -10355, -12540, 6398, -13308, -8032, 6221, -4567, 325, 12993, -13918, -9942, 14125, 7943, 4449,
  14155, -4538, 15099, -9125, -6713, -7008, 14578, 6378, -8416, -2156, 12078, 8957, 167, -5591, 5739, -6693, 16113,
  7117, -10247, 10828, 13869, -6565, -472, 2293, 7441, -11546, -3091, -2746, -16005, 16251, -5315, -15159, -14588, 9371,
  14381, -6319, 9243, -10050, -8780, -9262, 7215, -9764, 2638, 6309, 15592, -10148, -12717, -1073, 3691, -7678, -12196,
  16192, 10463, 3140, -5473, 7451, -12107, 5522, -8495, -7235, -5168, 10749, 3967, 10099, 11251, -11605, -5453, 8721,
  -15818, 11930, -14322, 10129, -11999, -3878, 8711, -11566,
])

// @ts-ignore: decorator
@inline
function product(x: v128, constant: v128, share: v128): v128 {
  const t = i16x8.q15mulr_sat_s(x, share)
  return i16x8.sub(i16x8.mul(x, constant), i16x8.mul(t, i16x8.splat(Q)))
}

// @ts-ignore: decorator
@inline
function reduce(x: v128): v128 {
  const t = i16x8.q15mulr_sat_s(x, i16x8.splat(10))
  return i16x8.sub(x, i16x8.mul(t, i16x8.splat(Q)))
}

/**
 * NTT (algorithm 9), in place: from coefficients below 1.1 q to reduced ones. Each of the seven layers adds less than
 * 0.91 q.
 */
export function transform(f: usize): void {
  let k: usize = 2
  for (let length: usize = 256; length >= 16; length >>= 1) {
    for (let start: usize = f; start < f + POLYNOMIAL; start += 2 * length) {
      const zeta = v128.load16_splat(ZETAS + k)
      const share = v128.load16_splat(SHARES + k)
      k += 2
      for (let at = start; at < start + length; at += 16) {
        const low = v128.load(at)
        const high = product(v128.load(at + length), zeta, share)
        v128.store(at, i16x8.add(low, high))
        v128.store(at + length, i16x8.sub(low, high))
      }
    }
  }
  // Groups of eight and of four coefficients: of two vectors, the lower halves in one, the upper in the other.
  for (let i: usize = 0; i < 16; i++) {
    const at = f + 32 * i
    let x = v128.load(at)
    let y = v128.load(at, 16)
    let low = i64x2.shuffle(x, y, 0, 2)
    let high = product(i64x2.shuffle(x, y, 1, 3), twoOf(ZETAS + 64 + 4 * i), twoOf(SHARES + 64 + 4 * i))
    // Lower and upper halves of both groups.
    x = i16x8.add(low, high)
    y = i16x8.sub(low, high)
    // x holds four coefficients of each group, y the next four: again lower pairs and upper pairs.
    low = i32x4.shuffle(x, y, 0, 4, 2, 6)
    high = i32x4.shuffle(x, y, 1, 5, 3, 7)
    high = product(high, fourOf(ZETAS + 128 + 8 * i), fourOf(SHARES + 128 + 8 * i))
    x = reduce(i16x8.add(low, high))
    y = reduce(i16x8.sub(low, high))
    v128.store(at, i32x4.shuffle(x, y, 0, 4, 1, 5))
    v128.store(at, i32x4.shuffle(x, y, 2, 6, 3, 7), 16)
  }
}

/**
 * The inverse of NTT (algorithm 10) of what is 2^16 times as small, as `innerProduct` leaves it, in place: from
 * coefficients below q to some below 0.6 q.
 */
export function restore(f: usize): void {
  for (let i: usize = 0; i < 16; i++) {
    const at = f + 32 * i
    let x = v128.load(at)
    let y = v128.load(at, 16)
    let low = i32x4.shuffle(x, y, 0, 2, 4, 6)
    let high = i32x4.shuffle(x, y, 1, 3, 5, 7)
    x = i16x8.add(low, high) // 2 q
    const back: usize = 120 - 8 * i
    y = product(i16x8.sub(high, low), fourBackOf(ZETAS + 128 + back), fourBackOf(SHARES + 128 + back))
    // Both halves of the groups of eight: the first of each in x and the second in y, by pairs.
    low = i32x4.shuffle(x, y, 0, 4, 2, 6)
    high = i32x4.shuffle(x, y, 1, 5, 3, 7)
    x = i16x8.add(low, high) // 4 q
    const backTwo: usize = 60 - 4 * i
    y = product(i16x8.sub(high, low), twoBackOf(ZETAS + 64 + backTwo), twoBackOf(SHARES + 64 + backTwo))
    v128.store(at, i64x2.shuffle(x, y, 0, 2))
    v128.store(at, i64x2.shuffle(x, y, 1, 3), 16)
  }
  let k: usize = 62
  for (let length: usize = 16; length <= 256; length <<= 1) {
    // 8 q, then 2 and 4, then 2 and 4.
    const tall = length == 16 || length == 64
    for (let start: usize = f; start < f + POLYNOMIAL; start += 2 * length) {
      const zeta = v128.load16_splat(ZETAS + k)
      const share = v128.load16_splat(SHARES + k)
      k -= 2
      for (let at = start; at < start + length; at += 16) {
        const low = v128.load(at)
        const high = v128.load(at + length)
        const sum = i16x8.add(low, high)
        v128.store(at, tall ? reduce(sum) : sum)
        v128.store(at + length, product(i16x8.sub(high, low), zeta, share))
      }
    }
  }
  scale(f, SCALE, SCALE_SHARE)
}

/** What `innerProduct` leaves, 2^16 times as large, as it is. */
export function fromMontgomery(f: usize): void {
  scale(f, MONTGOMERY, MONTGOMERY_SHARE)
}

function scale(f: usize, constant: i16, share: i16): void {
  for (let at = f; at < f + POLYNOMIAL; at += 16) {
    v128.store(at, product(v128.load(at), i16x8.splat(constant), i16x8.splat(share)))
  }
}

/** f += g, reduced, for sums of 16 bits. */
export function add(f: usize, g: usize): void {
  for (let i: usize = 0; i < POLYNOMIAL; i += 16) {
    v128.store(f + i, reduce(i16x8.add(v128.load(f + i), v128.load(g + i))))
  }
}

/** f = g - f, reduced. */
export function subtractFrom(f: usize, g: usize): void {
  for (let i: usize = 0; i < POLYNOMIAL; i += 16) {
    v128.store(f + i, reduce(i16x8.sub(v128.load(g + i), v128.load(f + i))))
  }
}

/** From reduced coefficients to those from 0 to q - 1. */
export function canonical(f: usize): void {
  for (let at = f; at < f + POLYNOMIAL; at += 16) {
    const x = v128.load(at)
    v128.store(at, i16x8.add(x, v128.and(i16x8.shr_s(x, 15), i16x8.splat(Q))))
  }
}

/**
 * A transformed polynomial as the second factor of `innerProduct`: 256 words in which each pair b0, b1 is b0, gamma *
 * b1 (algorithm 12), then 256 in which it is b1, b0.
 */
export const FACTOR: usize = 2 * 512

/** `f` is reduced. */
export function factorOf(out: usize, f: usize): void {
  const signs = i16x8(0, 1, 0, -1, 0, 1, 0, -1)
  const one = i16x8(1, 0, 1, 0, 1, 0, 1, 0)
  const oneShare = i16x8(10, 0, 10, 0, 10, 0, 10, 0)
  for (let i: usize = 0; i < 32; i++) {
    const x = v128.load(f + 16 * i)
    const gammas = i16x8.add(one, i16x8.mul(signs, twoOf(ZETAS + 128 + 4 * i)))
    const shares = i16x8.add(oneShare, i16x8.mul(signs, twoOf(SHARES + 128 + 4 * i)))
    v128.store(out + 16 * i, product(x, gammas, shares))
    v128.store(out + 16 * i, i16x8.shuffle(x, x, 1, 0, 3, 2, 5, 4, 7, 6), 512)
  }
}

/**
 * out = the sum of `count` products (algorithm 11) of polynomials, `stride` bytes one after the other, and factors;
 * 2^16 times as small. Coefficients of the first are up to 4095, so that four products are below 2^26.6.
 */
export function innerProduct(out: usize, polynomials: usize, stride: usize, factors: usize, count: usize): void {
  for (let i: usize = 0; i < POLYNOMIAL; i += 16) {
    let c0 = i32x4.splat(0)
    let c1 = i32x4.splat(0)
    let a = polynomials + i
    let b = factors + i
    for (let k: usize = 0; k < count; k++) {
      const x = v128.load(a)
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(x, v128.load(b)))
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(x, v128.load(b, 512)))
      a += stride
      b += FACTOR
    }
    const low = i32x4.shr_u(withoutLow(c0), 16)
    v128.store(out + i, v128.or(low, withoutLow(c1)))
  }
}

/** Adds a multiple of q, so that the lower 16 bits of each word of 32 are zero. */
// @ts-ignore: decorator
@inline
function withoutLow(x: v128): v128 {
  const m = i16x8.mul(x, i32x4.splat(INVERSE))
  return i32x4.sub(x, i32x4.dot_i16x8_s(m, i32x4.splat(<i32>Q)))
}

/* Constants, each for two or four lanes, upwards or downwards. */

// @ts-ignore: decorator
@inline
function twoOf(at: usize): v128 {
  const two = v128.load32_zero(at)
  return i16x8.shuffle(two, two, 0, 0, 0, 0, 1, 1, 1, 1)
}

// @ts-ignore: decorator
@inline
function fourOf(at: usize): v128 {
  const four = v128.load64_zero(at)
  return i16x8.shuffle(four, four, 0, 0, 1, 1, 2, 2, 3, 3)
}

// @ts-ignore: decorator
@inline
function twoBackOf(at: usize): v128 {
  const two = v128.load32_zero(at)
  return i16x8.shuffle(two, two, 1, 1, 1, 1, 0, 0, 0, 0)
}

// @ts-ignore: decorator
@inline
function fourBackOf(at: usize): v128 {
  const four = v128.load64_zero(at)
  return i16x8.shuffle(four, four, 3, 3, 2, 2, 1, 1, 0, 0)
}

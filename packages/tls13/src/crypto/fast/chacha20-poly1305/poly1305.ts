// Poly1305, RFC 8439 section 2.5, for the AEAD of section 2.8, where every part is padded to whole blocks.
//
// Floating-point arithmetic in the manner of D. J. Bernstein, "Floating-point arithmetic and message authentication":
// a number modulo p = 2^130 - 5 is a sum of five doubles, limb i being a multiple of 2^(26 i). A carry is taken by adding
// and subtracting 3 * 2^(51+e), which rounds to a multiple of 2^e. Sums and what is multiplied by r are kept with 2^-128 for
// their unit: some engines look for integers among doubles, and add these at a higher price.
//
// No operation rounds that is not to: sums stay below 2^53 times their unit.
// - A block is added to what the multiplication before left, its words of 32 bits as they are, and then carries are taken:
//   a limb of the factor h is 2^25 + 8 at most, in its unit.
// - r is made of limbs of either sign, 2^25 at most. Where a product wraps, by 2^130 = 5, its factor is 5 r with carries
//   taken, for each limb of h by itself: below 2^25 + 4.
// - So a sum of five products is below 2^52.4, and a word of a block adds 2^38 at most.
//
// Side channels: additions and multiplications of doubles that are neither denormal, infinite nor NaN take the same
// time for all values on the usual processors; no table, no branch on a secret.

/** Bytes of a block and of a tag. */
const BLOCK = 16

/** Numbers that r makes: r0 to r4; 5 r1 to 5 r4 without their carries; 5 r2 to 5 r4 with those of the limb below, without their own. */
const FACTORS = 12

/** A running MAC. Reused from record to record; `start` sets a new key. */
export class Poly1305 {
  /** The sum of the products of the last block, before its carries. */
  readonly sum: Float64Array = new Float64Array(5)
  /**
   * FACTORS numbers, then constants, which engines would make anew at each use: the carries at 2^26, 2^52, 2^78, 2^104 and 2^130;
   * 5 * 2^-130; the units of a block's words and of the bit behind them.
   */
  readonly factor: Float64Array = new Float64Array(FACTORS + 11)
  readonly #s: Float64Array = new Float64Array(4)
  readonly #last: DataView = new DataView(new ArrayBuffer(BLOCK))

  constructor() {
    const carries = [26, 52, 78, 104, 130].map((e) => 3 * 2 ** (51 + e - 128))
    const units = [0, 32, 64, 96, 128].map((e) => 2 ** (e - 128))
    this.factor.set([...carries, 5 * 2 ** -130, ...units], FACTORS)
  }

  /** @param key the one-time key r || s as eight little-endian words */
  start(key: Int32Array): void {
    this.sum.fill(0)
    // RFC 8439 2.5: r is clamped.
    const w0 = key[0]! & 0x0fffffff
    const w1 = key[1]! & 0x0ffffffc
    const w2 = key[2]! & 0x0ffffffc
    const w3 = key[3]! & 0x0ffffffc
    expand(
      this.factor,
      w0 & 0x3ffffff,
      ((w0 >>> 26) | ((w1 & 0xfffff) << 6)) * 2 ** 26,
      ((w1 >>> 20) | ((w2 & 0x3fff) << 12)) * 2 ** 52,
      ((w2 >>> 14) | ((w3 & 0xff) << 18)) * 2 ** 78,
      (w3 >>> 8) * 2 ** 104,
    )
    for (let i = 0; i < 4; i++) this.#s[i] = key[4 + i]! >>> 0
  }

  /** Takes `length` bytes and zeros up to the next whole block (pad16 of RFC 8439 section 2.8). */
  updatePadded(bytes: DataView, at: number, length: number): void {
    const whole = length - (length % BLOCK)
    if (whole > 0) blocks(this.sum, this.factor, bytes, at, at + whole)
    if (whole === length) return
    const last = this.#last
    for (let i = 0; i < BLOCK; i++) last.setUint8(i, whole + i < length ? bytes.getUint8(at + whole + i) : 0)
    blocks(this.sum, this.factor, last, 0, BLOCK)
  }

  /** The last block of the AEAD: both lengths as 64-bit little-endian integers. Each is below 2^32. */
  updateLengths(aadLength: number, textLength: number): void {
    const last = this.#last
    last.setUint32(0, aadLength, true)
    last.setUint32(4, 0)
    last.setUint32(8, textLength, true)
    last.setUint32(12, 0)
    blocks(this.sum, this.factor, last, 0, BLOCK)
  }

  /** Writes the tag as four little-endian words, and forgets the one-time key. */
  finish(tag: Int32Array): void {
    const sum = this.sum
    carry(sum, this.factor)
    // Back to integers: the limbs have either sign here.
    let u0 = sum[0]! * 2 ** 128
    let u1 = sum[1]! * 2 ** 102
    let u2 = sum[2]! * 2 ** 76
    let u3 = sum[3]! * 2 ** 50
    let u4 = sum[4]! * 2 ** 24
    // Three passes bring every limb into its range and the number below 2^130, whatever its sign was.
    for (let pass = 0; pass < 3; pass++) {
      u1 += u0 >> 26
      u0 &= 0x3ffffff
      u2 += u1 >> 26
      u1 &= 0x3ffffff
      u3 += u2 >> 26
      u2 &= 0x3ffffff
      u4 += u3 >> 26
      u3 &= 0x3ffffff
      u0 += 5 * (u4 >> 26)
      u4 &= 0x3ffffff
    }
    u1 += u0 >> 26
    u0 &= 0x3ffffff
    // h + 5 reaches 2^130 exactly when h >= p: then h - p is the result.
    let g0 = u0 + 5
    let g1 = u1 + (g0 >> 26)
    let g2 = u2 + (g1 >> 26)
    let g3 = u3 + (g2 >> 26)
    let g4 = u4 + (g3 >> 26)
    const above = -(g4 >> 26)
    g0 &= 0x3ffffff
    g1 &= 0x3ffffff
    g2 &= 0x3ffffff
    g3 &= 0x3ffffff
    g4 &= 0x3ffffff
    u0 ^= (u0 ^ g0) & above
    u1 ^= (u1 ^ g1) & above
    u2 ^= (u2 ^ g2) & above
    u3 ^= (u3 ^ g3) & above
    u4 ^= (u4 ^ g4) & above
    // h + s modulo 2^128.
    const s = this.#s
    let word = ((u0 | (u1 << 26)) >>> 0) + s[0]!
    tag[0] = word
    word = (((u1 >>> 6) | (u2 << 20)) >>> 0) + s[1]! + Math.floor(word / 2 ** 32)
    tag[1] = word
    word = (((u2 >>> 12) | (u3 << 14)) >>> 0) + s[2]! + Math.floor(word / 2 ** 32)
    tag[2] = word
    word = (((u3 >>> 18) | (u4 << 8)) >>> 0) + s[3]! + Math.floor(word / 2 ** 32)
    tag[3] = word
    this.wipe()
  }

  wipe(): void {
    this.sum.fill(0)
    this.factor.fill(0, 0, FACTORS)
    this.#s.fill(0)
    for (let i = 0; i < BLOCK; i++) this.#last.setUint8(i, 0)
  }
}

/** The factor of the limbs of r, which are not negative. */
function expand(factor: Float64Array, r0: number, r1: number, r2: number, r3: number, r4: number): void {
  let c = rounded(r0, 3 * 2 ** (51 + 26))
  r0 -= c
  r1 += c
  c = rounded(r1, 3 * 2 ** (51 + 52))
  r1 -= c
  r2 += c
  c = rounded(r2, 3 * 2 ** (51 + 78))
  r2 -= c
  r3 += c
  c = rounded(r3, 3 * 2 ** (51 + 104))
  r3 -= c
  r4 += c
  const s1 = r1 * (5 * 2 ** -130)
  const s2 = r2 * (5 * 2 ** -130)
  const s3 = r3 * (5 * 2 ** -130)
  const s4 = r4 * (5 * 2 ** -130)
  const c1 = rounded(s1, 3 * 2 ** (51 - 78))
  const c2 = rounded(s2, 3 * 2 ** (51 - 52))
  const c3 = rounded(s3, 3 * 2 ** (51 - 26))
  factor[0] = r0
  factor[1] = r1
  factor[2] = r2
  factor[3] = r3
  factor[4] = r4
  factor[5] = s1 - c1
  factor[6] = s2 - c2
  factor[7] = s3 - c3
  factor[8] = s4
  factor[9] = s2 - c2 + c1
  factor[10] = s3 - c3 + c2
  factor[11] = s4 + c3
}

/** What is carried of a limb. @param by 3 * 2^(51+e): a multiple of 2^e */
function rounded(limb: number, by: number): number {
  return limb + by - by
}

/** Takes the carries of a sum. */
function carry(sum: Float64Array, factor: Float64Array): void {
  for (let i = 3; i < 9; i++) {
    const limb = i % 5
    const c = rounded(sum[limb]!, factor[12 + limb]!)
    sum[limb]! -= c
    sum[(limb + 1) % 5]! += limb < 4 ? c : c * factor[17]!
  }
}

/** sum = (sum + block + 2^128) * r modulo p, for each block from `at` to `end`. */
function blocks(sum: Float64Array, factor: Float64Array, bytes: DataView, at: number, end: number): void {
  const r0 = factor[0]!
  const r1 = factor[1]!
  const r2 = factor[2]!
  const r3 = factor[3]!
  const r4 = factor[4]!
  const s1 = factor[5]!
  const s2 = factor[6]!
  const s3 = factor[7]!
  const s4 = factor[8]!
  const u2 = factor[9]!
  const u3 = factor[10]!
  const u4 = factor[11]!
  const c26 = factor[12]!
  const c52 = factor[13]!
  const c78 = factor[14]!
  const c104 = factor[15]!
  const c130 = factor[16]!
  const wrap = factor[17]!
  const w0 = factor[18]!
  const w32 = factor[19]!
  const w64 = factor[20]!
  const w96 = factor[21]!
  const w128 = factor[22]!
  let d0 = sum[0]!
  let d1 = sum[1]!
  let d2 = sum[2]!
  let d3 = sum[3]!
  let d4 = sum[4]!
  for (let i = at; i < end; i += BLOCK) {
    d0 += bytes.getUint32(i, true) * w0
    d1 += bytes.getUint32(i + 4, true) * w32
    d2 += bytes.getUint32(i + 8, true) * w64
    d3 += bytes.getUint32(i + 12, true) * w96
    d4 += w128
    // Two chains of carries side by side: 0 > 1 > 2 > 3 > 4 and 3 > 4 > 0 > 1.
    let a = d0 + c26 - c26
    let b = d3 + c104 - c104
    d0 -= a
    d1 += a
    d3 -= b
    d4 += b
    a = d1 + c52 - c52
    b = d4 + c130 - c130
    d1 -= a
    d2 += a
    d4 -= b
    d0 += b * wrap
    a = d2 + c78 - c78
    b = d0 + c26 - c26
    d2 -= a
    d3 += a
    d0 -= b
    d1 += b
    a = d3 + c104 - c104
    d3 -= a
    d4 += a
    const h0 = d0
    const h1 = d1
    const h2 = d2
    const h3 = d3
    const h4 = d4
    d0 = h0 * r0 + h1 * s4 + h2 * s3 + h3 * s2 + h4 * s1
    d1 = h0 * r1 + h1 * r0 + h2 * u4 + h3 * u3 + h4 * u2
    d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * u4 + h4 * u3
    d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * u4
    d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0
  }
  sum[0] = d0
  sum[1] = d1
  sum[2] = d2
  sum[3] = d3
  sum[4] = d4
}

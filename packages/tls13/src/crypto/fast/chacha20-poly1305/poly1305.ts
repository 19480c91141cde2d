// Poly1305, RFC 8439 section 2.5, for the AEAD of section 2.8, where every part is padded to whole blocks.
//
// Floating-point arithmetic in the manner of D. J. Bernstein, "Floating-point arithmetic and message authentication":
// a number modulo p = 2^130 - 5 is a sum of six doubles, limb i being a multiple of 2^e[i] with e = 0, 22, 44, 65, 87,
// 109. Products of limbs and their sums stay below 2^53 times their unit, so that no operation rounds; a carry is
// taken by adding and subtracting 3 * 2^(51+e), which rounds to a multiple of 2^e.
// 36 multiplications a block, against the 100 of 13-bit integer limbs.
//
// Side channels: additions and multiplications of doubles that are neither denormal, infinite nor NaN take the same
// time for all values on the usual processors; no table, no branch on a secret.

/** Bytes of a block and of a tag. */
const BLOCK = 16

/* The carries: 3 * 2^(51 + e) for e = 22, 44, 65, 87, 109, 130. */
const C22 = 3 * 2 ** 73
const C44 = 3 * 2 ** 95
const C65 = 3 * 2 ** 116
const C87 = 3 * 2 ** 138
const C109 = 3 * 2 ** 160
const C130 = 3 * 2 ** 181
/** 2^130 = 5 modulo p. */
const WRAP = 5 * 2 ** -130

const W22 = 2 ** 22
const W44 = 2 ** 44
const W65 = 2 ** 65
const W87 = 2 ** 87
const W109 = 2 ** 109

/** A running MAC: limbs of h, limbs of r, and the words of s. Reused from record to record; `start` sets a new key. */
export class Poly1305 {
  readonly #h: Float64Array = new Float64Array(6)
  readonly #r: Float64Array = new Float64Array(6)
  readonly #s: Float64Array = new Float64Array(4)
  readonly #last: DataView = new DataView(new ArrayBuffer(BLOCK))

  /** @param key the one-time key r || s as eight little-endian words */
  start(key: Int32Array): void {
    this.#h.fill(0)
    const r = this.#r
    // RFC 8439 2.5: r is clamped.
    const r0 = key[0]! & 0x0fffffff
    const r1 = key[1]! & 0x0ffffffc
    const r2 = key[2]! & 0x0ffffffc
    const r3 = key[3]! & 0x0ffffffc
    r[0] = r0 & 0x3fffff
    r[1] = ((r0 >>> 22) | ((r1 & 0xfff) << 10)) * W22
    r[2] = ((r1 >>> 12) | ((r2 & 1) << 20)) * W44
    r[3] = ((r2 >>> 1) & 0x3fffff) * W65
    r[4] = ((r2 >>> 23) | ((r3 & 0x1fff) << 9)) * W87
    r[5] = (r3 >>> 13) * W109
    for (let i = 0; i < 4; i++) this.#s[i] = key[4 + i]! >>> 0
  }

  /** Takes `length` bytes and zeros up to the next whole block (pad16 of RFC 8439 section 2.8). */
  updatePadded(bytes: DataView, at: number, length: number): void {
    const whole = length - (length % BLOCK)
    if (whole > 0) blocks(this.#h, this.#r, bytes, at, at + whole)
    if (whole === length) return
    const last = this.#last
    for (let i = 0; i < BLOCK; i++) last.setUint8(i, whole + i < length ? bytes.getUint8(at + whole + i) : 0)
    blocks(this.#h, this.#r, last, 0, BLOCK)
  }

  /** The last block of the AEAD: both lengths as 64-bit little-endian integers. Each is below 2^32. */
  updateLengths(aadLength: number, textLength: number): void {
    const last = this.#last
    last.setUint32(0, aadLength, true)
    last.setUint32(4, 0)
    last.setUint32(8, textLength, true)
    last.setUint32(12, 0)
    blocks(this.#h, this.#r, last, 0, BLOCK)
  }

  /** Writes the tag as four little-endian words, and forgets the one-time key. */
  finish(tag: Int32Array): void {
    const h = this.#h
    // Back to integers: the limbs have either sign here.
    let u0 = h[0]!
    let u1 = h[1]! / W22
    let u2 = h[2]! / W44
    let u3 = h[3]! / W65
    let u4 = h[4]! / W87
    let u5 = h[5]! / W109
    // Three passes bring every limb into its range and the number below 2^130, whatever its sign was.
    for (let pass = 0; pass < 3; pass++) {
      u1 += u0 >> 22
      u0 &= 0x3fffff
      u2 += u1 >> 22
      u1 &= 0x3fffff
      u3 += u2 >> 21
      u2 &= 0x1fffff
      u4 += u3 >> 22
      u3 &= 0x3fffff
      u5 += u4 >> 22
      u4 &= 0x3fffff
      u0 += 5 * (u5 >> 21)
      u5 &= 0x1fffff
    }
    u1 += u0 >> 22
    u0 &= 0x3fffff
    // h + 5 reaches 2^130 exactly when h >= p: then h - p is the result.
    let g0 = u0 + 5
    let g1 = u1 + (g0 >> 22)
    let g2 = u2 + (g1 >> 22)
    let g3 = u3 + (g2 >> 21)
    let g4 = u4 + (g3 >> 22)
    let g5 = u5 + (g4 >> 22)
    const above = -(g5 >> 21)
    g0 &= 0x3fffff
    g1 &= 0x3fffff
    g2 &= 0x1fffff
    g3 &= 0x3fffff
    g4 &= 0x3fffff
    g5 &= 0x1fffff
    u0 ^= (u0 ^ g0) & above
    u1 ^= (u1 ^ g1) & above
    u2 ^= (u2 ^ g2) & above
    u3 ^= (u3 ^ g3) & above
    u4 ^= (u4 ^ g4) & above
    u5 ^= (u5 ^ g5) & above
    // h + s modulo 2^128.
    const s = this.#s
    let sum = ((u0 | (u1 << 22)) >>> 0) + s[0]!
    tag[0] = sum
    sum = (((u1 >>> 10) | (u2 << 12)) >>> 0) + s[1]! + Math.floor(sum / 2 ** 32)
    tag[1] = sum
    sum = (((u2 >>> 20) | (u3 << 1) | (u4 << 23)) >>> 0) + s[2]! + Math.floor(sum / 2 ** 32)
    tag[2] = sum
    sum = (((u4 >>> 9) | (u5 << 13)) >>> 0) + s[3]! + Math.floor(sum / 2 ** 32)
    tag[3] = sum
    this.wipe()
  }

  wipe(): void {
    this.#h.fill(0)
    this.#r.fill(0)
    this.#s.fill(0)
    for (let i = 0; i < BLOCK; i++) this.#last.setUint8(i, 0)
  }
}

/** h = (h + block + 2^128) * r modulo p, for each block from `at` to `end`. */
function blocks(h: Float64Array, r: Float64Array, bytes: DataView, at: number, end: number): void {
  const r0 = r[0]!
  const r1 = r[1]!
  const r2 = r[2]!
  const r3 = r[3]!
  const r4 = r[4]!
  const r5 = r[5]!
  const s1 = r1 * WRAP
  const s2 = r2 * WRAP
  const s3 = r3 * WRAP
  const s4 = r4 * WRAP
  const s5 = r5 * WRAP
  let h0 = h[0]!
  let h1 = h[1]!
  let h2 = h[2]!
  let h3 = h[3]!
  let h4 = h[4]!
  let h5 = h[5]!
  for (let i = at; i < end; i += BLOCK) {
    const w0 = bytes.getInt32(i, true)
    const w1 = bytes.getInt32(i + 4, true)
    const w2 = bytes.getInt32(i + 8, true)
    const w3 = bytes.getInt32(i + 12, true)
    h0 += w0 & 0x3fffff
    h1 += ((w0 >>> 22) | ((w1 & 0xfff) << 10)) * W22
    h2 += ((w1 >>> 12) | ((w2 & 1) << 20)) * W44
    h3 += ((w2 >>> 1) & 0x3fffff) * W65
    h4 += ((w2 >>> 23) | ((w3 & 0x1fff) << 9)) * W87
    h5 += ((w3 >>> 13) | 0x80000) * W109

    let d0 = h0 * r0 + h1 * s5 + h2 * s4 + h3 * s3 + h4 * s2 + h5 * s1
    let d1 = h0 * r1 + h1 * r0 + h2 * s5 + h3 * s4 + h4 * s3 + h5 * s2
    let d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * s5 + h4 * s4 + h5 * s3
    let d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * s5 + h5 * s4
    let d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0 + h5 * s5
    let d5 = h0 * r5 + h1 * r4 + h2 * r3 + h3 * r2 + h4 * r1 + h5 * r0

    // Two chains of carries side by side: 0 > 1 > 2 > 3 and 3 > 4 > 5 > 0, then 3 > 4 and 0 > 1 once more.
    let a = d0 + C22 - C22
    let b = d3 + C87 - C87
    d0 -= a
    d1 += a
    d3 -= b
    d4 += b
    a = d1 + C44 - C44
    b = d4 + C109 - C109
    d1 -= a
    d2 += a
    d4 -= b
    d5 += b
    a = d2 + C65 - C65
    b = d5 + C130 - C130
    d2 -= a
    d3 += a
    d5 -= b
    d0 += b * WRAP
    a = d0 + C22 - C22
    b = d3 + C87 - C87
    h0 = d0 - a
    h1 = d1 + a
    h2 = d2
    h3 = d3 - b
    h4 = d4 + b
    h5 = d5
  }
  h[0] = h0
  h[1] = h1
  h[2] = h2
  h[3] = h3
  h[4] = h4
  h[5] = h5
}

// The products of field25519.ts, where the representation and its bounds are explained: the columns of the schoolbook
// multiplication, and fourteen carries in two chains side by side.

/** 2^255 = 19 modulo p. */
const WRAP = 19 * 2 ** -255

const C22 = 3 * 2 ** 73
const C43 = 3 * 2 ** 94
const C64 = 3 * 2 ** 115
const C85 = 3 * 2 ** 136
const C107 = 3 * 2 ** 158
const C128 = 3 * 2 ** 179
const C149 = 3 * 2 ** 200
const C170 = 3 * 2 ** 221
const C192 = 3 * 2 ** 243
const C213 = 3 * 2 ** 264
const C234 = 3 * 2 ** 285
const C255 = 3 * 2 ** 306

/** Reduced; k- and l-loose factors with k * l <= 16. `out` may be `a` or `b`. */
export function multiply(out: Float64Array, a: Float64Array, b: Float64Array): void {
  const a0 = a[0]!
  const a1 = a[1]!
  const a2 = a[2]!
  const a3 = a[3]!
  const a4 = a[4]!
  const a5 = a[5]!
  const a6 = a[6]!
  const a7 = a[7]!
  const a8 = a[8]!
  const a9 = a[9]!
  const a10 = a[10]!
  const a11 = a[11]!
  const b0 = b[0]!
  const b1 = b[1]!
  const b2 = b[2]!
  const b3 = b[3]!
  const b4 = b[4]!
  const b5 = b[5]!
  const b6 = b[6]!
  const b7 = b[7]!
  const b8 = b[8]!
  const b9 = b[9]!
  const b10 = b[10]!
  const b11 = b[11]!
  const w1 = b1 * WRAP
  const w2 = b2 * WRAP
  const w3 = b3 * WRAP
  const w4 = b4 * WRAP
  const w5 = b5 * WRAP
  const w6 = b6 * WRAP
  const w7 = b7 * WRAP
  const w8 = b8 * WRAP
  const w9 = b9 * WRAP
  const w10 = b10 * WRAP
  const w11 = b11 * WRAP
  let d0 =
    a0 * b0 +
    a1 * w11 +
    a2 * w10 +
    a3 * w9 +
    a4 * w8 +
    a5 * w7 +
    a6 * w6 +
    a7 * w5 +
    a8 * w4 +
    a9 * w3 +
    a10 * w2 +
    a11 * w1
  let d1 =
    a0 * b1 +
    a1 * b0 +
    a2 * w11 +
    a3 * w10 +
    a4 * w9 +
    a5 * w8 +
    a6 * w7 +
    a7 * w6 +
    a8 * w5 +
    a9 * w4 +
    a10 * w3 +
    a11 * w2
  let d2 =
    a0 * b2 +
    a1 * b1 +
    a2 * b0 +
    a3 * w11 +
    a4 * w10 +
    a5 * w9 +
    a6 * w8 +
    a7 * w7 +
    a8 * w6 +
    a9 * w5 +
    a10 * w4 +
    a11 * w3
  let d3 =
    a0 * b3 +
    a1 * b2 +
    a2 * b1 +
    a3 * b0 +
    a4 * w11 +
    a5 * w10 +
    a6 * w9 +
    a7 * w8 +
    a8 * w7 +
    a9 * w6 +
    a10 * w5 +
    a11 * w4
  let d4 =
    a0 * b4 +
    a1 * b3 +
    a2 * b2 +
    a3 * b1 +
    a4 * b0 +
    a5 * w11 +
    a6 * w10 +
    a7 * w9 +
    a8 * w8 +
    a9 * w7 +
    a10 * w6 +
    a11 * w5
  let d5 =
    a0 * b5 +
    a1 * b4 +
    a2 * b3 +
    a3 * b2 +
    a4 * b1 +
    a5 * b0 +
    a6 * w11 +
    a7 * w10 +
    a8 * w9 +
    a9 * w8 +
    a10 * w7 +
    a11 * w6
  let d6 =
    a0 * b6 +
    a1 * b5 +
    a2 * b4 +
    a3 * b3 +
    a4 * b2 +
    a5 * b1 +
    a6 * b0 +
    a7 * w11 +
    a8 * w10 +
    a9 * w9 +
    a10 * w8 +
    a11 * w7
  let d7 =
    a0 * b7 +
    a1 * b6 +
    a2 * b5 +
    a3 * b4 +
    a4 * b3 +
    a5 * b2 +
    a6 * b1 +
    a7 * b0 +
    a8 * w11 +
    a9 * w10 +
    a10 * w9 +
    a11 * w8
  let d8 =
    a0 * b8 +
    a1 * b7 +
    a2 * b6 +
    a3 * b5 +
    a4 * b4 +
    a5 * b3 +
    a6 * b2 +
    a7 * b1 +
    a8 * b0 +
    a9 * w11 +
    a10 * w10 +
    a11 * w9
  let d9 =
    a0 * b9 +
    a1 * b8 +
    a2 * b7 +
    a3 * b6 +
    a4 * b5 +
    a5 * b4 +
    a6 * b3 +
    a7 * b2 +
    a8 * b1 +
    a9 * b0 +
    a10 * w11 +
    a11 * w10
  let d10 =
    a0 * b10 +
    a1 * b9 +
    a2 * b8 +
    a3 * b7 +
    a4 * b6 +
    a5 * b5 +
    a6 * b4 +
    a7 * b3 +
    a8 * b2 +
    a9 * b1 +
    a10 * b0 +
    a11 * w11
  let d11 =
    a0 * b11 +
    a1 * b10 +
    a2 * b9 +
    a3 * b8 +
    a4 * b7 +
    a5 * b6 +
    a6 * b5 +
    a7 * b4 +
    a8 * b3 +
    a9 * b2 +
    a10 * b1 +
    a11 * b0
  let p: number
  let q: number
  p = d0 + C22 - C22
  q = d6 + C149 - C149
  d0 -= p
  d1 += p
  d6 -= q
  d7 += q
  p = d1 + C43 - C43
  q = d7 + C170 - C170
  d1 -= p
  d2 += p
  d7 -= q
  d8 += q
  p = d2 + C64 - C64
  q = d8 + C192 - C192
  d2 -= p
  d3 += p
  d8 -= q
  d9 += q
  p = d3 + C85 - C85
  q = d9 + C213 - C213
  d3 -= p
  d4 += p
  d9 -= q
  d10 += q
  p = d4 + C107 - C107
  q = d10 + C234 - C234
  d4 -= p
  d5 += p
  d10 -= q
  d11 += q
  p = d5 + C128 - C128
  q = d11 + C255 - C255
  d5 -= p
  d6 += p
  d11 -= q
  d0 += q * WRAP
  p = d6 + C149 - C149
  q = d0 + C22 - C22
  d6 -= p
  d7 += p
  d0 -= q
  d1 += q
  out[0] = d0
  out[1] = d1
  out[2] = d2
  out[3] = d3
  out[4] = d4
  out[5] = d5
  out[6] = d6
  out[7] = d7
  out[8] = d8
  out[9] = d9
  out[10] = d10
  out[11] = d11
}

/** Reduced, from an element that may be 4-loose. `out` may be `a`. */
export function square(out: Float64Array, a: Float64Array): void {
  const a0 = a[0]!
  const a1 = a[1]!
  const a2 = a[2]!
  const a3 = a[3]!
  const a4 = a[4]!
  const a5 = a[5]!
  const a6 = a[6]!
  const a7 = a[7]!
  const a8 = a[8]!
  const a9 = a[9]!
  const a10 = a[10]!
  const a11 = a[11]!
  const t0 = 2 * a0
  const t1 = 2 * a1
  const t2 = 2 * a2
  const t3 = 2 * a3
  const t4 = 2 * a4
  const t5 = 2 * a5
  const t6 = 2 * a6
  const t7 = 2 * a7
  const t8 = 2 * a8
  const t9 = 2 * a9
  const t10 = 2 * a10
  const w6 = a6 * WRAP
  const w7 = a7 * WRAP
  const w8 = a8 * WRAP
  const w9 = a9 * WRAP
  const w10 = a10 * WRAP
  const w11 = a11 * WRAP
  let d0 = a0 * a0 + t1 * w11 + t2 * w10 + t3 * w9 + t4 * w8 + t5 * w7 + a6 * w6
  let d1 = t0 * a1 + t2 * w11 + t3 * w10 + t4 * w9 + t5 * w8 + t6 * w7
  let d2 = t0 * a2 + a1 * a1 + t3 * w11 + t4 * w10 + t5 * w9 + t6 * w8 + a7 * w7
  let d3 = t0 * a3 + t1 * a2 + t4 * w11 + t5 * w10 + t6 * w9 + t7 * w8
  let d4 = t0 * a4 + t1 * a3 + a2 * a2 + t5 * w11 + t6 * w10 + t7 * w9 + a8 * w8
  let d5 = t0 * a5 + t1 * a4 + t2 * a3 + t6 * w11 + t7 * w10 + t8 * w9
  let d6 = t0 * a6 + t1 * a5 + t2 * a4 + a3 * a3 + t7 * w11 + t8 * w10 + a9 * w9
  let d7 = t0 * a7 + t1 * a6 + t2 * a5 + t3 * a4 + t8 * w11 + t9 * w10
  let d8 = t0 * a8 + t1 * a7 + t2 * a6 + t3 * a5 + a4 * a4 + t9 * w11 + a10 * w10
  let d9 = t0 * a9 + t1 * a8 + t2 * a7 + t3 * a6 + t4 * a5 + t10 * w11
  let d10 = t0 * a10 + t1 * a9 + t2 * a8 + t3 * a7 + t4 * a6 + a5 * a5 + a11 * w11
  let d11 = t0 * a11 + t1 * a10 + t2 * a9 + t3 * a8 + t4 * a7 + t5 * a6
  let p: number
  let q: number
  p = d0 + C22 - C22
  q = d6 + C149 - C149
  d0 -= p
  d1 += p
  d6 -= q
  d7 += q
  p = d1 + C43 - C43
  q = d7 + C170 - C170
  d1 -= p
  d2 += p
  d7 -= q
  d8 += q
  p = d2 + C64 - C64
  q = d8 + C192 - C192
  d2 -= p
  d3 += p
  d8 -= q
  d9 += q
  p = d3 + C85 - C85
  q = d9 + C213 - C213
  d3 -= p
  d4 += p
  d9 -= q
  d10 += q
  p = d4 + C107 - C107
  q = d10 + C234 - C234
  d4 -= p
  d5 += p
  d10 -= q
  d11 += q
  p = d5 + C128 - C128
  q = d11 + C255 - C255
  d5 -= p
  d6 += p
  d11 -= q
  d0 += q * WRAP
  p = d6 + C149 - C149
  q = d0 + C22 - C22
  d6 -= p
  d7 += p
  d0 -= q
  d1 += q
  out[0] = d0
  out[1] = d1
  out[2] = d2
  out[3] = d3
  out[4] = d4
  out[5] = d5
  out[6] = d6
  out[7] = d7
  out[8] = d8
  out[9] = d9
  out[10] = d10
  out[11] = d11
}

/** out = a * factor + b, reduced; `factor` is below 2^20, `a` may be loose, `b` is reduced. */
export function multiplySmallAndAdd(out: Float64Array, a: Float64Array, factor: number, b: Float64Array): void {
  let d0 = a[0]! * factor + b[0]!
  let d1 = a[1]! * factor + b[1]!
  let d2 = a[2]! * factor + b[2]!
  let d3 = a[3]! * factor + b[3]!
  let d4 = a[4]! * factor + b[4]!
  let d5 = a[5]! * factor + b[5]!
  let d6 = a[6]! * factor + b[6]!
  let d7 = a[7]! * factor + b[7]!
  let d8 = a[8]! * factor + b[8]!
  let d9 = a[9]! * factor + b[9]!
  let d10 = a[10]! * factor + b[10]!
  let d11 = a[11]! * factor + b[11]!
  let p: number
  let q: number
  p = d0 + C22 - C22
  q = d6 + C149 - C149
  d0 -= p
  d1 += p
  d6 -= q
  d7 += q
  p = d1 + C43 - C43
  q = d7 + C170 - C170
  d1 -= p
  d2 += p
  d7 -= q
  d8 += q
  p = d2 + C64 - C64
  q = d8 + C192 - C192
  d2 -= p
  d3 += p
  d8 -= q
  d9 += q
  p = d3 + C85 - C85
  q = d9 + C213 - C213
  d3 -= p
  d4 += p
  d9 -= q
  d10 += q
  p = d4 + C107 - C107
  q = d10 + C234 - C234
  d4 -= p
  d5 += p
  d10 -= q
  d11 += q
  p = d5 + C128 - C128
  q = d11 + C255 - C255
  d5 -= p
  d6 += p
  d11 -= q
  d0 += q * WRAP
  p = d6 + C149 - C149
  q = d0 + C22 - C22
  d6 -= p
  d7 += p
  d0 -= q
  d1 += q
  out[0] = d0
  out[1] = d1
  out[2] = d2
  out[3] = d3
  out[4] = d4
  out[5] = d5
  out[6] = d6
  out[7] = d7
  out[8] = d8
  out[9] = d9
  out[10] = d10
  out[11] = d11
}

// The products of field256.ts, where the representation and its bounds are explained: the columns of the schoolbook
// multiplication, and Montgomery's reduction by R = 2^264, which this prime makes a few additions a limb:
// p = 2^256 - 2^224 + 2^192 + 2^96 - 1, so that adding m * p to a number whose lowest limb is m clears that limb.

const P96 = 2 ** 96
const P192 = 2 ** 192
const P224 = 2 ** 224
const P256 = 2 ** 256
/** R^-1 as a shift of all limbs. */
const DOWN = 2 ** -264

const C1 = 3 * 2 ** 73
const C2 = 3 * 2 ** 95
const C3 = 3 * 2 ** 117
const C4 = 3 * 2 ** 139
const C5 = 3 * 2 ** 161
const C6 = 3 * 2 ** 183
const C7 = 3 * 2 ** 205
const C8 = 3 * 2 ** 227
const C9 = 3 * 2 ** 249
const C10 = 3 * 2 ** 271
const C11 = 3 * 2 ** 293
const C12 = 3 * 2 ** 315
const C13 = 3 * 2 ** 337
const C14 = 3 * 2 ** 359
const C15 = 3 * 2 ** 381
const C16 = 3 * 2 ** 403
const C17 = 3 * 2 ** 425
const C18 = 3 * 2 ** 447
const C19 = 3 * 2 ** 469
const C20 = 3 * 2 ** 491
const C21 = 3 * 2 ** 513
const C22 = 3 * 2 ** 535
const C23 = 3 * 2 ** 557

/** Reduced: a * b / R modulo p. `out` may be `a` or `b`; `columns` is scratch for 24 values. */
export function multiply(out: Float64Array, a: Float64Array, b: Float64Array, columns: Float64Array): void {
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
  columns[0] = a0 * b0
  columns[1] = a0 * b1 + a1 * b0
  columns[2] = a0 * b2 + a1 * b1 + a2 * b0
  columns[3] = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0
  columns[4] = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0
  columns[5] = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0
  columns[6] = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0
  columns[7] = a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0
  columns[8] = a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0
  columns[9] = a0 * b9 + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1 + a9 * b0
  columns[10] =
    a0 * b10 + a1 * b9 + a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2 + a9 * b1 + a10 * b0
  columns[11] =
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
  columns[12] =
    a1 * b11 + a2 * b10 + a3 * b9 + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + a9 * b3 + a10 * b2 + a11 * b1
  columns[13] = a2 * b11 + a3 * b10 + a4 * b9 + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + a9 * b4 + a10 * b3 + a11 * b2
  columns[14] = a3 * b11 + a4 * b10 + a5 * b9 + a6 * b8 + a7 * b7 + a8 * b6 + a9 * b5 + a10 * b4 + a11 * b3
  columns[15] = a4 * b11 + a5 * b10 + a6 * b9 + a7 * b8 + a8 * b7 + a9 * b6 + a10 * b5 + a11 * b4
  columns[16] = a5 * b11 + a6 * b10 + a7 * b9 + a8 * b8 + a9 * b7 + a10 * b6 + a11 * b5
  columns[17] = a6 * b11 + a7 * b10 + a8 * b9 + a9 * b8 + a10 * b7 + a11 * b6
  columns[18] = a7 * b11 + a8 * b10 + a9 * b9 + a10 * b8 + a11 * b7
  columns[19] = a8 * b11 + a9 * b10 + a10 * b9 + a11 * b8
  columns[20] = a9 * b11 + a10 * b10 + a11 * b9
  columns[21] = a10 * b11 + a11 * b10
  columns[22] = a11 * b11
  reduce(out, columns)
}

/** Reduced: a * a / R modulo p. `out` may be `a`; `columns` is scratch for 24 values. */
export function square(out: Float64Array, a: Float64Array, columns: Float64Array): void {
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
  columns[0] = a0 * a0
  columns[1] = t0 * a1
  columns[2] = t0 * a2 + a1 * a1
  columns[3] = t0 * a3 + t1 * a2
  columns[4] = t0 * a4 + t1 * a3 + a2 * a2
  columns[5] = t0 * a5 + t1 * a4 + t2 * a3
  columns[6] = t0 * a6 + t1 * a5 + t2 * a4 + a3 * a3
  columns[7] = t0 * a7 + t1 * a6 + t2 * a5 + t3 * a4
  columns[8] = t0 * a8 + t1 * a7 + t2 * a6 + t3 * a5 + a4 * a4
  columns[9] = t0 * a9 + t1 * a8 + t2 * a7 + t3 * a6 + t4 * a5
  columns[10] = t0 * a10 + t1 * a9 + t2 * a8 + t3 * a7 + t4 * a6 + a5 * a5
  columns[11] = t0 * a11 + t1 * a10 + t2 * a9 + t3 * a8 + t4 * a7 + t5 * a6
  columns[12] = t1 * a11 + t2 * a10 + t3 * a9 + t4 * a8 + t5 * a7 + a6 * a6
  columns[13] = t2 * a11 + t3 * a10 + t4 * a9 + t5 * a8 + t6 * a7
  columns[14] = t3 * a11 + t4 * a10 + t5 * a9 + t6 * a8 + a7 * a7
  columns[15] = t4 * a11 + t5 * a10 + t6 * a9 + t7 * a8
  columns[16] = t5 * a11 + t6 * a10 + t7 * a9 + a8 * a8
  columns[17] = t6 * a11 + t7 * a10 + t8 * a9
  columns[18] = t7 * a11 + t8 * a10 + a9 * a9
  columns[19] = t8 * a11 + t9 * a10
  columns[20] = t9 * a11 + a10 * a10
  columns[21] = t10 * a11
  columns[22] = a11 * a11
  reduce(out, columns)
}

/** Clears the twelve lowest of 23 columns, and carries in those that are left. */
function reduce(out: Float64Array, columns: Float64Array): void {
  const c0 = columns[0]!
  let c1 = columns[1]!
  let c2 = columns[2]!
  let c3 = columns[3]!
  let c4 = columns[4]!
  let c5 = columns[5]!
  let c6 = columns[6]!
  let c7 = columns[7]!
  let c8 = columns[8]!
  let c9 = columns[9]!
  let c10 = columns[10]!
  let c11 = columns[11]!
  let c12 = columns[12]!
  let c13 = columns[13]!
  let c14 = columns[14]!
  let c15 = columns[15]!
  let c16 = columns[16]!
  let c17 = columns[17]!
  let c18 = columns[18]!
  let c19 = columns[19]!
  let c20 = columns[20]!
  let c21 = columns[21]!
  let c22 = columns[22]!
  let m: number
  let t: number
  t = c0 + C1 - C1
  m = c0 - t
  c1 += t
  c4 += m * P96
  c8 += m * P192
  c10 -= m * P224
  c11 += m * P256
  t = c1 + C2 - C2
  m = c1 - t
  c2 += t
  c5 += m * P96
  c9 += m * P192
  c11 -= m * P224
  c12 += m * P256
  t = c2 + C3 - C3
  m = c2 - t
  c3 += t
  c6 += m * P96
  c10 += m * P192
  c12 -= m * P224
  c13 += m * P256
  t = c3 + C4 - C4
  m = c3 - t
  c4 += t
  c7 += m * P96
  c11 += m * P192
  c13 -= m * P224
  c14 += m * P256
  t = c4 + C5 - C5
  m = c4 - t
  c5 += t
  c8 += m * P96
  c12 += m * P192
  c14 -= m * P224
  c15 += m * P256
  t = c5 + C6 - C6
  m = c5 - t
  c6 += t
  c9 += m * P96
  c13 += m * P192
  c15 -= m * P224
  c16 += m * P256
  t = c6 + C7 - C7
  m = c6 - t
  c7 += t
  c10 += m * P96
  c14 += m * P192
  c16 -= m * P224
  c17 += m * P256
  t = c7 + C8 - C8
  m = c7 - t
  c8 += t
  c11 += m * P96
  c15 += m * P192
  c17 -= m * P224
  c18 += m * P256
  t = c8 + C9 - C9
  m = c8 - t
  c9 += t
  c12 += m * P96
  c16 += m * P192
  c18 -= m * P224
  c19 += m * P256
  t = c9 + C10 - C10
  m = c9 - t
  c10 += t
  c13 += m * P96
  c17 += m * P192
  c19 -= m * P224
  c20 += m * P256
  t = c10 + C11 - C11
  m = c10 - t
  c11 += t
  c14 += m * P96
  c18 += m * P192
  c20 -= m * P224
  c21 += m * P256
  t = c11 + C12 - C12
  m = c11 - t
  c12 += t
  c15 += m * P96
  c19 += m * P192
  c21 -= m * P224
  c22 += m * P256
  let c23 = 0
  t = c12 + C13 - C13
  c12 -= t
  c13 += t
  m = c18 + C19 - C19
  c18 -= m
  c19 += m
  t = c13 + C14 - C14
  c13 -= t
  c14 += t
  m = c19 + C20 - C20
  c19 -= m
  c20 += m
  t = c14 + C15 - C15
  c14 -= t
  c15 += t
  m = c20 + C21 - C21
  c20 -= m
  c21 += m
  t = c15 + C16 - C16
  c15 -= t
  c16 += t
  m = c21 + C22 - C22
  c21 -= m
  c22 += m
  t = c16 + C17 - C17
  c16 -= t
  c17 += t
  m = c22 + C23 - C23
  c22 -= m
  c23 += m
  t = c17 + C18 - C18
  c17 -= t
  c18 += t
  t = c18 + C19 - C19
  c18 -= t
  c19 += t
  out[0] = c12 * DOWN
  out[1] = c13 * DOWN
  out[2] = c14 * DOWN
  out[3] = c15 * DOWN
  out[4] = c16 * DOWN
  out[5] = c17 * DOWN
  out[6] = c18 * DOWN
  out[7] = c19 * DOWN
  out[8] = c20 * DOWN
  out[9] = c21 * DOWN
  out[10] = c22 * DOWN
  out[11] = c23 * DOWN
}

/** The same value with reduced limbs, for sums of many. `out` may be `a`. */
export function carry(out: Float64Array, a: Float64Array): void {
  let c0 = a[0]!
  let c1 = a[1]!
  let c2 = a[2]!
  let c3 = a[3]!
  let c4 = a[4]!
  let c5 = a[5]!
  let c6 = a[6]!
  let c7 = a[7]!
  let c8 = a[8]!
  let c9 = a[9]!
  let c10 = a[10]!
  let c11 = a[11]!
  let t: number
  let m: number
  t = c0 + C1 - C1
  c0 -= t
  c1 += t
  m = c6 + C7 - C7
  c6 -= m
  c7 += m
  t = c1 + C2 - C2
  c1 -= t
  c2 += t
  m = c7 + C8 - C8
  c7 -= m
  c8 += m
  t = c2 + C3 - C3
  c2 -= t
  c3 += t
  m = c8 + C9 - C9
  c8 -= m
  c9 += m
  t = c3 + C4 - C4
  c3 -= t
  c4 += t
  m = c9 + C10 - C10
  c9 -= m
  c10 += m
  t = c4 + C5 - C5
  c4 -= t
  c5 += t
  m = c10 + C11 - C11
  c10 -= m
  c11 += m
  t = c5 + C6 - C6
  c5 -= t
  c6 += t
  t = c6 + C7 - C7
  c6 -= t
  c7 += t
  out[0] = c0
  out[1] = c1
  out[2] = c2
  out[3] = c3
  out[4] = c4
  out[5] = c5
  out[6] = c6
  out[7] = c7
  out[8] = c8
  out[9] = c9
  out[10] = c10
  out[11] = c11
}

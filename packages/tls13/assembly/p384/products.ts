// The products of field.ts, where the representation and its bounds are explained: the columns of the schoolbook
// multiplication and Montgomery's reduction by R = 2^392, which this prime makes shifts and additions:
// p = 2^384 - 2^128 - 2^96 + 2^32 - 1, so that adding m * p to a number whose lowest limb is m clears that limb.
// In limbs of 28 bits, 2^32 is 2^4 in limb 1, 2^96 is 2^12 in limb 3, 2^128 is 2^16 in limb 4, 2^384 is 2^20 in limb 13.

const MASK: i64 = 0xfffffff
/** Added before a carry, so that it rounds to the nearest and the limb is from -2^27 to 2^27. */
const HALF: i64 = 0x8000000

/** a * b / R, reduced; k- and l-loose factors with k * l <= 30. `out` may be `a` or `b`. */
export function multiply(out: usize, a: usize, b: usize): void {
  const a0: i64 = load<i32>(a)
  const a1: i64 = load<i32>(a, 4)
  const a2: i64 = load<i32>(a, 8)
  const a3: i64 = load<i32>(a, 12)
  const a4: i64 = load<i32>(a, 16)
  const a5: i64 = load<i32>(a, 20)
  const a6: i64 = load<i32>(a, 24)
  const a7: i64 = load<i32>(a, 28)
  const a8: i64 = load<i32>(a, 32)
  const a9: i64 = load<i32>(a, 36)
  const a10: i64 = load<i32>(a, 40)
  const a11: i64 = load<i32>(a, 44)
  const a12: i64 = load<i32>(a, 48)
  const a13: i64 = load<i32>(a, 52)
  const b0: i64 = load<i32>(b)
  const b1: i64 = load<i32>(b, 4)
  const b2: i64 = load<i32>(b, 8)
  const b3: i64 = load<i32>(b, 12)
  const b4: i64 = load<i32>(b, 16)
  const b5: i64 = load<i32>(b, 20)
  const b6: i64 = load<i32>(b, 24)
  const b7: i64 = load<i32>(b, 28)
  const b8: i64 = load<i32>(b, 32)
  const b9: i64 = load<i32>(b, 36)
  const b10: i64 = load<i32>(b, 40)
  const b11: i64 = load<i32>(b, 44)
  const b12: i64 = load<i32>(b, 48)
  const b13: i64 = load<i32>(b, 52)
  const c0 = a0 * b0
  const m0 = c0 & MASK
  const c1 = a0 * b1 + a1 * b0 + (c0 >> 28) + (m0 << 4)
  const m1 = c1 & MASK
  const c2 = a0 * b2 + a1 * b1 + a2 * b0 + (c1 >> 28) + (m1 << 4)
  const m2 = c2 & MASK
  const c3 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + (c2 >> 28) + (m2 << 4) - (m0 << 12)
  const m3 = c3 & MASK
  const c4 = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + (c3 >> 28) + (m3 << 4) - (m1 << 12) - (m0 << 16)
  const m4 = c4 & MASK
  const c5 =
    a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + (c4 >> 28) + (m4 << 4) - (m2 << 12) - (m1 << 16)
  const m5 = c5 & MASK
  const c6 =
    a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + (c5 >> 28) + (m5 << 4) - (m3 << 12) -
    (m2 << 16)
  const m6 = c6 & MASK
  const c7 =
    a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + (c6 >> 28) + (m6 << 4) -
    (m4 << 12) - (m3 << 16)
  const m7 = c7 & MASK
  const c8 =
    a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0 + (c7 >> 28) + (m7 << 4) -
    (m5 << 12) - (m4 << 16)
  const m8 = c8 & MASK
  const c9 =
    a0 * b9 + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1 + a9 * b0 + (c8 >> 28) +
    (m8 << 4) - (m6 << 12) - (m5 << 16)
  const m9 = c9 & MASK
  const c10 =
    a0 * b10 + a1 * b9 + a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2 + a9 * b1 + a10 * b0 +
    (c9 >> 28) + (m9 << 4) - (m7 << 12) - (m6 << 16)
  const m10 = c10 & MASK
  const c11 =
    a0 * b11 + a1 * b10 + a2 * b9 + a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + a9 * b2 + a10 * b1 +
    a11 * b0 + (c10 >> 28) + (m10 << 4) - (m8 << 12) - (m7 << 16)
  const m11 = c11 & MASK
  const c12 =
    a0 * b12 + a1 * b11 + a2 * b10 + a3 * b9 + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + a9 * b3 + a10 * b2 +
    a11 * b1 + a12 * b0 + (c11 >> 28) + (m11 << 4) - (m9 << 12) - (m8 << 16)
  const m12 = c12 & MASK
  const c13 =
    a0 * b13 + a1 * b12 + a2 * b11 + a3 * b10 + a4 * b9 + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + a9 * b4 + a10 * b3 +
    a11 * b2 + a12 * b1 + a13 * b0 + (c12 >> 28) + (m12 << 4) - (m10 << 12) - (m9 << 16) + (m0 << 20)
  const m13 = c13 & MASK
  const c14 =
    a1 * b13 + a2 * b12 + a3 * b11 + a4 * b10 + a5 * b9 + a6 * b8 + a7 * b7 + a8 * b6 + a9 * b5 + a10 * b4 + a11 * b3 +
    a12 * b2 + a13 * b1 + (c13 >> 28) + (m13 << 4) - (m11 << 12) - (m10 << 16) + (m1 << 20) + HALF
  const c15 =
    a2 * b13 + a3 * b12 + a4 * b11 + a5 * b10 + a6 * b9 + a7 * b8 + a8 * b7 + a9 * b6 + a10 * b5 + a11 * b4 +
    a12 * b3 + a13 * b2 + (c14 >> 28) - (m12 << 12) - (m11 << 16) + (m2 << 20) + HALF
  const c16 =
    a3 * b13 + a4 * b12 + a5 * b11 + a6 * b10 + a7 * b9 + a8 * b8 + a9 * b7 + a10 * b6 + a11 * b5 + a12 * b4 +
    a13 * b3 + (c15 >> 28) - (m13 << 12) - (m12 << 16) + (m3 << 20) + HALF
  const c17 =
    a4 * b13 + a5 * b12 + a6 * b11 + a7 * b10 + a8 * b9 + a9 * b8 + a10 * b7 + a11 * b6 + a12 * b5 + a13 * b4 +
    (c16 >> 28) - (m13 << 16) + (m4 << 20) + HALF
  const c18 =
    a5 * b13 + a6 * b12 + a7 * b11 + a8 * b10 + a9 * b9 + a10 * b8 + a11 * b7 + a12 * b6 + a13 * b5 + (c17 >> 28) +
    (m5 << 20) + HALF
  const c19 =
    a6 * b13 + a7 * b12 + a8 * b11 + a9 * b10 + a10 * b9 + a11 * b8 + a12 * b7 + a13 * b6 + (c18 >> 28) + (m6 << 20) +
    HALF
  const c20 =
    a7 * b13 + a8 * b12 + a9 * b11 + a10 * b10 + a11 * b9 + a12 * b8 + a13 * b7 + (c19 >> 28) + (m7 << 20) + HALF
  const c21 = a8 * b13 + a9 * b12 + a10 * b11 + a11 * b10 + a12 * b9 + a13 * b8 + (c20 >> 28) + (m8 << 20) + HALF
  const c22 = a9 * b13 + a10 * b12 + a11 * b11 + a12 * b10 + a13 * b9 + (c21 >> 28) + (m9 << 20) + HALF
  const c23 = a10 * b13 + a11 * b12 + a12 * b11 + a13 * b10 + (c22 >> 28) + (m10 << 20) + HALF
  const c24 = a11 * b13 + a12 * b12 + a13 * b11 + (c23 >> 28) + (m11 << 20) + HALF
  const c25 = a12 * b13 + a13 * b12 + (c24 >> 28) + (m12 << 20) + HALF
  const c26 = a13 * b13 + (c25 >> 28) + (m13 << 20) + HALF
  store<i32>(out, <i32>((c14 & MASK) - HALF))
  store<i32>(out, <i32>((c15 & MASK) - HALF), 4)
  store<i32>(out, <i32>((c16 & MASK) - HALF), 8)
  store<i32>(out, <i32>((c17 & MASK) - HALF), 12)
  store<i32>(out, <i32>((c18 & MASK) - HALF), 16)
  store<i32>(out, <i32>((c19 & MASK) - HALF), 20)
  store<i32>(out, <i32>((c20 & MASK) - HALF), 24)
  store<i32>(out, <i32>((c21 & MASK) - HALF), 28)
  store<i32>(out, <i32>((c22 & MASK) - HALF), 32)
  store<i32>(out, <i32>((c23 & MASK) - HALF), 36)
  store<i32>(out, <i32>((c24 & MASK) - HALF), 40)
  store<i32>(out, <i32>((c25 & MASK) - HALF), 44)
  store<i32>(out, <i32>((c26 & MASK) - HALF), 48)
  store<i32>(out, <i32>(c26 >> 28), 52)
}

/** a * a / R, reduced, from an element that may be 5-loose. `out` may be `a`. */
export function square(out: usize, a: usize): void {
  const a0: i64 = load<i32>(a)
  const a1: i64 = load<i32>(a, 4)
  const a2: i64 = load<i32>(a, 8)
  const a3: i64 = load<i32>(a, 12)
  const a4: i64 = load<i32>(a, 16)
  const a5: i64 = load<i32>(a, 20)
  const a6: i64 = load<i32>(a, 24)
  const a7: i64 = load<i32>(a, 28)
  const a8: i64 = load<i32>(a, 32)
  const a9: i64 = load<i32>(a, 36)
  const a10: i64 = load<i32>(a, 40)
  const a11: i64 = load<i32>(a, 44)
  const a12: i64 = load<i32>(a, 48)
  const a13: i64 = load<i32>(a, 52)
  const t0 = a0 << 1
  const t1 = a1 << 1
  const t2 = a2 << 1
  const t3 = a3 << 1
  const t4 = a4 << 1
  const t5 = a5 << 1
  const t6 = a6 << 1
  const t7 = a7 << 1
  const t8 = a8 << 1
  const t9 = a9 << 1
  const t10 = a10 << 1
  const t11 = a11 << 1
  const t12 = a12 << 1
  const c0 = a0 * a0
  const m0 = c0 & MASK
  const c1 = t0 * a1 + (c0 >> 28) + (m0 << 4)
  const m1 = c1 & MASK
  const c2 = t0 * a2 + a1 * a1 + (c1 >> 28) + (m1 << 4)
  const m2 = c2 & MASK
  const c3 = t0 * a3 + t1 * a2 + (c2 >> 28) + (m2 << 4) - (m0 << 12)
  const m3 = c3 & MASK
  const c4 = t0 * a4 + t1 * a3 + a2 * a2 + (c3 >> 28) + (m3 << 4) - (m1 << 12) - (m0 << 16)
  const m4 = c4 & MASK
  const c5 = t0 * a5 + t1 * a4 + t2 * a3 + (c4 >> 28) + (m4 << 4) - (m2 << 12) - (m1 << 16)
  const m5 = c5 & MASK
  const c6 = t0 * a6 + t1 * a5 + t2 * a4 + a3 * a3 + (c5 >> 28) + (m5 << 4) - (m3 << 12) - (m2 << 16)
  const m6 = c6 & MASK
  const c7 = t0 * a7 + t1 * a6 + t2 * a5 + t3 * a4 + (c6 >> 28) + (m6 << 4) - (m4 << 12) - (m3 << 16)
  const m7 = c7 & MASK
  const c8 = t0 * a8 + t1 * a7 + t2 * a6 + t3 * a5 + a4 * a4 + (c7 >> 28) + (m7 << 4) - (m5 << 12) - (m4 << 16)
  const m8 = c8 & MASK
  const c9 = t0 * a9 + t1 * a8 + t2 * a7 + t3 * a6 + t4 * a5 + (c8 >> 28) + (m8 << 4) - (m6 << 12) - (m5 << 16)
  const m9 = c9 & MASK
  const c10 =
    t0 * a10 + t1 * a9 + t2 * a8 + t3 * a7 + t4 * a6 + a5 * a5 + (c9 >> 28) + (m9 << 4) - (m7 << 12) - (m6 << 16)
  const m10 = c10 & MASK
  const c11 =
    t0 * a11 + t1 * a10 + t2 * a9 + t3 * a8 + t4 * a7 + t5 * a6 + (c10 >> 28) + (m10 << 4) - (m8 << 12) - (m7 << 16)
  const m11 = c11 & MASK
  const c12 =
    t0 * a12 + t1 * a11 + t2 * a10 + t3 * a9 + t4 * a8 + t5 * a7 + a6 * a6 + (c11 >> 28) + (m11 << 4) - (m9 << 12) -
    (m8 << 16)
  const m12 = c12 & MASK
  const c13 =
    t0 * a13 + t1 * a12 + t2 * a11 + t3 * a10 + t4 * a9 + t5 * a8 + t6 * a7 + (c12 >> 28) + (m12 << 4) - (m10 << 12) -
    (m9 << 16) + (m0 << 20)
  const m13 = c13 & MASK
  const c14 =
    t1 * a13 + t2 * a12 + t3 * a11 + t4 * a10 + t5 * a9 + t6 * a8 + a7 * a7 + (c13 >> 28) + (m13 << 4) - (m11 << 12) -
    (m10 << 16) + (m1 << 20) + HALF
  const c15 =
    t2 * a13 + t3 * a12 + t4 * a11 + t5 * a10 + t6 * a9 + t7 * a8 + (c14 >> 28) - (m12 << 12) - (m11 << 16) +
    (m2 << 20) + HALF
  const c16 =
    t3 * a13 + t4 * a12 + t5 * a11 + t6 * a10 + t7 * a9 + a8 * a8 + (c15 >> 28) - (m13 << 12) - (m12 << 16) +
    (m3 << 20) + HALF
  const c17 = t4 * a13 + t5 * a12 + t6 * a11 + t7 * a10 + t8 * a9 + (c16 >> 28) - (m13 << 16) + (m4 << 20) + HALF
  const c18 = t5 * a13 + t6 * a12 + t7 * a11 + t8 * a10 + a9 * a9 + (c17 >> 28) + (m5 << 20) + HALF
  const c19 = t6 * a13 + t7 * a12 + t8 * a11 + t9 * a10 + (c18 >> 28) + (m6 << 20) + HALF
  const c20 = t7 * a13 + t8 * a12 + t9 * a11 + a10 * a10 + (c19 >> 28) + (m7 << 20) + HALF
  const c21 = t8 * a13 + t9 * a12 + t10 * a11 + (c20 >> 28) + (m8 << 20) + HALF
  const c22 = t9 * a13 + t10 * a12 + a11 * a11 + (c21 >> 28) + (m9 << 20) + HALF
  const c23 = t10 * a13 + t11 * a12 + (c22 >> 28) + (m10 << 20) + HALF
  const c24 = t11 * a13 + a12 * a12 + (c23 >> 28) + (m11 << 20) + HALF
  const c25 = t12 * a13 + (c24 >> 28) + (m12 << 20) + HALF
  const c26 = a13 * a13 + (c25 >> 28) + (m13 << 20) + HALF
  store<i32>(out, <i32>((c14 & MASK) - HALF))
  store<i32>(out, <i32>((c15 & MASK) - HALF), 4)
  store<i32>(out, <i32>((c16 & MASK) - HALF), 8)
  store<i32>(out, <i32>((c17 & MASK) - HALF), 12)
  store<i32>(out, <i32>((c18 & MASK) - HALF), 16)
  store<i32>(out, <i32>((c19 & MASK) - HALF), 20)
  store<i32>(out, <i32>((c20 & MASK) - HALF), 24)
  store<i32>(out, <i32>((c21 & MASK) - HALF), 28)
  store<i32>(out, <i32>((c22 & MASK) - HALF), 32)
  store<i32>(out, <i32>((c23 & MASK) - HALF), 36)
  store<i32>(out, <i32>((c24 & MASK) - HALF), 40)
  store<i32>(out, <i32>((c25 & MASK) - HALF), 44)
  store<i32>(out, <i32>((c26 & MASK) - HALF), 48)
  store<i32>(out, <i32>(c26 >> 28), 52)
}

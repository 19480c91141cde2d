// The products of field.ts, where the representation and its bounds are explained: the columns of the schoolbook
// multiplication and Montgomery's reduction by R = 2^261, which this prime makes shifts and additions:
// p = 2^256 - 2^224 + 2^192 + 2^96 - 1, so that adding m * p to a number whose lowest limb is m clears that limb.
// In limbs of 29 bits, 2^96 is 2^9 in limb 3, 2^192 is 2^18 in limb 6, 2^224 is 2^21 in limb 7, 2^256 is 2^24 in limb 8.

const MASK: i64 = 0x1fffffff
/** Added before a carry, so that it rounds to the nearest and the limb is from -2^28 to 2^28. */
const HALF: i64 = 0x10000000

/** a * b / R, reduced; k- and l-loose factors with k * l <= 8. `out` may be `a` or `b`. */
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
  const b0: i64 = load<i32>(b)
  const b1: i64 = load<i32>(b, 4)
  const b2: i64 = load<i32>(b, 8)
  const b3: i64 = load<i32>(b, 12)
  const b4: i64 = load<i32>(b, 16)
  const b5: i64 = load<i32>(b, 20)
  const b6: i64 = load<i32>(b, 24)
  const b7: i64 = load<i32>(b, 28)
  const b8: i64 = load<i32>(b, 32)
  const c0 = a0 * b0
  const m0 = c0 & MASK
  const c1 = a0 * b1 + a1 * b0 + (c0 >> 29)
  const m1 = c1 & MASK
  const c2 = a0 * b2 + a1 * b1 + a2 * b0 + (c1 >> 29)
  const m2 = c2 & MASK
  const c3 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + (c2 >> 29) + (m0 << 9)
  const m3 = c3 & MASK
  const c4 = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + (c3 >> 29) + (m1 << 9)
  const m4 = c4 & MASK
  const c5 = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + (c4 >> 29) + (m2 << 9)
  const m5 = c5 & MASK
  const c6 = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + (c5 >> 29) + (m3 << 9) + (m0 << 18)
  const m6 = c6 & MASK
  const c7 =
    a0 * b7 +
    a1 * b6 +
    a2 * b5 +
    a3 * b4 +
    a4 * b3 +
    a5 * b2 +
    a6 * b1 +
    a7 * b0 +
    (c6 >> 29) +
    (m4 << 9) +
    (m1 << 18) -
    (m0 << 21)
  const m7 = c7 & MASK
  const c8 =
    a0 * b8 +
    a1 * b7 +
    a2 * b6 +
    a3 * b5 +
    a4 * b4 +
    a5 * b3 +
    a6 * b2 +
    a7 * b1 +
    a8 * b0 +
    (c7 >> 29) +
    (m5 << 9) +
    (m2 << 18) -
    (m1 << 21) +
    (m0 << 24)
  const m8 = c8 & MASK
  let c9 =
    a1 * b8 +
    a2 * b7 +
    a3 * b6 +
    a4 * b5 +
    a5 * b4 +
    a6 * b3 +
    a7 * b2 +
    a8 * b1 +
    (c8 >> 29) +
    (m6 << 9) +
    (m3 << 18) -
    (m2 << 21) +
    (m1 << 24)
  let c10 =
    a2 * b8 +
    a3 * b7 +
    a4 * b6 +
    a5 * b5 +
    a6 * b4 +
    a7 * b3 +
    a8 * b2 +
    (m7 << 9) +
    (m4 << 18) -
    (m3 << 21) +
    (m2 << 24)
  let c11 = a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + (m8 << 9) + (m5 << 18) - (m4 << 21) + (m3 << 24)
  let c12 = a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + (m6 << 18) - (m5 << 21) + (m4 << 24)
  let c13 = a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + (m7 << 18) - (m6 << 21) + (m5 << 24)
  let c14 = a6 * b8 + a7 * b7 + a8 * b6 + (m8 << 18) - (m7 << 21) + (m6 << 24)
  let c15 = a7 * b8 + a8 * b7 - (m8 << 21) + (m7 << 24)
  let c16 = a8 * b8 + (m8 << 24)
  c9 += HALF
  c10 += (c9 >> 29) + HALF
  c11 += (c10 >> 29) + HALF
  c12 += (c11 >> 29) + HALF
  c13 += (c12 >> 29) + HALF
  c14 += (c13 >> 29) + HALF
  c15 += (c14 >> 29) + HALF
  c16 += (c15 >> 29) + HALF
  store<i32>(out, <i32>((c9 & MASK) - HALF))
  store<i32>(out, <i32>((c10 & MASK) - HALF), 4)
  store<i32>(out, <i32>((c11 & MASK) - HALF), 8)
  store<i32>(out, <i32>((c12 & MASK) - HALF), 12)
  store<i32>(out, <i32>((c13 & MASK) - HALF), 16)
  store<i32>(out, <i32>((c14 & MASK) - HALF), 20)
  store<i32>(out, <i32>((c15 & MASK) - HALF), 24)
  store<i32>(out, <i32>((c16 & MASK) - HALF), 28)
  store<i32>(out, <i32>(c16 >> 29), 32)
}

/** a * a / R, reduced, from an element that may be 2-loose. `out` may be `a`. */
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
  const t0 = a0 << 1
  const t1 = a1 << 1
  const t2 = a2 << 1
  const t3 = a3 << 1
  const t4 = a4 << 1
  const t5 = a5 << 1
  const t6 = a6 << 1
  const t7 = a7 << 1
  const c0 = a0 * a0
  const m0 = c0 & MASK
  const c1 = t0 * a1 + (c0 >> 29)
  const m1 = c1 & MASK
  const c2 = t0 * a2 + a1 * a1 + (c1 >> 29)
  const m2 = c2 & MASK
  const c3 = t0 * a3 + t1 * a2 + (c2 >> 29) + (m0 << 9)
  const m3 = c3 & MASK
  const c4 = t0 * a4 + t1 * a3 + a2 * a2 + (c3 >> 29) + (m1 << 9)
  const m4 = c4 & MASK
  const c5 = t0 * a5 + t1 * a4 + t2 * a3 + (c4 >> 29) + (m2 << 9)
  const m5 = c5 & MASK
  const c6 = t0 * a6 + t1 * a5 + t2 * a4 + a3 * a3 + (c5 >> 29) + (m3 << 9) + (m0 << 18)
  const m6 = c6 & MASK
  const c7 = t0 * a7 + t1 * a6 + t2 * a5 + t3 * a4 + (c6 >> 29) + (m4 << 9) + (m1 << 18) - (m0 << 21)
  const m7 = c7 & MASK
  const c8 =
    t0 * a8 + t1 * a7 + t2 * a6 + t3 * a5 + a4 * a4 + (c7 >> 29) + (m5 << 9) + (m2 << 18) - (m1 << 21) + (m0 << 24)
  const m8 = c8 & MASK
  let c9 = t1 * a8 + t2 * a7 + t3 * a6 + t4 * a5 + (c8 >> 29) + (m6 << 9) + (m3 << 18) - (m2 << 21) + (m1 << 24)
  let c10 = t2 * a8 + t3 * a7 + t4 * a6 + a5 * a5 + (m7 << 9) + (m4 << 18) - (m3 << 21) + (m2 << 24)
  let c11 = t3 * a8 + t4 * a7 + t5 * a6 + (m8 << 9) + (m5 << 18) - (m4 << 21) + (m3 << 24)
  let c12 = t4 * a8 + t5 * a7 + a6 * a6 + (m6 << 18) - (m5 << 21) + (m4 << 24)
  let c13 = t5 * a8 + t6 * a7 + (m7 << 18) - (m6 << 21) + (m5 << 24)
  let c14 = t6 * a8 + a7 * a7 + (m8 << 18) - (m7 << 21) + (m6 << 24)
  let c15 = t7 * a8 - (m8 << 21) + (m7 << 24)
  let c16 = a8 * a8 + (m8 << 24)
  c9 += HALF
  c10 += (c9 >> 29) + HALF
  c11 += (c10 >> 29) + HALF
  c12 += (c11 >> 29) + HALF
  c13 += (c12 >> 29) + HALF
  c14 += (c13 >> 29) + HALF
  c15 += (c14 >> 29) + HALF
  c16 += (c15 >> 29) + HALF
  store<i32>(out, <i32>((c9 & MASK) - HALF))
  store<i32>(out, <i32>((c10 & MASK) - HALF), 4)
  store<i32>(out, <i32>((c11 & MASK) - HALF), 8)
  store<i32>(out, <i32>((c12 & MASK) - HALF), 12)
  store<i32>(out, <i32>((c13 & MASK) - HALF), 16)
  store<i32>(out, <i32>((c14 & MASK) - HALF), 20)
  store<i32>(out, <i32>((c15 & MASK) - HALF), 24)
  store<i32>(out, <i32>((c16 & MASK) - HALF), 28)
  store<i32>(out, <i32>(c16 >> 29), 32)
}

/**
 * a * b / R + factor * s, reduced; k- and l-loose factors with k * l <= 15, |factor| times the looseness of s at most 32.
 * What the sum has above 2^256 is taken off as q * p before the carry. `out` may be any of the others.
 */
export function multiplyAndAdd(out: usize, a: usize, b: usize, factor: i64, s: usize): void {
  const a0: i64 = load<i32>(a)
  const a1: i64 = load<i32>(a, 4)
  const a2: i64 = load<i32>(a, 8)
  const a3: i64 = load<i32>(a, 12)
  const a4: i64 = load<i32>(a, 16)
  const a5: i64 = load<i32>(a, 20)
  const a6: i64 = load<i32>(a, 24)
  const a7: i64 = load<i32>(a, 28)
  const a8: i64 = load<i32>(a, 32)
  const b0: i64 = load<i32>(b)
  const b1: i64 = load<i32>(b, 4)
  const b2: i64 = load<i32>(b, 8)
  const b3: i64 = load<i32>(b, 12)
  const b4: i64 = load<i32>(b, 16)
  const b5: i64 = load<i32>(b, 20)
  const b6: i64 = load<i32>(b, 24)
  const b7: i64 = load<i32>(b, 28)
  const b8: i64 = load<i32>(b, 32)
  const c0 = a0 * b0
  const m0 = c0 & MASK
  const c1 = a0 * b1 + a1 * b0 + (c0 >> 29)
  const m1 = c1 & MASK
  const c2 = a0 * b2 + a1 * b1 + a2 * b0 + (c1 >> 29)
  const m2 = c2 & MASK
  const c3 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + (c2 >> 29) + (m0 << 9)
  const m3 = c3 & MASK
  const c4 = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + (c3 >> 29) + (m1 << 9)
  const m4 = c4 & MASK
  const c5 = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + (c4 >> 29) + (m2 << 9)
  const m5 = c5 & MASK
  const c6 = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + (c5 >> 29) + (m3 << 9) + (m0 << 18)
  const m6 = c6 & MASK
  const c7 =
    a0 * b7 +
    a1 * b6 +
    a2 * b5 +
    a3 * b4 +
    a4 * b3 +
    a5 * b2 +
    a6 * b1 +
    a7 * b0 +
    (c6 >> 29) +
    (m4 << 9) +
    (m1 << 18) -
    (m0 << 21)
  const m7 = c7 & MASK
  const c8 =
    a0 * b8 +
    a1 * b7 +
    a2 * b6 +
    a3 * b5 +
    a4 * b4 +
    a5 * b3 +
    a6 * b2 +
    a7 * b1 +
    a8 * b0 +
    (c7 >> 29) +
    (m5 << 9) +
    (m2 << 18) -
    (m1 << 21) +
    (m0 << 24)
  const m8 = c8 & MASK
  let c9 =
    a1 * b8 +
    a2 * b7 +
    a3 * b6 +
    a4 * b5 +
    a5 * b4 +
    a6 * b3 +
    a7 * b2 +
    a8 * b1 +
    (c8 >> 29) +
    (m6 << 9) +
    (m3 << 18) -
    (m2 << 21) +
    (m1 << 24)
  let c10 =
    a2 * b8 +
    a3 * b7 +
    a4 * b6 +
    a5 * b5 +
    a6 * b4 +
    a7 * b3 +
    a8 * b2 +
    (m7 << 9) +
    (m4 << 18) -
    (m3 << 21) +
    (m2 << 24)
  let c11 = a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + (m8 << 9) + (m5 << 18) - (m4 << 21) + (m3 << 24)
  let c12 = a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + (m6 << 18) - (m5 << 21) + (m4 << 24)
  let c13 = a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + (m7 << 18) - (m6 << 21) + (m5 << 24)
  let c14 = a6 * b8 + a7 * b7 + a8 * b6 + (m8 << 18) - (m7 << 21) + (m6 << 24)
  let c15 = a7 * b8 + a8 * b7 - (m8 << 21) + (m7 << 24)
  let c16 = a8 * b8 + (m8 << 24)
  c9 += factor * <i64>load<i32>(s)
  c10 += factor * <i64>load<i32>(s, 4)
  c11 += factor * <i64>load<i32>(s, 8)
  c12 += factor * <i64>load<i32>(s, 12)
  c13 += factor * <i64>load<i32>(s, 16)
  c14 += factor * <i64>load<i32>(s, 20)
  c15 += factor * <i64>load<i32>(s, 24)
  c16 += factor * <i64>load<i32>(s, 28)
  const c17 = factor * <i64>load<i32>(s, 32)
  const q = (c17 + (c16 >> 29)) >> 24
  c9 += q
  c12 -= q << 9
  c15 -= q << 18
  c16 += q << 21
  c9 += HALF
  c10 += (c9 >> 29) + HALF
  c11 += (c10 >> 29) + HALF
  c12 += (c11 >> 29) + HALF
  c13 += (c12 >> 29) + HALF
  c14 += (c13 >> 29) + HALF
  c15 += (c14 >> 29) + HALF
  c16 += (c15 >> 29) + HALF
  store<i32>(out, <i32>((c9 & MASK) - HALF))
  store<i32>(out, <i32>((c10 & MASK) - HALF), 4)
  store<i32>(out, <i32>((c11 & MASK) - HALF), 8)
  store<i32>(out, <i32>((c12 & MASK) - HALF), 12)
  store<i32>(out, <i32>((c13 & MASK) - HALF), 16)
  store<i32>(out, <i32>((c14 & MASK) - HALF), 20)
  store<i32>(out, <i32>((c15 & MASK) - HALF), 24)
  store<i32>(out, <i32>((c16 & MASK) - HALF), 28)
  store<i32>(out, <i32>(c17 - (q << 24) + (c16 >> 29)), 32)
}

/** a * a / R + factor * s, reduced, from an element that may be 3-loose, under the same conditions. */
export function squareAndAdd(out: usize, a: usize, factor: i64, s: usize): void {
  const a0: i64 = load<i32>(a)
  const a1: i64 = load<i32>(a, 4)
  const a2: i64 = load<i32>(a, 8)
  const a3: i64 = load<i32>(a, 12)
  const a4: i64 = load<i32>(a, 16)
  const a5: i64 = load<i32>(a, 20)
  const a6: i64 = load<i32>(a, 24)
  const a7: i64 = load<i32>(a, 28)
  const a8: i64 = load<i32>(a, 32)
  const t0 = a0 << 1
  const t1 = a1 << 1
  const t2 = a2 << 1
  const t3 = a3 << 1
  const t4 = a4 << 1
  const t5 = a5 << 1
  const t6 = a6 << 1
  const t7 = a7 << 1
  const c0 = a0 * a0
  const m0 = c0 & MASK
  const c1 = t0 * a1 + (c0 >> 29)
  const m1 = c1 & MASK
  const c2 = t0 * a2 + a1 * a1 + (c1 >> 29)
  const m2 = c2 & MASK
  const c3 = t0 * a3 + t1 * a2 + (c2 >> 29) + (m0 << 9)
  const m3 = c3 & MASK
  const c4 = t0 * a4 + t1 * a3 + a2 * a2 + (c3 >> 29) + (m1 << 9)
  const m4 = c4 & MASK
  const c5 = t0 * a5 + t1 * a4 + t2 * a3 + (c4 >> 29) + (m2 << 9)
  const m5 = c5 & MASK
  const c6 = t0 * a6 + t1 * a5 + t2 * a4 + a3 * a3 + (c5 >> 29) + (m3 << 9) + (m0 << 18)
  const m6 = c6 & MASK
  const c7 = t0 * a7 + t1 * a6 + t2 * a5 + t3 * a4 + (c6 >> 29) + (m4 << 9) + (m1 << 18) - (m0 << 21)
  const m7 = c7 & MASK
  const c8 =
    t0 * a8 + t1 * a7 + t2 * a6 + t3 * a5 + a4 * a4 + (c7 >> 29) + (m5 << 9) + (m2 << 18) - (m1 << 21) + (m0 << 24)
  const m8 = c8 & MASK
  let c9 = t1 * a8 + t2 * a7 + t3 * a6 + t4 * a5 + (c8 >> 29) + (m6 << 9) + (m3 << 18) - (m2 << 21) + (m1 << 24)
  let c10 = t2 * a8 + t3 * a7 + t4 * a6 + a5 * a5 + (m7 << 9) + (m4 << 18) - (m3 << 21) + (m2 << 24)
  let c11 = t3 * a8 + t4 * a7 + t5 * a6 + (m8 << 9) + (m5 << 18) - (m4 << 21) + (m3 << 24)
  let c12 = t4 * a8 + t5 * a7 + a6 * a6 + (m6 << 18) - (m5 << 21) + (m4 << 24)
  let c13 = t5 * a8 + t6 * a7 + (m7 << 18) - (m6 << 21) + (m5 << 24)
  let c14 = t6 * a8 + a7 * a7 + (m8 << 18) - (m7 << 21) + (m6 << 24)
  let c15 = t7 * a8 - (m8 << 21) + (m7 << 24)
  let c16 = a8 * a8 + (m8 << 24)
  c9 += factor * <i64>load<i32>(s)
  c10 += factor * <i64>load<i32>(s, 4)
  c11 += factor * <i64>load<i32>(s, 8)
  c12 += factor * <i64>load<i32>(s, 12)
  c13 += factor * <i64>load<i32>(s, 16)
  c14 += factor * <i64>load<i32>(s, 20)
  c15 += factor * <i64>load<i32>(s, 24)
  c16 += factor * <i64>load<i32>(s, 28)
  const c17 = factor * <i64>load<i32>(s, 32)
  const q = (c17 + (c16 >> 29)) >> 24
  c9 += q
  c12 -= q << 9
  c15 -= q << 18
  c16 += q << 21
  c9 += HALF
  c10 += (c9 >> 29) + HALF
  c11 += (c10 >> 29) + HALF
  c12 += (c11 >> 29) + HALF
  c13 += (c12 >> 29) + HALF
  c14 += (c13 >> 29) + HALF
  c15 += (c14 >> 29) + HALF
  c16 += (c15 >> 29) + HALF
  store<i32>(out, <i32>((c9 & MASK) - HALF))
  store<i32>(out, <i32>((c10 & MASK) - HALF), 4)
  store<i32>(out, <i32>((c11 & MASK) - HALF), 8)
  store<i32>(out, <i32>((c12 & MASK) - HALF), 12)
  store<i32>(out, <i32>((c13 & MASK) - HALF), 16)
  store<i32>(out, <i32>((c14 & MASK) - HALF), 20)
  store<i32>(out, <i32>((c15 & MASK) - HALF), 24)
  store<i32>(out, <i32>((c16 & MASK) - HALF), 28)
  store<i32>(out, <i32>(c17 - (q << 24) + (c16 >> 29)), 32)
}

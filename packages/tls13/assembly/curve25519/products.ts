// The products of field.ts, where the representation and its bounds are explained: the columns of the schoolbook
// multiplication; those from 2^261 on, carried, come back 1216 times; then one carry through all limbs.

const MASK: i64 = 0x1fffffff
/** Added before a carry, so that it rounds to the nearest and the limb is from -2^28 to 2^28. */
const HALF: i64 = 0x10000000
/** The same for the highest limb, which has 23 bits. */
const TOP_MASK: i64 = 0x7fffff
const TOP_HALF: i64 = 0x400000
/** 2^261 modulo p: 19 * 2^6. */
const WRAP: i64 = 1216

/** Reduced; k- and l-loose factors with k * l <= 15. `out` may be `a` or `b`. */
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
  let c0 = a0 * b0
  let c1 = a0 * b1 + a1 * b0
  let c2 = a0 * b2 + a1 * b1 + a2 * b0
  let c3 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0
  let c4 = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0
  let c5 = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0
  let c6 = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0
  let c7 = a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0
  let c8 = a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0
  let c9 = a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1
  let c10 = a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2
  let c11 = a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3
  let c12 = a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4
  let c13 = a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5
  let c14 = a6 * b8 + a7 * b7 + a8 * b6
  let c15 = a7 * b8 + a8 * b7
  let c16 = a8 * b8
  c10 += c9 >> 29
  c11 += c10 >> 29
  c12 += c11 >> 29
  c13 += c12 >> 29
  c14 += c13 >> 29
  c15 += c14 >> 29
  c16 += c15 >> 29
  c0 += WRAP * (c9 & MASK)
  c1 += WRAP * (c10 & MASK)
  c2 += WRAP * (c11 & MASK)
  c3 += WRAP * (c12 & MASK)
  c4 += WRAP * (c13 & MASK)
  c5 += WRAP * (c14 & MASK)
  c6 += WRAP * (c15 & MASK)
  c7 += WRAP * (c16 & MASK)
  c8 += WRAP * (c16 >> 29)
  c0 += HALF
  c1 += (c0 >> 29) + HALF
  c2 += (c1 >> 29) + HALF
  c3 += (c2 >> 29) + HALF
  c4 += (c3 >> 29) + HALF
  c5 += (c4 >> 29) + HALF
  c6 += (c5 >> 29) + HALF
  c7 += (c6 >> 29) + HALF
  c8 += (c7 >> 29) + TOP_HALF
  c0 = (c0 & MASK) + 19 * (c8 >> 23)
  c1 = (c1 & MASK) + (c0 >> 29) - HALF
  store<i32>(out, <i32>((c0 & MASK) - HALF))
  store<i32>(out, <i32>c1, 4)
  store<i32>(out, <i32>((c2 & MASK) - HALF), 8)
  store<i32>(out, <i32>((c3 & MASK) - HALF), 12)
  store<i32>(out, <i32>((c4 & MASK) - HALF), 16)
  store<i32>(out, <i32>((c5 & MASK) - HALF), 20)
  store<i32>(out, <i32>((c6 & MASK) - HALF), 24)
  store<i32>(out, <i32>((c7 & MASK) - HALF), 28)
  store<i32>(out, <i32>((c8 & TOP_MASK) - TOP_HALF), 32)
}

/** Reduced, from an element that may be 3-loose. `out` may be `a`. */
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
  let c0 = a0 * a0
  let c1 = t0 * a1
  let c2 = t0 * a2 + a1 * a1
  let c3 = t0 * a3 + t1 * a2
  let c4 = t0 * a4 + t1 * a3 + a2 * a2
  let c5 = t0 * a5 + t1 * a4 + t2 * a3
  let c6 = t0 * a6 + t1 * a5 + t2 * a4 + a3 * a3
  let c7 = t0 * a7 + t1 * a6 + t2 * a5 + t3 * a4
  let c8 = t0 * a8 + t1 * a7 + t2 * a6 + t3 * a5 + a4 * a4
  let c9 = t1 * a8 + t2 * a7 + t3 * a6 + t4 * a5
  let c10 = t2 * a8 + t3 * a7 + t4 * a6 + a5 * a5
  let c11 = t3 * a8 + t4 * a7 + t5 * a6
  let c12 = t4 * a8 + t5 * a7 + a6 * a6
  let c13 = t5 * a8 + t6 * a7
  let c14 = t6 * a8 + a7 * a7
  let c15 = t7 * a8
  let c16 = a8 * a8
  c10 += c9 >> 29
  c11 += c10 >> 29
  c12 += c11 >> 29
  c13 += c12 >> 29
  c14 += c13 >> 29
  c15 += c14 >> 29
  c16 += c15 >> 29
  c0 += WRAP * (c9 & MASK)
  c1 += WRAP * (c10 & MASK)
  c2 += WRAP * (c11 & MASK)
  c3 += WRAP * (c12 & MASK)
  c4 += WRAP * (c13 & MASK)
  c5 += WRAP * (c14 & MASK)
  c6 += WRAP * (c15 & MASK)
  c7 += WRAP * (c16 & MASK)
  c8 += WRAP * (c16 >> 29)
  c0 += HALF
  c1 += (c0 >> 29) + HALF
  c2 += (c1 >> 29) + HALF
  c3 += (c2 >> 29) + HALF
  c4 += (c3 >> 29) + HALF
  c5 += (c4 >> 29) + HALF
  c6 += (c5 >> 29) + HALF
  c7 += (c6 >> 29) + HALF
  c8 += (c7 >> 29) + TOP_HALF
  c0 = (c0 & MASK) + 19 * (c8 >> 23)
  c1 = (c1 & MASK) + (c0 >> 29) - HALF
  store<i32>(out, <i32>((c0 & MASK) - HALF))
  store<i32>(out, <i32>c1, 4)
  store<i32>(out, <i32>((c2 & MASK) - HALF), 8)
  store<i32>(out, <i32>((c3 & MASK) - HALF), 12)
  store<i32>(out, <i32>((c4 & MASK) - HALF), 16)
  store<i32>(out, <i32>((c5 & MASK) - HALF), 20)
  store<i32>(out, <i32>((c6 & MASK) - HALF), 24)
  store<i32>(out, <i32>((c7 & MASK) - HALF), 28)
  store<i32>(out, <i32>((c8 & TOP_MASK) - TOP_HALF), 32)
}

/** a * factor + b, reduced; `factor` is below 2^20, `a` and `b` may be 7-loose. */
export function multiplySmallAndAdd(out: usize, a: usize, factor: i64, b: usize): void {
  let c0 = <i64>load<i32>(a) * factor + <i64>load<i32>(b)
  let c1 = <i64>load<i32>(a, 4) * factor + <i64>load<i32>(b, 4)
  let c2 = <i64>load<i32>(a, 8) * factor + <i64>load<i32>(b, 8)
  let c3 = <i64>load<i32>(a, 12) * factor + <i64>load<i32>(b, 12)
  let c4 = <i64>load<i32>(a, 16) * factor + <i64>load<i32>(b, 16)
  let c5 = <i64>load<i32>(a, 20) * factor + <i64>load<i32>(b, 20)
  let c6 = <i64>load<i32>(a, 24) * factor + <i64>load<i32>(b, 24)
  let c7 = <i64>load<i32>(a, 28) * factor + <i64>load<i32>(b, 28)
  let c8 = <i64>load<i32>(a, 32) * factor + <i64>load<i32>(b, 32)
  c0 += HALF
  c1 += (c0 >> 29) + HALF
  c2 += (c1 >> 29) + HALF
  c3 += (c2 >> 29) + HALF
  c4 += (c3 >> 29) + HALF
  c5 += (c4 >> 29) + HALF
  c6 += (c5 >> 29) + HALF
  c7 += (c6 >> 29) + HALF
  c8 += (c7 >> 29) + TOP_HALF
  c0 = (c0 & MASK) + 19 * (c8 >> 23)
  c1 = (c1 & MASK) + (c0 >> 29) - HALF
  store<i32>(out, <i32>((c0 & MASK) - HALF))
  store<i32>(out, <i32>c1, 4)
  store<i32>(out, <i32>((c2 & MASK) - HALF), 8)
  store<i32>(out, <i32>((c3 & MASK) - HALF), 12)
  store<i32>(out, <i32>((c4 & MASK) - HALF), 16)
  store<i32>(out, <i32>((c5 & MASK) - HALF), 20)
  store<i32>(out, <i32>((c6 & MASK) - HALF), 24)
  store<i32>(out, <i32>((c7 & MASK) - HALF), 28)
  store<i32>(out, <i32>((c8 & TOP_MASK) - TOP_HALF), 32)
}

// Montgomery's multiplication modulo the order n of P-384, by R = 2^392, on fourteen limbs of 28 bits.

const MASK: u64 = 0xfffffff
/** -1 / n modulo 2^28. */
const INVERSE: u64 = 0x88fdc45

/** n. */
export const ORDER: usize = memory.data<u32>([
  0xcc52973, 0xec196ac, 0x0a77aec, 0x0db248b, 0xddf581a, 0x81f4372, 0xfc7634d, 0xfffffff, 0xfffffff,
  0xfffffff, 0xfffffff, 0xfffffff, 0xfffffff, 0x00fffff,
])

/**
 * a * b / R modulo n. Limbs from 0 to 2^28, and the product below 2^776: then the result is below 2n, and below n and a 64th
 * where both factors are below 2n. A sum of 28 products is below 2^60.9. `out` may be `a` or `b`.
 */
export function orderMultiply(out: usize, a: usize, b: usize): void {
  const a0: u64 = load<u32>(a)
  const a1: u64 = load<u32>(a, 4)
  const a2: u64 = load<u32>(a, 8)
  const a3: u64 = load<u32>(a, 12)
  const a4: u64 = load<u32>(a, 16)
  const a5: u64 = load<u32>(a, 20)
  const a6: u64 = load<u32>(a, 24)
  const a7: u64 = load<u32>(a, 28)
  const a8: u64 = load<u32>(a, 32)
  const a9: u64 = load<u32>(a, 36)
  const a10: u64 = load<u32>(a, 40)
  const a11: u64 = load<u32>(a, 44)
  const a12: u64 = load<u32>(a, 48)
  const a13: u64 = load<u32>(a, 52)
  const b0: u64 = load<u32>(b)
  const b1: u64 = load<u32>(b, 4)
  const b2: u64 = load<u32>(b, 8)
  const b3: u64 = load<u32>(b, 12)
  const b4: u64 = load<u32>(b, 16)
  const b5: u64 = load<u32>(b, 20)
  const b6: u64 = load<u32>(b, 24)
  const b7: u64 = load<u32>(b, 28)
  const b8: u64 = load<u32>(b, 32)
  const b9: u64 = load<u32>(b, 36)
  const b10: u64 = load<u32>(b, 40)
  const b11: u64 = load<u32>(b, 44)
  const b12: u64 = load<u32>(b, 48)
  const b13: u64 = load<u32>(b, 52)
  const n0: u64 = load<u32>(ORDER)
  const n1: u64 = load<u32>(ORDER, 4)
  const n2: u64 = load<u32>(ORDER, 8)
  const n3: u64 = load<u32>(ORDER, 12)
  const n4: u64 = load<u32>(ORDER, 16)
  const n5: u64 = load<u32>(ORDER, 20)
  const n6: u64 = load<u32>(ORDER, 24)
  const n7: u64 = load<u32>(ORDER, 28)
  const n8: u64 = load<u32>(ORDER, 32)
  const n9: u64 = load<u32>(ORDER, 36)
  const n10: u64 = load<u32>(ORDER, 40)
  const n11: u64 = load<u32>(ORDER, 44)
  const n12: u64 = load<u32>(ORDER, 48)
  const n13: u64 = load<u32>(ORDER, 52)
  const c0 = a0 * b0
  const m0 = (c0 * INVERSE) & MASK
  const d0 = c0 + m0 * n0
  const c1 = a0 * b1 + a1 * b0 + m0 * n1 + (d0 >> 28)
  const m1 = (c1 * INVERSE) & MASK
  const d1 = c1 + m1 * n0
  const c2 = a0 * b2 + a1 * b1 + a2 * b0 + m0 * n2 + m1 * n1 + (d1 >> 28)
  const m2 = (c2 * INVERSE) & MASK
  const d2 = c2 + m2 * n0
  const c3 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + m0 * n3 + m1 * n2 + m2 * n1 + (d2 >> 28)
  const m3 = (c3 * INVERSE) & MASK
  const d3 = c3 + m3 * n0
  const c4 = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + m0 * n4 + m1 * n3 + m2 * n2 + m3 * n1 + (d3 >> 28)
  const m4 = (c4 * INVERSE) & MASK
  const d4 = c4 + m4 * n0
  const c5 =
    a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + m0 * n5 + m1 * n4 + m2 * n3 + m3 * n2 + m4 * n1 +
    (d4 >> 28)
  const m5 = (c5 * INVERSE) & MASK
  const d5 = c5 + m5 * n0
  const c6 =
    a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0 + m0 * n6 + m1 * n5 + m2 * n4 + m3 * n3 +
    m4 * n2 + m5 * n1 + (d5 >> 28)
  const m6 = (c6 * INVERSE) & MASK
  const d6 = c6 + m6 * n0
  const c7 =
    a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + m0 * n7 + m1 * n6 + m2 * n5 +
    m3 * n4 + m4 * n3 + m5 * n2 + m6 * n1 + (d6 >> 28)
  const m7 = (c7 * INVERSE) & MASK
  const d7 = c7 + m7 * n0
  const c8 =
    a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0 + m0 * n8 + m1 * n7 +
    m2 * n6 + m3 * n5 + m4 * n4 + m5 * n3 + m6 * n2 + m7 * n1 + (d7 >> 28)
  const m8 = (c8 * INVERSE) & MASK
  const d8 = c8 + m8 * n0
  const c9 =
    a0 * b9 + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1 + a9 * b0 + m0 * n9 +
    m1 * n8 + m2 * n7 + m3 * n6 + m4 * n5 + m5 * n4 + m6 * n3 + m7 * n2 + m8 * n1 + (d8 >> 28)
  const m9 = (c9 * INVERSE) & MASK
  const d9 = c9 + m9 * n0
  const c10 =
    a0 * b10 + a1 * b9 + a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2 + a9 * b1 + a10 * b0 +
    m0 * n10 + m1 * n9 + m2 * n8 + m3 * n7 + m4 * n6 + m5 * n5 + m6 * n4 + m7 * n3 + m8 * n2 + m9 * n1 + (d9 >> 28)
  const m10 = (c10 * INVERSE) & MASK
  const d10 = c10 + m10 * n0
  const c11 =
    a0 * b11 + a1 * b10 + a2 * b9 + a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + a9 * b2 + a10 * b1 +
    a11 * b0 + m0 * n11 + m1 * n10 + m2 * n9 + m3 * n8 + m4 * n7 + m5 * n6 + m6 * n5 + m7 * n4 + m8 * n3 + m9 * n2 +
    m10 * n1 + (d10 >> 28)
  const m11 = (c11 * INVERSE) & MASK
  const d11 = c11 + m11 * n0
  const c12 =
    a0 * b12 + a1 * b11 + a2 * b10 + a3 * b9 + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + a9 * b3 + a10 * b2 +
    a11 * b1 + a12 * b0 + m0 * n12 + m1 * n11 + m2 * n10 + m3 * n9 + m4 * n8 + m5 * n7 + m6 * n6 + m7 * n5 + m8 * n4 +
    m9 * n3 + m10 * n2 + m11 * n1 + (d11 >> 28)
  const m12 = (c12 * INVERSE) & MASK
  const d12 = c12 + m12 * n0
  const c13 =
    a0 * b13 + a1 * b12 + a2 * b11 + a3 * b10 + a4 * b9 + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + a9 * b4 + a10 * b3 +
    a11 * b2 + a12 * b1 + a13 * b0 + m0 * n13 + m1 * n12 + m2 * n11 + m3 * n10 + m4 * n9 + m5 * n8 + m6 * n7 +
    m7 * n6 + m8 * n5 + m9 * n4 + m10 * n3 + m11 * n2 + m12 * n1 + (d12 >> 28)
  const m13 = (c13 * INVERSE) & MASK
  const d13 = c13 + m13 * n0
  const c14 =
    a1 * b13 + a2 * b12 + a3 * b11 + a4 * b10 + a5 * b9 + a6 * b8 + a7 * b7 + a8 * b6 + a9 * b5 + a10 * b4 + a11 * b3 +
    a12 * b2 + a13 * b1 + m1 * n13 + m2 * n12 + m3 * n11 + m4 * n10 + m5 * n9 + m6 * n8 + m7 * n7 + m8 * n6 + m9 * n5 +
    m10 * n4 + m11 * n3 + m12 * n2 + m13 * n1 + (d13 >> 28)
  store<u32>(out, <u32>(c14 & MASK))
  const c15 =
    a2 * b13 + a3 * b12 + a4 * b11 + a5 * b10 + a6 * b9 + a7 * b8 + a8 * b7 + a9 * b6 + a10 * b5 + a11 * b4 +
    a12 * b3 + a13 * b2 + m2 * n13 + m3 * n12 + m4 * n11 + m5 * n10 + m6 * n9 + m7 * n8 + m8 * n7 + m9 * n6 +
    m10 * n5 + m11 * n4 + m12 * n3 + m13 * n2 + (c14 >> 28)
  store<u32>(out, <u32>(c15 & MASK), 4)
  const c16 =
    a3 * b13 + a4 * b12 + a5 * b11 + a6 * b10 + a7 * b9 + a8 * b8 + a9 * b7 + a10 * b6 + a11 * b5 + a12 * b4 +
    a13 * b3 + m3 * n13 + m4 * n12 + m5 * n11 + m6 * n10 + m7 * n9 + m8 * n8 + m9 * n7 + m10 * n6 + m11 * n5 +
    m12 * n4 + m13 * n3 + (c15 >> 28)
  store<u32>(out, <u32>(c16 & MASK), 8)
  const c17 =
    a4 * b13 + a5 * b12 + a6 * b11 + a7 * b10 + a8 * b9 + a9 * b8 + a10 * b7 + a11 * b6 + a12 * b5 + a13 * b4 +
    m4 * n13 + m5 * n12 + m6 * n11 + m7 * n10 + m8 * n9 + m9 * n8 + m10 * n7 + m11 * n6 + m12 * n5 + m13 * n4 +
    (c16 >> 28)
  store<u32>(out, <u32>(c17 & MASK), 12)
  const c18 =
    a5 * b13 + a6 * b12 + a7 * b11 + a8 * b10 + a9 * b9 + a10 * b8 + a11 * b7 + a12 * b6 + a13 * b5 + m5 * n13 +
    m6 * n12 + m7 * n11 + m8 * n10 + m9 * n9 + m10 * n8 + m11 * n7 + m12 * n6 + m13 * n5 + (c17 >> 28)
  store<u32>(out, <u32>(c18 & MASK), 16)
  const c19 =
    a6 * b13 + a7 * b12 + a8 * b11 + a9 * b10 + a10 * b9 + a11 * b8 + a12 * b7 + a13 * b6 + m6 * n13 + m7 * n12 +
    m8 * n11 + m9 * n10 + m10 * n9 + m11 * n8 + m12 * n7 + m13 * n6 + (c18 >> 28)
  store<u32>(out, <u32>(c19 & MASK), 20)
  const c20 =
    a7 * b13 + a8 * b12 + a9 * b11 + a10 * b10 + a11 * b9 + a12 * b8 + a13 * b7 + m7 * n13 + m8 * n12 + m9 * n11 +
    m10 * n10 + m11 * n9 + m12 * n8 + m13 * n7 + (c19 >> 28)
  store<u32>(out, <u32>(c20 & MASK), 24)
  const c21 =
    a8 * b13 + a9 * b12 + a10 * b11 + a11 * b10 + a12 * b9 + a13 * b8 + m8 * n13 + m9 * n12 + m10 * n11 + m11 * n10 +
    m12 * n9 + m13 * n8 + (c20 >> 28)
  store<u32>(out, <u32>(c21 & MASK), 28)
  const c22 =
    a9 * b13 + a10 * b12 + a11 * b11 + a12 * b10 + a13 * b9 + m9 * n13 + m10 * n12 + m11 * n11 + m12 * n10 + m13 * n9 +
    (c21 >> 28)
  store<u32>(out, <u32>(c22 & MASK), 32)
  const c23 =
    a10 * b13 + a11 * b12 + a12 * b11 + a13 * b10 + m10 * n13 + m11 * n12 + m12 * n11 + m13 * n10 + (c22 >> 28)
  store<u32>(out, <u32>(c23 & MASK), 36)
  const c24 = a11 * b13 + a12 * b12 + a13 * b11 + m11 * n13 + m12 * n12 + m13 * n11 + (c23 >> 28)
  store<u32>(out, <u32>(c24 & MASK), 40)
  const c25 = a12 * b13 + a13 * b12 + m12 * n13 + m13 * n12 + (c24 >> 28)
  store<u32>(out, <u32>(c25 & MASK), 44)
  const c26 = a13 * b13 + m13 * n13 + (c25 >> 28)
  store<u32>(out, <u32>(c26 & MASK), 48)
  store<u32>(out, <u32>(c26 >> 28), 52)
}

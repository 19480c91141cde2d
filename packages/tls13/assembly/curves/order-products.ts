// Montgomery's multiplication modulo the order of a group, by R = 2^261: see order.ts.

const MASK: u64 = 0x1fffffff

/**
 * a * b / R modulo the number at `modulus`, whose negative inverse modulo 2^29 is `inverse`. Limbs from 0 to 2^29 (those of
 * one factor to 2^30), the factors' product below 2^521: then the result is below the modulus and a sixteenth.
 * `out` may be `a` or `b`.
 */
export function orderMultiply(out: usize, a: usize, b: usize, modulus: usize, inverse: u64): void {
  const a0: u64 = load<u32>(a)
  const a1: u64 = load<u32>(a, 4)
  const a2: u64 = load<u32>(a, 8)
  const a3: u64 = load<u32>(a, 12)
  const a4: u64 = load<u32>(a, 16)
  const a5: u64 = load<u32>(a, 20)
  const a6: u64 = load<u32>(a, 24)
  const a7: u64 = load<u32>(a, 28)
  const a8: u64 = load<u32>(a, 32)
  const b0: u64 = load<u32>(b)
  const b1: u64 = load<u32>(b, 4)
  const b2: u64 = load<u32>(b, 8)
  const b3: u64 = load<u32>(b, 12)
  const b4: u64 = load<u32>(b, 16)
  const b5: u64 = load<u32>(b, 20)
  const b6: u64 = load<u32>(b, 24)
  const b7: u64 = load<u32>(b, 28)
  const b8: u64 = load<u32>(b, 32)
  const n0: u64 = load<u32>(modulus)
  const n1: u64 = load<u32>(modulus, 4)
  const n2: u64 = load<u32>(modulus, 8)
  const n3: u64 = load<u32>(modulus, 12)
  const n4: u64 = load<u32>(modulus, 16)
  const n5: u64 = load<u32>(modulus, 20)
  const n6: u64 = load<u32>(modulus, 24)
  const n7: u64 = load<u32>(modulus, 28)
  const n8: u64 = load<u32>(modulus, 32)
  const c0 = a0 * b0
  const m0 = (c0 * inverse) & MASK
  const d0 = c0 + m0 * n0
  const c1 = a0 * b1 + a1 * b0 + m0 * n1 + (d0 >> 29)
  const m1 = (c1 * inverse) & MASK
  const d1 = c1 + m1 * n0
  const c2 = a0 * b2 + a1 * b1 + a2 * b0 + m0 * n2 + m1 * n1 + (d1 >> 29)
  const m2 = (c2 * inverse) & MASK
  const d2 = c2 + m2 * n0
  const c3 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + m0 * n3 + m1 * n2 + m2 * n1 + (d2 >> 29)
  const m3 = (c3 * inverse) & MASK
  const d3 = c3 + m3 * n0
  const c4 = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + m0 * n4 + m1 * n3 + m2 * n2 + m3 * n1 + (d3 >> 29)
  const m4 = (c4 * inverse) & MASK
  const d4 = c4 + m4 * n0
  const c5 =
    a0 * b5 +
    a1 * b4 +
    a2 * b3 +
    a3 * b2 +
    a4 * b1 +
    a5 * b0 +
    m0 * n5 +
    m1 * n4 +
    m2 * n3 +
    m3 * n2 +
    m4 * n1 +
    (d4 >> 29)
  const m5 = (c5 * inverse) & MASK
  const d5 = c5 + m5 * n0
  const c6 =
    a0 * b6 +
    a1 * b5 +
    a2 * b4 +
    a3 * b3 +
    a4 * b2 +
    a5 * b1 +
    a6 * b0 +
    m0 * n6 +
    m1 * n5 +
    m2 * n4 +
    m3 * n3 +
    m4 * n2 +
    m5 * n1 +
    (d5 >> 29)
  const m6 = (c6 * inverse) & MASK
  const d6 = c6 + m6 * n0
  const c7 =
    a0 * b7 +
    a1 * b6 +
    a2 * b5 +
    a3 * b4 +
    a4 * b3 +
    a5 * b2 +
    a6 * b1 +
    a7 * b0 +
    m0 * n7 +
    m1 * n6 +
    m2 * n5 +
    m3 * n4 +
    m4 * n3 +
    m5 * n2 +
    m6 * n1 +
    (d6 >> 29)
  const m7 = (c7 * inverse) & MASK
  const d7 = c7 + m7 * n0
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
    m0 * n8 +
    m1 * n7 +
    m2 * n6 +
    m3 * n5 +
    m4 * n4 +
    m5 * n3 +
    m6 * n2 +
    m7 * n1 +
    (d7 >> 29)
  const m8 = (c8 * inverse) & MASK
  const d8 = c8 + m8 * n0
  const c9 =
    a1 * b8 +
    a2 * b7 +
    a3 * b6 +
    a4 * b5 +
    a5 * b4 +
    a6 * b3 +
    a7 * b2 +
    a8 * b1 +
    m1 * n8 +
    m2 * n7 +
    m3 * n6 +
    m4 * n5 +
    m5 * n4 +
    m6 * n3 +
    m7 * n2 +
    m8 * n1 +
    (d8 >> 29)
  store<u32>(out, <u32>(c9 & MASK))
  const c10 =
    a2 * b8 +
    a3 * b7 +
    a4 * b6 +
    a5 * b5 +
    a6 * b4 +
    a7 * b3 +
    a8 * b2 +
    m2 * n8 +
    m3 * n7 +
    m4 * n6 +
    m5 * n5 +
    m6 * n4 +
    m7 * n3 +
    m8 * n2 +
    (c9 >> 29)
  store<u32>(out, <u32>(c10 & MASK), 4)
  const c11 =
    a3 * b8 +
    a4 * b7 +
    a5 * b6 +
    a6 * b5 +
    a7 * b4 +
    a8 * b3 +
    m3 * n8 +
    m4 * n7 +
    m5 * n6 +
    m6 * n5 +
    m7 * n4 +
    m8 * n3 +
    (c10 >> 29)
  store<u32>(out, <u32>(c11 & MASK), 8)
  const c12 =
    a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + m4 * n8 + m5 * n7 + m6 * n6 + m7 * n5 + m8 * n4 + (c11 >> 29)
  store<u32>(out, <u32>(c12 & MASK), 12)
  const c13 = a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + m5 * n8 + m6 * n7 + m7 * n6 + m8 * n5 + (c12 >> 29)
  store<u32>(out, <u32>(c13 & MASK), 16)
  const c14 = a6 * b8 + a7 * b7 + a8 * b6 + m6 * n8 + m7 * n7 + m8 * n6 + (c13 >> 29)
  store<u32>(out, <u32>(c14 & MASK), 20)
  const c15 = a7 * b8 + a8 * b7 + m7 * n8 + m8 * n7 + (c14 >> 29)
  store<u32>(out, <u32>(c15 & MASK), 24)
  const c16 = a8 * b8 + m8 * n8 + (c15 >> 29)
  store<u32>(out, <u32>(c16 & MASK), 28)
  store<u32>(out, <u32>(c16 >> 29), 32)
}

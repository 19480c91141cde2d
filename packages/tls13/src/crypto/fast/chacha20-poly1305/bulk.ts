// ChaCha20 and Poly1305 together, for what is long: blocks of key stream are made while blocks of the text go into the MAC. The
// one adds and turns integers and the other multiplies doubles, so that a processor does much of both at the same time.
// For each of them its own file says how it computes, and what its side channels are; the branches here are on lengths.

import type { Poly1305 } from "./poly1305.ts"

/**
 * Exclusive-ors words of `text`, in blocks of 16 from its first to `end`, with the key stream, and takes them into the MAC in the
 * same walk: as they are before it, or as they are after it, and then the last block is left out.
 * @param input of `chachaInput`; its counter is that of the first block, and then that of the next one
 * @param before whether the MAC takes what stands there before
 */
export function bulk(input: Int32Array, mac: Poly1305, text: Int32Array, end: number, before: boolean): void {
  const { sum, factor } = mac
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
  const i0 = input[0]!
  const i1 = input[1]!
  const i2 = input[2]!
  const i3 = input[3]!
  const i4 = input[4]!
  const i5 = input[5]!
  const i6 = input[6]!
  const i7 = input[7]!
  const i8 = input[8]!
  const i9 = input[9]!
  const i10 = input[10]!
  const i11 = input[11]!
  let i12 = input[12]!
  const i13 = input[13]!
  const i14 = input[14]!
  const i15 = input[15]!
  let taken = 0
  let takes = before ? 16 : 0
  for (let block = 0; block < end; block = (block + 16) | 0) {
    let x0 = i0
    let x1 = i1
    let x2 = i2
    let x3 = i3
    let x4 = i4
    let x5 = i5
    let x6 = i6
    let x7 = i7
    let x8 = i8
    let x9 = i9
    let x10 = i10
    let x11 = i11
    let x12 = i12
    let x13 = i13
    let x14 = i14
    let x15 = i15
    for (let round = 0; round < 20; round += 2) {
      // Four blocks of the MAC to one of the key stream.
      if ((round & 3) === 0 && taken < takes) {
        // Below 2^24: engines see that sums with it do not overflow.
        const at = taken & 0xffffff
        d0 += (text[at]! >>> 0) * w0
        d1 += (text[at + 1]! >>> 0) * w32
        d2 += (text[at + 2]! >>> 0) * w64
        d3 += (text[at + 3]! >>> 0) * w96
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
        taken = (taken + 4) | 0
      }
      // QUARTERROUND(0, 4, 8, 12)
      x0 = (x0 + x4) | 0
      x12 ^= x0
      x12 = (x12 << 16) | (x12 >>> 16)
      x8 = (x8 + x12) | 0
      x4 ^= x8
      x4 = (x4 << 12) | (x4 >>> 20)
      x0 = (x0 + x4) | 0
      x12 ^= x0
      x12 = (x12 << 8) | (x12 >>> 24)
      x8 = (x8 + x12) | 0
      x4 ^= x8
      x4 = (x4 << 7) | (x4 >>> 25)
      // QUARTERROUND(1, 5, 9, 13)
      x1 = (x1 + x5) | 0
      x13 ^= x1
      x13 = (x13 << 16) | (x13 >>> 16)
      x9 = (x9 + x13) | 0
      x5 ^= x9
      x5 = (x5 << 12) | (x5 >>> 20)
      x1 = (x1 + x5) | 0
      x13 ^= x1
      x13 = (x13 << 8) | (x13 >>> 24)
      x9 = (x9 + x13) | 0
      x5 ^= x9
      x5 = (x5 << 7) | (x5 >>> 25)
      // QUARTERROUND(2, 6, 10, 14)
      x2 = (x2 + x6) | 0
      x14 ^= x2
      x14 = (x14 << 16) | (x14 >>> 16)
      x10 = (x10 + x14) | 0
      x6 ^= x10
      x6 = (x6 << 12) | (x6 >>> 20)
      x2 = (x2 + x6) | 0
      x14 ^= x2
      x14 = (x14 << 8) | (x14 >>> 24)
      x10 = (x10 + x14) | 0
      x6 ^= x10
      x6 = (x6 << 7) | (x6 >>> 25)
      // QUARTERROUND(3, 7, 11, 15)
      x3 = (x3 + x7) | 0
      x15 ^= x3
      x15 = (x15 << 16) | (x15 >>> 16)
      x11 = (x11 + x15) | 0
      x7 ^= x11
      x7 = (x7 << 12) | (x7 >>> 20)
      x3 = (x3 + x7) | 0
      x15 ^= x3
      x15 = (x15 << 8) | (x15 >>> 24)
      x11 = (x11 + x15) | 0
      x7 ^= x11
      x7 = (x7 << 7) | (x7 >>> 25)
      // QUARTERROUND(0, 5, 10, 15)
      x0 = (x0 + x5) | 0
      x15 ^= x0
      x15 = (x15 << 16) | (x15 >>> 16)
      x10 = (x10 + x15) | 0
      x5 ^= x10
      x5 = (x5 << 12) | (x5 >>> 20)
      x0 = (x0 + x5) | 0
      x15 ^= x0
      x15 = (x15 << 8) | (x15 >>> 24)
      x10 = (x10 + x15) | 0
      x5 ^= x10
      x5 = (x5 << 7) | (x5 >>> 25)
      // QUARTERROUND(1, 6, 11, 12)
      x1 = (x1 + x6) | 0
      x12 ^= x1
      x12 = (x12 << 16) | (x12 >>> 16)
      x11 = (x11 + x12) | 0
      x6 ^= x11
      x6 = (x6 << 12) | (x6 >>> 20)
      x1 = (x1 + x6) | 0
      x12 ^= x1
      x12 = (x12 << 8) | (x12 >>> 24)
      x11 = (x11 + x12) | 0
      x6 ^= x11
      x6 = (x6 << 7) | (x6 >>> 25)
      // QUARTERROUND(2, 7, 8, 13)
      x2 = (x2 + x7) | 0
      x13 ^= x2
      x13 = (x13 << 16) | (x13 >>> 16)
      x8 = (x8 + x13) | 0
      x7 ^= x8
      x7 = (x7 << 12) | (x7 >>> 20)
      x2 = (x2 + x7) | 0
      x13 ^= x2
      x13 = (x13 << 8) | (x13 >>> 24)
      x8 = (x8 + x13) | 0
      x7 ^= x8
      x7 = (x7 << 7) | (x7 >>> 25)
      // QUARTERROUND(3, 4, 9, 14)
      x3 = (x3 + x4) | 0
      x14 ^= x3
      x14 = (x14 << 16) | (x14 >>> 16)
      x9 = (x9 + x14) | 0
      x4 ^= x9
      x4 = (x4 << 12) | (x4 >>> 20)
      x3 = (x3 + x4) | 0
      x14 ^= x3
      x14 = (x14 << 8) | (x14 >>> 24)
      x9 = (x9 + x14) | 0
      x4 ^= x9
      x4 = (x4 << 7) | (x4 >>> 25)
    }
    const at = block & 0xffffff
    text[at]! ^= x0 + i0
    text[at + 1]! ^= x1 + i1
    text[at + 2]! ^= x2 + i2
    text[at + 3]! ^= x3 + i3
    text[at + 4]! ^= x4 + i4
    text[at + 5]! ^= x5 + i5
    text[at + 6]! ^= x6 + i6
    text[at + 7]! ^= x7 + i7
    text[at + 8]! ^= x8 + i8
    text[at + 9]! ^= x9 + i9
    text[at + 10]! ^= x10 + i10
    text[at + 11]! ^= x11 + i11
    text[at + 12]! ^= x12 + i12
    text[at + 13]! ^= x13 + i13
    text[at + 14]! ^= x14 + i14
    text[at + 15]! ^= x15 + i15
    i12 = (i12 + 1) | 0
    takes = (takes + 16) | 0
  }
  input[12] = i12
  sum[0] = d0
  sum[1] = d1
  sum[2] = d2
  sum[3] = d3
  sum[4] = d4
}

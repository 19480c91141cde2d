// The ChaCha20 block function and its key stream: RFC 8439 sections 2.1 to 2.4.
//
// Written from the RFC; the quarter rounds are unrolled onto sixteen local integers, which engines keep in registers.
// Side channels: additions, exclusive ors and rotations of 32-bit integers, no table, no branch on a secret.

/** The words of an input block: "expand 32-byte k", the key, the counter (word 12) and the nonce (words 13 to 15). */
export function chachaInput(key: Uint8Array): Int32Array {
  const input = new Int32Array(16)
  input.set([0x61707865, 0x3320646e, 0x79622d32, 0x6b206574])
  for (let i = 0; i < 8; i++) {
    input[4 + i] = key[4 * i]! | (key[4 * i + 1]! << 8) | (key[4 * i + 2]! << 16) | (key[4 * i + 3]! << 24)
  }
  return input
}

/** Exclusive-ors the key stream from counter 1 on with `length` bytes; `from` and `to` may be the same place. */
export function chachaXor(
  input: Int32Array,
  block: Int32Array,
  from: DataView,
  fromAt: number,
  to: DataView,
  toAt: number,
  length: number,
): void {
  let counter = 1
  let at = 0
  for (; at + 64 <= length; at += 64) {
    input[12] = counter++
    chachaBlock(input, block)
    for (let i = 0; i < 16; i++) {
      const offset = at + 4 * i
      to.setInt32(toAt + offset, from.getInt32(fromAt + offset, true) ^ block[i]!, true)
    }
  }
  if (at === length) return
  input[12] = counter
  chachaBlock(input, block)
  for (let i = 0; at < length; at++, i++) {
    to.setUint8(toAt + at, from.getUint8(fromAt + at) ^ (block[i >> 2]! >>> (8 * (i & 3))))
  }
}

/** One block of key stream, RFC 8439 section 2.3. */
export function chachaBlock(input: Int32Array, output: Int32Array): void {
  let x0 = input[0]!
  let x1 = input[1]!
  let x2 = input[2]!
  let x3 = input[3]!
  let x4 = input[4]!
  let x5 = input[5]!
  let x6 = input[6]!
  let x7 = input[7]!
  let x8 = input[8]!
  let x9 = input[9]!
  let x10 = input[10]!
  let x11 = input[11]!
  let x12 = input[12]!
  let x13 = input[13]!
  let x14 = input[14]!
  let x15 = input[15]!
  for (let round = 0; round < 20; round += 2) {
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
  output[0] = x0 + input[0]!
  output[1] = x1 + input[1]!
  output[2] = x2 + input[2]!
  output[3] = x3 + input[3]!
  output[4] = x4 + input[4]!
  output[5] = x5 + input[5]!
  output[6] = x6 + input[6]!
  output[7] = x7 + input[7]!
  output[8] = x8 + input[8]!
  output[9] = x9 + input[9]!
  output[10] = x10 + input[10]!
  output[11] = x11 + input[11]!
  output[12] = x12 + input[12]!
  output[13] = x13 + input[13]!
  output[14] = x14 + input[14]!
  output[15] = x15 + input[15]!
}

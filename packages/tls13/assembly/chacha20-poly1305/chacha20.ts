// The ChaCha20 key stream (RFC 8439 sections 2.1 to 2.4), four blocks at a time: lane i of a vector is the word of block i.
//
// Side channels: additions, exclusive ors and rotations of 32-bit lanes, no table, no branch on a secret.

/** The nonce as three little-endian words, then the key as eight. */
export const INPUT: usize = memory.data(48, 16)
/** Four blocks of key stream. */
export const STREAM: usize = memory.data(256, 16)

@inline
function left16(x: v128): v128 {
  return i8x16.shuffle(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
}

@inline
function left12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20))
}

@inline
function left8(x: v128): v128 {
  return i8x16.shuffle(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14)
}

@inline
function left7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25))
}

@inline
function word(index: usize): v128 {
  return v128.load32_splat(INPUT + 4 * index)
}

/** The blocks with the counters `counter` to `counter + 3`, to STREAM. */
export function keyStream(counter: u32): void {
  const counters = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3))
  let x0 = i32x4.splat(0x61707865)
  let x1 = i32x4.splat(0x3320646e)
  let x2 = i32x4.splat(0x79622d32)
  let x3 = i32x4.splat(0x6b206574)
  let x4 = word(3)
  let x5 = word(4)
  let x6 = word(5)
  let x7 = word(6)
  let x8 = word(7)
  let x9 = word(8)
  let x10 = word(9)
  let x11 = word(10)
  let x12 = counters
  let x13 = word(0)
  let x14 = word(1)
  let x15 = word(2)
  for (let round = 0; round < 20; round += 2) {
    // QUARTERROUND (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)
    x0 = i32x4.add(x0, x4)
    x1 = i32x4.add(x1, x5)
    x2 = i32x4.add(x2, x6)
    x3 = i32x4.add(x3, x7)
    x12 = left16(v128.xor(x12, x0))
    x13 = left16(v128.xor(x13, x1))
    x14 = left16(v128.xor(x14, x2))
    x15 = left16(v128.xor(x15, x3))
    x8 = i32x4.add(x8, x12)
    x9 = i32x4.add(x9, x13)
    x10 = i32x4.add(x10, x14)
    x11 = i32x4.add(x11, x15)
    x4 = left12(v128.xor(x4, x8))
    x5 = left12(v128.xor(x5, x9))
    x6 = left12(v128.xor(x6, x10))
    x7 = left12(v128.xor(x7, x11))
    x0 = i32x4.add(x0, x4)
    x1 = i32x4.add(x1, x5)
    x2 = i32x4.add(x2, x6)
    x3 = i32x4.add(x3, x7)
    x12 = left8(v128.xor(x12, x0))
    x13 = left8(v128.xor(x13, x1))
    x14 = left8(v128.xor(x14, x2))
    x15 = left8(v128.xor(x15, x3))
    x8 = i32x4.add(x8, x12)
    x9 = i32x4.add(x9, x13)
    x10 = i32x4.add(x10, x14)
    x11 = i32x4.add(x11, x15)
    x4 = left7(v128.xor(x4, x8))
    x5 = left7(v128.xor(x5, x9))
    x6 = left7(v128.xor(x6, x10))
    x7 = left7(v128.xor(x7, x11))
    // QUARTERROUND (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)
    x0 = i32x4.add(x0, x5)
    x1 = i32x4.add(x1, x6)
    x2 = i32x4.add(x2, x7)
    x3 = i32x4.add(x3, x4)
    x15 = left16(v128.xor(x15, x0))
    x12 = left16(v128.xor(x12, x1))
    x13 = left16(v128.xor(x13, x2))
    x14 = left16(v128.xor(x14, x3))
    x10 = i32x4.add(x10, x15)
    x11 = i32x4.add(x11, x12)
    x8 = i32x4.add(x8, x13)
    x9 = i32x4.add(x9, x14)
    x5 = left12(v128.xor(x5, x10))
    x6 = left12(v128.xor(x6, x11))
    x7 = left12(v128.xor(x7, x8))
    x4 = left12(v128.xor(x4, x9))
    x0 = i32x4.add(x0, x5)
    x1 = i32x4.add(x1, x6)
    x2 = i32x4.add(x2, x7)
    x3 = i32x4.add(x3, x4)
    x15 = left8(v128.xor(x15, x0))
    x12 = left8(v128.xor(x12, x1))
    x13 = left8(v128.xor(x13, x2))
    x14 = left8(v128.xor(x14, x3))
    x10 = i32x4.add(x10, x15)
    x11 = i32x4.add(x11, x12)
    x8 = i32x4.add(x8, x13)
    x9 = i32x4.add(x9, x14)
    x5 = left7(v128.xor(x5, x10))
    x6 = left7(v128.xor(x6, x11))
    x7 = left7(v128.xor(x7, x8))
    x4 = left7(v128.xor(x4, x9))
  }
  store4(
    0,
    i32x4.add(x0, i32x4.splat(0x61707865)),
    i32x4.add(x1, i32x4.splat(0x3320646e)),
    i32x4.add(x2, i32x4.splat(0x79622d32)),
    i32x4.add(x3, i32x4.splat(0x6b206574)),
  )
  store4(16, i32x4.add(x4, word(3)), i32x4.add(x5, word(4)), i32x4.add(x6, word(5)), i32x4.add(x7, word(6)))
  store4(32, i32x4.add(x8, word(7)), i32x4.add(x9, word(8)), i32x4.add(x10, word(9)), i32x4.add(x11, word(10)))
  store4(48, i32x4.add(x12, counters), i32x4.add(x13, word(0)), i32x4.add(x14, word(1)), i32x4.add(x15, word(2)))
}

/** Writes four words of each of the four blocks, which come with a lane for each block, at `offset` of the block. */
@inline
function store4(offset: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab0 = i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
  const ab1 = i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
  const cd0 = i8x16.shuffle(c, d, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
  const cd1 = i8x16.shuffle(c, d, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
  v128.store(STREAM + offset, i8x16.shuffle(ab0, cd0, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23))
  v128.store(STREAM + 64 + offset, i8x16.shuffle(ab0, cd0, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
  v128.store(STREAM + 128 + offset, i8x16.shuffle(ab1, cd1, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23))
  v128.store(STREAM + 192 + offset, i8x16.shuffle(ab1, cd1, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
}

/** Exclusive-ors whole 16-byte pieces from `at` on with the key stream from `from` on, until `length` bytes are done. */
export function xorStream(at: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) {
    v128.store(at + i, v128.xor(v128.load(at + i), v128.load(from + i)))
  }
}

export function forgetStream(): void {
  // Stores: `memory.fill` is a call that costs more.
  for (let at = INPUT; at < INPUT + 48; at += 16) v128.store(at, i64x2.splat(0))
  for (let at = STREAM; at < STREAM + 256; at += 16) v128.store(at, i64x2.splat(0))
}

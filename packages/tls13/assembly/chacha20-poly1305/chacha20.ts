// The ChaCha20 key stream (RFC 8439 sections 2.1 to 2.4), three blocks at a time, for what is short: a vector is a row of a
// block, four words.
//
// Three blocks are as many as 16 registers hold without spilling, and enough to keep the units of a processor busy. The
// rounds on diagonals turn the rows first, and back afterwards.
// Side channels: additions, exclusive ors and rotations of 32-bit lanes, no table, no branch on a secret.

/** Blocks that one call of `keyStream` makes, and their bytes. */
export const BLOCKS: u32 = 3
export const STREAM_BYTES: u32 = 192

/** The rows of the input: the counter and the nonce, and the key in two; the constants are not kept. */
const ROWS: usize = memory.data(48, 16)
/** The nonce as three little-endian words, then the key as eight. */
export const INPUT: usize = ROWS + 4
export const STREAM: usize = memory.data(192, 16)

@inline
export function left16(x: v128): v128 {
  return i8x16.shuffle(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
}

@inline
export function left12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20))
}

@inline
function left8(x: v128): v128 {
  return i8x16.swizzle(x, i8x16(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14))
}

@inline
export function left7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25))
}

/** The lanes turned by one, by two and by three. */
@inline
function turn1(x: v128): v128 {
  return i8x16.shuffle(x, x, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3)
}

@inline
function turn2(x: v128): v128 {
  return i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
}

@inline
function turn3(x: v128): v128 {
  return i8x16.shuffle(x, x, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
}

@inline
function constants(): v128 {
  return i32x4(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574)
}

/** The blocks from `counter` on, to STREAM. */
export function keyStream(counter: u32): void {
  const counted = i32x4.replace_lane(v128.load(ROWS), 0, counter)
  let a0 = constants()
  let b0 = v128.load(ROWS, 16)
  let c0 = v128.load(ROWS, 32)
  let d0 = counted
  let a1 = constants()
  let b1 = v128.load(ROWS, 16)
  let c1 = v128.load(ROWS, 32)
  let d1 = i32x4.add(counted, i32x4(1, 0, 0, 0))
  let a2 = constants()
  let b2 = v128.load(ROWS, 16)
  let c2 = v128.load(ROWS, 32)
  let d2 = i32x4.add(counted, i32x4(2, 0, 0, 0))
  for (let round = 0; round < 20; round += 2) {
    a0 = i32x4.add(a0, b0)
    a1 = i32x4.add(a1, b1)
    a2 = i32x4.add(a2, b2)
    d0 = left16(v128.xor(d0, a0))
    d1 = left16(v128.xor(d1, a1))
    d2 = left16(v128.xor(d2, a2))
    c0 = i32x4.add(c0, d0)
    c1 = i32x4.add(c1, d1)
    c2 = i32x4.add(c2, d2)
    b0 = left12(v128.xor(b0, c0))
    b1 = left12(v128.xor(b1, c1))
    b2 = left12(v128.xor(b2, c2))
    a0 = i32x4.add(a0, b0)
    a1 = i32x4.add(a1, b1)
    a2 = i32x4.add(a2, b2)
    d0 = left8(v128.xor(d0, a0))
    d1 = left8(v128.xor(d1, a1))
    d2 = left8(v128.xor(d2, a2))
    c0 = i32x4.add(c0, d0)
    c1 = i32x4.add(c1, d1)
    c2 = i32x4.add(c2, d2)
    b0 = left7(v128.xor(b0, c0))
    b1 = left7(v128.xor(b1, c1))
    b2 = left7(v128.xor(b2, c2))
    b0 = turn1(b0)
    b1 = turn1(b1)
    b2 = turn1(b2)
    c0 = turn2(c0)
    c1 = turn2(c1)
    c2 = turn2(c2)
    d0 = turn3(d0)
    d1 = turn3(d1)
    d2 = turn3(d2)
    a0 = i32x4.add(a0, b0)
    a1 = i32x4.add(a1, b1)
    a2 = i32x4.add(a2, b2)
    d0 = left16(v128.xor(d0, a0))
    d1 = left16(v128.xor(d1, a1))
    d2 = left16(v128.xor(d2, a2))
    c0 = i32x4.add(c0, d0)
    c1 = i32x4.add(c1, d1)
    c2 = i32x4.add(c2, d2)
    b0 = left12(v128.xor(b0, c0))
    b1 = left12(v128.xor(b1, c1))
    b2 = left12(v128.xor(b2, c2))
    a0 = i32x4.add(a0, b0)
    a1 = i32x4.add(a1, b1)
    a2 = i32x4.add(a2, b2)
    d0 = left8(v128.xor(d0, a0))
    d1 = left8(v128.xor(d1, a1))
    d2 = left8(v128.xor(d2, a2))
    c0 = i32x4.add(c0, d0)
    c1 = i32x4.add(c1, d1)
    c2 = i32x4.add(c2, d2)
    b0 = left7(v128.xor(b0, c0))
    b1 = left7(v128.xor(b1, c1))
    b2 = left7(v128.xor(b2, c2))
    b0 = turn3(b0)
    b1 = turn3(b1)
    b2 = turn3(b2)
    c0 = turn2(c0)
    c1 = turn2(c1)
    c2 = turn2(c2)
    d0 = turn1(d0)
    d1 = turn1(d1)
    d2 = turn1(d2)
  }
  v128.store(STREAM, i32x4.add(a0, constants()), 0)
  v128.store(STREAM, i32x4.add(b0, v128.load(ROWS, 16)), 16)
  v128.store(STREAM, i32x4.add(c0, v128.load(ROWS, 32)), 32)
  v128.store(STREAM, i32x4.add(d0, counted), 48)
  v128.store(STREAM, i32x4.add(a1, constants()), 64)
  v128.store(STREAM, i32x4.add(b1, v128.load(ROWS, 16)), 80)
  v128.store(STREAM, i32x4.add(c1, v128.load(ROWS, 32)), 96)
  v128.store(STREAM, i32x4.add(d1, i32x4.add(counted, i32x4(1, 0, 0, 0))), 112)
  v128.store(STREAM, i32x4.add(a2, constants()), 128)
  v128.store(STREAM, i32x4.add(b2, v128.load(ROWS, 16)), 144)
  v128.store(STREAM, i32x4.add(c2, v128.load(ROWS, 32)), 160)
  v128.store(STREAM, i32x4.add(d2, i32x4.add(counted, i32x4(2, 0, 0, 0))), 176)
}

/** Exclusive-ors whole 16-byte pieces from `at` on with the key stream from `from` on, until `length` bytes are done. */
export function xorStream(at: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) {
    v128.store(at + i, v128.xor(v128.load(at + i), v128.load(from + i)))
  }
}

export function forgetStream(): void {
  // Stores: `memory.fill` is a call that costs more.
  for (let at = ROWS; at < ROWS + 48; at += 16) v128.store(at, i64x2.splat(0))
  for (let at = STREAM; at < STREAM + STREAM_BYTES; at += 16) v128.store(at, i64x2.splat(0))
}

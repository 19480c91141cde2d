// ChaCha20 and Poly1305 together, for what is long: eight blocks of key stream are made while blocks of the text go into the
// MAC. The one waits for its vectors and the other for its multiplications, so that both cost little more than the first.
//
// Here a vector is a word of four blocks, a lane for each, and there are two groups of four. The words stay in memory: with
// the registers that there are an engine would put them there anyhow, and worse; at addresses that are constants, as one more
// instruction for each of them takes a tenth of the time.
// Side channels: those of chacha20.ts and poly1305.ts; the branches are on lengths.

import { INPUT, left12, left16, left7 } from "./chacha20"
import { H, R } from "./poly1305"

/** Blocks that one call of `bulk` makes, and their bytes; it takes as many bytes at least into the MAC. */
export const BULK_BLOCKS: u32 = 8
export const BULK_BYTES: u32 = 512
export const BULK_STREAM: usize = memory.data(512, 16)
const WORDS: usize = memory.data(512, 16)
const WORDS_END: usize = WORDS + 512
/** A group of four blocks. */
const GROUP: usize = 256

@inline
function quarterRound(at: usize, a: usize, b: usize, c: usize, d: usize): void {
  let x = v128.load(at + 16 * a)
  let y = v128.load(at + 16 * b)
  let z = v128.load(at + 16 * c)
  let w = v128.load(at + 16 * d)
  x = i32x4.add(x, y)
  w = left16(v128.xor(w, x))
  z = i32x4.add(z, w)
  y = left12(v128.xor(y, z))
  x = i32x4.add(x, y)
  w = v128.xor(w, x)
  // Not a shuffle: some engines make its constant anew each time.
  w = v128.or(i32x4.shl(w, 8), i32x4.shr_u(w, 24))
  z = i32x4.add(z, w)
  y = left7(v128.xor(y, z))
  v128.store(at + 16 * a, x)
  v128.store(at + 16 * b, y)
  v128.store(at + 16 * c, z)
  v128.store(at + 16 * d, w)
}

@inline
function columns(group: usize): void {
  quarterRound(group, 0, 4, 8, 12)
  quarterRound(group, 1, 5, 9, 13)
  quarterRound(group, 2, 6, 10, 14)
  quarterRound(group, 3, 7, 11, 15)
}

@inline
function diagonals(group: usize): void {
  quarterRound(group, 0, 5, 10, 15)
  quarterRound(group, 1, 6, 11, 12)
  quarterRound(group, 2, 7, 8, 13)
  quarterRound(group, 3, 4, 9, 14)
}

/** Word `index` of the input of four blocks. */
@inline
function input(index: i32, counters: v128): v128 {
  if (index === 0) return i32x4.splat(0x61707865)
  if (index === 1) return i32x4.splat(0x3320646e)
  if (index === 2) return i32x4.splat(0x79622d32)
  if (index === 3) return i32x4.splat(0x6b206574)
  if (index === 12) return counters
  return v128.load32_splat(INPUT + 4 * (index < 12 ? index - 1 : index - 13))
}

@inline
function output(group: usize, index: i32, counters: v128): v128 {
  return i32x4.add(v128.load(group + 16 * index), input(index, counters))
}

/**
 * Makes the blocks from `counter` on, at BULK_STREAM, and takes whole blocks of the text from `at` to `end`, 40 at most, into
 * the MAC; returns where those end. The MAC is that of `polyBlocks`.
 */
export function bulk(counter: u32, at: usize, end: usize): usize {
  const r0: u64 = load<u32>(R)
  const r1: u64 = load<u32>(R, 4)
  const r2: u64 = load<u32>(R, 8)
  const r3: u64 = load<u32>(R, 12)
  const t0 = (r0 >> 2) * 5
  const t1 = (r1 >> 2) * 5
  const t2 = (r2 >> 2) * 5
  const t3 = (r3 >> 2) * 5
  const low = r0 & 3
  let h0: u64 = load<u32>(H)
  let h1: u64 = load<u32>(H, 4)
  let h2: u64 = load<u32>(H, 8)
  let h3: u64 = load<u32>(H, 12)
  let h4: u64 = load<u32>(H, 16)
  let counters = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3))
  for (let group = WORDS; group < WORDS_END; group += GROUP) {
    v128.store(group, input(0, counters), 0)
    v128.store(group, input(1, counters), 16)
    v128.store(group, input(2, counters), 32)
    v128.store(group, input(3, counters), 48)
    v128.store(group, input(4, counters), 64)
    v128.store(group, input(5, counters), 80)
    v128.store(group, input(6, counters), 96)
    v128.store(group, input(7, counters), 112)
    v128.store(group, input(8, counters), 128)
    v128.store(group, input(9, counters), 144)
    v128.store(group, input(10, counters), 160)
    v128.store(group, input(11, counters), 176)
    v128.store(group, input(12, counters), 192)
    v128.store(group, input(13, counters), 208)
    v128.store(group, input(14, counters), 224)
    v128.store(group, input(15, counters), 240)
    counters = i32x4.add(counters, i32x4.splat(4))
  }
  for (let round = 0; round < 20; round += 2) {
    // Four times the same, for each half of a group: a block of text.
    columns(WORDS)
    if (at < end) {
      h0 += <u64>load<u32>(at)
      h1 += <u64>load<u32>(at, 4)
      h2 += <u64>load<u32>(at, 8)
      h3 += <u64>load<u32>(at, 12)
      h4 += 1
      const x0 = h0 * r0 + h1 * t3 + (h2 * t2 + h3 * t1) + h4 * t0
      const x1 = h0 * r1 + h1 * r0 + (h2 * t3 + h3 * t2) + h4 * t1 + (x0 >> 32)
      const x2 = h0 * r2 + h1 * r1 + (h2 * r0 + h3 * t3) + h4 * t2 + (x1 >> 32)
      const x3 = h0 * r3 + h1 * r2 + (h2 * r1 + h3 * r0) + h4 * t3 + (x2 >> 32)
      const x4 = h4 * low + (x3 >> 32)
      h0 = (x0 & 0xffffffff) + (x4 >> 2) * 5
      h1 = (x1 & 0xffffffff) + (h0 >> 32)
      h0 &= 0xffffffff
      h2 = x2 & 0xffffffff
      h3 = x3 & 0xffffffff
      h4 = x4 & 3
      at += 16
    }
    columns(WORDS + GROUP)
    if (at < end) {
      h0 += <u64>load<u32>(at)
      h1 += <u64>load<u32>(at, 4)
      h2 += <u64>load<u32>(at, 8)
      h3 += <u64>load<u32>(at, 12)
      h4 += 1
      const x0 = h0 * r0 + h1 * t3 + (h2 * t2 + h3 * t1) + h4 * t0
      const x1 = h0 * r1 + h1 * r0 + (h2 * t3 + h3 * t2) + h4 * t1 + (x0 >> 32)
      const x2 = h0 * r2 + h1 * r1 + (h2 * r0 + h3 * t3) + h4 * t2 + (x1 >> 32)
      const x3 = h0 * r3 + h1 * r2 + (h2 * r1 + h3 * r0) + h4 * t3 + (x2 >> 32)
      const x4 = h4 * low + (x3 >> 32)
      h0 = (x0 & 0xffffffff) + (x4 >> 2) * 5
      h1 = (x1 & 0xffffffff) + (h0 >> 32)
      h0 &= 0xffffffff
      h2 = x2 & 0xffffffff
      h3 = x3 & 0xffffffff
      h4 = x4 & 3
      at += 16
    }
    diagonals(WORDS)
    if (at < end) {
      h0 += <u64>load<u32>(at)
      h1 += <u64>load<u32>(at, 4)
      h2 += <u64>load<u32>(at, 8)
      h3 += <u64>load<u32>(at, 12)
      h4 += 1
      const x0 = h0 * r0 + h1 * t3 + (h2 * t2 + h3 * t1) + h4 * t0
      const x1 = h0 * r1 + h1 * r0 + (h2 * t3 + h3 * t2) + h4 * t1 + (x0 >> 32)
      const x2 = h0 * r2 + h1 * r1 + (h2 * r0 + h3 * t3) + h4 * t2 + (x1 >> 32)
      const x3 = h0 * r3 + h1 * r2 + (h2 * r1 + h3 * r0) + h4 * t3 + (x2 >> 32)
      const x4 = h4 * low + (x3 >> 32)
      h0 = (x0 & 0xffffffff) + (x4 >> 2) * 5
      h1 = (x1 & 0xffffffff) + (h0 >> 32)
      h0 &= 0xffffffff
      h2 = x2 & 0xffffffff
      h3 = x3 & 0xffffffff
      h4 = x4 & 3
      at += 16
    }
    diagonals(WORDS + GROUP)
    if (at < end) {
      h0 += <u64>load<u32>(at)
      h1 += <u64>load<u32>(at, 4)
      h2 += <u64>load<u32>(at, 8)
      h3 += <u64>load<u32>(at, 12)
      h4 += 1
      const x0 = h0 * r0 + h1 * t3 + (h2 * t2 + h3 * t1) + h4 * t0
      const x1 = h0 * r1 + h1 * r0 + (h2 * t3 + h3 * t2) + h4 * t1 + (x0 >> 32)
      const x2 = h0 * r2 + h1 * r1 + (h2 * r0 + h3 * t3) + h4 * t2 + (x1 >> 32)
      const x3 = h0 * r3 + h1 * r2 + (h2 * r1 + h3 * r0) + h4 * t3 + (x2 >> 32)
      const x4 = h4 * low + (x3 >> 32)
      h0 = (x0 & 0xffffffff) + (x4 >> 2) * 5
      h1 = (x1 & 0xffffffff) + (h0 >> 32)
      h0 &= 0xffffffff
      h2 = x2 & 0xffffffff
      h3 = x3 & 0xffffffff
      h4 = x4 & 3
      at += 16
    }
  }
  h2 += h1 >> 32
  h3 += h2 >> 32
  h4 += h3 >> 32
  store<u32>(H, <u32>h0)
  store<u32>(H, <u32>h1, 4)
  store<u32>(H, <u32>h2, 8)
  store<u32>(H, <u32>h3, 12)
  store<u32>(H, <u32>h4, 16)
  counters = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3))
  for (let group = WORDS, to = BULK_STREAM; group < WORDS_END; group += GROUP, to += GROUP) {
    store4(to + 0, output(group, 0, counters), output(group, 1, counters), output(group, 2, counters), output(group, 3, counters))
    store4(to + 16, output(group, 4, counters), output(group, 5, counters), output(group, 6, counters), output(group, 7, counters))
    store4(to + 32, output(group, 8, counters), output(group, 9, counters), output(group, 10, counters), output(group, 11, counters))
    store4(to + 48, output(group, 12, counters), output(group, 13, counters), output(group, 14, counters), output(group, 15, counters))
    counters = i32x4.add(counters, i32x4.splat(4))
  }
  return at
}

/** Writes four words of each of four blocks, which come with a lane for each block, to `at` and every 64 bytes. */
@inline
function store4(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab0 = i8x16.shuffle(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
  const ab1 = i8x16.shuffle(a, b, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
  const cd0 = i8x16.shuffle(c, d, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23)
  const cd1 = i8x16.shuffle(c, d, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)
  v128.store(at, i8x16.shuffle(ab0, cd0, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23))
  v128.store(at, i8x16.shuffle(ab0, cd0, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 64)
  v128.store(at, i8x16.shuffle(ab1, cd1, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), 128)
  v128.store(at, i8x16.shuffle(ab1, cd1, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 192)
}

export function forgetBulk(): void {
  memory.fill(WORDS, 0, 512)
  memory.fill(BULK_STREAM, 0, 512)
}

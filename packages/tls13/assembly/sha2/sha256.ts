// SHA-256 (FIPS 180-4 section 6.2) on words of 32 bits.
//
// Sixteen rounds at a time: the names of the working variables turn with the rounds. After four of them the four words of the
// message schedule that they took make room for new ones, which are made in a vector while the rounds go on.
//
// Side channels: additions, rotations and logic, no table read by a secret, no branch on one.

import { SCHEDULE, TEXT, zero } from "./memory"

const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
])

/** Bytes of a block. */
const BLOCK: u32 = 64
/** Eight words; after a digest is made, the digest. */
const STATE256: usize = TEXT - 32
/**
 * Takes what four rounds made. It is not read: an engine that computes a value where it is first needed would make the words of
 * sixteen rounds and then the rounds, which takes a third longer than both at once.
 */
const DONE: usize = SCHEDULE + 64
/** The state that the outer hash of HMAC starts from. */
export const OUTER256: usize = STATE256 - 32

@inline
function sumOf1(e: u32): u32 {
  return rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25)
}

@inline
function sumOf0(a: u32): u32 {
  return rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22)
}

@inline
function choose(e: u32, f: u32, g: u32): u32 {
  return g ^ (e & (f ^ g))
}

@inline
function swapped(words: v128): v128 {
  return i8x16.shuffle(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
}

@inline
function right(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(x, bits), i32x4.shl(x, 32 - bits))
}

@inline
function firstSigma(x: v128): v128 {
  return v128.xor(v128.xor(right(x, 7), right(x, 18)), i32x4.shr_u(x, 3))
}

@inline
function lastSigma(x: v128): v128 {
  return v128.xor(v128.xor(right(x, 17), right(x, 19)), i32x4.shr_u(x, 10))
}

/** The four words of the schedule that follow the sixteen in a, b, c and d. */
@inline
function nextWords(a: v128, b: v128, c: v128, d: v128): v128 {
  const zero = i64x2.splat(0)
  const ninth = i8x16.shuffle(c, d, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
  const second = i8x16.shuffle(a, b, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
  let next = i32x4.add(i32x4.add(a, ninth), firstSigma(second))
  // The last two words make the first two, and these the others; of zeros the function is zero.
  next = i32x4.add(next, lastSigma(i8x16.shuffle(d, zero, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23)))
  return i32x4.add(next, lastSigma(i8x16.shuffle(zero, next, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)))
}

/** Takes the blocks from `at` to `end` into STATE. */
export function blocks256(at: usize, end: usize): void {
  let a = load<u32>(STATE256, 0)
  let b = load<u32>(STATE256, 4)
  let c = load<u32>(STATE256, 8)
  let d = load<u32>(STATE256, 12)
  let e = load<u32>(STATE256, 16)
  let f = load<u32>(STATE256, 20)
  let g = load<u32>(STATE256, 24)
  let h = load<u32>(STATE256, 28)
  // The majority of a, b and c is ((a ^ b) & (b ^ c)) ^ b, and the next round's b ^ c is this one's a ^ b.
  let ab: u32
  for (; at < end; at += BLOCK) {
    let bc = b ^ c
    let w0 = swapped(v128.load(at, 0))
    let w1 = swapped(v128.load(at, 16))
    let w2 = swapped(v128.load(at, 32))
    let w3 = swapped(v128.load(at, 48))
    v128.store(SCHEDULE, i32x4.add(w0, v128.load(K, 0)), 0)
    v128.store(SCHEDULE, i32x4.add(w1, v128.load(K, 16)), 16)
    v128.store(SCHEDULE, i32x4.add(w2, v128.load(K, 32)), 32)
    v128.store(SCHEDULE, i32x4.add(w3, v128.load(K, 48)), 48)
    for (let k = K + 64; ; k += 64) {
      const isLast = k === K + 256
      h = (h + load<u32>(SCHEDULE, 0)) + choose(e, f, g) + sumOf1(e)
      d += h
      ab = a ^ b
      h = (h + ((ab & bc) ^ b)) + sumOf0(a)
      g = (g + load<u32>(SCHEDULE, 4)) + choose(d, e, f) + sumOf1(d)
      c += g
      bc = h ^ a
      g = (g + ((bc & ab) ^ a)) + sumOf0(h)
      f = (f + load<u32>(SCHEDULE, 8)) + choose(c, d, e) + sumOf1(c)
      b += f
      ab = g ^ h
      f = (f + ((ab & bc) ^ h)) + sumOf0(g)
      e = (e + load<u32>(SCHEDULE, 12)) + choose(b, c, d) + sumOf1(b)
      a += e
      bc = f ^ g
      e = (e + ((bc & ab) ^ g)) + sumOf0(f)
      store<u32>(DONE, e)
      if (!isLast) {
        w0 = nextWords(w0, w1, w2, w3)
        v128.store(SCHEDULE, i32x4.add(w0, v128.load(k, 0)), 0)
      }
      d = (d + load<u32>(SCHEDULE, 16)) + choose(a, b, c) + sumOf1(a)
      h += d
      ab = e ^ f
      d = (d + ((ab & bc) ^ f)) + sumOf0(e)
      c = (c + load<u32>(SCHEDULE, 20)) + choose(h, a, b) + sumOf1(h)
      g += c
      bc = d ^ e
      c = (c + ((bc & ab) ^ e)) + sumOf0(d)
      b = (b + load<u32>(SCHEDULE, 24)) + choose(g, h, a) + sumOf1(g)
      f += b
      ab = c ^ d
      b = (b + ((ab & bc) ^ d)) + sumOf0(c)
      a = (a + load<u32>(SCHEDULE, 28)) + choose(f, g, h) + sumOf1(f)
      e += a
      bc = b ^ c
      a = (a + ((bc & ab) ^ c)) + sumOf0(b)
      store<u32>(DONE, a)
      if (!isLast) {
        w1 = nextWords(w1, w2, w3, w0)
        v128.store(SCHEDULE, i32x4.add(w1, v128.load(k, 16)), 16)
      }
      h = (h + load<u32>(SCHEDULE, 32)) + choose(e, f, g) + sumOf1(e)
      d += h
      ab = a ^ b
      h = (h + ((ab & bc) ^ b)) + sumOf0(a)
      g = (g + load<u32>(SCHEDULE, 36)) + choose(d, e, f) + sumOf1(d)
      c += g
      bc = h ^ a
      g = (g + ((bc & ab) ^ a)) + sumOf0(h)
      f = (f + load<u32>(SCHEDULE, 40)) + choose(c, d, e) + sumOf1(c)
      b += f
      ab = g ^ h
      f = (f + ((ab & bc) ^ h)) + sumOf0(g)
      e = (e + load<u32>(SCHEDULE, 44)) + choose(b, c, d) + sumOf1(b)
      a += e
      bc = f ^ g
      e = (e + ((bc & ab) ^ g)) + sumOf0(f)
      store<u32>(DONE, e)
      if (!isLast) {
        w2 = nextWords(w2, w3, w0, w1)
        v128.store(SCHEDULE, i32x4.add(w2, v128.load(k, 32)), 32)
      }
      d = (d + load<u32>(SCHEDULE, 48)) + choose(a, b, c) + sumOf1(a)
      h += d
      ab = e ^ f
      d = (d + ((ab & bc) ^ f)) + sumOf0(e)
      c = (c + load<u32>(SCHEDULE, 52)) + choose(h, a, b) + sumOf1(h)
      g += c
      bc = d ^ e
      c = (c + ((bc & ab) ^ e)) + sumOf0(d)
      b = (b + load<u32>(SCHEDULE, 56)) + choose(g, h, a) + sumOf1(g)
      f += b
      ab = c ^ d
      b = (b + ((ab & bc) ^ d)) + sumOf0(c)
      a = (a + load<u32>(SCHEDULE, 60)) + choose(f, g, h) + sumOf1(f)
      e += a
      bc = b ^ c
      a = (a + ((bc & ab) ^ c)) + sumOf0(b)
      store<u32>(DONE, a)
      if (!isLast) {
        w3 = nextWords(w3, w0, w1, w2)
        v128.store(SCHEDULE, i32x4.add(w3, v128.load(k, 48)), 48)
      }
      if (isLast) break
    }
    a += load<u32>(STATE256, 0)
    store<u32>(STATE256, a, 0)
    b += load<u32>(STATE256, 4)
    store<u32>(STATE256, b, 4)
    c += load<u32>(STATE256, 8)
    store<u32>(STATE256, c, 8)
    d += load<u32>(STATE256, 12)
    store<u32>(STATE256, d, 12)
    e += load<u32>(STATE256, 16)
    store<u32>(STATE256, e, 16)
    f += load<u32>(STATE256, 20)
    store<u32>(STATE256, f, 20)
    g += load<u32>(STATE256, 24)
    store<u32>(STATE256, g, 24)
    h += load<u32>(STATE256, 28)
    store<u32>(STATE256, h, 28)
  }
}

export function begin256(): void {
  store<u32>(STATE256, 0x6a09e667, 0)
  store<u32>(STATE256, 0xbb67ae85, 4)
  store<u32>(STATE256, 0x3c6ef372, 8)
  store<u32>(STATE256, 0xa54ff53a, 12)
  store<u32>(STATE256, 0x510e527f, 16)
  store<u32>(STATE256, 0x9b05688c, 20)
  store<u32>(STATE256, 0x1f83d9ab, 24)
  store<u32>(STATE256, 0x5be0cd19, 28)
}

/** With `length` bytes at TEXT, of `total` in all: pads them, and writes the digest to STATE. */
export function finish256(length: u32, total: f64): void {
  const filled = length % BLOCK
  const last = TEXT + length - filled
  const end = last + <usize>(filled < BLOCK - 8 ? BLOCK : BLOCK + BLOCK)
  zero(TEXT + length, end - TEXT - length)
  store<u8>(TEXT + length, 0x80)
  store<u64>(end - 8, bswap<u64>(<u64>total << 3))
  blocks256(TEXT, end)
  for (let i: usize = 0; i < 32; i += 4) store<u32>(STATE256 + i, bswap<u32>(load<u32>(STATE256 + i)))
}

/** The digest of the `length` bytes at TEXT, to STATE. */
export function digest256(length: u32, size: u32): void {
  begin256()
  finish256(length, length)
}

/** With the states of a key in STATE256 and OUTER: the MAC of the `length` bytes at TEXT, to STATE. */
export function mac256(length: u32, size: u32): void {
  finish256(length, <f64>BLOCK + <f64>length)
  for (let i: usize = 0; i < size; i += 16) v128.store(TEXT + i, v128.load(STATE256 + i))
  copyState(STATE256, OUTER256)
  finish256(size, <f64>(BLOCK + size))
}

/** RFC 2104: the states after the block of the key, which is at TEXT and of `length` bytes, with ipad and with opad. */
export function key256(length: u32, size: u32): void {
  zero(TEXT + length, BLOCK - length)
  exclusiveOr(0x36)
  begin256()
  blocks256(TEXT, TEXT + BLOCK)
  copyState(OUTER256, STATE256)
  exclusiveOr(0x36 ^ 0x5c)
  begin256()
  blocks256(TEXT, TEXT + BLOCK)
  for (let i: usize = 0; i < 32; i += 16) {
    const outer = v128.load(STATE256 + i)
    v128.store(STATE256 + i, v128.load(OUTER256 + i))
    v128.store(OUTER256 + i, outer)
  }
}

function copyState(to: usize, from: usize): void {
  for (let i: usize = 0; i < 32; i += 16) v128.store(to + i, v128.load(from + i))
}

function exclusiveOr(byte: u8): void {
  for (let i: usize = 0; i < BLOCK; i += 16) v128.store(TEXT + i, v128.xor(v128.load(TEXT + i), i8x16.splat(byte)))
}

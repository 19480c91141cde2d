// SHA-256 (FIPS 180-4 section 6.2) on words of 32 bits.
//
// Sixteen rounds at a time: the names of the working variables turn with the rounds, and the message schedule is a ring of
// sixteen words. Side channels: additions, rotations and logic, no table read by a secret, no branch on one.

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
/** The state that the outer hash of HMAC starts from. */
export const OUTER256: usize = STATE256 - 32

@inline
function lastSigma(x: u32): u32 {
  return rotr<u32>(x, 17) ^ rotr<u32>(x, 19) ^ (x >> 10)
}

@inline
function firstSigma(x: u32): u32 {
  return rotr<u32>(x, 7) ^ rotr<u32>(x, 18) ^ (x >> 3)
}

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

/** Word i of the schedule, as it is, or as it is sixteen rounds later. */
@inline
function scheduled(i: usize, later: bool): u32 {
  const at = SCHEDULE + 4 * i
  if (!later) return load<u32>(at)
  const word =
    load<u32>(at) +
    firstSigma(load<u32>(SCHEDULE + 4 * ((i + 1) & 15))) +
    load<u32>(SCHEDULE + 4 * ((i + 9) & 15)) +
    lastSigma(load<u32>(SCHEDULE + 4 * ((i + 14) & 15)))
  store<u32>(at, word)
  return word
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
    for (let i: usize = 0; i < BLOCK; i += 16) {
      const words = v128.load(at + i)
      v128.store(SCHEDULE + i, i8x16.shuffle(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12))
    }
    h += sumOf1(e) + choose(e, f, g) + load<u32>(K, 0) + scheduled(0, false)
    d += h
    ab = a ^ b
    h += sumOf0(a) + ((ab & bc) ^ b)
    g += sumOf1(d) + choose(d, e, f) + load<u32>(K, 4) + scheduled(1, false)
    c += g
    bc = h ^ a
    g += sumOf0(h) + ((bc & ab) ^ a)
    f += sumOf1(c) + choose(c, d, e) + load<u32>(K, 8) + scheduled(2, false)
    b += f
    ab = g ^ h
    f += sumOf0(g) + ((ab & bc) ^ h)
    e += sumOf1(b) + choose(b, c, d) + load<u32>(K, 12) + scheduled(3, false)
    a += e
    bc = f ^ g
    e += sumOf0(f) + ((bc & ab) ^ g)
    d += sumOf1(a) + choose(a, b, c) + load<u32>(K, 16) + scheduled(4, false)
    h += d
    ab = e ^ f
    d += sumOf0(e) + ((ab & bc) ^ f)
    c += sumOf1(h) + choose(h, a, b) + load<u32>(K, 20) + scheduled(5, false)
    g += c
    bc = d ^ e
    c += sumOf0(d) + ((bc & ab) ^ e)
    b += sumOf1(g) + choose(g, h, a) + load<u32>(K, 24) + scheduled(6, false)
    f += b
    ab = c ^ d
    b += sumOf0(c) + ((ab & bc) ^ d)
    a += sumOf1(f) + choose(f, g, h) + load<u32>(K, 28) + scheduled(7, false)
    e += a
    bc = b ^ c
    a += sumOf0(b) + ((bc & ab) ^ c)
    h += sumOf1(e) + choose(e, f, g) + load<u32>(K, 32) + scheduled(8, false)
    d += h
    ab = a ^ b
    h += sumOf0(a) + ((ab & bc) ^ b)
    g += sumOf1(d) + choose(d, e, f) + load<u32>(K, 36) + scheduled(9, false)
    c += g
    bc = h ^ a
    g += sumOf0(h) + ((bc & ab) ^ a)
    f += sumOf1(c) + choose(c, d, e) + load<u32>(K, 40) + scheduled(10, false)
    b += f
    ab = g ^ h
    f += sumOf0(g) + ((ab & bc) ^ h)
    e += sumOf1(b) + choose(b, c, d) + load<u32>(K, 44) + scheduled(11, false)
    a += e
    bc = f ^ g
    e += sumOf0(f) + ((bc & ab) ^ g)
    d += sumOf1(a) + choose(a, b, c) + load<u32>(K, 48) + scheduled(12, false)
    h += d
    ab = e ^ f
    d += sumOf0(e) + ((ab & bc) ^ f)
    c += sumOf1(h) + choose(h, a, b) + load<u32>(K, 52) + scheduled(13, false)
    g += c
    bc = d ^ e
    c += sumOf0(d) + ((bc & ab) ^ e)
    b += sumOf1(g) + choose(g, h, a) + load<u32>(K, 56) + scheduled(14, false)
    f += b
    ab = c ^ d
    b += sumOf0(c) + ((ab & bc) ^ d)
    a += sumOf1(f) + choose(f, g, h) + load<u32>(K, 60) + scheduled(15, false)
    e += a
    bc = b ^ c
    a += sumOf0(b) + ((bc & ab) ^ c)
    for (let k = K + 64; k < K + 256; k += 64) {
      h += sumOf1(e) + choose(e, f, g) + load<u32>(k, 0) + scheduled(0, true)
      d += h
      ab = a ^ b
      h += sumOf0(a) + ((ab & bc) ^ b)
      g += sumOf1(d) + choose(d, e, f) + load<u32>(k, 4) + scheduled(1, true)
      c += g
      bc = h ^ a
      g += sumOf0(h) + ((bc & ab) ^ a)
      f += sumOf1(c) + choose(c, d, e) + load<u32>(k, 8) + scheduled(2, true)
      b += f
      ab = g ^ h
      f += sumOf0(g) + ((ab & bc) ^ h)
      e += sumOf1(b) + choose(b, c, d) + load<u32>(k, 12) + scheduled(3, true)
      a += e
      bc = f ^ g
      e += sumOf0(f) + ((bc & ab) ^ g)
      d += sumOf1(a) + choose(a, b, c) + load<u32>(k, 16) + scheduled(4, true)
      h += d
      ab = e ^ f
      d += sumOf0(e) + ((ab & bc) ^ f)
      c += sumOf1(h) + choose(h, a, b) + load<u32>(k, 20) + scheduled(5, true)
      g += c
      bc = d ^ e
      c += sumOf0(d) + ((bc & ab) ^ e)
      b += sumOf1(g) + choose(g, h, a) + load<u32>(k, 24) + scheduled(6, true)
      f += b
      ab = c ^ d
      b += sumOf0(c) + ((ab & bc) ^ d)
      a += sumOf1(f) + choose(f, g, h) + load<u32>(k, 28) + scheduled(7, true)
      e += a
      bc = b ^ c
      a += sumOf0(b) + ((bc & ab) ^ c)
      h += sumOf1(e) + choose(e, f, g) + load<u32>(k, 32) + scheduled(8, true)
      d += h
      ab = a ^ b
      h += sumOf0(a) + ((ab & bc) ^ b)
      g += sumOf1(d) + choose(d, e, f) + load<u32>(k, 36) + scheduled(9, true)
      c += g
      bc = h ^ a
      g += sumOf0(h) + ((bc & ab) ^ a)
      f += sumOf1(c) + choose(c, d, e) + load<u32>(k, 40) + scheduled(10, true)
      b += f
      ab = g ^ h
      f += sumOf0(g) + ((ab & bc) ^ h)
      e += sumOf1(b) + choose(b, c, d) + load<u32>(k, 44) + scheduled(11, true)
      a += e
      bc = f ^ g
      e += sumOf0(f) + ((bc & ab) ^ g)
      d += sumOf1(a) + choose(a, b, c) + load<u32>(k, 48) + scheduled(12, true)
      h += d
      ab = e ^ f
      d += sumOf0(e) + ((ab & bc) ^ f)
      c += sumOf1(h) + choose(h, a, b) + load<u32>(k, 52) + scheduled(13, true)
      g += c
      bc = d ^ e
      c += sumOf0(d) + ((bc & ab) ^ e)
      b += sumOf1(g) + choose(g, h, a) + load<u32>(k, 56) + scheduled(14, true)
      f += b
      ab = c ^ d
      b += sumOf0(c) + ((ab & bc) ^ d)
      a += sumOf1(f) + choose(f, g, h) + load<u32>(k, 60) + scheduled(15, true)
      e += a
      bc = b ^ c
      a += sumOf0(b) + ((bc & ab) ^ c)
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

// SHA-512 (and SHA-384, FIPS 180-4 section 6.4) on words of 64 bits.
//
// Sixteen rounds at a time: the names of the working variables turn with the rounds, and the message schedule is a ring of
// sixteen words. Side channels: additions, rotations and logic, no table read by a secret, no branch on one.

import { SCHEDULE, TEXT, zero } from "./memory"

const K: usize = memory.data<u64>([
  0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
  0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
  0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
  0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
  0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
  0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
  0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
  0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
  0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
  0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
  0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
  0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
  0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
  0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
  0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
  0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
  0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
  0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
  0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
  0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
])

/** Bytes of a block. */
const BLOCK: u32 = 128
/** Eight words; after a digest is made, the digest. */
const STATE512: usize = TEXT - 64
/** The state that the outer hash of HMAC starts from. */
export const OUTER512: usize = STATE512 - 64

@inline
function lastSigma(x: u64): u64 {
  return rotr<u64>(x, 19) ^ rotr<u64>(x, 61) ^ (x >> 6)
}

@inline
function firstSigma(x: u64): u64 {
  return rotr<u64>(x, 1) ^ rotr<u64>(x, 8) ^ (x >> 7)
}

@inline
function sumOf1(e: u64): u64 {
  return rotr<u64>(e, 14) ^ rotr<u64>(e, 18) ^ rotr<u64>(e, 41)
}

@inline
function sumOf0(a: u64): u64 {
  return rotr<u64>(a, 28) ^ rotr<u64>(a, 34) ^ rotr<u64>(a, 39)
}

@inline
function choose(e: u64, f: u64, g: u64): u64 {
  return g ^ (e & (f ^ g))
}

/** Word i of the schedule, as it is, or as it is sixteen rounds later. */
@inline
function scheduled(i: usize, later: bool): u64 {
  const at = SCHEDULE + 8 * i
  if (!later) return load<u64>(at)
  const word =
    load<u64>(at) +
    firstSigma(load<u64>(SCHEDULE + 8 * ((i + 1) & 15))) +
    load<u64>(SCHEDULE + 8 * ((i + 9) & 15)) +
    lastSigma(load<u64>(SCHEDULE + 8 * ((i + 14) & 15)))
  store<u64>(at, word)
  return word
}

/** Takes the blocks from `at` to `end` into STATE. */
export function blocks512(at: usize, end: usize): void {
  let a = load<u64>(STATE512, 0)
  let b = load<u64>(STATE512, 8)
  let c = load<u64>(STATE512, 16)
  let d = load<u64>(STATE512, 24)
  let e = load<u64>(STATE512, 32)
  let f = load<u64>(STATE512, 40)
  let g = load<u64>(STATE512, 48)
  let h = load<u64>(STATE512, 56)
  // The majority of a, b and c is ((a ^ b) & (b ^ c)) ^ b, and the next round's b ^ c is this one's a ^ b.
  let ab: u64
  for (; at < end; at += BLOCK) {
    let bc = b ^ c
    for (let i: usize = 0; i < BLOCK; i += 16) {
      const words = v128.load(at + i)
      v128.store(SCHEDULE + i, i8x16.shuffle(words, words, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8))
    }
    h += sumOf1(e) + choose(e, f, g) + load<u64>(K, 0) + scheduled(0, false)
    d += h
    ab = a ^ b
    h += sumOf0(a) + ((ab & bc) ^ b)
    g += sumOf1(d) + choose(d, e, f) + load<u64>(K, 8) + scheduled(1, false)
    c += g
    bc = h ^ a
    g += sumOf0(h) + ((bc & ab) ^ a)
    f += sumOf1(c) + choose(c, d, e) + load<u64>(K, 16) + scheduled(2, false)
    b += f
    ab = g ^ h
    f += sumOf0(g) + ((ab & bc) ^ h)
    e += sumOf1(b) + choose(b, c, d) + load<u64>(K, 24) + scheduled(3, false)
    a += e
    bc = f ^ g
    e += sumOf0(f) + ((bc & ab) ^ g)
    d += sumOf1(a) + choose(a, b, c) + load<u64>(K, 32) + scheduled(4, false)
    h += d
    ab = e ^ f
    d += sumOf0(e) + ((ab & bc) ^ f)
    c += sumOf1(h) + choose(h, a, b) + load<u64>(K, 40) + scheduled(5, false)
    g += c
    bc = d ^ e
    c += sumOf0(d) + ((bc & ab) ^ e)
    b += sumOf1(g) + choose(g, h, a) + load<u64>(K, 48) + scheduled(6, false)
    f += b
    ab = c ^ d
    b += sumOf0(c) + ((ab & bc) ^ d)
    a += sumOf1(f) + choose(f, g, h) + load<u64>(K, 56) + scheduled(7, false)
    e += a
    bc = b ^ c
    a += sumOf0(b) + ((bc & ab) ^ c)
    h += sumOf1(e) + choose(e, f, g) + load<u64>(K, 64) + scheduled(8, false)
    d += h
    ab = a ^ b
    h += sumOf0(a) + ((ab & bc) ^ b)
    g += sumOf1(d) + choose(d, e, f) + load<u64>(K, 72) + scheduled(9, false)
    c += g
    bc = h ^ a
    g += sumOf0(h) + ((bc & ab) ^ a)
    f += sumOf1(c) + choose(c, d, e) + load<u64>(K, 80) + scheduled(10, false)
    b += f
    ab = g ^ h
    f += sumOf0(g) + ((ab & bc) ^ h)
    e += sumOf1(b) + choose(b, c, d) + load<u64>(K, 88) + scheduled(11, false)
    a += e
    bc = f ^ g
    e += sumOf0(f) + ((bc & ab) ^ g)
    d += sumOf1(a) + choose(a, b, c) + load<u64>(K, 96) + scheduled(12, false)
    h += d
    ab = e ^ f
    d += sumOf0(e) + ((ab & bc) ^ f)
    c += sumOf1(h) + choose(h, a, b) + load<u64>(K, 104) + scheduled(13, false)
    g += c
    bc = d ^ e
    c += sumOf0(d) + ((bc & ab) ^ e)
    b += sumOf1(g) + choose(g, h, a) + load<u64>(K, 112) + scheduled(14, false)
    f += b
    ab = c ^ d
    b += sumOf0(c) + ((ab & bc) ^ d)
    a += sumOf1(f) + choose(f, g, h) + load<u64>(K, 120) + scheduled(15, false)
    e += a
    bc = b ^ c
    a += sumOf0(b) + ((bc & ab) ^ c)
    for (let k = K + 128; k < K + 640; k += 128) {
      h += sumOf1(e) + choose(e, f, g) + load<u64>(k, 0) + scheduled(0, true)
      d += h
      ab = a ^ b
      h += sumOf0(a) + ((ab & bc) ^ b)
      g += sumOf1(d) + choose(d, e, f) + load<u64>(k, 8) + scheduled(1, true)
      c += g
      bc = h ^ a
      g += sumOf0(h) + ((bc & ab) ^ a)
      f += sumOf1(c) + choose(c, d, e) + load<u64>(k, 16) + scheduled(2, true)
      b += f
      ab = g ^ h
      f += sumOf0(g) + ((ab & bc) ^ h)
      e += sumOf1(b) + choose(b, c, d) + load<u64>(k, 24) + scheduled(3, true)
      a += e
      bc = f ^ g
      e += sumOf0(f) + ((bc & ab) ^ g)
      d += sumOf1(a) + choose(a, b, c) + load<u64>(k, 32) + scheduled(4, true)
      h += d
      ab = e ^ f
      d += sumOf0(e) + ((ab & bc) ^ f)
      c += sumOf1(h) + choose(h, a, b) + load<u64>(k, 40) + scheduled(5, true)
      g += c
      bc = d ^ e
      c += sumOf0(d) + ((bc & ab) ^ e)
      b += sumOf1(g) + choose(g, h, a) + load<u64>(k, 48) + scheduled(6, true)
      f += b
      ab = c ^ d
      b += sumOf0(c) + ((ab & bc) ^ d)
      a += sumOf1(f) + choose(f, g, h) + load<u64>(k, 56) + scheduled(7, true)
      e += a
      bc = b ^ c
      a += sumOf0(b) + ((bc & ab) ^ c)
      h += sumOf1(e) + choose(e, f, g) + load<u64>(k, 64) + scheduled(8, true)
      d += h
      ab = a ^ b
      h += sumOf0(a) + ((ab & bc) ^ b)
      g += sumOf1(d) + choose(d, e, f) + load<u64>(k, 72) + scheduled(9, true)
      c += g
      bc = h ^ a
      g += sumOf0(h) + ((bc & ab) ^ a)
      f += sumOf1(c) + choose(c, d, e) + load<u64>(k, 80) + scheduled(10, true)
      b += f
      ab = g ^ h
      f += sumOf0(g) + ((ab & bc) ^ h)
      e += sumOf1(b) + choose(b, c, d) + load<u64>(k, 88) + scheduled(11, true)
      a += e
      bc = f ^ g
      e += sumOf0(f) + ((bc & ab) ^ g)
      d += sumOf1(a) + choose(a, b, c) + load<u64>(k, 96) + scheduled(12, true)
      h += d
      ab = e ^ f
      d += sumOf0(e) + ((ab & bc) ^ f)
      c += sumOf1(h) + choose(h, a, b) + load<u64>(k, 104) + scheduled(13, true)
      g += c
      bc = d ^ e
      c += sumOf0(d) + ((bc & ab) ^ e)
      b += sumOf1(g) + choose(g, h, a) + load<u64>(k, 112) + scheduled(14, true)
      f += b
      ab = c ^ d
      b += sumOf0(c) + ((ab & bc) ^ d)
      a += sumOf1(f) + choose(f, g, h) + load<u64>(k, 120) + scheduled(15, true)
      e += a
      bc = b ^ c
      a += sumOf0(b) + ((bc & ab) ^ c)
    }
    a += load<u64>(STATE512, 0)
    store<u64>(STATE512, a, 0)
    b += load<u64>(STATE512, 8)
    store<u64>(STATE512, b, 8)
    c += load<u64>(STATE512, 16)
    store<u64>(STATE512, c, 16)
    d += load<u64>(STATE512, 24)
    store<u64>(STATE512, d, 24)
    e += load<u64>(STATE512, 32)
    store<u64>(STATE512, e, 32)
    f += load<u64>(STATE512, 40)
    store<u64>(STATE512, f, 40)
    g += load<u64>(STATE512, 48)
    store<u64>(STATE512, g, 48)
    h += load<u64>(STATE512, 56)
    store<u64>(STATE512, h, 56)
  }
}

/** @param size bytes of the digest: 48 of SHA-384, 64 of SHA-512 */
export function begin512(size: u32): void {
  if (size === 48) {
    store<u64>(STATE512, 0xcbbb9d5dc1059ed8, 0)
    store<u64>(STATE512, 0x629a292a367cd507, 8)
    store<u64>(STATE512, 0x9159015a3070dd17, 16)
    store<u64>(STATE512, 0x152fecd8f70e5939, 24)
    store<u64>(STATE512, 0x67332667ffc00b31, 32)
    store<u64>(STATE512, 0x8eb44a8768581511, 40)
    store<u64>(STATE512, 0xdb0c2e0d64f98fa7, 48)
    store<u64>(STATE512, 0x47b5481dbefa4fa4, 56)
  } else {
    store<u64>(STATE512, 0x6a09e667f3bcc908, 0)
    store<u64>(STATE512, 0xbb67ae8584caa73b, 8)
    store<u64>(STATE512, 0x3c6ef372fe94f82b, 16)
    store<u64>(STATE512, 0xa54ff53a5f1d36f1, 24)
    store<u64>(STATE512, 0x510e527fade682d1, 32)
    store<u64>(STATE512, 0x9b05688c2b3e6c1f, 40)
    store<u64>(STATE512, 0x1f83d9abfb41bd6b, 48)
    store<u64>(STATE512, 0x5be0cd19137e2179, 56)
  }
}

/** With `length` bytes at TEXT, of `total` in all: pads them, and writes the digest to STATE. */
export function finish512(length: u32, total: f64): void {
  const filled = length % BLOCK
  const last = TEXT + length - filled
  const end = last + <usize>(filled < BLOCK - 16 ? BLOCK : BLOCK + BLOCK)
  zero(TEXT + length, end - TEXT - length)
  store<u8>(TEXT + length, 0x80)
  store<u64>(end - 8, bswap<u64>(<u64>total << 3))
  blocks512(TEXT, end)
  for (let i: usize = 0; i < 64; i += 8) store<u64>(STATE512 + i, bswap<u64>(load<u64>(STATE512 + i)))
}

/** The digest of the `length` bytes at TEXT, to STATE. */
export function digest512(length: u32, size: u32): void {
  begin512(size)
  finish512(length, length)
}

/** With the states of a key in STATE512 and OUTER: the MAC of the `length` bytes at TEXT, to STATE. */
export function mac512(length: u32, size: u32): void {
  finish512(length, <f64>BLOCK + <f64>length)
  for (let i: usize = 0; i < size; i += 16) v128.store(TEXT + i, v128.load(STATE512 + i))
  copyState(STATE512, OUTER512)
  finish512(size, <f64>(BLOCK + size))
}

/** RFC 2104: the states after the block of the key, which is at TEXT and of `length` bytes, with ipad and with opad. */
export function key512(length: u32, size: u32): void {
  zero(TEXT + length, BLOCK - length)
  exclusiveOr(0x36)
  begin512(size)
  blocks512(TEXT, TEXT + BLOCK)
  copyState(OUTER512, STATE512)
  exclusiveOr(0x36 ^ 0x5c)
  begin512(size)
  blocks512(TEXT, TEXT + BLOCK)
  for (let i: usize = 0; i < 64; i += 16) {
    const outer = v128.load(STATE512 + i)
    v128.store(STATE512 + i, v128.load(OUTER512 + i))
    v128.store(OUTER512 + i, outer)
  }
}

function copyState(to: usize, from: usize): void {
  for (let i: usize = 0; i < 64; i += 16) v128.store(to + i, v128.load(from + i))
}

function exclusiveOr(byte: u8): void {
  for (let i: usize = 0; i < BLOCK; i += 16) v128.store(TEXT + i, v128.xor(v128.load(TEXT + i), i8x16.splat(byte)))
}

import { copyOf } from "../../bytes/copy.ts"
import type { Hash, HashState, HmacKey } from "../provider.ts"

// SHA-256 (FIPS 180-4 section 6.2) and HMAC (RFC 2104). A state is eight words and the bytes of an unfinished block, so
// that a transcript is cloned and an HMAC is started from its saved key by copying little; a MAC of a short message is
// two compressions and one allocation.
//
// Side channels: additions, rotations and logic of 32-bit integers, no table read by a secret, no branch on one.

const LENGTH = 32
const BLOCK = 64

const initialWords = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
] as const

const roundConstants = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
] as const

/** What one computation needs: the round constants, the message schedule, and a block that is being filled. */
interface Workspace {
  readonly k: Int32Array
  readonly w: Int32Array
  readonly state: Int32Array
  readonly block: Uint8Array
}

/** SHA-256 in TypeScript alone. */
export function createPlainSha256(): Hash {
  let made: Workspace | undefined
  const workspace = (): Workspace => {
    made ??= {
      k: Int32Array.from(roundConstants),
      w: new Int32Array(64),
      state: new Int32Array(8),
      block: new Uint8Array(BLOCK),
    }
    return made
  }
  return {
    name: "sha256",
    length: LENGTH,
    digest: (message) => digest(workspace(), message),
    start: () => new State(workspace(), Int32Array.from(initialWords), new Uint8Array(BLOCK), 0),
    hmac: (key) => new MacKey(workspace(), key),
  }
}

class State implements HashState {
  readonly #workspace: Workspace
  readonly #words: Int32Array
  readonly #block: Uint8Array
  /** Bytes so far. */
  #length: number

  constructor(workspace: Workspace, words: Int32Array, block: Uint8Array, length: number) {
    this.#workspace = workspace
    this.#words = words
    this.#block = block
    this.#length = length
  }

  update(bytes: Uint8Array): void {
    absorb(this.#workspace, this.#words, this.#block, this.#length, bytes)
    this.#length += bytes.length
  }

  digest(): Uint8Array {
    const { state, block } = this.#workspace
    state.set(this.#words)
    block.set(this.#block)
    return finish(this.#workspace, state, block, this.#length)
  }

  clone(): HashState {
    return new State(this.#workspace, this.#words.slice(), copyOf(this.#block), this.#length)
  }
}

class MacKey implements HmacKey {
  readonly #workspace: Workspace
  /** The states after the block of the key with ipad, and with opad (RFC 2104 section 4). */
  readonly #inner: Int32Array = Int32Array.from(initialWords)
  readonly #outer: Int32Array = Int32Array.from(initialWords)
  #wiped = false

  constructor(workspace: Workspace, key: Uint8Array) {
    this.#workspace = workspace
    const padded = new Uint8Array(BLOCK)
    padded.set(key.length > BLOCK ? digest(workspace, key) : key)
    for (let i = 0; i < BLOCK; i++) padded[i]! ^= 0x36
    compress(workspace, this.#inner, padded, 0)
    for (let i = 0; i < BLOCK; i++) padded[i]! ^= 0x36 ^ 0x5c
    compress(workspace, this.#outer, padded, 0)
    padded.fill(0)
    workspace.w.fill(0)
  }

  mac(...parts: readonly Uint8Array[]): Uint8Array {
    if (this.#wiped) throw new Error("the HMAC key was wiped and cannot be used any more")
    const { state, block } = this.#workspace
    state.set(this.#inner)
    let length = BLOCK
    for (const part of parts) {
      absorb(this.#workspace, state, block, length, part)
      length += part.length
    }
    const tag = finish(this.#workspace, state, block, length)
    state.set(this.#outer)
    absorb(this.#workspace, state, block, BLOCK, tag)
    return finish(this.#workspace, state, block, BLOCK + LENGTH, tag)
  }

  wipe(): void {
    this.#inner.fill(0)
    this.#outer.fill(0)
    this.#wiped = true
  }
}

function digest(workspace: Workspace, message: Uint8Array): Uint8Array {
  const { state, block } = workspace
  state.set(initialWords)
  absorb(workspace, state, block, 0, message)
  return finish(workspace, state, block, message.length)
}

/** Takes more bytes after `length` ones, of which the last, incomplete block stands in `block`. */
function absorb(workspace: Workspace, words: Int32Array, block: Uint8Array, length: number, bytes: Uint8Array): void {
  let at = 0
  const filled = length % BLOCK
  if (filled > 0) {
    at = Math.min(BLOCK - filled, bytes.length)
    for (let i = 0; i < at; i++) block[filled + i] = bytes[i]!
    if (filled + at < BLOCK) return
    compress(workspace, words, block, 0)
  }
  for (; at + BLOCK <= bytes.length; at += BLOCK) compress(workspace, words, bytes, at)
  for (let i = at; i < bytes.length; i++) block[i - at] = bytes[i]!
}

/** Pads, gives the digest, and clears what was used. Overwrites `words` and `block`. */
function finish(
  workspace: Workspace,
  words: Int32Array,
  block: Uint8Array,
  length: number,
  out: Uint8Array = new Uint8Array(LENGTH),
): Uint8Array {
  const filled = length % BLOCK
  block[filled] = 0x80
  block.fill(0, filled + 1)
  if (filled >= BLOCK - 8) {
    compress(workspace, words, block, 0)
    block.fill(0)
  }
  // The length in bits, 64 bits big-endian; it is below 2^56.
  let bits = 8 * length
  for (let i = BLOCK - 1; i >= BLOCK - 7; i--) {
    block[i] = bits % 256
    bits = Math.floor(bits / 256)
  }
  compress(workspace, words, block, 0)
  for (let i = 0; i < 8; i++) {
    const word = words[i]!
    out[4 * i] = word >>> 24
    out[4 * i + 1] = word >>> 16
    out[4 * i + 2] = word >>> 8
    out[4 * i + 3] = word
  }
  words.fill(0)
  block.fill(0)
  workspace.w.fill(0)
  return out
}

/** FIPS 180-4 section 6.2.2, for one block. */
function compress({ k, w }: Workspace, words: Int32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++) {
    const from = at + 4 * i
    w[i] = (bytes[from]! << 24) | (bytes[from + 1]! << 16) | (bytes[from + 2]! << 8) | bytes[from + 3]!
  }
  // Two at a time, each from the one before the last, which is not read back.
  let p = w[14]!
  let q = w[15]!
  for (let i = 16; i < 64; i += 2) {
    const x = w[i - 15]!
    const y = w[i - 14]!
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((p >>> 17) | (p << 15)) ^ ((p >>> 19) | (p << 13)) ^ (p >>> 10)
    p = (w[i - 16]! + w[i - 7]! + s0 + s1) | 0
    const t0 = ((y >>> 7) | (y << 25)) ^ ((y >>> 18) | (y << 14)) ^ (y >>> 3)
    const t1 = ((q >>> 17) | (q << 15)) ^ ((q >>> 19) | (q << 13)) ^ (q >>> 10)
    q = (x + w[i - 6]! + t0 + t1) | 0
    w[i] = p
    w[i + 1] = q
  }
  let a = words[0]!
  let b = words[1]!
  let c = words[2]!
  let d = words[3]!
  let e = words[4]!
  let f = words[5]!
  let g = words[6]!
  let h = words[7]!
  // The majority of a, b and c is ((a ^ b) & (b ^ c)) ^ b, and the next round's b ^ c is this one's a ^ b. Eight rounds, and
  // every variable is in its place again.
  let x = b ^ c
  let y = 0
  for (let i = 0; i < 64; i += 8) {
    h = (h + k[i]! + w[i]! + (g ^ (e & (f ^ g))) + sum1(e)) | 0
    d = (d + h) | 0
    y = a ^ b
    h = (h + ((y & x) ^ b) + sum0(a)) | 0
    g = (g + k[i + 1]! + w[i + 1]! + (f ^ (d & (e ^ f))) + sum1(d)) | 0
    c = (c + g) | 0
    x = h ^ a
    g = (g + ((x & y) ^ a) + sum0(h)) | 0
    f = (f + k[i + 2]! + w[i + 2]! + (e ^ (c & (d ^ e))) + sum1(c)) | 0
    b = (b + f) | 0
    y = g ^ h
    f = (f + ((y & x) ^ h) + sum0(g)) | 0
    e = (e + k[i + 3]! + w[i + 3]! + (d ^ (b & (c ^ d))) + sum1(b)) | 0
    a = (a + e) | 0
    x = f ^ g
    e = (e + ((x & y) ^ g) + sum0(f)) | 0
    d = (d + k[i + 4]! + w[i + 4]! + (c ^ (a & (b ^ c))) + sum1(a)) | 0
    h = (h + d) | 0
    y = e ^ f
    d = (d + ((y & x) ^ f) + sum0(e)) | 0
    c = (c + k[i + 5]! + w[i + 5]! + (b ^ (h & (a ^ b))) + sum1(h)) | 0
    g = (g + c) | 0
    x = d ^ e
    c = (c + ((x & y) ^ e) + sum0(d)) | 0
    b = (b + k[i + 6]! + w[i + 6]! + (a ^ (g & (h ^ a))) + sum1(g)) | 0
    f = (f + b) | 0
    y = c ^ d
    b = (b + ((y & x) ^ d) + sum0(c)) | 0
    a = (a + k[i + 7]! + w[i + 7]! + (h ^ (f & (g ^ h))) + sum1(f)) | 0
    e = (e + a) | 0
    x = b ^ c
    a = (a + ((x & y) ^ c) + sum0(b)) | 0
  }
  words[0]! += a
  words[1]! += b
  words[2]! += c
  words[3]! += d
  words[4]! += e
  words[5]! += f
  words[6]! += g
  words[7]! += h
}

function sum1(e: number): number {
  return ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
}

function sum0(a: number): number {
  return ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
}

// ML-KEM-768 and ML-KEM-1024 (FIPS 203), each of their three algorithms in one call, by k, 3 or 4, the number of
// polynomials in a vector. The caller writes INPUT, reads OUTPUT, and wipes both; what else held a secret is zero when
// a call returns.
//
// Side channels: see the files of each part. What branches and addresses depend on is k, and the public seed of the
// matrix; which of the two secrets decapsulation gives is a mask.

import { compress, decode, decompress, encode } from "./coding"
import { forgetStates } from "./keccak"
import {
  add,
  canonical,
  FACTOR,
  factorOf,
  fromMontgomery,
  innerProduct,
  POLYNOMIAL,
  restore,
  subtractFrom,
  transform,
} from "./polynomials"
import { sampleMatrix, sampleNoise } from "./sample"
import { hash, hashBoth, hashPair, hashSeed } from "./sponge"

/** A decapsulation key and a ciphertext, at most. Decoding reads 4 bytes behind it. */
export const INPUT: usize = memory.data(3168 + 1568 + 16, 16)
/** A decapsulation key, at most. */
export const OUTPUT: usize = memory.data(3168, 16)

/* Of a call, in the order in which they are wiped: numbers of polynomials for k = 4. */
const NOISE: usize = memory.data(9 * 512 + 4 * 1024 + 6 * 512 + 1568 + 160, 16)
const FACTORS: usize = NOISE + 9 * 512
const VECTOR: usize = FACTORS + 4 * 1024
const SUM: usize = VECTOR + 4 * 512
const MESSAGE: usize = SUM + 512
const AGAIN: usize = MESSAGE + 512
/** The message, then the hash of the key; the two halves of what is made of them; the secret of a wrong ciphertext. */
const SEEDS: usize = AGAIN + 1568
const SECRET: usize = SEEDS + 64
const OTHER: usize = SECRET + 64
const WIPED: usize = 9 * 512 + 4 * 1024 + 6 * 512 + 1568 + 160
/** Public. */
const MATRIX: usize = memory.data(16 * 512, 16)

/** Bits of a coefficient in the two parts of a ciphertext (FIPS 203 table 2). */
function bitsOfU(k: usize): u64 {
  return k == 3 ? 10 : 11
}
function bitsOfV(k: usize): u64 {
  return k == 3 ? 4 : 5
}

/** ML-KEM.KeyGen_internal (algorithm 16): of d and z, 64 bytes, the decapsulation key, 768 k + 96 bytes. */
export function keygen(k: usize): void {
  const key = OUTPUT + 384 * k
  const rho = key + 384 * k
  // K-PKE.KeyGen (algorithm 13).
  hashSeed(SECRET, INPUT, k)
  memory.copy(rho, SECRET, 32)
  sampleMatrix(MATRIX, rho, k)
  sampleNoise(NOISE, SECRET + 32, 2 * k)
  for (let i: usize = 0; i < 2 * k; i++) transform(NOISE + POLYNOMIAL * i)
  for (let i: usize = 0; i < k; i++) factorOf(FACTORS + FACTOR * i, NOISE + POLYNOMIAL * i)
  for (let i: usize = 0; i < k; i++) {
    innerProduct(SUM, MATRIX + POLYNOMIAL * k * i, POLYNOMIAL, FACTORS, k)
    fromMontgomery(SUM)
    add(SUM, NOISE + POLYNOMIAL * (k + i))
    canonical(SUM)
    encode(key + 384 * i, SUM)
    canonical(NOISE + POLYNOMIAL * i)
    encode(OUTPUT + 384 * i, NOISE + POLYNOMIAL * i)
  }
  hash(rho + 32, key, 48 * k + 4)
  memory.copy(rho + 64, INPUT + 32, 32)
  forget()
}

/**
 * ML-KEM.Encaps_internal (algorithm 17): of m, 32 bytes, and an encapsulation key, 384 k + 32, the secret, 32, and the
 * ciphertext, 32 (k du + dv). False, and nothing, when a coefficient of the key is not below q (section 7.2).
 */
export function encapsulate(k: usize): bool {
  const key = INPUT + 32
  if (!decodeVector(key, k)) return false
  memory.copy(SEEDS, INPUT, 32)
  hash(SEEDS + 32, key, 48 * k + 4)
  hashPair(SECRET, SEEDS)
  encrypt(OUTPUT + 32, key, SEEDS, SECRET + 32, k)
  memory.copy(OUTPUT, SECRET, 32)
  forget()
  return true
}

/**
 * ML-KEM.Decaps_internal (algorithm 18): of a decapsulation key and a ciphertext the secret, 32 bytes. False, and
 * nothing, when the key does not have the hash that is in it (section 7.3).
 */
export function decapsulate(k: usize): bool {
  const key = INPUT + 384 * k
  const keyHash = key + 384 * k + 32
  const ciphertext = keyHash + 64
  const length: usize = 32 * (k * <usize>bitsOfU(k) + <usize>bitsOfV(k))
  // z stands before the ciphertext.
  hashBoth(SEEDS + 32, key, 48 * k + 4, OTHER, keyHash + 32, 4 + length / 8)
  if (difference(SEEDS + 32, keyHash, 32) != 0) {
    forget()
    return false
  }
  decrypt(SEEDS, INPUT, ciphertext, k)
  hashPair(SECRET, SEEDS)
  decodeVector(key, k)
  encrypt(AGAIN, key, SEEDS, SECRET + 32, k)
  // All ones when they are the same.
  const changed = difference(AGAIN, ciphertext, length)
  const same: u64 = ((changed | (0 - changed)) >> 63) - 1
  for (let i: usize = 0; i < 32; i += 8) {
    const other = load<u64>(OTHER + i)
    store<u64>(OUTPUT + i, other ^ ((other ^ load<u64>(SECRET + i)) & same))
  }
  forget()
  return true
}

/** The vector of an encapsulation key, to VECTOR; whether all its coefficients are below q. */
function decodeVector(key: usize, k: usize): bool {
  let good = true
  for (let i: usize = 0; i < k; i++) good = decode(VECTOR + POLYNOMIAL * i, key + 384 * i) && good
  return good
}

/** K-PKE.Encrypt (algorithm 14) by the key whose vector is at VECTOR. */
function encrypt(out: usize, key: usize, message: usize, seed: usize, k: usize): void {
  sampleMatrix(MATRIX, key + 384 * k, k)
  sampleNoise(NOISE, seed, 2 * k + 1)
  for (let i: usize = 0; i < k; i++) {
    transform(NOISE + POLYNOMIAL * i)
    factorOf(FACTORS + FACTOR * i, NOISE + POLYNOMIAL * i)
  }
  for (let i: usize = 0; i < k; i++) {
    // A column of the matrix.
    innerProduct(SUM, MATRIX + POLYNOMIAL * i, POLYNOMIAL * k, FACTORS, k)
    restore(SUM)
    add(SUM, NOISE + POLYNOMIAL * (k + i))
    canonical(SUM)
    compress(out, SUM, bitsOfU(k))
    out += 32 * <usize>bitsOfU(k)
  }
  innerProduct(SUM, VECTOR, POLYNOMIAL, FACTORS, k)
  restore(SUM)
  add(SUM, NOISE + POLYNOMIAL * 2 * k)
  decompress(MESSAGE, message, 1)
  add(SUM, MESSAGE)
  canonical(SUM)
  compress(out, SUM, bitsOfV(k))
}

/** K-PKE.Decrypt (algorithm 15). */
function decrypt(out: usize, key: usize, ciphertext: usize, k: usize): void {
  for (let i: usize = 0; i < k; i++) {
    const u = NOISE + POLYNOMIAL * i
    decompress(u, ciphertext, bitsOfU(k))
    ciphertext += 32 * <usize>bitsOfU(k)
    transform(u)
    factorOf(FACTORS + FACTOR * i, u)
    decode(VECTOR + POLYNOMIAL * i, key + 384 * i)
  }
  innerProduct(SUM, VECTOR, POLYNOMIAL, FACTORS, k)
  restore(SUM)
  decompress(MESSAGE, ciphertext, bitsOfV(k))
  subtractFrom(SUM, MESSAGE)
  canonical(SUM)
  compress(out, SUM, 1)
}

/** Zero when two texts of a multiple of 8 bytes are the same. */
function difference(a: usize, b: usize, length: usize): u64 {
  let all: u64 = 0
  for (let i: usize = 0; i < length; i += 8) all |= load<u64>(a + i) ^ load<u64>(b + i)
  return all
}

function forget(): void {
  memory.fill(NOISE, 0, WIPED)
  forgetStates()
}

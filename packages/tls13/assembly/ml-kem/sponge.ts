// SHA-3 and SHAKE (FIPS 202) for ML-KEM, on the two states of keccak.ts. All that is hashed here is whole words of 8
// bytes, but for the byte or two that follow a seed, and all lengths are known: they are those of ML-KEM's parameters.

import { forgetStates, permute, STATE, WORD } from "./keccak"

/** Words of a block: SHA3-512, SHA3-256 and SHAKE256, SHAKE128. */
const RATE_512: usize = 9
const RATE_256: usize = 17
export const RATE_128: usize = 21

/** What follows the message, with the first bit of the padding (FIPS 202 sections 6.1 and 6.2). */
const SHA3: u64 = 0x06
export const SHAKE: u64 = 0x1f
/** The last bit of the padding, at the end of a block. */
const LAST: u64 = 1 << 63

/**
 * Puts a seed of 32 bytes, what follows it in one word, and the padding into a state that is zero. @param lane 0 or 8
 */
export function putSeed(lane: usize, seed: usize, behind: u64, rate: usize): void {
  const state = STATE + lane
  store<u64>(state, load<u64>(seed))
  store<u64>(state, load<u64>(seed, 8), WORD)
  store<u64>(state, load<u64>(seed, 16), 2 * WORD)
  store<u64>(state, load<u64>(seed, 24), 3 * WORD)
  store<u64>(state, behind, 4 * WORD)
  store<u64>(state + WORD * (rate - 1), LAST)
}

/** Adds words to the beginning of a state. */
function absorb(lane: usize, from: usize, words: usize): void {
  for (let i: usize = 0; i < words; i++) {
    const at = STATE + lane + WORD * i
    store<u64>(at, load<u64>(at) ^ load<u64>(from + 8 * i))
  }
}

/** Adds a word to one of a state. */
function addTo(lane: usize, word: usize, value: u64): void {
  const at = STATE + lane + WORD * word
  store<u64>(at, load<u64>(at) ^ value)
}

/** Copies the first words of a state. */
export function squeeze(out: usize, lane: usize, words: usize): void {
  for (let i: usize = 0; i < words; i++) store<u64>(out + 8 * i, load<u64>(STATE + lane + WORD * i))
}

/** G, SHA3-512: 64 bytes, of 32 and a byte behind them. */
export function hashSeed(out: usize, seed: usize, behind: u64): void {
  forgetStates()
  putSeed(0, seed, behind | (SHA3 << 8), RATE_512)
  permute()
  squeeze(out, 0, 8)
}

/** G, SHA3-512: 64 bytes, of 64. */
export function hashPair(out: usize, pair: usize): void {
  forgetStates()
  absorb(0, pair, 8)
  addTo(0, 8, SHA3 | LAST)
  permute()
  squeeze(out, 0, 8)
}

/** H, SHA3-256: 32 bytes, of so many words. */
export function hash(out: usize, from: usize, words: usize): void {
  forgetStates()
  for (; words >= RATE_256; words -= RATE_256) {
    absorb(0, from, RATE_256)
    permute()
    from += 8 * RATE_256
  }
  finish(0, from, words, SHA3)
  permute()
  squeeze(out, 0, 4)
}

/**
 * H of one text and J, SHAKE256, of another, 32 bytes each; the texts have as many blocks, as an encapsulation key has
 * and a ciphertext with 32 bytes before it.
 */
export function hashBoth(out: usize, from: usize, words: usize, outJ: usize, fromJ: usize, wordsJ: usize): void {
  forgetStates()
  while (words >= RATE_256) {
    absorb(0, from, RATE_256)
    absorb(8, fromJ, RATE_256)
    permute()
    from += 8 * RATE_256
    fromJ += 8 * RATE_256
    words -= RATE_256
    wordsJ -= RATE_256
  }
  finish(0, from, words, SHA3)
  finish(8, fromJ, wordsJ, SHAKE)
  permute()
  squeeze(out, 0, 4)
  squeeze(outJ, 8, 4)
}

/** The last block: fewer words than it has, and the padding. */
function finish(lane: usize, from: usize, words: usize, suffix: u64): void {
  absorb(lane, from, words)
  addTo(lane, words, suffix)
  addTo(lane, RATE_256 - 1, LAST)
}

/** PRF, SHAKE256, of a seed of 32 bytes, with a number behind it: before `permute`. */
export function putNoiseSeed(lane: usize, seed: usize, number: u64): void {
  putSeed(lane, seed, number | (SHAKE << 8), RATE_256)
}

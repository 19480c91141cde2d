// SHA-256, SHA-384 and SHA-512 (FIPS 180-4), and HMAC (RFC 2104): the blocks of a running hash, and whole messages, each in one
// call. The caller writes the states and the bytes, and takes the result from STATE and zeros it; the rest is forgotten here.
// Side channels: see sha256.ts.

import { forget, SCHEDULE, TEXT, TEXT_ROOM, zero } from "./memory"
import { begin256, blocks256, digest256, finish256, key256, mac256, OUTER256 } from "./sha256"
import { begin512, blocks512, digest512, finish512, key512, mac512, OUTER512 } from "./sha512"

export { begin256, begin512, TEXT, TEXT_ROOM }

/** Takes the first `length` bytes at TEXT, whole blocks, into the state. */
export function update256(length: u32): void {
  blocks256(TEXT, TEXT + length)
  forgetWhole(length)
}

/** The digest of `total` bytes, of which the last `length`, less than a block, are at TEXT. */
export function last256(length: u32, total: f64): void {
  finish256(length, total)
  forget(length)
}

/** The digest of the `length` bytes at TEXT. @param size of the digest */
export function whole256(length: u32, size: u32): void {
  digest256(length, size)
  forget(length)
}

/** The MAC of the `length` bytes at TEXT by the two states of a key. @param size of the digest */
export function macOf256(length: u32, size: u32): void {
  mac256(length, size)
  zero(OUTER256, 32)
  forget(length)
}

/** The two states of the key of `length` bytes at TEXT, at most a block. @param size of the digest */
export function macKey256(length: u32, size: u32): void {
  key256(length, size)
  forget(length)
}

/** Takes the first `length` bytes at TEXT, whole blocks, into the state. */
export function update512(length: u32): void {
  blocks512(TEXT, TEXT + length)
  forgetWhole(length)
}

/** The digest of `total` bytes, of which the last `length`, less than a block, are at TEXT. */
export function last512(length: u32, total: f64): void {
  finish512(length, total)
  forget(length)
}

/** The digest of the `length` bytes at TEXT. @param size of the digest */
export function whole512(length: u32, size: u32): void {
  digest512(length, size)
  forget(length)
}

/** The MAC of the `length` bytes at TEXT by the two states of a key. @param size of the digest */
export function macOf512(length: u32, size: u32): void {
  mac512(length, size)
  zero(OUTER512, 64)
  forget(length)
}

/** The two states of the key of `length` bytes at TEXT, at most a block. @param size of the digest */
export function macKey512(length: u32, size: u32): void {
  key512(length, size)
  forget(length)
}

/** Leaves what follows the blocks at TEXT: the beginning of the next one. */
function forgetWhole(length: usize): void {
  zero(SCHEDULE, 128)
  // Whole blocks are whole vectors.
  zero(TEXT, length)
}

// AES-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags: a record in one call, or a longer text in pieces.
//
// The caller writes the nonce and the expanded key to INPUT, the text to TEXT, and the additional data so that it ends, padded to
// whole blocks, where TEXT begins: the MAC then runs over one stretch of memory.
// Side channels: see aes.ts and ghash.ts; tags are compared without a branch before the verdict.

import { expandKey, keyStream, sliceKeys } from "./aes"
import { ghashBlocks, ghashResult, ghashStart } from "./ghash"
import { COVER, forget, INPUT, STREAM } from "./memory"

export { INPUT }
/** Bytes of additional data that the calls for a whole record take. */
export const AAD_ROOM: usize = 512
/** Bytes of text that one call takes: a multiple of the block. */
export const TEXT_ROOM: usize = 16896

const AREA: usize = memory.data(<i32>(AAD_ROOM + TEXT_ROOM + 64), 16)
export const TEXT: usize = AREA + AAD_ROOM

/** INPUT has a number of rounds and a key: H and the round keys are written there. */
export function expand(): void {
  expandKey()
}

/** After the caller has read what `expand` wrote. */
export function end(): void {
  forget()
}

/** Encrypts `length` bytes at TEXT in place and writes the tag behind them. */
export function seal(aadLength: u32, length: u32): void {
  begin()
  xorText(length)
  const tag = authenticate(aadLength, length)
  v128.store(TEXT + length, tag)
  forget()
}

/** Whether the 16 bytes behind the `length` bytes at TEXT are their tag: then they are decrypted in place. */
export function open(aadLength: u32, length: u32): bool {
  const tag = v128.load(TEXT + length)
  begin()
  const right = !v128.any_true(v128.xor(tag, authenticate(aadLength, length)))
  if (right) xorText(length)
  padText(length)
  forget()
  return right
}

/** After `begin`: of the blocks with counters 0 to 7 at STREAM those from 2 on are for the text. */
function xorText(length: u32): void {
  xorStream(TEXT, STREAM + 32, min<u32>(length, 96))
  xorRest(8, 96, length)
}

/** The text from `done` on, with the blocks from `counter` on. */
function xorRest(counter: u32, done: u32, length: u32): void {
  let skipped = counter & 7
  for (let at = done; at < length; ) {
    const bytes = 128 - 16 * skipped
    keyStream(counter - skipped)
    xorStream(TEXT + at, STREAM + 16 * skipped, min<u32>(length - at, bytes))
    at += bytes
    counter += 8 - skipped
    skipped = 0
  }
}

/** Exclusive-ors whole blocks from `at` on with the key stream from `from` on, until `length` bytes are done. */
function xorStream(at: usize, from: usize, length: usize): void {
  for (let i: usize = 0; i < length; i += 16) {
    v128.store(at + i, v128.xor(v128.load(at + i), v128.load(from + i)))
  }
}

/** The tag. What stands behind the text is overwritten. */
function authenticate(aadLength: u32, length: u32): v128 {
  padAad(aadLength)
  padText(length)
  const end = TEXT + padded(length)
  storeLengths(end, aadLength, length)
  ghashBlocks(TEXT - padded(aadLength), end + 16)
  return v128.xor(ghashResult(), v128.load(COVER))
}

/** The block of both lengths, in bits, big-endian. */
function storeLengths(at: usize, aadLength: u32, length: u32): void {
  store<u64>(at, bswap<u64>((<u64>aadLength) << 3))
  store<u64>(at, bswap<u64>((<u64>length) << 3), 8)
}

/** Zeros from the end of the additional data to TEXT. */
function padAad(length: u32): void {
  const last = length & 15
  if (last === 0) return
  const own = i8x16.lt_u(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(<u8>last))
  v128.store(TEXT - 16, v128.and(v128.load(TEXT - 16), own))
}

/** Zeros from the end of the text to the next whole block, at the least. */
function padText(length: u32): void {
  v128.store(TEXT + length, i64x2.splat(0))
}

function padded(length: usize): usize {
  return (length + 15) & ~15
}

/* ---------------------------------------------------------------- in pieces */

/** Makes what a record needs of the key; INPUT keeps it until `end`. */
export function begin(): void {
  sliceKeys()
  ghashStart()
  keyStream(0)
  v128.store(COVER, v128.load(STREAM, 16))
}

/** Exclusive-ors `length` bytes at TEXT with the key stream from block `counter` on. */
export function crypt(counter: u32, length: u32): void {
  xorRest(counter, 0, length)
  padText(length)
}

/** Takes `length` bytes at TEXT, and zeros to the next whole block, into the MAC. */
export function absorb(length: u32): void {
  padText(length)
  ghashBlocks(TEXT, TEXT + padded(length))
}

/** Writes the tag to TEXT. */
export function tag(aadLength: u32, length: u32): void {
  storeLengths(TEXT, aadLength, length)
  ghashBlocks(TEXT, TEXT + 16)
  v128.store(TEXT, v128.xor(ghashResult(), v128.load(COVER)))
}

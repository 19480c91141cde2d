// AES-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags: a record in one call, or a longer text in pieces.
//
// The caller writes the nonce and the expanded key to INPUT, the text to TEXT, and the additional data so that it ends, padded to
// whole blocks, where TEXT begins: the MAC then runs over one stretch of memory.
// Side channels: see slices.ts and ghash.ts; tags are compared without a branch before the verdict.

import { expandKey, keyStream } from "./aes"
import { sliceWideKeys, WIDE_BLOCKS, wideKeyStream } from "./aes-wide"
import { ghashBlocks, ghashResult, ghashStart } from "./ghash"
import { COVER, forget, INPUT, LONG, STREAM, VERY_LONG } from "./memory"

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
  forget(VERY_LONG)
}

/** Encrypts `length` bytes at TEXT in place and writes the tag behind them. */
export function seal(aadLength: u32, length: u32): void {
  start(length)
  xorText(length)
  const tag = authenticate(aadLength, length)
  v128.store(TEXT + length, tag)
  forget(length)
}

/** Whether the 16 bytes behind the `length` bytes at TEXT are their tag: then they are decrypted in place. */
export function open(aadLength: u32, length: u32): bool {
  const tag = v128.load(TEXT + length)
  start(length)
  const right = !v128.any_true(v128.xor(tag, authenticate(aadLength, length)))
  if (right) xorText(length)
  padText(length)
  forget(length)
  return right
}

/** Makes what a text needs of the key, and the first blocks of the key stream; INPUT keeps the key until `forget`. */
function start(length: u32): void {
  ghashStart()
  if (length >= LONG) {
    sliceWideKeys()
    wideKeyStream(0, length >= VERY_LONG)
  } else {
    keyStream(0)
  }
  v128.store(COVER, v128.load(STREAM, 16))
}

/** After `start`: of the blocks at STREAM those with the counters from 2 on are for the text. */
function xorText(length: u32): void {
  const blocks: u32 = length >= LONG ? WIDE_BLOCKS : 8
  const bytes = 16 * (blocks - 2)
  xorStream(TEXT, STREAM + 32, min<u32>(length, bytes))
  xorRest(blocks, bytes, length)
}

/** The text from `done` on, with the blocks from `counter` on. */
function xorRest(counter: u32, done: u32, length: u32): void {
  for (let at = done; at < length; ) {
    const isWide = (counter & (WIDE_BLOCKS - 1)) === 0 && length >= LONG && length - at > 256
    const blocks: u32 = isWide ? WIDE_BLOCKS : 8
    const skipped = counter & 7
    if (isWide) wideKeyStream(counter, length >= VERY_LONG)
    else keyStream(counter - skipped)
    const bytes = 16 * (blocks - skipped)
    xorStream(TEXT + at, STREAM + 16 * skipped, min<u32>(length - at, bytes))
    at += bytes
    counter += blocks - skipped
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

/** INPUT keeps the key until `end`. */
export function begin(): void {
  start(VERY_LONG)
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

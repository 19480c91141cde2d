// AEAD_CHACHA20_POLY1305, RFC 8439 section 2.8: a record in one call, or a longer text in pieces.
//
// The caller writes the key and the nonce to INPUT, the text to TEXT, and the additional data so that it ends, padded to
// whole blocks, where TEXT begins: the MAC then runs over one stretch of memory.
// Side channels: see chacha20.ts and poly1305.ts; tags are compared without a branch before the verdict.

import { bulk, BULK_BLOCKS, BULK_BYTES, BULK_STREAM, forgetBulk } from "./bulk"
import { BLOCKS, forgetStream, INPUT, keyStream, STREAM, STREAM_BYTES, xorStream } from "./chacha20"
import { polyBlocks, polyFinish, polyStart } from "./poly1305"

export { INPUT, STREAM }
/** Bytes of additional data that the calls for a whole record take. */
export const AAD_ROOM: usize = 512
/** Bytes of text that one call takes: a multiple of the block. */
export const TEXT_ROOM: usize = 16896

const AREA: usize = memory.data(<i32>(AAD_ROOM + TEXT_ROOM + 64), 16)
export const TEXT: usize = AREA + AAD_ROOM
/** Of the blocks that `keyStream` makes first, the first is the key of the MAC, and the others are for the beginning of the text. */
const FIRST: u32 = STREAM_BYTES - 64
/** From this length on, `bulk` is used. */
const LONG: u32 = FIRST + BULK_BYTES

/** The tag as computed, while it is compared. */
const TAG: usize = memory.data(16, 16)

/** Encrypts `length` bytes at TEXT in place and writes the tag behind them. */
export function seal(aadLength: u32, length: u32): void {
  keyStream(0)
  polyStart(STREAM)
  padAad(aadLength)
  let authenticated = TEXT - padded(aadLength)
  xorStream(TEXT, STREAM + 64, min<u32>(length, FIRST))
  let done = FIRST
  let counter: u32 = BLOCKS
  if (length >= LONG) {
    // What was encrypted in one turn is authenticated in the next one.
    for (; done + BULK_BYTES <= length; done += BULK_BYTES, counter += BULK_BLOCKS) {
      authenticated = bulk(counter, authenticated, TEXT + done)
      xorStream(TEXT + done, BULK_STREAM, BULK_BYTES)
    }
    forgetBulk()
  }
  xorRest(counter, done, length)
  authenticateRest(authenticated, aadLength, length)
  polyFinish(TEXT + length)
  forgetStream()
}

/** Whether the 16 bytes behind the `length` bytes at TEXT are their tag: then they are decrypted in place, and else zeros. */
export function open(aadLength: u32, length: u32): bool {
  const tag = v128.load(TEXT + length)
  keyStream(0)
  polyStart(STREAM)
  padAad(aadLength)
  let authenticated = TEXT - padded(aadLength)
  const isLong = length >= LONG
  let done: u32 = 0
  let counter: u32 = BLOCKS
  if (isLong) {
    polyBlocks(authenticated, TEXT + FIRST)
    authenticated = TEXT + FIRST
    xorStream(TEXT, STREAM + 64, FIRST)
    done = FIRST
    for (; done + BULK_BYTES <= length; done += BULK_BYTES, counter += BULK_BLOCKS) {
      authenticated = bulk(counter, authenticated, TEXT + done + BULK_BYTES)
      xorStream(TEXT + done, BULK_STREAM, BULK_BYTES)
    }
    forgetBulk()
  }
  authenticateRest(authenticated, aadLength, length)
  polyFinish(TAG)
  const right = !v128.any_true(v128.xor(tag, v128.load(TAG)))
  v128.store(TAG, i64x2.splat(0))
  if (right) {
    if (!isLong) xorStream(TEXT, STREAM + 64, min<u32>(length, FIRST))
    xorRest(counter, isLong ? done : FIRST, length)
  } else {
    memory.fill(TEXT, 0, done)
  }
  padText(length)
  forgetStream()
  return right
}

/** The text from `done` on, with the blocks from `counter` on. */
function xorRest(counter: u32, done: u32, length: u32): void {
  for (let at = done; at < length; at += STREAM_BYTES, counter += BLOCKS) {
    keyStream(counter)
    xorStream(TEXT + at, STREAM, min<u32>(length - at, STREAM_BYTES))
  }
}

/** Takes the text from `from` on and both lengths; what stands behind the text is overwritten. */
function authenticateRest(from: usize, aadLength: u32, length: u32): void {
  padText(length)
  const end = TEXT + padded(length)
  store<u64>(end, aadLength)
  store<u64>(end, length, 8)
  polyBlocks(from, end + 16)
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

/** Makes the one-time key; INPUT keeps key and nonce until `end`. */
export function begin(): void {
  keyStream(0)
  beginMac()
}

/** The one-time key is at STREAM: a test puts one there that no nonce makes. */
export function beginMac(): void {
  polyStart(STREAM)
}

/** Exclusive-ors `length` bytes at TEXT with the key stream from block `counter` on. */
export function crypt(counter: u32, length: u32): void {
  xorRest(counter, 0, length)
  padText(length)
}

/** Takes `length` bytes at TEXT, and zeros to the next whole block, into the MAC. */
export function absorb(length: u32): void {
  padText(length)
  polyBlocks(TEXT, TEXT + padded(length))
}

/** Writes the tag to TEXT. */
export function tag(aadLength: u32, length: u32): void {
  store<u64>(TEXT, aadLength)
  store<u64>(TEXT, length, 8)
  polyBlocks(TEXT, TEXT + 16)
  polyFinish(TEXT)
}

/** Forgets key, nonce and key stream. */
export function end(): void {
  forgetStream()
}

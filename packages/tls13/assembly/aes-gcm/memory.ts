// What is secret, or is made of secrets: one stretch of memory, of which a call overwrites what it used.

const SHORT_BYTES: usize = 1328
const LONG_BYTES: usize = 12016
const BYTES: usize = 16640
const AREA: usize = memory.data(16640, 16)

/** The nonce as three words, the number of rounds and, in the upper half of that word, whether GHASH takes tables in memory, H of GHASH, and the round keys: what a key object holds, and a nonce. */
export const INPUT: usize = AREA
/** Eight blocks, bit-sliced or about to be. */
export const STATE: usize = INPUT + 288
/** The round key that is next, bit-sliced: a byte is 0 or 255, as it is the same bit for all eight blocks. */
export const SLICES: usize = STATE + 128
/** The tables of H: 17 times a vector for high nibbles and one for low ones. */
export const SINGLE: usize = SLICES + 128
/** What is shifted by 0 to 3 bits, 17 bytes each, while a table is made. */
export const SHIFTED: usize = SINGLE + 544
/** The running value of GHASH. */
export const Y: usize = SHIFTED + 80
/** E(K, J0), J0 being the nonce with counter 1: what the tag is covered with. */
export const COVER: usize = Y + 16
/** Key stream, eight blocks of it; 32 in a long text, which is more than a short one overwrites. */
export const STREAM: usize = COVER + 16

/** 32 blocks, bit-sliced or about to be. */
export const WIDE_STATE: usize = STREAM + 512
/** The round keys bit-sliced, 15 at most: a lane is 0 or -1, as it is the same bit for all 32 blocks. */
export const WIDE_SLICES: usize = WIDE_STATE + 512
/** The tables of H^3 to H, 17 times for each. */
export const THREEFOLD: usize = WIDE_SLICES + 7680
export const THREEFOLD_BYTES: usize = 1632

/** Which of the states below are there, and which counters, without their lowest byte, the difference is of. */
export const KEPT: usize = THREEFOLD + 1632
/** For each of the 256 lowest counters: its block after two rounds, as in WIDE_STATE. */
export const KEPT_STATES: usize = KEPT + 16
/** What that of another counter with the same lowest byte differs by. */
export const DIFFERENCE: usize = KEPT_STATES + 4096

/** Four tables of GHASH, by choice, and overwritten by itself. */
export const TABLES: usize = memory.data(16448, 16)
export const TABLES_BYTES: usize = 16448

/** After a text of less than `LONG` bytes, of less than `VERY_LONG`, or of more. */
export function forget(length: u32): void {
  memory.fill(AREA, 0, length < LONG ? SHORT_BYTES : length < VERY_LONG ? LONG_BYTES : BYTES)
}

/** Bytes of text from which on blocks are encrypted by 32. */
export const LONG: u32 = 512
/** Bytes of text from which on blocks are kept after two rounds. */
export const VERY_LONG: u32 = 5120

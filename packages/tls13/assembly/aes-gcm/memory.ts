// What is secret, or is made of secrets: one stretch of memory, which one call overwrites.

const AREA: usize = memory.data(3120, 16)
const AREA_BYTES: usize = 3120

/** The nonce as three words, the number of rounds, H of GHASH, and the round keys: what a key object holds, and a nonce. */
export const INPUT: usize = AREA
/** Eight blocks of key stream. */
export const STREAM: usize = AREA + 288
/** Eight blocks, bit-sliced or about to be. */
export const STATE: usize = AREA + 416
/** The round keys bit-sliced, 15 at most: a byte is 0 or 255, as it is the same bit for all eight blocks. */
export const SLICES: usize = AREA + 544
/** The tables of H: 17 times a vector for high nibbles and one for low ones. */
export const SINGLE: usize = AREA + 2464
/** What is shifted by 0 to 3 bits, 17 bytes each, while a table is made. */
export const SHIFTED: usize = AREA + 3008
/** The running value of GHASH. */
export const Y: usize = AREA + 3088
/** E(K, J0), J0 being the nonce with counter 1: what the tag is covered with. */
export const COVER: usize = AREA + 3104

/** The tables of H^4 to H, 17 times for each: of long texts alone, and overwritten by itself. */
export const FOURFOLD: usize = memory.data(2176, 16)
export const FOURFOLD_BYTES: usize = 2176

export function forget(): void {
  memory.fill(AREA, 0, AREA_BYTES)
}

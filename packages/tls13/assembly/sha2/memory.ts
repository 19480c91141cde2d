// What the functions of both hashes work on.

/** Bytes of a message that one call takes: a multiple of the blocks. */
export const TEXT_ROOM: usize = 16384

/** Two states of 64 bytes, the message, and room for its padding. */
const AREA_BYTES: usize = 128 + TEXT_ROOM + 256 + 16
const AREA: usize = memory.data(<i32>AREA_BYTES, 16)
/** The states stand directly before it, so that a state and the block that is being filled are written at once. */
export const TEXT: usize = AREA + 128
/** Sixteen words of the message schedule. */
export const SCHEDULE: usize = memory.data(128, 16)

/** Overwrites what a message of `length` bytes and its padding took, and the schedule; not the states. */
export function forget(length: usize): void {
  zero(SCHEDULE, 128)
  zero(TEXT, length + 256)
}

/** `length` bytes, and up to 15 more; `memory.fill` is a call that costs more than the short stretches here. */
export function zero(at: usize, length: usize): void {
  for (const end = at + length; at < end; at += 16) v128.store(at, i64x2.splat(0))
}

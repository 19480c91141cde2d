// Numbers of 256 bits: 32 bytes, or nine limbs of 29 bits in words of 32, the highest with what is left.

/** Bytes of an element: nine words. */
export const ELEMENT: usize = 36

const MASK: u64 = 0x1fffffff

/** The limbs, from 0 to 2^29 and the highest to 2^24, of 32 little-endian bytes; up to 8 bytes behind them are read. */
export function limbsOf(out: usize, bytes: usize): void {
  for (let i: usize = 0; i < 9; i++) {
    const bit: usize = 29 * i
    store<u32>(out + 4 * i, <u32>((load<u64>(bytes + (bit >> 3)) >> (<u64>bit & 7)) & MASK))
  }
  store<u32>(out, load<u32>(out, 32) & 0xffffff, 32)
}

/** Little-endian bytes of limbs from 0 to 2^29 that are a number below 2^256. */
export function bytesOf(out: usize, limbs: usize): void {
  const l0: u64 = load<u32>(limbs)
  const l1: u64 = load<u32>(limbs, 4)
  const l2: u64 = load<u32>(limbs, 8)
  const l3: u64 = load<u32>(limbs, 12)
  const l4: u64 = load<u32>(limbs, 16)
  const l5: u64 = load<u32>(limbs, 20)
  const l6: u64 = load<u32>(limbs, 24)
  const l7: u64 = load<u32>(limbs, 28)
  const l8: u64 = load<u32>(limbs, 32)
  store<u64>(out, l0 | (l1 << 29) | (l2 << 58))
  store<u64>(out, (l2 >> 6) | (l3 << 23) | (l4 << 52), 8)
  store<u64>(out, (l4 >> 12) | (l5 << 17) | (l6 << 46), 16)
  store<u64>(out, (l6 >> 18) | (l7 << 11) | (l8 << 40), 24)
}

/** The 32 bytes in the other order. `out` may be `bytes`. */
export function reverse(out: usize, bytes: usize): void {
  const w0 = bswap<u64>(load<u64>(bytes))
  const w1 = bswap<u64>(load<u64>(bytes, 8))
  const w2 = bswap<u64>(load<u64>(bytes, 16))
  const w3 = bswap<u64>(load<u64>(bytes, 24))
  store<u64>(out, w3)
  store<u64>(out, w2, 8)
  store<u64>(out, w1, 16)
  store<u64>(out, w0, 24)
}

/** Carries limbs of either sign, from -2^31 to 2^31, in place; the highest takes all that is left. */
export function carryUp(limbs: usize): void {
  let carry: i64 = 0
  for (let i: usize = 0; i < 32; i += 4) {
    carry += <i64>load<i32>(limbs + i)
    store<u32>(limbs + i, <u32>(carry & MASK))
    carry >>= 29
  }
  store<i32>(limbs, <i32>carry + load<i32>(limbs, 32), 32)
}

/** Subtracts a number from one that is carried and below twice the number, unless it is below it already. */
export function subtractOnce(limbs: usize, number: usize): void {
  let borrow: i64 = 0
  for (let i: usize = 0; i < 36; i += 4) {
    borrow = (borrow + <i64>load<u32>(limbs + i) - <i64>load<u32>(number + i)) >> 29
  }
  // All ones when the number is larger.
  const keep: i64 = borrow >> 63
  borrow = 0
  for (let i: usize = 0; i < 36; i += 4) {
    borrow += <i64>load<u32>(limbs + i) - (<i64>load<u32>(number + i) & ~keep)
    store<u32>(limbs + i, <u32>(borrow & MASK))
    borrow >>= 29
  }
}

/** out = a + b without carries. */
export function add(out: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < 36; i += 4) store<i32>(out + i, load<i32>(a + i) + load<i32>(b + i))
}

/** 0 when all 32 bytes are the same, otherwise something else. */
export function difference(a: usize, b: usize): u64 {
  return (
    (load<u64>(a) ^ load<u64>(b)) |
    (load<u64>(a, 8) ^ load<u64>(b, 8)) |
    (load<u64>(a, 16) ^ load<u64>(b, 16)) |
    (load<u64>(a, 24) ^ load<u64>(b, 24))
  )
}

/** Whether a number is below another; both are carried. For public numbers, or verdicts that are public. */
export function isBelow(limbs: usize, other: usize): bool {
  let borrow: i64 = 0
  for (let i: usize = 0; i < 36; i += 4) {
    borrow = (borrow + <i64>load<u32>(limbs + i) - <i64>load<u32>(other + i)) >> 29
  }
  return borrow < 0
}

/** Whether limbs that are carried are all zero: a public verdict. */
export function isZeroNumber(limbs: usize): bool {
  let all: u32 = 0
  for (let i: usize = 0; i < 36; i += 4) all |= load<u32>(limbs + i)
  return all == 0
}

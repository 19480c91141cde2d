// Poly1305 (RFC 8439 section 2.5) over whole blocks, on four 32-bit words in 64-bit products.
//
// h is h0 + h1 2^32 + h2 2^64 + h3 2^96 + h4 2^128. The clamp of r clears the four highest bits of each word and the two
// lowest of r1, r2 and r3, which does two things: a product that reaches 2^128 wraps by 2^130 = 5 without a fraction, as
// 5 (r / 4) times h; and the sum of the four products of a column stays below 2^64:
//
//   a word of h with its word of the block is below 2^33 + 2, r below 2^28, 5 (r / 4) below 2^28.33,
//   so a column is below 2^33 (2^28 + 3 * 2^28.33) + 2^32 < 2^63.3, and carries of 2^32 are added to that.
//
// Side channels: additions, shifts and 64-bit multiplications (constant time on the usual processors), no table, no branch
// on a secret.

/** r0 to r3 and s0 to s3 of the one-time key, then h0 to h4: 32-bit words. */
const STATE: usize = memory.data(64, 16)
export const R: usize = STATE
export const H: usize = STATE + 32

/** Begins with the one-time key r || s of 32 bytes at `key`. */
export function polyStart(key: usize): void {
  v128.store(STATE, v128.and(v128.load(key), i32x4(0x0fffffff, 0x0ffffffc, 0x0ffffffc, 0x0ffffffc)))
  v128.store(STATE + 16, v128.load(key + 16))
  v128.store(H, i64x2.splat(0))
  v128.store(H + 16, i64x2.splat(0))
}

/** h = (h + block + 2^128) r, for each block of 16 bytes from `at` to `end`. */
export function polyBlocks(at: usize, end: usize): void {
  const r0: u64 = load<u32>(STATE)
  const r1: u64 = load<u32>(STATE, 4)
  const r2: u64 = load<u32>(STATE, 8)
  const r3: u64 = load<u32>(STATE, 12)
  const t0 = (r0 >> 2) * 5
  const t1 = (r1 >> 2) * 5
  const t2 = (r2 >> 2) * 5
  const t3 = (r3 >> 2) * 5
  const low = r0 & 3
  let h0: u64 = load<u32>(H)
  let h1: u64 = load<u32>(H, 4)
  let h2: u64 = load<u32>(H, 8)
  let h3: u64 = load<u32>(H, 12)
  let h4: u64 = load<u32>(H, 16)
  for (; at < end; at += 16) {
    h0 += <u64>load<u32>(at)
    h1 += <u64>load<u32>(at, 4)
    h2 += <u64>load<u32>(at, 8)
    h3 += <u64>load<u32>(at, 12)
    h4 += 1
    const x0 = h0 * r0 + h1 * t3 + (h2 * t2 + h3 * t1) + h4 * t0
    const x1 = h0 * r1 + h1 * r0 + (h2 * t3 + h3 * t2) + h4 * t1 + (x0 >> 32)
    const x2 = h0 * r2 + h1 * r1 + (h2 * r0 + h3 * t3) + h4 * t2 + (x1 >> 32)
    const x3 = h0 * r3 + h1 * r2 + (h2 * r1 + h3 * r0) + h4 * t3 + (x2 >> 32)
    const x4 = h4 * low + (x3 >> 32)
    // What is at 2^130 and above comes back five times.
    h0 = (x0 & 0xffffffff) + (x4 >> 2) * 5
    h1 = (x1 & 0xffffffff) + (h0 >> 32)
    h0 &= 0xffffffff
    h2 = x2 & 0xffffffff
    h3 = x3 & 0xffffffff
    h4 = x4 & 3
  }
  // h1 may be 2^32 or a little more: a carry makes words of them all.
  h2 += h1 >> 32
  h3 += h2 >> 32
  h4 += h3 >> 32
  store<u32>(H, <u32>h0)
  store<u32>(H, <u32>h1, 4)
  store<u32>(H, <u32>h2, 8)
  store<u32>(H, <u32>h3, 12)
  store<u32>(H, <u32>h4, 16)
}

/** Writes the tag, (h modulo 2^130 - 5) + s modulo 2^128, to `out`, and forgets the one-time key. */
export function polyFinish(out: usize): void {
  let h0: u64 = load<u32>(H)
  let h1: u64 = load<u32>(H, 4)
  let h2: u64 = load<u32>(H, 8)
  let h3: u64 = load<u32>(H, 12)
  let h4: u64 = load<u32>(H, 16)
  // h is below 2 (2^130 - 5): h + 5 reaches 2^130 exactly when h - (2^130 - 5) is the result, whose low words are h + 5's.
  let c = (h0 + 5) >> 32
  c = (h1 + c) >> 32
  c = (h2 + c) >> 32
  c = (h3 + c) >> 32
  c = ((h4 + c) >> 2) * 5
  h0 += c + <u64>load<u32>(STATE, 16)
  h1 += (h0 >> 32) + <u64>load<u32>(STATE, 20)
  h2 += (h1 >> 32) + <u64>load<u32>(STATE, 24)
  h3 += (h2 >> 32) + <u64>load<u32>(STATE, 28)
  store<u32>(out, <u32>h0)
  store<u32>(out, <u32>h1, 4)
  store<u32>(out, <u32>h2, 8)
  store<u32>(out, <u32>h3, 12)
  for (let at = STATE; at < STATE + 64; at += 16) v128.store(at, i64x2.splat(0))
}

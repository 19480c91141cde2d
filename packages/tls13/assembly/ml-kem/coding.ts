// Bytes of ML-KEM's polynomials (FIPS 203 section 4.2.1): numbers of `d` bits, one after the other, from the lowest bit
// on.
//
// Side channels: multiplications and shifts by public amounts. Nothing is divided, as a division takes a time that
// depends on its numbers.

const COEFFICIENTS: usize = 256
const Q: u64 = 3329
/** 2^40 / q, rounded up: n * RECIPROCAL / 2^40, rounded down, is n / q rounded down for n below 2^28. */
const RECIPROCAL: u64 = 330282858

/** ByteEncode (algorithm 5) with d = 12, of coefficients from 0 to q - 1: 384 bytes. */
export function encode(out: usize, f: usize): void {
  for (let i: usize = 0; i < COEFFICIENTS; i += 4) {
    const four = load<u64>(f + 2 * i)
    // Of four words of 16 bits, 12 each.
    const packed =
      (four & 0xfff) | ((four >> 4) & 0xfff000) | ((four >> 8) & 0xfff000000) | ((four >> 12) & 0xfff000000000)
    store<u32>(out, <u32>packed)
    store<u16>(out, <u16>(packed >> 32), 4)
    out += 6
  }
}

/** ByteDecode (algorithm 6) with d = 12, to coefficients from 0 to 4095. Returns whether all are below q. */
export function decode(f: usize, bytes: usize): bool {
  let high: u64 = 0
  for (let i: usize = 0; i < COEFFICIENTS; i += 4) {
    const packed = <u64>load<u32>(bytes) | ((<u64>load<u16>(bytes, 4)) << 32)
    const four =
      (packed & 0xfff) |
      ((packed & 0xfff000) << 4) |
      ((packed & 0xfff000000) << 8) |
      ((packed & 0xfff000000000) << 12)
    store<u64>(f + 2 * i, four)
    // 4096 - q is 767: the bit above the twelve is set where a coefficient is q or more.
    high |= four + 0x02ff02ff02ff02ff
    bytes += 6
  }
  return (high & 0x1000100010001000) == 0
}

/** ByteEncode of Compress (section 4.2.1) with d = 1, 4, 5, 10 or 11, of coefficients from 0 to q - 1: 32 d bytes. */
export function compress(out: usize, f: usize, d: u64): void {
  const mask: u64 = (1 << d) - 1
  let bits: u64 = 0
  let count: u64 = 0
  for (let i: usize = 0; i < COEFFICIENTS; i++) {
    const scaled = ((<u64>load<u16>(f + 2 * i)) << d) + (Q >> 1)
    bits |= (((scaled * RECIPROCAL) >> 40) & mask) << count
    count += d
    if (count >= 32) {
      store<u32>(out, <u32>bits)
      out += 4
      bits >>= 32
      count -= 32
    }
  }
}

/**
 * Decompress of ByteDecode with d = 1, 4, 5, 10 or 11: coefficients from 0 to q - 1. Up to 4 bytes behind them are
 * read.
 */
export function decompress(f: usize, bytes: usize, d: u64): void {
  const mask: u32 = (1 << (<u32>d)) - 1
  const half: u32 = 1 << (<u32>d - 1)
  for (let i: usize = 0; i < COEFFICIENTS; i++) {
    const at = i * <usize>d
    const number = (load<u32>(bytes + (at >> 3)) >> (<u32>at & 7)) & mask
    store<u16>(f + 2 * i, <u16>((number * <u32>Q + half) >> <u32>d))
  }
}

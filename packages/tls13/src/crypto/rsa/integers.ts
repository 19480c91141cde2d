import { copyOf } from "../../bytes/copy.ts"
import { toHex } from "../../bytes/hex.ts"

// Integers of RFC 8017 section 4, and the modular arithmetic that RSA needs, on the engine's BigInt.

/** OS2IP: big-endian. */
export function bytesToInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`)
}

/** decodeLittleEndian of RFC 7748 section 5, whatever the length. */
export function littleEndianToInteger(bytes: Uint8Array): bigint {
  return bytesToInteger(copyOf(bytes).reverse())
}

/** I2OSP: big-endian in `length` bytes. @throws RangeError when it does not fit */
export function integerToBytes(value: bigint, length: number): Uint8Array {
  const digits = value.toString(16).padStart(2 * length, "0")
  if (value < 0n || digits.length > 2 * length) throw new RangeError(`the integer does not fit ${length} bytes`)
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** Bytes of the integer without leading zeros, as `keys.ts` wants them. */
export function integerToShortestBytes(value: bigint): Uint8Array {
  return integerToBytes(value, Math.ceil(value.toString(16).length / 2))
}

export function bitLength(value: bigint): number {
  const digits = value.toString(16)
  return 4 * (digits.length - 1) + (32 - Math.clz32(Number.parseInt(digits[0]!, 16)))
}

/** base^exponent mod modulus for public exponents: the time depends on the exponent. */
export function powModPublic(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (let bit = bitLength(exponent) - 1; bit >= 0; bit--) {
    result = (result * result) % modulus
    if ((exponent >> BigInt(bit)) & 1n) result = (result * base) % modulus
  }
  return result
}

/** base^exponent mod modulus by fixed windows of four bits: the same squarings and multiplications for every exponent of a length. */
export function powModSecret(base: bigint, exponent: bigint, modulus: bigint): bigint {
  const powers: bigint[] = [1n]
  for (let i = 1; i < 16; i++) powers.push((powers[i - 1]! * base) % modulus)
  let result = 1n
  for (const digit of exponent.toString(16)) {
    result = (result * result) % modulus
    result = (result * result) % modulus
    result = (result * result) % modulus
    result = (result * result) % modulus
    result = (result * powers[Number.parseInt(digit, 16)]!) % modulus
  }
  return result
}

/**
 * The inverse modulo `modulus` by the extended Euclidean algorithm, or undefined when there is none; in the manner of D. H.
 * Lehmer ("Euclid's algorithm for large numbers", 1938), as BigInt makes a new number for each operation.
 */
export function invertMod(value: bigint, modulus: bigint): bigint | undefined {
  let [large, small] = [modulus, value % modulus]
  let [largeFactor, smallFactor] = [0n, 1n]
  while (small !== 0n) {
    const [a, b, c, d] = quotientsAtOnce(large, small)
    ;[large, small] = [a * large + b * small, c * large + d * small]
    ;[largeFactor, smallFactor] = [a * largeFactor + b * smallFactor, c * largeFactor + d * smallFactor]
  }
  if (large !== 1n) return undefined
  return largeFactor < 0n ? largeFactor + modulus : largeFactor
}

/** Bits that are looked at, and the most that what is made of them may have: products of both are exact in doubles. */
const LEADING = 52
const MOST_FACTOR = 2 ** 26

/**
 * Steps of Euclid's algorithm as a matrix, at least one: as many as the leading bits tell, which is as long as both ends of what
 * the numbers may be, given these, have the same quotient (D. E. Knuth, "The Art of Computer Programming", 4.5.2, algorithm L).
 */
function quotientsAtOnce(large: bigint, small: bigint): readonly [bigint, bigint, bigint, bigint] {
  const shift = BigInt(Math.max(0, bitLength(large) - LEADING))
  let [x, y] = [Number(large >> shift), Number(small >> shift)]
  let [a, b, c, d] = [1, 0, 0, 1]
  while (y + c > 0 && y + d > 0) {
    const quotient = Math.floor((x + a) / (y + c))
    if (quotient !== Math.floor((x + b) / (y + d))) break
    const [nextC, nextD] = [a - quotient * c, b - quotient * d]
    if (Math.abs(nextC) > MOST_FACTOR || Math.abs(nextD) > MOST_FACTOR) break
    ;[x, y] = [y, x - quotient * y]
    ;[a, b, c, d] = [c, d, nextC, nextD]
  }
  if (b === 0) return [0n, 1n, 1n, -(large / small)]
  return [BigInt(a), BigInt(b), BigInt(c), BigInt(d)]
}

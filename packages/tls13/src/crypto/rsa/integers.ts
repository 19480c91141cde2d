import { toHex } from "../../bytes/hex.ts"

// Integers of RFC 8017 section 4, and the modular arithmetic that RSA needs, on the engine's BigInt.

/** OS2IP: big-endian. */
export function bytesToInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`)
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

/** The inverse modulo `modulus` by the extended Euclidean algorithm, or undefined when there is none. */
export function invertMod(value: bigint, modulus: bigint): bigint | undefined {
  let [oldRemainder, remainder] = [value % modulus, modulus]
  let [oldFactor, factor] = [1n, 0n]
  while (remainder !== 0n) {
    const quotient = oldRemainder / remainder
    ;[oldRemainder, remainder] = [remainder, oldRemainder - quotient * remainder]
    ;[oldFactor, factor] = [factor, oldFactor - quotient * factor]
  }
  if (oldRemainder !== 1n) return undefined
  return oldFactor < 0n ? oldFactor + modulus : oldFactor
}

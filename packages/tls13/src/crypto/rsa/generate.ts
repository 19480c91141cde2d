import { draw } from "../draw.ts"
import type { RsaPrivateKey } from "../keys.ts"
import type { RandomSource } from "../provider.ts"
import { bitLength, bytesToInteger, integerToShortestBytes, invertMod, powModSecret } from "./integers.ts"

// RSA key generation after FIPS 186-5 appendix A.1.3 (random probable primes), for development certificates.
// Some tenths of a second for 2048 bits, one or two seconds for 3072; a key for production is better made by its host or HSM.

const EXPONENT = 65537n

/** More than FIPS 186-5 table B.1 asks for at these sizes (5 and 4 rounds for an error of 2^-112 or less). */
const MILLER_RABIN_ROUNDS = 10

/** @param bits 2048, 3072 or 4096 */
export function generateRsaKey(bits: number, random: RandomSource, type: "rsa" | "rsa-pss" = "rsa"): RsaPrivateKey {
  if (bits !== 2048 && bits !== 3072 && bits !== 4096) {
    throw new RangeError(`RSA keys are generated with 2048, 3072 or 4096 bits, not ${bits}`)
  }
  for (;;) {
    const p = randomPrime(bits / 2, random)
    const q = randomPrime(bits / 2, random)
    const distance = p > q ? p - q : q - p
    // A.1.3 step 5.4: |p - q| > 2^(nlen/2 - 100), so that Fermat's method does not find them.
    if (bitLength(distance) <= bits / 2 - 100) continue
    const privateExponent = invertMod(EXPONENT, leastCommonMultiple(p - 1n, q - 1n))
    const coefficient = invertMod(q, p)
    // A.1.1: d > 2^(nlen/2).
    if (privateExponent === undefined || coefficient === undefined || bitLength(privateExponent) <= bits / 2) continue
    return {
      type,
      modulus: integerToShortestBytes(p * q),
      exponent: integerToShortestBytes(EXPONENT),
      privateExponent: integerToShortestBytes(privateExponent),
      prime1: integerToShortestBytes(p),
      prime2: integerToShortestBytes(q),
      exponent1: integerToShortestBytes(privateExponent % (p - 1n)),
      exponent2: integerToShortestBytes(privateExponent % (q - 1n)),
      coefficient: integerToShortestBytes(coefficient),
    }
  }
}

function randomPrime(bits: number, random: RandomSource): bigint {
  const smallPrimes = primesBelow(2000)
  for (;;) {
    const bytes = draw(random, bits / 8)
    // The two high bits make the product have all its bits; the low bit makes the candidate odd.
    bytes[0]! |= 0xc0
    bytes[bytes.length - 1]! |= 0x01
    const candidate = bytesToInteger(bytes)
    if (smallPrimes.some((prime) => candidate % prime === 0n)) continue
    if (candidate % EXPONENT === 1n) continue
    if (isProbablePrime(candidate, random)) return candidate
  }
}

/** Miller-Rabin with random bases, FIPS 186-5 appendix B.3.1. */
export function isProbablePrime(candidate: bigint, random: RandomSource): boolean {
  const length = Math.ceil(bitLength(candidate) / 8)
  let odd = candidate - 1n
  let twos = 0
  while ((odd & 1n) === 0n) {
    odd >>= 1n
    twos++
  }
  for (let round = 0; round < MILLER_RABIN_ROUNDS; round++) {
    const base = 2n + (bytesToInteger(draw(random, length)) % (candidate - 3n))
    let power = powModSecret(base, odd, candidate)
    if (power === 1n || power === candidate - 1n) continue
    let composite = true
    for (let i = 1; i < twos && composite; i++) {
      power = (power * power) % candidate
      composite = power !== candidate - 1n
    }
    if (composite) return false
  }
  return true
}

function primesBelow(limit: number): bigint[] {
  const primes: number[] = []
  for (let n = 3; n < limit; n += 2) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return primes.map(BigInt)
}

function leastCommonMultiple(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b]
  while (y !== 0n) [x, y] = [y, x % y]
  return (a / x) * b
}

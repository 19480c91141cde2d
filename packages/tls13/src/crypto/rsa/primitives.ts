import { draw } from "../draw.ts"
import type { PublicKey, RsaPrivateKey, RsaPublicKey } from "../keys.ts"
import type { RandomSource } from "../provider.ts"
import { bitLength, bytesToInteger, integerToBytes, invertMod, powModPublic, powModSecret } from "./integers.ts"

// RSAVP1 and RSASP1 of RFC 8017 section 5.2, on the engine's BigInt.
//
// Side channels, said honestly: BigInt arithmetic has no constant time, so no sequence of BigInt operations on a secret
// has it. What is done about it: every private operation works on a base multiplied by a fresh random factor and on
// exponents with a fresh random multiple of p-1 and q-1 added, so that its time is that of unrelated numbers; windows
// are of fixed length; and the result is verified with the public key before anybody sees it, so that a fault in one
// half of the CRT does not hand out a factor of the modulus. BigInt values cannot be wiped. Where an attacker can run
// code on the same core, keep the key in a `host` provider, in an HSM, or use Ed25519.

/** Of the primitive. Certificate policy asks for more (2048). */
const LEAST_BITS = 1024
/** Bounds the work that a certificate can ask for: a public operation of this size stays under a few milliseconds. */
const MOST_BITS = 8192
/** The same bound that other libraries have: an exponent of 33 bits (all certificates in use have 65537, a few 3). */
const MOST_EXPONENT_BITS = 33

export interface RsaNumbers {
  readonly n: bigint
  readonly e: bigint
  /** Bits of the modulus, modBits in RFC 8017. */
  readonly bits: number
  /** Octets of the modulus and of a signature, k in RFC 8017. */
  readonly length: number
}

/** The public key's numbers, or undefined when it is outside the bounds. */
export function publicNumbers(key: Pick<RsaPublicKey, "modulus" | "exponent">): RsaNumbers | undefined {
  if (key.modulus.length > MOST_BITS / 8 || key.exponent.length > 8) return undefined
  const n = bytesToInteger(key.modulus)
  const e = bytesToInteger(key.exponent)
  const bits = bitLength(n)
  if (bits < LEAST_BITS || (n & 1n) === 0n) return undefined
  if (e < 3n || (e & 1n) === 0n || bitLength(e) > MOST_EXPONENT_BITS) return undefined
  return { n, e, bits, length: Math.ceil(bits / 8) }
}

/** RSAVP1 of a signature's octets; undefined when it has another length than the modulus or is not below it. */
export function recoverMessage(key: RsaNumbers, signature: Uint8Array): bigint | undefined {
  if (signature.length !== key.length) return undefined
  const s = bytesToInteger(signature)
  return s < key.n ? powModPublic(s, key.e, key.n) : undefined
}

/**
 * RSASP1 with the Chinese remainder theorem.
 * @throws RangeError when the key is malformed; Error when the computation went wrong, and then no signature leaves
 */
export function signMessage(key: RsaPrivateKey, message: bigint, random: RandomSource): Uint8Array {
  const numbers = publicNumbers(key)
  const p = bytesToInteger(key.prime1)
  const q = bytesToInteger(key.prime2)
  if (!numbers || p <= 1n || q <= 1n || p * q !== numbers.n) throw new RangeError("not an RSA private key")
  const { n, e, length } = numbers

  const [factor, inverse] = blindingFactor(n, length, random)
  const blinded = (message * powModPublic(factor, e, n)) % n
  const dP = blindExponent(bytesToInteger(key.exponent1), p, random)
  const dQ = blindExponent(bytesToInteger(key.exponent2), q, random)
  const m1 = powModSecret(blinded % p, dP, p)
  const m2 = powModSecret(blinded % q, dQ, q)
  const h = ((((m1 - m2) % p) + p) * bytesToInteger(key.coefficient)) % p
  const signature = ((m2 + q * h) * inverse) % n

  if (powModPublic(signature, e, n) !== message) throw new Error("the RSA private key and its public key do not agree")
  return integerToBytes(signature, length)
}

/** A random unit modulo n and its inverse. */
function blindingFactor(n: bigint, length: number, random: RandomSource): readonly [bigint, bigint] {
  for (;;) {
    const factor = bytesToInteger(draw(random, length + 8)) % n
    const inverse = invertMod(factor, n)
    if (inverse !== undefined) return [factor, inverse]
  }
}

/** The same exponent modulo the order of the group, at random among 2^64; the high bit keeps the length constant. */
function blindExponent(exponent: bigint, prime: bigint, random: RandomSource): bigint {
  return exponent + (bytesToInteger(draw(random, 8)) | (1n << 64n)) * (prime - 1n)
}

/** Whether an RSASSA-PSS signature with this hash, and a salt of the hash's length, is within the key's own parameters. */
export function pssKeyAllows(key: PublicKey, hash: string, saltLength: number): boolean {
  if (key.type !== "rsa" && key.type !== "rsa-pss") return false
  return !key.pss || (key.pss.hash === hash && key.pss.minimumSaltLength <= saltLength)
}

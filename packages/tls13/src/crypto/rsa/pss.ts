import { concatBytes } from "../../bytes/concat.ts"
import { constantTimeEqual } from "../../bytes/equal.ts"
import { draw } from "../draw.ts"
import type { Hash, SignatureAlgorithm } from "../provider.ts"
import { bitLength, bytesToInteger, integerToBytes } from "./integers.ts"
import { pssKeyAllows, publicNumbers, recoverMessage, signMessage } from "./primitives.ts"

// RSASSA-PSS (RFC 8017 sections 8.1 and 9.1) as RFC 9846 section 4.3.3 uses it: MGF1 with the same hash, and a salt
// exactly as long as the hash. Refuses every other salt length.

/** RSASSA-PSS with `hash`, for keys of both types (rsaEncryption and id-RSASSA-PSS). */
export function rsaPss(hash: Hash): SignatureAlgorithm {
  const name = `rsa_pss_${hash.name}` as const
  return {
    name,
    verify(key, message, signature) {
      if (key.type !== "rsa" && key.type !== "rsa-pss") return false
      if (!pssKeyAllows(key, hash.name, hash.length)) return false
      const numbers = publicNumbers(key)
      if (!numbers) return false
      const encoded = recoverMessage(numbers, signature)
      if (encoded === undefined || bitLength(encoded) > numbers.bits - 1) return false
      return emsaPssVerify(hash, message, encoded, numbers.bits - 1)
    },
    sign(key, message, random) {
      if (key.type !== "rsa" && key.type !== "rsa-pss") {
        throw new RangeError(`${name} cannot sign with a key of type ${key.type}`)
      }
      const numbers = publicNumbers(key)
      if (!numbers) throw new RangeError("not an RSA private key")
      const encoded = emsaPssEncode(hash, message, draw(random, hash.length), numbers.bits - 1)
      return signMessage(key, bytesToInteger(encoded), random)
    },
  }
}

/** RFC 8017 section 9.1.1. */
function emsaPssEncode(hash: Hash, message: Uint8Array, salt: Uint8Array, emBits: number): Uint8Array {
  const emLength = Math.ceil(emBits / 8)
  const dbLength = emLength - hash.length - 1
  if (dbLength < salt.length + 1) throw new RangeError(`the RSA key is too small for PSS with ${hash.name}`)
  const h = saltedHash(hash, message, salt)
  const db = mgf1(hash, h, dbLength)
  db[dbLength - salt.length - 1]! ^= 0x01
  for (let i = 0; i < salt.length; i++) db[dbLength - salt.length + i]! ^= salt[i]!
  db[0]! &= unusedBitsMask(emLength, emBits)
  return concatBytes(db, h, Uint8Array.of(0xbc))
}

/** RFC 8017 section 9.1.2. All of it is public; nothing here needs constant time. */
function emsaPssVerify(hash: Hash, message: Uint8Array, encoded: bigint, emBits: number): boolean {
  const emLength = Math.ceil(emBits / 8)
  const dbLength = emLength - hash.length - 1
  const saltAt = dbLength - hash.length
  if (saltAt < 1) return false
  const em = integerToBytes(encoded, emLength)
  if (em[emLength - 1] !== 0xbc) return false
  const h = em.subarray(dbLength, emLength - 1)
  const mask = unusedBitsMask(emLength, emBits)
  if ((em[0]! & ~mask & 0xff) !== 0) return false
  const db = mgf1(hash, h, dbLength)
  for (let i = 0; i < dbLength; i++) db[i]! ^= em[i]!
  db[0]! &= mask
  for (let i = 0; i < saltAt - 1; i++) if (db[i] !== 0) return false
  if (db[saltAt - 1] !== 0x01) return false
  return constantTimeEqual(h, saltedHash(hash, message, db.subarray(saltAt)))
}

/** Hash(00 00 00 00 00 00 00 00 || mHash || salt). */
function saltedHash(hash: Hash, message: Uint8Array, salt: Uint8Array): Uint8Array {
  return hash.digest(concatBytes(new Uint8Array(8), hash.digest(message), salt))
}

/** The bits of the first octet that the encoded message may use. */
function unusedBitsMask(emLength: number, emBits: number): number {
  return 0xff >> (8 * emLength - emBits)
}

/** MGF1 of RFC 8017 appendix B.2.1. */
function mgf1(hash: Hash, seed: Uint8Array, length: number): Uint8Array {
  const mask = new Uint8Array(length)
  for (let counter = 0, at = 0; at < length; counter++, at += hash.length) {
    const block = hash.digest(concatBytes(seed, integerToBytes(BigInt(counter), 4)))
    mask.set(block.subarray(0, Math.min(hash.length, length - at)), at)
  }
  return mask
}

import { concatBytes } from "../../bytes/concat.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { fromHex } from "../../bytes/hex.ts"
import type { Hash, SignatureAlgorithm } from "../provider.ts"
import { bytesToInteger, integerToBytes } from "./integers.ts"
import { publicNumbers, recoverMessage, signMessage } from "./primitives.ts"

// RSASSA-PKCS1-v1_5 (RFC 8017 sections 8.2 and 9.2), for certificates only (RFC 9846 section 4.3.3).
// A signature is right when it opens to the whole expected encoding, compared octet by octet; nothing in it is parsed,
// which is where forgeries against small exponents come from. The variant without the NULL parameters is refused.

/** DER of DigestInfo up to the digest: RFC 8017 section 9.2, note 1. */
const digestInfoPrefixes: Readonly<Record<Hash["name"], string>> = {
  sha256: "3031300d060960864801650304020105000420",
  sha384: "3041300d060960864801650304020205000430",
  sha512: "3051300d060960864801650304020305000440",
}

export function rsaPkcs1(hash: Hash): SignatureAlgorithm {
  const name = `rsa_pkcs1_${hash.name}` as const
  return {
    name,
    verify(key, message, signature) {
      if (key.type !== "rsa") return false
      const numbers = publicNumbers(key)
      if (!numbers) return false
      const encoded = recoverMessage(numbers, signature)
      if (encoded === undefined) return false
      return equalBytes(integerToBytes(encoded, numbers.length), emsaPkcs1(hash, message, numbers.length))
    },
    sign(key, message, random) {
      if (key.type !== "rsa") throw new RangeError(`${name} cannot sign with a key of type ${key.type}`)
      const numbers = publicNumbers(key)
      if (!numbers) throw new RangeError("not an RSA private key")
      return signMessage(key, bytesToInteger(emsaPkcs1(hash, message, numbers.length)), random)
    },
  }
}

/** EMSA-PKCS1-v1_5: 00 01 FF..FF 00 DigestInfo. The least modulus, 1024 bits, has room for every hash here. */
function emsaPkcs1(hash: Hash, message: Uint8Array, length: number): Uint8Array {
  const digestInfo = concatBytes(fromHex(digestInfoPrefixes[hash.name]), hash.digest(message))
  const encoded = new Uint8Array(length).fill(0xff)
  encoded[0] = 0x00
  encoded[1] = 0x01
  encoded[length - digestInfo.length - 1] = 0x00
  encoded.set(digestInfo, length - digestInfo.length)
  return encoded
}

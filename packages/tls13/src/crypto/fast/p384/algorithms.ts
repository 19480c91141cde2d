import type { Hash, SignatureAlgorithm } from "../../provider.ts"
import { readSignature } from "../curves/der.ts"

// ECDSA (FIPS 186-5 section 6.4.2) by keys of P-384, as certificates of public authorities have them: signatures are verified
// by a kernel where there is one. All of it is public; signing is left to others.

const LENGTH = 48

export interface P384Kernel {
  /**
   * Whether r and s, any numbers of 48 bytes each, are right for a hash of up to 48 bytes and the coordinates of a key;
   * false when those are not a point of the curve.
   */
  verify(numbers: Uint8Array, hash: Uint8Array, coordinates: Uint8Array): boolean
}

/**
 * @param kernel makes the kernel at its first use
 * @param others what answers for other keys, and where there is no kernel
 * @param hash of messages
 */
export function p384Over(
  kernel: () => P384Kernel | undefined,
  others: SignatureAlgorithm,
  hash: Hash,
): SignatureAlgorithm {
  return {
    ...others,
    verify(key, message, signature) {
      const own = key.type === "ec" && key.curve === "P-384" ? kernel() : undefined
      if (own === undefined || key.type !== "ec") return others.verify(key, message, signature)
      const numbers = readSignature(signature, LENGTH)
      if (!numbers || key.point.length !== 1 + 2 * LENGTH || key.point[0] !== 4) return false
      return own.verify(numbers, hash.digest(message).subarray(0, LENGTH), key.point.subarray(1))
    },
  }
}

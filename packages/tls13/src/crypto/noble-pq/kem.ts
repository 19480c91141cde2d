import { InvalidKeyShare } from "../provider.ts"

// What a group needs of ML-KEM (FIPS 203), whoever computes it.

/** What FIPS 203 calls ML-KEM.KeyGen_internal, Encaps_internal and Decaps_internal: randomness is an argument. */
export interface MlKem {
  /** Bytes: 800, 1184 or 1568. */
  readonly encapsulationKeyLength: number
  /** Bytes: 768, 1088 or 1568. */
  readonly ciphertextLength: number
  /** @param seed d || z, 64 bytes */
  keygen(seed: Uint8Array): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array }
  /** @param m 32 bytes. @throws when the encapsulation key fails the check of FIPS 203 section 7.2 */
  encapsulate(key: Uint8Array, m: Uint8Array): { readonly cipherText: Uint8Array; readonly sharedSecret: Uint8Array }
  /** Rejects implicitly: a wrong ciphertext of the right length gives an unrelated secret. */
  decapsulate(ciphertext: Uint8Array, secretKey: Uint8Array): Uint8Array
}

/**
 * The server MUST perform the encapsulation key check of FIPS 203 section 7.2, and abort with illegal_parameter
 * (draft-ietf-tls-ecdhe-mlkem section 4.2, draft-ietf-tls-mlkem section 4.2).
 * @param group for the message. @throws InvalidKeyShare
 */
export function encapsulateChecked(
  mlKem: MlKem,
  group: string,
  key: Uint8Array,
  m: Uint8Array,
): ReturnType<MlKem["encapsulate"]> {
  try {
    return mlKem.encapsulate(key, m)
  } catch {
    throw new InvalidKeyShare(`the ${group} key share has an ML-KEM coefficient out of range`)
  }
}

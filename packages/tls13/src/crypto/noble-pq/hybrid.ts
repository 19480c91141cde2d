import { NamedGroup, type NamedGroupName } from "../../bytes/code-points.ts"
import { concatBytes } from "../../bytes/concat.ts"
import { draw } from "../draw.ts"
import { type ImmediateKeyExchange, InvalidKeyShare } from "../provider.ts"

// (EC)DHE and ML-KEM side by side, draft-ietf-tls-ecdhe-mlkem: both shares and both secrets are concatenated, in the order
// that the group's definition gives (section 3: X25519MLKEM768 has ML-KEM first, the NIST groups have ECDH first).
// The client sends an encapsulation key and its ECDH share; the server answers with a ciphertext and its own ECDH share.

/** What FIPS 203 calls ML-KEM.KeyGen_internal, Encaps_internal and Decaps_internal: randomness is an argument. */
export interface MlKem {
  /** Bytes: 1184 or 1568. */
  readonly encapsulationKeyLength: number
  /** Bytes: 1088 or 1568. */
  readonly ciphertextLength: number
  /** @param seed d || z, 64 bytes */
  keygen(seed: Uint8Array): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array }
  /** @param m 32 bytes. @throws when the encapsulation key fails the check of FIPS 203 section 7.2 */
  encapsulate(key: Uint8Array, m: Uint8Array): { readonly cipherText: Uint8Array; readonly sharedSecret: Uint8Array }
  /** Rejects implicitly: a wrong ciphertext of the right length gives an unrelated secret. */
  decapsulate(ciphertext: Uint8Array, secretKey: Uint8Array): Uint8Array
}

export interface HybridGroup {
  readonly name: NamedGroupName
  readonly mlKem: MlKem
  readonly classical: ImmediateKeyExchange
  /** Bytes of the classical share. */
  readonly classicalLength: number
  readonly first: "ml-kem" | "classical"
}

export function hybrid({ name, mlKem, classical, classicalLength, first }: HybridGroup): ImmediateKeyExchange {
  const join = (ofMlKem: Uint8Array, ofClassical: Uint8Array): Uint8Array =>
    first === "ml-kem" ? concatBytes(ofMlKem, ofClassical) : concatBytes(ofClassical, ofMlKem)

  /** Section 4.1 and 4.2: the length of each part MUST be right. */
  function split(share: Uint8Array, mlKemLength: number): readonly [Uint8Array, Uint8Array] {
    const length = mlKemLength + classicalLength
    if (share.length !== length) {
      throw new InvalidKeyShare(`a ${name} key share has ${length} bytes here, not ${share.length}`)
    }
    return first === "ml-kem"
      ? [share.subarray(0, mlKemLength), share.subarray(mlKemLength)]
      : [share.subarray(classicalLength), share.subarray(0, classicalLength)]
  }

  function joinSecrets(ofMlKem: Uint8Array, ofClassical: Uint8Array): Uint8Array {
    const secret = join(ofMlKem, ofClassical)
    ofMlKem.fill(0)
    ofClassical.fill(0)
    return secret
  }

  return {
    name,
    code: NamedGroup[name],
    start(random) {
      const seed = draw(random, 64)
      const { publicKey, secretKey } = mlKem.keygen(seed)
      seed.fill(0)
      const started = classical.start(random)
      return {
        share: join(publicKey, started.share),
        complete(serverShare) {
          const [ciphertext, classicalShare] = split(serverShare, mlKem.ciphertextLength)
          const classicalSecret = started.complete(classicalShare)
          return joinSecrets(mlKem.decapsulate(ciphertext, secretKey), classicalSecret)
        },
        wipe() {
          secretKey.fill(0)
          started.wipe()
        },
      }
    },
    respond(clientShare, random) {
      const [encapsulationKey, classicalShare] = split(clientShare, mlKem.encapsulationKeyLength)
      const m = draw(random, 32)
      const { cipherText, sharedSecret } = encapsulateChecked(encapsulationKey, m)
      m.fill(0)
      const answer = classical.respond(classicalShare, random)
      return { share: join(cipherText, answer.share), secret: joinSecrets(sharedSecret, answer.secret) }
    },
  }

  /** Section 4.2: the server MUST perform the encapsulation key check of FIPS 203, and abort with illegal_parameter. */
  function encapsulateChecked(key: Uint8Array, m: Uint8Array): ReturnType<MlKem["encapsulate"]> {
    try {
      return mlKem.encapsulate(key, m)
    } catch {
      throw new InvalidKeyShare(`the ${name} key share has an ML-KEM coefficient out of range`)
    }
  }
}

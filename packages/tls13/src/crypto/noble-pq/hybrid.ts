import { KnownNamedGroup, type KnownNamedGroupName } from "../../bytes/code-points.ts"
import { concatBytes } from "../../bytes/concat.ts"
import { draw } from "../draw.ts"
import { type ImmediateKeyExchange, InvalidKeyShare } from "../provider.ts"
import { encapsulateChecked, type MlKem } from "./kem.ts"

// (EC)DHE and ML-KEM side by side, draft-ietf-tls-ecdhe-mlkem: both shares and both secrets are concatenated, in the order
// that the group's definition gives (section 3: X25519MLKEM768 has ML-KEM first, the NIST groups have ECDH first).
// The client sends an encapsulation key and its ECDH share; the server answers with a ciphertext and its own ECDH share.

export interface HybridGroup {
  readonly name: KnownNamedGroupName
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
    code: KnownNamedGroup[name],
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
      const { cipherText, sharedSecret } = encapsulateChecked(mlKem, name, encapsulationKey, m)
      m.fill(0)
      const answer = classical.respond(classicalShare, random)
      return { share: join(cipherText, answer.share), secret: joinSecrets(sharedSecret, answer.secret) }
    },
  }
}

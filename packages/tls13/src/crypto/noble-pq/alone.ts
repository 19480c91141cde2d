import { NamedGroup } from "../../bytes/code-points.ts"
import { draw } from "../draw.ts"
import { type ImmediateKeyExchange, InvalidKeyShare } from "../provider.ts"
import { encapsulateChecked, type MlKem } from "./kem.ts"

// ML-KEM by itself, draft-ietf-tls-mlkem: the client sends an encapsulation key, the server answers with a ciphertext.

export function alone(name: "MLKEM512" | "MLKEM768" | "MLKEM1024", mlKem: MlKem): ImmediateKeyExchange {
  /** Section 4.2: "the server MUST perform the encapsulation key check", and both sides that of the length. */
  function checkLength(share: Uint8Array, length: number): void {
    if (share.length !== length)
      throw new InvalidKeyShare(`a ${name} key share has ${length} bytes here, not ${share.length}`)
  }
  return {
    name,
    code: NamedGroup[name],
    start(random) {
      const seed = draw(random, 64)
      const { publicKey, secretKey } = mlKem.keygen(seed)
      seed.fill(0)
      return {
        share: publicKey,
        complete(serverShare) {
          checkLength(serverShare, mlKem.ciphertextLength)
          return mlKem.decapsulate(serverShare, secretKey)
        },
        wipe() {
          secretKey.fill(0)
        },
      }
    },
    respond(clientShare, random) {
      checkLength(clientShare, mlKem.encapsulationKeyLength)
      const m = draw(random, 32)
      const { cipherText, sharedSecret } = encapsulateChecked(mlKem, name, clientShare, m)
      m.fill(0)
      return { share: cipherText, secret: sharedSecret }
    },
  }
}

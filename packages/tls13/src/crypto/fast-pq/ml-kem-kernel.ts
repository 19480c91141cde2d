import { copyOf } from "../../bytes/copy.ts"
import { type CallExports, CallMemory } from "../fast/webassembly/call.ts"
import { kernels, type WebAssemblyChoice } from "../fast/webassembly/engine.ts"
import { mlKemModule } from "../fast/webassembly/modules/ml-kem.ts"
import type { MlKem } from "../noble-pq/kem.ts"

// ML-KEM over packages/tls13/assembly/ml-kem.

interface MlKemExports extends CallExports {
  keygen(k: number): void
  encapsulate(k: number): number
  decapsulate(k: number): number
}

/** Bytes of d || z. */
const SEED = 64
/** Bytes of m, and of a secret. */
const SECRET = 32

/** Bytes, by k of FIPS 203 table 2. */
export const mlKemLengths = {
  3: { encapsulationKeyLength: 1184, ciphertextLength: 1088 },
  4: { encapsulationKeyLength: 1568, ciphertextLength: 1568 },
} as const

/** The kernel, made when it is first asked for; undefined where it cannot run. */
export function mlKemKernel(k: 3 | 4, webAssembly: WebAssemblyChoice): () => MlKem | undefined {
  const exports = kernels<MlKemExports>(webAssembly, "ml-kem", mlKemModule)
  let made: MlKem | undefined
  return () => {
    const instance = exports()
    if (instance !== undefined) made ??= over(instance, k)
    return made
  }
}

function over(instance: MlKemExports, k: 3 | 4): MlKem {
  const { encapsulationKeyLength, ciphertextLength } = mlKemLengths[k]
  const keyAt = 384 * k
  const secretKeyLength = keyAt + encapsulationKeyLength + 64
  const memory = new CallMemory(instance)
  return {
    encapsulationKeyLength,
    ciphertextLength,
    keygen(seed) {
      checkLength(seed, SEED, "an ML-KEM seed")
      memory.write(0, seed)
      instance.keygen(k)
      const secretKey = memory.take(secretKeyLength)
      return { publicKey: copyOf(secretKey.subarray(keyAt, keyAt + encapsulationKeyLength)), secretKey }
    },
    encapsulate(key, m) {
      checkLength(key, encapsulationKeyLength, "this encapsulation key")
      checkLength(m, SECRET, "an ML-KEM message")
      memory.write(0, m)
      memory.write(SECRET, key)
      const good = instance.encapsulate(k) !== 0
      const result = memory.take(SECRET + ciphertextLength)
      if (!good) throw new RangeError("the encapsulation key has a coefficient out of range")
      const sharedSecret = copyOf(result.subarray(0, SECRET))
      const cipherText = copyOf(result.subarray(SECRET))
      result.fill(0)
      return { cipherText, sharedSecret }
    },
    decapsulate(ciphertext, secretKey) {
      checkLength(ciphertext, ciphertextLength, "this ciphertext")
      checkLength(secretKey, secretKeyLength, "this decapsulation key")
      memory.write(0, secretKey)
      memory.write(secretKeyLength, ciphertext)
      const good = instance.decapsulate(k) !== 0
      const secret = memory.take(SECRET)
      if (!good) throw new RangeError("the decapsulation key does not have the hash of its encapsulation key")
      return secret
    },
  }
}

function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new RangeError(`${what} has ${length} bytes, not ${bytes.length}`)
}

import { copyOf } from "../../bytes/copy.ts"
import { type CallExports, CallMemory } from "../fast/webassembly/call.ts"
import { kernels, type WebAssemblyChoice } from "../fast/webassembly/engine.ts"
import { mlKemModule } from "../fast/webassembly/modules/ml-kem.ts"
import type { MlKem } from "../noble-pq/hybrid.ts"
import { mlKem768, mlKem1024 } from "../noble-pq/index.ts"

// ML-KEM over packages/tls13/assembly/ml-kem; noble's where there is no WebAssembly.

export interface FastMlKem extends MlKem {
  /** What it is computed by, here and now. */
  kernel(): "WebAssembly" | "TypeScript"
}

interface MlKemExports extends CallExports {
  keygen(k: number): void
  encapsulate(k: number): number
  decapsulate(k: number): number
}

/** Bytes of d || z. */
const SEED = 64
/** Bytes of m, and of a secret. */
const SECRET = 32

/** FIPS 203, ML-KEM-768. @param webAssembly `off`: noble's */
export function createMlKem768(webAssembly: WebAssemblyChoice = "auto"): FastMlKem {
  return mlKem(3, mlKem768(), webAssembly)
}

/** FIPS 203, ML-KEM-1024. @param webAssembly `off`: noble's */
export function createMlKem1024(webAssembly: WebAssemblyChoice = "auto"): FastMlKem {
  return mlKem(4, mlKem1024(), webAssembly)
}

/** @param k of FIPS 203 table 2 */
function mlKem(k: number, plain: MlKem, webAssembly: WebAssemblyChoice): FastMlKem {
  const { encapsulationKeyLength, ciphertextLength } = plain
  const keyAt = 384 * k
  const secretKeyLength = keyAt + encapsulationKeyLength + 64
  const exports = kernels<MlKemExports>(webAssembly, "ml-kem", mlKemModule)
  let made: MlKem | undefined
  const implementation = (): MlKem => {
    if (made === undefined) {
      const instance = exports()
      made = instance === undefined ? plain : over(instance)
    }
    return made
  }

  function over(instance: MlKemExports): MlKem {
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

  return {
    encapsulationKeyLength,
    ciphertextLength,
    keygen: (seed) => implementation().keygen(seed),
    encapsulate: (key, m) => implementation().encapsulate(key, m),
    decapsulate: (ciphertext, secretKey) => implementation().decapsulate(ciphertext, secretKey),
    kernel: () => (implementation() === plain ? "TypeScript" : "WebAssembly"),
  }
}

function checkLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new RangeError(`${what} has ${length} bytes, not ${bytes.length}`)
}

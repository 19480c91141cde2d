import { checkKeyLength } from "../../aead-arguments.ts"
import type { Aead } from "../../provider.ts"
import { createPlainAesGcm } from "../aes/aes-gcm.ts"
import {
  type AeadExports,
  type AeadKernel,
  type AeadKernelSource,
  aeadKernelSource,
  NONCE_WORDS,
  WebAssemblyAeadKey,
} from "./aead.ts"
import type { WebAssemblyChoice } from "./engine.ts"
import { aesGcmModule } from "./modules/aes-gcm.ts"

interface AesGcmExports extends AeadExports {
  /** Expands the key that INPUT has behind the number of rounds and the place for H. */
  expand(): void
}

/** How AES-GCM computes its tags: `FastProviderOptions.ghash` says what the choice costs. */
export type GhashChoice = "constant-time" | "tables"

/** A bit of the word that has the number of rounds: GHASH takes tables in memory. */
const TABLES = 1 << 16

/** One serves keys of both lengths. */
export function aesGcmKernel(choice: WebAssemblyChoice): AeadKernelSource<AesGcmExports> {
  return aeadKernelSource(choice, "aes-gcm", aesGcmModule, { counter: 2, block: 16 })
}

/**
 * AES-GCM in WebAssembly, or in TypeScript where that is not possible.
 * @param bits of the key
 * @param ghash see `FastProviderOptions.ghash`
 */
export function createAesGcm(
  bits: 128 | 256,
  webAssembly: WebAssemblyChoice = "auto",
  ghash: GhashChoice = "constant-time",
): Aead {
  return aesGcmOver(bits, aesGcmKernel(webAssembly), ghash)
}

export function aesGcmOver(bits: 128 | 256, source: AeadKernelSource<AesGcmExports>, ghash: GhashChoice): Aead {
  const plain = createPlainAesGcm(bits)
  return {
    ...plain,
    key(key) {
      const kernel = source()
      if (kernel === undefined) return plain.key(key)
      checkKeyLength(key, plain.keyLength, plain.name)
      return new WebAssemblyAeadKey(kernel, expand(kernel, key, ghash))
    },
  }
}

/** The number of rounds with the choice, H, and the round keys. */
function expand({ exports, bytes, input }: AeadKernel<AesGcmExports>, key: Uint8Array, ghash: GhashChoice): Int32Array {
  const rounds = key.length / 4 + 6
  const words = new Int32Array(1 + 4 + 4 * (rounds + 1))
  input[NONCE_WORDS] = rounds
  bytes.set(key, input.byteOffset + 4 * (NONCE_WORDS + 1 + 4))
  exports.expand()
  for (let i = 0; i < words.length; i++) words[i] = input[NONCE_WORDS + i]!
  exports.end()
  if (ghash === "tables") words[0]! |= TABLES
  return words
}

import { checkKeyLength } from "../../aead-arguments.ts"
import type { Aead } from "../../provider.ts"
import { createPlainChaCha20Poly1305 } from "../chacha20-poly1305/chacha20-poly1305.ts"
import { type AeadKernelSource, aeadKernelSource, WebAssemblyAeadKey } from "./aead.ts"
import type { WebAssemblyChoice } from "./engine.ts"
import { chacha20Poly1305Module } from "./modules/chacha20-poly1305.ts"

export function chacha20Poly1305Kernel(choice: WebAssemblyChoice): AeadKernelSource {
  return aeadKernelSource(choice, "chacha20-poly1305", chacha20Poly1305Module, { counter: 1, block: 64 })
}

/** AEAD_CHACHA20_POLY1305 in WebAssembly, or in TypeScript where that is not possible. */
export function createChaCha20Poly1305(webAssembly: WebAssemblyChoice = "auto"): Aead {
  return chacha20Poly1305Over(chacha20Poly1305Kernel(webAssembly))
}

export function chacha20Poly1305Over(source: AeadKernelSource): Aead {
  const plain = createPlainChaCha20Poly1305()
  return {
    ...plain,
    key(key) {
      const kernel = source()
      if (kernel === undefined) return plain.key(key)
      checkKeyLength(key, plain.keyLength, plain.name)
      const words = new Int32Array(8)
      for (let i = 0; i < 8; i++) {
        words[i] = key[4 * i]! | (key[4 * i + 1]! << 8) | (key[4 * i + 2]! << 16) | (key[4 * i + 3]! << 24)
      }
      return new WebAssemblyAeadKey(kernel, words)
    },
  }
}

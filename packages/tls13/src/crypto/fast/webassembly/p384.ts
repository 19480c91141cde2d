import type { P384Kernel } from "../p384/algorithms.ts"
import { type Exported, type KernelExports, kernels, type WebAssemblyChoice } from "./engine.ts"
import { p384Module } from "./modules/p384.ts"

// Verification on P-384 over packages/tls13/assembly/p384.

const LENGTH = 48

interface P384Exports extends KernelExports {
  readonly INPUT: Exported
  verify(): number
}

/** One instance, when it is first asked for; undefined where there is none. */
export function p384Kernel(choice: WebAssemblyChoice): () => P384Kernel | undefined {
  const exports = kernels<P384Exports>(choice, "p384", p384Module)
  let kernel: P384Kernel | undefined
  return () => {
    const made = exports()
    if (made !== undefined) kernel ??= kernelOver(made)
    return kernel
  }
}

function kernelOver(exports: P384Exports): P384Kernel {
  const bytes = new Uint8Array(exports.memory.buffer)
  const input = exports.INPUT.value
  return {
    verify(numbers, hash, coordinates) {
      const key = input + 3 * LENGTH
      bytes.set(numbers, input)
      bytes.fill(0, input + 2 * LENGTH, key)
      bytes.set(hash, key - hash.length)
      bytes.set(coordinates, key)
      return exports.verify() !== 0
    },
  }
}

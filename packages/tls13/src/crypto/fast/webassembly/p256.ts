import { type P256Algorithms, p256Over } from "../p256/algorithms.ts"
import type { P256Kernel } from "../curves/kernel.ts"
import { plainP256 } from "../p256/plain.ts"
import { type CallExports, CallMemory } from "./call.ts"
import { kernels, type WebAssemblyChoice } from "./engine.ts"
import { hashesOver } from "./hashes.ts"
import { p256Module } from "./modules/p256.ts"
import { p384Kernel } from "./p384.ts"
import { sha2Kernel } from "./sha2.ts"

// P-256 over packages/tls13/assembly/p256.

interface P256Exports extends CallExports {
  isPoint(): number
  base(): void
  shared(): number
  sign(): number
  verify(): number
}

class WebAssemblyP256 implements P256Kernel {
  readonly language = "WebAssembly"
  readonly #exports: P256Exports
  readonly #memory: CallMemory

  constructor(exports: P256Exports) {
    this.#exports = exports
    this.#memory = new CallMemory(exports)
  }

  isPoint(coordinates: Uint8Array): boolean {
    this.#memory.write(0, coordinates)
    return this.#exports.isPoint() !== 0
  }

  multiplyBase(scalar: Uint8Array): Uint8Array {
    this.#memory.write(0, scalar)
    this.#exports.base()
    return this.#memory.take(64)
  }

  multiply(scalar: Uint8Array, coordinates: Uint8Array): Uint8Array | undefined {
    this.#memory.write(0, scalar)
    this.#memory.write(32, coordinates)
    const isPoint = this.#exports.shared() !== 0
    const x = this.#memory.take(32)
    return isPoint ? x : undefined
  }

  sign(nonce: Uint8Array, secret: Uint8Array, hash: Uint8Array): Uint8Array | undefined {
    this.#memory.write(0, nonce)
    this.#memory.write(32, secret)
    this.#memory.write(64, hash)
    const good = this.#exports.sign() !== 0
    const numbers = this.#memory.take(64)
    return good ? numbers : undefined
  }

  verify(numbers: Uint8Array, hash: Uint8Array, coordinates: Uint8Array): boolean {
    this.#memory.write(0, numbers)
    this.#memory.write(64, hash)
    this.#memory.write(96, coordinates)
    return this.#exports.verify() !== 0
  }
}

/** One instance, when it is first asked for; the kernel in TypeScript where there is none. */
export function p256Kernel(choice: WebAssemblyChoice): () => P256Kernel {
  const exports = kernels<P256Exports>(choice, "p256", p256Module)
  const plain = plainP256()
  let kernel: P256Kernel | undefined
  return () => {
    if (kernel === undefined) {
      const made = exports()
      kernel = made === undefined ? plain() : new WebAssemblyP256(made)
    }
    return kernel
  }
}

/** ECDH and ECDSA on P-256, and verification on P-384, in WebAssembly, or in TypeScript where that is not possible. */
export function createP256Algorithms(webAssembly: WebAssemblyChoice = "auto"): P256Algorithms {
  return p256Over(p256Kernel(webAssembly), hashesOver(sha2Kernel(webAssembly)), p384Kernel(webAssembly))
}

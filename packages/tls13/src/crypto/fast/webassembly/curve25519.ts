import type { ImmediateKeyExchange, SignatureAlgorithm } from "../../provider.ts"
import { ed25519Over } from "../curve25519/ed25519.ts"
import { type Curve25519Kernel, x25519Over } from "../curve25519/kernel.ts"
import { plainCurve25519 } from "../curve25519/plain.ts"
import { type CallExports, CallMemory } from "./call.ts"
import { kernels, type WebAssemblyChoice } from "./engine.ts"
import { hashesOver } from "./hashes.ts"
import { curve25519Module } from "./modules/curve25519.ts"
import { sha2Kernel } from "./sha2.ts"

// X25519 and Ed25519 over packages/tls13/assembly/curve25519.

interface Curve25519Exports extends CallExports {
  x25519(): void
  x25519Base(): void
  ed25519Base(): void
  ed25519Reduce(): void
  ed25519Answer(): void
  ed25519Verify(): number
}

class WebAssemblyCurve25519 implements Curve25519Kernel {
  readonly language = "WebAssembly"
  readonly #exports: Curve25519Exports
  readonly #memory: CallMemory

  constructor(exports: Curve25519Exports) {
    this.#exports = exports
    this.#memory = new CallMemory(exports)
  }

  x25519(scalar: Uint8Array, u: Uint8Array): Uint8Array {
    this.#memory.write(0, scalar)
    this.#memory.write(32, u)
    this.#exports.x25519()
    return this.#memory.take(32)
  }

  x25519Base(scalar: Uint8Array): Uint8Array {
    this.#memory.write(0, scalar)
    this.#exports.x25519Base()
    return this.#memory.take(32)
  }

  ed25519Base(scalar: Uint8Array): Uint8Array {
    this.#memory.write(0, scalar)
    this.#exports.ed25519Base()
    return this.#memory.take(32)
  }

  ed25519Reduce(number: Uint8Array): Uint8Array {
    this.#memory.write(0, number)
    this.#exports.ed25519Reduce()
    return this.#memory.take(32)
  }

  ed25519Answer(r: Uint8Array, hash: Uint8Array, a: Uint8Array): Uint8Array {
    this.#memory.write(0, r)
    this.#memory.write(32, hash)
    this.#memory.write(96, a)
    this.#exports.ed25519Answer()
    return this.#memory.take(32)
  }

  ed25519Verify(a: Uint8Array, s: Uint8Array, hash: Uint8Array): Uint8Array | undefined {
    this.#memory.write(0, a)
    this.#memory.write(32, s)
    this.#memory.write(64, hash)
    const isPoint = this.#exports.ed25519Verify() !== 0
    const result = this.#memory.take(32)
    return isPoint ? result : undefined
  }
}

/** One instance, when it is first asked for; the kernel in TypeScript where there is none. */
export function curve25519Kernel(choice: WebAssemblyChoice): () => Curve25519Kernel {
  const exports = kernels<Curve25519Exports>(choice, "curve25519", curve25519Module)
  const plain = plainCurve25519()
  let kernel: Curve25519Kernel | undefined
  return () => {
    if (kernel === undefined) {
      const made = exports()
      kernel = made === undefined ? plain() : new WebAssemblyCurve25519(made)
    }
    return kernel
  }
}

/** X25519 in WebAssembly, or in TypeScript where that is not possible. */
export function createX25519(webAssembly: WebAssemblyChoice = "auto"): ImmediateKeyExchange {
  return x25519Over(curve25519Kernel(webAssembly))
}

/** Ed25519 in WebAssembly, or in TypeScript where that is not possible. */
export function createEd25519(webAssembly: WebAssemblyChoice = "auto"): SignatureAlgorithm {
  return ed25519Over(curve25519Kernel(webAssembly), hashesOver(sha2Kernel(webAssembly)).sha512)
}

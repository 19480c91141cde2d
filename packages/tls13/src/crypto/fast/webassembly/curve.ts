import type { CurveKernel } from "../curves/kernel.ts"
import { type CallExports, CallMemory } from "./call.ts"

// A curve over packages/tls13/assembly/p256 or p384, whose exports are alike.

export interface CurveExports extends CallExports {
  isPoint(): number
  base(): void
  shared(): number
  sign(): number
  verify(): number
}

/** ECDH and ECDSA on one curve. */
export class WebAssemblyCurve implements CurveKernel {
  readonly language = "WebAssembly"
  readonly #exports: CurveExports
  readonly #memory: CallMemory
  readonly #length: number

  /** @param length bytes of a number */
  constructor(exports: CurveExports, length: number) {
    this.#length = length
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
    return this.#memory.take(2 * this.#length)
  }

  multiply(scalar: Uint8Array, coordinates: Uint8Array): Uint8Array | undefined {
    this.#memory.write(0, scalar)
    this.#memory.write(this.#length, coordinates)
    const isPoint = this.#exports.shared() !== 0
    const x = this.#memory.take(this.#length)
    return isPoint ? x : undefined
  }

  sign(nonce: Uint8Array, secret: Uint8Array, hash: Uint8Array): Uint8Array | undefined {
    this.#memory.write(0, nonce)
    this.#memory.write(this.#length, secret)
    this.#memory.write(2 * this.#length, hash)
    const good = this.#exports.sign() !== 0
    const numbers = this.#memory.take(2 * this.#length)
    return good ? numbers : undefined
  }

  verify(numbers: Uint8Array, hash: Uint8Array, coordinates: Uint8Array): boolean {
    this.#memory.write(0, numbers)
    this.#memory.write(2 * this.#length, hash)
    this.#memory.write(3 * this.#length, coordinates)
    return this.#exports.verify() !== 0
  }
}

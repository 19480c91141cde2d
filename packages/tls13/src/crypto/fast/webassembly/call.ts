import { copyOf } from "../../../bytes/copy.ts"
import type { Exported, KernelExports } from "./engine.ts"

// The memory of a module whose operations are single calls from an input to an output, both of a few numbers.

export interface CallExports extends KernelExports {
  readonly INPUT: Exported
  readonly OUTPUT: Exported
}

export class CallMemory {
  readonly #bytes: Uint8Array
  readonly #input: number
  readonly #output: number
  /** How far the input was written. */
  #end = 0

  constructor(exports: CallExports) {
    this.#bytes = new Uint8Array(exports.memory.buffer)
    this.#input = exports.INPUT.value
    this.#output = exports.OUTPUT.value
  }

  /** Writes to the input, `at` bytes from its begin on. */
  write(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#input + at)
    this.#end = Math.max(this.#end, at + bytes.length)
  }

  /** A copy of the output's first `length` bytes; input and output are zero afterwards. */
  take(length: number): Uint8Array {
    const result = copyOf(this.#bytes.subarray(this.#output, this.#output + length))
    this.#bytes.fill(0, this.#input, this.#input + this.#end)
    this.#bytes.fill(0, this.#output, this.#output + length)
    this.#end = 0
    return result
  }
}

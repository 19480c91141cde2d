// Counts the bytes of buffers that are kept: those of every array that is made while the count runs and that something still
// refers to after a garbage collection. Buffers only, to the byte, and none of the engine's own objects.

import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

type Counted = "Uint8Array" | "Uint16Array" | "Int32Array" | "Uint32Array" | "Float64Array" | "BigUint64Array"
const counted: readonly Counted[] = [
  "Uint8Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float64Array",
  "BigUint64Array",
]

export class RetainedBuffers {
  readonly #buffers = new Map<WeakRef<ArrayBufferLike>, number>()
  readonly #seen = new WeakSet<ArrayBufferLike>()
  readonly #restore: (() => void)[] = []
  readonly #collect: () => void

  /** Begins to count; the arrays that are there already are not. */
  constructor() {
    setFlagsFromString("--expose-gc")
    this.#collect = runInNewContext("gc") as () => void
    for (const name of counted) this.#watch(name)
  }

  /** Bytes kept now. */
  async bytes(): Promise<number> {
    // Twice: what finalizers let go of is collected the second time. A WeakRef holds its target until the turn ends.
    for (let i = 0; i < 2; i++) {
      await new Promise((resolve) => setImmediate(resolve))
      this.#collect()
    }
    let sum = 0
    for (const [reference, length] of this.#buffers) {
      if (reference.deref() === undefined) this.#buffers.delete(reference)
      else sum += length
    }
    return sum
  }

  stop(): void {
    for (const restore of this.#restore.splice(0)) restore()
  }

  /** Puts a class in the place of the global one that notes each buffer. */
  #watch(name: Counted): void {
    const original = globalThis[name]
    const note = (buffer: ArrayBufferLike): void => this.#note(buffer)
    const watched = new Proxy(original, {
      construct(target, given, newTarget) {
        const array = Reflect.construct(target, given, newTarget === watched ? target : newTarget) as {
          buffer: ArrayBufferLike
        }
        note(array.buffer)
        return array
      },
    })
    Object.defineProperty(globalThis, name, { value: watched, configurable: true, writable: true })
    // slice, subarray and map make their arrays by the constructor that the prototype names.
    Object.defineProperty(original.prototype, "constructor", { value: watched, configurable: true, writable: true })
    this.#restore.push(() => {
      Object.defineProperty(globalThis, name, { value: original, configurable: true, writable: true })
      Object.defineProperty(original.prototype, "constructor", { value: original, configurable: true, writable: true })
    })
  }

  #note(buffer: ArrayBufferLike): void {
    if (this.#seen.has(buffer)) return
    this.#seen.add(buffer)
    this.#buffers.set(new WeakRef(buffer), buffer.byteLength)
  }
}

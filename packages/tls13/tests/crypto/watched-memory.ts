import { expect } from "vitest"
import { engine } from "./assembly-module.ts"

// What a kernel's calls leave in the memory of its instance.

/** The next instance that is made by a kernel's source, and its memory. */
export function watched<Kernel>(source: () => Kernel): { readonly kernel: Kernel; readonly memory: Uint8Array } {
  const before = engine.Instance
  let memory: Uint8Array | undefined
  engine.Instance = class extends before {
    constructor(module: object) {
      super(module)
      memory = new Uint8Array((this.exports as { readonly memory: { readonly buffer: ArrayBuffer } }).memory.buffer)
    }
  }
  try {
    const kernel = source()
    return { kernel, memory: memory! }
  } finally {
    engine.Instance = before
  }
}

/** The memory after a first call, whose tables stay, must be that after another with other numbers. */
export function expectNothingLeft(memory: Uint8Array, call: () => unknown): void {
  call()
  const tables = memory.slice()
  for (let i = 0; i < 10; i++) {
    call()
    expect(Buffer.compare(memory, tables)).toBe(0)
  }
}

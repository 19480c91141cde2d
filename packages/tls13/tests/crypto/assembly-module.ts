import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { main } from "assemblyscript/asc"

// Parts of the WebAssembly kernels by themselves: their modules export operations only, and here it is sums and products.

/**
 * How many times a test takes its usual number of cases. With PUREMQ_KERNEL_CASES=1000000 a kernel's sums and products are
 * more than a million cases; the points of a curve are an eighth as many times theirs, as one is a thousand products.
 */
export const manyTimes: number = Math.ceil(Number(process.env["PUREMQ_KERNEL_CASES"] ?? 3_000) / 3_000)
export const manyPoints: number = Math.ceil(manyTimes / 8)

interface Engine {
  Instance: new (module: object) => { readonly exports: object }
  readonly Module: new (bytes: Uint8Array) => object
}

/** The little of WebAssembly that is used: the types of Node have none of it. */
export const { WebAssembly: engine } = globalThis as unknown as { readonly WebAssembly: Engine }

export interface AssemblyModule {
  /** What the files export: functions from numbers to a number. */
  readonly call: Readonly<Record<string, (...values: readonly (number | bigint)[]) => number>>
  readonly words: Int32Array
  readonly bytes: Uint8Array
  /** The first of the addresses that no part uses; there are 4096 bytes. */
  readonly room: number
}

/** @param files in packages/tls13/assembly, without `.ts` */
export async function assemblyModule(...files: readonly string[]): Promise<AssemblyModule> {
  const folder = mkdtempSync(join(tmpdir(), "puremq-assembly-"))
  try {
    const sources = files.map((file) => fileURLToPath(new URL(`../../assembly/${file}.ts`, import.meta.url)))
    const out = join(folder, "module.wasm")
    // As scripts/kernels.mjs compiles them.
    const options = ["--optimizeLevel", "3", "--noAssert", "--runtime", "stub", "--use", "abort=", "--enable", "simd"]
    const pages = ["--initialMemory", "2", "--maximumMemory", "2", "--zeroFilledMemory"]
    const { error, stderr } = await main([...sources, "--outFile", out, ...options, ...pages])
    if (error) throw new Error(stderr.toString())
    const { exports } = new engine.Instance(new engine.Module(readFileSync(out)))
    const { memory } = exports as { readonly memory: { readonly buffer: ArrayBuffer } }
    return {
      call: exports as AssemblyModule["call"],
      words: new Int32Array(memory.buffer),
      bytes: new Uint8Array(memory.buffer),
      room: memory.buffer.byteLength - 4096,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

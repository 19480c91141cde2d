// The kernels in WebAssembly, where the engine has it: sources in packages/tls13/assembly, compiled by scripts/kernels.mjs.
// A module is compiled and instantiated when the first key or message needs it, once for each provider, and never grows.
// Where that is not possible (no WebAssembly as in QuickJS, no SIMD, a Content-Security-Policy, workerd) the kernels in
// TypeScript do the same work.

/** The little of the WebAssembly interface that is used here; this code knows no runtime's types. */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

declare const WebAssembly: WebAssemblyInterface | undefined

/** Names of the modules, one for each family of algorithms. */
export type KernelModule = "aes-gcm" | "chacha20-poly1305" | "sha2" | "curve25519" | "p256"

/** Modules that the runtime compiled (`WebAssembly.Module`), from the package's files `webassembly/NAME.wasm`. */
export type CompiledModules = { readonly [Name in KernelModule]?: object }

/**
 * `auto`: kernels in WebAssembly where they are faster and the engine has it. `off`: none. Or modules that were imported, for
 * a runtime that does not compile at run time; those that are not given are compiled where that is possible.
 */
export type WebAssemblyChoice = "auto" | "off" | CompiledModules

/** What all modules export. */
export interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer }
}

/** An address or a size that a module exports. */
export interface Exported {
  readonly value: number
}

/**
 * Gives the module's exports, or undefined where it cannot run. Nothing happens before the first call; the instance is kept.
 * @param embedded the module in base64
 */
export function kernels<Exports extends KernelExports>(
  choice: WebAssemblyChoice,
  name: KernelModule,
  embedded: string,
): () => Exports | undefined {
  let made: Exports | undefined
  let tried = choice === "off"
  return () => {
    if (!tried) {
      tried = true
      made = instantiate(typeof choice === "object" ? choice[name] : undefined, embedded) as Exports | undefined
    }
    return made
  }
}

function instantiate(given: object | undefined, embedded: string): object | undefined {
  if (typeof WebAssembly === "undefined") return undefined
  try {
    return new WebAssembly.Instance(given ?? new WebAssembly.Module(fromBase64(embedded))).exports
  } catch {
    // The engine lacks an instruction, or its host forbids to compile or to instantiate here.
    return undefined
  }
}

function fromBase64(text: string): Uint8Array {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  const values = new Uint8Array(128)
  for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i
  const bytes = new Uint8Array(Math.floor((text.replace(/=+$/, "").length * 3) / 4))
  for (let i = 0, at = 0; at < bytes.length; i += 4, at += 3) {
    const value = [0, 1, 2, 3].reduce((sum, k) => (sum << 6) | (values[text.charCodeAt(i + k)] ?? 0), 0)
    bytes[at] = value >>> 16
    bytes[at + 1] = value >>> 8
    bytes[at + 2] = value
  }
  return bytes
}

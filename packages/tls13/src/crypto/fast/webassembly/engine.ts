// The kernels in WebAssembly, where the engine has it: sources in packages/tls13/assembly, compiled by scripts/kernels.mjs.
// A module is compiled and instantiated when the first key or message needs it, and never grows. All providers of an engine
// share one instance: a call is over before the next one begins, and leaves nothing of its own in the memory. (An engine sets
// gigabytes of addresses aside for each memory, and a program may make a provider for each of its connections.)
// Where that is not possible (no WebAssembly as in QuickJS, no SIMD, a Content-Security-Policy, workerd) the kernels in
// TypeScript do the same work.

/** The little of the WebAssembly interface that is used here; this code knows no runtime's types. */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

declare const WebAssembly: WebAssemblyInterface | undefined

/** Names of the modules, one for each family of algorithms. */
export type KernelModule = "aes-gcm" | "chacha20-poly1305" | "sha2" | "curve25519" | "p256" | "p384" | "ml-kem"

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

/** What an engine made of embedded modules, by their text; undefined of one that it did not make. */
const instances: WeakMap<object, Map<string, object | undefined>> = new WeakMap()
/** The same of modules that were given. */
const givenInstances: WeakMap<object, { readonly exports: object | undefined }> = new WeakMap()

/**
 * Gives the module's exports, or undefined where it cannot run. Nothing happens before the first call.
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
      const given = typeof choice === "object" ? choice[name] : undefined
      made = (given === undefined ? ofEmbedded(embedded) : ofGiven(given)) as Exports | undefined
    }
    return made
  }
}

function ofEmbedded(text: string): object | undefined {
  if (typeof WebAssembly === "undefined") return undefined
  const engine = WebAssembly
  const made = instances.get(engine) ?? new Map<string, object | undefined>()
  instances.set(engine, made)
  if (!made.has(text)) {
    made.set(
      text,
      attempt(() => new engine.Instance(new engine.Module(fromBase64(text))).exports),
    )
  }
  return made.get(text)
}

function ofGiven(module: object): object | undefined {
  if (typeof WebAssembly === "undefined") return undefined
  const engine = WebAssembly
  const made = givenInstances.get(module) ?? { exports: attempt(() => new engine.Instance(module).exports) }
  givenInstances.set(module, made)
  return made.exports
}

/** undefined: the engine lacks an instruction, or its host forbids to compile or to instantiate here. */
function attempt(make: () => object): object | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

/** Of whole groups of four characters. */
function fromBase64(text: string): Uint8Array {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  const values = new Uint8Array(128)
  for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  const bytes = new Uint8Array((3 * text.length) / 4 - padding)
  const value = (at: number): number => values[text.charCodeAt(at)]!
  for (let i = 0, at = 0; at < bytes.length; i += 4, at += 3) {
    const group = (value(i) << 18) | (value(i + 1) << 12) | (value(i + 2) << 6) | value(i + 3)
    bytes[at] = group >>> 16
    bytes[at + 1] = group >>> 8
    bytes[at + 2] = group
  }
  return bytes
}

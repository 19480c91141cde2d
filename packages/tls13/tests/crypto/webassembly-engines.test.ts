import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { afterEach, describe, expect, it, vi } from "vitest"
import { type CompiledModules, createFastProvider, type FastProvider } from "../../src/crypto/fast/index.ts"
import { aesGcmModule } from "../../src/crypto/fast/webassembly/modules/aes-gcm.ts"

// What crypto/fast does where the engine has no WebAssembly, or its host forbids it; and when it compiles and instantiates.

interface Engine {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: object }
}

const engine = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly
const refuse = class {
  constructor() {
    throw new Error("Refused to compile or instantiate WebAssembly module: Content Security Policy")
  }
}

afterEach(() => {
  vi.unstubAllGlobals()
})

function languages(provider: FastProvider): Set<string> {
  return new Set(Object.values(provider.kernels()))
}

/** Seals with each suite, and opens with TypeScript. */
function works(provider: FastProvider): void {
  const reference = createFastProvider({ webAssembly: "off" })
  for (const [i, { aead, hash }] of provider.cipherSuites.entries()) {
    const [secret, nonce, text] = [provider.random(aead.keyLength), provider.random(12), provider.random(300)]
    const [sealed, opened] = [new Uint8Array(316), new Uint8Array(300)]
    aead.key(secret).seal(nonce, nonce, text, sealed, 0)
    expect(reference.cipherSuites[i]!.aead.key(secret).open(nonce, nonce, sealed, opened, 0)).toBe(300)
    expect(opened).toEqual(text)
    expect(hash.digest(text)).toEqual(reference.cipherSuites[i]!.hash.digest(text))
  }
}

describe.each([
  { where: "without WebAssembly", stub: undefined },
  { where: "whose host forbids to compile", stub: { ...engine, Module: refuse } },
  { where: "whose host forbids to instantiate", stub: { Module: engine.Module, Instance: refuse } },
])("an engine $where", ({ stub }) => {
  it("has the kernels in TypeScript, and says nothing", () => {
    vi.stubGlobal("WebAssembly", stub)
    const provider = createFastProvider()
    works(provider)
    expect(languages(provider)).toEqual(new Set(["TypeScript"]))
  })
})

it("modules that were compiled elsewhere run where none may be compiled; the rest is in TypeScript", () => {
  const module = new engine.Module(Buffer.from(aesGcmModule, "base64"))
  vi.stubGlobal("WebAssembly", { Module: refuse, Instance: engine.Instance })
  const provider = createFastProvider({ webAssembly: { "aes-gcm": module } satisfies CompiledModules })
  works(provider)
  const { "aes-gcm": aesGcm, ...others } = provider.kernels()
  expect(aesGcm).toBe("WebAssembly")
  expect(new Set(Object.values(others))).toEqual(new Set(["TypeScript"]))
})

it("the file that the package exports is the module that is embedded", () => {
  const file = fileURLToPath(new URL("../../dist/webassembly/aes-gcm.wasm", import.meta.url))
  expect(readFileSync(file).toString("base64")).toBe(aesGcmModule)
})

it("a module is compiled for the first key that needs it, once for an engine and all its providers", () => {
  let [compiled, instantiated] = [0, 0]
  vi.stubGlobal("WebAssembly", {
    Module: class extends engine.Module {
      constructor(bytes: Uint8Array) {
        super(bytes)
        compiled++
      }
    },
    Instance: class extends engine.Instance {
      constructor(module: object) {
        super(module)
        instantiated++
      }
    },
  })
  const provider = createFastProvider()
  expect([compiled, instantiated]).toEqual([0, 0])
  const { aead } = provider.cipherSuites[1]!
  for (let i = 0; i < 100; i++) aead.key(provider.random(16))
  expect([compiled, instantiated]).toEqual([1, 1])
  // AES with 128 and with 256 bits are one module, and so are SHA-256 and SHA-384.
  works(provider)
  const used = Object.keys(provider.kernels()).length
  works(provider)
  works(createFastProvider())
  expect([compiled, instantiated]).toEqual([used, used])
})

it("a host that forbids to compile is asked once, and a module that is given is instantiated once", () => {
  const module = new engine.Module(Buffer.from(aesGcmModule, "base64"))
  let [asked, instantiated] = [0, 0]
  vi.stubGlobal("WebAssembly", {
    Module: class {
      constructor() {
        asked++
        throw new Error("not here")
      }
    },
    Instance: class extends engine.Instance {
      constructor(given: object) {
        super(given)
        instantiated++
      }
    },
  })
  const make = (): FastProvider => createFastProvider({ webAssembly: { "aes-gcm": module } })
  const used = Object.keys(make().kernels()).length
  works(make())
  works(make())
  expect([asked, instantiated]).toEqual([used - 1, 1])
})

it("a program that is made of the kernels in TypeScript carries none in WebAssembly", async () => {
  const bundled = async (names: string): Promise<string> => {
    const { outputFiles } = await build({
      stdin: {
        contents: `export { ${names} } from "./index.ts"`,
        resolveDir: fileURLToPath(new URL("../../src/crypto/fast", import.meta.url)),
      },
      bundle: true,
      format: "esm",
      platform: "neutral",
      write: false,
    })
    return outputFiles[0]!.text
  }
  // The first bytes of any module, and the interface.
  const traces = /AGFzbQ|WebAssembly/
  expect(await bundled("createPlainAesGcm, createPlainChaCha20Poly1305, createPlainSha256")).not.toMatch(traces)
  const aes = await bundled("createAesGcm")
  expect(aes.match(/"AGFzbQ/g)).toHaveLength(1)
})

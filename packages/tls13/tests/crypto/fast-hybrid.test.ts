import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { afterEach, describe, expect, it, vi } from "vitest"
import {
  createMLKEM512,
  createMLKEM768,
  createMLKEM1024,
  createMlKem768,
  createMlKem1024,
  createSecP256r1MLKEM768,
  createSecP384r1MLKEM1024,
  createX25519MLKEM768,
} from "../../src/crypto/fast-pq/index.ts"
import { withX25519MLKEM768 } from "../../src/crypto/fast-pq/with-x25519mlkem768.ts"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import * as noble from "../../src/crypto/noble-pq/index.ts"
import { hybridConformance } from "./hybrid-conformance.ts"

const { random } = createNobleProvider()

hybridConformance({
  mlKem768: createMlKem768(),
  mlKem1024: createMlKem1024(),
  MLKEM512: createMLKEM512(),
  MLKEM768: createMLKEM768(),
  MLKEM1024: createMLKEM1024(),
  x25519MlKem768: createX25519MLKEM768(),
  secP256r1MlKem768: createSecP256r1MLKEM768(),
  secP384r1MlKem1024: createSecP384r1MLKEM1024(),
})

describe.each([
  { language: "WebAssembly", webAssembly: "auto" },
  { language: "TypeScript", webAssembly: "off" },
] as const)("kernels in $language", ({ language, webAssembly }) => {
  it("are what runs here", () => {
    const kernels = [createMlKem768(webAssembly), createMlKem1024(webAssembly)].map((mlKem) => mlKem.kernel())
    expect(kernels).toEqual([language, language])
  })

  it.each([
    { own: createMLKEM768(webAssembly), noble: noble.createMLKEM768() },
    { own: createMLKEM1024(webAssembly), noble: noble.createMLKEM1024() },
    { own: createX25519MLKEM768(webAssembly), noble: noble.createX25519MLKEM768() },
    { own: createSecP256r1MLKEM768(webAssembly), noble: noble.createSecP256r1MLKEM768() },
    { own: createSecP384r1MLKEM1024(webAssembly), noble: noble.createSecP384r1MLKEM1024() },
  ])("$own.name: agrees with noble's, as either side", (groups) => {
    for (const [client, server] of [
      [groups.own, groups.noble],
      [groups.noble, groups.own],
    ] as const) {
      const started = client.start(random)
      const answer = server.respond(started.share, random)
      expect(started.complete(answer.share)).toEqual(answer.secret)
    }
  })
})

describe("an engine without WebAssembly", () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  it("has noble's ML-KEM, and says nothing", () => {
    vi.stubGlobal("WebAssembly", undefined)
    const mlKem = createMlKem768()
    expect(mlKem.kernel()).toBe("TypeScript")
    const { publicKey, secretKey } = mlKem.keygen(random(64))
    const { cipherText, sharedSecret } = mlKem.encapsulate(publicKey, random(32))
    expect(mlKem.decapsulate(cipherText, secretKey)).toEqual(sharedSecret)
  })
})

it("whose program has no hybrid group carries none of it, and who has one carries its curve alone", async () => {
  const bundled = async (contents: string): Promise<string> => {
    const resolveDir = fileURLToPath(new URL("../../src/crypto", import.meta.url))
    const options = { bundle: true, format: "esm", platform: "neutral", write: false } as const
    return (await build({ stdin: { contents, resolveDir }, ...options })).outputFiles[0]!.text
  }
  expect(await bundled(`export * from "./fast/index.ts"`)).not.toMatch(/ML-KEM|mlKem/)
  const own = await bundled(`export { createX25519MLKEM768 } from "./fast-pq/index.ts"`)
  // ML-KEM and X25519.
  expect(own.match(/"AGFzbQ/g)).toHaveLength(2)
})

describe("decision 27: X25519MLKEM768 by the kernel alone", () => {
  afterEach(() => vi.unstubAllGlobals())
  const provider = createNobleProvider()

  it("is put before the groups of a provider", () => {
    const names = withX25519MLKEM768(provider).keyExchanges.map(({ name }) => name)
    expect(names).toEqual(["X25519MLKEM768", ...provider.keyExchanges.map(({ name }) => name)])
  })

  it.each([
    ["no WebAssembly", undefined],
    ["no vectors", { validate: () => false }],
  ])("%s: the provider stays as it was", (_, engine) => {
    vi.stubGlobal("WebAssembly", engine)
    expect(withX25519MLKEM768(provider)).toBe(provider)
  })
})

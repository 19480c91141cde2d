import { describe, expect, it } from "vitest"
import { createFastProvider, type FastProvider, type FastProviderOptions } from "../../src/crypto/fast/index.ts"

// The fast provider with its kernels in WebAssembly, and with those in TypeScript: what is tested of it is tested of both.

const variants = [
  { language: "WebAssembly", webAssembly: "auto" },
  { language: "TypeScript", webAssembly: "off" },
] as const

type Create = (options?: Pick<FastProviderOptions, "random">) => FastProvider

/** @param test is given what makes a provider of the variant, and how a kernel of it is asked for */
export function describeFast(test: (create: Create, webAssembly: "auto" | "off") => void): void {
  describe.each(variants)("kernels in $language", ({ language, webAssembly }) => {
    const create: Create = (options) => createFastProvider({ ...options, webAssembly })

    it(`is what runs here: no module is missing, and none is used unasked`, () => {
      const kernels = Object.values(create().kernels())
      expect(kernels.length).toBeGreaterThan(0)
      expect(new Set(kernels)).toEqual(new Set([language]))
    })

    test(create, webAssembly)
  })
}

import { describe, expect, it } from "vitest"
import { createFastProvider, type FastProvider, type FastProviderOptions } from "../../src/crypto/fast/index.ts"

// The fast provider with its kernels in WebAssembly, and with those in TypeScript: what is tested of it is tested of both.

const variants = [
  { language: "WebAssembly", webAssembly: "auto" },
  { language: "TypeScript", webAssembly: "off" },
] as const
/** What concerns AES-GCM is tested of this, too. */
const withTables = { language: "WebAssembly", webAssembly: "auto", ghash: "tables" } as const

type Create = (options?: Pick<FastProviderOptions, "random">) => FastProvider

/** @param test is given what makes a provider of the variant, and how a kernel of it is asked for */
export function describeFast(test: (create: Create, webAssembly: "auto" | "off") => void): void {
  describe.each(variants)("kernels in $language", (variant) => describeVariant(variant, test))
}

/** The same, and AES-GCM with tables. */
export function describeFastSymmetric(test: (create: Create) => void): void {
  describeFast(test)
  describe("kernels in WebAssembly, GHASH with tables", () => describeVariant(withTables, test))
}

function describeVariant(
  { language, ...options }: (typeof variants)[number] | typeof withTables,
  test: (create: Create, webAssembly: "auto" | "off") => void,
): void {
  const create: Create = (more) => createFastProvider({ ...more, ...options })

  it(`is what runs here: no module is missing, and none is used unasked`, () => {
    const kernels = Object.values(create().kernels())
    expect(kernels.length).toBeGreaterThan(0)
    expect(new Set(kernels)).toEqual(new Set([language]))
  })

  test(create, options.webAssembly)
}

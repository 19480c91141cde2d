import { expect, it } from "vitest"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { mlDsaSignatures, mldsa44 } from "../../src/crypto/noble-pq/index.ts"
import { mlDsaConformance } from "./ml-dsa-conformance.ts"
import { mlDsaKeyFor, publicHalf } from "./ml-dsa-keys.ts"

const provider = createNobleProvider()

mlDsaConformance({ ...provider, signatures: mlDsaSignatures })

it("an expanded key is kept for as long as the seed has the bytes that it was made of", () => {
  const [key, other] = [mlDsaKeyFor("mldsa44", provider.random), mlDsaKeyFor("mldsa44", provider.random)]
  const message = new Uint8Array(10)
  expect(mldsa44.verify(publicHalf(key), message, mldsa44.sign(key, message, provider.random))).toBe(true)
  key.seed!.set(other.seed!)
  const signature = mldsa44.sign(key, message, provider.random)
  expect(mldsa44.verify(publicHalf(other), message, signature)).toBe(true)
})

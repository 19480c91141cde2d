import { expect, it } from "vitest"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { describeFast } from "./fast-variants.ts"
import { keyExchangeConformance } from "./key-exchange-conformance.ts"

describeFast((create) => {
  const fast = create()
  keyExchangeConformance(fast, ["x25519", "secp256r1"])

  it("fast: secp384r1 and secp521r1 are the noble provider's", () => {
    expect(fast.keyExchanges[2]).toBe(createNobleProvider().keyExchanges[2])
    expect(fast.keyExchanges[3]).toBe(createNobleProvider().keyExchanges[3])
  })
})

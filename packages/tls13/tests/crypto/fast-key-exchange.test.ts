import { expect, it } from "vitest"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { describeFast } from "./fast-variants.ts"
import { keyExchangeConformance } from "./key-exchange-conformance.ts"

describeFast((create) => {
  const fast = create()
  keyExchangeConformance(fast, ["x25519", "secp256r1", "secp384r1"])

  it("fast: secp521r1 is the noble provider's", () => {
    expect(fast.keyExchanges[3]).toBe(createNobleProvider().keyExchanges[3])
  })
})

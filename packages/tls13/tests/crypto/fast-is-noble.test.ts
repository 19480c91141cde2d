// What the fast provider does not compute itself is the noble provider's own object, so that noble's Wycheproof runs are
// runs of `fast` too. What it does compute is in fast-key-exchange, fast-ecdsa, fast-signing and fast-symmetric.

import { expect, it } from "vitest"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import * as noble from "../../src/crypto/noble/index.ts"

const fast = createFastProvider()

it("takes P-521 from noble as it is", () => {
  expect(fast.keyExchanges).toContain(noble.secp521r1)
})

it("takes RSA from noble as it is", () => {
  const { rsaPssSha256, rsaPssSha384, rsaPssSha512, rsaPkcs1Sha256, rsaPkcs1Sha384, rsaPkcs1Sha512 } = noble
  const pss = [rsaPssSha256, rsaPssSha384, rsaPssSha512]
  const pkcs1 = [rsaPkcs1Sha256, rsaPkcs1Sha384, rsaPkcs1Sha512]
  for (const algorithm of [...pss, ...pkcs1]) expect(fast.signatures).toContain(algorithm)
})

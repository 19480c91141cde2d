import { describe } from "vitest"
import { createHostProvider } from "../../src/crypto/host/index.ts"
import { mlDsaConformance } from "./ml-dsa-conformance.ts"

const provider = createHostProvider()
describe.skipIf(!provider.signatures.some(({ name }) => name === "mldsa44"))("node:crypto from Node 24.7 on", () => {
  mlDsaConformance(provider)
})

import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { mlDsaSignatures } from "../../src/crypto/noble-pq/index.ts"
import { bytesConformance } from "./bytes-conformance.ts"

bytesConformance((options) => {
  const provider = createNobleProvider(options)
  return { ...provider, signatures: [...provider.signatures, ...mlDsaSignatures] }
})

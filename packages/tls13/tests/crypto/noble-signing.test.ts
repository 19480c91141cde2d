import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { mlDsaSignatures } from "../../src/crypto/noble-pq/index.ts"
import { eddsaConformance, signingConformance } from "./signature-conformance.ts"

const provider = createNobleProvider()
eddsaConformance(provider)
signingConformance({ ...provider, signatures: [...provider.signatures, ...mlDsaSignatures] })

import { createHostProvider } from "../../src/crypto/host/index.ts"
import { eddsaConformance, signingConformance } from "./signature-conformance.ts"

const provider = createHostProvider()
eddsaConformance(provider)
signingConformance(provider)

import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { eddsaConformance, signingConformance } from "./signature-conformance.ts"

const provider = createFastProvider()
eddsaConformance(provider)
signingConformance(provider)

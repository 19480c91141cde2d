import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { eddsaConformance, signingConformance } from "./signature-conformance.ts"

const provider = createNobleProvider()
eddsaConformance(provider)
signingConformance(provider)

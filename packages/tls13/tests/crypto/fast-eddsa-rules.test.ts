import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { eddsaRulesConformance } from "./eddsa-rules-conformance.ts"

eddsaRulesConformance(createFastProvider())

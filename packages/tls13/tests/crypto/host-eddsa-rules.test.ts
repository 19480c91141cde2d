import { createHostProvider } from "../../src/crypto/host/index.ts"
import { eddsaRulesConformance } from "./eddsa-rules-conformance.ts"

eddsaRulesConformance(createHostProvider())

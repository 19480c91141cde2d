import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { eddsaRulesConformance } from "./eddsa-rules-conformance.ts"

eddsaRulesConformance(createNobleProvider())

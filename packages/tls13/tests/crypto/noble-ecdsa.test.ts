import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { ecdsaConformance } from "./signature-conformance.ts"

ecdsaConformance(createNobleProvider())

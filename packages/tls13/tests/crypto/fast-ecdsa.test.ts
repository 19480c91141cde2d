import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { ecdsaConformance } from "./signature-conformance.ts"

ecdsaConformance(createFastProvider())

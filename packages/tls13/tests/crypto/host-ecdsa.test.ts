import { createHostProvider } from "../../src/crypto/host/index.ts"
import { ecdsaConformance } from "./signature-conformance.ts"

ecdsaConformance(createHostProvider())

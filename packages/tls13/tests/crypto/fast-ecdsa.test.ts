import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { ecdsaConformance } from "./signature-conformance.ts"

// Keys of the other curves go on to the noble provider; noble-ecdsa.test.ts has them.
ecdsaConformance(createFastProvider(), ["P-256"])

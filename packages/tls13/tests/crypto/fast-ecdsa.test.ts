import { describeFast } from "./fast-variants.ts"
import { ecdsaConformance } from "./signature-conformance.ts"

// Keys of the other curves go on to the noble provider; noble-ecdsa.test.ts has them.
describeFast((create) => ecdsaConformance(create(), ["P-256"]))

import { describeFast } from "./fast-variants.ts"
import { ecdsaConformance } from "./signature-conformance.ts"

// Keys of P-521 go on to the noble provider, as those of P-384 do without WebAssembly; noble-ecdsa.test.ts has them.
describeFast((create) => ecdsaConformance(create(), ["P-256", "P-384"]))

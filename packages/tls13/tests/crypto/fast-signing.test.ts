import { describeFast } from "./fast-variants.ts"
import { eddsaConformance, signingConformance } from "./signature-conformance.ts"

describeFast((create) => {
  const provider = create()
  eddsaConformance(provider)
  signingConformance(provider)
})

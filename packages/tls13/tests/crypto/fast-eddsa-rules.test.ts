import { eddsaRulesConformance } from "./eddsa-rules-conformance.ts"
import { describeFast } from "./fast-variants.ts"

describeFast((create) => eddsaRulesConformance(create()))

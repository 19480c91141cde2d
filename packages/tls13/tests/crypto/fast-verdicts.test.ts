import { describeFast } from "./fast-variants.ts"
import { verdictConformance } from "./verdict-conformance.ts"

describeFast((create) => verdictConformance(create()))

import { describeFast } from "./fast-variants.ts"
import { symmetricConformance } from "./symmetric-conformance.ts"

describeFast((create) => symmetricConformance(create()))

import { describeFastSymmetric } from "./fast-variants.ts"
import { symmetricConformance } from "./symmetric-conformance.ts"

describeFastSymmetric((create) => symmetricConformance(create()))

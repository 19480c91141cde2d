import { bytesConformance } from "./bytes-conformance.ts"
import { describeFast } from "./fast-variants.ts"

describeFast(bytesConformance)

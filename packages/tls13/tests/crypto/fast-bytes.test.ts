import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { bytesConformance } from "./bytes-conformance.ts"

bytesConformance(createFastProvider)

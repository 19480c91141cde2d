import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { bytesConformance } from "./bytes-conformance.ts"

bytesConformance(createNobleProvider)

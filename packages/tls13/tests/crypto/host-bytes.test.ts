import { createHostProvider } from "../../src/crypto/host/index.ts"
import { bytesConformance } from "./bytes-conformance.ts"

bytesConformance(createHostProvider)

import { createHostProvider } from "../../src/crypto/host/index.ts"
import { verdictConformance } from "./verdict-conformance.ts"

verdictConformance(createHostProvider())

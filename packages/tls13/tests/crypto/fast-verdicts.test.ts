import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { verdictConformance } from "./verdict-conformance.ts"

verdictConformance(createFastProvider())

import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { verdictConformance } from "./verdict-conformance.ts"

verdictConformance(createNobleProvider())

import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { keyExchangeConformance } from "./key-exchange-conformance.ts"

keyExchangeConformance(createFastProvider())

import { createHostProvider } from "../../src/crypto/host/index.ts"
import { keyExchangeConformance } from "./key-exchange-conformance.ts"

keyExchangeConformance(createHostProvider())

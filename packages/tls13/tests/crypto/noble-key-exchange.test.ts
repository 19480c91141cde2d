import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { keyExchangeConformance } from "./key-exchange-conformance.ts"

keyExchangeConformance(createNobleProvider())

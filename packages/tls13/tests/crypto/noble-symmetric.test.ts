import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { symmetricConformance } from "./symmetric-conformance.ts"

symmetricConformance(createNobleProvider())

import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { symmetricConformance } from "./symmetric-conformance.ts"

symmetricConformance(createFastProvider())

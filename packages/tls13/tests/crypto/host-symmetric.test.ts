import { createHostProvider } from "../../src/crypto/host/index.ts"
import { symmetricConformance } from "./symmetric-conformance.ts"

symmetricConformance(createHostProvider())

import { createHostProvider } from "../../src/crypto/host/index.ts"
import { rsaPkcs1Conformance, rsaPssConformance } from "./signature-conformance.ts"

const provider = createHostProvider()
rsaPssConformance(provider)
rsaPkcs1Conformance(provider)

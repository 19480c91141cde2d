import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import { rsaPkcs1Conformance, rsaPssConformance } from "./signature-conformance.ts"

const provider = createNobleProvider()
rsaPssConformance(provider)
rsaPkcs1Conformance(provider)

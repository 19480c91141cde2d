import { expect, it } from "vitest"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import {
  createMLKEM512,
  createMLKEM768,
  createMLKEM1024,
  createSecP256r1MLKEM768,
  createSecP384r1MLKEM1024,
  createX25519MLKEM768,
  mlKem768,
  mlKem1024,
} from "../../src/crypto/noble-pq/index.ts"
import { hybridConformance } from "./hybrid-conformance.ts"

hybridConformance({
  mlKem768: mlKem768(),
  mlKem1024: mlKem1024(),
  MLKEM512: createMLKEM512(),
  MLKEM768: createMLKEM768(),
  MLKEM1024: createMLKEM1024(),
  x25519MlKem768: createX25519MLKEM768(),
  secP256r1MlKem768: createSecP256r1MLKEM768(),
  secP384r1MlKem1024: createSecP384r1MLKEM1024(),
})

it("takes its classical half from another provider", () => {
  const { random } = createNobleProvider()
  const fast = createX25519MLKEM768(createFastProvider().keyExchanges.find((row) => row.name === "x25519"))
  const started = fast.start(random)
  const answer = createX25519MLKEM768().respond(started.share, random)
  expect(started.complete(answer.share)).toEqual(answer.secret)
})

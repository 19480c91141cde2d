import { ml_kem512, ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js"
import type { MlKem } from "./kem.ts"

// ML-KEM of @noble/post-quantum, as the groups use it.

/** FIPS 203, ML-KEM-512. */
export function mlKem512(): MlKem {
  return of(ml_kem512, 800, 768)
}

/** FIPS 203, ML-KEM-768. */
export function mlKem768(): MlKem {
  return of(ml_kem768, 1184, 1088)
}

/** FIPS 203, ML-KEM-1024. */
export function mlKem1024(): MlKem {
  return of(ml_kem1024, 1568, 1568)
}

function of(noble: typeof ml_kem768, encapsulationKeyLength: number, ciphertextLength: number): MlKem {
  return {
    encapsulationKeyLength,
    ciphertextLength,
    keygen: (seed) => noble.keygen(seed),
    encapsulate: (key, m) => noble.encapsulate(key, m),
    decapsulate: (ciphertext, secretKey) => noble.decapsulate(ciphertext, secretKey),
  }
}

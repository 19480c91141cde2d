import { ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js"
import { secp256r1, secp384r1 } from "../noble/nist.ts"
import { x25519 } from "../noble/x25519.ts"
import type { ImmediateKeyExchange } from "../provider.ts"
import { hybrid, type MlKem } from "./hybrid.ts"

// The hybrid groups of draft-ietf-tls-ecdhe-mlkem with ML-KEM of @noble/post-quantum, which is installed only where it is
// wanted. Put them in front of a provider's `keyExchanges`:
//   const provider = createNobleProvider()
//   const config = { provider: { ...provider, keyExchanges: [createX25519MLKEM768(), ...provider.keyExchanges] } }
// Side channels: sampling and arithmetic of ML-KEM run on small integers without secret table reads; noble itself claims
// no constant time beyond that.

/** ML-KEM-768 first. @param classical another provider's x25519, for speed */
export function createX25519MLKEM768(classical: ImmediateKeyExchange = x25519): ImmediateKeyExchange {
  return hybrid({ name: "X25519MLKEM768", mlKem: mlKem768(), classical, classicalLength: 32, first: "ml-kem" })
}

/** ECDH first. @param classical another provider's secp256r1 */
export function createSecP256r1MLKEM768(classical: ImmediateKeyExchange = secp256r1): ImmediateKeyExchange {
  return hybrid({ name: "SecP256r1MLKEM768", mlKem: mlKem768(), classical, classicalLength: 65, first: "classical" })
}

/** ECDH first. @param classical another provider's secp384r1 */
export function createSecP384r1MLKEM1024(classical: ImmediateKeyExchange = secp384r1): ImmediateKeyExchange {
  return hybrid({ name: "SecP384r1MLKEM1024", mlKem: mlKem1024(), classical, classicalLength: 97, first: "classical" })
}

/** FIPS 203, ML-KEM-768. */
export function mlKem768(): MlKem {
  return {
    encapsulationKeyLength: 1184,
    ciphertextLength: 1088,
    keygen: (seed) => ml_kem768.keygen(seed),
    encapsulate: (key, m) => ml_kem768.encapsulate(key, m),
    decapsulate: (ciphertext, secretKey) => ml_kem768.decapsulate(ciphertext, secretKey),
  }
}

/** FIPS 203, ML-KEM-1024. */
export function mlKem1024(): MlKem {
  return {
    encapsulationKeyLength: 1568,
    ciphertextLength: 1568,
    keygen: (seed) => ml_kem1024.keygen(seed),
    encapsulate: (key, m) => ml_kem1024.encapsulate(key, m),
    decapsulate: (ciphertext, secretKey) => ml_kem1024.decapsulate(ciphertext, secretKey),
  }
}

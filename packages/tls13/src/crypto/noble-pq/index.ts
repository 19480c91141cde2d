import { secp256r1, secp384r1 } from "../noble/nist.ts"
import { x25519 } from "../noble/x25519.ts"
import type { ImmediateKeyExchange } from "../provider.ts"
import { alone } from "./alone.ts"
import { hybrid } from "./hybrid.ts"
import { mlKem512, mlKem768, mlKem1024 } from "./ml-kem.ts"

export type { MlKem } from "./kem.ts"
export {
  generateMlDsaKey,
  generateMlDsaKeyPair,
  mlDsaPublicKey,
  mlDsaSignatures,
  mldsa44,
  mldsa65,
  mldsa87,
} from "./ml-dsa.ts"
export { mlKem512, mlKem768, mlKem1024 } from "./ml-kem.ts"

// The hybrid groups of draft-ietf-tls-ecdhe-mlkem, and ML-KEM alone of draft-ietf-tls-mlkem, with ML-KEM of @noble/post-quantum, which is installed only where it is
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

/** ML-KEM-512 by itself, without a classical half. */
export function createMLKEM512(): ImmediateKeyExchange {
  return alone("MLKEM512", mlKem512())
}

/** ML-KEM-768 by itself, without a classical half. */
export function createMLKEM768(): ImmediateKeyExchange {
  return alone("MLKEM768", mlKem768())
}

/** ML-KEM-1024 by itself, without a classical half. */
export function createMLKEM1024(): ImmediateKeyExchange {
  return alone("MLKEM1024", mlKem1024())
}

import { createX25519 } from "../fast/webassembly/curve25519.ts"
import type { WebAssemblyChoice } from "../fast/webassembly/engine.ts"
import { createP256Algorithms } from "../fast/webassembly/p256.ts"
import { createSecp384r1 } from "../fast/webassembly/p384.ts"
import { alone } from "../noble-pq/alone.ts"
import { hybrid } from "../noble-pq/hybrid.ts"
import type { ImmediateKeyExchange } from "../provider.ts"
import { createMlKem768, createMlKem1024 } from "./ml-kem.ts"

// The hybrid groups of draft-ietf-tls-ecdhe-mlkem, and ML-KEM alone of draft-ietf-tls-mlkem, with kernels of our own. Put them in
// front of a provider's `keyExchanges`:
//   const provider = createFastProvider()
//   const config = { provider: { ...provider, keyExchanges: [createX25519MLKEM768(), ...provider.keyExchanges] } }
// Where there is no WebAssembly, ML-KEM is that of @noble/post-quantum, which has to be installed.

// The kernels have the noise of the two larger sets only: MLKEM512 is noble's as well.
export { createMLKEM512 } from "../noble-pq/index.ts"
// ML-DSA has no kernel of ours: it is noble's.
export {
  generateMlDsaKey,
  generateMlDsaKeyPair,
  mlDsaPublicKey,
  mlDsaSignatures,
  mldsa44,
  mldsa65,
  mldsa87,
} from "../noble-pq/ml-dsa.ts"
export { createMlKem768, createMlKem1024, type FastMlKem } from "./ml-kem.ts"

/**
 * ML-KEM-768 first.
 * @param webAssembly as of `createFastProvider`
 * @param classical another x25519, such as the host's
 */
export function createX25519MLKEM768(
  webAssembly: WebAssemblyChoice = "auto",
  classical: ImmediateKeyExchange = createX25519(webAssembly),
): ImmediateKeyExchange {
  const mlKem = createMlKem768(webAssembly)
  return hybrid({ name: "X25519MLKEM768", mlKem, classical, classicalLength: 32, first: "ml-kem" })
}

/** ECDH first. @param webAssembly as of `createFastProvider`. @param classical another secp256r1 */
export function createSecP256r1MLKEM768(
  webAssembly: WebAssemblyChoice = "auto",
  classical: ImmediateKeyExchange = createP256Algorithms(webAssembly).secp256r1,
): ImmediateKeyExchange {
  const mlKem = createMlKem768(webAssembly)
  return hybrid({ name: "SecP256r1MLKEM768", mlKem, classical, classicalLength: 65, first: "classical" })
}

/** ECDH first. @param webAssembly as of `createFastProvider`. @param classical another secp384r1 */
export function createSecP384r1MLKEM1024(
  webAssembly: WebAssemblyChoice = "auto",
  classical: ImmediateKeyExchange = createSecp384r1(webAssembly),
): ImmediateKeyExchange {
  const mlKem = createMlKem1024(webAssembly)
  return hybrid({ name: "SecP384r1MLKEM1024", mlKem, classical, classicalLength: 97, first: "classical" })
}

/** ML-KEM-768 by itself, without a classical half. @param webAssembly as of `createFastProvider` */
export function createMLKEM768(webAssembly: WebAssemblyChoice = "auto"): ImmediateKeyExchange {
  return alone("MLKEM768", createMlKem768(webAssembly))
}

/** ML-KEM-1024 by itself, without a classical half. @param webAssembly as of `createFastProvider` */
export function createMLKEM1024(webAssembly: WebAssemblyChoice = "auto"): ImmediateKeyExchange {
  return alone("MLKEM1024", createMlKem1024(webAssembly))
}

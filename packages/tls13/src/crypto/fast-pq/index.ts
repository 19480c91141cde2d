import { createX25519 } from "../fast/webassembly/curve25519.ts"
import type { WebAssemblyChoice } from "../fast/webassembly/engine.ts"
import { createP256Algorithms } from "../fast/webassembly/p256.ts"
import { createSecp384r1 } from "../fast/webassembly/p384.ts"
import { hybrid } from "../noble-pq/hybrid.ts"
import type { ImmediateKeyExchange } from "../provider.ts"
import { createMlKem768, createMlKem1024 } from "./ml-kem.ts"

// The hybrid groups of draft-ietf-tls-ecdhe-mlkem with kernels of our own for both halves. Put them in front of a provider's
// `keyExchanges`:
//   const provider = createFastProvider()
//   const config = { provider: { ...provider, keyExchanges: [createX25519MLKEM768(), ...provider.keyExchanges] } }
// Where there is no WebAssembly, ML-KEM is that of @noble/post-quantum, which has to be installed.

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

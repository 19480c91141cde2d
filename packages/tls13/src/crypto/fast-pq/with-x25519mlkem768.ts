import { hybrid } from "../noble-pq/hybrid.ts"
import type { MlKem } from "../noble-pq/kem.ts"
import type { ImmediateCryptoProvider } from "../provider.ts"
import { mlKemKernel, mlKemLengths } from "./ml-kem-kernel.ts"

// X25519MLKEM768 by our kernel alone, without @noble/post-quantum to fall back on, which need not be installed.

/** This engine's, of which nothing else is known here. */
declare const WebAssembly: { validate(bytes: Uint8Array): boolean } | undefined

/** The provider with X25519MLKEM768 before its other groups; itself where the kernel cannot run. */
export function withX25519MLKEM768<Provider extends ImmediateCryptoProvider>(provider: Provider): Provider {
  const classical = provider.keyExchanges.find(({ name }) => name === "x25519")
  if (classical === undefined || !hasVectors()) return provider
  const kernel = mlKemKernel(3, "auto")
  // Compiled with the first share, not with the program.
  const made = (): MlKem => {
    const mlKem = kernel()
    if (mlKem === undefined) throw new Error("the kernel of ML-KEM cannot run here: choose groups without it")
    return mlKem
  }
  const mlKem: MlKem = {
    ...mlKemLengths[3],
    keygen: (seed) => made().keygen(seed),
    encapsulate: (key, m) => made().encapsulate(key, m),
    decapsulate: (ciphertext, secretKey) => made().decapsulate(ciphertext, secretKey),
  }
  const group = hybrid({ name: "X25519MLKEM768", mlKem, classical, classicalLength: 32, first: "ml-kem" })
  return { ...provider, keyExchanges: [group, ...provider.keyExchanges] }
}

/** Whether there is WebAssembly with vectors: a module of one function that makes one. */
function hasVectors(): boolean {
  if (typeof WebAssembly === "undefined") return false
  return WebAssembly.validate(vectors)
}

const vectors = /* @__PURE__ */ Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0],
  ...[10, 10, 1, 8, 0, 0x41, 0, 0xfd, 15, 0xfd, 98, 11],
)

import type { WebAssemblyChoice } from "../fast/webassembly/engine.ts"
import type { MlKem } from "../noble-pq/kem.ts"
import { mlKem768, mlKem1024 } from "../noble-pq/ml-kem.ts"
import { mlKemKernel } from "./ml-kem-kernel.ts"

// ML-KEM by our kernel; noble's where there is no WebAssembly.

export interface FastMlKem extends MlKem {
  /** What it is computed by, here and now. */
  kernel(): "WebAssembly" | "TypeScript"
}

/** FIPS 203, ML-KEM-768. @param webAssembly `off`: noble's */
export function createMlKem768(webAssembly: WebAssemblyChoice = "auto"): FastMlKem {
  return mlKem(mlKemKernel(3, webAssembly), mlKem768())
}

/** FIPS 203, ML-KEM-1024. @param webAssembly `off`: noble's */
export function createMlKem1024(webAssembly: WebAssemblyChoice = "auto"): FastMlKem {
  return mlKem(mlKemKernel(4, webAssembly), mlKem1024())
}

function mlKem(kernel: () => MlKem | undefined, plain: MlKem): FastMlKem {
  const implementation = (): MlKem => kernel() ?? plain
  return {
    encapsulationKeyLength: plain.encapsulationKeyLength,
    ciphertextLength: plain.ciphertextLength,
    keygen: (seed) => implementation().keygen(seed),
    encapsulate: (key, m) => implementation().encapsulate(key, m),
    decapsulate: (ciphertext, secretKey) => implementation().decapsulate(ciphertext, secretKey),
    kernel: () => (implementation() === plain ? "TypeScript" : "WebAssembly"),
  }
}

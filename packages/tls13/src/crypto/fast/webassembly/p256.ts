import type { CurveKernel } from "../curves/kernel.ts"
import { type P256Algorithms, p256Over } from "../p256/algorithms.ts"
import { plainP256 } from "../p256/plain.ts"
import { type CurveExports, WebAssemblyCurve } from "./curve.ts"
import { kernels, type WebAssemblyChoice } from "./engine.ts"
import { hashesOver } from "./hashes.ts"
import { p256Module } from "./modules/p256.ts"
import { p384Kernel } from "./p384.ts"
import { sha2Kernel } from "./sha2.ts"

// P-256 over packages/tls13/assembly/p256.

/** One instance, when it is first asked for; the kernel in TypeScript where there is none. */
export function p256Kernel(choice: WebAssemblyChoice): () => CurveKernel {
  const exports = kernels<CurveExports>(choice, "p256", p256Module)
  const plain = plainP256()
  let kernel: CurveKernel | undefined
  return () => {
    if (kernel === undefined) {
      const made = exports()
      kernel = made === undefined ? plain() : new WebAssemblyCurve(made, 32)
    }
    return kernel
  }
}

/** ECDH on P-256, and ECDSA by keys of P-256 and P-384, in WebAssembly, or in TypeScript where that is not possible. */
export function createP256Algorithms(webAssembly: WebAssemblyChoice = "auto"): P256Algorithms {
  return p256Over(p256Kernel(webAssembly), hashesOver(sha2Kernel(webAssembly)), p384Kernel(webAssembly))
}

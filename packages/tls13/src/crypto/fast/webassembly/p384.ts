import type { ImmediateKeyExchange } from "../../provider.ts"
import type { CurveKernel } from "../curves/kernel.ts"
import { secp384r1Over } from "../p384/algorithms.ts"
import { type CurveExports, WebAssemblyCurve } from "./curve.ts"
import { kernels, type WebAssemblyChoice } from "./engine.ts"
import { p384Module } from "./modules/p384.ts"

// P-384 over packages/tls13/assembly/p384.

/** One instance, when it is first asked for; undefined where there is none. */
export function p384Kernel(choice: WebAssemblyChoice): () => CurveKernel | undefined {
  const exports = kernels<CurveExports>(choice, "p384", p384Module)
  let kernel: CurveKernel | undefined
  return () => {
    const made = exports()
    if (made !== undefined) kernel ??= new WebAssemblyCurve(made, 48)
    return kernel
  }
}

/** ECDH on P-384 in WebAssembly, or noble's where that is not possible. */
export function createSecp384r1(webAssembly: WebAssemblyChoice = "auto"): ImmediateKeyExchange {
  return secp384r1Over(p384Kernel(webAssembly))
}

// The kernels of crypto/fast: which of them run here, and that they compute what those in TypeScript do.

import { type CompiledModules, createFastProvider, type FastProvider } from "../dist/crypto/fast/index.js"

/** @param modules those that the runtime compiled, where it compiles none at run time */
export function kernelChecks(modules?: CompiledModules): string[] {
  const done: string[] = []
  const [plain, own] = [createFastProvider({ webAssembly: "off" }), createFastProvider()]
  compare(plain, own)
  done.push(`kernels: ${languages(own)}`)
  // A runtime that compiles needs no modules.
  const wanted = modules === undefined ? own : createFastProvider({ webAssembly: modules })
  if (languages(wanted) !== "WebAssembly") throw new Error(`kernels: ${languages(wanted)}, wanted WebAssembly`)
  if (modules === undefined) return done
  compare(plain, wanted)
  done.push("kernels: WebAssembly, by modules that were imported")
  return done
}

function languages(provider: FastProvider): string {
  return [...new Set(Object.values(provider.kernels()))].join(" and ")
}

function compare(one: FastProvider, other: FastProvider): void {
  const [nonce, plaintext] = [one.random(12), one.random(1000)]
  for (const [i, { name, aead, hash }] of one.cipherSuites.entries()) {
    const key = one.random(aead.keyLength)
    const sealed = [one, other].map((provider) => {
      const out = new Uint8Array(1016)
      provider.cipherSuites[i]!.aead.key(key).seal(nonce, nonce, plaintext, out, 0)
      return out.join()
    })
    const digests = [hash, other.cipherSuites[i]!.hash].map((each) => each.digest(plaintext).join())
    if (sealed[0] !== sealed[1] || digests[0] !== digests[1]) throw new Error(`${name}: kernels differ`)
  }
}

// The kernels of crypto/fast: which of them run here, and that they compute what those in TypeScript do.

import {
  type CompiledModules,
  createFastProvider,
  type FastProvider,
} from "../packages/tls13/dist/crypto/fast/index.js"
import { createMlKem768 } from "../packages/tls13/dist/crypto/fast-pq/index.js"
import {
  generateEcKey,
  generateEd25519Key,
  hostRandom,
  publicKeyOf,
} from "../packages/tls13/dist/crypto/noble/index.js"

/** Not at import: workerd has no random bytes then. */
const signingKeys = () =>
  [
    { algorithm: "ecdsa_sha256", own: generateEcKey("P-256", hostRandom) },
    { algorithm: "ecdsa_sha384", own: generateEcKey("P-384", hostRandom) },
    { algorithm: "ed25519", own: generateEd25519Key(hostRandom) },
  ] as const

/** @param modules those that the runtime compiled, where it compiles none at run time */
export function kernelChecks(modules?: CompiledModules): string[] {
  const done: string[] = []
  const [plain, own] = [createFastProvider({ webAssembly: "off" }), createFastProvider()]
  compare(plain, own)
  compareMlKem()
  done.push(`kernels: ${languages(own)}`)
  // A runtime that compiles needs no modules.
  const wanted = modules === undefined ? own : createFastProvider({ webAssembly: modules })
  if (languages(wanted) !== "WebAssembly") throw new Error(`kernels: ${languages(wanted)}, wanted WebAssembly`)
  if (modules === undefined) return done
  compare(plain, wanted)
  compareMlKem(modules)
  done.push("kernels: WebAssembly, by modules that were imported")
  return done
}

function compareMlKem(modules?: CompiledModules): void {
  const [plain, own] = [createMlKem768("off"), createMlKem768(modules)]
  if (modules !== undefined && own.kernel() !== "WebAssembly") throw new Error(`ML-KEM: ${own.kernel()}`)
  const { publicKey, secretKey } = own.keygen(hostRandom(64))
  const { cipherText, sharedSecret } = plain.encapsulate(publicKey, hostRandom(32))
  if (own.decapsulate(cipherText, secretKey).join() !== sharedSecret.join()) throw new Error("ML-KEM: kernels differ")
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
  // The same private keys and the same entropy make the same shares, secrets and signatures.
  const secret = one.random(32).fill(1, 0, 1)
  const same = (length: number): Uint8Array => secret.slice(0, length)
  for (const [i, group] of one.keyExchanges.entries()) {
    if (group.name !== "x25519" && group.name !== "secp256r1") continue
    const peer = group.start(one.random).share
    const outcomes = [group, other.keyExchanges[i]!].map((each) => {
      const { share, complete } = each.start(same)
      return `${share.join()} ${complete(peer).join()}`
    })
    if (outcomes[0] !== outcomes[1]) throw new Error(`${group.name}: kernels differ`)
  }
  for (const [i, key] of signingKeys().entries()) {
    const [first, second] = [one, other].map(
      (provider) => provider.signatures.find(({ name }) => name === key.algorithm)!,
    )
    const signature = first!.sign(key.own, plaintext, one.random)
    const [right, damaged] = [signature, signature.slice().fill(i, 8, 16)]
    const verdicts = [right, damaged].map((each) => second!.verify(publicKeyOf(key.own), plaintext, each))
    if (verdicts.join() !== "true,false") throw new Error(`${key.algorithm}: kernels differ`)
  }
}

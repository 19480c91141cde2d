// The kernels of crypto/fast: which of them run here, that they compute what those in TypeScript do, and that a client on them
// gets on with a server on noble, by each suite.

import { type CompiledModules, createFastProvider, type FastProvider } from "@puremq/tls13/crypto/fast"
import { createMlKem768 } from "@puremq/tls13/crypto/fast-pq"
import { generateEcKey, generateEd25519Key, publicKeyOf } from "@puremq/tls13/crypto/noble"
import type { Host, Scenario } from "./host.ts"
import { connected, equal, pairOf } from "./world.ts"

export const kernels: Scenario = {
  name: "kernels of crypto/fast",
  run(host) {
    const { random, modules } = host
    const [plain, own] = [createFastProvider({ random, webAssembly: "off" }), createFastProvider({ random })]
    compare(plain, own)
    compareMlKem(host)
    let best = own
    if (modules !== undefined) {
      best = createFastProvider({ random, webAssembly: modules })
      if (languages(best) !== "WebAssembly") throw new Error(`of modules that were imported: ${languages(best)}`)
      compare(plain, best)
      compareMlKem(host, modules)
    }
    for (const { name } of best.cipherSuites) {
      const pair = pairOf(host, { provider: best, cipherSuites: [name] })
      connected(pair)
      equal(pair.server.connection.info?.cipherSuite, name)
    }
    return `${languages(best)}${modules === undefined ? "" : ", by modules that were imported"}`
  },
}

function compareMlKem({ random }: Host, modules?: CompiledModules): void {
  const [plain, own] = [createMlKem768("off"), createMlKem768(modules)]
  if (modules !== undefined && own.kernel() !== "WebAssembly") throw new Error(`ML-KEM: ${own.kernel()}`)
  const { publicKey, secretKey } = own.keygen(random(64))
  const { cipherText, sharedSecret } = plain.encapsulate(publicKey, random(32))
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
  const same = (length: number): Uint8Array => Uint8Array.from(secret.subarray(0, length))
  for (const [i, group] of one.keyExchanges.entries()) {
    if (group.name !== "x25519" && group.name !== "secp256r1") continue
    const peer = group.start(one.random).share
    const outcomes = [group, other.keyExchanges[i]!].map((each) => {
      const { share, complete } = each.start(same)
      return `${share.join()} ${complete(peer).join()}`
    })
    if (outcomes[0] !== outcomes[1]) throw new Error(`${group.name}: kernels differ`)
  }
  const keys = [
    { algorithm: "ecdsa_sha256", own: generateEcKey("P-256", one.random) },
    { algorithm: "ecdsa_sha384", own: generateEcKey("P-384", one.random) },
    { algorithm: "ed25519", own: generateEd25519Key(one.random) },
  ] as const
  for (const [i, key] of keys.entries()) {
    const [first, second] = [one, other].map(
      (provider) => provider.signatures.find(({ name }) => name === key.algorithm)!,
    )
    const signature = first!.sign(key.own, plaintext, one.random)
    const [right, damaged] = [signature, Uint8Array.from(signature).fill(i, 8, 16)]
    const verdicts = [right, damaged].map((each) => second!.verify(publicKeyOf(key.own), plaintext, each))
    if (verdicts.join() !== "true,false") throw new Error(`${key.algorithm}: kernels differ`)
  }
}

// Key exchange by the runtime's WebCrypto: whole handshakes with OpenSSL, and shares that it has to refuse.

import type { Pause } from "@puremq/tls13"
import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { webCryptoGroups, webCryptoKeyExchange } from "@puremq/tls13/webcrypto"
import type { Connect } from "./openssl.ts"

const { subtle } = globalThis.crypto

/** A line for each group: not every runtime has all of them. */
export async function keyExchangeChecks(connect: Connect, options: Parameters<Connect>[0]): Promise<string[]> {
  const fast = createFastProvider()
  const done: string[] = []
  for (const name of webCryptoGroups) {
    const group = webCryptoKeyExchange(subtle, name)
    const { share } = fast.keyExchanges.find((each) => each.name === name)!.start(fast.random)
    const good = await outcome(group.respond(share, fast.random))
    if (good !== "a secret") {
      done.push(`WebCrypto has no key exchange by ${name} here: ${good}`)
      continue
    }
    const bad = name === "x25519" ? new Uint8Array(32) : share.map((byte, at) => (at === 5 ? byte ^ 1 : byte))
    const refusal = await outcome(group.respond(bad, fast.random))
    if (refusal !== "InvalidKeyShare") throw new Error(`${name}: a share that is none gave ${refusal}`)
    const socket = await connect({ ...options, core: { groups: [name] }, provider: { ...fast, keyExchanges: [group] } })
    const { handshake } = await socket.opened
    if (handshake.group !== name) throw new Error(`${name} was wanted, and ${handshake.group} came`)
    await socket.close()
    done.push(`WebCrypto's key exchange by ${name}, with OpenSSL`)
  }
  return done
}

async function outcome(answer: unknown): Promise<string> {
  try {
    await (answer as Pause<unknown>).work
    return "a secret"
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  }
}

// The cryptography that a run can use, and an ear in it: no trace of a connection tells the shared secret of a key exchange.

import type { CryptoProvider, KeyExchange } from "@puremq/tls13"
import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { createX25519MLKEM768 as fastX25519MLKEM768 } from "@puremq/tls13/crypto/fast-pq"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { createX25519MLKEM768 as nobleX25519MLKEM768 } from "@puremq/tls13/crypto/noble-pq"
import { copyOf } from "@puremq/tls13/explore"

/** Audited packages, and what a reader of their code can follow. */
export function noble(): CryptoProvider {
  const provider = createNobleProvider()
  return { ...provider, keyExchanges: [...provider.keyExchanges, nobleX25519MLKEM768()] }
}

/** Our own kernels, in WebAssembly where the page may compile it. */
export function fast(): CryptoProvider {
  const provider = createFastProvider()
  const x25519 = provider.keyExchanges.find(({ name }) => name === "x25519")!
  return { ...provider, keyExchanges: [...provider.keyExchanges, fastX25519MLKEM768("auto", x25519)] }
}

/** Is told of every key exchange that is complete: copies. */
export type ExchangeObserver = (group: string, peersShare: Uint8Array, secret: Uint8Array) => void

/** The same provider; `told` hears the shared secrets. */
export function observed(provider: CryptoProvider, told: ExchangeObserver): CryptoProvider {
  return { ...provider, keyExchanges: provider.keyExchanges.map((exchange) => observedExchange(exchange, told)) }
}

function observedExchange(exchange: KeyExchange, told: ExchangeObserver): KeyExchange {
  const { name } = exchange
  return {
    ...exchange,
    start(random) {
      const started = exchange.start(random)
      if (!("complete" in started)) return started
      return {
        share: started.share,
        complete(peersShare) {
          const secret = started.complete(peersShare)
          if (secret instanceof Uint8Array) told(name, copyOf(peersShare), copyOf(secret))
          return secret
        },
        wipe: () => started.wipe?.(),
      }
    },
    respond(peersShare, random) {
      const answer = exchange.respond(peersShare, random)
      if ("secret" in answer) told(name, copyOf(peersShare), copyOf(answer.secret))
      return answer
    },
  }
}

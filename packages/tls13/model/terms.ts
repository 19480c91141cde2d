// What hashes, MACs and signatures are of: a crypto provider that works as the one below it and remembers, for every value that
// it has made, from what. So a run of the real code can be read as terms.

import { concatBytes } from "../src/bytes/concat.ts"
import { copyOf } from "../src/bytes/copy.ts"
import { toHex } from "../src/bytes/hex.ts"
import type {
  CryptoProvider,
  Hash,
  HashState,
  ImmediateCryptoProvider,
  ImmediateKeyExchange,
} from "../src/crypto/provider.ts"

/** HKDF-Expand-Label(key, label, context), as `labels.ts` asks for it. */
export interface Expanded {
  readonly label: string
  readonly context: Uint8Array
}

export class Terms {
  /** What was hashed, by its hash. */
  readonly digests: Map<string, Uint8Array> = new Map()
  /** Key and message of each MAC, by the MAC. */
  readonly macs: Map<string, { readonly key: Uint8Array; readonly message: Uint8Array }> = new Map()
  /** What was signed, by the signature. */
  readonly signatures: Map<string, Uint8Array> = new Map()
  /** Secrets of key exchanges. */
  readonly exchanged: Set<string> = new Set()

  /** The same provider, watched. */
  watch(provider: ImmediateCryptoProvider): CryptoProvider {
    return {
      ...provider,
      cipherSuites: provider.cipherSuites.map((suite) => ({ ...suite, hash: this.#hash(suite.hash) })),
      keyExchanges: provider.keyExchanges.map((exchange) => this.#keyExchange(exchange)),
      signatures: provider.signatures.map((algorithm) => ({
        name: algorithm.name,
        verify: (key, message, signature) => algorithm.verify(key, message, signature),
        sign: (key, message, random) => {
          const signature = algorithm.sign(key, message, random)
          this.signatures.set(toHex(signature), copyOf(message))
          return signature
        },
      })),
    }
  }

  /** What HKDF-Expand-Label made the value of; undefined when it did not. */
  expanded(value: Uint8Array): (Expanded & { readonly key: Uint8Array }) | undefined {
    const mac = this.macs.get(toHex(value))
    return mac && { key: mac.key, ...labelOf(mac.message) }
  }

  #hash(hash: Hash): Hash {
    const start = (state: HashState, seen: readonly Uint8Array[]): HashState => {
      const parts = [...seen]
      return {
        update: (bytes) => {
          parts.push(copyOf(bytes))
          state.update(bytes)
        },
        digest: () => this.#digested(state.digest(), concatBytes(...parts)),
        clone: () => start(state.clone(), parts),
      }
    }
    return {
      name: hash.name,
      length: hash.length,
      digest: (message) => this.#digested(hash.digest(message), message),
      start: () => start(hash.start(), []),
      hmac: (key) => {
        const made = hash.hmac(key)
        const copy = copyOf(key)
        return {
          mac: (...parts) => {
            const value = made.mac(...parts)
            this.macs.set(toHex(value), { key: copy, message: concatBytes(...parts) })
            return value
          },
          wipe: () => made.wipe(),
        }
      },
    }
  }

  #digested(value: Uint8Array, message: Uint8Array): Uint8Array {
    this.digests.set(toHex(value), copyOf(message))
    return value
  }

  #keyExchange(exchange: ImmediateKeyExchange): ImmediateKeyExchange {
    const note = (secret: Uint8Array) => {
      this.exchanged.add(toHex(secret))
      return secret
    }
    return {
      name: exchange.name,
      code: exchange.code,
      start: (random) => {
        const started = exchange.start(random)
        return {
          share: started.share,
          complete: (share) => note(started.complete(share)),
          wipe: () => started.wipe(),
        }
      },
      respond: (share, random) => {
        const answer = exchange.respond(share, random)
        note(answer.secret)
        return answer
      },
    }
  }
}

/** struct HkdfLabel and the counter of HKDF-Expand (section 7.1). */
function labelOf(info: Uint8Array): Expanded {
  const length = info[2] ?? 0
  const label = new TextDecoder().decode(info.subarray(3 + "tls13 ".length, 3 + length))
  return { label, context: info.subarray(4 + length, info.length - 1) }
}

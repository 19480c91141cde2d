// A crypto provider and a trace sink that remember everything a connection computes, sends and receives.

import { concatBytes } from "../../src/bytes/concat.ts"
import { toHex } from "../../src/bytes/hex.ts"
import { createNobleProvider, TLS_AES_128_GCM_SHA256 } from "../../src/crypto/noble/index.ts"
import type { CryptoProvider, Hash, HashState, RandomSource } from "../../src/crypto/provider.ts"
import type { TraceEvent } from "../../src/trace/events.ts"

export interface RecordedRecord {
  readonly innerType: number
  readonly record: string
  readonly content: string
}

export class Recorder {
  readonly provider: CryptoProvider
  /** Every HMAC: "key:message" to the MAC, all hexadecimal. HKDF-Extract, HKDF-Expand and Finished are HMACs. */
  readonly macs = new Map<string, string>()
  /** Every hash that was read: transcript hashes and Hash(""). */
  readonly digests = new Set<string>()
  readonly messages = { sent: [] as string[], received: [] as string[] }
  readonly records = { sent: [] as RecordedRecord[], received: [] as RecordedRecord[] }
  /** "key:iv" of each change of protection. */
  readonly keys = { sent: [] as string[], received: [] as string[] }
  /** What `random` gave, in order. */
  readonly drawn: string[] = []
  readonly random: RandomSource
  readonly #toDraw: Uint8Array[]

  /** @param toDraw what `random` gives, one value a call */
  constructor(toDraw: readonly Uint8Array[]) {
    this.#toDraw = [...toDraw]
    const suites = [{ ...TLS_AES_128_GCM_SHA256, hash: this.#recordedHash(TLS_AES_128_GCM_SHA256.hash) }]
    this.random = (length) => {
      const next = this.#toDraw.shift()
      if (next?.length !== length)
        throw new Error(`${length} random bytes are drawn; the trace has ${next?.length} here`)
      this.drawn.push(toHex(next))
      return next.slice()
    }
    this.provider = { ...createNobleProvider(), cipherSuites: suites, random: this.random }
  }

  get leftToDraw(): number {
    return this.#toDraw.length
  }

  readonly trace = (event: TraceEvent): void => {
    switch (event.type) {
      case "message":
        this.messages[event.direction].push(toHex(event.message))
        break
      case "record":
        this.records[event.direction].push({
          innerType: event.innerType,
          record: toHex(event.record),
          content: toHex(event.content),
        })
        break
      case "keys":
        this.keys[event.direction].push(`${toHex(event.key)}:${toHex(event.iv)}`)
    }
  }

  mac(key: Uint8Array, message: Uint8Array): string | undefined {
    return this.macs.get(`${toHex(key)}:${toHex(message)}`)
  }

  #recordedHash(hash: Hash): Hash {
    const noted = (digest: Uint8Array) => {
      this.digests.add(toHex(digest))
      return digest
    }
    const recordedState = (state: HashState): HashState => ({
      update: (bytes) => state.update(bytes),
      digest: () => noted(state.digest()),
      clone: () => recordedState(state.clone()),
    })
    return {
      name: hash.name,
      length: hash.length,
      digest: (message) => noted(hash.digest(message)),
      start: () => recordedState(hash.start()),
      hmac: (key) => {
        const keyHex = toHex(key)
        const real = hash.hmac(key)
        return {
          mac: (...parts) => {
            const mac = real.mac(...parts)
            this.macs.set(`${keyHex}:${toHex(concatBytes(...parts))}`, toHex(mac))
            return mac
          },
          wipe: () => real.wipe(),
        }
      },
    }
  }
}

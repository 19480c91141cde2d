// A provider whose long records are sealed and opened by node:crypto.

import { getCiphers } from "node:crypto"
import { versions } from "node:process"
import { checkNonceAndRoom } from "../aead-arguments.ts"
import type { Aead, AeadKey, CipherSuiteAlgorithms, CryptoProvider } from "../provider.ts"
import { type CipherName, openByHost, sealByHost, TAG_LENGTH } from "./aead.ts"

/** Bytes of plaintext from which a record is the host's. */
export interface HostRecordsFrom {
  /** Default: 2048 on Node, 512 on Bun, none on Deno. */
  readonly aesGcm?: number
  /** Default: 8192 on Node; none on Deno, and on Bun, which has no ChaCha20-Poly1305 in `node:crypto`. */
  readonly chacha20Poly1305?: number
}

const none = Number.POSITIVE_INFINITY

/**
 * Where a call of the host, on Node 4 to 5 microseconds whatever its length, is made up for beside the WebAssembly of `fast`:
 * docs/decisions/0026. Deno's AES-GCM takes twice the time of ours at every length.
 */
const usualFrom: Readonly<Record<"node" | "bun" | "deno", Required<HostRecordsFrom>>> = {
  node: { aesGcm: 2048, chacha20Poly1305: 8192 },
  bun: { aesGcm: 512, chacha20Poly1305: none },
  deno: { aesGcm: none, chacha20Poly1305: none },
}
const runtime = versions["deno"] !== undefined ? "deno" : versions["bun"] !== undefined ? "bun" : "node"

const ciphers: ReadonlyMap<string, { readonly cipher: CipherName; readonly from: keyof HostRecordsFrom }> = new Map([
  ["TLS_AES_128_GCM_SHA256", { cipher: "aes-128-gcm", from: "aesGcm" }],
  ["TLS_AES_256_GCM_SHA384", { cipher: "aes-256-gcm", from: "aesGcm" }],
  ["TLS_CHACHA20_POLY1305_SHA256", { cipher: "chacha20-poly1305", from: "chacha20Poly1305" }],
])

/**
 * The provider, under the name `mixed`, with records from a length on sealed and opened by the host's own AEAD, as
 * `createHostProvider` does it: with the instructions for AES that a processor has. Shorter ones, for which a call of the host takes
 * longer than all of the work, stay the provider's, and so do those of suites that the host lacks, or is slower with. Key, nonce
 * and bytes are the same by either.
 */
export function withHostRecords<Provider extends CryptoProvider>(
  provider: Provider,
  from: HostRecordsFrom = {},
): Provider {
  const has = getCiphers()
  const cipherSuites = provider.cipherSuites.map((suite): CipherSuiteAlgorithms => {
    const row = ciphers.get(suite.name)
    if (row === undefined || !has.includes(row.cipher)) return suite
    const length = from[row.from] ?? usualFrom[runtime][row.from]
    return length === none ? suite : { ...suite, aead: byLength(suite.aead, row.cipher, length) }
  })
  return { ...provider, name: "mixed", cipherSuites }
}

/** What all keys of a suite share. */
interface HostPart {
  readonly cipher: CipherName
  readonly from: number
  /** The key, while the host takes it in; zeros at all other times. */
  readonly key: Uint8Array
}

function byLength(aead: Aead, cipher: CipherName, from: number): Aead {
  const host: HostPart = { cipher, from, key: new Uint8Array(aead.keyLength) }
  return { ...aead, key: (key) => new AeadKeyByLength(aead.key(key), host, key) }
}

class AeadKeyByLength implements AeadKey {
  readonly #own: AeadKey
  /** None once the key was wiped. */
  #host: HostPart | undefined
  /** The key in words, as an array of it would take three times the room, which idle connections pay for; the last four of 32 bytes only. */
  #word0: number
  #word1: number
  #word2: number
  #word3: number
  #word4: number
  #word5: number
  #word6: number
  #word7: number

  constructor(own: AeadKey, host: HostPart, key: Uint8Array) {
    this.#own = own
    this.#host = host
    this.#word0 = wordOf(key, 0)
    this.#word1 = wordOf(key, 4)
    this.#word2 = wordOf(key, 8)
    this.#word3 = wordOf(key, 12)
    this.#word4 = wordOf(key, 16)
    this.#word5 = wordOf(key, 20)
    this.#word6 = wordOf(key, 24)
    this.#word7 = wordOf(key, 28)
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    const host = this.#host
    const { length } = plaintext
    if (host === undefined || length < host.from) {
      this.#own.seal(nonce, aad, plaintext, out, at)
      return
    }
    checkNonceAndRoom(nonce, out, at, length + TAG_LENGTH)
    try {
      sealByHost(host.cipher, this.#keyIn(host.key), nonce, aad, plaintext, out, at)
    } finally {
      host.key.fill(0)
    }
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const host = this.#host
    const length = ciphertext.length - TAG_LENGTH
    if (host === undefined || length < host.from || length < 0) {
      return this.#own.open(nonce, aad, ciphertext, out, at)
    }
    checkNonceAndRoom(nonce, out, at, length)
    try {
      return openByHost(host.cipher, this.#keyIn(host.key), nonce, aad, ciphertext, out, at)
    } finally {
      host.key.fill(0)
    }
  }

  /** The provider's own key refuses whatever comes after it, records of any length. */
  wipe(): void {
    this.#own.wipe()
    this.#host = undefined
    this.#word0 = this.#word1 = this.#word2 = this.#word3 = 0
    this.#word4 = this.#word5 = this.#word6 = this.#word7 = 0
  }

  #keyIn(key: Uint8Array): Uint8Array {
    putWord(key, 0, this.#word0)
    putWord(key, 4, this.#word1)
    putWord(key, 8, this.#word2)
    putWord(key, 12, this.#word3)
    // What is past the end of an array is not written.
    putWord(key, 16, this.#word4)
    putWord(key, 20, this.#word5)
    putWord(key, 24, this.#word6)
    putWord(key, 28, this.#word7)
    return key
  }
}

/** 0 past the end. */
function wordOf(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
}

function putWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24
  bytes[at + 1] = word >>> 16
  bytes[at + 2] = word >>> 8
  bytes[at + 3] = word
}

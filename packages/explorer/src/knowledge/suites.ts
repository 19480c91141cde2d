// The algorithms that the page computes with, whatever provider the two ends use: all providers give the same bytes.

import type { CryptoProvider } from "@puremq/tls13"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"

export type CipherSuiteAlgorithms = CryptoProvider["cipherSuites"][number]
export type Hash = CipherSuiteAlgorithms["hash"]

const provider: CryptoProvider = /* @__PURE__ */ createNobleProvider()

/** TLS_AES_128_GCM_SHA256: what every implementation has (section 9.1). */
export const usualSuite: CipherSuiteAlgorithms = provider.cipherSuites.find(({ code }) => code === 0x1301)!

export function suiteOf(code: number): CipherSuiteAlgorithms | undefined {
  return provider.cipherSuites.find((suite) => suite.code === code)
}

/** By the length of its hash and of its key, in bytes: no two suites here have both. */
export function suiteByLengths(hashLength: number, keyLength: number): CipherSuiteAlgorithms | undefined {
  return provider.cipherSuites.find(({ hash, aead }) => hash.length === hashLength && aead.keyLength === keyLength)
}

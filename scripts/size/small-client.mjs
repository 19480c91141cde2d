// The small profile: a client with a pre-shared key, one suite and one group, nothing of which reads a table or needs
// WebAssembly: ChaCha20-Poly1305 and X25519 of noble. docs/lean.md explains it; `npm run size` runs it, too.

import { ClientConnection } from "@puremq/tls13"
import { hostRandom, TLS_CHACHA20_POLY1305_SHA256, x25519 } from "@puremq/tls13/crypto/noble"
import { createLeanClientConfig, preSharedKeys } from "@puremq/tls13/lean"

const provider = {
  name: "small",
  cipherSuites: [TLS_CHACHA20_POLY1305_SHA256],
  keyExchanges: [x25519],
  signatures: [],
  random: hostRandom,
}

/** @param now milliseconds since 1970 */
export function connect(identity, key, now) {
  const externalPsks = [{ identity, key, hash: "sha256", kind: "external" }]
  return new ClientConnection(createLeanClientConfig({ provider, externalPsks }, { preSharedKeys }), now)
}

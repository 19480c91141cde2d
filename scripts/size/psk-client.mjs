// A client with a pre-shared key: AES-128-GCM and X25519 of noble.

import { ClientConnection } from "@puremq/tls13"
import { hostRandom, TLS_AES_128_GCM_SHA256, x25519 } from "@puremq/tls13/crypto/noble"
import { createLeanClientConfig, preSharedKeys } from "@puremq/tls13/lean"

const provider = {
  name: "psk",
  cipherSuites: [TLS_AES_128_GCM_SHA256],
  keyExchanges: [x25519],
  signatures: [],
  random: hostRandom,
}

export const connect = (externalPsks, now) =>
  new ClientConnection(createLeanClientConfig({ provider, externalPsks }, { preSharedKeys }), now)

// A client that knows its server's key: X.509 certificates, P-256 for the key exchange and the signature, AES-128-GCM, of noble.
// What the certificate says is not read: who can sign with the key is the server.

import { ClientConnection } from "@puremq/tls13"
import { ecdsaP256Sha256, hostRandom, secp256r1, TLS_AES_128_GCM_SHA256 } from "@puremq/tls13/crypto/noble"
import { certificates, createLeanClientConfig } from "@puremq/tls13/lean"

const provider = {
  name: "certificate",
  cipherSuites: [TLS_AES_128_GCM_SHA256],
  keyExchanges: [secp256r1],
  signatures: [ecdsaP256Sha256],
  random: hostRandom,
}

/** @param publicKey of the server */
export function connect(serverName, publicKey, now) {
  const verifier = {
    leafKey: () => publicKey,
    verify: ({ chain, type }) => ({
      accepted: true,
      publicKey,
      identity: { type, chain, path: chain, subject: serverName },
    }),
  }
  return new ClientConnection(createLeanClientConfig({ provider, serverName, verifier }, { certificates }), now)
}

// The same with path validation (RFC 5280) to an authority that it trusts, in place of a key that it knows.

import { ClientConnection } from "@puremq/tls13"
import { ecdsaP256Sha256, hostRandom, secp256r1, TLS_AES_128_GCM_SHA256 } from "@puremq/tls13/crypto/noble"
import { certificates, createLeanClientConfig } from "@puremq/tls13/lean"
import { createCertificateVerifier, trustStoreFromPem } from "@puremq/tls13/x509"

const provider = {
  name: "path",
  cipherSuites: [TLS_AES_128_GCM_SHA256],
  keyExchanges: [secp256r1],
  signatures: [ecdsaP256Sha256],
  random: hostRandom,
}

/** @param authorities in PEM */
export function connect(serverName, authorities, now) {
  const verifier = createCertificateVerifier({ trust: trustStoreFromPem(authorities) })
  return new ClientConnection(createLeanClientConfig({ provider, serverName, verifier }, { certificates }), now)
}

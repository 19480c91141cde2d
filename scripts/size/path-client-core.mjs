// A client that trusts authorities (RFC 5280), before it has a provider.

import { ClientConnection } from "@puremq/tls13"
import { certificates, createLeanClientConfig } from "@puremq/tls13/lean"
import { createCertificateVerifier, trustStoreFromPem } from "@puremq/tls13/x509"

/** @param authorities in PEM */
export function connect(provider, serverName, authorities, now) {
  const verifier = createCertificateVerifier({ trust: trustStoreFromPem(authorities) })
  return new ClientConnection(createLeanClientConfig({ provider, serverName, verifier }, { certificates }), now)
}

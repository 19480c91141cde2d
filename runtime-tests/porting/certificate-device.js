import { ecdsaP256Sha256, TLS_CHACHA20_POLY1305_SHA256, x25519 } from "@puremq/tls13/crypto/noble"
import { certificates, createLeanClientConfig } from "@puremq/tls13/lean"
import { createCertificateVerifier, trustStoreFromPem } from "@puremq/tls13/x509"
import { port, random } from "./port.js"

const cipherSuites = [TLS_CHACHA20_POLY1305_SHA256]
const provider = { name: "device", cipherSuites, keyExchanges: [x25519], signatures: [ecdsaP256Sha256], random }

port((serverName, authority, builtAt) => {
  const unknownTime = { atLeast: builtAt }
  const verifier = createCertificateVerifier({ trust: trustStoreFromPem(authority), unknownTime })
  const options = { provider, serverName, verifier, recordSizeLimit: 1024, maxFragment: 1024 }
  return createLeanClientConfig(options, { certificates })
})

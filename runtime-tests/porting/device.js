import { TLS_CHACHA20_POLY1305_SHA256, x25519 } from "@puremq/tls13/crypto/noble"
import { createLeanClientConfig, preSharedKeys } from "@puremq/tls13/lean"
import { port, random } from "./port.js"

const cipherSuites = [TLS_CHACHA20_POLY1305_SHA256]
const provider = { name: "device", cipherSuites, keyExchanges: [x25519], signatures: [], random }

port((identity, key) => {
  const psk = { identity: new Uint8Array(identity), key: new Uint8Array(key), hash: "sha256", kind: "external" }
  const options = { provider, externalPsks: [psk], recordSizeLimit: 1024, maxFragment: 1024 }
  return createLeanClientConfig(options, { preSharedKeys })
})
